"""Pictures of the user's: whether they can be shown, how large, and in a form a browser reads."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import SlideError

_MOST_PIXELS = 80_000_000
_BROWSER_READS = {"PNG", "JPEG", "WEBP"}
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO")
_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_LYING = {5, 6, 7, 8}


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture that was decoded to the end; its size is that after turning it upright (EXIF)."""

    width_px: int
    height_px: int
    content: bytes | Path


def read(path: Path) -> ImageFile:
    """The picture in `path`: the file itself, or its first frame as PNG if a browser needs that.

    Raises:
        SlideError: it is missing, no picture, damaged, or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.init()
    try:
        with Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN]) as image:
            width, height = image.size
            if width * height > _MOST_PIXELS:
                raise _too_large(path, f"{width} × {height} pixels")
            image.load()
            if image.getexif().get(_ORIENTATION, 1) in _LYING:
                width, height = height, width
            if image.format in _BROWSER_READS and getattr(image, "n_frames", 1) == 1:
                return ImageFile(width, height, path)
            file = io.BytesIO()
            ImageOps.exif_transpose(image).convert("RGBA").save(file, "PNG", compress_level=1)
            return ImageFile(width, height, file.getvalue())
    except FileNotFoundError:
        raise SlideError(f"there is no picture {path}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path, str(error)) from error
    except UnidentifiedImageError as error:
        raise SlideError(
            f"{path} is not a picture that can be shown; save it as PNG, JPEG or WebP"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise SlideError(f"the picture {path} is damaged: {error}; save it anew") from error


def _too_large(path: Path, size: str) -> SlideError:
    limit = f"{_MOST_PIXELS // 1_000_000} million pixels"
    return SlideError(f"the picture {path} is too large ({size}; at most {limit}): make it smaller")
