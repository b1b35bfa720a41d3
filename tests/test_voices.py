"""Every voice speaks by the same rules; what is particular to one follows below."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import av
import numpy as np
import pyopenjtalk
import pytest
from numpy.typing import NDArray

from movie_build.errors import VoiceError
from movie_build.espeak_ng import voices
from movie_build.pcm import Pcm
from movie_build.voices.espeak import Espeak
from movie_build.voices.open_jtalk import OpenJTalk
from movie_build.voices.protocol import Voice
from movie_build.voices.recorded import Recorded

ENGLISH = (
    "The first sentence is short.",
    "She sells sea shells by the shore, and the shells that she sells are hers.",
    "In 2024, 3.5 % of them were blue!",
    "Is this the way to the station?",
)
JAPANESE = (
    "明日は晴れです。",
    "東京の天気は、午後から雨になるでしょう。",
    "2024年の3.5パーセントです。",
    "駅はどちらですか？",
)
ODD = (
    "emoji 🎉 in 晴れ text",
    "مرحبا بالعالم and 世界",
    "<speak><break time='9s'/>A</speak> & <b>B</b>",
    "[[h@l'oU]] A",
    "A \x01 50P \x02 \x00 \x7f \x1b[0m B",
    "\ufeffA\u200b\u200dB\u2028C",
    "A \ud800 B",
    "A .. B ... C …… !!! ??",
    '= : " # * _ ~ A',
    "A👨\u200d👩\u200d👧",
    "ーっんA",
)


@dataclass(frozen=True)
class Case:
    """A voice under test: what makes it, and the same with each setting changed.

    `code` makes it in another process; `quick` is the same in a hurry. A voice
    that `reads` speaks what it is given.
    """

    make: Callable[[], Voice]
    code: str
    texts: tuple[str, ...]
    rate_hz: int
    others: tuple[Callable[[], Voice], ...] = ()
    reads: bool = True
    quick: Callable[[], Voice] | None = None


CASES: Mapping[str, Case] = {
    "espeak": Case(
        Espeak,
        "from movie_build.voices.espeak import Espeak as V; v = V()",
        ENGLISH,
        22_050,
        (
            lambda: Espeak("de"),
            lambda: Espeak("en-us+f3"),
            lambda: Espeak(speed=1.2),
            lambda: Espeak(pitch=1.2),
        ),
    ),
    "espeak, breathing": Case(
        lambda: Espeak("en-us+f3"),
        "from movie_build.voices.espeak import Espeak as V; v = V('en-us+f3')",
        ENGLISH,
        22_050,
    ),
    "open_jtalk": Case(
        OpenJTalk,
        "from movie_build.voices.open_jtalk import OpenJTalk as V; v = V()",
        JAPANESE,
        48_000,
        (lambda: OpenJTalk(speed=1.2), lambda: OpenJTalk(pitch=1.2)),
        quick=lambda: OpenJTalk(speed=3),
    ),
    "recorded": Case(
        lambda: Recorded(_recording(), "d1"),
        "from pathlib import Path; from movie_build.voices.recorded import Recorded as V; "
        "v = V(Path(sys.argv[1]), 'd1')",
        ENGLISH[:1],
        24_000,
        (lambda: Recorded(_recording(), "d2"),),
        reads=False,
    ),
}
READING = [name for name, case in CASES.items() if case.reads]
_FOLDER: list[Path] = []


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER[:] = [tmp_path_factory.mktemp("recordings")]


def _recording() -> Path:
    path = _FOLDER[0] / "line.flac"
    if not path.exists():
        tone = np.sin(np.arange(48_000) / 20).astype(np.float32) * np.hanning(48_000) / 2
        write_sound(path, "flac", tone, 24_000)
    return path


def write_sound(
    path: Path, codec: str, samples: NDArray[np.floating], rate_hz: int, layout: str = "mono"
) -> Path:
    """Encode float `samples`, shape (n_samples,) or (n_channels, n_samples), into a file."""
    planes = np.ascontiguousarray(np.atleast_2d(samples), np.float32)
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.pts = rate_hz, 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        fit = av.AudioResampler(
            stream.format.name, layout, rate_hz, frame_size=stream.codec_context.frame_size
        )
        for part in (*fit.resample(frame), *fit.resample(None), None):
            container.mux(stream.encode(part))
    return path


def bytes_of(pcm: Pcm) -> str:
    return sha256(pcm.samples.tobytes()).hexdigest()


def another_voice(folder: Path) -> Path:
    """Open JTalk's voice, made to speak in shorter steps."""
    mei = Path(pyopenjtalk.DEFAULT_HTS_VOICE.decode()).read_bytes()
    path = folder / "short.htsvoice"
    path.write_bytes(mei.replace(b"FRAME_PERIOD:240", b"FRAME_PERIOD:120", 1))
    return path


