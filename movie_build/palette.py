"""Colours that can be read on one another: a theme's palette bent to the user's own colours.

Contrast is WCAG 2.2's ratio of relative luminances, 1 to 21; text needs 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from colorsys import hls_to_rgb, rgb_to_hls
from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]

READABLE = 4.5
ENDS: tuple[Rgb, Rgb] = ((0, 0, 0), (255, 255, 255))

_DEFINED = re.compile(r"--([a-z]+)\s*:\s*(#[0-9a-fA-F]{3,6})\s*;")
_ROOT = re.compile(r":root\s*\{(.*?)\}", re.S)
_COLORFUL = 60


def from_css(css: str) -> dict[str, str]:
    """The colours that the first `:root` rule of `css` defines: name without dashes → `#rrggbb`."""
    rule = _ROOT.search(css)
    return {name: hexadecimal(rgb(c)) for name, c in _DEFINED.findall(rule[1])} if rule else {}


def adapted(theme: Mapping[str, str], *, primary: str, background: str) -> dict[str, str]:
    """`theme` with the user's colours in it, empty where the user gives none.

    `background` is taken as it is. `primary` colours titles and, if it is no
    grey, the accents. Whatever cannot be read on the background is moved towards
    black or white, no further than needed: a pair that the user chose too close
    is drawn readably.
    """
    if not (primary or background):
        return {}
    ground = rgb(background or theme["ground"])
    ink = readable(rgb(primary or theme["ink"]), ground)
    colorful = max(ink) - min(ink) > _COLORFUL
    neutral = readable(rgb(theme["ink"]), ground) if colorful else ink
    panel = mixed(ground, neutral, 0.06) if background else rgb(theme["panel"])
    if contrast(_far_end(ground), panel) < 5:
        # A middling ground: its panel goes the other way, or no text could be read on both.
        panel = mixed(ground, _far_end(_far_end(ground)), 0.06)
    colors = {
        "ground": ground,
        "panel": panel,
        "rule": mixed(ground, neutral, 0.18) if background else rgb(theme["rule"]),
        "ink": ink,
        "text": readable(mixed(neutral, ground, 0.1), ground, panel),
        "muted": readable(mixed(neutral, ground, 0.38), ground, panel),
        "accent": readable(ink if colorful else rgb(theme["accent"]), ground, panel),
    }
    return {name: hexadecimal(color) for name, color in colors.items()}


def veil(ground: str, *texts: str) -> float:
    """How opaque `ground` must lie over any picture, 0 to 1, for `texts` to be read on it.

    The worst pictures are all white and all black.
    """
    base = rgb(ground)
    for percent in range(50, 100, 2):
        behind = [mixed(extreme, base, percent / 100) for extreme in ENDS]
        if all(contrast(rgb(text), under) >= READABLE for text in texts for under in behind):
            return percent / 100
    return 1.0


def readable(color: Rgb, *grounds: Rgb) -> Rgb:
    """`color`, made lighter or darker until it can be read on all `grounds`; its hue stays."""
    end = _far_end(*grounds)
    hue, lightness, saturation = rgb_to_hls(*(x / 255 for x in color))
    for percent in range(0, 100, 4):
        light = lightness + (end[0] / 255 - lightness) * percent / 100
        r, g, b = (round(x * 255) for x in hls_to_rgb(hue, light, saturation))
        if all(contrast((r, g, b), ground) >= READABLE for ground in grounds):
            return r, g, b
    return end


def _far_end(*grounds: Rgb) -> Rgb:
    """Black or white, whichever can better be read on all `grounds`."""
    return max(ENDS, key=lambda end: min(contrast(end, ground) for ground in grounds))


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`one` with a `share` of `other` in it, 0 to 1, in sRGB as CSS composites."""
    r, g, b = (round(x + (y - x) * share) for x, y in zip(one, other, strict=True))
    return r, g, b


def rgb(color: str) -> Rgb:
    """`#rgb` or `#rrggbb` as three numbers, 0 to 255."""
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    value = int(digits, 16)
    return value >> 16, value >> 8 & 255, value & 255


def hexadecimal(color: Rgb) -> str:
    """A colour as CSS writes it: `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _luminance(color: Rgb) -> float:
    """WCAG 2.2, "relative luminance"."""
    r, g, b = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (x / 255 for x in color)
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
