"""The size and shape of a picture to ask a model for, nearest to the movie's."""

from __future__ import annotations

from movie_build.look import Look

# What models take; of any other, a size is asked that suits the common ones with free sizes.
_SIZES: dict[str, tuple[tuple[int, int], ...]] = {
    "dall-e-2": ((1024, 1024),),
    "dall-e-3": ((1024, 1024), (1792, 1024), (1024, 1792)),
    "gpt-image": ((1024, 1024), (1536, 1024), (1024, 1536)),
    "chatgpt-image": ((1024, 1024), (1536, 1024), (1024, 1536)),
}
# Diffusion models were trained on about a million pixels, in steps of 64.
_PIXELS = 1024 * 1024
_STEP = 64
_ASPECTS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")


def size_for(model: str, look: Look) -> str:
    """The size to ask `model` for, as in `1536x1024`."""
    name = model.rsplit("/", 1)[-1].lower()
    wanted = look.width_px / look.height_px
    for known, sizes in _SIZES.items():
        if name.startswith(known):
            width, height = min(sizes, key=lambda size: _apart(size[0] / size[1], wanted))
            return f"{width}x{height}"
    height = max(_STEP, round((_PIXELS / wanted) ** 0.5 / _STEP) * _STEP)
    width = max(_STEP, round(_PIXELS / height / _STEP) * _STEP)
    return f"{width}x{height}"


def aspect_for(look: Look) -> str:
    """The nearest of the shapes that models know, as in `16:9`."""
    wanted = look.width_px / look.height_px

    def apart(aspect: str) -> float:
        width, _, height = aspect.partition(":")
        return _apart(int(width) / int(height), wanted)

    return min(_ASPECTS, key=apart)


def _apart(one: float, other: float) -> float:
    return max(one / other, other / one)
