"""An article's blocks → the parts of a movie, each of them one slide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from movie_build.article import Block, Bullets, Code, Heading, Paragraph, Picture, Quote, Table
from movie_build.phrases import LIST_END
from movie_build.sentences import split
from movie_build.spoken import is_cjk, is_prose, speakable
from movie_build.summary import Unit, is_credit, leans, points_away, without_pointer

# A part shorter than this joins its neighbour; one longer than this is cut where it can be.
SHORT_S, LONG_S = 6.0, 62.0
# As long as a picture of its own should stand at least.
GLANCE_S = 3.0
# Less than this is not worth a slide, however it is called.
_CRUMB_S = 1.2
_ENDS = '.!?…。！？"“”」』»'
_SPOKEN_LIST_MAX_S = 45.0
_MOST_LISTED = 8
_NOT_CONTENT = re.compile(
    r"^(?:\d+[.)]?\s+)?(?:see also|references?|further reading|external links?|notes?|footnotes?|"
    r"bibliography|sources?|citations?|works cited|related(?: \w+)?|table of contents|contents|"
    r"acknowledge?ments?|about the authors?|comments?|share this.*|read more|more from .*|links?|"
    r"contribut(?:ing|ors?)|licen[cs]e|code of conduct|sponsors?|credits?|changelog|on this page|"
    r"参照|参考|その他の資料|貢献|コントリビュート|ライセンス|"
    r"参考(?:文献|資料|リンク|サイト)?|脚注|出典|注釈?|関連(?:項目|記事|リンク|ページ)|外部リンク|目次|コメント|謝辞|著者.*|"
    r"einzelnachweise|weblinks|literatur|siehe auch|références|voir aussi|liens externes|"
    r"referencias|véase también|enlaces externos)\s*[:：]?$",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"^(?:(?:chapter|section)\s+\d+[.:]?|第\s*[\d一二三四五六七八九十]+\s*[章節回部]|\d+(?:\.\d+)+\.?|\d{1,2}[.)]|[§])\s+",
    re.I,
)

_EXPLAINED = re.compile(r"[^:]{1,40}: ")

# "… can be used to:" is no sentence without what follows.
_DANGLING = re.compile(
    r"\b(?:to|the|a|of|are|is|by|for|with|in|on|and|or|can|will|as)[:：]?$", re.I
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one slide will hold; `heads` are the headings that were joined in it.

    `starts` are those that stand inside it, by the number of the block that they begin with.
    """

    title: str
    blocks: tuple[Block, ...]
    parent: str = ""
    heads: tuple[str, ...] = ()
    starts: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Chapter:
    title: str
    level: int
    blocks: tuple[Block, ...]


def parts_of(blocks: Iterable[Block], language: str) -> list[Part]:
    """The parts by headings; the first has no title where text stands before all headings.

    Short sub-sections share a part, long ones get their own.
    """
    chapters = [one for one in _chapters(blocks) if one.level < 7 or one.blocks]
    levels = [one.level for one in chapters if one.title]
    top = next((n for n in sorted(set(levels)) if levels.count(n) > 1), min(levels, default=2))
    parts: list[Part] = []
    group: list[_Chapter] = []
    for chapter in chapters:
        if group and (chapter.level <= top or not group[0].title):
            parts.extend(_of_group(group, language))
            group = []
        group.append(chapter)
    if group:
        parts.extend(_of_group(group, language))
    return _without_crumbs(parts, language)


def fewer(parts: Sequence[Part], most: int, language: str) -> list[Part]:
    """`parts` with the shortest neighbours joined until there are at most `most`."""
    left = list(parts)
    while len(left) > max(1, most):
        sizes = [seconds_of(part, language) for part in left]
        cost = [
            (sizes[at] + sizes[at + 1]) * (0.6 if _akin(left[at], left[at + 1]) else 1.0)
            for at in range(len(left) - 1)
        ]
        at = cost.index(min(cost))
        left[at : at + 2] = [_joined(left[at], left[at + 1])]
    return left


