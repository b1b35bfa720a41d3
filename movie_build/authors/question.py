"""What a model is asked: instructions, and the article as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from movie_build.article import Article, Heading, Picture
from movie_build.authors import tokens
from movie_build.authors.casting import cast
from movie_build.authors.chat import Message
from movie_build.authors.chunks import Chunk
from movie_build.authors.form import Form, schema
from movie_build.authors.llm_settings import LlmSettings
from movie_build.authors.prompts import Prompts
from movie_build.authors.quoted import block_text, mark_for, marked_off, visible
from movie_build.errors import AuthorError
from movie_build.keys import normal
from movie_build.spoken import CHARS_PER_MINUTE, WORDS_PER_MINUTE, is_cjk

_OUTLINE_TOKENS = 600
_SECTION_S = 40.0
_TITLES_SHOWN = 30


class Asking:
    """The questions about one article; `pictures` are the numbers of its pictures by `src`."""

    def __init__(
        self, article: Article, settings: LlmSettings, pictures: Mapping[str, int]
    ) -> None:
        self.article = article
        self.settings = settings
        self.pictures = pictures
        self.language = settings.language or article.language or "en"
        self.cast = cast(settings.personas, settings.pool, f"{article.origin}\0{article.title}")
        self.prompts = Prompts(self.language, settings.prompts)

    def question(
        self, chunk: Chunk, time_s: float, n: int, n_parts: int, titles: Sequence[str]
    ) -> tuple[Form, list[Message]]:
        """What is asked about part `n` of `n_parts`, and the form of its answer.

        `titles` are those of the slides so far.

        Raises:
            AuthorError: the user's prompts cannot be used.
        """
        data = self._data(chunk, n_parts, titles)
        mark = mark_for(*(text for _, text in data))
        shown = {block.src for block in chunk.blocks if isinstance(block, Picture)}
        offered = tuple(sorted({self.pictures[src] for src in shown if src in self.pictures}))
        form = Form(
            language=self.language,
            cast=self.cast,
            pictures=offered,
            slide_prompts=self.settings.slide_prompts,
            max_minutes=time_s / 60,
            mark=mark,
            opens=not titles,
        )
        article = marked_off(mark, data)
        text = self.prompts.fill(
            "part",
            n=n,
            n_parts=n_parts,
            minutes=f"{time_s / 60:.1f}".removesuffix(".0"),
            amount=self._amount(time_s),
            n_sections=max(1, round(time_s / _SECTION_S)),
            article=article,
        )
        if article not in text:
            what = "the prompt leaves the article out: put {{ article }} into it"
            raise AuthorError(what, at=self.prompts.where("part"))
        return form, [Message("system", self.system(mark, offered)), Message("user", text)]

    def system(self, mark: str, offered: tuple[int, ...]) -> str:
        """The instructions, for an article between lines with `mark`."""
        form = Form(self.language, self.cast, offered, self.settings.slide_prompts)
        told = self.prompts.fill(
            "script",
            cast=self.cast,
            character=self.settings.character.strip(),
            style=self.settings.style.strip(),
            readings=form.readings,
            pictures=bool(offered),
            slide_prompts=form.slide_prompts,
            schema=json.dumps(schema(form), ensure_ascii=False, separators=(",", ":")),
        )
        # Apart from the prompt that users replace: what is data holds whatever they write.
        return f"{told}\n\n{self.prompts.fill('data', mark=mark)}"

    def repair(self, mistakes: Sequence[str]) -> str:
        """What is said after a wrong answer; without mistakes, after one that was cut off."""
        return self.prompts.fill("repair", cut_off=not mistakes, mistakes=mistakes)

    def answer_tokens(self, time_s: float) -> int:
        """About what a script of this length takes, JSON, bullets and readings included."""
        minutes = time_s / 60
        if is_cjk(self.language):
            readings = 2.2 if self.language.startswith("ja") else 1.0
            return 400 + round(minutes * CHARS_PER_MINUTE * 1.4 * readings)
        return 400 + round(minutes * WORDS_PER_MINUTE * 2.2)

    def _data(self, chunk: Chunk, n_parts: int, titles: Sequence[str]) -> list[tuple[str, str]]:
        """What comes from the article, and from the model: all that is not instruction."""
        article = self.article
        about = [_flat(article.title), _flat(article.description)]
        named = [("title and description", "\n".join(filter(None, about)))]
        if titles:
            shown = "\n".join(f"- {title}" for title in titles[-_TITLES_SHOWN:])
            named.append(("slides so far", shown))
        elif n_parts > 1:
            named.append(("headings of the whole article", self._headings()))
        if chunk.trail:
            above = " > ".join(_flat(head.text) for head in chunk.trail)
            named.append(("this part stands under the headings", above))
        text = "\n\n".join(block_text(block, self.pictures) for block in chunk.blocks)
        if Form(self.language).readings:
            known = (f"{_flat(w)}: {_flat(kana)}" for w, kana in article.readings if w in text)
            named.append(("readings that the article gives", "\n".join(known)))
        return [*named, ("article", text)]

    def _headings(self) -> str:
        """The headings, as many levels of them as there is room for: an aid, no content."""
        heads = [block for block in self.article.blocks if isinstance(block, Heading)]
        shown = ""
        for level in range(1, 7):
            more = "\n".join(f"- {_flat(head.text)}" for head in heads if head.level <= level)
            if tokens.at_most(more) > _OUTLINE_TOKENS:
                break
            shown = more
        return shown

    def _amount(self, time_s: float) -> str:
        if is_cjk(self.language):
            n = max(50, round(time_s / 60 * CHARS_PER_MINUTE / 50) * 50)
            return f"{n}文字" if self.language.startswith("ja") else f"{n} characters"
        return f"{max(20, round(time_s / 60 * WORDS_PER_MINUTE / 10) * 10)} words"


def _flat(text: str) -> str:
    return normal(visible(text))
