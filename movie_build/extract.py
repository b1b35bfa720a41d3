"""A document's text → its article."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from movie_build.article import Article, Block, Bullets, Code, Heading, Paragraph, Picture
from movie_build.blocks import absolute, blocks_of, text_of, tidy
from movie_build.boilerplate import article_element, is_byline, main_text, within
from movie_build.ruby import readings_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_KANA = re.compile("[\u3041-\u309f\u30a0-\u30ff]")
_HAN = re.compile("[\u3400-\u9fff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_COMMON = {
    "en": "the of and to is that it for with are this was as be by",
    "de": "der die und das ist nicht mit von den ein eine zu auf auch für",
    "fr": "le la les et des est que dans une pour qui pas sur avec du",
    "es": "el la los que de y en una por con para las es del se",
    "it": "il di che la per un una non sono con del della è le dei",
    "pt": "o que de e do da em um uma para com não os por mais",
    "nl": "de het een van en dat is niet op te voor met zijn ook aan",
}
# "Figure 4-3: …" under a figure, "[1] …" at the page's foot.
_CAPTION = re.compile(r"(?:Figure|Fig\.|Table|Listing|図|表|写真)\s*\d[\d.-]*\s?[:：.]\s*\S")
_NOTE = re.compile(r"\[\d{1,3}\]\s")
_BETWEEN = " |｜–—-·•»:"
_SITE = re.compile(r"\s+[|–—·•»:]+\s+|\s+-\s+|\s*[｜|]\s*| :: ")


Place: TypeAlias = Callable[[str], str]


def from_html(html: str, origin: str, language: str = "", *, place: Place | None = None) -> Article:
    """The article in the page `html`; `language` is what the server said, if it did.

    `place` turns a picture's address in the page into the article's.
    """
    from lxml import etree
    from lxml import html as lxml_html

    text = re.sub(r"^\s*<\?xml[^>]*\?>|\x00", "", html)
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        page = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return Article("", origin, (), language=language)
    stated = _stated_language(page) or language
    title, description = _title(page, origin), _description(page)
    base = absolute(origin)(next(iter(page.xpath("//base/@href")), "")) or origin
    wanted = main_text(text)
    element = article_element(page, wanted)
    blocks = within(blocks_of(element, place or _usual_place(base, origin)), wanted)
    readings = readings_in(element)
    return assembled(title, origin, blocks, description, stated, readings)


def from_markdown(
    text: str, origin: str, language: str = "", *, place: Place | None = None
) -> Article:
    """The article in `text`, CommonMark with tables; a YAML front matter may name its title.

    `place` is as in `from_html`.
    """
    from lxml import html as lxml_html
    from markdown_it import MarkdownIt

    front, body = _front_matter(text)
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(body)
    page = lxml_html.document_fromstring(f"<html><body>{rendered}</body></html>")
    content = page.xpath("//body")[0]
    blocks = blocks_of(content, place or _usual_place(origin, origin))
    said = front.get("lang") or front.get("language") or language
    description = front.get("description") or front.get("summary") or ""
    title, readings = front.get("title", ""), readings_in(content)
    return assembled(title, origin, blocks, description, said, readings)


def from_plain(text: str, origin: str, language: str = "") -> Article:
    """The article in plain `text`: paragraphs stand apart by a blank line.

    A line on its own that ends without a mark, or is underlined, is a heading.
    """
    pieces = re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    blocks: list[Block] = []
    for number, piece in enumerate(pieces):
        blocks.extend(_plain_blocks(piece, first=number == 0, last=number == len(pieces) - 1))
    return assembled("", origin, blocks, "", language)


def _usual_place(base: str, origin: str) -> Place:
    """Pictures of a page on the web count from `base`; those of a file stay as they are."""
    return absolute(base) if origin.startswith(("http://", "https://")) else unquote


def assembled(
    title: str,
    origin: str,
    blocks: list[Block],
    description: str,
    stated: str,
    readings: tuple[tuple[str, str], ...] = (),
) -> Article:
    """The article of these parts; `stated` is the language that the document claims.

    The title is taken from the first heading if there is none, and is not said twice.
    """
    first = next((at for at, block in enumerate(blocks) if isinstance(block, Heading)), None)
    if first is not None:
        heading = blocks[first]
        assert isinstance(heading, Heading)
        before = sum(isinstance(block, Paragraph) for block in blocks[:first])
        if not title and (heading.level == 1 or not before):
            title = heading.text
        if _same(heading.text, title):
            del blocks[first]
    blocks = [
        block
        for block in _captioned(blocks)
        if not (
            isinstance(block, Paragraph)
            and (_same(block.text, title) or is_byline(block.text) or _NOTE.match(block.text))
        )
    ]
    running = " ".join(block.text for block in blocks if isinstance(block, Paragraph | Heading))
    running += " ".join(" ".join(block.items) for block in blocks if isinstance(block, Bullets))
    language = _language(running, stated)
    title = title or _name_of(origin)
    levelled = tuple(_levelled(blocks))
    return Article(title, origin, levelled, tidy(description), language, readings)


def _captioned(blocks: list[Block]) -> Iterator[Block]:
    """The blocks, with a caption that is a paragraph given to its picture, else left out."""
    held: Block | None = None
    for block in blocks:
        if isinstance(block, Paragraph) and _CAPTION.match(block.text) and len(block.text) <= 200:
            if isinstance(held, Picture) and not held.caption:
                held = replace(held, caption=block.text)
            continue
        if held:
            yield held
        held = block
    if held:
        yield held


def _levelled(blocks: list[Block]) -> Iterator[Block]:
    """The blocks, with the top headings at level 2, below the title."""
    levels = sorted({block.level for block in blocks if isinstance(block, Heading)})
    rank = {level: min(6, at + 2) for at, level in enumerate(levels)}
    for block in blocks:
        yield replace(block, level=rank[block.level]) if isinstance(block, Heading) else block


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _holds(text: str, piece: str) -> bool:
    return bool(_bare(piece)) and _bare(piece) in _bare(text)


def _meta(page: HtmlElement, *names: str) -> str:
    for name in names:
        for key in ("property", "name"):
            for content in page.xpath(f"//meta[@{key}=$name]/@content", name=name):
                if text := tidy(str(content)):
                    return text
    return ""


def _title(page: HtmlElement, origin: str) -> str:
    """The article's title without the site's name."""
    shared = _meta(page, "og:title", "twitter:title")
    in_head = text_of(heads[0]) if (heads := page.xpath("//head/title | //title")) else ""
    outside = "ancestor::nav or ancestor::footer or ancestor::aside or @hidden"
    headings = [text for h1 in page.xpath(f"//h1[not({outside})]") if (text := text_of(h1))]
    inner = [text_of(h1) for h1 in page.xpath(f"(//main | //article)//h1[not({outside})]")]
    known = f"{shared} {in_head}"
    if inner and inner[0] and _bare(known).startswith(_bare(inner[0])):
        return inner[0]  # "Chapter - The Book": the longer one need not be the page's own
    wanted = _without_site(shared or in_head, _meta(page, "og:site_name"), origin)
    pieces = _SITE.split(in_head)
    for text in headings:
        if (
            text not in inner
            and page.xpath("//main | //article")
            and len(pieces) > 1
            and _same(text, pieces[-1])
        ):
            return in_head[: in_head.rindex(pieces[-1])].rstrip(_BETWEEN)  # the book's name
        # A heading that is only a piece of the title is the site's name.
        if _holds(known, text) and 2 * len(text) > len(wanted):
            return text
    if len(headings) == 1 and not shared and not _holds(known, headings[0]):
        return headings[0]
    return wanted


def _without_site(title: str, site: str, origin: str) -> str:
    if site and title.casefold().endswith(site.casefold()) and len(title) > len(site) + 3:
        return title[: -len(site)].rstrip(_BETWEEN)
    pieces = _SITE.split(title)
    if len(pieces) < 2:
        return title
    last = title.rindex(pieces[-1])
    main = title[:last].rstrip(_BETWEEN)
    host = (urlsplit(origin).hostname or "").removeprefix("www.").split(".")[0]
    names_host = bool(host) and host in re.sub(r"\W+", "", pieces[-1]).casefold()
    return main if names_host or len(main) > len(pieces[-1]) else title


def _description(page: HtmlElement) -> str:
    return _meta(page, "description", "og:description", "twitter:description")


def _stated_language(page: HtmlElement) -> str:
    for expression in (
        "/html/@lang",
        "//body/@lang",
        "//article/@lang",
        "//meta[translate(@http-equiv, 'CL', 'cl')='content-language']/@content",
        "//meta[@property='og:locale']/@content",
    ):
        for found in page.xpath(expression):
            if tag := str(found).strip().replace("_", "-").partition(",")[0]:
                return tag
    return ""


def _language(text: str, stated: str) -> str:
    """A BCP 47 tag: what the page states, unless its letters say otherwise."""
    letters = sum(char.isalpha() for char in text) or 1
    kana, han = len(_KANA.findall(text)), len(_HAN.findall(text))
    # Blog software states its own language, not the writer's.
    if kana / letters > 0.15:
        return "ja"
    if len(_HANGUL.findall(text)) / letters > 0.2:
        return "ko"
    if (kana + han) / letters > 0.3:
        return stated if stated[:2] == "zh" else "zh"
    if stated:
        return stated
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = {
        tongue: sum(word in set(common.split()) for word in words) / (len(words) or 1)
        for tongue, common in _COMMON.items()
    }
    likeliest = max(counts, key=lambda tongue: counts[tongue])
    return likeliest if counts[likeliest] > 0.1 else ""


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The plain values of a YAML front matter, and the text after it."""
    found = re.match(r"\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.DOTALL)
    if not found:
        return {}, text
    import yaml

    try:
        values = yaml.safe_load(found[1])
    except yaml.YAMLError:
        return {}, text
    if not isinstance(values, dict):
        return {}, text
    plain = {str(k): str(v) for k, v in values.items() if isinstance(v, str | int | float)}
    return plain, text[found.end() :]


_ITEM = re.compile(r"^\s*(?:[-*•+・]|(\d{1,2})[.)])\s+")
_UNDERLINED = re.compile(r"^(\S.*)\n([=\-~*])\2{2,}[ \t]*$", re.MULTILINE)


def _plain_blocks(piece: str, *, first: bool, last: bool) -> Iterator[Block]:
    if found := _UNDERLINED.match(piece):
        yield Heading(1 if first or found[2] == "=" else 2, tidy(found[1]))
        if rest := piece[found.end() :].strip("\n"):
            yield from _plain_blocks(rest, first=False, last=last)
        return
    lines = piece.split("\n")
    if all(re.match(r"\t| {4}", line) for line in lines):
        yield Code("\n".join(line.removeprefix("\t").removeprefix("    ") for line in lines))
    elif _ITEM.match(lines[0]) and len(lines) > 1:
        items: list[str] = []
        for line in lines:
            if _ITEM.match(line) or not items:
                items.append(_ITEM.sub("", line))
            else:
                items[-1] += f"\n{line}"
        yield Bullets(tuple(map(tidy, items)), ordered=bool(_ITEM.match(lines[0])[1]))  # type: ignore[index]
    elif len(lines) == 1 and not last and _is_heading(lines[0]):
        yield Heading(1 if first else 2, tidy(lines[0]))
    elif text := tidy(piece):
        yield Paragraph(text)


def _is_heading(line: str) -> bool:
    text = line.strip()
    return 0 < len(text) <= 70 and text[-1] not in '.!?…。！？,;:、，：」"”'


def _name_of(origin: str) -> str:
    """A title from an address, where the document has none."""
    name = unquote(urlsplit(origin).path if "://" in origin else origin)
    stem = name.rstrip("/").rsplit("/", 1)[-1].partition(".")[0]
    return re.sub(r"[-_]+", " ", stem).strip().capitalize() or origin
