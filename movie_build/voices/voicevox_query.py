"""The audio query between text and sound: told how to speak, and read for when each mora sounds.

Lengths as in VOICEVOX ENGINE's `tts_engine`: silence, moras and pauses in seconds, pauses
scaled, a question's end raised by a mora of 0.15 s, all divided by the speed, each phoneme
rounded to whole frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from movie_build.take import Timed
from movie_build.voices.protocol import JsonValue

if TYPE_CHECKING:
    from movie_build.voices.voicevox import Manner

# A mora's or silence's text, its vowel, and how many frames it lasts.
Span: TypeAlias = tuple[str, str, int]

_UPSPEAK_S = 0.15
# Between sentences, where the engine does not say how it pauses.
_USUAL_PAUSE_S = 0.35


class _Mora(BaseModel):
    text: str = ""
    consonant_length: float | None = Field(default=None, ge=0, le=60)
    vowel: str = ""
    vowel_length: float = Field(default=0.0, ge=0, le=60)
    pitch: float = 0.0


class _Phrase(BaseModel):
    moras: list[_Mora]
    pause_mora: _Mora | None = None
    is_interrogative: bool = False


class _Query(BaseModel):
    accent_phrases: list[_Phrase]
    speedScale: float


class AudioQuery:
    """What `/audio_query` gave. Fields that are not known here go back to the engine as they came.

    Raises:
        ValueError: it is no audio query.
    """

    def __init__(self, told: Any) -> None:
        try:
            self._read = _Query.model_validate(told)
        except ValidationError as error:
            raise ValueError(f"{error.error_count()} fields are wrong") from error
        self._told: dict[str, JsonValue] = dict(told)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to speak in it. Such a query crashes some engines."""
        return not any(phrase.moras for phrase in self._read.accent_phrases)

    def pause_s(self, manner: Manner) -> float:
        """How long the text pauses between sentences, to be heard where it is cut in pieces."""
        if manner.pause_s is not None:
            return manner.pause_s * manner.pause_scale
        lengths_s = sorted(
            phrase.pause_mora.vowel_length
            for phrase in self._read.accent_phrases
            if phrase.pause_mora and phrase.pause_mora.vowel_length > 0
        )
        usual_s = lengths_s[len(lengths_s) // 2] if lengths_s else _USUAL_PAUSE_S
        return usual_s * manner.pause_scale / manner.speed

    def told(self, manner: Manner) -> dict[str, JsonValue]:
        """The query to be synthesised."""
        query = {
            **self._told,
            "speedScale": manner.speed,
            "pitchScale": manner.pitch,
            "intonationScale": manner.intonation,
            "volumeScale": manner.volume,
            "prePhonemeLength": manner.pre_silence_s * manner.speed,
            "postPhonemeLength": manner.post_silence_s * manner.speed,
            "outputStereo": False,
        }
        if manner.pause_s is not None:
            query["pauseLength"] = manner.pause_s * manner.speed
        if manner.pause_scale != 1.0:
            query["pauseLengthScale"] = manner.pause_scale
        return query

    def frames(self, manner: Manner, frame_rate_hz: float) -> list[Span]:
        """Each mora and silence, in order, as `manner` has them; [] if the engine does not know."""

        def length(seconds: float | None) -> int:
            return round((seconds or 0.0) / manner.speed * frame_rate_hz)

        found: list[Span] = []
        for phrase in self._read.accent_phrases:
            for mora in phrase.moras:
                n_frames = length(mora.consonant_length) + length(mora.vowel_length)
                # AivisSpeech cannot know lengths beforehand, and says 0.
                if not n_frames:
                    return []
                found.append((mora.text, mora.vowel, n_frames))
            if phrase.is_interrogative and phrase.moras and phrase.moras[-1].pitch > 0:
                text, vowel, n_frames = found[-1]
                found[-1] = (text, vowel, n_frames + length(_UPSPEAK_S))
            if phrase.pause_mora:
                pause_s = phrase.pause_mora.vowel_length
                if manner.pause_s is not None:
                    pause_s = manner.pause_s * manner.speed
                found.append(("", "pau", length(pause_s * manner.pause_scale)))
        before = length(manner.pre_silence_s * manner.speed)
        after = length(manner.post_silence_s * manner.speed)
        return [("", "sil", before), *found, ("", "sil", after)]


def timed(frames: list[Span], duration_s: float) -> tuple[Timed, ...]:
    """`frames` laid out over `duration_s`."""
    whole = sum(n_frames for _, _, n_frames in frames)
    moras, at = [], 0
    for text, vowel, n_frames in frames:
        end = at + n_frames
        moras.append(Timed(text, duration_s * at / whole, duration_s * end / whole, vowel))
        at = end
    return tuple(mora for mora in moras if mora.end_s > mora.start_s)
