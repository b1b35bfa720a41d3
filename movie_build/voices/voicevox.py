"""VOICEVOX, and the engines that speak its protocol: AivisSpeech, SHAREVOX, COEIROINK and more.

Protocol: https://voicevox.github.io/voicevox_engine/api/. A line is text → `/audio_query`,
the query with our manner → `/synthesis` → wav.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from movie_build.config import Word
from movie_build.errors import VoiceError
from movie_build.ledger import Use
from movie_build.pcm import Pcm
from movie_build.service import Retry
from movie_build.speakable import unpronounceable
from movie_build.take import Take, Timed, joined
from movie_build.voices.protocol import JsonValue
from movie_build.voices.voicevox_catalogue import Catalogue, Style
from movie_build.voices.voicevox_dict import words_in
from movie_build.voices.voicevox_engines import Engine, Engines

if TYPE_CHECKING:
    from movie_build.voices.voicevox_query import AudioQuery, Span

# A voice's usual pitch, as the engine counts it: the natural logarithm of 245 Hz.
_LOG_PITCH = 5.5
# What was planned and what came may differ by a frame a mora, and engines differ.
_SLACK_S, _SLACK = 0.1, 0.03


@dataclass(frozen=True, slots=True)
class Manner:
    """How is spoken, in the engine's own measures: `pitch` is 0 as usual, the factors are 1.

    Seconds are heard as they stand, whatever the speed. `pause_s` is the length
    of every pause inside the text; None leaves it to the engine.
    """

    speed: float = 1.0
    pitch: float = 0.0
    intonation: float = 1.0
    volume: float = 1.0
    pre_silence_s: float = 0.1
    post_silence_s: float = 0.1
    pause_s: float | None = None
    pause_scale: float = 1.0


# What engines can do: the editor's range and more.
_RANGES = {
    "speed": (0.2, 5.0),
    "pitch": (-1.0, 1.0),
    "intonation": (0.0, 5.0),
    "volume": (0.01, 5.0),
    "pre_silence_s": (0.0, 10.0),
    "post_silence_s": (0.0, 10.0),
    "pause_s": (0.0, 10.0),
    "pause_scale": (0.0, 10.0),
}


def pitch_of(factor: float) -> float:
    """The engine's pitch for a voice `factor` times as high: it scales the logarithm by 2^pitch."""
    return round(math.log2(1 + math.log(factor) / _LOG_PITCH), 4)