def more(parts: Sequence[Part], most: int, language: str) -> list[Part]:
    """`parts` with the ones cut that hold two things to show or too much to say, up to `most`."""
    left = list(parts)
    at = 0
    while at < len(left):
        cut = _cut(left[at], language) if len(left) < most else None
        if cut:
            left[at : at + 1] = cut
        else:
            at += 1
    numbered: dict[str, int] = {}
    named = []
    for part in left:
        if not part.title:
            named.append(part)
            continue
        numbered[part.title] = count = numbered.get(part.title, 0) + 1
        again = f"（{count}）" if is_cjk(language) else f" ({count})"
        named.append(replace(part, title=part.title + again) if count > 1 else part)
    return named


def seconds_of(part: Part, language: str) -> float:
    """About how long all of `part` would take to speak."""
    return sum(unit.seconds for unit in units_of(part.blocks, None, language))


def units_of(blocks: Sequence[Block], shown: Block | None, language: str) -> list[Unit]:
    """What can be spoken of `blocks`, where the slide shows the block `shown`."""
    units: list[Unit] = []
    for number, block in enumerate(blocks):
        if isinstance(block, Paragraph):
            around = blocks[number - 1] if number else None, *blocks[number + 1 : number + 2]
            unseen = [isinstance(one, Code | Table) and one is not shown for one in around]
            units.extend(_sentences(block.text, number, language, unseen))
        elif isinstance(block, Bullets):
            _speak_list(block, number, units, language, shown=block is shown)
        elif isinstance(block, Quote) and (text := speakable(block.text)):
            quoted = (
                text if text[0] in '"“「『«' else f"「{text}」" if is_cjk(language) else f"“{text}”"
            )
            if len(split(text, language)) <= 4:
                units.append(Unit((quoted,), number, bonus=2.0 if block is shown else 0.3))
    whole = [unit for unit in units if not _waits(unit.texts[-1])]
    return [replace(unit, texts=tuple(map(_closed, unit.texts))) for unit in whole]


def _waits(sentence: str) -> bool:
    """Whether `sentence` is none without what was to follow: "some of which are:"."""
    return sentence.endswith(":") and bool(_DANGLING.search(sentence))


def spoken_alone(part: Part, shown: Block | None, language: str) -> list[Unit]:
    """What is said over a part that holds no sentences, only a list or a picture to show."""
    said = ""
    if isinstance(shown, Bullets):
        items = [LIST_END.sub("", item) for item in map(speakable, shown.items) if item]
        said = _enumerated(items[:_MOST_LISTED], language)
    elif isinstance(shown, Picture):
        said = speakable(shown.caption)
    if not said or not part.title:
        return []
    text = f"{part.title}：{said}" if is_cjk(language) else f"{part.title}: {said}"
    return [Unit((_closed(text),), 0)]


def _sentences(text: str, paragraph: int, language: str, unseen: Sequence[bool]) -> Iterator[Unit]:
    """The sentences of a paragraph; `unseen`: code or a table beside it is not on the slide."""
    sentences = split(speakable(text), language)
    if sentences and any(unseen[1:]) and (points_away(sentences[-1]) or not _ended(sentences[-1])):
        sentences.pop()
    if sentences and unseen[0] and (sentences[0][0].islower() or leans(sentences[0])):
        # The end of a sentence whose beginning was before the code.
        sentences.pop(0)
    for written in sentences:
        sentence = _balanced(without_pointer(written))
        if is_prose(sentence) and not is_credit(sentence):
            yield Unit((sentence,), paragraph, leans=leans(sentence))


def _balanced(sentence: str) -> str:
    """`sentence` without the quotation marks and brackets that open or close elsewhere."""
    if re.fullmatch(r"\([^()]*\)\.?", sentence):
        sentence = sentence.strip("().") + "."
    # In German „ opens and “ closes.
    opened, closed = ("„", "“") if "„" in sentence else ("“", "”")
    if sentence.count(opened) != sentence.count(closed):
        sentence = re.sub("[„“”]", "", sentence)
    return sentence.replace('"', "") if sentence.count('"') % 2 else sentence


def _ended(sentence: str) -> bool:
    return sentence[-1] in f"{_ENDS})）"


