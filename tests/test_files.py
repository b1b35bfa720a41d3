"""movie.yaml and script.yaml: every form is read, every mistake is told with its line."""

from __future__ import annotations

import sys
import unicodedata
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import SMALL, Folder
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from movie_build.checks import check_movie
from movie_build.config_file import ConfigFile
from movie_build.edge import Strict
from movie_build.errors import InputError, MovieBuildError
from movie_build.movie import Movie, load
from movie_build.project import Project
from movie_build.script import Image, Line, Quotation, Script, Section
from movie_build.script_file import ScriptFile, SectionKeys, dump, to_script
from movie_build.yamlfile import parse

SCRIPT = "title: T\nsections: [{title: S, narrations: [hello]}]\n"


def read(tmp_path: Path, script: str | bytes | None = SCRIPT, config: str | None = None) -> Movie:
    if script is not None:
        raw = script if isinstance(script, bytes) else script.encode()
        (tmp_path / "script.yaml").write_bytes(raw)
    if config is not None:
        (tmp_path / "movie.yaml").write_text(config)
    return load(Project(tmp_path), cached=False)


def mistakes(tmp_path: Path, script: str | bytes = SCRIPT, config: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, script, config)
    return str(caught.value).splitlines()


def test_the_predecessors_script_is_read_as_it_is(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/bg.jpg").write_bytes(b"")
    script = read(
        tmp_path,
        """
title: Sample
description: What it is about
role_assignments:
  - {persona_id: zundamon, role: explainer, description: "…"}
sections:
  - title: Introduction
    narrations:
      - text: 明日は晴れです
        reading: アシタワハレデス
        persona_id: zundamon
      - "a plain string is a line too"
    slide_prompt: "a slide with the title in the centre"
    source_image_url: https://example.com/image.jpg
    background: {type: image, path: assets/bg.jpg, fit: cover}
  - title: Older
    slide_prompt: null
    source_image_url: null
    dialogues:
      - {persona_id: zundamon, narration: One, reading: ワン}
  - title: Oldest
    narration: "one text"
""",
        "personas: [{id: zundamon, name: Z, synthesizer: {engine: espeak}}]",
    ).script
    assert script is not None
    first, older, oldest = script.sections
    assert first.narrations[0] == Line("明日は晴れです", "アシタワハレデス", "zundamon")
    assert first.narrations[1] == Line("a plain string is a line too")
    assert first.image == Image("https://example.com/image.jpg")
    assert first.background is not None and first.background.path == "assets/bg.jpg"
    assert older.narrations == (Line("One", "ワン", "zundamon"),)
    assert oldest.narrations == (Line("one text"),)


def test_numbers_and_yes_are_text_as_written(tmp_path):
    script = read(
        tmp_path, "title: 1.10\nsections: [{title: 007, narrations: [yes, 12:30, 1_0]}]"
    ).script
    assert script is not None
    assert (script.title, script.sections[0].title) == ("1.10", "007")
    assert [line.text for line in script.sections[0].narrations] == ["yes", "12:30", "1_0"]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("title: T\nsections:\n- title: S\n  narations: [x]\n", "script.yaml:4: sections[0].narations: no such key; did you mean 'narrations'?"),
        ("title: T\nsections:\n- title: S\n  narrations:\n  - ''\n", "script.yaml:5: sections[0].narrations[0]: an empty line cannot be spoken; write its text, or remove it"),
        ("title: T\nsections:\n- title: S\n  narrations: [{text: x, pause: -1}]\n", "script.yaml:4: sections[0].narrations[0].pause: should be 0 to 600 seconds, not -1"),
        ("title: T\nsections:\n- 5\n", "script.yaml:3: sections[0]: must be a mapping (`key: value` lines), not 5"),
        ("title: T\nsections: []\n", "script.yaml:2: sections: there are none; write at least one, with a `title` and its `narrations`"),
        ("title: T\nsections:\n", "script.yaml:2: sections: must be a list (`- …` lines), not nothing"),
        ("title: T\nsections: 0\n", "script.yaml:2: sections: must be a list (`- …` lines), not 0"),
        ("title: T\nsections: [{title: S, image: {path: a.png, fit: letterbox}, narrations: [x]}]\n", "script.yaml:2: sections[0].image.fit: should be 'cover', 'contain' or 'blur', not 'letterbox'"),
        ("title: T\nsections: [{title: , narrations: [x]}]\n", "script.yaml:2: sections[0].title: should be a valid string, not nothing"),
        ("title: T\ntitle: U\nsections: [{title: S, narrations: [x]}]\n", "script.yaml:2: title: this key stands here twice (first in line 1); remove one"),
        ("title: T\nsections:\n  - title: S\n    narrations: [x]\n- title: S\n", "script.yaml:5: wrong indentation, or more behind a quote or bracket than it closes; indent"),
        ("title: 'it's'\n", "script.yaml:1: wrong indentation, or more behind a quote or bracket"),
        ("- a\ntitle: T\n", "script.yaml:2: wrong indentation; indent this as what stands beside it"),
        ("title: T\nsections: [{title: S, narrations: [x}]\n", "script.yaml:2: a bracket [ is not closed"),
        ('title: "T\n', "script.yaml:1: a quote is not closed; close it"),
        ('title: T\nsections:\n- title: S\n  narrations:\n  - "x\n  - y\n', "script.yaml:5: a quote is not closed; close it"),
        ("title: T\nsections: [{title: S, narrations: [Note: well]}]\n", "script.yaml:2: sections[0].narrations[0].Note: no such key; if it begins a text, put the whole text in quotes"),
        ("title: @home\n", "script.yaml:1: text that begins with @, ` or %; put it in quotes"),
        ("title: *bold*\n", "script.yaml:1: text that begins with * or &; put it in quotes"),
        ("title: *bold\n", "script.yaml:1: text that begins with *; put it in quotes, or name"),
        ("title\nsections: []\n", "script.yaml:2: a colon in"),
        ("title: T\nsections\n", "script.yaml:3: no colon behind a key"),
        ("title: a: b\n", "script.yaml:1: a colon in plain text, or wrong indentation; put the text in quotes"),
        (b"title: \xff\n", "script.yaml:1: not UTF-8; save the file as UTF-8"),
        ("title: T\nsections:\n- title: S\n  narrations:\n\t- x\n", "script.yaml:5: a tab where spaces are needed; indent with spaces"),
        ("", "script.yaml:1: title: required, and not there; add it"),
        ("title: T\nsections: [{title: S}]\n", "script.yaml:2: sections[0]: nothing is said over this slide; add `narrations`, or remove the section"),
        ("title: T\nsections: [{title: S, narrations: [{text: x, persona_id: bob}]}]\n", "script.yaml:2: sections[0].narrations[0].persona_id: no persona named 'bob'; name it under `personas` in movie.yaml, or remove persona_id"),
        ("title: T\nsections: [{title: S, image: no.png, narrations: [x]}]\n", "script.yaml:2: sections[0].image: there is no file 'no.png' in"),
        ("title: T\nsections: [{title: S, narrations: ['...']}]\n", "script.yaml:2: sections[0].narrations[0]: nothing in '...' can be spoken; write words, or give a reading"),
        ("title: T\nsections: [{title: S, narrations: [x], background: {type: video, path: a.mp4}}]\n", "script.yaml:2: sections[0].background.type: a video cannot be a background yet; use an image"),
        ("title: T\nrole_assignments: [{persona_id: bob, role: explainer}]\nsections: [{title: S, narrations: [x]}]\n", "script.yaml:2: role_assignments[0].persona_id: no persona named 'bob'"),
        ("title: T\nsections: [{title: S, narrations: [true]}]\n", 'script.yaml:2: sections[0].narrations[0].text: to say the word true, put it in quotes: "true"'),
        ("a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g]\n", "script.yaml:1: aliases unfold without end; write the values out"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_script_is_told(tmp_path, script, told):
    found = mistakes(tmp_path, script)
    assert any(line.startswith(told) for line in found), found


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("style: {resolution: [0, -5]}", "movie.yaml:1: style.resolution[0]: should be greater than or equal to 64, not 0"),
        ("style: {resolution: [321, 180]}", "movie.yaml:1: style.resolution[0]: should be a multiple of 2, not 321"),
        ("style: {fps: 0}", "movie.yaml:1: style.fps: should be 1 to 120 frames a second, like 30 or 30000/1001, not 0"),
        ("audio:\n  sped_scale: 2\n", "movie.yaml:2: audio.sped_scale: no such key; did you mean 'speed_scale'?"),
        ("- a\n", "movie.yaml:1: must be a mapping"),
        ("style: {crf: 52}", "movie.yaml:1: style.crf: should be less than or equal to 51, not 52"),
        ("slides:\n  llm: {provider: openruter}", "movie.yaml:2: slides.llm.provider: no provider 'openruter' is known: give its base_url, or did you mean 'openrouter'?"),
        ("content: {llm: {provider: mine}}", "movie.yaml:1: content.llm.provider: no provider 'mine' is known: give its base_url, or use one of: openai, openrouter"),
        ("slides: {llm: {window_tokens: 5000}}", "movie.yaml:1: slides.llm.window_tokens: no such key"),
        ("style: {primary_color: red}", "movie.yaml:1: style.primary_color: should be a colour like '#1a1a2e', not 'red'"),
        ("style: {resolution: [1280]}", "movie.yaml:1: style.resolution: must have at least 2 entries, not 1"),
        ("project: {name: a/b}", "movie.yaml:1: project.name: becomes a file's name, so it must not hold any of / \\ = : like 'a/b'"),
        ("video: {background: {type: video, path: a.mp4}}", "movie.yaml:1: video.background.type: a video cannot be a background yet; use an image"),
        ("content:\n  languages: [ja, Japanese, ../en]", "movie.yaml:2: content.languages[1]: should be the tag of a language, like en, ja or pt-BR, not 'Japanese'"),
        ("personas: [{id: a}, {id: a}]", "movie.yaml:1: personas[1].id: two personas are called 'a'"),
        ("audio: {speaker: [3]}", "movie.yaml:1: audio.speaker: should be a valid string, not [3]"),
        ("limits:\n  web: {at_once: 2}\n  opnai: {at_once: 2}", "movie.yaml:3: limits.opnai: no service that is asked is called 'opnai'; did you mean 'openai'?"),
        ("limits: {espeak: {at_once: 2}}\naudio: {engine: espeak}", "movie.yaml:1: limits.espeak: no service that is asked is called 'espeak'; use one of: "),
        ("limits: {aivisspeech: {at_once: 1}}\naudio: {engine: aivisspeech}", "movie.yaml:1: limits.aivisspeech: no service that is asked is called 'aivisspeech'; write 'voicevox'"),
        ("limits: {api.openai.com: {at_once: 1}}", "movie.yaml:1: limits.api.openai.com: no service that is asked is called 'api.openai.com'; write 'openai'"),
        ("limits: {llm.exampel.org: {at_once: 1}}\ncontent: {llm: {model: m, base_url: 'https://llm.example.org/v1'}}", "movie.yaml:1: limits.llm.exampel.org: no service that is asked is called 'llm.exampel.org'; did you mean 'llm.example.org'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_settings_is_told(tmp_path, config, told):
    found = mistakes(tmp_path, config=config)
    assert any(line.startswith(told) for line in found), found


def test_half_a_script_is_a_mistake_wherever_it_ends(tmp_path):
    text = 'title: "T"\nsections:\n- title: One\n  narrations:\n  - {text: a, id: b}\n  - |\n   c\n'
    for end in range(len(text)):
        try:
            read(tmp_path, text[:end])
        except InputError as mistake:
            assert str(mistake).startswith("script.yaml")


@pytest.mark.parametrize(
    ("names", "more"),
    [
        (["web", "openai", "openrouter", "voicevox"], ""),
        (["llm.example.org"], "content: {llm: {model: m, base_url: 'https://llm.example.org/v1'}}"),
        (["gpu"], "slides: {llm: {model: m, base_url: 'http://gpu:8000/v1'}}"),
        (["tts"], "audio: {engine: openai, base_url: 'http://tts:8880/v1'}"),
        (
            ["tts"],
            "audio: {engine: openai}\n"
            "personas: [{id: a, synthesizer: {base_url: 'http://tts:8880/v1'}}]",
        ),
        (["mine"], "content: {llm: {model: m, provider: mine, base_url: 'http://gpu/v1'}}"),
        (["localhost", "llm.example.org"], ""),  # an environment somewhere may name them
        (["not-installed"], "personas: [{id: a, synthesizer: {engine: not-installed}}]"),
    ],
)
def test_what_is_asked_can_be_limited_by_its_name(tmp_path, names, more):
    limits = ", ".join(f"{name}: {{per_minute: 60}}" for name in names)
    movie = read(tmp_path, config=f"limits: {{{limits}}}\n{more}\n")
    assert [name for name, _ in movie.config.limits] == names


def test_all_mistakes_of_both_files_are_told_in_one_run(tmp_path):
    found = mistakes(
        tmp_path,
        "titel: T\nsections: [{title: S, narrations: [{txt: x}]}]\n",
        "styl: {}\naudio: 3\n",
    )
    assert [line.split(": ")[0] for line in found] == [
        "movie.yaml:1",
        "movie.yaml:2",
        "script.yaml:1",
        "script.yaml:1",
        "script.yaml:2",
    ]


def test_what_the_files_name_and_is_not_there_is_told_in_one_run(tmp_path):
    script = """title: T
sections:
- title: A
  template: bulets
  narrations: [{text: one, voice: {engine: nope}}, {text: two, voice: {engine: nope}}]
- title: B
  narrations: [{text: three, voice: {engine: espeak, speaker: 3}}]
"""
    (tmp_path / "script.yaml").write_text(script)
    with pytest.raises(InputError) as told:
        check_movie(tmp_path)
    found = [str(mistake) for mistake in told.value.mistakes]
    assert [line.partition(": ")[0] for line in found] == [
        "script.yaml:4",
        "script.yaml:5",
        "script.yaml:5",
        "script.yaml:7",
    ]
    (tmp_path / "movie.yaml").write_text("style:\n  theme: nice\n")
    with pytest.raises(InputError) as told:
        check_movie(tmp_path)
    assert str(told.value.mistakes[0]).startswith("movie.yaml:2: style.theme: no theme 'nice'")


def told_by_check(folder: Path, script: str, config: str) -> list[str]:
    (folder / "script.yaml").write_text(script)
    (folder / "movie.yaml").write_text(config)
    with pytest.raises(InputError) as caught:
        check_movie(folder)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_misspelt_key_does_not_hide_what_is_named_and_is_not_there(tmp_path):
    config = """audio: {sped_scale: 2}
personas:
- {id: a, synthesizer: {engine: voicevx}}
- {id: b, subtitle_colour: red}
video: {background: {path: no.png}}
"""
    script = """title: T
titel: U
sections:
- title: A
  template: bulets
  narrations:
  - {txt: x}
  - {text: two, voice: {engine: nope}}
  - {text: three, persona_id: c}
  - {text: four, recording: gone.wav}
  - {text: five, persona_id: b, pause: -1}
- {title: B, logo: gone.svg, template: pictur, image: gone.png, narations: [x]}
- {titl: C, html: gone.html, narrations: [x, '']}
- 5
- title: D
  title: E
  narrations: [{text: x, voice: {engine: nope}}]
"""
    found = told_by_check(tmp_path, script, config)
    assert [": ".join(line.split(": ")[:2]) for line in found] == [
        "movie.yaml:1: audio.sped_scale",
        "movie.yaml:3: personas[0].synthesizer",
        "movie.yaml:4: personas[1].subtitle_colour",
        "movie.yaml:5: video.background.path",
        "script.yaml:2: titel",
        "script.yaml:5: sections[0].template",
        "script.yaml:7: sections[0].narrations[0].txt",
        "script.yaml:8: sections[0].narrations[1].voice",
        "script.yaml:9: sections[0].narrations[2].persona_id",
        "script.yaml:10: sections[0].narrations[3].recording",
        "script.yaml:11: sections[0].narrations[4].pause",
        "script.yaml:12: sections[1].narations",
        "script.yaml:12: sections[1].image",
        "script.yaml:12: sections[1].template",
        "script.yaml:12: sections[1].logo",
        "script.yaml:13: sections[2].title",
        "script.yaml:13: sections[2].titl",
        "script.yaml:13: sections[2].narrations[1]",
        "script.yaml:13: sections[2].html",
        "script.yaml:14: sections[3]",
        "script.yaml:16: sections[4].title",
        "script.yaml:17: sections[4].narrations[0].voice",
    ]


@pytest.mark.parametrize(
    ("script", "config"),
    [
        ("template: large, narrations: [x]", "style: {theem: mine}"),
        ("narrations: [{text: x, persona_id: a}]", "persona: [{id: a}]"),
        ("narrations: [{text: x, persona_id: a}]", "personas: {id: a}"),
        (
            "narrations: [{text: x, persona_id: a, voice: {engine: espeak}}]",
            "persona: [{id: a}]",
        ),
        ("narrations: [{text: x, voice: {engin: openai, voice: alloy}}]", ""),
        ("narrations: [{text: x, voice: {speaker: 3}}]", "audio: {engin: espeak}"),
        ("narrations: [{text: x, voise: {engine: nope}}]", "audio: {engine: espeak}"),
        ("narrations: [{text: '', pause: -1}]", ""),
        ("narrations: {text: x}", ""),
        ("template: picture, imag: a.png, narrations: [x]", ""),
        ("image: {caption: x}, template: picture, narrations: [x]", ""),
        ("page: 3, narrations: [x]", "vidoe: {}"),
        ("narrations: ['…']", "pronunciation: {custum: {…: well}}"),
    ],
)
def test_what_follows_from_a_mistake_is_not_told_as_another(tmp_path, script, config):
    found = told_by_check(tmp_path, f"title: T\nsections: [{{title: S, {script}}}]\n", config)
    assert len(found) == 1, found


def test_what_settings_name_is_looked_for_before_a_script_is_written(tmp_path):
    (tmp_path / "movie.yaml").write_text("source: a.md\nstyle: {theme: nice}\naudio: {engine: x}\n")
    with pytest.raises(InputError) as caught:
        check_movie(tmp_path)
    assert [str(m.where) for m in caught.value.mistakes] == [
        "movie.yaml:2: style.theme",
        "movie.yaml:3: audio",
    ]


def test_mistakes_of_every_languages_script_are_told_in_one_run(tmp_path):
    (tmp_path / "script.ja.yaml").write_text("title: T\nsections: [{titel: S, narrations: [x]}]\n")
    script = "title: T\nsections: [{title: S, template: x, narrations: [hi]}]\n"
    found = told_by_check(tmp_path, script, "content: {languages: [en, ja]}\n")
    assert [line.split(":")[0] for line in found] == [
        "script.ja.yaml",
        "script.ja.yaml",
        "script.yaml",
    ]


def test_a_mistake_in_one_file_does_not_hide_what_is_missing_beside_the_other(tmp_path):
    script = "title: T\nsections: [{title: S, image: no.png, narrations: ['']}]\n"
    assert [line.partition(": ")[0] for line in mistakes(tmp_path, script, "audio: 3\n")] == [
        "movie.yaml:1",
        "script.yaml:2",
        "script.yaml:2",
    ]
    assert mistakes(tmp_path, script, "audio: 3\n")[2].endswith(f"in {tmp_path.name}/")


def test_a_font_that_is_not_there_is_told_by_check_at_its_line(tmp_path):
    (tmp_path / "script.yaml").write_text("title: T\nsections: [{title: S, narrations: [x]}]\n")
    (tmp_path / "movie.yaml").write_text("style:\n  font_family: No Such Sans\n")
    with pytest.raises(InputError, match=r"movie.yaml:2: style.font_family: no font family"):
        check_movie(tmp_path)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("content: {author: outlin}", "movie.yaml:1: content.author: no author 'outlin'; did you"),
        ("slides: {maker: x}", "movie.yaml:1: slides.maker: no maker 'x'"),
        ("cache: {shared: x}", "movie.yaml:1: cache.shared: the shared store 'x' is no URL"),
        ("personas: [{id: a, synthesizer: {engine: x}}]", "movie.yaml:1: personas[0].synthesizer:"),
    ],
)
def test_a_name_that_no_line_needs_is_looked_for_all_the_same(tmp_path, config, told):
    (tmp_path / "script.yaml").write_text(SCRIPT)
    (tmp_path / "movie.yaml").write_text(config)
    with pytest.raises(MovieBuildError) as caught:
        check_movie(tmp_path)
    assert str(caught.value).startswith(told)


def test_warnings_come_in_the_order_of_the_files(tmp_path):
    config = """
audio: {enable_furigana: true}
video:
  template: x
  renderer: remotion
  render_concurrency: 4
personas:
- id: a
  subtitle_color: "#ffffff"
  avatar_image: a.png
"""
    lines = [warning.where.line for warning in read(tmp_path, SCRIPT, config).warnings]
    assert lines == [2, 4, 5, 6, 9, 10]


@pytest.mark.parametrize(
    ("config", "ignored"),
    [
        (
            "narration: {character: a teacher, style: warm}",
            ["narration.character", "narration.style"],
        ),
        ("persona_pool: {enabled: true}", ["persona_pool"]),
        ("content: {slide_prompts: true}", ["content.slide_prompts"]),
        ("content: {llm: {provider: openrouter}}", ["content.llm"]),
        ("slides: {style: presentation}", ["slides"]),
        ("content: {llm: {model: m}}\nnarration: {style: warm}", []),
        ("content: {author: llm}\npersonas: [{id: a, character: calm}]", []),
        ("slides: {llm: {model: m}, style: presentation}", []),
    ],
)
def test_what_only_a_model_heeds_is_not_silently_accepted(tmp_path, config, ignored):
    found = read(tmp_path, SCRIPT, config).warnings
    assert [warning.where.place for warning in found] == ignored


def test_what_a_slide_does_not_show_is_warned_of_by_its_line(tmp_path, monkeypatch):
    script = """title: T
sections:
- title: A
  quote: Less is more.
  bullets: [one]
  subtitle: sub
  narrations: [x]
- title: B
  bullets: [one]
  subtitle: sub
  template: mine
  narrations: [x]
- {title: C, bullets: [one], slide_prompt: drawn from this alone, narrations: [x]}
"""
    (tmp_path / "script.yaml").write_text(script)
    (tmp_path / "movie.yaml").write_text("slides: {llm: {model: m}}")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/mine.html").write_text("<h1>{{ slide.title }} {{ slide.subtitle }}</h1>")
    assert [str(warning) for warning in check_movie(tmp_path).warnings] == [
        "script.yaml:5: sections[0].bullets: ignored: the template 'quote' does not show it",
        "script.yaml:6: sections[0].subtitle: ignored: the template 'quote' does not show it",
        "script.yaml:9: sections[1].bullets: ignored: the template 'mine' does not show it",
    ]
    monkeypatch.setenv("MOVIE_BUILD_PLACEHOLDER", "1")
    assert not [one for one in check_movie(tmp_path).warnings if "draft" in one.what]


def test_a_key_with_nothing_behind_it_is_as_good_as_none(tmp_path):
    """Whatever the key: a section emptied for a moment, or the last entry of a list taken out."""
    empty = "".join(f"{name}:\n" for name in ConfigFile.model_fields)
    movie = read(tmp_path, config=empty)
    assert movie.config == read(tmp_path, config="").config and movie.warnings == ()
    inner = ""
    for part, field in ConfigFile.model_fields.items():
        if isinstance(field.default, Strict):
            inner += f"{part}:\n" + "".join(
                f"  {name}:\n" for name in type(field.default).model_fields
            )
    assert read(tmp_path, config=inner).config == movie.config
    optional = [name for name in SectionKeys.model_fields if name not in ("title", "narrations")]
    section = "".join(f"  {name}:\n" for name in optional)
    script = f"title: T\nrole_assignments:\nsections:\n- title: S\n  narrations: [hello]\n{section}"
    assert read(tmp_path, script).script == read(tmp_path, SCRIPT).script


def test_an_empty_config_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    movie = read(tmp_path, b"\xef\xbb\xbf" + SCRIPT.replace("\n", "\r\n").encode(), "")
    assert movie.script is not None and movie.script.title == "T"


def test_anchors_and_merge_keys_are_what_they_stand_for(tmp_path):
    script = read(
        tmp_path,
        """
title: T
sections:
- &first
  title: One
  narrations: &lines
  - &hello {text: Hello there., pause: 1}
- {<<: *first, title: Two}
- {title: Three, narrations: [*hello, {<<: *hello, text: Bye.}]}
""",
    ).script
    assert script is not None
    one, two, three = script.sections
    assert (two.title, two.narrations) == ("Two", one.narrations)
    assert [(line.text, line.pause_s) for line in three.narrations] == [
        ("Hello there.", 1),
        ("Bye.", 1),
    ]


def test_a_key_without_effect_gives_one_warning_with_its_line(tmp_path):
    movie = read(
        tmp_path, config="audio:\n  enable_furigana: true\nvideo: {transition: {type: none}}\n"
    )
    assert [str(w) for w in movie.warnings] == [
        "movie.yaml:2: audio.enable_furigana: ignored: it has no effect yet"
    ]


def test_a_folder_without_script_and_source_says_what_to_write(tmp_path):
    with pytest.raises(InputError, match=r"no script\.yaml, and no `source:`"):
        read(tmp_path, None, "style: {}")


def test_ntsc_rates_are_exact(tmp_path):
    assert read(tmp_path, config="style: {fps: 29.97}").config.style.fps == Fraction(30000, 1001)


def test_what_was_understood_is_used_again_until_a_file_changes(tmp_path):
    read(tmp_path)
    first = load(Project(tmp_path))
    assert load(Project(tmp_path)) == first
    (tmp_path / "script.yaml").write_text(SCRIPT.replace("hello", "hullo"))
    changed = load(Project(tmp_path)).script
    assert changed is not None and changed.sections[0].narrations[0].text == "hullo"


def test_a_poisoned_cache_runs_nothing(tmp_path):
    read(tmp_path)
    load(Project(tmp_path))
    cache = tmp_path / "build/script.understood"
    head = cache.read_bytes()[:32]
    evil = b"cposix\nsystem\n(S'touch " + str(tmp_path / "pwned").encode() + b"'\ntR."
    cache.write_bytes(head + evil)
    assert load(Project(tmp_path)).script is not None
    assert not (tmp_path / "pwned").exists()


text = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
    .map(lambda drawn: unicodedata.normalize("NFC", drawn).strip())
    .filter(bool)
)
blocks = st.lists(text, min_size=1, max_size=4).map("\n".join)
lines = st.builds(
    Line,
    text,
    reading=st.just("") | text,
    pause_s=st.none() | st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(7)]),
)
sections = st.builds(
    Section,
    text,
    st.lists(lines, min_size=1, max_size=3).map(tuple),
    image=st.none() | st.builds(Image, text, st.just("") | text),
    bullets=st.lists(text, max_size=3).map(tuple),
    quote=st.none() | st.builds(Quotation, text, st.just("") | text),
    html=st.just("") | blocks,
    notes=st.just("") | blocks,
)
scripts = st.builds(
    Script, text, st.lists(sections, min_size=1, max_size=3).map(tuple), st.just("") | text
)


