"""Which sentences of a text to keep when there is not time for all.

Extractive, and deterministic: sentences are scored by where they stand, by the
words they share with the heading and with the whole text, and by their length;
the best are kept in their order. A sentence that leans on the one before it
("It …", "However, …") is kept only with that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from movie_build.spoken import CJK, seconds

_STOP_WORDS = (
    "a about above after again all almost also although am an and any are as at be because been "
    "before being below between both but by can cannot could did do does doing done down during "
    "each either else even ever every few for from further get gets got had has have having he "
    "her here hers him his how however i if in into is it its itself just least less let like "
    "made make makes many may me might more most much must my neither never no nor not nothing "
    "now of off often on once one only onto or other our out over own per quite rather really "
    "same she should since so some still such than that the their them then there these they "
    "thing things this those though through to too under until up upon us use used using very "
    "was we well were what when where whether which while who whom whose why will with within "
    "without would yet you your der die das und ist nicht mit von den ein eine zu auf auch le la "
    "les et des est que dans une pour qui pas sur avec du el los de y en un por con para las del"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())
_LEANING = re.compile(
    r"(?:it|its|they|their|this|these|those|that|he|she|his|her|such|both|however|but|and|so|also"
    r"|therefore|thus|then|similarly|additionally|likewise|for (?:example|instance)|as before"
    r"|instead|yet|still|otherwise|moreover|besides|worse|better|here|there"
    r"|es|sie|er|diese[rs]?|aber|il|elle|ils|elles|cela|mais|donc)\b"
    r"|これ|それ|あれ|この|その|あの|ここ|そこ|こう|そう|こうした|そうした|しかし|だが|ところが|でも|また|さらに|そして|だから"
    r"|したがって|つまり|すると|なお|ただし|一方|しかも|このため|そのため",
    re.IGNORECASE,
)
_POINTING_AWAY = re.compile(
    r"\b(?:following|below|as follows|shown here|looks like this)\b"
    r"|次の(?:よう|とおり)|以下の?(?:よう|とおり)",
    re.IGNORECASE,
)
_CJK_TERM = re.compile(f"[\u3400-\u9fff々]{{2,}}|[\u30a1-\u30fa\u30fc]{{2,}}|[{CJK}](?![{CJK}])")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is kept or left as one: a sentence, or the sentences that speak a list.

    `paragraph` counts within the section; `leans` says that it needs the unit before it.
    """

    texts: tuple[str, ...]
    paragraph: int
    leans: bool = False
    bonus: float = 0.0

    @property
    def seconds(self) -> float:
        """About how long it takes to speak."""
        return sum(map(seconds, self.texts))


_CREDITS = re.compile(
    r"contributed to this|all rights reserved|©|\(c\) \d{4}|^\(?sourc(?:e|ing):|sign up for"
    r"|subscribe|photograph:|getty images|follow (?:me|us) on|originally (?:published|appeared)"
    r"|^(?:photo|image)s?(?: credit)?:|無断転載|転載を禁|メルマガ"
    r"|^[（(]?(?:出典|写真|画像|編集|编辑)[:：]"
    r"|sign up to (?:our|my)|\b(?:our|my) (?:free |daily |weekly |monthly )?newsletter"
    r"|^this (?:article|post|story|page) (?:was|has been|is) (?:last )?(?:amended|corrected|updated"
    r"|translated|republished|edited)|^(?:correction|editor[’']s note|disclosure)\s?:"
    r"|^(?:special |many )?thanks to .*\b(?:reading|reviewing|feedback|comments|drafts?|helping)\b"
    r"|^thank(?:s| you) for reading|^(?:questions or )?comments\?$"
    r"|(?:find|let) me (?:know )?(?:on|at|in)\b"
    r"|(?:leave|post) (?:a|your) comment|^see also\b"
    r"|^see (?:the|our|my) (?:\w+ ){0,2}(?:docs|documentation|readme|wiki|website|repo)\b.{0,20}$"
    r"|^(?:see|refer to|read|check out|visit)\b.*\bfor (?:more|further) (?:details?|information)"
    r"|^for (?:more|further) (?:details?|information)\b"
    r"|^see (?!you\b|how\b|what\b|if\b|why\b|whether\b)\S+(?: \S+){0,7}$"
    r"|^(?:詳しく|詳細)(?:は|については).*(?:ご覧|参照|をどうぞ|を見て)"
    r"|この記事が(?:気に入|役に立|参考にな)|(?:シェア|フォロー|いいね|登録)を?お願い|^[※→←▶◀＞≫]",
    re.IGNORECASE,
)
# "As you can see above, …": on a slide it is another above.
_POINTER = re.compile(
    r"^(?:as (?:(?:you can|we can|can be) )?(?:see|seen|shown|mentioned|noted|described|discussed)"
    r"(?: (?:above|below|earlier|here|before|previously|in (?:the )?[^,]{1,30}))?,"
    r"|(?:上記|下記|上図|下図|前述|先述)の(?:よう|とおり)に?、?)\s*",
    re.IGNORECASE,
)


