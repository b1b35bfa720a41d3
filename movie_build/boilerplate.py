"""Where in a page its article is, and what in it is not the article.

trafilatura tells which *text* is the article's, and does so well on pages of
every make; but its output loses lists in lists, captions and the language of
code. So it only points: the smallest element that holds what it found is
taken from the page itself, and what is plainly no content is cut from that.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from movie_build.article import Block, Bullets, Code, Heading, Paragraph, Picture, Quote, Table

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NEVER = (
    "//script | //style | //template | //noscript | //iframe | //object | //embed | //canvas"
    " | //svg | //video | //audio | //dialog | //nav | //input | //button | //select | //textarea"
    " | //*[@hidden] | //*[@aria-hidden='true'][not(.//p)] | //aside"
    " | //*[contains(@style, 'display:none') or contains(@style, 'display: none')]"
    " | //*[@role='navigation' or @role='banner' or @role='contentinfo' or @role='search'"
    " or @role='complementary' or @role='dialog' or @role='alert' or @role='menu']"
    " | //footer[not(ancestor::blockquote)]"
)
_NAMED = re.compile(
    r"(?:^|\s)(?:share|sharing|social|socials|sns|cookie|cookies|consent|gdpr|newsletter|subscribe"
    r"|subscription|signup|promo|advert|advertisement|ads|ad|banner|sponsor|sponsored|related"
    r"|recommend|recommended|recommendations|comments|comment|respond|disqus|breadcrumb"
    r"|breadcrumbs|pagination|pager|toc|sidebar|sidenav|navbox|navbar|navigation|nav|menu|footer"
    r"|masthead|editsection|noprint|byline|metadata|postmeta|bio|skip|popup|modal|paywall"
    r"|reflist|references|hatnote|infobox|catlinks|tags|taglist|rating|printfooter|headerlink|jumplink"
    r"|pubdate)(?:\s|$)",
    re.IGNORECASE,
)
_NAME = r"[A-ZÀ-Þ][\w.'’-]*"
# A line about the page, which is no sentence: "By Jane Doe", "Posted on 5 January in python".
_BYLINE = re.compile(
    rf"^(?:(?-i:(?:By|Von|Par|Por|Door) {_NAME}(?:[ ,&·|]+(?:and|und|et|y|en|\d[\d.]*|{_NAME}))*$)"
    rf"|(?-i:(?:By|Von|Par|Por|Door) {_NAME}(?: {_NAME}){{0,3}}\s?[,·|–—-]\s?(?:{_NAME} )?\d)"
    r"|\d{4}-\d\d-\d\d\b|\d{1,2}(?:st|nd|rd|th|\.)? [a-zä]{3,9}\.? \d{4}\b"
    r"|[a-z]{3,9}\.? \d{1,2}, \d{4}\b"
    r"|(?:written|photos?|text|reporting|translated) by\b|(?:first )?(?:published|posted|updated"
    r"|created)\b|last (?:updated|modified|edited|changed)\b|\d+[- ]min(?:ute)?s? read|reading time"
    r"|(?:tags?|categor(?:y|ies)|topics?|filed under|author|date|source|share)\s?:|photo(?:graph)?:"
    r"|\d{4}年\d{1,2}月\d{1,2}日|(?:最終更新|更新日|公開日|投稿日|作成日|著者|執筆|文|タグ|カテゴリー?|関連記事)\s*[:：])",
    re.IGNORECASE,
)
_LEAVES = "//p | //li | //h2 | //h3 | //pre | //td | //dd | //blockquote | //div[not(.//p|.//div)]"
_LINKS_ONLY = 0.75
_MOST_OF_THE_TEXT = 0.9
# So many characters are hardly ever the same by chance.
_PIECE = 20


def article_element(page: HtmlElement, wanted: str) -> HtmlElement:
    """The element of `page` that holds the text `wanted`, which has no white space.

    `page` is cleaned in place.
    """
    clean(page, wanted)
    body = next(iter(page.xpath("//body")), page)
    if not wanted:
        return next(iter(page.xpath("//article | //main | //*[@role='main']")), body)
    hits = [
        (leaf, len(text))
        for leaf in page.xpath(_LEAVES)
        if len(text := squeezed(leaf.text_content())) > 15 and text in wanted
    ]
    total = sum(size for _, size in hits)
    if not total:
        return body
    held: dict[HtmlElement, int] = {}
    for leaf, size in hits:
        for around in (leaf, *leaf.iterancestors()):
            held[around] = held.get(around, 0) + size
    # Document order: of the elements that hold enough, the last is the innermost.
    enough = [one for one in page.iter() if held.get(one, 0) >= total * _MOST_OF_THE_TEXT]
    return _whole_article(enough[-1] if enough else body)


def clean(page: HtmlElement, wanted: str = "") -> None:
    """Cut from `page` what is never content: scripts, navigation, share bars, comments, …

    What holds a paragraph of `wanted` stays, whatever its class is called.
    """
    for element in page.xpath(_NEVER):
        _cut(element)
    weight = _n_chars(page)
    for element in page.xpath("//body//*[@class or @id]"):
        if element.tag in ("body", "main", "article", "pre", "code", "img", "h1", "figure"):
            continue
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        names = re.sub(r"(?<=[a-z])(?=[A-Z])|[-_:]+", " ", names)
        # A theme may name its whole column "content-sidebar": weight tells.
        if not _NAMED.search(names) or _n_chars(element) > weight * 0.4:
            continue
        paragraphs = (squeezed(p.text_content()) for p in element.xpath("descendant-or-self::p"))
        if not any(len(text) > 60 and text in wanted for text in paragraphs):
            _cut(element)
    for element in page.xpath("//body//ul | //body//ol | //body//div | //body//table"):
        if _is_link_list(element):
            _cut(element)


def within(blocks: list[Block], wanted: str) -> list[Block]:
    """`blocks` from the first to the last that `wanted` has, with what belongs to them.

    A short paragraph that it has not is a button or a date.
    """
    has = [_has(block, wanted) for block in blocks]
    if not any(has):
        return blocks
    start, end = has.index(True), len(has) - has[::-1].index(True)
    while start and isinstance(blocks[start - 1], Heading | Picture):
        start -= 1
    while end < len(blocks) and isinstance(blocks[end], Picture | Code | Table | Quote):
        end += 1
    return [
        block
        for block, known in zip(blocks[start:end], has[start:end], strict=True)
        if known or not isinstance(block, Paragraph) or len(block.text) > 60
    ]


def is_byline(text: str) -> bool:
    """Whether a paragraph tells who wrote the page, when or under which tags."""
    return len(text) <= 120 and text[-1] not in ".!?。！？" and bool(_BYLINE.match(text))


def _has(block: Block, wanted: str) -> bool:
    if isinstance(block, Bullets):
        found = [item for item in block.items if squeezed(item) in wanted]
        return 2 * len(found) > len(block.items)
    if isinstance(block, Paragraph | Quote | Code):
        return _mostly_in(squeezed(block.text), wanted)
    return isinstance(block, Table) and squeezed("".join(block.rows[-1][:1])) in wanted


def _mostly_in(text: str, wanted: str) -> bool:
    """Whether `wanted` has `text`, apart from footnote marks and the like inside it."""
    if text in wanted:
        return True
    pieces = [text[at : at + _PIECE] for at in range(0, len(text) - _PIECE + 1, _PIECE)]
    return 2 * sum(piece in wanted for piece in pieces) > max(2, len(pieces))


def _cut(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _n_chars(element: HtmlElement) -> int:
    return len(squeezed(element.text_content()))


def squeezed(text: str) -> str:
    """`text` without its white space."""
    return re.sub(r"\s+", "", text)


def _is_link_list(element: HtmlElement) -> bool:
    links = element.xpath(".//a[@href]")
    if len(links) < 3:
        return False
    total = _n_chars(element)
    linked = sum(_n_chars(link) for link in links)
    return not total or (
        linked / total > _LINKS_ONLY and not element.xpath(".//p[string-length()>80]")
    )


def _whole_article(element: HtmlElement) -> HtmlElement:
    """`element`, or the `article` or `main` around it if that adds little: a lead, a picture."""
    for around in element.xpath("ancestor::article | ancestor::main"):
        if _n_chars(around) <= 1.3 * _n_chars(element) + 200:
            return around
    return element


def main_text(html: str) -> str:
    """What trafilatura takes for the article in the page `html`, without white space."""
    from trafilatura import extract

    # What it cannot read is told by us, in one message, and not on the terminal by it.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    text = extract(html, include_comments=False, include_tables=True)
    return squeezed(str(text or "").replace("|", ""))