def _speak_list(
    block: Bullets, number: int, units: list[Unit], language: str, *, shown: bool
) -> None:
    """Append what is spoken of a list, and let what announces it end well.

    Short items, and those that go on with the announcing sentence, become its
    end; items that are sentences are spoken as such. Otherwise the slide is enough.
    """
    items = [LIST_END.sub("", item) for item in map(speakable, block.items) if item]
    announced = bool(units) and units[-1].paragraph == number - 1
    intro = units[-1].texts[-1] if announced else ""
    opens = intro.endswith((":", "：")) or (bool(intro) and not _ended(intro))
    short = all(len(item) <= (16 if is_cjk(language) else 42) for item in items)
    # In Japanese a small letter begins a name, not the rest of a sentence; so does "root: …".
    going_on = not is_cjk(language) and any(
        item[:1].islower() and not _EXPLAINED.match(item) for item in items
    )
    if short or going_on:
        spoken = _enumerated(items, language)
        if opens and len(items) <= 8 and len(intro) + len(spoken) <= 420:
            colon = "" if _DANGLING.search(intro) else "：" if is_cjk(language) else ":"
            whole = intro.rstrip(":：") + colon
            space = "" if is_cjk(language) else " "
            units[-1] = replace(units[-1], texts=(*units[-1].texts[:-1], whole + space + spoken))
        elif opens and _DANGLING.search(intro):
            units.pop()
        return
    if opens and items and len(intro.split()) < 4 and not is_cjk(language):
        # "This means:" is no sentence of its own.
        units[-1] = replace(units[-1], texts=units[-1].texts[:-1])
        if not units[-1].texts:
            units.pop()
        items[0] = f"{intro} {items[0]}"
    unit = Unit(tuple(map(_closed, items)), number, leans=announced, bonus=0.2)
    if items and unit.seconds <= _SPOKEN_LIST_MAX_S:
        units.append(unit)
        return
    waits = opens and (_DANGLING.search(intro) or not shown)
    if announced and units and (waits or (not shown and points_away(units[-1].texts[-1]))):
        units.pop()
    # Too much to be told as one: of the first items, what there is time for.
    told = [split(item, language)[:1] for item in items[:_MOST_LISTED]]
    units.extend(Unit((_closed(one[0]),), number) for one in told if one and is_prose(one[0]))


def _enumerated(items: Sequence[str], language: str) -> str:
    if is_cjk(language):
        return "、".join(items)
    # A name keeps its capital: an item that holds another one is likely to begin with one.
    plain = [
        item if re.search(r"[A-Z]", item[1:]) else item[:1].lower() + item[1:] for item in items
    ]
    between = "; " if any(", " in item for item in items) else ", "
    if not language.startswith("en") or len(plain) < 2:
        return between.join(plain)
    last = between if len(plain) > 2 or between == "; " else " "
    return f"{between.join(plain[:-1])}{last}and {plain[-1]}"


def _closed(sentence: str) -> str:
    """`sentence` with a mark at its end: a colon would wait for what is not said."""
    text = sentence.rstrip(" ,;、；—–")
    mark = "。" if re.search("[\u3040-\u30ff\u4e00-\u9fff]", text[-4:]) else "."
    if text.endswith((":", "：")):
        return text[:-1].rstrip() + mark
    inner = text.rstrip(")）")
    return text if inner and inner[-1] in _ENDS else text + mark


def _chapters(blocks: Iterable[Block]) -> Iterator[_Chapter]:
    title, level, held = "", 7, list[Block]()
    skipping = 7
    for block in blocks:
        if not isinstance(block, Heading):
            held.append(block)
            continue
        if level < skipping or not title:
            yield _Chapter(title, level, tuple(held))
        if block.level <= skipping:
            skipping = block.level if _NOT_CONTENT.match(block.text.strip()) else 7
        title, level, held = without_number(block.text), block.level, []
    if level < skipping or not title:
        yield _Chapter(title, level, tuple(held))


def _of_group(group: Sequence[_Chapter], language: str) -> Iterator[Part]:
    head, subs = group[0], group[1:]
    heads = tuple(sub.title for sub in subs)
    everything = (*head.blocks, *(block for sub in subs for block in sub.blocks))
    before = [len(head.blocks)]
    for sub in subs:
        before.append(before[-1] + len(sub.blocks))
    starts = tuple(zip(before, heads, strict=False))
    whole = Part(head.title, everything, heads=heads, starts=starts)
    if not subs or seconds_of(whole, language) <= LONG_S:
        yield whole
        return
    if head.blocks:
        yield Part(head.title, head.blocks, heads=heads)
    for sub in subs:
        yield Part(sub.title, sub.blocks, parent=head.title)


