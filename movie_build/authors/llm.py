"""The author that asks a model: any service that speaks OpenAI's chat protocol.

The article is data: it is marked off, and whatever the model makes of it must
pass the same checks. What is wrong with an answer is sent back to the model,
and after the last round told to the user. Long articles are told in parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from movie_build.article import Article, Block, Heading, Picture
from movie_build.authors import tokens
from movie_build.authors.chat import Chat, Message, Reply, TooLong
from movie_build.authors.chunks import Chunk, chunks, halves
from movie_build.authors.form import schema
from movie_build.authors.llm_settings import LlmSettings
from movie_build.authors.pictures import image_of, numbered
from movie_build.authors.question import Asking
from movie_build.authors.quoted import block_text, visible
from movie_build.authors.review import Flaw, Review, Told, review
from movie_build.errors import AuthorError
from movie_build.keys import normal
from movie_build.script import Script
from movie_build.service import Service
from movie_build.spoken import seconds

__all__ = ["Llm", "LlmSettings", "Progress", "Report", "write"]

Progress = Callable[[int, int, str], None]
Report = Callable[[str], None]

# What the instructions, the headings around a part and a list of mistakes take, in tokens.
_AROUND_TOKENS = 2_000
_LEAST_TOKENS = 200
_SHORTEST_S = 20.0
_MOST_CUTS = 4
_SUBTITLE_MAX_CHARS = 160


def write(
    article: Article,
    settings: LlmSettings,
    service: Service,
    *,
    progress: Progress | None = None,
    report: Report | None = None,
) -> Script:
    """The script of `article`, written by the model that `settings` name, through `service`.

    Raises:
        AuthorError: the model gives no usable script, or its service none at all.
        BudgetError: it could cost more than what is left.
    """
    return Llm(settings, service, progress, report).write(article)


@dataclass(frozen=True, slots=True)
class Llm:
    """A model as an `Author`.

    `progress` is told the parts done, their number, and what goes on; `report`
    what the user should know when all is done.
    """

    settings: LlmSettings
    service: Service
    progress: Progress | None = None
    report: Report | None = None

    def write(self, article: Article) -> Script:
        """The script of `article`."""
        return _Writing(self, article).script()


@dataclass(frozen=True, slots=True)
class _Part:
    """A chunk and the seconds it is to be told in; `n_cuts` is how often it was cut in two."""

    chunk: Chunk
    seconds: float
    n_cuts: int = 0


_CUT_OFF = Review(
    flaws=(Flaw("", "it is cut off at the service's length limit; raise max_output_tokens"),),
    is_json=False,
)


class _CutOff(Exception):
    """A part is too much for one answer."""


class _Writing:
    """One article on its way to a script."""

    def __init__(self, author: Llm, article: Article) -> None:
        self.settings = settings = author.settings
        self.article = article
        self.numbers = numbered(article)
        self.asking = Asking(article, settings, self.numbers)
        self.chat = Chat(settings, author.service)
        self.told: list[Told] = []
        self.title = self.description = ""
        self._progress = author.progress or (lambda done, whole, what: None)
        self._report = author.report or (lambda told: None)
        self._done = self._whole = 0
        self._sizes: dict[Block, int] = {}

    def script(self) -> Script:
        blocks = tuple(b for b in self.article.blocks if block_text(b, self.numbers).strip())
        if all(isinstance(block, Heading | Picture) for block in blocks):
            raise AuthorError(f"{self.article.origin}: there is no text in it that could be told")
        waiting = deque(self._parts(Chunk(blocks)))
        self._whole = len(waiting)
        while waiting:
            part = waiting.popleft()
            self._say(f"part {self._done + 1} of {self._whole}: {self.settings.model} is writing")
            try:
                self._add(self._review(part, last=not waiting))
            except _CutOff as error:
                two = self._cut(part)
                if two is None:
                    raise self._failed(str(error)) from error
                waiting.extendleft(reversed(two))
                self._whole += 1
                continue
            self._done += 1
        self._say(f"{len(self.told)} sections")
        return self._joined()

    def _parts(self, whole: Chunk) -> list[_Part]:
        """The article in parts that leave room in the window for an answer and its correction."""
        settings, article = self.settings, self.article
        most_s = sum(seconds(block_text(block, self.numbers)) for block in whole.blocks)
        time_s = max(_SHORTEST_S, min(settings.max_minutes * 60, most_s * 1.2 + _SHORTEST_S))
        room = settings.window_tokens - _AROUND_TOKENS
        room -= tokens.at_most(f"{self.asking.system('', ())}{article.title}{article.description}")
        total = self._chunk_size(whole) or 1

        def time_of(chunk: Chunk) -> float:
            return max(_SHORTEST_S, time_s * self._chunk_size(chunk) / total)

        def fits(chunk: Chunk) -> bool:
            size = self._chunk_size(chunk) + sum(map(self._size, chunk.trail))
            answer = self.asking.answer_tokens(time_of(chunk))
            longest = settings.max_output_tokens or answer
            is_told = answer <= longest or size <= _LEAST_TOKENS
            return size + 2 * longest <= room and is_told

        least = settings.max_output_tokens or self.asking.answer_tokens(_SHORTEST_S)
        if room < _LEAST_TOKENS + 2 * least:
            raise AuthorError(
                f"window_tokens is {settings.window_tokens}, too small for instructions, article "
                "and answer: raise it to what the model can take, or lower max_output_tokens"
            )
        return [_Part(chunk, time_of(chunk)) for chunk in chunks(whole, fits, self._size)]

    def _chunk_size(self, chunk: Chunk) -> int:
        return sum(map(self._size, chunk.blocks))

    def _size(self, block: Block) -> int:
        if block not in self._sizes:
            self._sizes[block] = tokens.at_most(block_text(block, self.numbers)) + 2
        return self._sizes[block]

    def _cut(self, part: _Part) -> tuple[_Part, _Part] | None:
        two = halves(part.chunk, self._size) if part.n_cuts < _MOST_CUTS else None
        if two is None or self._chunk_size(part.chunk) < _LEAST_TOKENS / 4:
            return None
        first, second = (
            _Part(half, max(_SHORTEST_S, part.seconds / 2), part.n_cuts + 1) for half in two
        )
        return first, second

    def _review(self, part: _Part, *, last: bool) -> Review:
        """The part as it was told, after at most `n_repairs` corrections.

        Raises:
            _CutOff: it has to be cut in two.
        """
        n = self._done + 1
        titles = [one.section.title for one in self.told]
        n_parts = n if last else max(self._whole, n + 1)
        form, asked = self.asking.question(part.chunk, part.seconds, n, n_parts, titles)
        label = f"part {n}"
        messages, found = asked, _CUT_OFF
        best: Review | None = None
        seen: list[Reply] = []
        for n_repair in range(self.settings.n_repairs + 1):
            try:
                expected = self.asking.answer_tokens(part.seconds)
                reply = self.chat.ask(messages, schema(form), label, expected, n_repair)
            except TooLong as error:
                if best:
                    break
                raise _CutOff(
                    "the article's smallest part is beyond what the model takes in: lower "
                    "window_tokens, or choose a model with a larger window"
                ) from error
            seen.append(reply)
            self._check(reply, messages, seen)
            if reply.cut_off:
                if self._cut(part):
                    raise _CutOff("every answer is cut off at the service's length limit")
                found = _CUT_OFF
                messages = _with_more(asked, self.asking.repair(()))
                continue
            found = review(reply.text, form)
            if not found.flaws:
                return found
            best = found if found.usable else best
            if n_repair < self.settings.n_repairs:
                n = len(found.flaws)
                several = "s" * (n != 1)
                self._say(f"{label}: {n} mistake{several} in its answer, asking to correct")
                messages = self._repaired(asked, reply, found)
        if best:
            kinds = "; ".join(str(flaw) for flaw in best.flaws)
            self._report(f"{label} of the script is taken as it is, although {kinds}")
            return best
        self._set_aside(seen)
        raise self._failed("; ".join(str(flaw) for flaw in found.flaws[:5]))

    def _repaired(self, asked: list[Message], reply: Reply, found: Review) -> list[Message]:
        """The question, the answer and its mistakes; older answers are of no more use."""
        mistakes = [str(flaw) for flaw in found.flaws[:20]]
        if reply.called_tools and not reply.text.strip():
            mistakes = ["there are no tools to call; answer with the JSON object itself"]
        again = self.asking.repair(mistakes)
        if not found.is_json:
            self.chat.loosen()
        if not reply.text.strip():
            # Empty turns, and two of one side in a row, are refused by many services.
            return _with_more(asked, again)
        return [*asked, Message("assistant", reply.text), Message("user", again)]

    def _check(self, reply: Reply, messages: Sequence[Message], seen: list[Reply]) -> None:
        refusal = reply.refusal or ("its content filter" * (reply.finish == "content_filter"))
        if refusal and not reply.text.strip():
            self._set_aside(seen)
            said = " ".join(visible(refusal).split())[:200]
            raise AuthorError(
                f"{self.chat.place} refuses to write about {self.article.origin}: {said}; "
                "try another model, or write script.yaml with the author `outline`"
            )
        sent = sum(tokens.at_least(message.text) for message in messages)
        if len(seen) == 1 and 0 < reply.tokens_in < sent:
            self._report(
                f"warning: {self.chat.place} says it read {reply.tokens_in} tokens, fewer than "
                f"were sent (at least {sent}): if its window is smaller, set window_tokens to it"
            )

    def _add(self, found: Review) -> None:
        if not self.told:
            self.title = found.title
            self.description = found.description
        self.told.extend(found.sections)

    def _joined(self) -> Script:
        """The parts as one script with one title, and one opening."""
        title = self.title or normal(visible(self.article.title))
        description = self.description or normal(visible(self.article.description))
        by_number: dict[int, Picture] = {}
        for block in self.article.blocks:
            if isinstance(block, Picture) and block.src in self.numbers:
                by_number.setdefault(self.numbers[block.src], block)
        sections = [
            replace(one.section, image=image_of(by_number[one.picture], self.article))
            if one.picture
            else one.section
            for one in self.told
        ]
        first = sections[0]
        if not (first.image or first.bullets or first.slide_prompt):
            subtitle = description if len(description) <= _SUBTITLE_MAX_CHARS else ""
            sections[0] = replace(first, title=title, subtitle=subtitle, template="title")
        return Script(title, tuple(sections), description, self.asking.language)

    def _say(self, what: str) -> None:
        self._progress(self._done, max(1, self._whole), what)

    def _set_aside(self, seen: Sequence[Reply]) -> None:
        for reply in seen:
            self.chat.kept.set_aside(reply.kept)

    def _failed(self, why: str) -> AuthorError:
        keep = self.settings.keep
        kept = f"; its answers are kept in {keep.parent.name}/{keep.name}" if keep else ""
        return AuthorError(
            f"{self.chat.place} gave no usable script of {self.article.origin}, also when told its "
            f"mistakes: {why}{kept}; run doit again, or try another model"
        )


def _with_more(asked: list[Message], text: str) -> list[Message]:
    *before, last = asked
    return [*before, Message(last.role, f"{last.text}\n\n{text}")]
