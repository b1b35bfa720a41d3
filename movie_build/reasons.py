"""What changed in a movie since its last whole build, line by line and slide by slide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from movie_build import difference
from movie_build.last_built import LastLine, LastMovie, LastSlide

_NEVER = "never built"
# As they are called in movie.yaml and script.yaml.
_SLIDE_NAMES = {"quote_by": "quote's author", "movie_title": "the movie's title"}
_LOOK_NAMES = {"size": "resolution", "colors": "colors", "font_family": "font_family"}
_PICTURES = {"-picture": "its picture", "-backdrop": "its background"}


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
            return _joined(_slide(old, new))
        changed = ["its slide changed"] if old.slide != new.slide else []
        return _joined(changed + _format(old.format, new.format))

    def of_movie(self) -> str:
        """Why the movie is to be joined again."""
        if self.last is None:
            return _NEVER
        told: list[str] = []
        told += _counted("line", self.lines, self.last.lines, self.now.lines, _sound_of)
        told += _counted("slide", self.slides, self.last.slides, self.now.slides, _picture_of)
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
        speaker = difference.values("speaker", old.said["speaker"], new.said["speaker"])
        yield from speaker
        if not speaker and not new.said["recording"] and not old.said["recording"]:
            yield from _voice(old, new)
        assert self.last
        yield from _dictionary(new.text, self.last.words, self.now.words)
        yield from _version(old.inputs, new.inputs)

    def _shown_texts(self) -> Iterator[str]:
        """Lines whose words are shown otherwise and spoken as before."""
        pairs = zip(self.lines, self.now.lines, strict=True)
        n = sum(1 for o, x in pairs if o and o.text != x.text and o.sound == x.sound)
        if n:
            yield f"captions of {n} line{'s' * (n > 1)} changed"

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


def _picture_of(slide: LastSlide) -> str:
    return slide.picture


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
        usual = 1.0 if name.endswith("_scale") else "as usual"
        values = [setting.get(name, usual) for setting in asked]
        shown = f"voice {name.removesuffix('_scale').removesuffix('_s').replace('_', ' ')}"
        told += difference.values(shown, *values)
    if told or before.get("engine") != after.get("engine"):
        return told or difference.values("voice", before.get("engine"), after.get("engine"))
    return difference.values("voice", before, after)


def _dictionary(text: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for word in dict.fromkeys([*old, *new]):
        if word in text and old.get(word) != new.get(word):
            how = "added" if word not in old else "removed" if word not in new else "changed"
            yield f'dictionary entry "{word}" {how}'


def _slide(old: LastSlide, new: LastSlide) -> Iterator[str]:
    before, after = old.inputs.get("maker", {}), new.inputs.get("maker", {})
    if before.get("maker") != after.get("maker"):
        yield from difference.values("drawn by", before.get("maker"), after.get("maker"))
        return
    known = {"slide", "files", "theme", "maker", *_LOOK_NAMES}
    texts = before.get("slide", {}), after.get("slide", {})
    for key in dict.fromkeys([*texts[0], *texts[1]]):
        was, now = (_as_text(told.get(key, "")) for told in texts)
        if was != now:
            yield difference.texts(_SLIDE_NAMES.get(key, key), was, now)
    for key, name in _LOOK_NAMES.items():
        yield from difference.values(name, before.get(key), after.get(key))
    yield from _files("", before.get("files", {}), after.get("files", {}))
    if before.get("theme") != after.get("theme") and texts[0].get("template") == texts[1].get(
        "template"
    ):
        told = list(_files("theme ", old.files, new.files))
        yield from told or ["this version of the program draws it otherwise"]
    rest = [{k: v for k, v in m.items() if k not in known} for m in (before, after)]
    yield from difference.values("", rest[0], rest[1])
    yield from _version(old.inputs, new.inputs)


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return " / ".join(map(_as_text, value))
    return str(value)


def _files(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for file in dict.fromkeys([*old, *new]):
        if old.get(file) != new.get(file):
            how = "added" if file not in old else "removed" if file not in new else "changed"
            yield f"{prefix}{_PICTURES.get(file, file)} {how}"


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
    return ["this version of the program makes it otherwise"]


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
