"""What a voice is: it speaks one line. It knows its service, and nothing of files or builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from movie_build.pcm import Pcm
from movie_build.take import Take

JsonValue: TypeAlias = str | int | float | bool | list["JsonValue"] | dict[str, "JsonValue"] | None


class Voice(Protocol):
    """Speaks one line."""

    def identity(self) -> Mapping[str, JsonValue]:
        """Everything besides the text that changes the sound, engine and model version included.

        Called for every build, also one with nothing to do: it must be quick,
        must not import the engine, and must give the same in every process.
        """
        ...

    def speak(self, text: str) -> Pcm:
        """`text`, spoken. May be called from several threads at once.

        Raises:
            VoiceError: the service refused the text, or cannot be reached.
        """
        ...


@runtime_checkable
class InParts(Protocol):
    """A voice whose service takes a long text in several calls: what each gives can be kept."""

    def parts(self, text: str) -> Sequence[str]:
        """`text` as it is asked for, one part a call.

        Raises:
            VoiceError: there is nothing in it to speak.
        """
        ...

    def say(self, part: str, *, is_last: bool) -> Take:
        """One of the `parts`, spoken; after another than the last, the voice pauses.

        Raises:
            VoiceError: the service refuses it, or cannot be reached.
        """
        ...


@runtime_checkable
class Checkable(Protocol):
    """A voice that knows, without speaking and without asking anyone, whether it can speak."""

    def check(self) -> None:
        """See that it can.

        Raises:
            VoiceError: what it is told to speak with is not there.
        """
        ...
