"""SVG pictures: their size, and their bytes as a still that needs nothing but itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from movie_build.errors import SlideError
from movie_build.html_text import HtmlText

if TYPE_CHECKING:
    from lxml.etree import _Element

_MOST_BYTES = 20_000_000
_MOST_DRAWN = 500_000
_DEEPEST = 200
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_STARTS = re.compile(rb"\s*(?:<\?xml|<!--|<!doctype\s+svg|<svg[\s>]|<[\w-]+:svg[\s>])", re.I)
_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?", re.I)
_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*", re.I)
# CSS Values 4, 6.2; a font's em is taken as a browser's usual one.
_PX_IN = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}
_PX_IN |= {"q": 96 / 101.6, "em": 16, "rem": 16, "ex": 8}
# Drawings grow without loss: they are taken as large as the largest slide shows them.
_LARGEST_PX = (3840, 2160)
_MOVING = ("animate", "animateTransform", "animateMotion", "animateColor", "set", "script")
_STILL = "*, ::before, ::after { animation: none !important; transition: none !important; }"


def is_svg(beginning: bytes) -> bool:
    """Whether a file that begins so is an SVG."""
    text = beginning.removeprefix(b"\xef\xbb\xbf")
    return bool(_STARTS.match(text)) and b"svg" in text.lower()


def read(content: bytes, name: str) -> tuple[int, int, bytes]:
    """The width and height to show a drawing at, and its bytes without motion.

    Raises:
        SlideError: it is no SVG, too large, or needs other files or the network.
    """
    from lxml import etree

    if len(content) > _MOST_BYTES:
        most = f"{_MOST_BYTES // 1_000_000} MB"
        raise SlideError(
            f"the picture {name} is too large (at most {most} of SVG): make it smaller"
        )
    parser = etree.XMLParser(resolve_entities="internal", no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SlideError(f"the picture {name} is damaged: {error}; save it anew") from error
    if root.tag != f"{_SVG}svg":
        raise SlideError(f'{name} is XML, but no SVG: it does not begin with <svg xmlns="…/svg">')
    # A browser that shows an SVG as a picture would leave these out without a word.
    for reference in HtmlText(content.decode("utf-8", "replace")).references:
        if not reference.startswith(("#", "data:")):
            raise SlideError(
                f"the picture {name} needs {reference!r}, which is not in it: embed it, "
                "or save the picture as PNG"
            )
    _check_copies(root, name)
    width, height = _size(root, name)
    for moving in list(root.iter(*(f"{_SVG}{name}" for name in _MOVING))):
        parent = moving.getparent()
        if parent is not None:
            moving.clear(keep_tail=True)
            moving.tag = f"{_SVG}desc"
    still = etree.SubElement(root, f"{_SVG}style")
    still.text = _STILL
    root.set("width", str(width))
    root.set("height", str(height))
    return width, height, etree.tostring(root, encoding="utf-8")


def _check_copies(root: _Element, name: str) -> None:
    """See that <use> within <use> does not make millions of elements of a few.

    Raises:
        SlideError: it does.
    """
    if next(root.iter(f"{_SVG}use"), None) is None:
        return
    by_id = {str(found): one for one in root.iter() if (found := one.get("id")) is not None}
    known: dict[_Element, int] = {}

    def drawn(element: _Element, depth: int) -> int:
        """How many elements are drawn for `element`."""
        if element not in known:
            if depth > _DEEPEST:
                return _MOST_DRAWN
            known[element] = 0  # a circle is not drawn
            total = 1 + sum(drawn(child, depth + 1) for child in element)
            if element.tag == f"{_SVG}use":
                reference = str(element.get("href") or element.get(_XLINK) or "")
                copied = by_id.get(reference.removeprefix("#"))
                total += drawn(copied, depth + 1) if copied is not None else 0
            known[element] = total
        return known[element]

    if drawn(root, 0) > _MOST_DRAWN:
        raise SlideError(f"the picture {name} draws over {_MOST_DRAWN:,} elements: save it as PNG")


def _size(root: _Element, name: str) -> tuple[int, int]:
    """Its size, as large as a slide may want it; a viewBox is added where there is none."""
    box = [
        float(x)
        for x in re.findall(r"[-+]?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?", _get(root, "viewBox"))
    ]
    width, height = _px(_get(root, "width")), _px(_get(root, "height"))
    if len(box) != 4 or min(box[2:]) <= 0:
        # CSS 2.2, 10.3.2: what has no size is 300 by 150.
        width, height = width or 300, height or 150
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    else:
        aspect = box[2] / box[3]
        width = width or (height * aspect if height else box[2])
        height = height or width / aspect
    if not 1 / 100 <= width / height <= 100:
        raise SlideError(f"the picture {name} is {width:g} × {height:g}: too narrow to be shown")
    scale = min(_LARGEST_PX[0] / width, _LARGEST_PX[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _get(root: _Element, name: str) -> str:
    return str(root.get(name) or "")


def _px(length: str) -> float:
    """A length in CSS pixels; 0 where there is none, or a share of something unknown."""
    found = _LENGTH.fullmatch(length)
    return float(found[1]) * _PX_IN.get(found[2].lower(), 0) if found else 0.0