def test_open_jtalk_speaks_with_a_voice_file_of_the_users(tmp_path: Path) -> None:
    path = another_voice(tmp_path)
    usual, other = OpenJTalk(), OpenJTalk(voice=path, digest="d")
    assert usual.identity() != other.identity()
    assert other.speak(JAPANESE[0]).duration_s < 0.7 * usual.speak(JAPANESE[0]).duration_s
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(VoiceError, match=r"cut\.htsvoice is no voice of Open JTalk"):
        OpenJTalk(voice=path.rename(tmp_path / "cut.htsvoice")).speak(JAPANESE[0])


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(params=READING)
def reading(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_sound_is_audible_float32_mono_at_the_voices_rate_and_within_full_scale(
    case: Case,
) -> None:
    for text in case.texts:
        pcm = case.make().speak(text)
        assert pcm.samples.dtype == np.float32
        assert pcm.samples.ndim == 1
        assert pcm.rate_hz == case.rate_hz
        assert np.isfinite(pcm.samples).all()
        assert 0.05 < np.abs(pcm.samples).max() <= 1.0
        assert 0.04 * len(text) < pcm.duration_s < 0.4 * len(text) + 1


def test_the_same_text_is_the_same_samples_in_any_order(case: Case) -> None:
    first = [bytes_of(case.make().speak(text)) for text in case.texts]
    again = [bytes_of(case.make().speak(text)) for text in reversed(case.texts)]
    assert first == again[::-1]
    one_voice = case.make()
    assert [bytes_of(one_voice.speak(text)) for text in case.texts] == first


def test_what_another_voice_said_before_cannot_be_heard(case: Case) -> None:
    text = case.texts[0]
    before = bytes_of(case.make().speak(text))
    for other in case.others:
        other().speak(text)
        assert bytes_of(case.make().speak(text)) == before


def test_eight_threads_speak_as_one(case: Case) -> None:
    voice, texts = case.make(), case.texts * 4
    alone = [bytes_of(voice.speak(text)) for text in case.texts] * 4
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda text: bytes_of(voice.speak(text)), texts)) == alone


