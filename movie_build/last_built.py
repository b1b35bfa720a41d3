"""What the last whole build was made from, so that a change can be told as a difference.

`build/last.json` is disposable: without it, the next build's reasons are only
"never built". It holds recipes, not bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movie_build import pace
from movie_build.atomic import write_bytes
from movie_build.config import Config
from movie_build.errors import SlideError, shown
from movie_build.graph import DrawnSection, Graph, SpokenLine
from movie_build.project import Project
from movie_build.slides import layers
from movie_build.store import default_folder
from movie_build.units import inputs_of, kind_of, units_of

if TYPE_CHECKING:
    from movie_build.session import Session

_FORM = 2


@dataclass(frozen=True, slots=True)
class LastLine:
    """A line: what the script says of it, and what its wav was made from."""

    id: str
    text: str
    said: Mapping[str, Any]
    inputs: Mapping[str, Any]
    sound: str


@dataclass(frozen=True, slots=True)
class LastSlide:
    """A section: what the script says of it, and what its slide and picture were made from.

    `artwork` is what a picture that was made for it was made from, `files` its
    template's, by the names its page knows them by.
    """

    id: str
    title: str
    said: Mapping[str, Any]
    inputs: Mapping[str, Any]
    artwork: Mapping[str, Any]
    slide: str
    picture: str
    format: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastMovie:
    """A movie as it was joined: its parts, and what else went into it; `path` is the MP4's."""

    path: str
    lines: tuple[LastLine, ...]
    slides: tuple[LastSlide, ...]
    inputs: Mapping[str, Any]
    words: Mapping[str, Any]


def remember(session: Session, *, whole: bool) -> None:
    """Keep what this run's movies were made from, if all of them stand, and how long it took."""
    made = {key: outcome.seconds for key, outcome in session.outcomes.items() if not outcome.error}
    known = [edition for edition in session.editions if edition.graph_if_known]
    if made:
        _learn([edition.graph for edition in known], made)
    path = session.project.build / "last.json"
    if whole and (made or not path.exists()):
        movies = {e.project.edition: movie_of(e.graph, session.records.digest) for e in known}
        _write(session.project, movies)


def remember_as(graph: Graph, digest: Any) -> None:
    """Keep that a movie which stands is made from `graph`, which gives the same bytes."""
    project = graph.movie.project
    movies = recall(project.build)
    if project.edition in movies:
        _write(project, {**movies, project.edition: movie_of(graph, digest)})


def _write(project: Project, movies: Mapping[str, LastMovie]) -> None:
    with suppress(OSError):  # it only serves explanations
        write_bytes(project.build / "last.json", _packed(movies))


def recall(build: Path) -> dict[str, LastMovie]:
    """The movies of the last whole build, by edition; none where nothing is known."""
    try:
        return _unpacked((build / "last.json").read_bytes())
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}


def movie_of(graph: Graph, digest: Any) -> LastMovie:
    """What `graph` is made from."""
    files = _TemplateFiles(graph, digest)
    inputs = json.loads(graph.recipe)
    inputs.pop("sections", None)
    return LastMovie(
        shown(graph.movie.output, graph.movie.project.folder),
        tuple(line_of(li, graph.movie.config) for drawn in graph.sections for li in drawn.lines),
        tuple(_slide_of(drawn, graph, files) for drawn in graph.sections),
        inputs,
        {word.surface: asdict(word) for word in graph.movie.config.dictionary},
    )


def line_of(spoken: SpokenLine, config: Config) -> LastLine:
    """What a line is made from."""
    line = spoken.line
    settings = config.voice
    for persona in config.personas:
        if persona.id == line.persona_id:
            settings = persona.voice.over(settings)
    settings = line.voice.over(settings) if line.voice else settings
    said = {
        "voice": {k: v for k, v in asdict(settings).items() if v is not None and k != "where"},
        "reading": line.reading,
        "speaker": line.persona_id,
        "recording": line.recording,
        "pause": None if line.pause_s is None else float(line.pause_s),
    }
    return LastLine(line.id, line.text, said, inputs_of(spoken.audio), spoken.sound.key)


