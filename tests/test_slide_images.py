"""Pictures on slides: whole ones, drawings, logos, sources, and templates of a project's own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from movie_build import browser, image_file, svg_file, theme
from movie_build.errors import SlideError, Where
from movie_build.look import Background, Look, Slide
from movie_build.slides import logo
from movie_build.slides.registry import SlideMakers, credit
from movie_build.slides.template import TemplateSlides

LOOK = Look(width_px=960, height_px=540, theme=theme.find("default", Path()))
GROUND = (0xFB, 0xFA, 0xF7)
RED, GREEN, BLUE = "#c00000", "#00a000", "#0000c0"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" {}>{}</svg>'


@pytest.fixture(scope="module", autouse=True)
def _one_browser() -> Iterator[None]:
    yield
    browser.close_shared()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "assets" / "logos").mkdir(parents=True)
    return tmp_path


def flag(size: tuple[int, int]) -> Image.Image:
    """Red, green and blue side by side, of a third each."""
    image = Image.new("RGB", size, GREEN)
    image.paste(RED, (0, 0, size[0] // 3, size[1]))
    image.paste(BLUE, (size[0] - size[0] // 3, 0, size[0], size[1]))
    return image


def save(project: Path, name: str, image: Image.Image) -> Path:
    path = project / "assets" / name
    image.save(path, quality=95)
    return path


def draw(project: Path, slide: Slide, look: Look = LOOK) -> Image.Image:
    png = TemplateSlides(project).draw(slide, look)
    image = Image.open(io.BytesIO(png))
    assert image.size == (look.width_px, look.height_px)
    return image.convert("RGB")


def is_near(image: Image.Image, at: tuple[int, int], color: str | tuple[int, ...]) -> bool:
    found = image.getpixel(at)
    wanted = Image.new("RGB", (1, 1), color).getpixel((0, 0))  # type: ignore[arg-type]
    assert isinstance(found, tuple)
    assert isinstance(wanted, tuple)
    return all(abs(a - b) < 20 for a, b in zip(found, wanted, strict=True))


# ---- whole pictures


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "avif", "gif", "bmp", "tiff"])
def test_every_kind_of_picture_fills_the_slide(kind: str, project: Path) -> None:
    path = save(project, f"flag.{kind}", flag((1600, 900)))
    image = draw(project, Slide("full", "unseen", picture=path))
    for at, color in (((2, 2), RED), ((480, 270), GREEN), ((957, 537), BLUE)):
        assert is_near(image, at, color), (kind, at)


def test_cover_cuts_contain_leaves_ground_and_blur_fills_it(project: Path) -> None:
    path = save(project, "wide.png", flag((1600, 400)))
    slide = Slide("full", "", picture=path)
    cover = draw(project, replace(slide, fit="cover"))
    assert is_near(cover, (480, 2), GREEN)
    assert is_near(cover, (150, 270), GREEN), "the sides are cut off"
    contain = draw(project, replace(slide, fit="contain"))
    assert is_near(contain, (480, 2), GROUND)
    assert is_near(contain, (2, 270), RED)
    blur = draw(project, replace(slide, fit="blur"))
    assert is_near(blur, (2, 270), RED)
    red, green, blue = blur.getpixel((480, 20))  # type: ignore[misc]
    assert 50 < green < 110, "dim, and of the picture's colour"
    assert max(red, blue) < 30
    with pytest.raises(SlideError, match=r"no fit 'covr'; did you mean 'cover'"):
        draw(project, replace(slide, fit="covr"))


def test_photographs_are_cut_a_little_unasked_and_other_pictures_are_shown_whole(
    project: Path,
) -> None:
    size = (1500, 1000)
    photo = draw(project, Slide("full", "", picture=save(project, "a.jpg", flag(size))))
    assert is_near(photo, (2, 270), RED)
    screen = draw(project, Slide("full", "", picture=save(project, "a.png", flag(size))))
    assert not is_near(screen, (2, 270), RED), "on its blurred copy"
    assert is_near(screen, (100, 270), RED)
    tall = draw(project, Slide("full", "", picture=save(project, "b.jpg", flag((900, 1600)))))
    assert is_near(tall, (480, 3), GREEN)
    assert not is_near(tall, (100, 270), RED)


def test_transparent_pictures_stand_on_the_theme(project: Path) -> None:
    clear = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    ImageDraw.Draw(clear).ellipse((100, 100, 300, 300), fill=RED)
    image = draw(project, Slide("full", "", picture=save(project, "dot.png", clear), fit="blur"))
    assert is_near(image, (480, 270), RED)
    assert is_near(image, (480, 20), GROUND)
    assert is_near(image, (20, 20), GROUND)


def test_caption_and_source_stand_under_a_whole_picture(project: Path) -> None:
    path = save(project, "flag.png", flag((1600, 900)))
    bare = draw(project, Slide("full", "", picture=path, fit="contain"))
    slide = Slide("full", "", picture=path, fit="contain", caption="Tide", source="example.com")
    image = draw(project, slide)
    assert is_near(bare, (300, 530), RED)
    strip = image.crop((0, 487, 960, 540)).convert("L")
    left, _, right, _ = strip.point(lambda light: 255 * (light < 150)).getbbox() or (0,) * 4
    assert left < 60
    assert right > 900, "the caption at the left, the source at the right"
    assert is_near(image, (480, 480), GREEN), "and nothing of the picture is covered"
    cover = draw(project, replace(slide, fit="cover"))
    assert is_near(cover, (480, 400), GREEN)
    assert max(cover.getpixel((480, 530))) < 90  # type: ignore[type-var]


def test_the_source_is_told_in_the_theme_too(project: Path) -> None:
    for size in ((1600, 900), (600, 900)):
        path = save(project, "flag.png", flag(size))
        slide = Slide("picture", "T", picture=path)
        without = TemplateSlides(project).draw(slide, LOOK)
        assert TemplateSlides(project).draw(replace(slide, source="NASA"), LOOK) != without
    assert credit("https://www.example.com/a.png", "") == "example.com"
    assert credit("https://www.example.com/a.png", "NASA") == "NASA"
    assert credit("assets/a.png", "") == ""


def test_what_cannot_be_shown_whole_is_refused_with_its_name(project: Path) -> None:
    whole = io.BytesIO()
    Image.effect_noise((400, 400), 90).save(whole, "PNG")
    for name, content, words in (
        ("text.png", b"not a picture", "not a picture"),
        ("cut.png", whole.getvalue()[:30_000], "damaged"),
        ("empty.jpg", b"", "not a picture"),
        ("page.svg", b"<html>404</html>", "not a picture"),
    ):
        (project / name).write_bytes(content)
        with pytest.raises(SlideError, match=f"{name}.*{words}"):
            draw(project, Slide("full", "", picture=project / name))


def test_sixteen_bit_greys_and_printers_inks_keep_their_look(project: Path) -> None:
    grey = Image.new("I;16", (800, 600), 0x8000)
    grey.save(project / "grey.png")
    image = draw(project, Slide("full", "", picture=project / "grey.png", fit="cover"))
    assert is_near(image, (480, 270), "#808080")
    Image.new("CMYK", (800, 600), (0, 255, 255, 0)).save(project / "ink.jpg", quality=95)
    image = draw(project, Slide("full", "", picture=project / "ink.jpg", fit="cover"))
    red, green, blue = image.getpixel((480, 270))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


def test_a_small_picture_is_warned_of_and_drawings_never_are(project: Path) -> None:
    maker = TemplateSlides(project)
    small = save(project, "small.png", flag((640, 360)))
    (said,) = maker.warnings(Slide("picture", "T", picture=small))
    assert "only 640 × 360 pixels; below 800 × 600" in said
    large = save(project, "large.png", flag((800, 600)))
    (project / "tiny.svg").write_text(SVG.format('viewBox="0 0 9 9"', ""))
    for path in (large, project / "tiny.svg"):
        assert maker.warnings(Slide("full", "T", picture=path)) == ()
    assert maker.warnings(Slide("bullets", "T")) == ()


# ---- drawings


def write_svg(project: Path, name: str, attributes: str, body: str) -> Path:
    path = project / "assets" / name
    path.write_text(SVG.format(attributes, body), encoding="utf-8")
    return path


BOX = '<rect width="160" height="90" fill="#0000c0"/>'


@pytest.mark.parametrize(
    "attributes",
    [
        'viewBox="0 0 160 90"',
        'width="160" height="90"',
        'width="16cm" height="9cm" viewBox="0 0 160 90"',
        'width="100%" height="100%" viewBox="0 0 160 90"',
        'width="32" viewBox="0 0 160 90"',
    ],
)
def test_a_drawing_fills_the_slide_whatever_it_says_of_its_size(
    attributes: str, project: Path
) -> None:
    path = write_svg(project, "box.svg", attributes, BOX)
    image = draw(project, Slide("full", "", picture=path))
    for at in ((1, 1), (480, 270), (958, 538)):
        assert is_near(image, at, BLUE)


def test_a_drawing_is_sharp_at_any_size(project: Path) -> None:
    body = '<rect width="16" height="9" fill="#fff"/><rect width="8" height="9" fill="#000"/>'
    path = write_svg(project, "edge.svg", 'width="16" height="9"', body)
    image = draw(project, Slide("full", "", picture=path)).convert("L")
    row = [image.getpixel((x, 270)) for x in range(470, 490)]
    assert sum(20 < value < 235 for value in row) <= 1  # type: ignore[operator]


def test_drawings_neither_run_nor_move_nor_reach_out(project: Path) -> None:
    body = (
        f"{BOX}<script>document.documentElement.innerHTML = ''</script>"
        "<style>@keyframes k { to { transform: translate(900px) } }"
        " .m { animation: k 1ms infinite }</style>"
        '<rect class="m" width="40" height="90" fill="#c00000">'
        '<animate attributeName="width" values="160;160" dur="1s" repeatCount="indefinite"/></rect>'
    )
    path = write_svg(project, "busy.svg", 'viewBox="0 0 160 90"', body)
    slide = Slide("full", "", picture=path)
    image = draw(project, slide)
    assert is_near(image, (100, 270), RED)
    assert is_near(image, (600, 270), BLUE)
    assert TemplateSlides(project).draw(slide, LOOK) == TemplateSlides(project).draw(slide, LOOK)
    for needing in (
        '<image href="http://127.0.0.1/x.png"/>',
        '<image xlink:href="photo.png" xmlns:xlink="http://www.w3.org/1999/xlink"/>',
        '<style>@import url("https://example.com/a.css");</style>',
        "<rect style='fill: url(other.svg#g)'/>",
    ):
        path = write_svg(project, "needy.svg", 'viewBox="0 0 1 1"', needing)
        with pytest.raises(SlideError, match=r"needy\.svg needs '[^']+', which is not in it"):
            draw(project, Slide("full", "", picture=path))


def test_what_a_drawing_holds_itself_is_shown(project: Path) -> None:
    body = (
        '<defs><linearGradient id="g"><stop stop-color="#0000c0"/></linearGradient></defs>'
        '<a href="https://example.com/"><rect width="160" height="90" fill="url(#g)"/></a>'
    )
    path = write_svg(project, "grad.svg", 'viewBox="0 0 160 90"', body)
    assert is_near(draw(project, Slide("full", "", picture=path)), (480, 270), BLUE)


def _copies(levels: int) -> str:
    """A rectangle, and groups of ten copies of the one before: 10 ** levels rectangles."""
    groups = "".join(
        f'<g id="g{n}">' + f'<use href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, levels + 1)
    )
    return f'<defs><g id="g0">{BOX}</g>{groups}</defs><use href="#g{levels}"/>'


def test_hostile_and_broken_drawings_are_refused_quickly(project: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    cases = {
        "laughs": f'<!DOCTYPE svg [<!ENTITY l0 "ha">{laughs}]>' + SVG.format("", "&l9;"),
        "cut": SVG.format('viewBox="0 0 1 1"', BOX)[:-10],
        "copies": SVG.format('viewBox="0 0 1 1"', _copies(8)),
        "line": SVG.format('viewBox="0 0 100000 1"', BOX),
    }
    for name, text in cases.items():
        path = project / f"{name}.svg"
        path.write_text(text)
        with pytest.raises(SlideError, match=rf"{name}\.svg"):
            image_file.read(path)
    secret = project / "secret.txt"
    secret.write_text("SECRET")
    path = project / "thief.svg"
    path.write_text(
        f'<!DOCTYPE svg [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
        + SVG.format('viewBox="0 0 1 1"', "<text>&s;</text>")
    )
    try:
        content = svg_file.read(path.read_bytes(), "thief")[2]
    except SlideError:
        content = b""
    assert b"SECRET" not in content


def test_drawings_serve_as_pictures_and_backgrounds_of_any_template(project: Path) -> None:
    path = write_svg(project, "box.svg", 'viewBox="0 0 160 90"', BOX)
    image = draw(project, Slide("picture", "T", picture=path))
    assert is_near(image, (480, 330), BLUE)
    image = draw(project, Slide("bullets", "T", bullets=("a",), background=Background(path)))
    assert not is_near(image, (940, 530), GROUND)
    # A drawing that was fetched is known by what it is, not by its name.
    fetched = path.rename(project / "fetched.picture")
    assert is_near(draw(project, Slide("full", "", picture=fetched)), (480, 270), BLUE)


# ---- logos


def write_logo(project: Path, name: str, color: str) -> Path:
    path = project / "assets" / "logos" / f"{name}.svg"
    body = f'<rect width="40" height="4" fill="{color}"/>'
    path.write_text(SVG.format('viewBox="0 0 40 10"', body))
    return path


def colors_of(image: Image.Image) -> set[object]:
    return {color for _, color in image.getcolors(99_999) or ()}


def corner(image: Image.Image) -> Image.Image:
    return image.crop((image.width * 2 // 3, 0, image.width, 64))


@pytest.mark.parametrize("template", ["bullets", "statement", "title", "quote", "html", "picture"])
@pytest.mark.parametrize("color", ["#101010", "#ffffff", "#b83a1b"])
def test_a_logo_can_be_seen_on_every_template(template: str, color: str, project: Path) -> None:
    picture = save(project, "flag.png", flag((600, 900)))
    slide = Slide(template, "T", bullets=("a",), quote="q", html="<p>x</p>", picture=picture)
    without = corner(draw(project, slide))
    image = corner(draw(project, replace(slide, logo=write_logo(project, "l", color))))
    left, top, right, bottom = ImageChops.difference(image, without).getbbox() or (0,) * 4
    seen = image.crop((left - 4, top - 4, right + 4, bottom + 4))
    ink = Image.new("RGB", seen.size, color)
    apart = ImageChops.difference(seen, ink).convert("L").histogram()
    assert sum(apart[:12]) > 300, "it is drawn"
    assert sum(apart[50:]) > 300, "on what it stands out from"


def test_a_logo_that_can_be_seen_gets_no_plate(project: Path) -> None:
    slide = Slide("bullets", "T", bullets=("a",))
    dark = corner(draw(project, replace(slide, logo=write_logo(project, "dark", "#101010"))))
    light = corner(draw(project, replace(slide, logo=write_logo(project, "light", "#ffffff"))))
    opening = Slide("title", "T", logo=write_logo(project, "light", "#ffffff"))
    colors = [colors_of(image) for image in (dark, light)]
    assert (0x14, 0x18, 0x1F) not in colors[0]
    assert (0x14, 0x18, 0x1F) in colors[1], "a dark plate under a white logo"
    assert GROUND not in colors_of(corner(draw(project, opening)))


def test_logos_of_all_shapes_are_about_as_large(project: Path) -> None:
    areas = []
    for width, height in ((400, 50), (300, 100), (100, 100), (60, 120)):
        path = project / "assets" / "logos" / "a.png"
        clear = Image.new("RGBA", (width, height), RED)
        clear.putpixel((0, 0), (0, 0, 0, 0))
        clear.save(path)
        image = draw(project, Slide("statement", "T", logo=path))
        mask = Image.eval(image.getchannel("G"), lambda value: 255 * (value < 10))
        left, top, right, bottom = mask.getbbox() or (0,) * 4
        areas.append((right - left) * (bottom - top))
        assert top > 10
        assert right < 960 - 40
        assert bottom <= 64, "above the title"
    assert max(areas) < 4 * min(areas)


def test_a_logo_is_found_by_name_path_and_any_case(project: Path) -> None:
    svg = write_logo(project, "acme", RED)
    png = save(project, "logos/beta.png", flag((90, 30)))
    own = save(project, "own.png", flag((90, 30)))
    for name, path in (
        ("acme", svg),
        ("ACME", svg),
        ("acme.svg", svg),
        ("beta", png),
        ("assets/own.png", own),
    ):
        assert logo.find(name, project) == path
    with pytest.raises(SlideError, match=r"no logo named 'acne' in.*did you mean 'acme'"):
        logo.find("acne", project)
    with pytest.raises(SlideError, match=r"lies outside the project"):
        logo.find("../" * 20 + "etc/hostname", project)
    with pytest.raises(SlideError, match=r"put it at assets/logos/x\.svg"):
        logo.find("x", project / "assets")


# ---- a project's own HTML and templates


def test_own_html_may_stand_in_a_file_and_be_a_whole_page(project: Path) -> None:
    save(project, "flag.png", flag((320, 180)))
    (project / "slides").mkdir()
    page = (
        "<!doctype html><style>body { margin: 0; background: #00a000 }</style>"
        "<body><img src='assets/flag.png'><script>document.body.remove()</script>"
    )
    (project / "slides" / "own.html").write_text(page)
    makers = SlideMakers(project)
    slide = makers.settled(Slide("", "T", html="slides/own.html"))
    assert (slide.template, slide.html) == ("html", page)
    image = draw(project, slide)
    assert is_near(image, (2, 2), RED)
    assert is_near(image, (958, 538), GREEN)
    with pytest.raises(SlideError, match="its own logo"):
        draw(project, replace(slide, logo=project / "assets" / "flag.png"))
    with pytest.raises(SlideError, match=r"there is no file slides/none\.html in the project"):
        makers.settled(Slide("", "T", html="slides/none.html"))
    with pytest.raises(SlideError, match=r"no file \.\./x\.html"):
        makers.settled(Slide("", "T", html="../x.html"))


def test_a_projects_template_stands_in_for_the_themes_and_can_extend_it(project: Path) -> None:
    folder = project / "templates"
    folder.mkdir()
    save(project, "flag.png", flag((320, 180)))
    (folder / "bullets.html").write_text(
        '{% extends "theme/bullets.html" %}'
        "{% block footer %}<div style='position:fixed;inset:auto 0 0;height:20px;"
        "background:#00a000'></div>{% endblock %}"
    )
    (folder / "chart.html").write_text(
        '{% extends "_base.html" %}{% block slide %}{% include "_mine.html" %}{% endblock %}'
    )
    (folder / "_mine.html").write_text("<img style='position:fixed;inset:0' src='assets/flag.png'>")
    plain = draw(project / "assets", Slide("bullets", "T", bullets=("a",)))
    own = draw(project, Slide("bullets", "T", bullets=("a",)))
    assert is_near(own, (480, 535), GREEN)
    assert own.crop((0, 0, 960, 500)).tobytes() == plain.crop((0, 0, 960, 500)).tobytes()
    assert is_near(draw(project, Slide("chart", "T")), (3, 3), RED)
    with pytest.raises(SlideError, match=r"no template 'chrt'.*templates/chrt\.html; did you mean"):
        draw(project, Slide("chrt", "T"))
    (folder / "_mine.html").write_text("<img src='assets/nope.png'>")
    with pytest.raises(SlideError, match=r"templates/_mine\.html names 'assets/nope\.png'"):
        draw(project, Slide("chart", "T"))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("<p>\n{% if %}", "templates/mine.html:2: Expected an expression"),
        ("<p>\n{{ slide.titel }}", "templates/mine.html:2: slide has no 'titel'; did you mean 'title'?"),
        ("\n\n{{ titel }}", "templates/mine.html:3: 'titel' is undefined; use one of: backdrop"),
        ("{{ slide.bullets[0] }}", "templates/mine.html:1: "),
        ("\n{{ 1 // 0 }}", "templates/mine.html:2: this cannot be filled in: integer division"),
        ("\n{{ slide.title + 3 }}", "templates/mine.html:2: this cannot be filled in: "),
        ("\n{{ ''.__class__.__mro__ }}", "templates/mine.html:2: this cannot be filled in: access"),
        ('a\n{% include "_not.html" %}', "templates/mine.html:2: there is no '_not.html' to extend"),
        ('{% extends "_bass.html" %}', "templates/mine.html:1: there is no '_bass.html' to extend"),
        ('{% include "_part.html" %}', "templates/_part.html:2: 'x' is undefined"),
        ("{{ slide.title|caps }}", "templates/mine.html:1: No filter named 'caps'"),
        ("Gr\xfc\xdfe".encode("latin-1"), "templates/mine.html:1: not UTF-8; save the file"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_projects_template_is_told_at_its_line(
    project: Path, template: str | bytes, told: str
) -> None:
    folder = project / "templates"
    folder.mkdir()
    raw = template.encode() if isinstance(template, str) else template
    (folder / "mine.html").write_bytes(raw)
    (folder / "_part.html").write_text("\n{{ x }}")
    with pytest.raises(SlideError) as caught:
        TemplateSlides(project).draw(Slide("mine", "T"), LOOK)
    assert str(caught.value.placed(Where("script.yaml"))).startswith(told)


def test_a_projects_style_sheet_comes_after_the_themes(project: Path) -> None:
    folder = project / "templates"
    folder.mkdir()
    save(project, "flag.png", flag((1600, 900)))
    css = ":root { --ground: #102030; } .statement { background-image: url(../assets/flag.png) }"
    (folder / "style.css").write_text(css)
    assert is_near(draw(project, Slide("bullets", "T", bullets=("a",))), (940, 530), "#102030")
    assert is_near(draw(project, Slide("statement", "T")), (2, 2), RED)
    (folder / "style.css").write_text("h1 { background: url(../nope.png) }")
    with pytest.raises(SlideError, match=r"templates/style\.css names '\.\./nope\.png'"):
        draw(project, Slide("statement", "T"))


def test_only_slides_drawn_from_a_projects_template_are_new_when_it_changes(project: Path) -> None:
    def identities() -> list[str]:
        maker = TemplateSlides(project)
        slides = Slide("bullets", "T"), Slide("quote", "T", quote="q"), Slide("mine", "T")
        return [json.dumps(maker.identity(slide, LOOK), sort_keys=True) for slide in slides]

    folder = project / "templates"
    folder.mkdir()
    (folder / "mine.html").write_text('{% extends "bullets.html" %}')
    before = identities()
    (folder / "quote.html").write_text('{% extends "_base.html" %}')
    after = identities()
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    (folder / "bullets.html").write_text('{% extends "theme/bullets.html" %}')
    last = identities()
    assert [a == b for a, b in zip(after, last, strict=True)] == [False, True, False]
    (folder / "style.css").write_text("h1 { color: red }")
    assert all(a != b for a, b in zip(last, identities(), strict=True))


# ---- what is chosen


def test_the_template_suits_what_a_section_holds(project: Path) -> None:
    makers = SlideMakers(project)
    picture = save(project, "flag.png", flag((1600, 900)))
    for slide, template in (
        (Slide("", "T"), "statement"),
        (Slide("", "T", bullets=("a",)), "bullets"),
        (Slide("", "T", quote="q"), "quote"),
        (Slide("", "T", html="<p>x</p>"), "html"),
        (Slide("", "T", picture=picture, bullets=("a",)), "picture"),
        (Slide("", "T", picture=picture, fit="blur"), "full"),
        (Slide("title", "T", bullets=("a",)), "title"),
    ):
        assert makers.settled(slide).template == template
    whole = makers.settled(Slide("full", "T", picture=picture, bullets=("a",), movie_title="M"))
    assert (whole.title, whole.bullets, whole.movie_title) == ("", (), "")
    for slide, words in (
        (Slide("full", "T"), "needs an `image`$"),
        (Slide("picture", "T", prompt="p"), "needs an `image`, or name a model that draws"),
        (Slide("", "T", fit="cover"), "`fit` is for a picture"),
    ):
        with pytest.raises(SlideError, match=words):
            makers.settled(slide)


def test_a_slide_with_nothing_on_it_is_told(project: Path) -> None:
    makers = SlideMakers(project)
    for slide in (Slide("", ""), Slide("title", " "), Slide("bullets", "", bullets=("",))):
        with pytest.raises(SlideError, match="nothing on this slide: write a `title`"):
            makers.settled(slide)
    with pytest.raises(SlideError, match="or name a model that draws its slide_prompt"):
        makers.settled(Slide("", "", prompt="the sea"))
    path = save(project, "flag.png", flag((1600, 900)))
    assert makers.settled(Slide("", "", picture=path)).template == "full"
    assert makers.settled(Slide("", "", picture=path, bullets=("a",))).template == "picture"
    (project / "templates").mkdir()
    for name in ("chart", "statement"):
        (project / "templates" / f"{name}.html").write_text("words of its own")
        assert makers.settled(Slide(name, "")).template == name


def test_without_a_title_a_background_is_the_whole_slide(project: Path) -> None:
    Image.new("RGB", (1600, 900), GREEN).save(project / "assets" / "green.png")
    slide = Slide("", "", background=Background(project / "assets" / "green.png"))
    image = draw(project, SlideMakers(project).settled(slide))
    assert max(high - low for low, high in image.getextrema()) < 8  # type: ignore[operator]
