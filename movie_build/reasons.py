"""What changed in a movie since its last whole build, line by line and slide by slide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from movie_build import difference, slide_reasons
from movie_build.last_built import LastLine, LastMovie, LastSlide

_NEVER = "never built here"
# Whether there was, and is, a take that the user approved.
_KEPT = {
    (False, True): "a take of it is kept now",
    (True, False): "the take kept of it is not heard any more",
    (True, True): "the kept take is another one",
}


class Reasons:
    """The differences between the movie as it was built and as it would be built now."""

    def __init__(self, last: LastMovie | None, now: LastMovie) -> None:
        self.last = last
        self.now = now
        self.lines: list[LastLine | None] = [None] * len(now.lines)
        self.slides: list[LastSlide | None] = [None] * len(now.slides)
        if last:
            self.lines = difference.paired(last.lines, now.lines, _id_of, _text_of)
            self.slides = difference.paired(last.slides, now.slides, _id_of, _title_of)

    def of_line(self, at: int) -> str:
        """Why line `at`, from 0, is to be spoken."""
        old, new = self.lines[at], self.now.lines[at]
        if old is None:
            return _NEVER if self.last is None else "new line"
        return _joined(self._line(old, new))

    def of_slide(self, at: int, *, picture: bool) -> str:
        """Why the slide of section `at`, from 0, is to be drawn, or its picture encoded."""
        old, new = self.slides[at], self.now.slides[at]
        if old is None:
            return _NEVER if self.last is None else "new slide"
        if not picture:
            return _joined(slide_reasons.differences(old, new))
        changed = ["its slide changed"] if old.slide != new.slide else []
        return _joined(changed + _format(old.format, new.format))

    def of_movie(self) -> str:
        """Why the movie is to be joined again."""
        if self.last is None:
            return _NEVER
        told: list[str] = []
        if self.last.path != self.now.path:
            told.append(f"never built under this name; it was {self.last.path}")
        told += _counted("line", self.lines, self.last.lines, self.now.lines, _sound_of)
        told += _counted("slide", self.slides, self.last.slides, self.now.slides, _slide_of)
        told += self._shown_texts()
        old, new = dict(self.last.inputs), dict(self.now.inputs)
        told += _format(old.pop("format", {}), new.pop("format", {}))
        told += _pauses(old.pop("pauses", {}), new.pop("pauses", {}))
        told += _version(old, new) + difference.values("", old, new)
        told += self._line_pauses()
        return _joined(told)

    def _line(self, old: LastLine, new: LastLine) -> Iterator[str]:
        if difference_of(old.text, new.text) and not (old.said["reading"] and new.said["reading"]):
            yield difference.texts("text", old.text, new.text)
        if old.said["reading"] != new.said["reading"]:
            yield difference.texts("reading", old.said["reading"], new.said["reading"])
        yield from _recording(old, new)
        kept = old.inputs.get("kept"), new.inputs.get("kept")
        if kept[0] != kept[1]:
            yield _KEPT[bool(kept[0]), bool(kept[1])]
        speaker = difference.values("speaker", old.said["speaker"], new.said["speaker"])
        yield from speaker
        if (
            not any(kept)
            and not speaker
            and not new.said["recording"]
            and not old.said["recording"]
        ):
            yield from _voice(old, new)
        assert self.last
        yield from _dictionary(new.text, self.last.words, self.now.words)
        yield from _version(old.inputs, new.inputs)

    def _shown_texts(self) -> Iterator[str]:
        """Lines that sound, and slides that look, as before, and are called otherwise."""
        lines = [(o, n) for o, n in zip(self.lines, self.now.lines, strict=True) if o]
        n_captions = sum(o.text != n.text and o.sound == n.sound for o, n in lines)
        if n_captions:
            yield f"captions of {n_captions} line{'s' * (n_captions > 1)} changed"
        for number, (was, now) in enumerate(zip(self.lines, self.now.lines, strict=True), 1):
            if was and was.sound == now.sound:
                speakers = was.said["speaker"], now.said["speaker"]
                yield from difference.values(f"speaker of line {number}", *speakers)
        for number, (old, new) in enumerate(zip(self.slides, self.now.slides, strict=True), 1):
            if old and old.slide == new.slide and old.title != new.title:
                yield difference.texts(f"title of chapter {number}", old.title, new.title)

    def _line_pauses(self) -> Iterator[str]:
        for number, (old, new) in enumerate(zip(self.lines, self.now.lines, strict=True), 1):
            if old and old.said["pause"] != new.said["pause"]:
                yield from difference.values(
                    f"pause after line {number}", old.said["pause"], new.said["pause"]
                )


def difference_of(old: str, new: str) -> bool:
    """Whether two texts differ in more than white space."""
    return " ".join(old.split()) != " ".join(new.split())


def _id_of(part: LastLine | LastSlide) -> str:
    return part.id


def _text_of(line: LastLine) -> str:
    return line.text or str(line.said["recording"])


def _title_of(slide: LastSlide) -> str:
    return slide.title


def _sound_of(line: LastLine) -> str:
    return line.sound


def _slide_of(slide: LastSlide) -> str:
    return slide.slide


def _recording(old: LastLine, new: LastLine) -> Iterator[str]:
    before, after = old.said["recording"], new.said["recording"]
    if before != after:
        yield from difference.values("recording", before, after)
    elif after:
        yield f"recording {after} changed"


def _voice(old: LastLine, new: LastLine) -> list[str]:
    """What was set otherwise; else what is otherwise in the engine, such as its version."""
    before, after = old.inputs.get("voice", {}), new.inputs.get("voice", {})
    if before == after:
        return []
    told = []
    asked = old.said.get("voice", {}), new.said.get("voice", {})
    for name in dict.fromkeys([*asked[0], *asked[1]]):
        was, now = (setting.get(name) for setting in asked)
        usual = [1.0, 1.0] if name.endswith("_scale") else [before.get(name), after.get(name)]
        if None in (was, now) and usual[0] == usual[1] not in (None, 1.0):
            continue  # the usual one was named, and is the same
        was, now = usual[0] if was is None else was, usual[1] if now is None else now
        told += difference.values(_voice_name(name), was, now)
    return told or difference.values("voice", before, after)


def _voice_name(name: str) -> str:
    shown = name.removesuffix("_scale").removesuffix("_s").replace("_", " ")
    return "voice" if shown == "voice" else f"voice {shown}"


def _dictionary(text: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for word in dict.fromkeys([*old, *new]):
        if word in text and old.get(word) != new.get(word):
            how = "added" if word not in old else "removed" if word not in new else "changed"
            yield f'dictionary entry "{word}" {how}'


def _format(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    def size(told: Mapping[str, Any]) -> str:
        return f"{told['width_px']}×{told['height_px']}" if "width_px" in told else ""

    rest = [
        {k: v for k, v in told.items() if k not in ("width_px", "height_px")} for told in (old, new)
    ]
    return difference.values("resolution", size(old), size(new)) + difference.values("", *rest)


def _pauses(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    told = []
    for name in dict.fromkeys([*old, *new]):
        key = f"{name.removesuffix('_s')}_pause"
        told += difference.values(key, *(float(Fraction(x.get(name, 0))) for x in (old, new)))
    return told


def _version(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    if old.get("version") == new.get("version"):
        return []
    return [difference.OF_THIS_VERSION]


def _counted(
    name: str, was: list[Any], old: tuple[Any, ...], new: tuple[Any, ...], key: Any
) -> Iterator[str]:
    """How many parts changed, came, went or were moved."""
    changed = sum(1 for o, n in zip(was, new, strict=True) if o and key(o) != key(n))
    come = sum(1 for o in was if o is None)
    gone = len(old) - (len(new) - come)
    counts = {"changed": changed, "new": come, "gone": gone}
    for how, n in counts.items():
        if n:
            yield f"{n} {name}{'s' * (n > 1)} {how}"
    kept_old, kept_new = Counter(map(key, old)), Counter(map(key, new))
    if not any(counts.values()) and kept_old == kept_new and [*map(key, old)] != [*map(key, new)]:
        yield f"{name}s in another order"


def _joined(told: Any) -> str:
    """The reasons as one; where none is seen, what is left."""
    return ", ".join(told) or "what it is made from changed"
