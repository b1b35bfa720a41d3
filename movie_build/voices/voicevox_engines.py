"""The engines of a build: each line goes to the one with the least to do, the dead left out."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from movie_build.config import Word
from movie_build.errors import VoiceError
from movie_build.ledger import NOTHING, Use
from movie_build.service import Limits, Retry, Service
from movie_build.voices.voicevox_catalogue import Catalogue, Style, ask
from movie_build.voices.voicevox_dict import Dictionary
from movie_build.voices.voicevox_http import EngineHttp, Patience, Refusal, Unreachable

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:50021"
# More at once only makes an engine's queue longer.
_AT_ONCE = 2
_REST_S = 30.0
_PATIENCE = Patience()


def usual_limits(n_engines: int) -> Limits:
    """How so many engines are asked, where the user says nothing."""
    return Limits(at_once=_AT_ONCE * n_engines)


def urls_in(text: str) -> list[str]:
    """The URLs in a value of `VOICEVOX_URL`, between commas or spaces; the usual one if none."""
    return text.replace(",", " ").split() or [DEFAULT_URL]


class Engine:
    """One engine during a build: what it is, and how busy."""

    def __init__(self, url: str, patience: Patience, words: Sequence[Word], folder: Path) -> None:
        self.http = EngineHttp(url, patience)
        self.dictionary = Dictionary(self.http, words, folder)
        self.catalogue: Catalogue | None = None
        self.n_busy = 0
        self.n_failed = 0
        self.rests_until_s = 0.0
        self._ready: set[int] = set()
        self._lock = threading.Lock()

    def learn(self, *, again: bool = False) -> Catalogue:
        """What the engine is, asked once.

        Raises:
            Unreachable, Retry: as `EngineHttp`.
        """
        with self._lock:
            if self.catalogue is None or again:
                self.catalogue = ask(self.http)
            return self.catalogue

    def prepare(self, style: Style) -> None:
        """Have the engine load the style's model, once; not all engines can be told to."""
        with self._lock:
            if style.id in self._ready:
                return
            params: dict[str, str | int] = {"speaker": style.id, "skip_reinit": "true"}
            # Where it fails, the first line loads the model, and tells what is wrong.
            with contextlib.suppress(Refusal, Retry):
                self.http.ask("POST", "/initialize_speaker", params=params, n_kana=200)
            self._ready.add(style.id)

    def forget(self) -> None:
        """Know nothing of it any more: it was away, and may come back as another."""
        with self._lock:
            self.catalogue = None
            self._ready.clear()


class Engines:
    """The engines at `urls`, shared by all voices of a build. A context manager; or `close` it.

    `known` is what an earlier build learnt of them, so that a build with nothing to
    speak asks nobody; keep `known` for the next one. `dictionary` are the movie's
    words, and `folder` is where is written down which of them the engines have: one
    place for all projects of the user.

    Raises:
        VoiceError: there is no URL, or one is none.
    """

    def __init__(
        self,
        service: Service,
        urls: Sequence[str],
        folder: Path,
        *,
        known: Catalogue | None = None,
        dictionary: Sequence[Word] = (),
        patience: Patience = _PATIENCE,
    ) -> None:
        if not urls:
            raise VoiceError(f"no engine is named: set VOICEVOX_URL, usually {DEFAULT_URL}")
        self.service = service
        self.known = known
        self.words = tuple(dictionary)
        engines = [Engine(url, patience, self.words, folder) for url in urls]
        self._engines = list({engine.http.url: engine for engine in engines}.values())
        self._answered = False
        self._lock = threading.Lock()

    def catalogue(self) -> Catalogue:
        """What the engines are: as known, or asked of one of them.

        Raises:
            VoiceError: none can be reached.
        """
        return self.known or self.refresh()

    def refresh(self) -> Catalogue:
        """What the engines are now, asked of one of them, and known from now on.

        Raises:
            VoiceError: none can be reached.
        """

        def attempt() -> tuple[Catalogue, Use]:
            return self._with_engine(partial(Engine.learn, again=True)), NOTHING

        self.known = self.service.call(attempt, VoiceError)
        return self.known

    def speak(self, planned: Catalogue, style: Style, work: Callable[[Engine], T]) -> T:
        """What `work` gives with an engine that is ready to speak as `style`.

        Raises:
            Retry: it failed in a way that may pass.
            VoiceError: no engine can be reached; or it is not as `planned`.
        """

        def ready(engine: Engine) -> T:
            self._recognise(engine, planned, style)
            engine.prepare(style)
            return work(engine)

        return self._with_engine(ready)

    def close(self) -> tuple[str, ...]:
        """Take our words back; what could not be done, a sentence each: the next build does it."""
        troubles = []
        for engine in self._engines:

            def restore(engine: Engine = engine) -> tuple[None, Use]:
                engine.dictionary.restore()
                return None, NOTHING

            try:
                self.service.call(restore, VoiceError, closing=True)
            except (VoiceError, Unreachable) as error:
                engine.dictionary.abandon()
                troubles.append(
                    f"words of this movie are still in the user dictionary of {engine.http.url} "
                    f"({error}); the next build that speaks with it removes them"
                )
            engine.http.close()
        return tuple(troubles)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _with_engine(self, work: Callable[[Engine], T]) -> T:
        tried: dict[Engine, str] = {}
        while engine := self._take(tried):
            try:
                result = work(engine)
            except Unreachable as error:
                tried[engine] = str(error)
                engine.rests_until_s = time.monotonic() + _REST_S
                engine.forget()
            except Retry:
                engine.n_failed += 1
                raise
            else:
                engine.n_failed = 0
                engine.rests_until_s = 0.0
                self._answered = True
                return result
            finally:
                with self._lock:
                    engine.n_busy -= 1
        names = ", ".join(engine.http.url for engine in self._engines)
        what = f"no VOICEVOX engine answers at {names}"
        if self._answered:
            raise Retry(what)
        raise VoiceError(
            f"{what} ({'; '.join(tried.values())}): start VOICEVOX, or "
            "`docker run --rm -p 127.0.0.1:50021:50021 voicevox/voicevox_engine:cpu-latest`, "
            "or set VOICEVOX_URL"
        )

    def _take(self, tried: dict[Engine, str]) -> Engine | None:
        """The engine to ask next; one that rests only if no other is left."""
        with self._lock:
            now_s = time.monotonic()
            left = [engine for engine in self._engines if engine not in tried]
            if not left:
                return None
            engine = min(left, key=lambda e: (e.rests_until_s > now_s, e.n_busy + e.n_failed))
            engine.n_busy += 1
            return engine

    def _recognise(self, engine: Engine, planned: Catalogue, style: Style) -> None:
        """See that the engine is as planned: what it speaks is kept under that name."""
        found = engine.learn()
        if planned.same_voice(found, style):
            return
        who = f"speaker {style.id}" + (f" ({style.name})" if style.speaker else "")
        for other in self._engines:
            if other.catalogue and planned.same_voice(other.catalogue, style):
                raise VoiceError(
                    f"{engine.http.url} is {found}, {other.http.url} is {planned}, and they do "
                    f"not speak as {who} alike: use engines and models of one version"
                )
        self.known = found
        raise VoiceError(
            f"{engine.http.url} is now {found}, or has another model of {who}; it was {planned} "
            "when this build was planned: run doit again, and this voice's lines are spoken anew"
        )