@given(scripts)
def test_a_written_script_reads_as_the_same_script(script):
    written = dump(script)
    file = parse(written.encode(), "script.yaml")
    again = to_script(ScriptFile.model_validate(file.value), file)
    assert again == script
    assert dump(again) == written
    assert written.startswith("# yaml-language-server: $schema=")


def test_check_tells_what_is_there_and_cannot_be_used(folder: Folder) -> None:
    pages = PillowImage.new("RGB", (300, 200))
    pages.save(folder.path / "talk.pdf", "PDF")
    for name in ("a.png", "a.wav"):
        folder.write(name, "neither picture nor sound")
    folder.write("movie.yaml", SMALL + "audio: {voice: en_GB}\n")
    folder.write(
        "script.yaml",
        "title: T\nsections:\n- title: S\n  image: a.png\n  narrations:\n  - One.\n"
        "  - {text: Two., recording: a.wav}\n"
        "- title: P\n  deck: talk.pdf\n  page: 9\n  narrations: [Three.]\n",
    )
    done = folder.run(sys.executable, "-m", "movie_build.cli", "check", code=1)
    told = [line.split("; ")[0] for line in done.err.splitlines()]
    assert told[0].endswith(": audio: espeak has no voice 'en_GB'")
    assert told[1].startswith("script.yaml:4: sections[0].image: a.png is not a picture")
    assert told[2].startswith("script.yaml:7: sections[0].narrations[1]: recording a.wav: ")
    assert told[3] == "script.yaml:10: sections[1].page: talk.pdf has one page, and no page 9"
    assert not (folder.path / "build").exists()
    built = folder.doit("--continue", code=1).err
    assert built.count("espeak has no voice") == 1
