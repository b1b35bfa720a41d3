"""A page's content element → article blocks, in reading order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from movie_build.article import (
    Block,
    Bullets,
    Code,
    Heading,
    Paragraph,
    Picture,
    Quote,
    Table,
)

if TYPE_CHECKING:
    from lxml.html import HtmlElement

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    {"p", "ul", "ol", "dl", "blockquote", "pre", "table", "figure", "hr", "details", "img"}
    | {"picture", "div", "section", "article", "main", "header", "center", "body", "summary"}
    | {"form", "fieldset", "address", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "html"}
    | HEADINGS.keys()
)
_SILENT = frozenset({"rt", "rp", "rtc", "script", "style", "template", "svg", "button", "input"})
_CJK = "[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"
_BREAK_IN_CJK = re.compile(f"(?<={_CJK})[ \t]*\n\\s*(?={_CJK})")
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u2060\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LAZY_SRC = ("data-src", "data-original", "data-lazy-src", "data-hi-res-src", "src")
_SMALLEST_PICTURE_PX = 120
_ORNAMENT = re.compile(
    r"\b(?:avatar|emoji|icon|logo|smiley|spacer|badge|gravatar|pixel|preload|placeholder|loading)s?\b",
    re.I,
)
_LANGUAGE = re.compile(
    r"(?:\blang(?:uage)?-|highlight-(?:source-)?|brush:\s*|sourceCode\s+)([\w+#.]+)"
)
_NO_LANGUAGE = frozenset({"", "default", "none", "plain", "text", "plaintext", "notranslate"})
_BADGE_SITES = re.compile(
    r"//(?:[\w-]+\.)*(?:shields\.io|badgen\.net|badge\.fury\.io|codecov\.io)/|//badges?\."
)
# What GitHub calls an alert is a quotation that begins so.
_ALERT = re.compile(r"^\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")
# Before GitHub had alerts, they were written so: **Note**
_BOLD_ALERT = re.compile(
    r"(?:note|tip|important|warning|caution|info|hint)\s*[:.!]?$", re.IGNORECASE
)
# Figures as MediaWiki and WordPress wrote them before there were any.
_CAPTIONED = re.compile(r"(?:^|\s)(?:thumb|wp-caption)(?:\s|$)")
_CAPTIONS = (
    ".//figcaption | .//*[contains(@class, 'thumbcaption') or contains(@class, 'wp-caption-text')]"
)
_CITE = re.compile(r"^\s*[—–―-]{1,2}\s*")
_SIGNED = re.compile(r"(?<=[.!?…。！？\"”」])\s*[—–―]{1,2}\s*(?P<by>[^.!?…。！？]{3,60})$")


def blocks_of(content: HtmlElement, place: Callable[[str], str]) -> list[Block]:
    """The blocks in `content`; `place` turns a picture's address in the page into the article's."""
    found: list[Block] = []
    _walk(content, found, place)
    return found


def tidy(text: str) -> str:
    """`text` with its white space run together, as a browser shows it."""
    text = _BREAK_IN_CJK.sub("", _INVISIBLE.sub("", text))
    return re.sub(r"\s+", " ", text).strip()


def text_of(element: HtmlElement) -> str:
    """The visible text of `element`, tidied."""
    return tidy("".join(_texts(element)))


def _texts(element: HtmlElement) -> Iterator[str]:
    if not isinstance(element.tag, str) or element.tag in _SILENT or _is_mark(element):
        return
    quotes = ("“", "”") if element.tag == "q" else ("", "")
    yield quotes[0] + (element.text or "")
    for child in element:
        if child.tag == "br":
            yield "\n"
        elif child.tag in _BLOCKS:
            yield " "
        yield from _texts(child)
        yield child.tail or ""
    yield quotes[1]


def _is_mark(element: HtmlElement) -> bool:
    """Whether it is the mark of a footnote, or the anchor that a heading carries."""
    if element.tag == "sup":
        inner = "".join(element.itertext()).strip()
        return bool(element.xpath('.//a[starts-with(@href, "#")]')) or inner.startswith("[")
    if element.tag == "a":
        inner = "".join(element.itertext()).strip()
        return inner in ("¶", "#", "§", "🔗", "[edit]", "[編集]", "↩", "↩︎", "^")
    return False


def _walk(element: HtmlElement, found: list[Block], place: Callable[[str], str]) -> None:
    """Append the blocks of `element`'s content; loose text between blocks becomes paragraphs."""
    run: list[str] = []

    def end_paragraph() -> None:
        text = tidy("".join(run))
        run.clear()
        if any(char.isalnum() for char in text):
            found.append(Paragraph(text))

    run.append(element.text or "")
    breaks = 0
    for child in element:
        tag = child.tag
        breaks = breaks + 1 if tag == "br" else 0
        if not isinstance(tag, str) or tag in _SILENT:
            pass
        elif tag == "br":
            # Two of them are how old pages begin a paragraph.
            if breaks > 1:
                end_paragraph()
            else:
                run.append("\n")
        elif tag in _BLOCKS or child.xpath(".//p | .//div | .//pre | .//ul | .//ol | .//img"):
            end_paragraph()
            _block(child, found, place)
        else:
            run.extend(_texts(child))
        run.append(child.tail or "")
        if (child.tail or "").strip():
            breaks = 0
    end_paragraph()


