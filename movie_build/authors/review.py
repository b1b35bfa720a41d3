"""A model's answer, made to sections as the outline makes them, and what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from movie_build.authors.form import Form, LineAnswer, ScriptAnswer, SectionAnswer
from movie_build.authors.json_answer import NoJson, script_in
from movie_build.authors.quoted import visible
from movie_build.keys import normal
from movie_build.script import Line, Section
from movie_build.sentences import split
from movie_build.spoken import is_cjk, seconds

LINE_MAX_CHARS = 250
TITLE_MAX_CHARS = 120
BULLET_MAX_CHARS = 160
BULLETS_MAX = 8
LINES_MAX = 40
SECTIONS_MAX = 60
DESCRIPTION_MAX_CHARS = 1000
PROMPT_MAX_CHARS = 1500
# A little over the time asked for is not worth another call.
_OVER = 1.5
_MOST_TOLD = 12

_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://|(?<![a-z0-9])(?:www\.|(?:javascript|mailto|data|file):)\S|\]\([^)\s]"
    r"|[\w.+-]@[\w-]+\.[a-z]{2,}"
    r"|(?<![a-z0-9])(?:[a-z0-9-]+\.)+(?:com|org|net|io|ly|gg|me|dev|app|ai|co|info|biz|xyz|jp|de|fr|uk|ru|cn"
    r"|example|test|invalid)/\S",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z!][^<>]*>|<!--|&(?:lt|gt|quot|nbsp|#\d+);", re.IGNORECASE)
# The name of an element on a slide about HTML: shown as it stands, it does nothing.
_BARE_TAG = re.compile(r"</?[a-z][a-z0-9-]*\s*/?>", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*\*(\S(?:.*?\S)?)\*\*|`([^`]+)`")
_ITEM = re.compile(r"^(?:[-*•・]\s*|#{1,6}\s+)")
_NOT_KANA = re.compile("[A-Za-zＡ-Ｚａ-ｚ\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong at a place. A `grave` one makes the answer unusable.

    It never repeats what the model wrote: it is sent back outside of the data.
    """

    place: str
    what: str
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.place else self.what


