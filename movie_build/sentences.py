"""Running text → sentences, for Latin and East Asian scripts.

Rules of our own: on the cases in `tests/test_sentences.py` neither pysbd 0.3.4
nor sentencex 1.0 gets Japanese quotations right, and a script must not change
because a library did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

TERMINATORS = ".!?…‼⁇⁈⁉؟।॥։።፧"
CJK_TERMINATORS = "。！？．｡"
CLOSERS = "\"”’'»›)]}」』）】〉》〕］｝"
PAIRS = dict(zip("([{«“‘「『（【〈《〔［｛", ")]}»”’」』）】〉》〕］｝", strict=True))
# A quotation longer than this is cut inside, or it would be one endless sentence.
WHOLE_QUOTE_MAX_CHARS = 200

_CANDIDATE = re.compile(
    rf"(?P<marks>[{re.escape(TERMINATORS + CJK_TERMINATORS)}]+)(?P<closers>[{re.escape(CLOSERS)}]*)"
)
_NEXT_WORD = re.compile(r"\s*(?P<word>[^\s,;:]*)")
_CJK = re.compile("[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]")
# After a closing bracket these go on with the sentence: 「行く。」と言った。
_PARTICLE = re.compile("[、，,とのをにでがはもかなやへだば]|って|から|まで|など")
# So does what asks or exclaims, without brackets: 見えないのでは？と思う。
_ASKED = re.compile("と(?=[思言い考聞問感叫尋述答呼書])|って(?=[思言い聞])|という")

# A full stop after these never ends a sentence: something must follow.
_OPEN = {
    "": "dr mr mrs ms mx messrs prof rev hon gen col lt capt sgt cmdr gov sen rep pres mt st ste "
    "fig figs eq eqs sec ch vol pp vs cf viz e.g i.e eg ie approx ca no nos op resp incl",
    "de": "hr fr nr abb vgl bzw z.b d.h u.a ggf evtl inkl zzgl s str jh tab kap bd sog v.a",
    "fr": "mm mme mlle mgr p.ex env av apr éd chap art n° cf",
    "es": "sr sra srta dra ud uds pág págs núm p.ej art cap fig aprox",
    "it": "sig sigg dott prof pag pagg art cap es p.es",
    "pt": "sr sra dra pág págs núm art cap p.ex",
    "nl": "dhr mevr bijv nr blz d.w.z o.a m.n ca",
    "ru": "т.е рис стр им см напр",
    "sv": "t.ex bl.a s.k",
}
# After these it ends one only if the next word looks like a beginning.
_EITHER = {
    "": "etc inc ltd co corp bros jr sr al a.m p.m am pm u.s u.k e.u u.n d.c ph.d b.c a.d ed eds "
    "dept univ assn ave blvd jan feb mar apr jun jul aug sep sept oct nov dec est govt",
    "de": "usw mio mrd z.t u.ä etc",
    "fr": "etc j.-c",
    "es": "etc ee.uu",
    "it": "ecc",
    "nl": "enz",
    "ru": "г гг т.д т.п др тыс млн млрд руб",
    "sv": "osv m.m",
}
_NEEDS_DIGIT = {"no", "nos", "ch", "vol", "pp", "sec", "op", "mar", "jan", "nr", "s"}
_BEGINNINGS = (
    "a an the this that these those there here it its he his she her they their we our you your i "
    "my in on at by for from with as if when while where who what why how so but and or yet then "
    "now after before since because although however to no not all some most many each every one "
    "der die das ein eine es er sie wir ich und aber auch im in am dann le la les un une il elle "
    "nous mais et el los las una ella pero y"
)


@dataclass(frozen=True, slots=True)
class _Abbreviations:
    tongue: str
    opening: frozenset[str]
    either: frozenset[str]
    beginnings: frozenset[str]


@cache
def _abbreviations(language: str) -> _Abbreviations:
    tongue = language.partition("-")[0].lower()
    opening, either = (
        frozenset(f"{words['']} {words.get(tongue, '')}".split()) for words in (_OPEN, _EITHER)
    )
    return _Abbreviations(tongue, opening, either, frozenset(_BEGINNINGS.split()))


def split(text: str, language: str = "") -> list[str]:
    """The sentences of `text`, each without surrounding white space.

    Joined again they are `text`, apart from white space. `language` is a
    BCP 47 tag; it chooses the abbreviations.
    """
    known, written = _abbreviations(language), text
    if "„" in text:
        # German opens with „ and closes with what opens elsewhere.
        text = text.translate({ord("„"): "“", ord("“"): "”"})
    whole = sorted((a, b) for a, b in _bracketed(text) if _kept_whole(text, a, b))
    pieces: list[str] = []
    start = n_opened = reach = 0
    for found in _CANDIDATE.finditer(text):
        while n_opened < len(whole) and whole[n_opened][0] < found.start():
            reach = max(reach, whole[n_opened][1])
            n_opened += 1
        if found.end() > reach and _ends(text, start, found, known):
            pieces.append(written[start : found.end()].strip())
            start = found.end()
    pieces.append(written[start:].strip())
    return [piece for piece in pieces if piece]


def _ends(text: str, start: int, found: re.Match[str], known: _Abbreviations) -> bool:
    marks, closers, end = found["marks"], found["closers"], found.end()
    before, after = text[found.start() - 1 : found.start()], text[end : end + 1]
    cjk = any(mark in CJK_TERMINATORS for mark in marks)
    if not cjk and not after.isspace():
        # 本当?はい: half-width marks inside East Asian text need no space.
        cjk = "…" not in marks and bool(_CJK.match(before) and _CJK.match(after))
        if not cjk:
            return False
    if cjk:
        if not closers:
            return marks[-1] not in "？！?!" or not _ASKED.match(text, end)
        opened = text.rfind(_opener(closers[-1]), start, found.start())
        lead = text[start:opened].strip() if opened >= 0 else "…"
        return (not lead or lead[-1] in "：:") and not _PARTICLE.match(text, end)
    following = _NEXT_WORD.match(text, end)
    word = following["word"] if following else ""
    begins = not word[:1].islower() or any(c.isupper() for c in word[1:])
    if marks != "." or closers:
        # (mostly.) Really / "He left." She; but: "He left." she said
        return begins
    return _full_stop_ends(text[start : found.start()].split(), word, begins, known)


def _full_stop_ends(words: list[str], word: str, begins: bool, known: _Abbreviations) -> bool:
    """Whether the full stop after `words` ends their sentence, where `word` comes next."""
    token = words[-1].lstrip("([{\"'“‘«¿¡—–-") if words else ""
    low = token.lower()
    starter = begins and word.strip("\"'“‘”’(.,!?").lower() in known.beginnings
    if low in known.opening:
        return low in _NEEDS_DIGIT and not word[:1].isdigit() and begins and len(words) > 1
    if low in known.either:
        return starter
    if re.fullmatch(r"(?:[^\W\d_]\.-?)*[^\W\d_]", token):
        # An initial or an acronym: J. R. R. Tolkien, U.S., z. B.; yet "plan B. The …".
        return starter and not re.fullmatch(r"[A-Z]\.", (words[-2:-1] or [""])[0])
    if len(words) == 1 and re.fullmatch(r"[0-9]{1,3}|[ivx]{1,4}", low):
        return False  # the number of a list item: "1. Install it."
    if known.tongue == "de" and token.isdigit() and len(token) < 3:
        return starter  # am 3. Oktober
    # "… at Bell Labs. make is small": a lower-case beginning, unless it may be an abbreviation.
    return begins or (len(token) >= 3 and "." not in token and token[-1].isalnum())


def _opener(closer: str) -> str:
    return next((a for a, b in PAIRS.items() if b == closer), closer)


def _kept_whole(text: str, opened: int, closed: int) -> bool:
    cjk = bool(_CJK.match(text, opened + 1)) or text[opened] in "「『（"
    limit = WHOLE_QUOTE_MAX_CHARS // (2 if cjk else 1)
    return closed - opened <= limit


def _bracketed(text: str) -> list[tuple[int, int]]:
    """Where matching brackets and quotation marks stand; unmatched ones are left out."""
    found: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    straight: int | None = None
    for at, char in enumerate(text):
        if char in PAIRS:
            stack.append((PAIRS[char], at))
        elif char == '"':
            if straight is None:
                straight = at
            else:
                found.append((straight, at))
                straight = None
        else:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][0] == char:
                    found.append((stack[depth][1], at))
                    del stack[depth:]
                    break
    return found