def test_another_process_gives_the_same_samples_and_the_same_identity_silently(
    case: Case,
) -> None:
    code = (
        f"import sys, json; from hashlib import sha256; {case.code}; early = v.identity();"
        "heavy = {'av', 'numpy', 'espeakng_loader', 'pyopenjtalk', 'ctypes'} & set(sys.modules);"
        "s = v.speak(sys.argv[2]).samples;"
        "print(json.dumps([early, sha256(s.tobytes()).hexdigest(), sorted(heavy)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(_recording()), case.texts[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    identity, sound, heavy = json.loads(done.stdout)
    assert identity == case.make().identity()
    assert sound == bytes_of(case.make().speak(case.texts[0]))
    assert heavy == [], "identity() must not import the engine"
    assert done.stderr == ""


def test_identity_changes_with_every_setting(case: Case) -> None:
    identities = [json.dumps(case.make().identity(), sort_keys=True)]
    identities += [json.dumps(make().identity(), sort_keys=True) for make in case.others]
    assert len(set(identities)) == len(identities)


def test_every_setting_can_be_heard(reading: Case) -> None:
    text = reading.texts[0]
    sounds = {bytes_of(make().speak(text)) for make in (reading.make, *reading.others)}
    assert len(sounds) == 1 + len(reading.others)


def test_a_text_of_two_thousand_characters_is_spoken_to_its_end(reading: Case) -> None:
    long = "".join(f"{text} " for text in reading.texts)
    long *= 2000 // len(long) + 1
    voice = (reading.quick or reading.make)()
    seconds = voice.speak(long).duration_s
    short = voice.speak(long[: len(long) // 8]).duration_s
    assert 6.5 < seconds / short < 9.5


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\t", "\x00\x01", "...", "。、！", "\ufeff", "—「」"]
)
def test_blank_text_is_refused(reading: Case, text: str) -> None:
    with pytest.raises(VoiceError):
        reading.make().speak(text)


@pytest.mark.parametrize("text", ODD)
def test_odd_characters_are_spoken_around(
    reading: Case, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    pcm = reading.make().speak(text)
    assert np.isfinite(pcm.samples).all()
    assert 0.2 < pcm.duration_s < 1.5 * len(text) + 2
    assert capfd.readouterr() == ("", "")


def test_espeak_reads_mark_up_and_phonemes_out() -> None:
    voice = Espeak()
    plain = voice.speak("hello").duration_s
    assert voice.speak("<b>hello</b>").duration_s > plain + 0.5
    assert voice.speak("[[h@l'oU]]").duration_s > plain + 0.5
    assert bytes_of(voice.speak("\x0190P hello")) == bytes_of(voice.speak(" 90P hello"))


def test_espeak_is_the_same_while_others_in_the_process_use_its_library() -> None:
    import espeakng_loader

    alone = bytes_of(Espeak().speak(ENGLISH[1]))
    theirs = ctypes.CDLL(espeakng_loader.get_library_path())
    assert theirs.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0x8000) > 0
    theirs.espeak_SetVoiceByName(b"de")
    assert bytes_of(Espeak().speak(ENGLISH[1])) == alone
    theirs.espeak_Terminate()


def test_espeak_names_the_nearest_voice_and_variant() -> None:
    with pytest.raises(VoiceError, match="no voice 'en-uss'; did you mean 'en-us'"):
        Espeak("en-uss").speak("Hello")
    with pytest.raises(VoiceError, match=r"no variant 'f33'.*did you mean 'f3'"):
        Espeak("en-us+f33").speak("Hello")


@pytest.mark.parametrize(("tag", "voice"), [("de-at", "de"), ("zh-cn", "cmn"), ("pt-PT", "pt")])
def test_espeak_speaks_a_language_whose_region_it_does_not_know(tag: str, voice: str) -> None:
    assert bytes_of(Espeak(tag).speak("Hallo")) == bytes_of(Espeak(voice).speak("Hallo"))


@pytest.mark.parametrize("factor", [0.0, -1.0, 5.0, float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["speed", "pitch"])
def test_a_speed_or_pitch_out_of_reach_is_refused(key: str, factor: float) -> None:
    for voice in (Espeak, OpenJTalk):
        with pytest.raises(VoiceError, match=f"{key}_scale"):
            voice(**{key: factor})


def test_espeak_lists_its_voices() -> None:
    listed = {voice.language: voice.name for voice in voices()}
    assert len(listed) > 100
    assert listed["de"] == "German"


def test_open_jtalk_turns_its_own_overs_down_instead_of_clipping_them() -> None:
    pcm = OpenJTalk().speak("ん")
    assert np.abs(pcm.samples).max() == pytest.approx(1.0, abs=1e-6)
    assert np.count_nonzero(np.abs(pcm.samples) > 0.999) < 3


def test_open_jtalk_says_a_long_sentence_without_commas_in_pieces() -> None:
    pcm = OpenJTalk(speed=3).speak("とても長い文" * 60)
    assert 8 < pcm.duration_s < 30


def loudest_place_s(pcm: Pcm) -> float:
    return int(np.abs(pcm.samples).argmax()) / pcm.rate_hz


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("b.wav", "pcm_s24le"),
        ("c.wav", "pcm_f32le"),
        ("d.flac", "flac"),
        ("e.mp3", "libmp3lame"),
        ("f.m4a", "aac"),
    ],
)
def test_a_recording_is_decoded_from_its_first_sample_on(
    tmp_path: Path, name: str, codec: str
) -> None:
    spoken = Espeak().speak(ENGLISH[1])
    path = write_sound(tmp_path / name, codec, spoken.samples, spoken.rate_hz)
    heard = Recorded(path, "").speak("")
    assert heard.rate_hz == spoken.rate_hz
    assert heard.duration_s == pytest.approx(spoken.duration_s, abs=0.05)
    n_samples = min(len(heard.samples), len(spoken.samples))
    match = np.corrcoef(heard.samples[:n_samples], spoken.samples[:n_samples])[0, 1]
    assert match > 0.95


def test_a_recording_of_two_channels_is_their_mean(tmp_path: Path) -> None:
    spoken = Espeak().speak(ENGLISH[0]).samples
    both = write_sound(tmp_path / "b.wav", "pcm_f32le", np.stack([spoken] * 2), 22_050, "stereo")
    left = np.stack([spoken, 0 * spoken])
    one = write_sound(tmp_path / "l.wav", "pcm_f32le", left, 22_050, "stereo")
    np.testing.assert_allclose(Recorded(both, "").speak("").samples, spoken, atol=1e-6)
    np.testing.assert_allclose(Recorded(one, "").speak("").samples, spoken / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("b.flac", "flac"), ("c.mp3", "libmp3lame"), ("d.m4a", "aac")],
)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5, 0.9])
def test_a_recording_that_is_cut_short_is_refused_by_name(
    tmp_path: Path, name: str, codec: str, share: float
) -> None:
    spoken = Espeak().speak(ENGLISH[1])
    path = write_sound(tmp_path / name, codec, spoken.samples, spoken.rate_hz)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(VoiceError, match=f"recording {name}: "):
        Recorded(path, "").speak("")


def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("This is only text.\n" * 500)
    picture = tmp_path / "picture.png"
    with av.open(str(picture), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        frame = av.VideoFrame(16, 16, "rgb24")
        container.mux((*stream.encode(frame), *stream.encode(None)))
    for path in (text, picture, tmp_path / "missing.wav", tmp_path):
        with pytest.raises(VoiceError, match=f"recording {path.name}: "):
            Recorded(path, "").speak("")
