"""Sentences and list items → the few words that stand on a slide."""

from __future__ import annotations

import re
from collections.abc import Iterable

from movie_build.spoken import is_cjk, speakable
from movie_build.summary import leans

MOST_BULLETS = 6
# What holds the items of one long sentence together: "…, and"
LIST_END = re.compile(r"[,;]?\s+(?:and|or)$|[.。;,、]+$")
# A colon inside a word is the word's own: std::fmt
_TERM = re.compile(
    r"^(?P<term>[^：—–]{2,48}?)\s*(?:(?<!:):(?=[^!-~])|：|\s[—–-]\s)\s*(?P<rest>\S.{8,})$"
)
# Where an English main clause may end, and what may not begin one.
_CLAUSE_END = re.compile(
    r"\s*[;:—–]\s|,\s(?=(?:which|because|so|but|and|or|who|where|while|since|although|as|with|such)\b)"
    r"|\s(?=(?:because|although|though|whereas|unless|so that|in order to|even if|without)\b)"
)
_ITEM_END = re.compile(_CLAUSE_END.pattern + r"|,?\s(?=(?:if|when|where|which|that|whose)\b)")
_CONDITIONAL = re.compile(
    r"(?:if|when|whenever|because|although|though|while|since|as|before|until|once|unless|even|"
    r"instead|whether|despite|given|rather|only|not)\b",
    re.IGNORECASE,
)
_ADVERBIAL = re.compile(
    r"(?:according to|in|on|at|for|from|with|by|during|after|to|under|without)\b", re.IGNORECASE
)
_INSERTED = re.compile(r",\s(?:which|who|whose|where)\s[^,]+,\s|\s\([^()]*\)(?=[\s,.;:!])")
_BACKWARD = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|her|this|these|those)\b", re.IGNORECASE
)
_OPENING = re.compile(
    r"^(?:worse|better|still|otherwise|yet|besides|instead|then|so|also|however|therefore|in fact"
    r"|of course|for example|for instance|first|second|third|moreover|furthermore|indeed|now"
    r"|in other words|as a result|in practice|[a-z]+ly|面白いことに|たとえば|例えば|もちろん|実際"
    r"|ところで|そこで|まず|最後に|また|さらに)[,、]\s*",
    re.IGNORECASE,
)
_VAGUE = re.compile(r"^(?:you|we|i|let|let's|here|there|what|how|why)\b|[?？]$", re.IGNORECASE)


def limit(language: str) -> int:
    """How many characters a bullet may have."""
    return 28 if is_cjk(language) else 70


def item_bullets(items: Iterable[str], language: str) -> list[str]:
    """A list's items as bullets: the term where an item explains one, else its first words."""
    wanted = [speakable(item) for item in items]
    named = [_TERM.match(item) for item in wanted]
    all_named = all(named)
    bullets = []
    for item, found in zip(wanted, named, strict=True):
        if found and (all_named or len(item) > limit(language)):
            bullets.append(_cased(found["term"]))
        elif item:
            bullets.append(shortened(item, language))
    return _distinct(bullets)[:MOST_BULLETS]


def clause_bullets(sentences: Iterable[str], title: str, language: str, most: int = 4) -> list[str]:
    """Short main clauses of `sentences`; those that need their neighbours are left out."""
    clauses = []
    for sentence in sentences:
        clause = _clause_cjk(sentence) if is_cjk(language) else _clause(sentence)
        if clause and not _same(clause, title):
            clauses.append(clause)
    return _distinct(clauses)[:most]


def statement(sentences: Iterable[str], language: str) -> str:
    """The first of `sentences` that can stand alone and is short enough to be a slide's words."""
    most = int(limit(language) * 1.6)
    alone = [one for one in sentences if not leans(one)]
    fitting = [one for one in alone if len(one) <= most and one[-1] not in '?？"”」']
    if fitting:
        return fitting[0].rstrip(".。")
    brief = next((one for one in alone if not is_cjk(language)), "")
    words = shortened(brief, language)
    if len(words.split()) > 4:
        return words
    return (alone[0][:most].rsplit(" ", 1)[0].rstrip(" ,") + "…") if alone else ""


def shortened(text: str, language: str) -> str:
    """`text` within the length of a bullet, cut where a clause ends, else at a word."""
    most = limit(language)
    text = _cased(LIST_END.sub("", text.strip()))
    if len(text) <= most * 1.25:
        return text
    if is_cjk(language):
        head = re.split("[、。（(]", text)[0]
        return head if 4 <= len(head) <= most else text[: most - 1] + "…"
    text = re.sub(r"\s\([^()]*\)", "", text)
    head = _before(_ITEM_END, re.split(r"[.!?]\s", text)[0])
    if len(head.split()) >= 2 and len(head) <= most * 1.25:
        return head
    return text[:most].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def _clause(sentence: str) -> str:
    text = re.sub(r"\s+", " ", _INSERTED.sub(" ", _OPENING.sub("", sentence.strip())))
    if _ADVERBIAL.match(text):
        _, _, text = text.partition(", ")
    if leans(text) or _VAGUE.search(text) or _CONDITIONAL.match(text):
        return ""
    if (colon := _CLAUSE_END.search(text)) and colon[0].strip() == ":":
        # "The rule of thumb: never block." What is announced says more than its announcement.
        text = text[colon.end() :]
        if leans(text) or _VAGUE.search(text) or _CONDITIONAL.match(text):
            return ""
    head = _before(_CLAUSE_END, text).rstrip(".!")
    whole = all(
        head.count(a) == head.count(b) for a, b in (("„“" if "„" in head else "“”"), "()", "[]")
    )
    fits = 3 <= len(head.split()) <= 13 and len(head) <= limit("en")
    if not fits or not whole or head.count('"') % 2 or _BACKWARD.search(head):
        return ""
    return _cased(head)


def _before(end: re.Pattern[str], text: str) -> str:
    """`text` up to where a clause ends; not within an enumeration: "makes adding, compiling"."""
    found = end.search(text)
    if not found:
        return text.rstrip(" ,")
    head = text[: found.start()].rstrip(" ,")
    listed = re.match(r",\s(?:and|or)\b", text[found.start() :]) and re.search(
        r",\s(?:\S+\s?){1,4}$", head
    )
    return text.rstrip(" ,") if listed else head


def _clause_cjk(sentence: str) -> str:
    text = _OPENING.sub("", sentence.strip()).rstrip("。！!．.")
    if leans(text) or text.endswith(("か", "？", "?", "しょう", "ください", "ございました")):
        return ""
    text = re.sub("[（(][^（）()]*[）)]", "", text)
    most = limit("ja")
    pieces = text.split("、")
    for start in range(len(pieces)):
        tail = "、".join(pieces[start:])
        # A tail says enough if it still names what it is about.
        about = start == 0 or re.match("[^、]{1,12}[はがを]", tail)
        if len(tail) <= most and about and len(tail) >= 6 and not leans(tail):
            return tail if tail.count("「") == tail.count("」") else ""
    return ""


def _cased(text: str) -> str:
    """`text` with a capital first, unless its first word has a spelling of its own."""
    first = text.split(" ", 1)[0]
    plain = first.isalpha() and first.islower() and " " in text
    return text[:1].upper() + text[1:] if plain else text


def _distinct(bullets: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for bullet in bullets:
        if bullet and not any(_same(bullet, other) for other in kept):
            kept.append(bullet)
    return kept


def _same(one: str, other: str) -> bool:
    return re.sub(r"\W", "", one).casefold() == re.sub(r"\W", "", other).casefold()
