"""VOICEVOX over a real socket: what is spoken, and what is done about engines that fail or lie."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from services import voicevox_engine
from services.voicevox_engine import Engine, tones

from movie_build.config import Word
from movie_build.errors import StoreError, VoiceError
from movie_build.ledger import Ledger
from movie_build.service import Limits, Service
from movie_build.voices.voicevox import Manner, Voicevox, pitch_of
from movie_build.voices.voicevox_catalogue import remembered
from movie_build.voices.voicevox_dict import katakana, words_in
from movie_build.voices.voicevox_engines import Engines, urls_in, usual_limits
from movie_build.voices.voicevox_http import Patience, said
from movie_build.voices.voicevox_text import checked, kana, pieces

LINE = "明日は晴れです。"
GITHUB = Word("GitHub", "ギットハブ", 4)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Engines]]:
    """Makes the engines of a build; every wait is skipped, and kept in `waits`."""
    made: list[Engines] = []

    def open_engines(
        *servers: Engine | str, tries: int = 6, ledger: Ledger | None = None, sleep=None, **more
    ):
        urls = [server if isinstance(server, str) else server.url for server in servers]
        waits: list[float] = []
        limits = replace(usual_limits(len(urls)), tries=tries)
        service = Service("voicevox", limits, ledger, sleep=sleep or waits.append)
        engines = Engines(service, urls, tmp_path / "lent", **more)
        engines.waits = waits  # type: ignore[attr-defined]
        made.append(engines)
        return engines

    yield open_engines
    for engines in made:
        engines.close()


def expected(engine: Engine, text: str, **settings: float) -> np.ndarray:
    """What the engine makes of `text`, by its own arithmetic."""
    return tones({**engine.query(text), **settings}).astype(np.float32) / 32768


def test_a_line_is_spoken_with_the_engines_own_samples(engine, opened):
    pcm = Voicevox(opened(engine), 3).speak(LINE)
    assert pcm.rate_hz == 24_000 and pcm.samples.dtype == np.float32
    np.testing.assert_array_equal(pcm.samples, expected(engine, LINE))
    assert engine.asked("/audio_query") == [{"text": LINE, "speaker": "3"}]


def test_every_setting_reaches_the_engine_and_seconds_are_as_heard(engine, opened):
    manner = Manner(1.25, 0.05, 1.5, 0.5, 0.2, 0.4, pause_s=0.5, pause_scale=2.0)
    voice = Voicevox(opened(engine), 3, manner)
    pcm, moras = voice.speak_timed("はい、そうです。")
    (query,) = engine.queries
    assert (query["speedScale"], query["pitchScale"]) == (1.25, 0.05)
    assert (query["intonationScale"], query["volumeScale"]) == (1.5, 0.5)
    assert query["kana"] == "ハイ、ソウデス。", "what is not ours goes back as it came"
    frame_s = 256 / 24_000
    silences = [m.end_s - m.start_s for m in moras if not m.text]
    assert silences == pytest.approx([0.2, 1.0, 0.4], abs=frame_s)
    assert np.abs(pcm.samples).max() == pytest.approx(4000 / 32768, abs=0.001)


def test_speed_shortens_the_sound(engine, opened):
    engines = opened(engine)
    usual, quick = (Voicevox(engines, 3, Manner(s)).speak(LINE).duration_s for s in (1.0, 2.0))
    assert quick == pytest.approx(0.2 + (usual - 0.2) / 2, abs=0.15)


@pytest.mark.parametrize("manner", [Manner(speed=0), Manner(volume=0), Manner(pitch=float("nan"))])
def test_a_manner_out_of_reach_is_refused_by_name(opened, manner):
    with pytest.raises(VoiceError, match=r"voicevox cannot do (speed|volume|pitch)"):
        Voicevox(opened("127.0.0.1:1"), 3, manner)


def test_a_pitch_factor_becomes_the_engines_measure():
    assert pitch_of(1.0) == 0.0
    assert 0.02 < pitch_of(1.1) < 0.03 and pitch_of(0.9) < 0


@pytest.mark.parametrize(
    "text", [LINE, "はい、そうです。いいえ。", "本当ですか？", "「ちょっと、きて」といった。"]
)
def test_moras_fill_the_wav_without_gap_and_hold_its_kana(engine, opened, text):
    pcm, moras = Voicevox(opened(engine), 3, Manner(speed=1.3)).speak_timed(text)
    assert moras[0].start_s == 0 and moras[-1].end_s == pytest.approx(pcm.duration_s, abs=1e-9)
    for one, after in pairwise(moras):
        assert one.start_s < one.end_s == pytest.approx(after.start_s, abs=1e-9)
    kana_said = "".join(mora.text for mora in moras)
    assert kana_said == "".join(c for c in engine.pronounced(text) if c not in "、。?")
    # The tones really change where the moras do: silence is where silence is said to be.
    for mora in moras:
        inside = pcm.samples[int(mora.start_s * 24_000) + 2 : int(mora.end_s * 24_000) - 2]
        assert bool(np.abs(inside).max() > 0.01) == bool(mora.text), mora


def test_an_engine_that_knows_no_lengths_gives_sound_without_moras(engine, opened):
    engine.knows_lengths = False
    pcm, moras = Voicevox(opened(engine), 3).speak_timed(LINE)
    assert pcm.duration_s > 1 and moras == []


# Speakers


@pytest.mark.parametrize(
    ("speaker", "number"),
    [
        (3, 3),
        ("3", 3),
        ("ずんだもん/あまあま", 1),
        ("ずんだもん／ ヒソヒソ", 38),
        ("四国めたん", 2),
    ],
)
def test_speakers_by_number_and_by_name(engine, opened, speaker, number):
    Voicevox(opened(engine), speaker).speak(LINE)
    assert engine.asked("/synthesis")[0]["speaker"] == str(number)


@pytest.mark.parametrize(
    ("speaker", "hint"),
    [
        ("ずんだもん/ノマル", "did you mean 'ノーマル'"),
        ("ずんだもち", "did you mean 'ずんだもん'"),
        ("ずんだもん/なみだめ", "ずんだもん .* has no style .*use one of: あまあま"),
        (999, r"has no speaker 999; use one of: 0 \(四国めたん/あまあま\)"),
    ],
)
def test_an_unknown_speaker_is_told_with_the_nearest_and_not_asked_for(
    engine, opened, speaker, hint
):
    with pytest.raises(VoiceError, match=hint):
        Voicevox(opened(engine), speaker).speak(LINE)
    assert not engine.asked("/audio_query")


@pytest.mark.parametrize("way", ["422", "500", "200"])
def test_an_unknown_speaker_of_an_engine_that_lists_none(engine, opened, way):
    engine.speakers, engine.unknown_speaker = None, way
    with pytest.raises(VoiceError, match=r"has the engine a speaker 999|style_id is not found"):
        Voicevox(opened(engine, tries=3), 999).speak(LINE)
    assert len(engine.asked("/audio_query")) == (3 if way == "500" else 1)
    assert Voicevox(opened(engine), 3).speak(LINE).duration_s > 1


def test_a_name_is_no_use_where_the_engine_lists_none(engine, opened):
    engine.speakers = None
    with pytest.raises(VoiceError, match="write a number for 'ずんだもん'"):
        Voicevox(opened(engine), "ずんだもん").speak(LINE)


def test_a_model_is_loaded_once(engine, opened):
    engines = opened(engine)
    for text in ("あ", "い", "う"):
        Voicevox(engines, 3).speak(text)
    assert engine.asked("/initialize_speaker") == [{"speaker": "3", "skip_reinit": "true"}]


# Identity


def test_identity_tells_engine_model_and_manner_and_asks_nobody_when_it_is_known(engine, opened):
    first = opened(engine)
    identity = Voicevox(first, "ずんだもん", Manner(speed=1.2)).identity()
    assert identity["engine"] == "VOICEVOX Engine" and identity["version"] == "0.25.0"
    assert (identity["speaker"], identity["model"], identity["speed"]) == (3, "0.14.4", 1.2)
    known = remembered(first.known.to_json())
    engine.stop()
    later = Voicevox(opened(engine.url, known=known), 3, Manner(speed=1.2))
    assert later.identity() == identity
    assert remembered("{}") is None and remembered("rubbish") is None


def test_urls_are_not_part_of_what_is_heard(engine, opened):
    with Engine() as other:
        one, two = (Voicevox(opened(e), 3).identity() for e in (engine, other))
    assert one == two


def test_an_engine_that_changed_is_not_heard_under_its_old_name(engine, opened):
    known = opened(engine).catalogue()
    engine.version = "0.26.0"
    engines = opened(engine, known=known)
    voice = Voicevox(engines, 3)
    assert voice.identity()["version"] == "0.25.0"
    with pytest.raises(VoiceError, match=r"is now VOICEVOX Engine 0\.26\.0.*run doit again"):
        voice.speak(LINE)
    assert not engine.asked("/synthesis")
    again = Voicevox(opened(engine, known=engines.known), 3)
    assert again.identity()["version"] == "0.26.0" and again.speak(LINE).duration_s > 1


def test_engines_of_two_versions_are_not_mixed(engine, opened):
    with Engine(version="0.14.0") as other:
        engines = opened(engine, other)
        engine.delay_s = 0.3
        voice = Voicevox(engines, 3)
        voice.identity()
        with ThreadPoolExecutor(2) as pool, pytest.raises(VoiceError, match="of one version"):
            for result in [pool.submit(voice.speak, text) for text in ("あい", "うえ")]:
                result.result()


def test_a_speaker_installed_since_is_found(engine, opened):
    engine.speakers = voicevox_engine.SPEAKERS[:1]
    known = opened(engine).catalogue()
    engine.speakers = voicevox_engine.SPEAKERS
    assert Voicevox(opened(engine, known=known), "ずんだもん").identity()["speaker"] == 3


@pytest.mark.parametrize("version", [b"0.14", b'"latest"', b"", 7, "preview.2+cpu"])
def test_a_version_may_be_anything(engine, opened, version):
    engine.version, engine.has_manifest = version, False
    voice = Voicevox(opened(engine), 3)
    assert voice.identity()["version"] in {"0.14", "latest", "unknown", "7", "preview.2+cpu"}
    assert voice.speak(LINE).duration_s > 1


# Text


@pytest.mark.parametrize("text", ["", "  ", "。。。", "……", "😀", "「」"])
def test_what_cannot_be_spoken_is_refused_and_never_sent(engine, opened, text):
    with pytest.raises(VoiceError, match=r"blank|can be spoken"):
        Voicevox(opened(engine), 3).speak(text)
    assert not engine.requests or not engine.asked("/audio_query")
    assert not engine.crashed


def test_a_pause_at_the_beginning_is_not_sent(engine, opened):
    assert checked("……、そうです。") == "そうです。"
    Voicevox(opened(engine), 3).speak("…そう")
    assert engine.asked("/audio_query")[0]["text"] == "そう"


def test_a_long_line_is_cut_at_sentences_and_joined_with_the_engines_pauses(engine, opened):
    sentence = "これは、とてもながいぶんしょうのなかのひとつのぶんです。"
    text = sentence * 110
    assert kana(text) > voicevox_engine.LONGEST_KANA
    pcm, moras = Voicevox(opened(engine), 3).speak_timed(text)
    sent = [params["text"] for params in engine.asked("/audio_query")]
    assert len(sent) > 3 and "".join(sent) == text
    assert all(part.endswith("。") and kana(part) <= 700 for part in sent)
    # As long as if the engine had spoken it in one: every sentence ends with the same pause.
    whole_s = len(expected(engine, text)) / 24_000
    assert pcm.duration_s == pytest.approx(whole_s, abs=len(sent) * 0.03)
    assert "".join(m.text for m in moras) == "".join(
        c for c in engine.pronounced(text) if c not in "、。"
    )
    assert moras[-1].end_s == pytest.approx(pcm.duration_s, abs=1e-6)
    longest_s = max(
        after.end_s - before.start_s
        for before, after in pairwise(moras)
        if not before.text and not after.text
    )
    assert longest_s == pytest.approx(0.32, abs=0.03)


def test_pieces_lose_nothing_and_are_never_empty():
    assert pieces("あ。" * 20, 10) == ["あ。あ。あ。あ。あ。"] * 4
    long = "か" * 25 + "、" + "き" * 12 + "。……"
    assert "".join(pieces(long, 10)).replace("……", "") == long.replace("……", "")
    assert all(any(c in "かき" for c in piece) for piece in pieces(long, 10))


# Failures

FAULTS = [
    *("429", "429-after", "500", "503-message", "500-object", "reset", "half", "reset-mid"),
    *("html", "silence", "no-samples", "cut-wav", "short-wav", "rubbish"),
]


@pytest.mark.parametrize("path", ["/audio_query", "/synthesis"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_that_passes_is_tried_again(engine, opened, path, fault):
    engine.fail(path, fault)
    ledger = Ledger()
    pcm = Voicevox(opened(engine, ledger=ledger), 3).speak(LINE)
    np.testing.assert_array_equal(pcm.samples, expected(engine, LINE))
    assert (ledger.run["voicevox"].calls, ledger.run["voicevox"].characters) == (1, len(LINE))
    harmless = path == "/audio_query" and fault in ("silence", "cut-wav", "short-wav")
    assert len(engine.asked("/audio_query")) == (1 if harmless else 2)


@pytest.mark.parametrize(
    ("path", "fault", "told"),
    [
        ("/synthesis", "503-message", "answers 503: モデルの読み込みに失敗しました"),
        ("/synthesis", "500-object", "text: ParseKana, error_name: EMPTY_PHRASE"),
        ("/synthesis", "html", "sent no wav but 'Welcome to nginx!'"),
        ("/synthesis", "silence", "sent silence"),
        ("/synthesis", "no-samples", "without samples"),
        ("/synthesis", "half", "broke off"),
        ("/audio_query", "html", "sent no JSON but 'Welcome to nginx!'"),
        ("/speakers", "html", "sent no JSON"),
        ("/version", "html", "this is no VOICEVOX engine"),
    ],
)
def test_a_failure_that_stays_names_engine_and_reason(engine, opened, path, fault, told):
    engine.fail(path, *[fault] * 3)
    with pytest.raises(VoiceError) as caught:
        Voicevox(opened(engine, tries=3), 3).speak(LINE)
    assert told in str(caught.value) and engine.url in str(caught.value)
    assert "tried 3 times" in str(caught.value)


def test_what_an_engine_will_say_again_is_not_asked_again(engine, opened):
    engine.fail("/audio_query", "400")
    with pytest.raises(VoiceError, match=r"answers 400: Internal Server Error$"):
        Voicevox(opened(engine), 3).speak(LINE)
    assert len(engine.asked("/audio_query")) == 1


def test_the_engines_own_wait_is_kept(engine, opened):
    engine.fail("/synthesis", "429-after")
    engines = opened(engine)
    Voicevox(engines, 3).speak(LINE)
    assert 7 <= engines.waits[0] < 8


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_an_engine_that_never_ends_is_given_up_in_time(engine, opened, fault):
    engine.fail("/synthesis", fault)
    patience = Patience(base_s=0.2, per_kana_s=0.01)
    began = time.monotonic()
    pcm = Voicevox(opened(engine, patience=patience), 3).speak(LINE)
    np.testing.assert_array_equal(pcm.samples, expected(engine, LINE))
    assert time.monotonic() - began < 3


def test_long_text_is_given_more_time():
    patience = Patience(base_s=30, per_kana_s=0.5)
    assert (patience.for_kana(0), patience.for_kana(600)) == (30, 330)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"detail": "x"}', "x"),
        (b'{"detail": [{"loc": ["query", "speaker"], "msg": "bad"}]}', "query.speaker: bad"),
        (b'{"detail": {"a": "b"}}', "a: b"),
        (b'{"message": "m"}', "m"),
        (b"<h1>Bad <b>Gateway</b></h1>", "Bad Gateway"),
        (b"[1]", "1"),
        (b"\xff", "�"),
    ],
)
def test_errors_are_read_in_every_form(body, line):
    assert said(body) == line


def test_a_fifth_of_all_calls_may_fail_in_every_way_and_every_take_is_right(engine, opened):
    engine.fail_every(5, FAULTS)
    ledger = Ledger()
    texts = [f"{n}ばんめの、{'かきくけこさしすせそ'[n % 10] * (n % 7 + 1)}。" for n in range(300)]
    voice = Voicevox(opened(engine, ledger=ledger), 3)
    with ThreadPoolExecutor(4) as pool:
        takes = list(pool.map(voice.speak, texts))
    for text, take in zip(texts, takes, strict=True):
        np.testing.assert_array_equal(take.samples, expected(engine, text))
    assert ledger.run["voicevox"].calls == 300
    assert not engine.crashed


# Several engines


def test_lines_are_spread_and_no_engine_is_given_more_than_two(engine, opened):
    with Engine() as other:
        engine.delay_s = other.delay_s = 0.03
        voice = Voicevox(opened(engine, other), 3)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(voice.speak, ["あいうえお"] * 16))
        for each in (engine, other):
            assert each.most_at_once == 2
            assert 5 <= len(each.asked("/synthesis")) <= 11


def test_one_engine_is_asked_two_at_a_time(engine, opened):
    engine.delay_s = 0.02
    voice = Voicevox(opened(engine), 3)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(voice.speak, ["あいうえお"] * 10))
    assert engine.most_at_once == 2 and usual_limits(1) == Limits(at_once=2)


def test_a_dead_engine_is_left_out(engine, opened):
    with Engine() as dead:
        url = dead.url
    engines = opened(url, engine)
    for _ in range(4):
        assert Voicevox(engines, 3).speak(LINE).duration_s > 1
    assert engines.waits == []


def test_an_engine_that_dies_is_left_out_from_then_on(engine, opened):
    with Engine() as dying:
        engines = opened(dying, engine)
        voice = Voicevox(engines, 3)
        voice.speak(LINE)
        dying.stop()
    for _ in range(3):
        assert voice.speak(LINE).duration_s > 1


def test_an_engine_that_only_fails_is_asked_less(engine, opened):
    with Engine() as failing:
        failing.fail("/synthesis", *["500"] * 99)
        voice = Voicevox(opened(failing, engine), 3)
        for _ in range(10):
            voice.speak(LINE)
        assert len(failing.asked("/synthesis")) <= 3


def test_where_all_are_dead_it_is_said_at_once_and_how_to_start_one(opened):
    urls = []
    for _ in range(2):
        with Engine() as dead:
            urls.append(dead.url)
    engines = opened(*urls)
    with pytest.raises(VoiceError) as caught:
        Voicevox(engines, 3).speak(LINE)
    told = str(caught.value)
    assert all(url in told for url in urls) and "docker run" in told and "VOICEVOX_URL" in told
    assert engines.waits == []


def test_an_engine_that_restarts_is_waited_for(engine, opened):
    restarted: list[Engine] = []
    start = lambda _: restarted.append(Engine(port=engine.port))  # noqa: E731
    voice = Voicevox(opened(engine, tries=3, sleep=start), 3)
    voice.speak(LINE)
    engine.stop()
    assert voice.speak(LINE).duration_s > 1
    for each in restarted:
        each.stop()


def test_urls_are_read_from_one_value():
    assert urls_in("http://a:1, http://b:2  c:3") == ["http://a:1", "http://b:2", "c:3"]
    assert urls_in("") == ["http://127.0.0.1:50021"]


def test_a_password_in_a_url_is_never_shown(opened):
    with Engine() as dead:
        url = dead.url.replace("http://", "http://me:secret@")
    with pytest.raises(VoiceError) as caught:
        Voicevox(opened(url), 3).speak(LINE)
    assert "secret" not in str(caught.value) and str(dead.port) in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://x", "http://", ""])
def test_a_url_that_is_none_is_refused(opened, url):
    with pytest.raises(VoiceError, match="is no engine's URL"):
        opened(url)


# The dictionary


def test_words_are_lent_with_all_fields_only_as_needed_and_taken_back(engine, opened):
    engine.add_users_word("東京", "トーキョー")
    before = dict(engine.user_dict)
    word = Word("GitHub", "ぎっとはぶ", 4, "COMMON_NOUN", 8)
    engines = opened(engine, dictionary=[word, Word("Rust", "ラスト", 1)])
    voice = Voicevox(engines, 3)
    voice.speak("東京です。")
    assert not engine.asked("/user_dict_word")
    _, moras = voice.speak_timed("ＧｉｔＨｕｂです。")
    assert "".join(m.text for m in moras) == "ギットハブデス"
    voice.speak("GitHubです。")
    assert engine.asked("/user_dict_word") == [
        {
            "surface": "ＧｉｔＨｕｂ",
            "pronunciation": "ギットハブ",
            "accent_type": "4",
            "word_type": "COMMON_NOUN",
            "priority": "8",
        }
    ]
    assert engines.close() == ()
    assert engine.user_dict == before


def test_words_are_taken_back_after_a_failure(engine, opened):
    engine.fail("/synthesis", *["500"] * 9)
    engines = opened(engine, tries=2, dictionary=[GITHUB])
    with pytest.raises(VoiceError), engines:
        Voicevox(engines, 3).speak("GitHub")
    assert len(engine.asked("/user_dict_word")) == 1 and engine.user_dict == {}


def test_a_word_that_the_user_has_is_not_added_nor_removed(engine, opened):
    key = engine.add_word(
        {"surface": "GitHub", "pronunciation": "ギットハブ", "accent_type": "4", "priority": "10"}
    )
    with opened(engine, dictionary=[GITHUB]) as engines:
        Voicevox(engines, 3).speak("GitHub")
    assert list(engine.user_dict) == [key] and not engine.asked("/user_dict_word")


def test_the_users_own_word_gives_way_to_a_higher_priority_and_is_never_changed(engine, opened):
    engine.add_users_word("GitHub", "ジットハブ", priority=5)
    before = dict(engine.user_dict)
    with opened(engine, dictionary=[GITHUB]) as engines:
        _, moras = Voicevox(engines, 3).speak_timed("GitHub")
        assert "".join(m.text for m in moras) == "ギットハブ"
    assert engine.user_dict == before
    with (
        opened(engine, dictionary=[replace(GITHUB, priority=5)]) as engines,
        pytest.raises(VoiceError, match=r"ジットハブ .*give yours the higher priority"),
    ):
        Voicevox(engines, 3).speak("GitHub")
    assert engine.user_dict == before


def test_builds_at_the_same_time_hear_only_their_own_words(engine, opened):
    one = opened(engine, dictionary=[GITHUB])
    two = opened(engine, dictionary=[replace(GITHUB, reading="ジーエイチ", accent=1)])
    none = opened(engine)
    voices = {"ギットハブ": one, "ジーエイチ": two, "カナカナカナカナカナカナ": none}

    def kana_of(reading: str) -> str:
        _, moras = Voicevox(voices[reading], 3).speak_timed("GitHub")
        return "".join(mora.text for mora in moras)

    wanted = list(voices) * 4
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(kana_of, wanted)) == wanted
    one.close()
    assert kana_of("ジーエイチ") == "ジーエイチ"
    two.close()
    none.close()
    assert engine.user_dict == {}


@pytest.mark.parametrize("fault", ["apply-then-reset", "500", "half"])
def test_an_adding_that_is_cut_off_adds_the_word_once(engine, opened, fault):
    engine.fail("/user_dict_word", fault)
    with opened(engine, dictionary=[GITHUB]) as engines:
        Voicevox(engines, 3).speak("GitHub")
        assert list(engine.words().values()) == ["ギットハブ"]
    assert engine.user_dict == {}


def test_a_taking_back_that_fails_is_tried_again_and_else_left_to_the_next_build(engine, opened):
    engines = opened(engine, tries=2, dictionary=[GITHUB])
    Voicevox(engines, 3).speak("GitHub")
    engine.fail("/user_dict_word/*", *["500"] * 2)
    (trouble,) = engines.close()
    assert "still in the user dictionary" in trouble and engine.url in trouble
    assert len(engine.user_dict) == 1
    with opened(engine) as after:
        Voicevox(after, 3).speak("あ")
    assert engine.user_dict == {}


KILLED = """
import sys
from pathlib import Path
from movie_build.config import Word
from movie_build.service import Service
from movie_build.voices.voicevox import Voicevox
from movie_build.voices.voicevox_engines import Engines

