"""The author that needs no model, no key and no network: it takes an article by its outline.

Sections come from the headings, narration from the article's own sentences,
slides from its pictures, lists, quotations, tables and code. Nothing is
invented, and the same article always gives the same script.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from movie_build.article import Article, Block, Bullets, Code, Paragraph, Picture, Quote, Table
from movie_build.chapters import (
    Part,
    fewer,
    more,
    parts_of,
    showable,
    spoken_alone,
    units_of,
    without_number,
)
from movie_build.errors import AuthorError
from movie_build.phrases import clause_bullets, item_bullets, shortened, statement
from movie_build.script import Image, Line, Quotation, Script, Section
from movie_build.sentences import split
from movie_build.spoken import has_cjk, is_cjk, seconds, speakable, spoken_minutes
from movie_build.summary import Unit, pick, terms, weights

__all__ = ["Outline", "OutlineSettings", "outline", "spoken_minutes"]

MOST_LINES = 6
LINE_MAX_CHARS = 250
# The silence around a section and between two lines, for the length of the movie.
SECTION_PAUSE_S, LINE_PAUSE_S = 1.0, 0.3
_SECTION_MAX_S = 75.0
_JOINED_S, _CUT_S = 15.0, 30.0
_LEAD_MAX_S = 26.0
_INTRODUCTION = {"en": "Introduction", "ja": "はじめに", "de": "Einleitung", "fr": "Introduction"}
_COVERED = {
    "en": ("What we covered", "That is what we covered. Thank you for watching."),
    "ja": (
        "今回の内容",
        "今回は、これらの内容をご紹介しました。ご覧いただき、ありがとうございました。",
    ),
}
_CONCLUDES = re.compile(
    r"\b(?:conclusions?|summary|summing up|wrap(?:ping)?[- ]up|takeaways?|in short|final \w+"
    r"|closing|epilogue|fazit|conclusión)\b|おわりに|終わりに|まとめ|結論|最後に|結び|今後",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Packing:
    """How many sentences share a line, in shares of the longest line: the shorter one, all."""

    n_sentences: int
    shorter: float
    line: float


_PACKINGS = (
    _Packing(2, 0.28, 0.66),
    _Packing(2, 0.6, 0.8),
    _Packing(3, 0.6, 0.8),
    _Packing(3, 0.6, 1),
)


@dataclass(frozen=True, slots=True)
class OutlineSettings:
    """How long the movie may be. `language` is for articles that do not tell theirs."""

    max_minutes: float = 10.0
    language: str = ""
    max_sections: int = 12


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline as an `Author`."""

    settings: OutlineSettings = field(default_factory=OutlineSettings)

    def write(self, article: Article) -> Script:
        """The script of `article`."""
        return outline(article, self.settings)


def outline(article: Article, settings: OutlineSettings | None = None) -> Script:
    """The script of `article`: its sections by headings, its sentences as narration.

    Raises:
        AuthorError: there is nothing in it that can be spoken.
    """
    settings = settings or OutlineSettings()
    language = article.language or settings.language or "en"
    parts = parts_of(article.blocks, language)
    lead, rest = _lead(article, parts, language)
    if not lead:
        speaks = any(units_of(part.blocks, None, language) for part in rest)
        told = _description(article, language) if speaks else article.description
        lead = [Unit((one,), 0) for one in split(speakable(told), language)[:2]]
    covered = _COVERED.get(language.partition("-")[0])
    ends = len(rest) >= 3 and covered and not _CONCLUDES.search(rest[-1].title)
    opening = _opening(article, lead, language)
    room = settings.max_sections - 1 - bool(ends)
    time_s = settings.max_minutes * 60 - _length_s([opening])
    # A section of a sentence or two is too short to be looked at, one that is cut shorter still.
    outlined = rest = fewer(rest, max(1, min(room, int(time_s / _JOINED_S))), language)
    rest = more(rest, max(len(rest), min(room, int(time_s / _CUT_S))), language)
    important = weights(_running_text(article))
    sections = [opening, *_told(rest, article, time_s, important, language)]
    if ends and covered:
        named = dict.fromkeys(part.parent or part.title for part in outlined)
        titles = [one for one in named if one and one not in _INTRODUCTION.values()]
        bullets = tuple(shortened(one, language) for one in titles[:8])
        sections.append(Section(covered[0], (Line(covered[1]),), bullets=bullets))
    if not any(section.narrations for section in sections[1:]) and not lead:
        raise AuthorError(f"{article.origin}: there are no sentences in it that can be spoken")
    description = article.description
    return Script(opening.title, tuple(sections), description=description, language=language)


