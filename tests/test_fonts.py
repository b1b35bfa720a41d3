"""Fonts: what can be shown, and what to install for what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DODO, Folder

from movie_build import fonts, theme
from movie_build.browser import Browser, Page
from movie_build.errors import FontError

DEFAULT = theme.find("default", Path())


@pytest.fixture
def bare_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A system without a single font, as a new container is."""
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    fonts.forget()
    yield tmp_path
    fonts.forget()


@pytest.mark.usefixtures("bare_system")
@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox, “jumps” — 42 % … £ € © ™",
        "Ça déjà-vu naïve Straße Łódź İstanbul őű Việt Nam",
        "Ελληνικά Русский Українська",
        "→ ← ⇒ ≤ ≥ ≠ ≈ ∞ √ ∑ ✓ ✗ ★ ● ■ ① ½ x² H₂O",
        "├── build │ └── dist",
        "a\u00adb\u200bc\u200dd\ufe0f\t\n\u00a0\u202ee",
    ],
)
def test_the_themes_own_fonts_suffice_for_european_text(text: str) -> None:
    assert fonts.missing(text, DEFAULT) == ()


@pytest.mark.usefixtures("bare_system")
@pytest.mark.parametrize(
    ("text", "script", "package"),
    [
        ("ひらがな", "Japanese", "fonts-noto-cjk"),
        ("漢字", "Chinese or Japanese", "fonts-noto-cjk"),
        ("한국어", "Korean", "fonts-noto-cjk"),
        ("مرحبا", "Arabic", "fonts-noto-core"),
        ("שלום", "Hebrew", "fonts-noto-core"),
        ("हिन्दी", "Devanagari", "fonts-noto-core"),
        ("😀", "emoji", "fonts-noto-color-emoji"),
        ("\U0001fae8", "emoji", "fonts-noto-color-emoji"),
        ("𝔸", "mathematics", "fonts-noto-math"),
    ],
)
def test_what_cannot_be_shown_is_named_with_its_script_and_package(
    text: str, script: str, package: str
) -> None:
    with pytest.raises(FontError) as error:
        fonts.check(f"Hello {text}", DEFAULT)
    message = str(error.value)
    assert f"{script}: {text[0]} (U+{ord(text[0]):04X})" in message
    assert f"apt-get install {package}" in message
    assert "H (" not in message


@pytest.mark.usefixtures("bare_system")
def test_several_scripts_are_one_message_with_each_package_once() -> None:
    with pytest.raises(FontError) as error:
        fonts.check("日本のテスト 한국 😀", DEFAULT)
    assert str(error.value).endswith("apt-get install fonts-noto-cjk fonts-noto-color-emoji")


def test_fonts_installed_later_are_found(bare_system: Path) -> None:
    assert fonts.missing_in_system("A") == ("A",)
    assert not fonts.system_has_any()
    lay_font(bare_system)
    fonts.forget()
    assert fonts.missing_in_system("A") == ()
    assert fonts.missing_in_system("A日") == ("日",)


def test_without_fontconfig_the_files_say_the_same(bare_system: Path) -> None:
    lay_font(bare_system)
    (bare_system / "broken.ttf").write_bytes(b"no font")
    fonts.forget()
    by_file = fonts.Scanned.of([bare_system])
    text = "AZé日本😀→Ω"
    assert [by_file.has(c) for c in text] == [not fonts.missing_in_system(c) for c in text]
    assert {name.split()[0] for name in by_file.families} == {"inter"}


def lay_font(folder: Path) -> None:
    """Put a font into `folder`, and over the bare fonts.conf there one that finds it."""
    fonts.last_resort(folder, DEFAULT)


def test_the_system_has_what_its_packages_bring() -> None:
    assert fonts.missing("日本語、한국어、中文", DEFAULT) == ()


def test_a_family_is_found_under_the_name_of_its_web_font_too() -> None:
    fonts.check_family("Noto Sans JP")
    with pytest.raises(
        FontError, match=r"'Noto Sanz JP'.*did you mean 'noto sans .*fonts-noto-cjk"
    ):
        fonts.check_family("Noto Sanz JP")


@pytest.mark.usefixtures("bare_system")
def test_a_family_that_is_not_installed_says_so() -> None:
    with pytest.raises(FontError, match="no font family 'Helvetica Neue' is installed"):
        fonts.check_family("Helvetica Neue")


@pytest.mark.usefixtures("bare_system")
def test_a_machine_without_any_font_draws_text_in_the_pages_own() -> None:
    page = Page(
        "<style>@font-face { font-family: own; src: url(/f) }</style>"
        "<body style='margin:0;font:40px own'>Tides",
        160,
        60,
        {"f": DEFAULT / "fonts" / "inter-latin.woff2"},
    )
    drawn = []
    for _ in range(2):
        browser = Browser()
        try:
            drawn.append(browser.screenshot(page))
        finally:
            browser.close()
    assert drawn[0] == drawn[1]
    assert ink(drawn[0]) > 500


def ink(png: bytes) -> int:
    """How many pixels are dark."""
    import io

    from PIL import Image

    return sum(Image.open(io.BytesIO(png)).convert("L").histogram()[:128])


UNKNOWN = "\U0010fffd"
SCRIPT = f"""title: Tides {UNKNOWN}
sections:
- title: The sea
  narrations: [It rises.]
- title: The moon {UNKNOWN}
  narrations: [It pulls.]
- title: The sun
  bullets: [Far, {UNKNOWN}]
  narrations: [It helps.]
"""


def test_all_that_no_font_shows_is_told_before_anything_is_made(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT)
    told = folder.doit(code=1).err.splitlines()
    assert [line.partition(" no installed font")[0] for line in told] == [
        "script.yaml:1: title:",
        "script.yaml:5: sections[1]:",
        "script.yaml:7: sections[2]:",
    ]
    assert folder.files("build/audio/*") == {} == folder.files("build/slides/*")
    assert folder.doit("audio").made() == {"audio": 3}
    folder.edit("script.yaml", f" {UNKNOWN}", "")
    assert folder.doit("--continue", code=None).made() == {"slide": 1, "picture": 1}


def test_a_script_just_written_is_looked_at_too(folder: Folder) -> None:
    folder.write(
        "page.md", f"# Tides\n\n## The moon {UNKNOWN}\n\n" + "The moon pulls the water.\n" * 9
    )
    folder.write("movie.yaml", "source: page.md\n")
    told = folder.doit(code=1).err
    assert told.count("no installed font can show") == 1
    assert folder.files("build/audio/*") == {}


def test_where_one_of_several_movies_cannot_be_drawn_the_others_are_made(folder: Folder) -> None:
    folder.write("dodo.py", "from movie_build.tasks import movies\n\nmovies(globals(), __file__)\n")
    for name, script in (("bad", SCRIPT), ("good", SCRIPT.replace(UNKNOWN, "."))):
        folder.write(f"projects/{name}/dodo.py", DODO)
        folder.write(f"projects/{name}/script.yaml", script)
    run = folder.doit(code=None)
    assert run.code != 0 and run.err.count("bad/script.yaml:") == 3
    assert (folder.path / "projects/good/dist/good.mp4").exists()
    assert not [*(folder.path / "projects/bad/build").glob("audio/*")]
