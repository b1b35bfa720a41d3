"""Slides from a theme's templates: HTML filled in by Jinja2, drawn by the browser."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import filled_in, fonts, image_file, palette, theme
from movie_build.errors import FontError, SlideError, shown
from movie_build.html_text import HtmlText
from movie_build.look import Look, Slide
from movie_build.slides import image, layers
from movie_build.slides.files import file_digest

if TYPE_CHECKING:
    from movie_build.browser import Browser
    from movie_build.image_file import ImageFile

VERSION = 2

_FIT = Path(__file__).with_name("fit.js")
_PLATE = Path(__file__).with_name("plate.js")
# No name in a project begins so: these never hide a file of the user's.
_PICTURE = "-picture"
_FILL = "-fill"
_BACKDROP = "-backdrop"
_LOGO = "-logo"
_IMAGE_KINDS = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"))
# What a template writes to show a section's key, where it is not `slide.` and the key.
_SHOWS = {"image": "picture.url", "html": "{{ html"}
_DOCUMENT = re.compile(r"\s*(?:<!doctype\b|<html\b)", re.I)
# The share of the height that words under a whole picture take.
_STRIP = 0.105


class TemplateSlides:
    """Draws slides from a theme. Their own HTML may name files in `project`, and no others.

    A theme is looked through once: make a new one for each run. `digest` gives a
    file's SHA-256.
    """

    def __init__(
        self,
        project: Path,
        *,
        browser: Callable[[], Browser] | None = None,
        digest: Callable[[Path], str] = file_digest,
    ) -> None:
        self._project = project.resolve()
        self._browser = browser or _shared
        self._digest = digest
        self._written: dict[tuple[Path, str], str] = {}
        self._themes: dict[tuple[Path, str], dict[str, Path]] = {}
        self._theme_digests: dict[tuple[Path, str], str] = {}

    def identity(self, slide: Slide, look: Look) -> Mapping[str, object]:
        texts = {name: value for name, value in asdict(slide).items() if value}
        for name in ("picture", "logo", "deck"):
            texts.pop(name, None)
        if slide.background:
            texts["background"] = slide.background.fit
        return {
            "maker": "template",
            "version": VERSION,
            "slide": texts,
            "size": [look.width_px, look.height_px],
            "colors": [look.primary_color.lower(), look.background_color.lower()],
            "font_family": look.font_family,
            "language": self._language(slide, look),
            "theme": self._theme_digest(look.theme, slide.template),
            "files": {name: self._digest(path) for name, path in self._own_files(slide).items()},
        }

    def files(self, slide: Slide, look: Look) -> tuple[Path, ...]:
        return tuple(self._all_files(slide, look).values())

    def draw(self, slide: Slide, look: Look) -> bytes:
        from movie_build.browser import Page

        files = self._all_files(slide, look)
        look = replace(look, language=self._language(slide, look))
        fonts.check(text_of(slide), theme.load(look.theme).folder)
        if look.font_family:
            try:
                fonts.check_family(look.font_family)
            except FontError as error:
                raise error.placed(look.font_where) from None
        shown = _Shown(slide, look, files, self._project)
        html = _Html(slide, look, files, shown, self._project).render()
        fit = f"() => {{ ({_script(_PLATE)})(); return ({_script(_FIT)})(); }}"
        page = Page(html, look.width_px, look.height_px, shown.contents, fit=fit)
        return self._browser().screenshot(page)

    def warnings(self, slide: Slide) -> tuple[str, ...]:
        """What is worth saying about a slide that can be drawn; its files must be there."""
        said = image_file.warning(slide.picture) if slide.picture else ""
        return (said,) if said else ()

    def shows(self, template: str, look: Look, key: str) -> bool:
        """Whether slides of `template` show what a section's `key` says."""
        where = look.theme, template
        if where not in self._written:
            files = layers.reached(f"{template}.html", look.theme, self._project)
            self._written[where] = "".join(path.read_text("utf-8") for _, path in files)
        written = self._written[where]
        return _SHOWS.get(key, f"slide.{key}") in written or f"slide['{key}']" in written

    def _language(self, slide: Slide, look: Look) -> str:
        """The language of what is written on a slide; empty where nothing is.

        A template of the project's own may write something by itself.
        """
        names = self._theme_files(look.theme, slide.template)
        own = any(n.endswith(".html") and not n.startswith(layers.THEME) for n in names)
        return look.language if own or text_of(slide).strip() else ""

    def _all_files(self, slide: Slide, look: Look) -> dict[str, Path]:
        return self._theme_files(look.theme, slide.template) | self._own_files(slide)

    def _theme_files(self, folder: Path, template: str) -> dict[str, Path]:
        key = (folder, template)
        if key not in self._themes:
            self._themes[key] = layers.files_of(template, folder, self._project)
        return self._themes[key]

    def _theme_digest(self, folder: Path, template: str) -> str:
        key = (folder, template)
        if key not in self._theme_digests:
            files = self._theme_files(folder, template) | {"": _FIT, "-plate": _PLATE}
            names = "".join(f"{name}\0{self._digest(path)}\0" for name, path in files.items())
            self._theme_digests[key] = hashlib.sha256(names.encode()).hexdigest()
        return self._theme_digests[key]

    def _own_files(self, slide: Slide) -> dict[str, Path]:
        files = layers.named_in(slide.html, self._project, "html")
        if slide.picture:
            files[_PICTURE] = slide.picture
        if slide.background:
            files[_BACKDROP] = slide.background.path
        if slide.logo:
            files[_LOGO] = slide.logo
        return files