def _without_crumbs(parts: Sequence[Part], language: str) -> list[Part]:
    kept: list[Part] = []
    for part in parts:
        # Under another heading its text would be out of place: it has its own slide, or goes.
        small = bool(part.title) and seconds_of(part, language) < _CRUMB_S
        if part.blocks and (not small or any(showable(block) for block in part.blocks)):
            kept.append(part)
    return kept


def _akin(one: Part, other: Part) -> bool:
    return bool(other.parent) and other.parent in (one.parent, one.title)


def _joined(one: Part, other: Part) -> Part:
    titles = (*(one.heads or (one.title,)), *(other.heads or (other.title,)))
    if other.parent and other.parent == one.title:
        title, heads = one.title, one.heads or (other.title,)
    elif one.parent and one.parent == other.parent:
        title, heads = one.parent, titles
    elif one.heads or other.heads or len(one.title) + len(other.title) > 56:
        title, heads = one.title, titles
    else:
        title, heads = f"{one.title} · {other.title}", titles
    offset = len(one.blocks)
    inner = tuple((at + offset, name) for at, name in other.starts)
    own = ((offset, other.title),) if not inner or inner[0][0] > offset else ()
    starts = (*one.starts, *own, *inner)
    return Part(title, (*one.blocks, *other.blocks), one.parent, heads, starts)


def without_number(heading: str) -> str:
    """`heading` without the number of its chapter."""
    return _NUMBER.sub("", heading.strip()) or heading


def showable(block: Block) -> bool:
    """Whether a slide can show `block` and still be read."""
    if isinstance(block, Bullets):
        return len(block.items) > 1
    if isinstance(block, Code):
        lines = block.text.splitlines()
        return len(lines) <= 16 and max(map(len, lines)) <= 84
    if isinstance(block, Table):
        cells = [cell for row in block.rows for cell in row]
        small = len(block.rows) <= 9 and len(block.rows[0]) <= 5
        return small and max(map(len, cells)) <= 60 and sum(map(len, cells)) <= 600
    if isinstance(block, Quote):
        return len(block.text) <= 320
    return isinstance(block, Picture)


def _cut(part: Part, language: str) -> list[Part] | None:
    """`part` in two, at the paragraph boundary that serves best; nothing if it is fine as it is."""
    things = [at for at, block in enumerate(part.blocks) if showable(block)]
    total = seconds_of(part, language)
    if len(things) < 2 and total <= LONG_S:
        return None
    best: tuple[float, int] | None = None
    for at in range(1, len(part.blocks)):
        before, after = part.blocks[:at], part.blocks[at:]
        # Each half wants something to show; then the halves want to be alike.
        here = sum(thing < at for thing in things)
        apart = 1.0 if 0 < here < len(things) else 0.0
        if not (isinstance(after[0], Paragraph | Quote) or (apart and _stands_first(part, at))):
            continue
        size = sum(unit.seconds for unit in units_of(before, None, language))
        if min(size, total - size) < (GLANCE_S if apart else SHORT_S):
            continue
        # What announces a list, table or picture stays with it: it is the last thing before.
        close = 0.25 if here < len(things) and things[here] == at + 1 else 0.0
        named = 0.3 if any(start == at for start, _ in part.starts) else 0.0
        # What is shown belongs more often to the text before it.
        first = -0.2 if isinstance(after[0], Picture) else 0.0
        worth = apart + close + named + first - abs(size - total / 2) / total
        if best is None or worth > best[0]:
            best = worth, at
    if best is None or (total <= LONG_S and best[0] < 0.5):
        return None
    at = best[1]
    earlier = tuple(start for start in part.starts if start[0] < at)
    later = tuple((start - at, name) for start, name in part.starts if start >= at)
    # The second half is called what its first heading says, if it begins with one.
    title = later[0][1] if later and later[0][0] == 0 else part.title
    inner = later[1:] if title != part.title else later
    return [
        replace(part, blocks=part.blocks[:at], heads=_names(earlier), starts=earlier),
        replace(part, title=title, blocks=part.blocks[at:], heads=_names(inner), starts=inner),
    ]


def _stands_first(part: Part, at: int) -> bool:
    """Whether what is shown at `at` can stand before the text that belongs to it."""
    before = part.blocks[at - 1]
    announces = isinstance(before, Paragraph) and before.text.rstrip().endswith((":", "："))
    return isinstance(part.blocks[at], Picture) and not announces


def _names(starts: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in starts)
