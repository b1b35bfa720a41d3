"""What a service answers to a prompt: the picture in it, what it used, or why there is none."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from movie_build.errors import SlideError

_LEAST_PX = 256
_SAID = 200
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=\s_-]+)")
_REFUSING = ("content_filter", "safety", "prohibited_content", "image_safety")
_REFUSED = 400


class NoPicture(Exception):
    """What came is no whole picture."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer says that it has used; `usd` is None where it does not tell."""

    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None


class Refused(Exception):
    """The service answers without a picture; `status` is what it says, 0 where it does not.

    One that `is_error` is the service's own word that it failed; any other was probably charged.
    """

    def __init__(
        self, said: str, status: int = 0, *, is_error: bool = False, usage: Usage = Usage()
    ) -> None:
        super().__init__(said)
        self.status = status
        self.is_error = is_error
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Answer:
    """A picture's bytes, or its address, and what it has used."""

    picture: bytes | str
    usage: Usage = Usage()


def read(body: bytes) -> Answer:
    """The picture in an answer of the images or the chat protocol.

    Raises:
        Refused: there is none.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(f"the answer cannot be read: {_kind(body)}") from None
    if not isinstance(told, Mapping):
        raise Refused("the answer is not what the protocol says")
    _raise_error(told)
    usage = _usage(told)
    found = next(_pictures(told), None)
    if found is None:
        raise _none(told, usage)
    picture = found if found.startswith(("http://", "https://")) else _from_base64(found, usage)
    return Answer(picture, usage)


def check(content: bytes) -> None:
    """See that `content` is a whole picture that shows something.

    Raises:
        NoPicture: it is not, and why.
    """
    from movie_build import image_file

    if not content:
        raise NoPicture("it is empty")
    if content.lstrip()[:1] in (b"<", b"{"):
        raise NoPicture(f"it is {_kind(content)}")
    try:
        image = image_file.pixels(content, "that came")
    except SlideError as error:
        raise NoPicture(error.what) from None
    if min(image.size) < _LEAST_PX:
        raise NoPicture(f"the picture is only {image.width} × {image.height} pixels")
    if all(low == high for low, high in image.convert("RGB").getextrema()):  # type: ignore[misc]
        raise NoPicture("the picture is one colour all over")


def _pictures(told: Mapping[str, object]) -> Iterator[str]:
    """Addresses of pictures in an answer, or pictures in base64, the likeliest first."""
    for item in _list(told.get("data")):
        for name in ("b64_json", "url"):
            if isinstance(value := item.get(name), str) and value:
                yield value
    for choice in _list(told.get("choices")):
        message = choice.get("message")
        if not isinstance(message, Mapping):
            continue
        content = message.get("content")
        for part in [*_list(message.get("images")), *_list(content)]:
            url = part.get("image_url")
            if isinstance(url, Mapping):
                url = url.get("url")
            if isinstance(url, str) and url:
                yield url
        # Some gateways put the picture into the text.
        if isinstance(content, str) and (found := _DATA_URL.search(content)):
            yield found[0]


def _from_base64(text: str, usage: Usage) -> bytes:
    found = _DATA_URL.fullmatch(text.strip())
    digits = re.sub(r"\s+", "", found[1] if found else text)
    digits = digits.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("the answer's picture is cut off, or no base64", usage=usage) from None


def _raise_error(told: Mapping[str, object]) -> None:
    """Some gateways tell of failures with status 200."""
    error = told.get("error")
    if not error:
        return
    said = error.get("message") if isinstance(error, Mapping) else error
    code = error.get("code") if isinstance(error, Mapping) else 0
    status = code if isinstance(code, int) and 400 <= code < 600 else 0
    words = " ".join(str(said or "an error without words").split())[:_SAID]
    raise Refused(words, status, is_error=True)


def _none(told: Mapping[str, object], usage: Usage) -> Refused:
    """Why an answer holds no picture, in the model's own words if it has some."""
    for choice in _list(told.get("choices")):
        message = choice.get("message")
        said = message if isinstance(message, Mapping) else {}
        words = said.get("refusal") or said.get("content")
        text = " ".join(words.split())[:_SAID] if isinstance(words, str) else ""
        ended = str(choice.get("native_finish_reason") or choice.get("finish_reason") or "").lower()
        if said.get("refusal") or ended in _REFUSING:
            return Refused(text or ended, _REFUSED, usage=usage)
        if text:
            return Refused(
                f"words came and no picture (does this model draw?): {text}", usage=usage
            )
    return Refused("the answer holds no picture", usage=usage)


def _usage(told: Mapping[str, object]) -> Usage:
    raw = told.get("usage")
    usage = raw if isinstance(raw, Mapping) else {}
    return Usage(
        tokens_in=_count(usage.get("prompt_tokens") or usage.get("input_tokens")),
        tokens_out=_count(usage.get("completion_tokens") or usage.get("output_tokens")),
        usd=_usd(usage.get("cost")),
    )


def _list(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _kind(content: bytes) -> str:
    if content.lstrip()[:1] == b"<":
        return "a web page"
    return "text" if content.strip() else "nothing came"


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10**9 else 0


def _usd(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None
