"""The voices of a run: which there are, how settings reach them, and what they share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import plug_ins
from movie_build.config import Config, VoiceSettings, Word
from movie_build.errors import Faults, MovieBuildError, VoiceError, Where, nearest
from movie_build.openai_client import service_name, usual_url
from movie_build.plug_ins import PlugIn
from movie_build.service import Services
from movie_build.take import Take
from movie_build.voices.protocol import Checkable, InParts, JsonValue, Voice

if TYPE_CHECKING:
    from movie_build.voices.voicevox_engines import Engines

_MANNER = frozenset({"speed_scale", "pitch_scale"})
_VOICEVOX = _MANNER | {
    "speaker",
    "voice",
    "base_url",
    "intonation_scale",
    "volume_scale",
    "pre_silence_s",
    "post_silence_s",
    "pause_s",
    "pause_scale",
}
_OPENAI = frozenset(
    {"voice", "model", "instructions", "speed_scale", "format", "base_url", "api_key_env"}
)
# What each engine heeds; anything else that is set for it is refused, not ignored.
ENGINES: Mapping[str, frozenset[str]] = {
    "espeak": _MANNER | {"voice"},
    "open_jtalk": _MANNER | {"voice"},
    "voicevox": _VOICEVOX,
    "openai": _OPENAI,
    "piper": frozenset({"voice", "speaker", "speed_scale"}),
    "recorded": frozenset(),
}
ALIASES = dict.fromkeys(("aivisspeech", "coeiroink", "sharevox", "lmroid"), "voicevox")
_AS_TYPED = {
    "speaker": "`speaker` or `speaker_id`",
    "pause_s": "`pause_length`",
    "pause_scale": "`pause_length_scale`",
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """An opened voice. What a `remote` one gives is kept as a take, as it may have cost money.

    `words` tells which dictionary entries the engine itself applies to a text;
    None where words are to be replaced before it is spoken.
    """

    voice: Voice
    identity: Mapping[str, JsonValue]
    remote: bool = False
    words: Callable[[str], tuple[Word, ...]] | None = None
    where: Where | None = field(default=None, compare=False)

    def parts(self, text: str) -> Sequence[str]:
        """`text` as the voice's service is asked for it, one part a call.

        Raises:
            VoiceError: there is nothing in it to speak.
        """
        return self.voice.parts(text) if isinstance(self.voice, InParts) else (text,)

    def check(self) -> None:
        """See that it can speak, as far as that is known without speaking.

        Raises:
            VoiceError: it cannot; told where the voice is set.
        """
        if isinstance(self.voice, Checkable):
            try:
                self.voice.check()
            except MovieBuildError as error:
                raise error.placed(self.where) from None

    def say(self, part: str, *, is_last: bool = True) -> Take:
        """One of the `parts`, spoken, with its timing where the voice tells it."""
        if isinstance(self.voice, InParts):
            return self.voice.say(part, is_last=is_last)
        return Take(self.voice.speak(part))


class Studio:
    """Opens the voices that a movie's settings ask for; close it when the run ends."""

    def __init__(
        self,
        config: Config,
        services: Services,
        *,
        project: Path,
        shared: Path,
        digest: Callable[[Path], str],
    ) -> None:
        self.config = config
        self.services = services
        self.project = project
        self.shared = shared
        self.digest = digest
        self._engines: dict[tuple[str, ...], tuple[Engines, Path]] = {}
        self._speakers: dict[tuple[VoiceSettings, str], Speaker] = {}
        self._refused: dict[tuple[VoiceSettings, str], MovieBuildError] = {}

    def speaker(self, settings: VoiceSettings, language: str) -> Speaker:
        """The voice that `settings` ask for; where they leave it open, that of the language.

        Raises:
            VoiceError: there is no such engine or voice, or it cannot do what is asked.
            MissingExtra: its library is not installed.
        """
        settled = _settled(settings, language)
        key = settled, language
        if key in self._refused:
            raise self._refused[key]
        if key not in self._speakers:
            try:
                opened = self._open(settled, language)
                self._speakers[key] = replace(opened, where=settings.where)
            except MovieBuildError as error:
                # The next line of this voice need not wait for it again.
                self._refused[key] = error
                raise
        return self._speakers[key]

    def see_that_it_exists(self, settings: VoiceSettings) -> None:
        """See that the engine that `settings` name exists and heeds them, whoever uses it.

        Raises:
            VoiceError: it does not.
        """
        if settings.engine:
            name = ALIASES.get(settings.engine, settings.engine)
            if name in ENGINES:
                _refuse_unheeded(settings, name, ENGINES[name])
            else:
                self._maker(settings)

    def check(self) -> None:
        """See that all voices opened so far can speak, as far as that is known without speaking.

        Raises:
            MovieBuildError: all that is wrong.
        """
        faults = Faults()
        for speaker in self._speakers.values():
            with faults:
                speaker.check()
        faults.tell()

    def close(self) -> list[str]:
        """Let go of engines and what was lent to them; what could not be done, told."""
        troubles: list[str] = []
        for engines, catalogue in self._engines.values():
            if engines.known:
                catalogue.parent.mkdir(parents=True, exist_ok=True)
                catalogue.write_text(engines.known.to_json(), encoding="utf-8")
            troubles += engines.close()
        self._engines.clear()
        self._speakers.clear()
        return troubles

    def _open(self, settings: VoiceSettings, language: str) -> Speaker:
        assert settings.engine
        name = ALIASES.get(settings.engine, settings.engine)
        heeded = ENGINES.get(name)
        if heeded is None:
            return self._plug_in(settings)
        _refuse_unheeded(settings, name, heeded)
        if name == "voicevox":
            return self._voicevox(settings)
        if name == "espeak" and not settings.voice:
            tag = language.lower()
            settings = replace(settings, voice="en-us" if tag in ("", "en") else tag)
        try:
            voice = getattr(self, f"_{name}")(settings)
        except VoiceError as error:
            raise error.placed(settings.where) from None
        return Speaker(voice, voice.identity(), remote=name == "openai")

    def _espeak(self, settings: VoiceSettings) -> Voice:
        from movie_build.voices.espeak import Espeak

        speed, pitch = _factor(settings.speed_scale), _factor(settings.pitch_scale)
        return Espeak(settings.voice or "en-us", speed, pitch)

    def _open_jtalk(self, settings: VoiceSettings) -> Voice:
        from movie_build.voices.open_jtalk import OpenJTalk

        speed, pitch = _factor(settings.speed_scale), _factor(settings.pitch_scale)
        if not settings.voice:
            return OpenJTalk(speed, pitch)
        path = self._voice_file(settings.voice, ".htsvoice")
        return OpenJTalk(speed, pitch, voice=path, digest=self.digest(path))

    def _voice_file(self, name: str, ending: str) -> Path:
        """The voice file `name` of the project.

        Raises:
            VoiceError: there is none, or it is another kind of file.
        """
        path = self.project / name
        if not name.endswith(ending) or not path.is_file():
            raise VoiceError(f"there is no voice file {name} ({ending}) in {self.project.name}/")
        return path

    def _openai(self, settings: VoiceSettings) -> Voice:
        from movie_build.voices.openai_speech import OpenAISpeech

        model = settings.model or "gpt-4o-mini-tts"
        return OpenAISpeech(
            self.services.named(service_name(usual_url(settings.base_url))),
            model=model,
            voice=settings.voice or "alloy",
            instructions=settings.instructions or "",
            speed=_factor(settings.speed_scale),
            format=settings.format or "wav",
            base_url=settings.base_url,
            api_key_env=settings.api_key_env or "OPENAI_API_KEY",
            usd_per_million_characters=self.config.price(model).characters,
        )

    def _piper(self, settings: VoiceSettings) -> Voice:
        from movie_build.voices.piper import Piper

        if not settings.voice:
            raise VoiceError("piper needs a `voice`: a name like en_US-lessac-medium, or a .onnx")
        folder, speed = self.shared / "piper", _factor(settings.speed_scale)
        if not settings.voice.endswith(".onnx"):
            return Piper(settings.voice, folder=folder, speaker=settings.speaker, speed=speed)
        path = self._voice_file(settings.voice, ".onnx")
        digest = self.digest(path)
        return Piper(path, folder=folder, digest=digest, speaker=settings.speaker, speed=speed)

    def _voicevox(self, settings: VoiceSettings) -> Speaker:
        from movie_build.voices.voicevox import Manner, Voicevox, pitch_of

        usual = Manner()
        manner = Manner(
            speed=_factor(settings.speed_scale),
            pitch=pitch_of(settings.pitch_scale) if settings.pitch_scale else usual.pitch,
            intonation=_factor(settings.intonation_scale),
            volume=_factor(settings.volume_scale),
            pre_silence_s=_given(settings.pre_silence_s, usual.pre_silence_s),
            post_silence_s=_given(settings.post_silence_s, usual.post_silence_s),
            pause_s=settings.pause_s,
            pause_scale=_factor(settings.pause_scale),
        )
        speaker = settings.voice if settings.speaker is None else settings.speaker
        voice = Voicevox(
            self._voicevox_engines(settings), 3 if speaker is None else speaker, manner
        )
        return Speaker(voice, voice.identity(), remote=True, words=voice.words_in)

    def _voicevox_engines(self, settings: VoiceSettings) -> Engines:
        from movie_build.keys import digest
        from movie_build.voices.voicevox_catalogue import remembered
        from movie_build.voices.voicevox_engines import Engines, urls_in, usual_limits
        from movie_build.voices.voicevox_http import EngineHttp

        urls = tuple(urls_in(settings.base_url or os.environ.get("VOICEVOX_URL", "")))
        if urls not in self._engines:
            folder = self.shared / "voicevox"
            shown = " ".join(EngineHttp(url).url for url in urls)
            catalogue = folder / f"known-{digest(shown.encode())[:16]}.json"
            known = None
            if catalogue.exists():
                known = remembered(catalogue.read_text(encoding="utf-8"))
            service = self.services.named("voicevox", usual_limits(len(urls)))
            engines = Engines(service, urls, folder, known=known, dictionary=self.config.dictionary)
            self._engines[urls] = engines, catalogue
        return self._engines[urls][0]

    def _plug_in(self, settings: VoiceSettings) -> Speaker:
        """A voice of another package: see docs/plugins.md."""
        assert settings.engine
        make = self._maker(settings).load(at=settings.where)
        told = {
            name: value
            for name in VoiceSettings.__dataclass_fields__
            if name not in ("engine", "options", "where")
            and (value := getattr(settings, name)) is not None
        }
        options = {**told, **json.loads(settings.options or "{}")}
        voice: Voice = make(options, self.services.named(settings.engine))
        return Speaker(voice, voice.identity(), remote=getattr(voice, "remote", True))

    def _maker(self, settings: VoiceSettings) -> PlugIn:
        """The plug-in that `settings` name.

        Raises:
            VoiceError: there is none of that name.
        """
        name = settings.engine or ""
        if name not in self._plug_ins:
            known = [*ENGINES, *ALIASES, *self._plug_ins]
            what = f"no voice engine {name!r}; {nearest(name, known)}"
            raise VoiceError(what, at=settings.where)
        return self._plug_ins[name]

    @cached_property
    def _plug_ins(self) -> Mapping[str, PlugIn]:
        return plug_ins.installed(plug_ins.VOICES)


def _settled(settings: VoiceSettings, language: str) -> VoiceSettings:
    """`settings` with an engine: the one named, else the usual one of the language."""
    engine = settings.engine
    if not engine:
        # The predecessor's settings name a speaker alone: VOICEVOX was its usual engine.
        engine = "voicevox" if settings.speaker is not None else default_engine(language)
    return replace(settings, engine=engine)


def default_engine(language: str) -> str:
    """The engine that comes with the program for a language."""
    return "open_jtalk" if language.partition("-")[0].lower() == "ja" else "espeak"


def _refuse_unheeded(settings: VoiceSettings, engine: str, heeded: frozenset[str]) -> None:
    faults = Faults()
    for name in VoiceSettings.__dataclass_fields__:
        if name in ("engine", "where") or name in heeded or getattr(settings, name) is None:
            continue
        shown = _AS_TYPED.get(name, name.removesuffix("_s"))
        what = f"the voice engine {engine} has no {shown}; remove it"
        faults.add(VoiceError(what, at=settings.where))
    faults.tell()


def _factor(value: float | None) -> float:
    return 1.0 if value is None else value


def _given(value: float | None, usual: float) -> float:
    return usual if value is None else value