def text_of(slide: Slide) -> str:
    """Every character that the slide shows."""
    texts = (slide.title, slide.subtitle, *slide.bullets, slide.caption, slide.source, slide.quote)
    own = HtmlText(slide.html).text if slide.html else ""
    return "\n".join((*texts, slide.quote_by, slide.movie_title, slide.prompt, own))


def direction_of(text: str) -> str:
    """`rtl` or `ltr`, by the first letter that has a direction (Unicode UAX #9, P2 and P3)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture as a template knows it; `fit` and `fill_url` are those of a whole picture."""

    url: str
    width_px: int
    height_px: int
    fit: str = ""
    fill_url: str = ""


class _Shown:
    """A slide's pictures, checked and made ready: `contents` is all that its page may ask for."""

    def __init__(self, slide: Slide, look: Look, files: Mapping[str, Path], project: Path) -> None:
        self._project = project
        self.contents: dict[str, Path | bytes] = dict(files)
        self.picture: _Picture | None = None
        self._known: dict[str, _Picture] = {}
        whole = slide.picture and (slide.template == "full" or slide.fit)
        for name, path in files.items():
            if name == _PICTURE and whole:
                self.picture = self._framed(slide, look, path)
            elif name in {_PICTURE, _BACKDROP, _LOGO}:
                self._put(name, image_file.read(path, shown(path, project)))
            elif not name.startswith(layers.THEME) and path.suffix.lower() in _IMAGE_KINDS:
                self.contents[name] = image_file.read(path, name).content
        self.picture = self.picture or self._known.get(_PICTURE)
        self.backdrop = self._known.get(_BACKDROP)
        self.logo = self._known.get(_LOGO)

    def _put(self, name: str, file: ImageFile) -> _Picture:
        # Chromium knows pictures by their bytes, but not SVG.
        url = f"{name}.svg" if file.vector else name
        self.contents[url] = file.content
        self._known[name] = _Picture(f"/{url}", file.width_px, file.height_px)
        return self._known[name]

    def _framed(self, slide: Slide, look: Look, path: Path) -> _Picture:
        strip_px = round(look.height_px * _STRIP) if slide.caption or slide.source else 0
        frame = image.framed(
            path,
            look.width_px,
            look.height_px,
            slide.fit,
            strip_px,
            name=shown(path, self._project),
        )
        known = self._put(_PICTURE, frame.file)
        if frame.fill:
            self.contents[_FILL] = frame.fill
        fill_url = f"/{_FILL}" if frame.fill else ""
        return _Picture(known.url, known.width_px, known.height_px, frame.fit, fill_url)


class _Html:
    """One slide's page from its template."""

    def __init__(
        self,
        slide: Slide,
        look: Look,
        files: Mapping[str, Path],
        shown: _Shown,
        project: Path,
    ) -> None:
        self._slide = slide
        self._look = look
        self._files = files
        self._shown = shown
        self._project = project

    def render(self) -> str:
        from markupsafe import Markup

        if self._slide.template == "html" and _DOCUMENT.match(self._slide.html):
            if self._slide.logo:
                raise SlideError("a whole page of your own shows its own logo: remove `logo`")
            return self._slide.html
        values = {
            "slide": self._slide,
            "html": Markup(self._slide.html),
            "language": self._look.language or "en",
            "direction": direction_of(text_of(self._slide)),
            "style": Markup(self._style()),
            "own_style": f"/{layers.STYLE}" if layers.STYLE in self._files else "",
            "theme": f"/{layers.THEME}",
            "picture": self._shown.picture,
            "backdrop": self._shown.backdrop,
            "logo": self._shown.logo,
            "strip": _STRIP,
            "portrait": self._look.height_px > self._look.width_px,
        }
        return filled_in.fill(
            f"{self._slide.template}.html",
            lambda name: layers.source(name, self._files),
            values,
            base=self._project,
            refuse=SlideError,
            html=True,
        )

    def _style(self) -> str:
        """CSS that overrules the theme's: the user's colours and font."""
        of_theme: dict[str, str] = {}
        for name, path in self._files.items():
            if name.endswith(".css"):
                # The theme's style sheets come before the project's own.
                of_theme |= palette.from_css(path.read_text("utf-8"))
        rules = palette.adapted(
            of_theme, primary=self._look.primary_color, background=self._look.background_color
        )
        values = {f"--{name}": color for name, color in rules.items()}
        backdrop = self._shown.backdrop
        if backdrop and of_theme:
            dark = of_theme | rules if rules else _over_picture(of_theme)
            dark["muted"] = dark["text"]
            values |= {f"--{name}": color for name, color in dark.items()}
            values["--veil"] = f"{palette.veil(dark['ground'], dark['ink'], dark['text']):.2f}"
        if self._look.font_family:
            families = fonts.family_names(self._look.font_family)
            values["--own"] = ", ".join(map(css_string, families))
        # Above the theme's own rules for single templates, such as a dark opening.
        where = "html:root, html:root body" if rules or backdrop else "html:root"
        return "".join(f"{where} {{ {name}: {value}; }}\n" for name, value in values.items())


def _script(path: Path) -> str:
    return path.read_text("utf-8")


def _over_picture(of_theme: Mapping[str, str]) -> dict[str, str]:
    """The theme's palette turned dark: photographs are kinder to light text."""
    return palette.adapted(of_theme, primary="#ffffff", background=of_theme["ink"])


def css_string(text: str) -> str:
    """`text` as a CSS string that can hold anything (CSS Syntax 3, 4.3.7)."""
    return '"' + re.sub(r"[^\w \-]", lambda found: f"\\{ord(found[0]):x} ", text) + '"'


def _shared() -> Browser:
    from movie_build import progress
    from movie_build.browser import shared

    return shared(progress.told("slide"))