def is_credit(sentence: str) -> bool:
    """Whether `sentence` is about the page and its makers, not about the subject."""
    return bool(_CREDITS.search(sentence))


def without_pointer(sentence: str) -> str:
    """`sentence` without an opening that only points to another place of the page."""
    said = _POINTER.sub("", sentence)
    return sentence if said == sentence or not said else said[0].upper() + said[1:]


def leans(sentence: str) -> bool:
    """Whether `sentence` begins by pointing back, and says little without the one before."""
    return bool(_LEANING.match(sentence.lstrip("\"'“「『(（")))


def points_away(sentence: str) -> bool:
    """Whether `sentence` announces something that has to be seen."""
    return sentence.rstrip().endswith((":", "：")) or bool(_POINTING_AWAY.search(sentence))


def terms(text: str) -> list[str]:
    """The words of `text` that carry meaning, lower-case, in order."""
    latin = (word.strip("'’-") for word in re.findall(r"[a-zà-öø-ÿ0-9'’-]+", text.lower()))
    found = [word for word in latin if len(word) > 2 and word not in STOP_WORDS]
    return found + _CJK_TERM.findall(text)


def weights(texts: Iterable[str]) -> dict[str, float]:
    """How much each term of a text matters: its share of all occurrences, the top at 1."""
    counts = Counter(term for text in texts for term in terms(text))
    most = max(counts.values(), default=1)
    return {term: count / most for term, count in counts.items()}


def pick(
    units: Sequence[Unit], title: str, important: dict[str, float], budget_s: float
) -> list[int]:
    """The indices of the `units` to keep, in order, that take at most about `budget_s`.

    At least one is kept.
    """
    if sum(unit.seconds for unit in units) <= budget_s:
        return list(range(len(units)))
    scores = [_score(units, at, set(terms(title)), important) for at in range(len(units))]
    chosen: set[int] = set()
    spent = 0.0
    for at in sorted(range(len(units)), key=lambda at: (-scores[at], at)):
        needed = _with_support(units, at) - chosen
        cost = sum(units[one].seconds for one in needed)
        if needed and (spent + cost <= budget_s or not chosen):
            chosen |= needed
            spent += cost
    return sorted(chosen)


def _with_support(units: Sequence[Unit], at: int) -> set[int]:
    needed = {at}
    while at and units[at].leans:
        at -= 1
        needed.add(at)
    return needed


def _score(units: Sequence[Unit], at: int, title: set[str], important: dict[str, float]) -> float:
    unit = units[at]
    words = {term for text in unit.texts for term in terms(text)}
    score = unit.bonus
    if words:
        score += 2 * sum(important.get(word, 0.0) for word in words) / (len(words) + 3)
        score += 1.0 * len(words & title) / (len(title) or 1)
    opens = at == 0 or units[at - 1].paragraph != unit.paragraph
    score += 1.0 if at == 0 else 0.5 if opens else 0.0
    score -= 0.4 if unit.leans else 0.0
    score -= 0.8 if points_away(unit.texts[-1]) else 0.0
    long_s = unit.seconds / len(unit.texts)
    score -= 1.0 if long_s < 1.2 else 0.0
    return score - max(0.0, long_s - 14) / 14
