"""What in movie.yaml is valid key by key, and still cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from movie_build import service_names
from movie_build.config_file import ConfigFile
from movie_build.errors import Mistake, nearest
from movie_build.openai_client import PROVIDERS
from movie_build.yamlfile import YamlFile


def found(keys: ConfigFile, file: YamlFile) -> Iterator[Mistake]:
    """Every contradiction in the settings, at its key."""
    seen: set[str] = set()
    for i, persona in enumerate(keys.personas):
        if persona.id in seen:
            yield Mistake(
                file.where(("personas", i, "id")), f"two personas are called {persona.id!r}"
            )
        seen.add(persona.id)
    languages = keys.content.languages or []
    if len(set(languages)) < len(languages):
        yield Mistake(file.where(("content", "languages")), "a language stands here twice")
    for part, llm in (("content", keys.content.llm), ("slides", keys.slides.llm)):
        if llm.provider.lower() not in ("", *PROVIDERS) and not llm.base_url:
            hint = nearest(llm.provider.lower(), PROVIDERS)
            what = f"no provider {llm.provider!r} is known: give its base_url, or {hint}"
            yield Mistake(file.where((part, "llm", "provider")), what)
    for name in keys.limits:
        if what := service_names.trouble(name, *_asked(keys)):
            yield Mistake(file.where(("limits", name)), what)


def _asked(keys: ConfigFile) -> tuple[set[str], list[str]]:
    """Names and addresses of services that the settings give."""
    models = keys.content.llm, keys.slides.llm
    voices = [keys.audio, *(persona.synthesizer for persona in keys.personas)]
    named = {keys.content.author or "", keys.slides.maker, *(v.engine or "" for v in voices)}
    named |= {model.provider.strip().lower() for model in models}
    # A persona may leave the engine to `audio`.
    engines = [voice.engine or keys.audio.engine for voice in voices]
    spoken_at = [
        voice.base_url or ""
        for voice, engine in zip(voices, engines, strict=True)
        if engine == "openai"
    ]
    return named, [*(model.base_url for model in models), *spoken_at]