def _block(element: HtmlElement, found: list[Block], place: Callable[[str], str]) -> None:
    tag = element.tag
    if tag in HEADINGS:
        if text := text_of(element):
            found.append(Heading(HEADINGS[tag], text))
        found.extend(_pictures(element, "", place))
    elif tag in ("ul", "ol", "dl"):
        _list(element, found, place)
    elif tag == "blockquote" and not element.xpath(".//ul | .//ol | .//pre | .//dl"):
        found.extend(_quote(element))
    elif tag == "pre":
        if code := _code(element):
            found.append(code)
    elif tag == "table":
        _table(element, found, place)
    elif tag == "figure" or _CAPTIONED.search(element.get("class") or ""):
        _figure(element, found, place)
    elif tag in ("img", "picture"):
        found.extend(_pictures(element, "", place))
    elif tag in ("summary", "p"):
        _paragraph(element, found, place)
    else:
        _walk(element, found, place)


def _paragraph(element: HtmlElement, found: list[Block], place: Callable[[str], str]) -> None:
    if element.tag == "summary" or _is_bold_line(element):
        if text := text_of(element):
            found.append(Heading(6, text))
    elif not _is_only_a_link(element):
        _walk(element, found, place)


def _is_bold_line(paragraph: HtmlElement) -> bool:
    """Whether it is a heading by looks: a short paragraph, all of it bold."""
    text = text_of(paragraph)
    bold = tidy(" ".join(text_of(one) for one in paragraph.xpath("./strong | ./b")))
    if re.match(r"(?:図|表|写真|Fig(?:ure|\.)|Table|Listing|Photo)\s*\d", text):
        return False
    return bool(text) and text == bold and len(text) <= 80 and text[-1] not in ".!?…。！？:：,、"


def _is_only_a_link(paragraph: HtmlElement) -> bool:
    """Whether it is a way to another page, such as "Read more: …", and no text of its own."""
    text = text_of(paragraph)
    linked = sum(len(text_of(link)) for link in paragraph.xpath(".//a[@href]"))
    return linked > 0.6 * len(text) and linked > len(text) - 14


def _list(element: HtmlElement, found: list[Block], place: Callable[[str], str]) -> None:
    if _is_only_links(element):
        return
    items: list[str] = []
    inner: list[Block] = []
    for item in element.xpath(".//li | .//dt | .//dd"):
        if item.xpath("ancestor::pre | ancestor::table[ancestor::li]"):
            continue
        text = tidy("".join(_own_texts(item)))
        if item.tag == "dd" and items and text:
            items[-1] = f"{items[-1].rstrip(':：')}: {text}"
        elif any(char.isalnum() for char in text):
            items.append(text)
        for thing in item.xpath(
            "./pre | ./figure | ./table | ./div/pre | .//img[not(ancestor::figure)]"
        ):
            _block(thing, inner, place)
    if items:
        found.append(Bullets(tuple(items), ordered=element.tag == "ol"))
    found.extend(inner)


def _is_only_links(element: HtmlElement) -> bool:
    """Whether a list is nothing but ways to other pages."""
    items = [text_of(item) for item in element.xpath(".//li")]
    links = [text_of(link) for link in element.xpath(".//li//a[@href]")]
    return len(links) >= len(items) > 1 and sum(map(len, links)) > 0.9 * sum(map(len, items))


def _own_texts(item: HtmlElement) -> Iterator[str]:
    """An item's text without the lists, code and tables in it."""
    yield item.text or ""
    for child in item:
        if child.tag in ("p", "div"):
            yield " "
            yield from _own_texts(child)
            yield " "
        elif isinstance(child.tag, str) and child.tag not in ("ul", "ol", "dl", "pre", "table"):
            yield from _texts(child)
        yield child.tail or ""


def _quote(element: HtmlElement) -> Iterator[Block]:
    by = ""
    for cite in element.xpath(".//cite | .//footer | following-sibling::*[1][self::figcaption]"):
        if not by:
            by = _CITE.sub("", text_of(cite))
        if cite.tag != "figcaption":
            cite.drop_tree()
    said = text_of(element)
    if not by and (signed := _SIGNED.search(said)):
        said, by = said[: signed.start()], signed["by"]
    text = _ALERT.sub("", said)
    bold = next((text_of(one) for one in element.xpath(".//strong[1] | .//b[1]")), "")
    if bold and text.startswith(bold) and _BOLD_ALERT.match(bold):
        text = text[len(bold) :].lstrip(" :：.—–-")
    if any(char.isalnum() for char in text):
        # Nobody is quoted in an alert.
        yield Quote(text, by) if text == said else Paragraph(text)


