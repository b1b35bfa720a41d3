"""Slide PNGs to encoded pictures."""

from __future__ import annotations

import io

from movie_build.errors import EncodeError
from movie_build.look import Look


def encode(png: bytes, look: Look) -> bytes:
    """A slide's PNG as one encoded picture of the movie's size.

    Raises:
        EncodeError: the PNG is of another size, or damaged.
    """
    import numpy as np
    from PIL import Image

    from movie_build.h264 import VideoFormat, encode_picture

    with Image.open(io.BytesIO(png)) as image:
        rgb = np.asarray(image.convert("RGB"))
    if rgb.shape != (look.height_px, look.width_px, 3):
        raise EncodeError(
            f"a slide is {rgb.shape[1]}×{rgb.shape[0]}, the movie {look.width_px}×{look.height_px}"
        )
    fmt = VideoFormat(look.width_px, look.height_px, look.fps, look.crf)
    return encode_picture(rgb, fmt)