def _lead(article: Article, parts: Sequence[Part], language: str) -> tuple[list[Unit], list[Part]]:
    """What is said over the title, and the parts after it."""
    if not parts or parts[0].title:
        return [], list(parts)
    first, rest = parts[0], list(parts[1:])
    units = units_of(first.blocks, None, language)
    shown = any(showable(block) for block in first.blocks)
    if not shown and sum(unit.seconds for unit in units) <= _LEAD_MAX_S:
        return units, rest
    at = next((n for n, one in enumerate(first.blocks) if isinstance(one, Paragraph)), None)
    if at is None:
        return [], [_introduction(first, article, rest, language), *rest]
    kept = units_of(first.blocks[at : at + 1], None, language)
    spent = 0.0
    lead: list[Unit] = []
    for unit in kept:
        spent += unit.seconds
        if lead and spent > _LEAD_MAX_S:
            break
        lead.append(unit)
    left = " ".join(text for unit in kept[len(lead) :] for text in unit.texts)
    body = [*first.blocks[:at], *([Paragraph(left)] if left else []), *first.blocks[at + 1 :]]
    remains = Part("", tuple(body))
    if not units_of(body, None, language):
        return lead, rest
    return lead, [_introduction(remains, article, rest, language), *rest]


def _introduction(part: Part, article: Article, rest: Sequence[Part], language: str) -> Part:
    """The text before all headings as a part; without a title where it is the whole article."""
    named = _INTRODUCTION.get(language.partition("-")[0], article.title)
    return Part(named if rest else "", part.blocks)


def _opening(article: Article, lead: Sequence[Unit], language: str) -> Section:
    title = without_number(article.title)
    mark = "" if title.endswith(tuple(".!?…。！？")) else "。" if is_cjk(language) else "."
    lines = _lines(lead, language)[: MOST_LINES - 1]
    described = split(_description(article, language), language)
    subtitle = described[0] if described and len(described[0]) <= 160 else ""
    spoken = set(terms(" ".join([title, *(line.text for line in lines)])))
    fresh = [term for term in terms(subtitle) if term not in spoken]
    if 3 * len(fresh) < len(terms(subtitle)):
        subtitle = ""
    return Section(title, (Line(f"{title}{mark}"), *lines), subtitle=subtitle, template="title")


def _description(article: Article, language: str) -> str:
    """What the page says of itself, in the article's language: a site's may be in another."""
    told = article.description
    return "" if is_cjk(language) and not has_cjk(told) else told


def _told(
    parts: Sequence[Part],
    article: Article,
    time_s: float,
    important: dict[str, float],
    language: str,
) -> list[Section]:
    """A section for each part, all of them within about `time_s`."""
    shown = [_shown(part) for part in parts]
    units = [
        units_of(part.blocks, one, language) or spoken_alone(part, one, language)
        for part, one in zip(parts, shown, strict=True)
    ]
    wanted = [min(_SECTION_MAX_S, sum(unit.seconds for unit in one)) for one in units]
    pauses = sum(SECTION_PAUSE_S + LINE_PAUSE_S * min(MOST_LINES, len(one)) for one in units)
    share = min(1.0, max(5.0, time_s - pauses) / (sum(wanted) or 1.0))
    sections = []
    for part, one, own, full_s in zip(parts, shown, units, wanted, strict=True):
        kept = _kept(own, part.title, important, full_s * share, language)
        if kept:
            sections.append(_section(part, one, kept, article, language))
    return sections


def _kept(
    units: Sequence[Unit], title: str, important: dict[str, float], budget_s: float, language: str
) -> list[Unit]:
    """The units to speak: within the time, and within the lines that one slide bears."""
    while True:
        kept = [units[at] for at in pick(units, title, important, budget_s + 0.01)] if units else []
        if len(kept) <= 1 or len(_lines(kept, language)) <= MOST_LINES:
            return kept
        budget_s = min(budget_s, sum(unit.seconds for unit in kept)) * 0.93


def _section(
    part: Part, shown: Block | None, kept: Sequence[Unit], article: Article, language: str
) -> Section:
    lines = tuple(_lines(kept, language))
    bullets: tuple[str, ...] = ()
    image = quote = None
    body = ""
    if isinstance(shown, Picture):
        image = Image(_from_project(shown.src, article.origin), shown.caption or _alt(shown.alt))
    elif isinstance(shown, Bullets):
        bullets = tuple(item_bullets(shown.items, language))
    elif isinstance(shown, Quote):
        quote = Quotation(shown.text, shown.by)
    elif isinstance(shown, Table | Code):
        body = _table(shown) if isinstance(shown, Table) else _code(shown)
    elif len(part.heads) > 1:
        heads = [head for head in part.heads if head != part.title]
        bullets = tuple(item_bullets(heads, language))
    title = part.title
    clauses = _key_clauses(kept, title, language)
    if not title:
        # Where the article names no parts, a slide is named by what it says first.
        said = [text for unit in kept for text in unit.texts]
        title = clauses[0] if clauses else statement(said, language) or article.title
        clauses = clauses[1:]
    subtitle = ""
    if not (image or bullets or quote or body):
        # One point alone is no list.
        subtitle, bullets = (clauses[0], ()) if len(clauses) == 1 else ("", tuple(clauses))
    return Section(
        title, lines, subtitle=subtitle, image=image, bullets=bullets, quote=quote, html=body
    )


