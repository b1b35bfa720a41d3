"""What changed in a slide since the last whole build, in the words of the user's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from movie_build import difference
from movie_build.last_built import LastSlide
from movie_build.slides.layers import THEME

# As they are called in movie.yaml and script.yaml; what is not here is called as it is.
_TEXTS = {"quote_by": "quote's author", "movie_title": "the movie's title"}
_FILES = {"-picture": "image", "-backdrop": "background", "-logo": "logo"}
_OF_ARTWORK = {"model": "slides.llm.model"}
_WITHOUT_TEXTS = ("full", "draft")
_STYLE = "\n\nStyle: "
_TOLD_APART = {"slide", "files", "theme", "maker", "version", "size", "colors"}


def differences(old: LastSlide, new: LastSlide) -> Iterator[str]:
    """Each thing that makes the slide another one."""
    before, after = old.inputs.get("maker", {}), new.inputs.get("maker", {})
    if before.get("maker") != after.get("maker"):
        yield from difference.values("drawn by", before.get("maker"), after.get("maker"))
        return
    yield from _texts(before.get("slide", {}), after.get("slide", {}))
    yield from _artwork(old, new)
    yield from difference.values("resolution", _size(before), _size(after))
    for name, *colors in zip(
        ("primary_color", "background_color"), _colors(before), _colors(after), strict=True
    ):
        yield from difference.values(name, *colors)
    yield from _own_files(old, new)
    if before.get("theme") != after.get("theme") and _template(old) == _template(new):
        yield from _template_files(old.files, new.files)
    apart = set(_TOLD_APART)
    if not (before.get("language") and after.get("language")):
        apart.add("language")  # a slide has one where something is written on it
    rest = [{k: v for k, v in m.items() if k not in apart} for m in (before, after)]
    yield from difference.values("", *rest)
    versions = [(m.inputs.get("version"), m.inputs["maker"].get("version")) for m in (old, new)]
    if versions[0] != versions[1]:
        yield difference.OF_THIS_VERSION


def _texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Texts that changed; not those that are shown no more because the template shows none."""
    templates = before.get("template"), after.get("template")
    bare = templates[0] != templates[1] and any(t in _WITHOUT_TEXTS for t in templates)
    for key in ("template",) if bare else dict.fromkeys([*before, *after]):
        if key == "background":
            continue  # how it fills the slide: told with its file
        was, now = (_as_text(told.get(key, "")) for told in (before, after))
        if key == "template" and was != now:
            yield f"template {was} → {now}"
        elif was != now:
            yield difference.texts(_TEXTS.get(key, key), was, now)


def _artwork(old: LastSlide, new: LastSlide) -> Iterator[str]:
    """What a picture was asked for with, or which page of what it was."""
    for name in ("slide_prompt", "deck", "page"):
        was, now = (_shown(slide, name) for slide in (old, new))
        if name == "slide_prompt" and was != now:
            yield difference.texts(name, str(was), str(now))
        else:
            yield from difference.values(name, was, now)
    if not (old.artwork and new.artwork):
        return
    before, after = dict(old.artwork), dict(new.artwork)
    prompts = [told.pop("prompt", "") for told in (before, after)]
    styles = [prompt.partition(_STYLE)[2] for prompt in prompts]
    if styles[0] != styles[1]:
        yield difference.texts("slides.style", *styles)
    elif prompts[0] != prompts[1] and old.said["slide_prompt"] == new.said["slide_prompt"]:
        yield "the wording around slide_prompt changed"
    if before.pop("deck", "") != after.pop("deck", "") and old.said["deck"] == new.said["deck"]:
        yield f"{new.said['deck']} changed"
    for told in (before, after):
        told.pop("page", 0), told.pop("url", "")
    for key in dict.fromkeys([*before, *after]):
        name = _OF_ARTWORK.get(key, f"picture's {key}")
        yield from difference.values(name, before.get(key), after.get(key))


def _shown(slide: LastSlide, name: str) -> Any:
    """What the script says, where it has an effect: nothing is drawn from an idle prompt."""
    used = slide.artwork or _template(slide) == "draft"
    return slide.said[name] if used and slide.said[name] else None if name == "page" else ""


def _own_files(old: LastSlide, new: LastSlide) -> Iterator[str]:
    """The user's pictures: another one, or the same with another content."""
    before, after = (slide.inputs["maker"].get("files", {}) for slide in (old, new))
    fits = [slide.inputs["maker"].get("slide", {}).get("background") for slide in (old, new)]
    for file in dict.fromkeys([*before, *after]):
        if before.get(file) == after.get(file):
            continue
        name = _FILES.get(file)
        if name is None:
            yield f"{file} {_how(file, before, after)}"
            continue
        was, now = old.said[name], new.said[name]
        if was != now:
            yield from difference.values(name, was, now)
        elif now:
            yield f"{name} {now} changed"
    if all(fits):
        yield from difference.values("background fit", *fits)


def _template_files(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Files of the theme, or of the project's own templates, that changed."""
    told = [
        f"{_theme_name(file)} {_how(file, before, after)}"
        for file in dict.fromkeys([*before, *after])
        if before.get(file) != after.get(file)
    ]
    yield from told or [difference.OF_THIS_VERSION]


def _theme_name(file: str) -> str:
    return f"theme {file.removeprefix(THEME)}" if file.startswith(THEME) else file


def _how(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return "added" if name not in before else "removed" if name not in after else "changed"


def _template(slide: LastSlide) -> str:
    return str(slide.inputs.get("maker", {}).get("slide", {}).get("template", ""))


def _size(maker: Mapping[str, Any]) -> str:
    return "×".join(map(str, maker.get("size", ())))


def _colors(maker: Mapping[str, Any]) -> tuple[str, str]:
    primary, background = maker.get("colors", ("", ""))
    return primary, background


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return " / ".join(map(_as_text, value))
    return str(value)