url, folder = sys.argv[1:]
engines = Engines(Service("v"), [url], Path(folder), dictionary=[Word("GitHub", "ギットハブ", 4)])
Voicevox(engines, 3).speak("GitHub")
"""


@pytest.mark.parametrize("when", ["while adding", "while speaking"])
def test_what_a_killed_build_left_is_known_as_ours_and_removed(engine, opened, tmp_path, when):
    engine.add_users_word("東京", "トーキョー")
    before = dict(engine.user_dict)
    path = "/user_dict_word" if when == "while adding" else "/synthesis"
    engine.fail(path, "apply-then-hang")
    command = [sys.executable, "-c", textwrap.dedent(KILLED), engine.url, str(tmp_path / "lent")]
    with subprocess.Popen(command) as build:
        assert engine.applied.wait(20)
        build.send_signal(signal.SIGKILL)
    assert len(engine.user_dict) == 2, "it was killed before it could take its word back"
    # Any build that speaks, also one without a word of its own.
    with opened(engine) as engines:
        Voicevox(engines, 3).speak("あ")
        assert engine.user_dict == before


def test_a_word_that_the_user_edits_meanwhile_is_the_users(engine, opened):
    with opened(engine, dictionary=[GITHUB]) as engines:
        Voicevox(engines, 3).speak("GitHub")
        (word,) = engine.user_dict.values()
        word["pronunciation"] = "ギッハブ"
    assert engine.words() == {"ＧｉｔＨｕｂ": "ギッハブ"}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (Word("GitHub", "git hub"), "GitHub: the reading 'git hub' is not in kana"),
        (Word("GitHub", "ギットハブ", 9), "GitHub: .* 422.*誤ったアクセント型です"),
    ],
)
def test_a_word_that_cannot_be_is_told_and_spoils_no_other_line(engine, opened, word, told):
    with opened(engine, dictionary=[word]) as engines:
        voice = Voicevox(engines, 3)
        assert voice.speak("あ").duration_s > 0
        with pytest.raises(VoiceError, match=told):
            voice.speak("GitHub")
    assert engine.user_dict == {}


def test_engines_without_a_dictionary_say_so(engine, opened):
    engine.has_dictionary = False
    with opened(engine, dictionary=[GITHUB]) as engines:
        assert Voicevox(engines, 3).speak("あ").duration_s > 0
        with pytest.raises(VoiceError, match=r"no user dictionary .*give the lines a `reading`"):
            Voicevox(engines, 3).speak("GitHub")


def test_a_dictionary_that_nobody_may_change_is_told(engine, opened):
    engine.fail("/user_dict_word", "403")
    with (
        opened(engine, dictionary=[GITHUB]) as engines,
        pytest.raises(VoiceError, match="without --disable_mutable_api"),
    ):
        Voicevox(engines, 3).speak("GitHub")


def test_a_folder_that_cannot_be_written_is_told(engine, opened, tmp_path):
    (tmp_path / "lent").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*lent: File exists"):
        Voicevox(opened(engine), 3).speak(LINE)


def test_a_line_depends_on_the_words_in_it_whatever_their_width():
    words = [GITHUB, Word("C-3PO", "シースリーピーオー"), Word("東京", "トーキョー")]
    assert words_in("ＧｉｔＨｕｂとＣ−３ＰＯ", words) == tuple(words[:2])
    assert words_in("京都", words) == ()
    assert katakana(Word("x", "ギット・ﾊﾌﾞ うぃ")) == "ギットハブウィ"


def test_every_engine_has_its_own_words(engine, opened):
    with Engine() as other:
        engine.delay_s = other.delay_s = 0.05
        with opened(engine, other, dictionary=[GITHUB]) as engines:
            voice = Voicevox(engines, 3)
            with ThreadPoolExecutor(4) as pool:
                takes = list(pool.map(voice.speak_timed, ["GitHub"] * 8))
            said = {"".join(m.text for m in moras) for _, moras in takes}
            assert said == {"ギットハブ"}
            assert len(engine.words()) == len(other.words()) == 1
        assert engine.user_dict == other.user_dict == {}


def test_nothing_is_imported_or_asked_before_it_is_needed(engine):
    code = (
        "import sys\n"
        "from movie_build.voices import voicevox\n"
        "print([m for m in ('httpx', 'numpy', 'pydantic', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
    assert threading.active_count() < 50 and engine.requests == []
