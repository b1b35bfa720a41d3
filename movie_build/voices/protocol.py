"""What a voice is: it speaks one line. It knows its service, and nothing of files or builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from movie_build.pcm import Pcm

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