def _shown(part: Part) -> Block | None:
    """The block that the part's slide shows."""
    things = [block for block in part.blocks if showable(block)]
    kinds: tuple[type, ...] = (Picture, Bullets, Quote, Table, Code)
    if len(part.heads) > 1:
        # Its headings say more about a whole than one list in it.
        kinds = (Picture,)
    return next((thing for kind in kinds for thing in things if isinstance(thing, kind)), None)


def _key_clauses(kept: Sequence[Unit], title: str, language: str) -> list[str]:
    """Up to four short clauses, the openings of paragraphs before what follows them."""
    ranked = sorted(
        range(len(kept)),
        key=lambda at: (at > 0 and kept[at - 1].paragraph == kept[at].paragraph, at),
    )
    found: dict[int, str] = {}
    for at in ranked:
        clause = clause_bullets(kept[at].texts[:1], title, language)
        if clause and clause[0] not in found.values() and len(found) < 4:
            found[at] = clause[0]
    return [found[at] for at in sorted(found)]


def _lines(units: Sequence[Unit], language: str) -> list[Line]:
    """Narration lines: a sentence each, or two short ones of one paragraph together.

    Where that gives more lines than a slide bears, longer ones are joined too.
    """
    for packing in _PACKINGS:
        lines = _joined(units, language, packing)
        if len(lines) <= MOST_LINES:
            break
    return lines


def _joined(units: Sequence[Unit], language: str, packing: _Packing) -> list[Line]:
    most = LINE_MAX_CHARS // 2 if is_cjk(language) else LINE_MAX_CHARS
    space = "" if is_cjk(language) else " "
    lines: list[str] = []
    n_sentences, paragraph = 0, -1
    for unit in units:
        for text in unit.texts:
            fits = bool(lines) and n_sentences < packing.n_sentences and paragraph == unit.paragraph
            together = f"{lines[-1]}{space}{text}" if fits else ""
            shorter = min(len(text), len(lines[-1])) if fits else 0
            if fits and shorter <= most * packing.shorter and len(together) <= most * packing.line:
                lines[-1] = together
                n_sentences += 1
            else:
                pieces = _in_clauses(text, most)
                lines.extend(pieces)
                n_sentences = 1 if len(pieces) == 1 else packing.n_sentences
            paragraph = unit.paragraph
    return [Line(text) for text in lines]


def _in_clauses(text: str, most: int) -> list[str]:
    """`text` in pieces of at most `most` characters, cut as near the middle as clauses allow."""
    if len(text) <= most:
        return [text]
    ends = [found.end() for found in re.finditer(r"[.!?;:,]\s|\s[—–]\s|[。！？、；：]", text)]
    ends = [end for end in ends if 0.2 * len(text) < end < 0.8 * len(text)]
    strong = [end for end in ends if text[:end].rstrip()[-1] in ".!?。！？"]
    strong = strong or [end for end in ends if text[:end].rstrip()[-1] in ";:；："]
    spaces = [found.end() for found in re.finditer(r"\s", text)]
    middle = len(text) / 2
    at = min(strong or ends or spaces or [len(text) // 2], key=lambda end: abs(end - middle))
    return [*_in_clauses(text[:at].strip(), most), *_in_clauses(text[at:].strip(), most)]


def _length_s(sections: Sequence[Section]) -> float:
    lines = [line for section in sections for line in section.narrations]
    pauses = SECTION_PAUSE_S * len(sections) + LINE_PAUSE_S * len(lines)
    return pauses + sum(seconds(line.text) for line in lines)


def _running_text(article: Article) -> list[str]:
    return [block.text for block in article.blocks if isinstance(block, Paragraph | Quote)]


def _from_project(src: str, origin: str) -> str:
    """A picture's path from the project's folder, where the article's file may lie below it."""
    if "://" in src or "://" in origin:
        return src
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin.replace("\\", "/")), src))


def _alt(alt: str) -> str:
    """An alternative text as a caption, where it is one and not a file name or a description."""
    return alt if " " in alt.strip() and len(alt) <= 90 else ""


def _code(code: Code) -> str:
    named = f' class="language-{html.escape(code.language)}"' if code.language else ""
    return f"<pre><code{named}>{html.escape(code.text, quote=False)}</code></pre>"


def _table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}>{html.escape(cell, quote=False)}</{tag}>" for cell in cells)

    head, *body = table.rows
    rows = "\n".join(f"<tr>{row(cells, 'td')}</tr>" for cells in body)
    return (
        f"<table>\n<thead><tr>{row(head, 'th')}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )
