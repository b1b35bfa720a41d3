"""The voice Piper, with a voice file of the test's own: real phonemes, real inference."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from conftest import SMALL, Folder
from services.tiny_piper import PHONEME_SAMPLES, RATE_HZ, write_voice
from services.voice_site import FILES_HOST, HOST, VoiceSite

from movie_build.errors import MissingExtra, VoiceError
from movie_build.pcm import Pcm
from movie_build.voices.espeak import Espeak
from movie_build.voices.piper import Piper

TEXT = "Only the changed lines are spoken."
NAME = "en_US-lessac-medium"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_voice(tmp_path_factory.mktemp("voice") / "tiny.onnx")


@pytest.fixture(scope="module")
def choir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_voice(tmp_path_factory.mktemp("choir") / "choir.onnx", n_speakers=3)


def piper(voice: Path | str, **settings: Any) -> Piper:
    return Piper(voice, **{"folder": Path("nowhere"), **settings})


def same(a: Pcm, b: Pcm) -> bool:
    return np.array_equal(a.samples, b.samples)


def test_a_line_is_spoken_at_the_rate_of_the_voice_with_a_tone_for_each_phoneme(model):
    sound = piper(model, noise=0).speak("a")
    assert sound.rate_hz == RATE_HZ
    assert sound.samples.dtype == np.float32
    assert sound.samples.ndim == 1
    assert len(sound.samples) % PHONEME_SAMPLES == 0
    assert len(piper(model).speak(TEXT).samples) > 20 * PHONEME_SAMPLES


def test_every_sentence_of_a_line_is_heard_and_none_made_louder(model):
    voice = piper(model, noise=0)
    one, two = (voice.speak(text) for text in ("One lamp.", "Two lamps."))
    both = voice.speak("One lamp. Two lamps.")
    assert np.array_equal(both.samples, np.concatenate([one.samples, two.samples]))
    assert np.abs(both.samples).max() == pytest.approx(0.5, abs=0.01)


def test_the_same_line_is_the_same_samples_whatever_was_spoken_before_and_beside_it(model):
    voice = piper(model)
    first = voice.speak(TEXT)
    voice.speak("Something else, which is longer.")
    Espeak("de").speak("Etwas anderes.")
    assert same(voice.speak(TEXT), first)
    assert same(piper(model).speak(TEXT), first)
    texts = [TEXT, "Another line.", "And a third one."] * 6
    alone = {text: voice.speak(text) for text in set(texts)}
    with ThreadPoolExecutor(6) as threads:
        spoken = list(threads.map(voice.speak, texts))
    assert all(same(sound, alone[text]) for sound, text in zip(spoken, texts, strict=True))


def test_the_same_line_is_the_same_samples_in_another_process(model):
    program = """
import hashlib, pathlib, sys
from movie_build.voices.piper import Piper
sound = Piper(pathlib.Path(sys.argv[1]), folder=pathlib.Path(".")).speak(sys.argv[2])
print(hashlib.sha256(sound.samples.tobytes()).hexdigest())
"""
    done = [
        subprocess.run(
            [sys.executable, "-c", program, model, TEXT], capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert done[0].stdout == done[1].stdout
    assert [run.stderr for run in done] == ["", ""]


def test_espeak_is_not_changed_by_the_espeak_in_piper(model):
    before = Espeak().speak(TEXT)
    piper(model).speak(TEXT)
    assert same(Espeak().speak(TEXT), before)


def test_noise_is_heard_and_can_be_turned_off(model):
    usual, clean, loud = (piper(model, noise=noise).speak(TEXT) for noise in (None, 0, 1.5))
    hiss = [float(np.std(sound.samples - clean.samples)) for sound in (usual, loud)]
    assert hiss == pytest.approx([0.0667, 0.15], rel=0.05)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_is_a_factor_of_the_duration(speed, model):
    usual, other = piper(model).speak(TEXT), piper(model, speed=speed).speak(TEXT)
    assert other.duration_s == pytest.approx(usual.duration_s / speed)


def test_a_speaker_is_chosen_by_number_or_name(choir):
    loudness = [
        float(np.abs(piper(choir, speaker=speaker, noise=0).speak(TEXT).samples).max())
        for speaker in (None, 0, 1, "speaker2")
    ]
    assert loudness == pytest.approx([1 / 2, 1 / 2, 1 / 4, 1 / 6], abs=0.01)


@pytest.mark.parametrize(
    ("speaker", "told"), [(3, "it has 3"), (-1, "it has 3"), ("speakr1", "did you mean 'speaker1'")]
)
def test_a_speaker_that_is_not_there_is_told(speaker, told, choir):
    with pytest.raises(VoiceError, match=told):
        piper(choir, speaker=speaker).speak(TEXT)


def test_phonemes_in_double_brackets_are_text_and_no_command(model):
    voice = piper(model, noise=0)
    assert same(voice.speak("[[aaaa]]"), voice.speak("aaaa"))
    assert len(voice.speak("see [[]] here").samples)
    assert len(voice.speak("x [[[[ab]] c").samples)


@pytest.mark.parametrize("text", ["", " \n", "…", "\x00"])
def test_a_line_with_nothing_to_say_is_refused(text, model):
    with pytest.raises(VoiceError):
        piper(model).speak(text)


def test_the_identity_changes_with_everything_that_is_heard(model, choir):
    identities = [
        piper(model),
        piper(choir),
        piper(NAME),
        piper(model, digest="another file"),
        piper(model, speed=1.1),
        piper(model, speaker=0),
        piper(model, noise=0),
        piper(model, noise_width=0),
    ]
    assert len({json.dumps(voice.identity()) for voice in identities}) == len(identities)
    assert "onnxruntime" in str(piper(model).identity()["version"])


def test_an_identity_is_of_the_files_and_not_of_where_they_lie(model, tmp_path):
    moved = write_voice(tmp_path / "moved.onnx")
    assert piper(moved).identity() == piper(model).identity()
    described = moved.with_name("moved.onnx.json")
    described.write_text(described.read_text().replace("0.667", "0.5"))
    assert piper(moved).identity() != piper(model).identity()


def test_an_identity_needs_no_engine(model):
    program = """
import pathlib, sys
from movie_build.voices.piper import Piper
Piper(pathlib.Path(sys.argv[1]), folder=pathlib.Path(".")).identity()
print(*sorted({"piper", "onnxruntime", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, model], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_a_named_voice_is_found_where_it_was_downloaded_to_without_a_network(tmp_path):
    write_voice(tmp_path / f"{NAME}.onnx")
    assert piper(NAME, folder=tmp_path).speak(TEXT).duration_s


def test_a_named_voice_that_cannot_be_downloaded_is_told_with_the_way_out(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{free.getsockname()[1]}")
    folder = tmp_path / "voices"
    with pytest.raises(VoiceError, match=f"{NAME} cannot be downloaded.*put {NAME}.onnx and"):
        piper(NAME, folder=folder).speak(TEXT)
    assert list(folder.iterdir()) == []
    assert socket.getdefaulttimeout() is None


def served(tmp_path: Path) -> dict[str, bytes]:
    """The files of the voice `NAME`, by their path in Piper's repository."""
    model = write_voice(tmp_path / f"{NAME}.onnx")
    place = f"en/en_US/lessac/medium/{NAME}.onnx"
    described = model.with_name(f"{NAME}.onnx.json").read_bytes()
    return {place: model.read_bytes(), f"{place}.json": described}


def test_a_named_voice_is_downloaded_once_by_pipers_own_downloader(
    folder: Folder, tmp_path: Path
) -> None:
    folder.write("movie.yaml", f"{SMALL}audio: {{engine: piper, voice: {NAME}}}\n")
    folder.write(
        "script.yaml", f"title: T\nsections: [{{title: S, narrations: ['{TEXT}', Two.]}}]\n"
    )
    with VoiceSite(served(tmp_path), tmp_path) as site:
        run = folder.doit("-n", "2", "audio", env=site.environment)
        folder.edit("script.yaml", "Two.", "Another.")
        assert folder.doit("audio", env=site.environment).made() == {"audio": 1}
    assert run.made() == {"audio": 2}
    cache = Path(os.environ["MOVIE_BUILD_CACHE"], "piper")
    assert sorted(path.name for path in cache.iterdir()) == [f"{NAME}.onnx", f"{NAME}.onnx.json"]
    asked = [urlsplit(url) for url in site.asked]
    assert [(at.hostname, at.path.rpartition("/")[2]) for at in asked] == [
        (host, name)
        for name in (f"{NAME}.onnx", f"{NAME}.onnx.json")
        for host in (HOST, FILES_HOST)
    ]


def test_a_download_that_is_no_voice_is_told_and_not_kept(folder: Folder, tmp_path: Path) -> None:
    folder.write("movie.yaml", f"{SMALL}audio: {{engine: piper, voice: {NAME}}}\n")
    folder.write("script.yaml", f"title: T\nsections: [{{title: S, narrations: ['{TEXT}']}}]\n")
    files = served(tmp_path)
    whole = dict(files)
    files[f"en/en_US/lessac/medium/{NAME}.onnx"] = b"<html>Log in</html>"
    with VoiceSite(files, tmp_path) as site:
        run = folder.doit("audio", env=site.environment, code=1)
        assert "script.yaml:2" in run.err and f"{NAME}.onnx is no voice of piper" in run.err
        assert not [*Path(os.environ["MOVIE_BUILD_CACHE"], "piper").iterdir()]
        site.files = whole
        assert folder.doit("audio", env=site.environment).made() == {"audio": 1}


@pytest.mark.parametrize("name", ["lessac", "../en_US-lessac-medium", "en_US-lessac-best", ""])
def test_what_is_no_name_of_a_voice_is_refused_with_an_example(name):
    with pytest.raises(VoiceError, match="en_US-lessac-medium"):
        piper(name)


def test_a_voice_file_that_is_missing_or_alone_is_told(tmp_path):
    with pytest.raises(VoiceError, match=r"nothing\.onnx"):
        piper(tmp_path / "nothing.onnx")
    alone = write_voice(tmp_path / "alone.onnx")
    alone.with_name("alone.onnx.json").unlink()
    with pytest.raises(VoiceError, match=r"alone\.onnx\.json"):
        piper(alone)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"half"])
def test_a_damaged_voice_file_is_told_by_name(content, tmp_path):
    model = write_voice(tmp_path / "damaged.onnx")
    model.write_bytes(model.read_bytes()[:300] if content == b"half" else content)
    with pytest.raises(VoiceError, match=r"damaged\.onnx is no voice"):
        piper(model).speak(TEXT)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"num_symbols": 3}'])
def test_a_description_that_is_none_is_told_by_name(content, tmp_path):
    model = write_voice(tmp_path / "odd.onnx")
    model.with_name("odd.onnx.json").write_text(content)
    with pytest.raises(VoiceError, match=r"odd\.onnx\.json does not describe"):
        piper(model).speak(TEXT)


def test_a_language_that_the_engine_does_not_know_is_told(tmp_path):
    model = write_voice(tmp_path / "odd.onnx")
    described = model.with_name("odd.onnx.json")
    described.write_text(described.read_text().replace("en-us", "xx"))
    with pytest.raises(VoiceError, match="xx"):
        piper(model).speak(TEXT)


@pytest.mark.parametrize(
    "settings", [{"speed": 0}, {"speed": 9}, {"noise": -1}, {"noise_width": 3}]
)
def test_a_setting_out_of_reach_is_refused_by_name(settings, model):
    (key,) = settings
    with pytest.raises(VoiceError, match=f"{key}.*use one from"):
        piper(model, **settings)


def test_without_its_extra_the_way_to_install_it_is_told(monkeypatch, model):
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(MissingExtra, match=r"movie-build\[piper\]"):
        piper(model)
