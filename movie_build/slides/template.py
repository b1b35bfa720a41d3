"""Slides from a theme's templates: HTML filled in by Jinja2, drawn by the browser."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from movie_build import fonts, image_file, palette, theme
from movie_build.errors import SlideError, shown
from movie_build.html_text import HtmlText
from movie_build.look import Look, Slide

if TYPE_CHECKING:
    from movie_build.browser import Browser
    from movie_build.image_file import ImageFile

VERSION = 1

_FIT = Path(__file__).with_name("fit.js")
# No name in a project begins so: these never hide a file of the user's.
_THEME = "-theme/"
_PICTURE = "-picture"
_BACKDROP = "-backdrop"
_IMAGE_KINDS = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"))


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits; read again only when its size or time is another."""
    try:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise SlideError(f"cannot read {path}: {error.strerror}") from error


@lru_cache(maxsize=4096)
def _digest(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        self._themes: dict[tuple[Path, str], dict[str, Path]] = {}
        self._theme_digests: dict[tuple[Path, str], str] = {}

    def identity(self, slide: Slide, look: Look) -> Mapping[str, object]:
        texts = {name: value for name, value in asdict(slide).items() if value}
        texts.pop("picture", None)
        background = slide.background
        if background:
            texts["background"] = background.fit
        return {
            "maker": "template",
            "version": VERSION,
            "slide": texts,
            "size": [look.width_px, look.height_px],
            "colors": [look.primary_color.lower(), look.background_color.lower()],
            "font_family": look.font_family,
            "language": look.language,
            "theme": self._theme_digest(look.theme, slide.template),
            "files": {name: self._digest(path) for name, path in self._own_files(slide).items()},
        }

    def files(self, slide: Slide, look: Look) -> tuple[Path, ...]:
        return tuple(self._all_files(slide, look).values())

    def draw(self, slide: Slide, look: Look) -> bytes:
        from movie_build.browser import Page

        files = self._all_files(slide, look)
        folder = theme.load(look.theme).folder
        fonts.check(text_of(slide), folder)
        if look.font_family:
            fonts.check_family(look.font_family)
        images = {
            name: image_file.read(path)
            for name, path in files.items()
            if (not name.startswith(_THEME) and path.suffix.lower() in _IMAGE_KINDS)
            or name in {_PICTURE, _BACKDROP}
        }
        html = _Html(slide, look, files, images).render()
        given = files | {name: image.content for name, image in images.items()}
        page = Page(html, look.width_px, look.height_px, given, fit=_FIT.read_text("utf-8"))
        return self._browser().screenshot(page)

    def _all_files(self, slide: Slide, look: Look) -> dict[str, Path]:
        of_theme = self._theme_files(look.theme, slide.template)
        return {_THEME + name: path for name, path in of_theme.items()} | self._own_files(slide)

    def _theme_files(self, folder: Path, template: str) -> dict[str, Path]:
        key = (folder, template)
        if key not in self._themes:
            self._themes[key] = theme.load(folder).files(template)
        return self._themes[key]

    def _theme_digest(self, folder: Path, template: str) -> str:
        key = (folder, template)
        if key not in self._theme_digests:
            files = self._theme_files(folder, template) | {"": _FIT}
            names = "".join(f"{name}\0{self._digest(path)}\0" for name, path in files.items())
            self._theme_digests[key] = hashlib.sha256(names.encode()).hexdigest()
        return self._theme_digests[key]

    def _own_files(self, slide: Slide) -> dict[str, Path]:
        files = self._named_in(slide.html)
        if slide.picture:
            files[_PICTURE] = slide.picture
        if slide.background:
            files[_BACKDROP] = slide.background.path
        return files

    def _named_in(self, html: str) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for reference in HtmlText(html).references if html else ():
            url = urlsplit(reference)
            if url.scheme == "data" or not (url.path or url.netloc):
                continue
            if url.scheme or url.netloc:
                raise SlideError(
                    f"html names {reference!r}: slides are drawn without a network; "
                    "put a copy into assets/ and name that"
                )
            name = unquote(url.path).lstrip("/")
            path = (self._project / name).resolve()
            if not path.is_relative_to(self._project) or not path.is_file():
                where = shown(path, self._project)
                raise SlideError(
                    f"html names {reference!r}: there is no file {where} in the project"
                )
            files[name] = path
        return files


def text_of(slide: Slide) -> str:
    """Every character that the slide shows."""
    texts = (slide.title, slide.subtitle, *slide.bullets, slide.caption, slide.quote)
    own = HtmlText(slide.html).text if slide.html else ""
    return "\n".join((*texts, slide.quote_by, slide.movie_title, own))


def direction_of(text: str) -> str:
    """`rtl` or `ltr`, by the first letter that has a direction (Unicode UAX #9, P2 and P3)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


class _Html:
    """One slide's page from its template."""

    def __init__(
        self, slide: Slide, look: Look, files: Mapping[str, Path], images: Mapping[str, ImageFile]
    ) -> None:
        self._slide = slide
        self._look = look
        self._files = files
        self._images = images

    def render(self) -> str:
        from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError
        from jinja2.sandbox import SandboxedEnvironment
        from markupsafe import Markup

        environment = SandboxedEnvironment(
            loader=FunctionLoader(self._source),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        name = f"{self._slide.template}.html"
        try:
            return environment.get_template(name).render(
                slide=self._slide,
                html=Markup(self._slide.html),
                language=self._look.language or "en",
                direction=direction_of(text_of(self._slide)),
                style=Markup(self._style()),
                theme=f"/{_THEME}",
                picture=self._image(_PICTURE),
                backdrop=self._image(_BACKDROP),
                portrait=self._look.height_px > self._look.width_px,
            )
        except TemplateSyntaxError as error:
            raise SlideError(f"{error.name}:{error.lineno}: {error.message}") from error
        except TemplateError as error:
            raise SlideError(f"the template {name} cannot be filled in: {error}") from error

    def _source(self, name: str) -> str | None:
        path = self._files.get(_THEME + name)
        return path.read_text("utf-8") if path else None

    def _image(self, name: str) -> dict[str, object] | None:
        image = self._images.get(name)
        if image is None:
            return None
        return {"url": f"/{name}", "width_px": image.width_px, "height_px": image.height_px}

    def _style(self) -> str:
        """CSS that overrules the theme's: the user's colours and font."""
        css = "".join(
            path.read_text("utf-8") for name, path in self._files.items() if name.endswith(".css")
        )
        of_theme = palette.from_css(css)
        rules = palette.adapted(
            of_theme, primary=self._look.primary_color, background=self._look.background_color
        )
        values = {f"--{name}": color for name, color in rules.items()}
        if _BACKDROP in self._images and of_theme:
            dark = of_theme | rules if rules else _over_picture(of_theme)
            dark["muted"] = dark["text"]
            values |= {f"--{name}": color for name, color in dark.items()}
            values["--veil"] = f"{palette.veil(dark['ground'], dark['ink'], dark['text']):.2f}"
        if self._look.font_family:
            families = fonts.family_names(self._look.font_family)
            values["--own"] = ", ".join(map(css_string, families))
        # Above the theme's own rules for single templates, such as a dark opening.
        where = "html:root, html:root body" if rules or _BACKDROP in self._images else "html:root"
        return "".join(f"{where} {{ {name}: {value}; }}\n" for name, value in values.items())


def _over_picture(of_theme: Mapping[str, str]) -> dict[str, str]:
    """The theme's palette turned dark: photographs are kinder to light text."""
    return palette.adapted(of_theme, primary="#ffffff", background=of_theme["ink"])


def css_string(text: str) -> str:
    """`text` as a CSS string that can hold anything (CSS Syntax 3, 4.3.7)."""
    return '"' + re.sub(r"[^\w \-]", lambda found: f"\\{ord(found[0]):x} ", text) + '"'


def _shared() -> Browser:
    from movie_build.browser import shared

    return shared()
