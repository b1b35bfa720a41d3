"""The last step: pieces to the finished movie and its captions and chapters, and the proof."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import captions, keys, progress
from movie_build.atomic import appearing, write_bytes
from movie_build.captions import Chapter, Cue
from movie_build.errors import EncodeError, StoreError, shown
from movie_build.graph import Graph
from movie_build.pieces import MADE, Bench
from movie_build.records import Record, sha256_of
from movie_build.report import MovieFacts
from movie_build.timeline import Spoken, Timeline, lay_out

if TYPE_CHECKING:
    from movie_build.h264 import VideoFormat


class MovieFile:
    """The movie and the files beside it, as one piece of several files."""

    def __init__(self, graph: Graph, bench: Bench) -> None:
        self.graph = graph
        self.bench = bench
        self.mp4 = graph.movie.output
        self.key = keys.key_of(graph.recipe)

    @property
    def paths(self) -> tuple[Path, ...]:
        """All the files: .mp4, .srt, .vtt and .chapters.txt."""
        return files_of(self.mp4)

    def fresh(self) -> bool:
        """Whether every file is the one that was written from this script."""
        return all(self.bench.stands(path, self.key) for path in self.paths)

    def facts(self) -> MovieFacts | None:
        """What is known of the movie as it lies there; None if it is not fresh."""
        record = self.bench.records.get(self.bench.name(self.mp4))
        if record is None or not self.fresh():
            return None
        return MovieFacts(**json.loads(record.facts))

    def ensure(self) -> bool:
        """See that the movie is there; True if it had to be joined.

        Raises:
            MovieBuildError: a piece cannot be made, or the pieces not joined.
        """
        if self.fresh():
            return False
        began = time.monotonic()
        sounds = self._sounds()
        timeline = lay_out(
            [
                [
                    Spoken(sounds[li.sound.path][0], li.line.persona_id, li.line.pause_s)
                    for li in drawn.lines
                ]
                for drawn in self.graph.sections
            ],
            self.graph.movie.config.pauses,
            self.graph.look.fps,
        )
        try:
            self.mp4.parent.mkdir(parents=True, exist_ok=True)
            self._write(timeline, sounds, began)
        except OSError as error:
            where = shown(self.mp4, self.bench.folder)
            raise StoreError(f"cannot write {where}: {error.strerror or error}") from error
        return True

    def _sounds(self) -> Mapping[Path, tuple[int, Iterable[float]]]:
        """Length in AAC frames and energies of every line; its bytes are verified and let go."""
        from movie_build.sound import parse

        known: dict[Path, tuple[int, Iterable[float]]] = {}
        for drawn in self.graph.sections:
            for line in drawn.lines:
                if line.sound.path not in known:
                    sound = parse(self.bench.take(line.sound))
                    known[line.sound.path] = sound.n_aac_frames, sound.energies
        return known

    def _write(
        self, timeline: Timeline, sounds: Mapping[Path, tuple[int, Iterable[float]]], began: float
    ) -> None:
        from movie_build import mp4

        graph = self.graph
        lines = [line for drawn in graph.sections for line in drawn.lines]
        told = _Told(len(timeline.slides) + len(timeline.sounds))
        cues = _cues(graph, timeline)
        chapters = _chapters(graph, timeline)
        with appearing(self.mp4, durable=True) as part:
            mp4.write_movie(
                part,
                fmt=_video_format(graph),
                shots=[
                    mp4.Shot(span.n_frames, told.when(self._picture(span.slide)))
                    for span in timeline.slides
                    if span.n_frames
                ],
                sounds=[
                    mp4.Sound(
                        span.n_aac_frames,
                        None
                        if span.line is None
                        else told.when(_packets(lines[span.line].sound.path)),
                    )
                    for span in timeline.sounds
                ],
                title=graph.script.title,
                description=graph.script.description,
                chapters=chapters,
                cues=cues,
                language=graph.movie.language,
            )
            facts = MovieFacts(
                path=shown(self.mp4, self.bench.folder),
                duration_s=float(timeline.duration_s),
                frames=timeline.n_frames,
                lines=len(lines),
                slides=len(graph.sections),
                max_drift_s=float(_proven_drift_s(part, timeline)),
                loudness_lufs=self._loudness(timeline, sounds),
            )
            self._record(self.mp4, part, began, facts)
        texts = (captions.srt(cues), captions.vtt(cues), captions.chapter_list(chapters))
        for path, text in zip(self.paths[1:], texts, strict=True):
            write_bytes(path, text.encode())
            self._record(path, path, began)

    def _picture(self, slide: int) -> Callable[[], bytes]:
        piece = self.graph.sections[slide].picture
        return lambda: self.bench.take(piece)

    def _loudness(
        self, timeline: Timeline, sounds: Mapping[Path, tuple[int, Iterable[float]]]
    ) -> float | None:
        from movie_build import loudness

        lines = [line for drawn in self.graph.sections for line in drawn.lines]
        energies: list[float] = []
        for span in timeline.sounds:
            if span.line is None:
                energies += [0.0] * round((span.end_s - span.start_s) * 10)
            else:
                energies += sounds[lines[span.line].sound.path][1]
        measured = loudness.integrated_from_energies(energies)
        return round(measured, 2) if measured > float("-inf") else None

    def _record(
        self, path: Path, written: Path, began: float, facts: MovieFacts | None = None
    ) -> None:
        stat = written.stat()
        record = Record(
            name=self.bench.name(path),
            key=self.key,
            step="movie",
            sha256=sha256_of(written),
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
            origin=MADE,
            made_at=time.time(),
            seconds=time.monotonic() - began,
            recipe=self.graph.recipe if facts else "",
            facts=json.dumps(asdict(facts)) if facts else "",
        )
        self.bench.records.put(record)


class _Told:
    """Tells how much of the movie is written, by the parts that are asked for."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def when(self, read: Callable[[], bytes]) -> Callable[[], bytes]:
        """`read`, told when it is called."""

        def told() -> bytes:
            self._done += 1
            progress.report("movie", "writing", self._done, self._total)
            return read()

        return told