def _code(element: HtmlElement) -> Code | None:
    for line_break in element.xpath(".//br"):
        line_break.tail = "\n" + (line_break.tail or "")
    text = "".join(element.itertext()).replace("\r\n", "\n").expandtabs(4)
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    if not any(lines):
        return None
    return Code("\n".join(lines), _code_language(element))


def _code_language(element: HtmlElement) -> str:
    around = [*element.xpath("./code"), element, *element.xpath("ancestor::div")[-2:][::-1]]
    for one in around:
        if named := one.get("data-lang") or one.get("data-language"):
            return str(named).lower()
        for found in _LANGUAGE.finditer(one.get("class") or ""):
            if found[1].lower() not in _NO_LANGUAGE:
                return found[1].lower()
    return ""


def _table(element: HtmlElement, found: list[Block], place: Callable[[str], str]) -> None:
    own = [row for row in element.xpath(".//tr") if row.xpath("ancestor::table")[-1] is element]
    rows = [tuple(text_of(cell) for cell in row.xpath("./td | ./th")) for row in own]
    rows = _without_empty_columns([row for row in rows if any(row)])
    nested = element.xpath(".//table | .//p[2] | .//ul | .//pre | .//h1 | .//h2")
    laid_out = element.get("role") == "presentation" or bool(nested)
    if laid_out or len(rows) < 2 or max(map(len, rows)) < 2:
        for cell in element.xpath(".//td | .//th"):
            if cell.xpath("ancestor::table")[-1] is element:
                _walk(cell, found, place)
        return
    width = max(map(len, rows))
    found.append(Table(tuple(row + ("",) * (width - len(row)) for row in rows)))


def _without_empty_columns(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """`rows` without the columns that hold nothing but a heading: pictures stood there."""
    width = max(map(len, rows), default=0)
    kept = [at for at in range(width) if any("".join(row[at : at + 1]) for row in rows[1:])]
    if len(rows) < 2 or len(kept) == width:
        return rows
    return [tuple(row[at] for at in kept if at < len(row)) for row in rows]


def _figure(element: HtmlElement, found: list[Block], place: Callable[[str], str]) -> None:
    captions = element.xpath(_CAPTIONS)
    caption = text_of(captions[0]) if captions else ""
    pictures = list(_pictures(element, caption, place))
    if pictures:
        found.extend(pictures)
        return
    if not element.xpath(".//blockquote"):
        for one in captions:
            one.drop_tree()
    _walk(element, found, place)


def _pictures(element: HtmlElement, caption: str, place: Callable[[str], str]) -> Iterator[Picture]:
    for img in [element] if element.tag == "img" else element.xpath(".//img"):
        address = _address(img)
        if address and not _is_ornament(img, address) and (placed := place(address)):
            yield Picture(placed, tidy(img.get("alt") or ""), caption)


def _address(img: HtmlElement) -> str:
    for source in [img, *img.xpath("ancestor::picture/source")]:
        for name in ("srcset", "data-srcset"):
            if sized := _widest(source.get(name) or ""):
                return sized
    given = (str(img.get(name) or "").strip() for name in _LAZY_SRC)
    return next((one for one in given if one and not one.startswith(("data:", "blob:"))), "")


def _widest(srcset: str) -> str:
    """The address in `srcset` that is widest, up to what a slide can use."""
    sizes = re.findall(r"(\S+)\s+(\d+(?:\.\d+)?)w\s*(?:,|$)", srcset)
    fitting = [(float(w), url) for url, w in sizes if float(w) <= 2600 and "data:" not in url]
    return max(fitting)[1] if fitting else ""


def _is_ornament(img: HtmlElement, address: str) -> bool:
    sizes = [re.match(r"\d+", img.get(name) or "") for name in ("width", "height")]
    if any(size and int(size[0]) < _SMALLEST_PICTURE_PX for size in sizes):
        return True
    if _BADGE_SITES.search(address):
        return True
    about = f"{img.get('class') or ''} {img.get('id') or ''} {address.rsplit('/', 1)[-1]}"
    return bool(_ORNAMENT.search(re.sub(r"[-_.]", " ", about)))


def absolute(base: str) -> Callable[[str], str]:
    """A `place` for pages of the web, whose addresses count from `base`."""

    def place(address: str) -> str:
        try:
            return urljoin(base, address)
        except ValueError:
            return ""

    return place
