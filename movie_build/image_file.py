"""Pictures of the user's: whether they can be shown, how large, and in a form a browser reads."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import svg_file
from movie_build.errors import SlideError

if TYPE_CHECKING:
    from PIL import Image as PillowImage

_MOST_PIXELS = 80_000_000
_BROWSER_READS = {"PNG", "JPEG", "WEBP"}
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO")
_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_LYING = {5, 6, 7, 8}
# Below this a picture looks soft where it is shown large.
_LEAST_PX = (800, 600)
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture that was decoded to the end; its size is that after turning it upright (EXIF).

    A `vector` is an SVG, and its size is only its shape.
    """

    width_px: int
    height_px: int
    content: bytes | Path
    vector: bool = False


def read(path: Path, name: str = "") -> ImageFile:
    """The picture in `path`: the file itself, or its first frame as PNG if a browser needs that.

    It is called `name` in messages, else as the path is.

    Raises:
        SlideError: it is missing, no picture, damaged, or too large.
    """
    from PIL import ImageOps

    name = name or str(path)
    if _is_svg(path):
        width, height, content = svg_file.read(path.read_bytes(), name)
        return ImageFile(width, height, content, vector=True)
    with _opened(path, name) as image:
        width, height = image.size
        image.load()
        if image.getexif().get(_ORIENTATION, 1) in _LYING:
            width, height = height, width
        if image.format in _BROWSER_READS and getattr(image, "n_frames", 1) == 1:
            return ImageFile(width, height, path)
        file = io.BytesIO()
        _eight_bits(ImageOps.exif_transpose(image)).save(file, "PNG", compress_level=1)
        return ImageFile(width, height, file.getvalue())


def pixels(source: Path | bytes, name: str = "") -> PillowImage.Image:
    """The picture in a file or its bytes, called `name` in messages: upright, RGB or RGBA.

    Raises:
        SlideError: it is missing, no picture that is made of pixels, damaged, or too large.
    """
    from PIL import ImageOps

    with _opened(source, name or f"{source!s:.200}") as image:
        image.load()
        return _eight_bits(ImageOps.exif_transpose(image))


def check(content: bytes, name: str) -> None:
    """See that `content` is a whole picture that can be shown; it is called `name` in messages.

    Raises:
        SlideError: as `read`.
    """
    if svg_file.is_svg(content[:_HEAD_BYTES]):
        svg_file.read(content, name)
        return
    with _opened(content, name) as image:
        image.load()


def warning(path: Path) -> str:
    """What is worth saying about a picture that can be shown: that it is small; else nothing.

    Only the head of the file is read. A file that is no picture is for `read` to refuse.
    """
    if _is_svg(path):
        return ""
    try:
        with _opened(path, str(path)) as image:
            width, height = image.size
            if image.getexif().get(_ORIENTATION, 1) in _LYING:
                width, height = height, width
    except SlideError:
        return ""
    if width >= _LEAST_PX[0] and height >= _LEAST_PX[1]:
        return ""
    least = f"{_LEAST_PX[0]} × {_LEAST_PX[1]}"
    return f"the picture is only {width} × {height} pixels; below {least} it looks soft or small"


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[PillowImage.Image]:
    """The picture, opened but not decoded; what goes wrong in the block is told of `name`."""
    from PIL import Image, UnidentifiedImageError

    Image.init()
    # Ours is the stricter limit, and it is told in our words.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(file, formats=[kind for kind in _FORMATS if kind in Image.OPEN]) as image:
            width, height = image.size
            if width * height > _MOST_PIXELS:
                raise _too_large(name, f"{width} × {height} pixels")
            yield image
    except FileNotFoundError:
        raise SlideError(f"there is no picture {name}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, f"over {Image.MAX_IMAGE_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise SlideError(
            f"{name} is not a picture that can be shown; save it as PNG, JPEG, WebP or SVG"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise SlideError(f"the picture {name} is damaged: {error}; save it anew") from error


def _is_svg(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return svg_file.is_svg(file.read(_HEAD_BYTES))
    except OSError:
        return False


def _eight_bits(image: PillowImage.Image) -> PillowImage.Image:
    """`image` as RGB, or as RGBA where it is transparent somewhere."""
    from PIL import Image

    if image.mode not in ("RGB", "RGBA", "P"):
        # A profile of greys or of printing inks says nothing true of RGB.
        image.info.pop("icc_profile", None)
    if image.mode.startswith("I"):
        # Pillow would cut 16 bits off at 255 instead of scaling them.
        import numpy as np

        return Image.fromarray((np.asarray(image) >> 8).astype("uint8")).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    lowest = clear.getchannel("A").getextrema()[0]
    return clear if lowest != 255 else clear.convert("RGB")


def _too_large(name: str, size: str) -> SlideError:
    limit = f"{_MOST_PIXELS // 1_000_000} million pixels"
    return SlideError(f"the picture {name} is too large ({size}; at most {limit}): make it smaller")
