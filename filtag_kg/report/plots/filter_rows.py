"""Filters with their tags and the images that activate them most, one below the other: the paper's Figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from filtag_kg.report.plots.canvas import CAPTION, Canvas, fitted, text_width
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE, is_narrow

# Sizes in pixels.
_LINE = 17.0
_GAP = 16.0
_PICTURE_GAP = 4.0
_TEXT_GAP = 12.0
_LEAST_TEXT = 0.42
"""Of the width, for texts that stand left of their pictures."""
_MOST_PICTURE = 70.0
_FEW = 2
"""Pictures that leave room for the texts in a narrow plot."""


@dataclass(frozen=True, slots=True)
class FilterRow:
    """A filter as the plot shows it.

    Parameters
    ----------
    name : str
        What it responds to.
    place : str
        Its layer and index.
    tags : str
        The classes that tag it.
    pictures : tuple of bytes
        PNG or JPEG files.
    """

    name: str
    place: str
    tags: str
    pictures: tuple[bytes, ...] = ()


def filter_rows_plot(rows: Sequence[FilterRow], *, width: int = WIDE) -> Plot | None:
    """Draw a row for each filter: its name, where it is, its tags, and its pictures.

    Parameters
    ----------
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None without filters.
    """
    if not rows:
        return None
    most = max(len(row.pictures) for row in rows)
    stacked = is_narrow(width) and most > _FEW
    room = width if stacked else (1 - _LEAST_TEXT) * width
    side = min(_MOST_PICTURE, (room + _PICTURE_GAP) / most - _PICTURE_GAP) if most else 0.0
    picture_left = 0.0 if stacked else width - most * (side + _PICTURE_GAP) + _PICTURE_GAP
    text_right = width if stacked or not most else picture_left - _TEXT_GAP
    lines = [_wrapped(row.tags, text_right) for row in rows]
    heights = [_height(row, len(tags), side, stacked=stacked) for row, tags in zip(rows, lines, strict=True)]
    canvas = Canvas("filter-rows", width, sum(heights) + (len(rows) - 1) * _GAP)
    top = 0.0
    for index, (row, tags, height) in enumerate(zip(rows, lines, heights, strict=True)):
        if index:
            canvas.line((0, width), (top - _GAP / 2, top - _GAP / 2), "line", width=0.8)
        place = fitted(row.place, 0.55 * text_right, CAPTION)
        name_room = text_right - text_width(place, CAPTION) - 10
        # Bold letters are wider.
        canvas.text(0, top + _LINE / 2, fitted(row.name, name_room / 1.12), bold=True)
        canvas.caption(text_right, top + _LINE / 2, place, anchor="end")
        for number, line in enumerate(tags, start=1):
            canvas.text(0, top + (number + 0.5) * _LINE, line, size=CAPTION)
        picture_top = top + (1 + len(tags)) * _LINE + 4 if stacked else top
        for number, picture in enumerate(row.pictures):
            canvas.picture(picture_left + number * (side + _PICTURE_GAP), picture_top, side, side, picture)
        top += height + _GAP
    shown = "; ".join(f"{row.name} ({row.place}): {row.tags}" for row in rows)
    return canvas.plot("Filters and their tags", f"Filters with the classes that tag them: {shown}.")


def _height(row: FilterRow, n_lines: int, side: float, *, stacked: bool) -> float:
    text = (1 + n_lines) * _LINE
    if not row.pictures:
        return text
    return text + 4 + side if stacked else max(text, side)


def _wrapped(text: str, width: float, *, most: int = 2) -> list[str]:
    """Return a text on lines of a width, the last one cut if there is more."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most - 1:
        n_words = 1
        while n_words < len(words) and text_width(" ".join(words[: n_words + 1]), CAPTION) <= width:
            n_words += 1
        lines.append(fitted(" ".join(words[:n_words]), width, CAPTION))
        words = words[n_words:]
    if words:
        lines.append(fitted(" ".join(words), width, CAPTION))
    return lines
