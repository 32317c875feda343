"""Concept emergence by depth: in which layers coherent filters stand for a concept, from the first on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots.canvas import CAPTION, Canvas, fitted, text_width
from filtag_kg.report.plots.layer_axis import draw_layer_axis, layer_axis_height, layer_positions
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE
from filtag_kg.report.tables import count_text

# Sizes in pixels.
_ROW = 29
_TOP = 46
_TOTALS = 46
_LABEL_GAP = 14
_KEY_Y = 14
_SMALLEST_DOT, _LARGEST_DOT = 1.9, 12.0

_LEAST_OF_LARGEST_DOT = 8
"""Filters that the largest dot stands for at least: where no layer has more than one, all dots stay small."""
_MOST_TITLES = 600
"""With more dots, their titles would be most of the file."""


@dataclass(frozen=True, slots=True)
class EmergingConcept:
    """A concept, and how many coherent filters of each layer stand for it.

    Parameters
    ----------
    filters : tuple of int, of length n_layers
    """

    concept: str
    label: str
    filters: tuple[int, ...]

    @property
    def first(self) -> int:
        """The index of the first layer that has such a filter."""
        return next(layer for layer, count in enumerate(self.filters) if count)

    @property
    def total(self) -> int:
        """Such filters in all layers."""
        return sum(self.filters)


def emerging_concepts(grouped: GroupedRun, *, most: int = 15) -> list[EmergingConcept]:
    """Return the concepts with most coherent filters, by first layer; equals by number of filters, then by label."""
    filters = {(group.concept, group.layer): len(group.filters) for group in grouped.kind_groups}
    concepts = [
        EmergingConcept(concept, label, tuple(filters.get((concept, row.layer), 0) for row in grouped.layers))
        for concept, label, _ in grouped.kinds[:most]
    ]
    return sorted(concepts, key=lambda row: (row.first, -row.total, row.label, row.concept))


def emergence_plot(grouped: GroupedRun, *, most: int = 15, width: int = WIDE) -> Plot | None:
    """Draw a row for each concept and a dot for each layer that has it; the dot's area shows how many filters.

    Parameters
    ----------
    most : int
        Concepts shown at most: those with most filters.
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None without a coherent filter, and for a layer alone, which has no depth.
    """
    rows, names = emerging_concepts(grouped, most=most), [row.layer for row in grouped.layers]
    if not rows or len(names) < 2:
        return None
    most_label = 0.3 * width
    left = min(most_label, max(text_width(row.label) for row in rows)) + _LABEL_GAP
    right = width - _TOTALS
    bottom = _TOP + _ROW * len(rows)
    canvas = Canvas("emergence", width, bottom + 8 + layer_axis_height(names))
    x = layer_positions(len(names), left, right)
    largest = max(max(row.filters) for row in rows)
    largest_radius = min(_LARGEST_DOT, max(6.0, 0.62 * (x[1] - x[0])))

    def radius(filters: int) -> float:
        return max(_SMALLEST_DOT, largest_radius * math.sqrt(filters / max(largest, _LEAST_OF_LARGEST_DOT)))

    _draw_key(canvas, largest, radius, right)
    canvas.caption(width, _KEY_Y, "in all", anchor="end")
    for layer in draw_layer_axis(canvas, names, x, bottom):
        canvas.line((x[layer], x[layer]), (_TOP - 6, bottom), "line", width=0.8)
    n_dots = sum(1 for row in rows for filters in row.filters if filters)
    for index, row in enumerate(rows):
        y = _TOP + _ROW * (index + 0.5)
        canvas.text(left - _LABEL_GAP, y, fitted(row.label, most_label), anchor="end")
        canvas.line((x[row.first], right), (y, y), "far", width=1.2)
        for name, dot_x, filters in zip(names, x, row.filters, strict=True):
            if filters:
                title = f"{row.label} in {name}: {count_text(filters, 'filter')}" if n_dots <= _MOST_TITLES else None
                canvas.circle(dot_x, y, radius(filters), "same", alpha=0.88, title=title)
        canvas.text(width, y, f"{row.total:,}", colour="quiet", anchor="end")
    firsts = ", ".join(f"{row.label} from {names[row.first]} on ({row.total:,})" for row in rows)
    return canvas.plot(
        "Where filters have which theme",
        f"For each kind of thing the layer in which it is first a clear theme, and the number of filters: {firsts}.",
    )


def _draw_key(canvas: Canvas, largest: int, radius: Callable[[int], float], right: float) -> None:
    """Show the dots for one filter, for the largest number, and for one between, from the right."""
    x = right - 8.0
    word = "filter" if largest == 1 else "filters"
    canvas.caption(x, _KEY_Y, word, anchor="end")
    x -= text_width(word, CAPTION) + 8
    for filters in sorted({1, max(1, round(largest / 4)), largest}, reverse=True):
        number = f"{filters:,}"
        canvas.caption(x, _KEY_Y, number, anchor="end")
        x -= text_width(number, CAPTION) + 5 + radius(filters)
        canvas.circle(x, _KEY_Y, radius(filters), "same", alpha=0.88)
        x -= radius(filters) + 12
