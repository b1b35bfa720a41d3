"""A movie in one language while it is being built: its script, its pieces, how it is joined."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import drafts, keys
from movie_build.atomic import write_bytes
from movie_build.config import Mcp
from movie_build.errors import AuthorError, Mistake, MovieBuildError
from movie_build.graph import Graph, build_graph, look_for_names
from movie_build.join import MovieFile
from movie_build.movie import Movie, load, mistakes_in, read
from movie_build.pieces import MADE
from movie_build.project import Project
from movie_build.records import Record, sha256_of

if TYPE_CHECKING:
    from movie_build.mcp_config import McpSettings
    from movie_build.session import Session

SCRIPT = 1


class Edition:
    """A movie in one language: its script, and the pieces that it is joined from."""

    def __init__(self, session: Session, project: Project) -> None:
        self.session = session
        self.project = project
        self.movie: Movie = read(project, cached=not session.look_only)
        self._graph: Graph | None = None

    @property
    def warnings(self) -> tuple[Mistake, ...]:
        """What in the files has no effect, as far as that is known."""
        return (*self.movie.warnings, *(self._graph.unshown if self._graph else ()))

    @property
    def graph_if_known(self) -> Graph | None:
        """The movie's pieces, where they are known already."""
        return self._graph

    @property
    def graph(self) -> Graph:
        """The movie's pieces; the script must be written.

        Raises:
            MovieBuildError: what the files name is not there.
        """
        if self._graph is None:
            if self.movie.script is None:
                self._reload()
            self._graph = build_graph(self.movie, self.session.bench, self.session.studio)
        return self._graph

    def check(self) -> None:
        """See that all that the files name is there, as far as they are written.

        Raises:
            MovieBuildError: it is not.
        """
        if self.movie.script:
            _ = self.graph
        else:
            look_for_names(self.movie, self.session.bench, self.session.studio)

    def _reload(self) -> None:
        self._graph = None
        self.movie = load(self.project)

    def join(self) -> None:
        """See that the movie is there."""
        began = time.monotonic()
        with self.session.working("movie", self.project.edition):
            made = MovieFile(self.graph, self.session.bench).ensure()
        seconds = time.monotonic() - began
        self.session.count("movie", self.project.edition, made=made, seconds=seconds)

    def script_stands(self) -> bool:
        """Whether there is a script."""
        return self.project.script.exists()

    def script_is_ours(self) -> bool:
        """Whether `script.yaml` is still what the author wrote, untouched."""
        record = self.session.records.get(self.project.script.name)
        return record is not None and record.sha256 == sha256_of(self.project.script)

    def write_script(self, *, overwrite: bool) -> None:
        """Write `script.yaml` from the source.

        Raises:
            AuthorError: there is one that the user wrote or edited, and `overwrite` is not given.
        """
        script = self.project.script
        began = time.monotonic()
        if script.exists() and not overwrite:
            raise AuthorError(
                f"{script.name} is yours and stays as it is; to have it written again from "
                f"{self.movie.config.shown_source}, use: doit script --overwrite "
                f"(the old one is kept as {script.name}.bak)"
            )
        if self.session.bench.frozen:
            from movie_build import frozen

            frozen.check_script(self.movie)
        with self.session.working("script", self.project.edition):
            text = self.draft(again=overwrite, ask_again=overwrite).encode()
        if script.exists() and not self.script_is_ours():
            script.replace(drafts.backup(script))
        self.put_draft(text, text, time.monotonic() - began)
        if self.session.bench.frozen and self.session.written:
            from movie_build import frozen

            frozen.check(self.session)
        seconds = time.monotonic() - began
        self.session.count("script", self.project.edition, made=True, seconds=seconds)

    def put_draft(self, draft: bytes, script: bytes, seconds: float) -> None:
        """Write `script.yaml`, as it is to be with this draft; the draft is kept beside it."""
        path = self.project.script
        self.session.records.put(
            Record(
                name=path.name,
                key=keys.key_of(self._script_recipe()),
                step="script",
                sha256=keys.digest(draft),
                size=len(draft),
                mtime_ns=0,
                origin=MADE,
                made_at=time.time(),
                seconds=seconds,
                recipe=self._script_recipe(),
            )
        )
        write_bytes(path, script, durable=True)
        drafts.keep(self.project, draft)
        self._reload()

    def draft(self, *, again: bool, ask_again: bool = False, cache: Path | None = None) -> str:
        """A script written from the source, which with `again` is looked at anew.

        With `ask_again` a model is asked for what it has already answered. `cache` is
        where pages are kept.

        Raises:
            MovieBuildError: there is no source, or it cannot be had or told.
        """
        from movie_build import source
        from movie_build.authors.registry import author_name, open_author
        from movie_build.fetch import web
        from movie_build.script_file import dump

        def report(told: str) -> None:
            print(f"{self.project.name}: {told}", file=sys.stderr)

        config, folder = self.movie.config, self.project.folder
        if not config.source:
            raise AuthorError("there is no `source:` in movie.yaml to write a script from")
        cache = cache or self.project.build / "source"
        article = source.read(
            config.source,
            base=folder,
            cache=cache,
            again=again,
            service=web(self.session.services),
            render=config.browser,
            mcp=_mcp(config.mcp),
            report=report,
        )
        asked, spoken = self.project.edition, article.language
        translated = asked.partition("-")[0] != spoken.partition("-")[0]
        if asked and spoken and translated and author_name(self.movie) == "outline":
            raise AuthorError(
                f"{self.project.script.name}: the article is in {spoken!r}, and the outline author "
                f"does not translate; write it by hand, or set `content: {{author: llm}}`"
            )
        if config.model.model and not config.author and author_name(self.movie) == "outline":
            why = f"no key for {config.model.model} is set (OPENAI_API_KEY or OPENROUTER_API_KEY)"
            print(f"{self.project.name}: {why}; the outline author writes", file=sys.stderr)
        try:
            author = open_author(self.movie, self.session.services, again=ask_again, report=report)
            text = dump(author.write(article))
            if mistakes := mistakes_in(text, self.project.script.name):
                told = "; ".join(map(str, mistakes[:5]))
                raise AuthorError(f"{author_name(self.movie)!r} gave no usable script: {told}")
            return text
        except MovieBuildError as error:
            is_model = author_name(self.movie) == "llm"
            raise error.placed(config.model.where if is_model else config.author_where) from None

    def _script_recipe(self) -> str:
        from movie_build.authors.registry import author_name

        config, author = self.movie.config, author_name(self.movie)
        inputs = {"source": config.shown_source, "author": author, "minutes": config.max_minutes}
        return keys.recipe("script", SCRIPT, inputs)


def _mcp(mcp: Mcp | None) -> McpSettings | None:
    if mcp is None:
        return None
    from movie_build.mcp_config import McpSettings

    return McpSettings(mcp.config, mcp.server, mcp.tool, json.loads(mcp.arguments))
