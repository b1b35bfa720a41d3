"""The pictures of an article, numbered for a model to choose from; one of them on a slide."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from urllib.parse import urlsplit

from movie_build.article import Article, Picture
from movie_build.script import Image

_CAPTION_MAX_CHARS = 90


def numbered(article: Article) -> Mapping[str, int]:
    """The pictures that a slide could show: the number of each, from 1, by its `src`."""
    numbers: dict[str, int] = {}
    for block in article.blocks:
        if isinstance(block, Picture) and _shows(block.src):
            numbers.setdefault(block.src, len(numbers) + 1)
    return numbers


def image_of(picture: Picture, article: Article) -> Image:
    """`picture` on a slide: its path is from the project, and the article may lie below it."""
    src, origin = picture.src, article.origin
    if "://" not in src and "://" not in origin:
        src = posixpath.normpath(posixpath.join(posixpath.dirname(origin.replace("\\", "/")), src))
    # An alternative text is a caption where it is one, not a file name or a long description.
    alt = picture.alt.strip()
    spoken = alt if " " in alt and len(alt) <= _CAPTION_MAX_CHARS else ""
    return Image(src, picture.caption or spoken)


def _shows(src: str) -> bool:
    return bool(src.strip()) and urlsplit(src).scheme.lower() in ("", "http", "https")
