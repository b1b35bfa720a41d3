"""Dictionary words lent to an engine for as long as a build speaks, and taken back.

The user's own entries are never changed. A word that is there already is not added; one of
the user's that would win over ours is an error, because what would be heard is not certain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from movie_build.config import Word
from movie_build.errors import VoiceError
from movie_build.service import Retry
from movie_build.voices.voicevox_http import EngineHttp, Refusal
from movie_build.voices.voicevox_journal import Journal, Loan

_KATAKANA = re.compile(r"[ァ-ヴー]+")
# Where Open JTalk's wide form is not the one 0xFEE0 higher.
_WIDE = {" ": "\u3000", "-": "−", "'": "’", '"': "”", "`": "‘", "\\": "￥", "~": "〜"}
_NARROW = {
    ord(unicodedata.normalize("NFKC", wide)): narrow
    for narrow, wide in _WIDE.items()
    if narrow != " "
}
_FORBIDDEN, _GONE = 403, (404, 422)
# What an entry's part of speech and its detail were asked for as.
_WORD_TYPES = {
    ("名詞", "固有名詞"): "PROPER_NOUN",
    ("名詞", "一般"): "COMMON_NOUN",
    ("動詞", "自立"): "VERB",
    ("形容詞", "自立"): "ADJECTIVE",
    ("名詞", "接尾"): "SUFFIX",
}


def words_in(text: str, words: Sequence[Word]) -> tuple[Word, ...]:
    """The words that can change how `text` is spoken: those that stand anywhere in it."""
    plain = _plain(text)
    return tuple(word for word in words if word.surface and _plain(word.surface) in plain)


def katakana(word: Word) -> str:
    """The word's reading as engines want it.

    Raises:
        VoiceError: it has other characters than kana.
    """
    reading = unicodedata.normalize("NFKC", "".join(word.reading.split())).replace("・", "")
    kana = "".join(chr(ord(c) + 96) if "ぁ" <= c <= "ゔ" else c for c in reading)
    if not _KATAKANA.fullmatch(kana):
        raise VoiceError(
            f"pronunciation.custom: {word.surface}: the reading {word.reading!r} is not in kana; "
            "write it in katakana"
        )
    return kana


class Dictionary:
    """Our words in the dictionary of `engine`; what is lent is written down in `folder`."""

    def __init__(self, engine: EngineHttp, words: Sequence[Word], folder: Path) -> None:
        self._engine = engine
        self._words = words
        self._journal = Journal(folder, engine.url)
        self._entered = False
        self._owned_by_user: set[Word] = set()

    @contextmanager
    def for_text(self, text: str) -> Iterator[None]:
        """While it lasts, of all words that builds lend the engine, exactly ours apply to `text`.

        Raises:
            VoiceError: a word is refused, or the user's own entry stands against it.
            Retry, Unreachable: the engine failed.
        """
        with self._journal.alone():
            loans = self._known()
            if not self._entered:
                only = self._journal.enter()
                self._entered = True
                if only:
                    loans = self._take_back(loans, loans)
            wanted = {_loan(word): word for word in words_in(text, self._words)}
            plain = _plain(text)
            foreign = [
                loan
                for loan in loans
                if _plain(loan.surface) in plain and _bare(loan) not in wanted
            ]
            if foreign:
                loans = self._take_back(loans, foreign)
            have = {_bare(loan) for loan in loans}
            for loan, word in wanted.items():
                if loan not in have and word not in self._owned_by_user:
                    loans = self._lend(loans, loan, word)
            yield

    def restore(self) -> None:
        """Take back what is lent, unless another build still speaks with the engine: it will then.

        Raises:
            VoiceError, Retry, Unreachable: the engine failed; the next build that uses it goes on.
        """
        if not self._entered:
            return
        with self._journal.alone(), self._journal.leaving() as is_last:
            if is_last:
                loans = self._known()
                self._take_back(loans, loans)
        self._entered = False

    def abandon(self) -> None:
        """Leave what is lent to the next build that uses the engine."""
        self._journal.leave()
        self._entered = False

    def _known(self) -> list[Loan]:
        """The loans, those found again whose adding was cut off."""
        loans = self._journal.read()
        if all(loan.uuid for loan in loans):
            return loans
        entries = self._entries()
        taken = {loan.uuid for loan in loans}
        found = []
        for loan in loans:
            uuid = loan.uuid or next(
                (
                    uuid
                    for uuid, entry in entries.items()
                    if uuid not in loan.before and uuid not in taken and _same(entry, loan)
                ),
                "",
            )
            if uuid:
                taken.add(uuid)
                found.append(replace(loan, uuid=uuid))
        self._journal.write(found)
        return found

    def _lend(self, loans: list[Loan], loan: Loan, word: Word) -> list[Loan]:
        """Add a word, unless the user has it; the loans with it."""
        own = {
            uuid: entry
            for uuid, entry in self._entries().items()
            if _plain(entry.surface) == _plain(loan.surface)
            and uuid not in {known.uuid for known in loans}
        }
        if any(_same(entry, loan) for entry in own.values()):
            self._owned_by_user.add(word)
            return loans
        for entry in own.values():
            if entry.priority >= loan.priority:
                raise VoiceError(
                    f"{self._engine.url}'s user dictionary has {word.surface} as "
                    f"{_shown(entry)}, pronunciation.custom as {_shown(loan)}: give yours "
                    "the higher priority, or remove the engine's"
                )
        # Written down first: if this is killed now, the next build knows what to look for.
        pending = replace(loan, before=tuple(own))
        self._journal.write([*loans, pending])
        try:
            answer = self._engine.ask(
                "POST",
                "/user_dict_word",
                params={
                    "surface": loan.surface,
                    "pronunciation": loan.pronunciation,
                    "accent_type": loan.accent_type,
                    "word_type": loan.word_type,
                    "priority": loan.priority,
                },
            )
        except Refusal as refusal:
            self._journal.write(loans)
            if refusal.status == _FORBIDDEN:
                raise VoiceError(
                    f"{self._engine.url} lets nobody change its dictionary (403): start it "
                    "without --disable_mutable_api, or give the lines a `reading`"
                ) from refusal
            raise VoiceError(f"pronunciation.custom: {word.surface}: {refusal}") from refusal
        lent = [*loans, replace(pending, uuid=_uuid(answer))]
        self._journal.write(lent)
        return lent if lent[-1].uuid else self._known()

    def _take_back(self, loans: list[Loan], which: list[Loan]) -> list[Loan]:
        """Remove `which` from the engine; the loans that are left."""
        entries = self._entries() if which else {}
        for loan in which:
            entry = entries.get(loan.uuid)
            # One that the user has edited since is the user's.
            if entry and _same(entry, loan):
                try:
                    self._engine.ask("DELETE", f"/user_dict_word/{loan.uuid}")
                except Refusal as refusal:
                    if refusal.status not in _GONE:
                        raise
            loans = [other for other in loans if other != loan]
            self._journal.write(loans)
        return loans

    def _entries(self) -> Mapping[str, Loan]:
        """The engine's user dictionary, by UUID."""
        try:
            told = self._engine.ask_json("GET", "/user_dict")
        except Refusal as refusal:
            raise VoiceError(
                f"this engine has no user dictionary ({refusal}): give the lines a `reading`"
            ) from refusal
        try:
            return {uuid: _entry(fields) for uuid, fields in told.items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Retry(f"{self._engine.url}/user_dict sent no dictionary") from error


def _loan(word: Word) -> Loan:
    return Loan(_wide(word.surface), katakana(word), word.accent, word.word_type, word.priority)


def _bare(loan: Loan) -> Loan:
    return replace(loan, uuid="", before=())


def _entry(fields: Mapping[str, object]) -> Loan:
    kind = (str(fields.get("part_of_speech")), str(fields.get("part_of_speech_detail_1")))
    return Loan(
        str(fields["surface"]),
        str(_one(fields["pronunciation"])),
        int(str(_one(fields["accent_type"]))),
        str(fields.get("word_type") or _WORD_TYPES.get(kind, "")),
        int(str(fields["priority"])),
    )


def _one(value: object) -> object:
    # AivisSpeech has lists here, of one where the word is one.
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _same(entry: Loan, loan: Loan) -> bool:
    """Whether an engine's entry is what `loan` asked for; engines may write its surface wider."""
    return (
        _plain(entry.surface) == _plain(loan.surface)
        and (entry.pronunciation, entry.accent_type, entry.priority)
        == (loan.pronunciation, loan.accent_type, loan.priority)
        and entry.word_type in ("", loan.word_type)
    )


def _shown(loan: Loan) -> str:
    return f"{loan.pronunciation} (accent {loan.accent_type}, priority {loan.priority})"


def _plain(text: str) -> str:
    """`text` as surfaces are compared: whatever the width."""
    return unicodedata.normalize("NFKC", text).translate(_NARROW)


def _wide(text: str) -> str:
    """`text` as Open JTalk's text2mecab writes it: its ASCII wide."""
    return "".join(_WIDE.get(c) or (chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c) for c in text)


def _uuid(answer: bytes) -> str:
    """The UUID that an engine answers, in quotes or not; empty if it answers anything else."""
    text = answer.decode("utf-8", "replace").strip().strip('"')
    return text if re.fullmatch(r"[0-9A-Fa-f-]{32,36}", text) else ""
