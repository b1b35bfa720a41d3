"""Pictures that fill a whole slide: cut, framed, or on a blurred copy of themselves."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from movie_build import image_file
from movie_build.errors import SlideError, nearest
from movie_build.image_file import ImageFile

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Fit: TypeAlias = Literal["cover", "contain", "blur"]

# How much of a picture is cut off unasked: of photographs, so that one of 3:2 fills a slide of
# 16:9; of anything else, which may hold words to its edges, next to nothing.
_MOST_CUT_PHOTOGRAPH = 0.16
_MOST_CUT = 0.02
# The fill is worked out small: a blur holds no detail, and large ones are slow.
_SHRUNK = 8
_BLUR = 0.045
_DIM = 0.55


@dataclass(frozen=True, slots=True)
class Framed:
    """A picture fitted to a frame: `fit` as it was chosen, and the picture at its size there.

    `fill` is a PNG of the frame's size to lie under it, if there is one.
    """

    fit: Fit
    file: ImageFile
    fill: bytes | None = None


def framed(
    path: Path, width_px: int, height_px: int, fit: str, strip_px: int = 0, *, name: str = ""
) -> Framed:
    """The picture in `path`, fitted to a frame. An empty `fit` is the one that suits the picture.

    `cover` fills the frame and is cut in the middle; `contain` is shown whole;
    `blur` too, on a blurred copy of itself, where it has no transparent parts.
    What is shown whole leaves `strip_px` at the foot free. Messages call the picture `name`.

    Raises:
        SlideError: it cannot be shown, or there is no such fit.
    """
    if fit and fit not in get_args(Fit):
        raise SlideError(f"a picture has no fit {fit!r}; {nearest(fit, get_args(Fit))}")
    file = image_file.read(path, name)
    if file.vector:
        return _drawing(
            file, width_px, height_px, "cover" if fit == "cover" else "contain", strip_px
        )
    image = image_file.pixels(path, name)
    most_cut = _MOST_CUT_PHOTOGRAPH if _is_photograph(path) else _MOST_CUT
    chosen = _chosen(fit, image, width_px / height_px, most_cut)
    if chosen == "cover":
        shown = _covering(image, width_px, height_px)
        return Framed("cover", ImageFile(width_px, height_px, _png(shown)))
    size = _inside(image.width, image.height, width_px, height_px - strip_px)
    shown = _resized(image, *size)
    fill = _png(_blurred(image, width_px, height_px)) if chosen == "blur" else None
    return Framed(chosen, ImageFile(*size, _png(shown)), fill)


def _drawing(file: ImageFile, width_px: int, height_px: int, fit: Fit, strip_px: int) -> Framed:
    """An SVG, which the browser draws at the size it is shown at."""
    if fit == "cover":
        scale = max(width_px / file.width_px, height_px / file.height_px)
        size = round(file.width_px * scale), round(file.height_px * scale)
    else:
        size = _inside(file.width_px, file.height_px, width_px, height_px - strip_px)
    return Framed(fit, ImageFile(*size, file.content, vector=True))


def _chosen(fit: str, image: PillowImage.Image, aspect: float, most_cut: float) -> Fit:
    if fit == "cover":
        return "cover"
    if fit == "contain" or image.mode == "RGBA":
        return "contain"
    ratio = (image.width / image.height) / aspect
    return "cover" if not fit and min(ratio, 1 / ratio) >= 1 - most_cut else "blur"


def _is_photograph(path: Path) -> bool:
    """Whether it is kept as cameras do: JPEG, AVIF, or WebP with losses."""
    with path.open("rb") as file:
        start = file.read(16)
    return start.startswith(b"\xff\xd8") or start[4:8] == b"ftyp" or start[8:16] == b"WEBPVP8 "


def _inside(width: int, height: int, most_width: int, most_height: int) -> tuple[int, int]:
    """The largest size of a picture's shape in a box."""
    scale = min(most_width / width, most_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _covering(image: PillowImage.Image, width_px: int, height_px: int) -> PillowImage.Image:
    from PIL import Image, ImageOps

    return ImageOps.fit(image, (width_px, height_px), Image.Resampling.LANCZOS)


def _resized(image: PillowImage.Image, width_px: int, height_px: int) -> PillowImage.Image:
    from PIL import Image

    # Premultiplied, or colours of invisible pixels would bleed into the edges.
    mode = image.mode
    source = image.convert("RGBa") if mode == "RGBA" else image
    return source.resize((width_px, height_px), Image.Resampling.LANCZOS).convert(mode)


def _blurred(image: PillowImage.Image, width_px: int, height_px: int) -> PillowImage.Image:
    """The frame full of `image`, out of focus and dimmed: it is not to be looked at."""
    from PIL import Image, ImageEnhance, ImageFilter

    small = _covering(image, max(1, width_px // _SHRUNK), max(1, height_px // _SHRUNK))
    soft = small.filter(ImageFilter.GaussianBlur(max(small.size) * _BLUR))
    dim = ImageEnhance.Brightness(soft).enhance(_DIM)
    return dim.resize((width_px, height_px), Image.Resampling.BICUBIC)


def _png(image: PillowImage.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1, icc_profile=image.info.get("icc_profile"))
    return file.getvalue()
