"""Which author writes, and what it is told."""

from __future__ import annotations

import os
from collections.abc import Callable

from movie_build import plug_ins, progress
from movie_build.authors.protocol import Author
from movie_build.errors import AuthorError, nearest
from movie_build.movie import Movie
from movie_build.plug_ins import PlugIn
from movie_build.service import Services

AUTHORS = ("outline", "llm")
_KEYS = ("OPENAI_API_KEY", "OPENROUTER_API_KEY")


def author_name(movie: Movie) -> str:
    """The author that the settings name; else `llm` where a model is named and a key is set.

    A key alone is not enough: it may be there for another program, and calls cost money.
    """
    if movie.config.author:
        return movie.config.author
    model = movie.config.model
    has_key = any(os.environ.get(name) for name in _KEYS) or bool(model.base_url)
    return "llm" if model.model and has_key else "outline"


def open_author(
    movie: Movie,
    services: Services,
    *,
    again: bool,
    report: Callable[[str], None],
) -> Author:
    """The author of a movie. With `again`, a model is asked anew for what it has answered.

    `report` is told what the user should know of how it went.

    Raises:
        AuthorError: there is none of that name.
    """
    name = author_name(movie)
    if name == "outline":
        from movie_build.authors.outline import Outline, OutlineSettings

        config = movie.config
        return Outline(OutlineSettings(config.max_minutes, movie.asked_language))
    if name == "llm":
        return _llm(movie, services, again, report)
    make = _plug_in(movie).load(at=movie.config.author_where)
    author: Author = make(movie.config, services.named(name))
    return author


def see_that_it_exists(movie: Movie) -> None:
    """See that there is an author of the name that the settings give, whoever wrote the script.

    Raises:
        AuthorError: there is none.
    """
    if author_name(movie) not in AUTHORS:
        _plug_in(movie)


def _plug_in(movie: Movie) -> PlugIn:
    """The plug-in that is the author."""
    name, found = author_name(movie), plug_ins.installed(plug_ins.AUTHORS)
    if name not in found:
        what = f"no author {name!r}; {nearest(name, [*AUTHORS, *found])}"
        raise AuthorError(what, at=movie.config.author_where)
    return found[name]


def _llm(
    movie: Movie,
    services: Services,
    again: bool,
    report: Callable[[str], None],
) -> Author:
    from movie_build.authors.endpoint import endpoint
    from movie_build.authors.llm import Llm
    from movie_build.authors.llm_settings import LlmSettings, Pool
    from movie_build.authors.prompts import Prompts

    config, model = movie.config, movie.config.model
    price, narration = config.price(model.model), config.narration
    folder = movie.project.folder / "templates" / "prompts"
    prompts = folder if folder.is_dir() else None
    for unused in Prompts("", prompts).unused():
        report(f"warning: {unused}")
    pool = None
    if narration.pool_count:
        pool = Pool(narration.pool_count, narration.pool_seed, narration.pool_where)
    settings = LlmSettings(
        model=model.model,
        provider=model.provider,
        base_url=model.base_url,
        language=movie.asked_language,
        max_minutes=config.max_minutes,
        character=narration.character,
        style=narration.style,
        personas=config.personas,
        pool=pool,
        slide_prompts=config.slide_prompts,
        window_tokens=model.window_tokens,
        max_output_tokens=model.max_output_tokens,
        temperature=model.temperature,
        usd_per_million_in=price.tokens_in,
        usd_per_million_out=price.tokens_out,
        keep=movie.project.build / "author",
        prompts=prompts,
        again=again,
    )

    def said(_done: int, _whole: int, what: str) -> None:
        progress.report("script", what)

    return Llm(settings, services.named(endpoint(settings).name), said, report)