class Voicevox:
    """Speaks as `speaker` (a number, `ずんだもん/ノーマル`, or `ずんだもん`) of `engines`.

    Raises:
        VoiceError: `manner` is out of reach.
    """

    def __init__(self, engines: Engines, speaker: int | str, manner: Manner = Manner()) -> None:
        for key, (low, high) in _RANGES.items():
            value = getattr(manner, key)
            if value is not None and not low <= value <= high:
                raise VoiceError(f"voicevox cannot do {key} {value:g}: use {low:g} to {high:g}")
        self.engines = engines
        self.speaker = speaker
        self.manner = manner
        self._planned: Catalogue | None = None

    def identity(self) -> Mapping[str, JsonValue]:
        """Engine, model and manner, as an earlier build learnt them; the first one asks.

        The words of the dictionary are not in it: those of a line are `words_in` it.

        Raises:
            VoiceError: there is no such speaker; or nothing is known, and no engine answers.
        """
        planned, style = self._plan()
        return {
            "engine": planned.engine,
            "version": planned.version,
            "speaker": style.id,
            "model": style.model,
            **asdict(self.manner),
        }

    def words_in(self, text: str) -> tuple[Word, ...]:
        """The dictionary words that change how `text` is spoken: part of what a take depends on."""
        return words_in(text, self.engines.words)

    def speak(self, text: str) -> Pcm:
        """`text`, spoken, at the engine's own rate.

        Raises:
            VoiceError: the text is refused, or the engines fail.
        """
        return self.speak_timed(text)[0]

    def speak_timed(self, text: str) -> tuple[Pcm, list[Timed]]:
        """`text`, spoken, and when each mora sounds; silence included, they fill the sound.

        There are none where the engine does not know them (AivisSpeech).

        Raises:
            VoiceError: the text is refused, or the engines fail.
        """
        parts = self.parts(text)
        last = len(parts) - 1
        take = joined([self.say(part, is_last=n == last) for n, part in enumerate(parts)])
        return take.pcm, list(take.timing)

    def parts(self, text: str) -> Sequence[str]:
        """`text` in pieces of whole sentences that an engine can take.

        Raises:
            VoiceError: there is nothing in it to speak.
        """
        from movie_build.voices.voicevox_text import checked, pieces

        return pieces(checked(text))

    def say(self, part: str, *, is_last: bool = True) -> Take:
        """One part, spoken, with the pause after it if more follows; raises as `speak`."""
        from movie_build.voices.voicevox_query import timed

        self._plan()
        attempt = partial(self._attempt, part, is_last)
        pcm, frames = self.engines.service.call(attempt, self._refused)
        return Take(pcm, timed(frames, pcm.duration_s) if frames else ())

    def _plan(self) -> tuple[Catalogue, Style]:
        """What this voice is in this build, settled the first time."""
        if self._planned is None:
            planned = self.engines.catalogue()
            try:
                planned.find(self.speaker)
            except VoiceError:
                # It may have been installed since an earlier build asked.
                planned = self.engines.refresh()
            self._planned = planned
        return self._planned, self._planned.find(self.speaker)

    def _refused(self, what: str) -> VoiceError:
        _, style = self._plan()
        doubt = "" if style.speaker else f"; has the engine a speaker {style.id}?"
        return VoiceError(what + doubt)

    def _attempt(self, part: str, is_last: bool) -> tuple[tuple[Pcm, list[Span]], Use]:
        planned, style = self._plan()
        said = self.engines.speak(planned, style, partial(self._say, style, part, is_last))
        return said, Use(characters=len(part))

    def _say(
        self, style: Style, part: str, is_last: bool, engine: Engine
    ) -> tuple[Pcm, list[Span]]:
        """One piece, spoken, with the pause after it if more follows; and its moras' frames."""
        from movie_build.voices.voicevox_text import kana
        from movie_build.voices.voicevox_wav import decoded

        query = self._query(style, part, engine)
        manner = self.manner
        if not is_last:
            pause_s = query.pause_s(manner)
            manner = replace(manner, post_silence_s=max(0.0, pause_s - manner.pre_silence_s))
        wav = engine.http.ask(
            "POST",
            "/synthesis",
            params={"speaker": style.id, "enable_interrogative_upspeak": "true"},
            body=query.told(manner),
            n_kana=kana(part),
        )
        pcm = decoded(wav, f"{engine.http.url}/synthesis")
        rate_hz = engine.learn().frame_rate_hz
        return pcm, _agreeing(query.frames(manner, rate_hz), rate_hz, pcm, engine)

    def _query(self, style: Style, part: str, engine: Engine) -> AudioQuery:
        from movie_build.voices.voicevox_query import AudioQuery
        from movie_build.voices.voicevox_text import kana

        whose = f"{engine.http.url}/audio_query"
        with engine.dictionary.for_text(part):
            told = engine.http.ask_json(
                "POST",
                "/audio_query",
                params={"text": part, "speaker": style.id},
                n_kana=kana(part),
            )
        try:
            query = AudioQuery(told)
        except ValueError as error:
            what = f"{whose} sent no audio query ({error})"
            if style.speaker:
                raise Retry(what) from error
            # Some engines answer so for a speaker that they do not have.
            raise VoiceError(f"{what}: has the engine a speaker {style.id}?") from error
        if query.is_empty:
            raise unpronounceable(part)
        return query


def _agreeing(frames: list[Span], rate_hz: float, pcm: Pcm, engine: Engine) -> list[Span]:
    """`frames` if the sound is as long as they say, else none: not all engines plan well.

    Raises:
        Retry: it is so much shorter that the rest of the text must be missing.
    """
    planned_s = sum(n_frames for _, _, n_frames in frames) / rate_hz
    if abs(pcm.duration_s - planned_s) <= _SLACK_S + _SLACK * planned_s:
        return frames
    if pcm.duration_s < planned_s / 2:
        raise Retry(
            f"{engine.http.url}/synthesis sent {pcm.duration_s:.1f} s "
            f"where {planned_s:.1f} s were planned"
        )
    return []
