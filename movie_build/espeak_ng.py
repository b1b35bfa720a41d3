"""The library espeak-ng (speak_lib.h), loaded afresh for every line.

espeak-ng keeps the phase of its pitch flutter, its noise and its last language
from one utterance to the next, and no call puts them back. So every line gets
a library loaded anew, which is unloaded after it: the same text is the same
samples whatever was spoken before, in whichever thread.
"""

from __future__ import annotations

import _ctypes
import ctypes
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from movie_build.errors import VoiceError, nearest

_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_RATE, _PITCH = 1, 3
# espeak_PARAMETER: volume, pitch range, punctuation, capitals, word gap
_FIXED = {2: 100, 4: 50, 5: 0, 6: 0, 7: 0}
_SEED = 1
_BUFFER_MS = 1000
# Some texts have sent espeak-ng babbling without end.
_LONGEST_S, _LONGEST_CHAR_S = 60, 8
# What these languages are called in espeak-ng.
_ALIASES = {"zh": "cmn", "no": "nb"}
_LANGUAGE_TAG = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?")
_REINSTALL = "pip install --force-reinstall espeakng-loader"

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A voice of espeak-ng: `language` is what to ask for."""

    language: str
    name: str


def spoken(text: str, voice: str, rate_wpm: int, pitch: int) -> tuple[bytes, int]:
    """`text` as 16-bit mono samples, and their rate in Hz; `pitch` is 0 to 99, usually 50.

    Raises:
        VoiceError: the voice does not exist, or the text does not come to an end.
    """
    with _engine() as (library, rate_hz):
        _choose(library, voice)
        for parameter, value in {**_FIXED, _RATE: rate_wpm, _PITCH: pitch}.items():
            library.espeak_SetParameter(parameter, value, 0)
        library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
        return _synthesize(library, text, rate_hz), rate_hz


def check(voice: str) -> None:
    """See that there is a voice.

    Raises:
        VoiceError: there is none of that name.
    """
    with _engine() as (library, _):
        _choose(library, voice)


def voices() -> tuple[EspeakVoice, ...]:
    """The voices that there are, sorted by language."""
    with _engine() as (library, _):
        return _listed(library)


@contextmanager
def _engine() -> Iterator[tuple[ctypes.CDLL, int]]:
    """A fresh espeak-ng and its sample rate in Hz, for one thread at a time.

    Raises:
        VoiceError: it cannot be loaded.
    """
    import espeakng_loader

    path, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    with _lock, _fresh_library(Path(path)) as library:
        rate_hz = library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, _BUFFER_MS, data.encode(), _DONT_EXIT
        )
        if rate_hz <= 0:
            raise VoiceError(f"espeak-ng finds no data in {data}: {_REINSTALL}")
        try:
            yield library, rate_hz
        finally:
            library.espeak_Terminate()


@contextmanager
def _fresh_library(path: Path) -> Iterator[ctypes.CDLL]:
    """The library with all its variables as at the start of a process."""
    library = _load(path)
    try:
        # It knows its rate only once somebody has initialised it.
        if library.espeak_ng_GetSampleRate() == 0:
            yield library
            return
    finally:
        _unload(library)
    # Somebody else in this process holds it, so it stays loaded; a copy of the file does not.
    with tempfile.TemporaryDirectory(prefix="movie-build-", ignore_cleanup_errors=True) as folder:
        library = _load(Path(shutil.copy(path, folder)))
        try:
            yield library
        finally:
            _unload(library)


def _load(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise VoiceError(f"espeak-ng cannot be loaded ({error}): {_REINSTALL}") from error


def _unload(library: ctypes.CDLL) -> None:
    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)


def _choose(library: ctypes.CDLL, voice: str) -> None:
    """Set the voice.

    Raises:
        VoiceError: there is no such language, or no such variant.
    """
    language, plus, variant = voice.partition("+")
    if plus:
        variants = _variants()
        if variant not in variants:
            raise VoiceError(
                f"espeak has no variant {variant!r} (in {voice!r}); {nearest(variant, variants)}"
            )
    for name in _names(language):
        if library.espeak_SetVoiceByName(f"{name}{plus}{variant}".encode()) == 0:
            return
    known = {known.language for known in _listed(library)}
    near = get_close_matches(language.lower(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "it has languages, like en-gb, de, fr-fr or ja"
    raise VoiceError(f"espeak has no voice {voice!r}; {hint}")


def _names(language: str) -> Iterator[str]:
    """`language` as espeak-ng may call it: itself, else without region, as in `de-at`."""
    if language:
        yield language
    tag = _LANGUAGE_TAG.fullmatch(language.lower())
    if tag:
        yield _ALIASES.get(tag[1], tag[1])


def _variants() -> frozenset[str]:
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path(), "voices", "!v")
    return frozenset(path.name for path in folder.iterdir())


class _VoiceRecord(ctypes.Structure):
    """espeak_VOICE of speak_lib.h; `languages` is a priority byte, then the name."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


def _listed(library: ctypes.CDLL) -> tuple[EspeakVoice, ...]:
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
    records = library.espeak_ListVoices(None)
    voices = []
    for record in records:
        if not record:
            break
        voice = record.contents
        voices.append(EspeakVoice(voice.languages[1:].decode(), voice.name.decode().strip()))
    return tuple(sorted(voices, key=lambda voice: (voice.language, voice.name)))


def _synthesize(library: ctypes.CDLL, text: str, rate_hz: int) -> bytes:
    """16-bit samples.

    Raises:
        VoiceError: it does not come to an end.
    """
    sound = bytearray()
    longest = 2 * rate_hz * (_LONGEST_S + _LONGEST_CHAR_S * len(text))

    def receive(samples: ctypes._Pointer[ctypes.c_short], n_samples: int, _events: int) -> int:
        if samples and n_samples > 0:
            sound.extend(ctypes.string_at(samples, 2 * n_samples))
        return int(len(sound) > longest)

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode()
    status = library.espeak_Synth(
        encoded, ctypes.c_size_t(len(encoded) + 1), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
    )
    if status or len(sound) > longest:
        raise VoiceError("espeak gives up on this line: write it differently, or give a reading")
    return bytes(sound)
