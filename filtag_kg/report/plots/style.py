"""What all plots share: sizes, and colours with a light and a dark value."""

from __future__ import annotations

from typing import Literal

WIDE = 900
"""Pixels across a page on a desk."""

NARROW = 350
"""Pixels across a page on a phone, where a wide plot scaled down would be too small to read; in print, a column."""

PRINT_PAGE = 740
"""Pixels across both columns of a printed page, in letters as large as those of a plot for one column."""

Colour = Literal["paper", "ink", "quiet", "line", "same", "near", "far", "predicted", "blue", "ochre", "plum", "slate"]

COLOURS: dict[Colour, tuple[str, str]] = {
    "paper": ("#fbfaf7", "#14171a"),
    "ink": ("#1d2126", "#e8e6e1"),
    "quiet": ("#68707a", "#979fa8"),
    "line": ("#e4e1da", "#2d3238"),
    "same": ("#1f7a6d", "#4fb5a3"),
    "near": ("#8cc3b5", "#2c6a60"),
    "far": ("#d9d4c9", "#3a4047"),
    "predicted": ("#c8702a", "#e0935a"),
    "blue": ("#3f6fa8", "#7aa7dc"),
    "ochre": ("#a8892a", "#d0b454"),
    "plum": ("#8d5484", "#c68fbd"),
    "slate": ("#6f7f8f", "#93a2b1"),
}
"""The pages' own, by their names in ``templates/page.css``, and hues for kinds side by side: light, then dark."""

PRINT_COLOURS: dict[Colour, str] = {
    "paper": "#ffffff",
    "ink": "#000000",
    "quiet": "#4d4d4d",
    "line": "#d9d9d9",
    "same": "#00507f",
    "near": "#86bbdc",
    "far": "#d2d2d2",
    "predicted": "#d97500",
    "blue": "#56b4e9",
    "ochre": "#e8c547",
    "plum": "#cc79a7",
    "slate": "#7a7a7a",
}
"""For paper. Blues and oranges, after Okabe & Ito (2008), "Color Universal Design": people who do not tell red from
green tell them apart, and in grey the hues that stand side by side differ in lightness."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def is_narrow(width: float) -> bool:
    """Return whether a plot of this width is one for a phone."""
    return width < 1.5 * NARROW


def _variables(scheme: int) -> str:
    return ";".join(f"--{name}:{values[scheme]}" for name, values in COLOURS.items())


# Every rule is limited to the plot, so that it changes nothing on a page that the plot is pasted into.
STYLE_SHEET = (
    f".plot{{{_variables(0)};max-width:100%;height:auto}}"
    f"@media (prefers-color-scheme:dark){{.plot{{{_variables(1)}}}}}"
    ".plot a:hover path,.plot a:focus path{opacity:1!important}"
    f".plot text{{font-family:{_FONT};pointer-events:none}}"
)
