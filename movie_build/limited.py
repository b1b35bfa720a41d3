"""The services that a movie may ask, by the names that `limits` are set for."""

from __future__ import annotations

from collections.abc import Iterator

from movie_build.config import Config
from movie_build.errors import AuthorError, Mistake, nearest
from movie_build.openai_client import PROVIDERS, service_name, usual_url
from movie_build.script import Script

# Engines of VOICEVOX's kin are one service.
_VOICEVOX = ("voicevox", "aivisspeech", "coeiroink", "sharevox", "lmroid")
_IN_PROCESS = ("espeak", "open_jtalk", "piper", "recorded")


def without_effect(config: Config, script: Script | None) -> Iterator[Mistake]:
    """A warning for each of `limits` that is for no service of the movie."""
    # Another language's script may name voices of its own.
    if not config.limits or len(config.languages) > 1:
        return
    known = {*_of_voices(config, script), *_of_author(config), *_of_drawing(config), "web"}
    for (name, _), where in zip(config.limits, config.limits_where, strict=True):
        if name not in known:
            what = f"ignored: no service of this movie is called {name!r}"
            yield Mistake(where, f"{what}; {nearest(name, known)}")


def _of_voices(config: Config, script: Script | None) -> Iterator[str]:
    personas = {persona.id: persona.voice.over(config.voice) for persona in config.personas}
    voices = {config.voice, *personas.values()}
    for section in script.sections if script else ():
        for line in section.narrations:
            if line.voice:
                voices.add(line.voice.over(personas.get(line.persona_id, config.voice)))
    for voice in voices:
        if voice.engine == "openai":
            yield service_name(usual_url(voice.base_url))
        elif voice.engine in _VOICEVOX or (not voice.engine and voice.speaker is not None):
            yield "voicevox"
        elif voice.engine and voice.engine not in _IN_PROCESS:
            yield voice.engine


def _of_author(config: Config) -> Iterator[str]:
    from movie_build.authors.endpoint import endpoint
    from movie_build.authors.llm_settings import LlmSettings

    if config.author not in ("", "outline", "llm"):
        yield config.author
    model = config.model
    if config.author == "llm" or model.model:
        try:
            yield endpoint(LlmSettings(model.model, model.provider, model.base_url)).name
        except AuthorError:  # no key is set here that tells which it will be
            yield from PROVIDERS


def _of_drawing(config: Config) -> Iterator[str]:
    from movie_build.slide_pieces import drawing_url

    model = config.drawing.model
    if config.drawing.maker:
        yield config.drawing.maker
    elif model.model:
        yield service_name(usual_url(drawing_url(model)), model.provider.lower())