def _slide_of(drawn: DrawnSection, graph: Graph, files: _TemplateFiles) -> LastSlide:
    section, inputs = drawn.section, inputs_of(drawn.slide)
    backdrop = section.background or graph.movie.config.background
    said = {
        "image": section.image.path if section.image else "",
        "background": backdrop.path if backdrop else "",
        "logo": section.logo,
        "slide_prompt": section.slide_prompt,
        "deck": (section.deck or graph.script.deck) if section.page else "",
        "page": section.page,
    }
    needs = [inputs_of(need) for need in drawn.slide.needs]
    return LastSlide(
        section.id,
        section.title,
        said,
        inputs,
        next((need["maker"] for need in needs if "maker" in need), {}),
        drawn.slide.key,
        drawn.picture.key,
        inputs_of(drawn.picture).get("format", {}),
        files.of(inputs),
    )


class _TemplateFiles:
    """Digests of what templates are drawn from, each template's looked up once."""

    def __init__(self, graph: Graph, digest: Any) -> None:
        self._graph = graph
        self._digest = digest
        self._known: dict[str, dict[str, str]] = {}

    def of(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        """The digests for a slide with `inputs`, by name."""
        maker = inputs.get("maker", {})
        template = maker.get("slide", {}).get("template", "") if "theme" in maker else ""
        if template and template not in self._known:
            self._known[template] = {}
            folder = self._graph.movie.project.folder
            with suppress(SlideError, OSError):
                found = layers.files_of(template, self._graph.look.theme, folder)
                self._known[template] = {n: self._digest(path) for n, path in found.items()}
        return self._known.get(template, {})


def _learn(graphs: list[Graph], made: Mapping[tuple[str, str], float]) -> None:
    times: dict[str, list[float]] = {}
    for unit in units_of(*graphs):
        if (unit.step, unit.name) in made:
            times.setdefault(kind_of(unit), []).append(made[unit.step, unit.name])
    for (step, _), seconds in made.items():
        if step in ("movie", "script"):
            times.setdefault(step, []).append(seconds)
    pace.learn(default_folder(), times)


def _packed(movies: Mapping[str, LastMovie]) -> bytes:
    """As JSON, with what many lines or slides share written once."""
    shared: dict[str, int] = {}

    def once(value: object) -> int:
        return shared.setdefault(json.dumps(value, ensure_ascii=False), len(shared))

    told = {
        edition: {
            "path": movie.path,
            "lines": [
                [x.id, x.text, once(x.said), *_split(x.inputs, "voice", once), x.sound]
                for x in movie.lines
            ],
            "slides": [
                [
                    *(x.id, x.title, x.said, x.inputs, x.artwork, x.slide, x.picture),
                    *(once(x.format), once(x.files)),
                ]
                for x in movie.slides
            ],
            "inputs": movie.inputs,
            "words": movie.words,
        }
        for edition, movie in movies.items()
    }
    whole = {"form": _FORM, "shared": [json.loads(text) for text in shared], "movies": told}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _split(inputs: Mapping[str, Any], name: str, once: Any) -> Iterator[Any]:
    """`inputs` without what lines share, then that."""
    rest = {key: value for key, value in inputs.items() if key != name}
    yield rest.pop("text", "")
    yield once(rest)
    yield once(inputs.get(name))


def _unpacked(content: bytes) -> dict[str, LastMovie]:
    whole = json.loads(content)
    if whole["form"] != _FORM:
        return {}
    shared = whole["shared"]

    def line(told: list[Any]) -> LastLine:
        id, text, said, spoken, rest, voice, sound = told
        inputs = {**shared[rest], "text": spoken, "voice": shared[voice]}
        return LastLine(id, text, shared[said], inputs, sound)

    def slide(told: list[Any]) -> LastSlide:
        id, title, said, inputs, artwork, slide, picture, form, files = told
        return LastSlide(
            id, title, said, inputs, artwork, slide, picture, shared[form], shared[files]
        )

    return {
        edition: LastMovie(
            movie["path"],
            tuple(map(line, movie["lines"])),
            tuple(map(slide, movie["slides"])),
            movie["inputs"],
            movie["words"],
        )
        for edition, movie in whole["movies"].items()
    }