@dataclass(frozen=True, slots=True)
class Told:
    """A section, and the number of the picture that it is to show."""

    section: Section
    picture: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What an answer gives. `is_json` tells an answer with mistakes from none at all."""

    sections: tuple[Told, ...] = ()
    title: str = ""
    description: str = ""
    flaws: tuple[Flaw, ...] = ()
    is_json: bool = True

    @property
    def usable(self) -> bool:
        """Whether a script can be made of it, good or not so good."""
        return not any(flaw.grave for flaw in self.flaws)


def review(text: str, form: Form) -> Review:
    """What `text` gives for `form`, tidied where the meaning is plain."""
    if not text.strip():
        flaw = Flaw("", "the answer was empty; answer with the JSON object")
        return Review(flaws=(flaw,), is_json=False)
    try:
        answer = ScriptAnswer.model_validate(script_in(text))
    except NoJson as error:
        flaw = Flaw("", f"{error}; answer with one JSON object and nothing else")
        return Review(flaws=(flaw,), is_json=False)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        return Review(flaws=tuple(Flaw(_at(d["loc"]), d["msg"]) for d in details[:_MOST_TOLD]))
    return _Reader(form).read(answer)


def _at(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


@dataclass(slots=True)
class _Reader:
    form: Form
    flaws: list[Flaw] = field(default_factory=list)

    def read(self, answer: ScriptAnswer) -> Review:
        most = LINE_MAX_CHARS // 2 if is_cjk(self.form.language) else LINE_MAX_CHARS
        title = description = ""
        if self.form.opens:
            title = self.text(answer.title, "title", TITLE_MAX_CHARS)
            description = self.text(answer.description, "description", DESCRIPTION_MAX_CHARS)
        if not answer.sections:
            self.flaw("sections", "there is none; write at least one")
        if len(answer.sections) > SECTIONS_MAX:
            self.flaw("sections", f"there are more than {SECTIONS_MAX}; write fewer")
        told = tuple(
            self.section(section, f"sections[{n}]", most)
            for n, section in enumerate(answer.sections[:SECTIONS_MAX])
        )
        self.whole([one.section for one in told])
        return Review(told, title, description, tuple(self.flaws))

    def section(self, answer: SectionAnswer, place: str, most: int) -> Told:
        title = self.text(_ITEM.sub("", answer.title), f"{place}.title", TITLE_MAX_CHARS)
        if not title:
            self.flaw(f"{place}.title", "it is empty; give the slide a title")
        if len(answer.bullets) > BULLETS_MAX:
            self.flaw(f"{place}.bullets", f"there are more than {BULLETS_MAX}; write fewer")
        bullets = (
            self.text(_ITEM.sub("", bullet.strip()), f"{place}.bullets[{n}]", BULLET_MAX_CHARS)
            for n, bullet in enumerate(answer.bullets[:BULLETS_MAX])
        )
        if len(answer.narrations) > LINES_MAX:
            self.flaw(f"{place}.narrations", f"there are more than {LINES_MAX}; write fewer")
        lines = [
            line
            for n, one in enumerate(answer.narrations[:LINES_MAX])
            for line in self.lines(one, f"{place}.narrations[{n}]", most)
        ]
        if not lines:
            self.flaw(f"{place}.narrations", "nothing is said over this slide; write its lines")
        picture = answer.picture
        if picture is not None and picture not in self.form.pictures:
            numbers = ", ".join(map(str, self.form.pictures)) or "none is offered"
            self.flaw(
                f"{place}.picture", f"there is no such picture; use null or one of: {numbers}"
            )
            picture = None
        prompt = answer.slide_prompt if self.form.slide_prompts else ""
        section = Section(
            title,
            tuple(lines),
            bullets=tuple(filter(None, bullets)),
            slide_prompt=self.text(prompt, f"{place}.slide_prompt", PROMPT_MAX_CHARS),
        )
        return Told(section, picture)

    def lines(self, answer: LineAnswer, place: str, most: int) -> Iterator[Line]:
        """The line as it is, or its sentences as lines where it is long."""
        speaker = self.speaker(answer.persona_id, place)
        named = "|".join(
            re.escape(name) for m in self.form.cast for name in (m.name, m.persona_id) if name
        )
        plain = re.sub(rf"^\s*(?:{named})\s*[:：]\s*", "", answer.text) if named else answer.text
        text = self.text(plain, f"{place}.text", 4 * most, spoken=True)
        if not any(char.isalnum() for char in text):
            return
        reading = self.reading(answer.reading, text, f"{place}.reading")
        for one in [text] if reading or len(text) <= most else _together(text, most, self.form):
            if len(one) > 2 * most:
                what = f"the line is {len(one)} characters long; write lines of at most {most}"
                self.flaw(f"{place}.text", what)
            yield Line(one, reading=reading, persona_id=speaker)

    def speaker(self, given: str, place: str) -> str:
        cast = self.form.cast
        if len(cast) < 2:
            return cast[0].persona_id if cast else ""
        wanted = normal(given).casefold()
        for member in cast:
            if wanted and wanted in (member.persona_id.casefold(), member.name.casefold()):
                return member.persona_id
        ids = ", ".join(member.persona_id for member in cast)
        self.flaw(f"{place}.persona_id", f"nobody is called so; use one of: {ids}")
        return ""

    def reading(self, given: str, text: str, place: str) -> str:
        if not self.form.readings:
            return ""
        reading = self.text(given, place, 8 * len(text) + 20).translate(_HIRAGANA)
        if _NOT_KANA.search(reading):
            self.flaw(place, "it must be katakana only, for the whole line; write it so, or empty")
        return reading

    def text(self, given: str, place: str, most: int, *, spoken: bool = False) -> str:
        """`given` as plain text on one line, checked for what must not be in it."""
        text = normal(visible(given))
        if len(text) > most:
            self.flaw(place, f"it is {len(text)} characters long; write at most {most}")
            return text[:most]
        # No more than once around: what is left of nested marks is told, not guessed at.
        text = _EMPHASIS.sub(lambda found: next(filter(None, found.groups()), ""), text)
        if _LINK.search(unicodedata.normalize("NFKC", text)):
            self.flaw(place, "it holds a link or an address; write what it is about instead")
        tags = text if spoken else _BARE_TAG.sub("", text)
        if _TAG.search(tags):
            self.flaw(place, "it holds HTML; write plain words")
        if self.form.mark and self.form.mark.lower() in text.lower():
            self.flaw(place, "it repeats the mark around the article; leave it out")
        return text

    def whole(self, sections: list[Section]) -> None:
        """What can only be seen of the whole; none of it makes the answer useless."""
        lines = [line for section in sections for line in section.narrations]
        minutes = sum(seconds(line.text) for line in lines) / 60
        most = self.form.max_minutes
        if minutes > most * _OVER + 0.3:
            what = f"it takes about {minutes:.1f} minutes to speak; write for {most:.1f}"
            self.flaw("sections", what, grave=False)
        silent = {m.persona_id for m in self.form.cast} - {line.persona_id for line in lines}
        if self.form.is_dialogue and silent and len(lines) >= 2 * len(self.form.cast):
            names = ", ".join(sorted(silent))
            self.flaw("sections", f"never heard: {names}; let them speak", grave=False)
        if self.form.readings:
            latin = [line for line in lines if _LATIN.search(line.text)]
            bare = [line for line in latin if not line.reading]
            if len(bare) * 3 > len(latin):
                what = "lines with Latin letters have no reading; write it in katakana"
                self.flaw("sections", what, grave=False)

    def flaw(self, place: str, what: str, *, grave: bool = True) -> None:
        self.flaws.append(Flaw(place, what, grave))


def _together(text: str, most: int, form: Form) -> list[str]:
    """The sentences of `text`, as many together as `most` characters hold."""
    lines: list[str] = []
    space = "" if is_cjk(form.language) else " "
    for sentence in split(text, form.language):
        if lines and len(lines[-1]) + len(sentence) < most:
            lines[-1] += space + sentence
        else:
            lines.append(sentence)
    return lines