def _video_format(graph: Graph) -> VideoFormat:
    from movie_build.h264 import VideoFormat

    look = graph.look
    return VideoFormat(look.width_px, look.height_px, look.fps, look.crf)


def _packets(path: Path) -> Callable[[], bytes]:
    """A line's packets, read when they are due; `_sounds` has just verified them."""
    from movie_build.sound import parse

    return lambda: parse(path.read_bytes()).packets


def _cues(graph: Graph, timeline: Timeline) -> list[Cue]:
    lines = [line for drawn in graph.sections for line in drawn.lines]
    return [
        cue
        for span in timeline.sounds
        if span.line is not None and lines[span.line].line.text
        for cue in captions.cues(
            lines[span.line].line.text, span.start_s, span.end_s, graph.movie.language
        )
    ]


def _chapters(graph: Graph, timeline: Timeline) -> list[Chapter]:
    """A chapter a section, from the movie's very beginning to its end."""
    starts = [Fraction(0), *(span.due_s for span in timeline.slides[1:])]
    ends = [*starts[1:], timeline.duration_s]
    return [
        Chapter(start, end, drawn.section.title or graph.script.title)
        for drawn, start, end in zip(graph.sections, starts, ends, strict=True)
    ]


def _proven_drift_s(path: Path, timeline: Timeline) -> Fraction:
    """The greatest distance of a slide's first frame from its line, read from the finished file.

    Raises:
        EncodeError: the file's frames, samples or picture changes are not the timeline's.
    """
    from movie_build import mp4

    facts = mp4.read_facts(path)
    if facts.n_frames != timeline.n_frames or facts.n_audio_frames < timeline.n_aac_frames:
        raise EncodeError(
            f"{path.name} came out with {facts.n_frames} frames, not {timeline.n_frames}"
        )
    changes = set(facts.picture_starts)
    worst = Fraction(0)
    for span in timeline.slides:
        if not span.n_frames:
            continue
        if span.start not in changes:
            raise EncodeError(
                f"{path.name} came out without a picture change at frame {span.start}"
            )
        if span.start:
            worst = max(worst, abs(span.start / facts.fps - facts.audio_start_s - span.due_s))
    return worst


def files_of(mp4: Path) -> tuple[Path, ...]:
    """The files of the movie `mp4`: itself, then its captions in two forms and its chapters."""
    return (mp4, *(mp4.with_suffix(end) for end in (".srt", ".vtt", ".chapters.txt")))
