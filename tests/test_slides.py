"""Slides: every template at every size, what fits and what is refused, and what makes one new."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from movie_build import browser, palette, theme
from movie_build.errors import FontError, SlideError
from movie_build.look import Background, Look, Slide
from movie_build.slides.template import TemplateSlides, direction_of

DEFAULT = theme.find("default", Path())
EN = Look(width_px=960, height_px=540, theme=DEFAULT)
JA = replace(EN, language="ja")
SIZES = [(1920, 1080), (1440, 1080), (1080, 1920), (426, 240)]
LONG = "A sentence that somebody pasted from an article into the title of a slide "
LONG_JA = "記事からそのままタイトルに貼り付けられた、とても長い文章がここに入ります。"


@pytest.fixture(scope="module", autouse=True)
def _one_browser() -> Iterator[None]:
    yield
    browser.close_shared()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    for name, size in (("wide.png", (800, 450)), ("tall.png", (300, 600))):
        Image.new("RGB", size, "#205080").save(tmp_path / "assets" / name)
    return tmp_path


def image_of(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def ink_box(image: Image.Image) -> tuple[int, int, int, int]:
    """Where something other than the colour of the top right corner is."""
    ground = Image.new("RGB", image.size, image.getpixel((image.width - 1, 0)))
    box = ImageChops.difference(image, ground).getbbox()
    assert box, "nothing is drawn"
    return box


def text_box(image: Image.Image) -> tuple[int, int, int, int]:
    """Where something is dark on a light slide."""
    box = image.convert("L").point(lambda light: 255 if light < 140 else 0).getbbox()
    assert box, "nothing is written"
    return box


def examples(project: Path, *, japanese: bool) -> dict[str, Slide]:
    """A slide of each template with far too much in it."""
    long = (LONG_JA * 6 if japanese else LONG * 3)[:200]
    items = ("月は地球の近い側を強く引きます",) if japanese else ("The Moon pulls the near side",)
    movie = "潮の満ち引き" if japanese else "How tides work"
    wide, tall = project / "assets" / "wide.png", project / "assets" / "tall.png"
    return {
        "title": Slide("title", long, long),
        "statement": Slide("statement", long, movie_title=movie),
        "20 bullets": Slide("bullets", long[:60], bullets=items * 20, movie_title=movie),
        "one word": Slide("bullets", "Donaudampfschifffahrt" * 6, bullets=("W" * 150,)),
        "picture": Slide("picture", long, picture=wide, caption=long),
        "tall picture": Slide("picture", long[:80], picture=tall, bullets=items * 5, caption=long),
        "quote": Slide("quote", long, quote=long * 3, quote_by=long[:40]),
        "html": Slide("html", long[:60], html=f"<p>{long}</p><pre>{'x' * 150}</pre>" * 2),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_template_fits_too_much_text_into_its_margins(
    project: Path, size: tuple[int, int], language: str
) -> None:
    maker = TemplateSlides(project)
    look = replace(EN, width_px=size[0], height_px=size[1], language=language)
    for name, slide in examples(project, japanese=language == "ja").items():
        image = image_of(maker.draw(slide, look))
        assert image.size == size
        if name in {"title", "tall picture"}:  # these colour the slide's edges on purpose
            continue
        left, top, right, bottom = ink_box(image)
        margin = 0.02 * min(size)
        assert min(left, top, size[0] - right, size[1] - bottom) >= margin, name


def test_more_than_can_be_read_is_refused_by_name(project: Path) -> None:
    maker = TemplateSlides(project)
    for slide, part in (
        (Slide("bullets", "T", bullets=(LONG,) * 60), "list"),
        (Slide("bullets", LONG * 20), "title"),
        (Slide("quote", "", quote=LONG * 60), "quotation"),
        (Slide("html", "T", html=f"<p>{LONG * 80}</p>"), "html"),
    ):
        with pytest.raises(SlideError, match=f"the {part} of the slide does not fit.*shorten"):
            maker.draw(slide, EN)


def test_a_slide_is_the_same_bytes_every_time(project: Path) -> None:
    slide = examples(project, japanese=True)["tall picture"]
    assert TemplateSlides(project).draw(slide, JA) == TemplateSlides(project).draw(slide, JA)


def code_box(code: str, project: Path) -> Image.Image:
    """The text of `code` on a slide, cut out."""
    slide = Slide("html", "", html=f"<pre><code>{code}</code></pre>")
    whole = image_of(TemplateSlides(project).draw(slide, EN))
    inner = whole.crop((whole.width // 16, 0, whole.width, whole.height))
    return inner.crop(text_box(inner))


def test_code_is_shown_as_it_is_typed(project: Path) -> None:
    shown = code_box("!=", project).convert("L")
    columns = [shown.crop((x, 0, x + 1, shown.height)).getextrema()[0] for x in range(shown.width)]
    assert max(columns) > 200, "the two signs are drawn as one"


def test_a_little_code_is_larger_than_much(project: Path) -> None:
    little, much = code_box("HHHHHH", project), code_box("HHHHHH\n" + "H\n" * 15, project)
    assert little.width > 1.2 * much.width


def test_titles_are_text_and_not_html(project: Path) -> None:
    maker = TemplateSlides(project)
    plain = maker.draw(Slide("statement", "a"), EN)
    marked = maker.draw(Slide("statement", "<b>a</b> &amp; <img src='http://127.0.0.1/x'>"), EN)
    assert ink_box(image_of(marked))[2] > ink_box(image_of(plain))[2] + 200


def test_right_to_left_slides_begin_at_the_right(project: Path) -> None:
    maker = TemplateSlides(project)
    bullets = ("يسحب القمر", "English too")
    arabic = image_of(maker.draw(Slide("bullets", "الماء", bullets=bullets), EN))
    english = image_of(maker.draw(Slide("bullets", "Water", bullets=("The Moon", "x")), EN))
    # The rules between the points go from side to side; what is dark is text.
    assert text_box(arabic)[0] > EN.width_px / 2
    assert text_box(english)[2] < EN.width_px / 2
    assert direction_of("42: שלום hello") == "rtl"
    assert direction_of("42") == "ltr"


def test_an_item_in_another_direction_stays_beside_its_mark(project: Path) -> None:
    items = ("Check the tests", "מילים", "Read the diff")
    image = image_of(TemplateSlides(project).draw(Slide("bullets", "Mixed", bullets=items), EN))
    assert text_box(image)[2] < EN.width_px / 2


def test_a_subtitle_is_shown_above_a_list_and_a_picture(project: Path) -> None:
    slides = TemplateSlides(project)
    for plain in (
        Slide("bullets", "Title", bullets=("One", "Two")),
        Slide("picture", "Title", picture=project / "assets/wide.png"),
    ):
        subtitled = replace(plain, subtitle="And what it is about")
        assert slides.draw(plain, EN) != slides.draw(subtitled, EN)


def test_no_word_of_a_table_is_broken_on_a_narrow_slide(project: Path) -> None:
    row = (
        "<tr><td>MPEG</td><td>expired</td><td>a note of several words that can be wrapped</td></tr>"
    )
    table = f"<table><tr><th>Codec</th><th>Licence</th><th>Notes</th></tr>{row}</table>"
    unbroken = table.replace("<td>expired", "<td style='white-space: nowrap'>expired")
    unbroken = unbroken.replace("<th>", "<th style='white-space: nowrap'>")
    look = replace(EN, width_px=540, height_px=960)
    drawn = [
        TemplateSlides(project).draw(Slide("html", "T", html=h), look) for h in (table, unbroken)
    ]
    assert image_of(drawn[0]).tobytes() == image_of(drawn[1]).tobytes()


def test_han_characters_look_as_the_language_writes_them(project: Path) -> None:
    maker = TemplateSlides(project)
    languages = ("ja", "zh", "zh-TW", "ko")
    drawn = {maker.draw(Slide("statement", "直骨"), replace(EN, language=x)) for x in languages}
    assert len(drawn) >= 3


def test_a_picture_is_turned_as_its_camera_was_held(project: Path) -> None:
    photo = Image.new("RGB", (600, 300), "#c00000")
    photo.paste("#0000c0", (300, 0, 600, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(project / "phone.jpg", exif=exif, quality=95)
    slide = Slide("picture", "", picture=project / "phone.jpg")
    image = image_of(TemplateSlides(project).draw(slide, EN))
    reds = [x for x in range(EN.width_px) if is_near(image, (x, 200), (0xC0, 0, 0))]
    blues = [x for x in range(EN.width_px) if is_near(image, (x, 340), (0, 0, 0xC0))]
    assert reds == blues, "red stands above blue"
    assert 150 < len(reds) < 300, "and the picture is upright"


def is_near(image: Image.Image, at: tuple[int, int], color: tuple[int, int, int]) -> bool:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 24 for a, b in zip(found, color, strict=True))


def test_a_moving_picture_is_drawn_by_its_first_frame(project: Path) -> None:
    frames = [Image.new("RGB", (400, 400), color) for color in ("#00a000", "#a00000")]
    frames[0].save(project / "a.gif", save_all=True, append_images=frames[1:], duration=20, loop=0)
    maker = TemplateSlides(project)
    slide = Slide("picture", "", picture=project / "a.gif")
    own = Slide("html", "", html="<img src=a.gif>")
    assert is_near(image_of(maker.draw(slide, EN)), (720, 270), (0, 0xA0, 0))
    assert is_near(image_of(maker.draw(own, EN)), (100, 100), (0, 0xA0, 0))


def test_what_is_no_picture_is_refused_with_its_name(project: Path) -> None:
    whole = io.BytesIO()
    Image.effect_noise((400, 400), 90).save(whole, "PNG")
    cases = {
        "text.png": (b"not a picture", "not a picture that can be shown"),
        "cut.png": (whole.getvalue()[:30_000], "is damaged"),
        "empty.jpg": (b"", "not a picture"),
        "bomb.png": (bomb(), "too large"),
    }
    maker = TemplateSlides(project)
    for name, (content, words) in cases.items():
        (project / name).write_bytes(content)
        slides = (
            Slide("picture", "T", picture=project / name),
            Slide("bullets", "T", background=Background(project / name)),
        )
        for slide in slides:
            with pytest.raises(SlideError, match=f"{name}.*{words}"):
                maker.draw(slide, EN)
    with pytest.raises(SlideError, match=r"none\.png"):
        maker.identity(Slide("picture", "T", picture=project / "none.png"), EN)


def bomb() -> bytes:
    file = io.BytesIO()
    Image.new("1", (10_000, 8_100)).save(file, "PNG")
    return file.getvalue()


def test_own_html_shows_the_projects_files_and_reaches_no_others(project: Path) -> None:
    maker = TemplateSlides(project)
    body = "<img src='assets/wide.png' style='width:100%'>"
    image = image_of(maker.draw(Slide("html", "", html=body), EN))
    assert is_near(image, (480, 270), (0x20, 0x50, 0x80))
    for reference, words in (
        ("https://example.com/a.png", "without a network"),
        ("//example.com/a.png", "without a network"),
        ("file:///etc/passwd", "without a network"),
        ("../../etc/passwd", "no file"),
        ("assets/wid.png", "no file assets/wid.png in the project"),
    ):
        for html in (f"<img src='{reference}'>", f"<p style='background:url({reference})'>x</p>"):
            with pytest.raises(SlideError, match=words):
                maker.identity(Slide("html", "T", html=html), EN)
    script = "<script>document.body.innerHTML = ''</script><p>text</p>"
    assert ink_box(image_of(maker.draw(Slide("html", "T", html=script), EN)))


def test_characters_without_a_font_are_an_error_before_drawing(project: Path) -> None:
    for slide in (Slide("title", "\U0010fffd"), Slide("html", "", html="<p>&#x10fffd;</p>")):
        with pytest.raises(FontError, match=r"U\+10FFFD"):
            TemplateSlides(project).draw(slide, EN)


def test_the_font_that_the_user_names_is_used_or_refused(project: Path) -> None:
    maker = TemplateSlides(project)
    slide = Slide("title", "Tides 潮")
    assert maker.draw(slide, EN) != maker.draw(slide, replace(EN, font_family="Noto Sans JP"))
    with pytest.raises(FontError, match="'No Such Font'"):
        maker.draw(slide, replace(EN, font_family="No Such Font"))


# ---- colours


def css_palettes() -> list[dict[str, str]]:
    css = (DEFAULT / "slide.css").read_text("utf-8")
    opening = css[css.index(".title {") :].replace(".title {", ":root {", 1)
    return [palette.from_css(css), palette.from_css(opening)]


def assert_readable(colors: dict[str, str]) -> None:
    for text, ground in product(("ink", "text", "muted", "accent"), ("ground", "panel")):
        if (text, ground) != ("ink", "panel"):
            ratio = palette.contrast(palette.rgb(colors[text]), palette.rgb(colors[ground]))
            assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


def test_the_themes_text_can_be_read_on_its_grounds() -> None:
    light, dark = css_palettes()
    assert light["ground"] != dark["ground"]
    assert_readable(light)
    assert_readable(dark)


@given(st.from_regex(r"\A(#[0-9a-f]{6})?\Z"), st.from_regex(r"\A(#([0-9a-f]{3}){1,2})?\Z"))
def test_whatever_colours_the_user_names_text_can_be_read(primary: str, ground: str) -> None:
    colors = palette.adapted(css_palettes()[0], primary=primary, background=ground)
    if primary or ground:
        assert_readable(colors)
        assert palette.rgb(colors["ground"]) == palette.rgb(ground or "#fbfaf7")
    else:
        assert colors == {}


def test_a_pair_of_colours_that_can_be_read_is_left_as_it_is() -> None:
    colors = palette.adapted(css_palettes()[0], primary="#ffffff", background="#1a1a2e")
    assert (colors["ink"], colors["ground"]) == ("#ffffff", "#1a1a2e")


@given(st.from_regex(r"\A#[0-9a-f]{6}\Z"), st.tuples(*[st.integers(0, 255)] * 3))
def test_text_over_any_picture_can_be_read_through_the_veil(
    ground: str, picture: tuple[int, int, int]
) -> None:
    colors = palette.adapted(css_palettes()[0], primary="#ffffff", background=ground)
    opacity = palette.veil(colors["ground"], colors["ink"])
    under = palette.mixed(picture, palette.rgb(ground), opacity)
    assert palette.contrast(palette.rgb(colors["ink"]), under) >= 4.4  # rounding of a mixed pixel


def test_the_users_colours_are_on_every_template(project: Path) -> None:
    maker = TemplateSlides(project)
    look = replace(EN, primary_color="#ffffff", background_color="#1a1a2e")
    for slide in examples(project, japanese=False).values():
        corner = image_of(maker.draw(slide, look)).getpixel((EN.width_px // 4, 4))
        assert corner == (0x1A, 0x1A, 0x2E), slide.template


def test_a_background_picture_shows_through_on_every_template(project: Path) -> None:
    Image.new("RGB", (640, 360), "#ffffff").save(project / "white.png")
    Image.new("RGB", (640, 360), "#000000").save(project / "black.png")
    maker = TemplateSlides(project)
    for slide in examples(project, japanese=False).values():
        lights = [
            image_of(maker.draw(replace(slide, background=Background(project / name)), EN))
            .convert("L")
            .getpixel((EN.width_px // 4, 4))
            for name in ("white.png", "black.png")
        ]
        assert isinstance(lights[0], int)
        assert isinstance(lights[1], int)
        assert lights[0] > lights[1] + 40, slide.template


# ---- identity


def test_the_identity_changes_exactly_with_what_changes_the_picture(project: Path) -> None:
    slide = Slide("picture", "T", bullets=("a",), picture=project / "assets" / "wide.png")

    def identity(slide: Slide = slide, look: Look = EN) -> str:
        return json.dumps(TemplateSlides(project).identity(slide, look), sort_keys=True)

    same = identity()
    assert identity() == same
    assert identity(look=replace(EN, crf=30, fps=Fraction(25))) == same
    moved = project / "assets" / "elsewhere.png"
    shutil.copy(project / "assets" / "wide.png", moved)
    assert identity(replace(slide, picture=moved)) == same
    others = [
        identity(replace(slide, title="U")),
        identity(replace(slide, bullets=("a", "b"))),
        identity(replace(slide, movie_title="M")),
        identity(replace(slide, picture=project / "assets" / "tall.png")),
        identity(replace(slide, background=Background(moved))),
        identity(replace(slide, background=Background(moved, "contain"))),
        identity(look=replace(EN, width_px=640)),
        identity(look=replace(EN, primary_color="#123456")),
        identity(look=replace(EN, font_family="Noto Sans JP")),
        identity(look=JA),
    ]
    assert len({same, *others}) == len(others) + 1


def test_a_theme_is_known_by_its_files_and_only_by_those_a_slide_is_drawn_from(
    project: Path,
) -> None:
    copy = project / "mine"
    shutil.copytree(DEFAULT, copy)
    look = replace(EN, theme=copy)
    slide = Slide("bullets", "T", bullets=("a",))

    def identity() -> object:
        return TemplateSlides(project).identity(slide, look)

    before = identity()
    assert before == TemplateSlides(project).identity(slide, EN)
    (copy / "quote.html").write_text("<p>another template</p>")
    (copy / "README.md").write_text("notes")
    assert identity() == before
    (copy / "slide.css").write_text((copy / "slide.css").read_text() + "\nh1 { color: red }")
    assert identity() != before


def test_a_projects_own_theme_is_drawn_and_may_use_only_its_own_files(project: Path) -> None:
    own = project / "templates" / "plain"
    own.mkdir(parents=True)
    (own / "_base.html").write_text("<body style='margin:0;background:#102030'>{{ slide.title }}")
    (own / "title.html").write_text("{% include '_base.html' %}")
    (own / "bad.html").write_text("\n{{ slide.titel }}")
    (own / "thief.html").write_text("{% include '../../../secret.html' %}")
    look = replace(EN, theme=theme.find("plain", project))
    maker = TemplateSlides(project)
    image = image_of(maker.draw(Slide("title", "T"), look))
    assert image.getpixel((900, 500)) == (0x10, 0x20, 0x30)
    assert maker.files(Slide("title", "T"), look) == (own / "_base.html", own / "title.html")
    for name, words in (("bad", "titel"), ("thief", "secret"), ("titel", "did you mean 'title'")):
        with pytest.raises(SlideError, match=words):
            maker.draw(Slide(name, "T"), look)
    with pytest.raises(SlideError, match=r"no theme 'plian'.*did you mean 'plain'"):
        theme.find("plian", project)


def test_identities_of_a_whole_movie_import_nothing_heavy() -> None:
    code = """
import sys
from pathlib import Path
from movie_build.look import Look, Slide
from movie_build.slides.template import TemplateSlides
from movie_build import theme
maker = TemplateSlides(Path())
look = Look(theme=theme.find("default", Path()))
for n in range(300):
    maker.identity(Slide("bullets", str(n)), look)
heavy = {"playwright", "jinja2", "fontTools", "PIL", "numpy", "asyncio", "ctypes"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
