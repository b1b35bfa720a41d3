"""Lines as a service speaks them: each answer checked, and kept as soon as it is there.

A line too long for one call is spoken in parts, and every part is kept by itself: where a later
call fails, or the run is killed, the earlier ones are not paid for again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from movie_build import keys
from movie_build.errors import MovieBuildError, SpeechError, Where
from movie_build.pieces import Bench
from movie_build.take import Take, joined, read_take
from movie_build.voices.registry import Speaker

# Grows when a part's code gives other bytes for the same inputs.
PART = 1


def take_line(speaker: Speaker, text: str, where: Where | None, bench: Bench) -> bytes:
    """A take of `text`, as a file.

    Raises:
        MovieBuildError: the service gives none, or what it gives is not the text, spoken.
    """
    try:
        parts = speaker.parts(text)
        if len(parts) == 1:
            return _checked(partial(speaker.say, parts[0]), text).to_bytes()
        last = len(parts) - 1
        return joined(
            [_part(speaker, part, n == last, bench) for n, part in enumerate(parts)]
        ).to_bytes()
    except MovieBuildError as error:
        speaker.check()  # what is wrong with the voice itself is told once, where it is set
        raise error.placed(where) from None


def _part(speaker: Speaker, part: str, is_last: bool, bench: Bench) -> Take:
    """A part of a line, spoken now or in an earlier run."""
    words = [asdict(word) for word in speaker.words(part)] if speaker.words else []
    inputs = {"text": part, "is_last": is_last, "voice": speaker.identity, "words": words}
    say = partial(speaker.say, part, is_last=is_last)
    content = bench.remembered(
        keys.recipe("part", PART, inputs), lambda: _checked(say, part).to_bytes()
    )
    return read_take(content)


def _checked(speak: Callable[[], Take], text: str) -> Take:
    """What `speak` gives for `text`, twice at most. What cannot be a take is not kept.

    Raises:
        VoiceError: the service gives none.
        SpeechError: what it gives is not the text, spoken.
    """
    from movie_build.speech import checked_span

    take = speak()
    try:
        checked_span(take.pcm, text)
    except SpeechError:
        # A service that gave half a line or silence may do better; twice the same is an answer.
        take = speak()
        checked_span(take.pcm, text)
    return take
