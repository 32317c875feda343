"""Concept emergence by depth: in which layers coherent filters have a concept in common, from the first on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots.canvas import Canvas, fitted, text_width
from filtag_kg.report.plots.layer_axis import draw_layer_axis, layer_axis_height, layer_positions
from filtag_kg.report.plots.style import WIDE

__all__ = ["EmergingConcept", "emergence_plot", "emerging_concepts"]

_ROW = 29
_TOP = 46
_TOTALS = 46
_LARGEST = 12.0
_SMALLEST = 1.9
# Filters that fill a dot at least: where no layer has more than one, dots stay small.
_FULL = 8
# Of hundreds of dots the titles would be most of the file.
_MOST_TITLES = 600


@dataclass(frozen=True, slots=True)
class EmergingConcept:
    """A concept, and how many coherent filters of each layer have it first in common.

    Parameters
    ----------
    concept, label : str
    filters : tuple of int, of length n_layers
    """

    concept: str
    label: str
    filters: tuple[int, ...]

    @property
    def first(self) -> int:
        """The place of the first layer that has such a filter."""
        return next(place for place, count in enumerate(self.filters) if count)


def emerging_concepts(grouped: GroupedRun, *, most: int = 15) -> list[EmergingConcept]:
    """Return the concepts with most coherent filters, by first layer; equals by number of filters, then by label."""
    labels: dict[str, str] = {}
    counts: dict[str, Counter[str]] = {}
    for group in grouped.groups["IsA"]:
        labels[group.concept] = group.label
        counts.setdefault(group.concept, Counter())[group.layer.name] += len(group.filters)
    found = [
        EmergingConcept(concept, labels[concept], tuple(count[layer.name] for layer in grouped.run.layers))
        for concept, count in counts.items()
    ]
    frequent = sorted(found, key=lambda row: (-sum(row.filters), row.label, row.concept))[:most]
    return sorted(frequent, key=lambda row: (row.first, -sum(row.filters), row.label, row.concept))


def emergence_plot(grouped: GroupedRun, *, most: int = 15, width: int = WIDE) -> str | None:
    """Draw a row for each concept and a dot for each layer that has it, as large as its filters are many.

    Parameters
    ----------
    grouped : GroupedRun
    most : int
        Concepts shown: those with most filters.
    width : int
        In pixels.

    Returns
    -------
    str or None
        SVG; None without a coherent filter, and for a layer alone, which has no depth.
    """
    rows, layers = emerging_concepts(grouped, most=most), grouped.run.layers
    if not rows or len(layers) < 2:
        return None
    names = [layer.name for layer in layers]
    most_label = 0.3 * width
    left = min(most_label, max(text_width(row.label) for row in rows)) + 14
    right = width - _TOTALS
    bottom = _TOP + _ROW * len(rows)
    canvas = Canvas("emergence", width, bottom + 8 + layer_axis_height(names))
    x = layer_positions(len(layers), left, right)
    largest = max(max(row.filters) for row in rows)
    top_radius = min(_LARGEST, max(6.0, 0.62 * (x[1] - x[0])))

    def radius(filters: int) -> float:
        return max(_SMALLEST, top_radius * math.sqrt(filters / max(largest, _FULL)))

    dots = sum(1 for row in rows for filters in row.filters if filters)
    _draw_key(canvas, largest, radius, right)
    canvas.text(width, 14, "in all", colour="quiet", size=12, anchor="end")
    for place in draw_layer_axis(canvas, names, x, bottom):
        canvas.line((x[place], x[place]), (_TOP - 6, bottom), "line", width=0.8)
    for place, row in enumerate(rows):
        y = _TOP + _ROW * (place + 0.5)
        canvas.text(left - 14, y, fitted(row.label, most_label), anchor="end")
        canvas.line((x[row.first], right), (y, y), "far", width=1.2)
        for at, filters in enumerate(row.filters):
            if filters:
                said = f"{row.label} in {names[at]}: {filters:,} {'filter' if filters == 1 else 'filters'}"
                title = said if dots <= _MOST_TITLES else None
                canvas.circle(x[at], y, radius(filters), "same", alpha=0.88, title=title)
        canvas.text(width, y, f"{sum(row.filters):,}", colour="quiet", anchor="end")
    firsts = ", ".join(f"{row.label} from {names[row.first]} on ({sum(row.filters):,})" for row in rows)
    return canvas.svg(
        "Concept emergence by depth",
        f"For each concept the layer in which coherent filters first have it in common, and their number: {firsts}.",
    )


def _draw_key(canvas: Canvas, largest: int, radius: Callable[[int], float], right: float) -> None:
    """Show how large a dot one filter is, the largest, and one between."""
    between = max(1, round(largest / 4))
    x = right - 8.0
    word = "filter" if largest == 1 else "filters"
    canvas.text(x, 14, word, colour="quiet", size=12, anchor="end")
    x -= text_width(word, 12) + 8
    for filters in sorted({1, between, largest}, reverse=True):
        canvas.text(x, 14, f"{filters:,}", colour="quiet", size=12, anchor="end")
        x -= text_width(f"{filters:,}", 12) + 5 + radius(filters)
        canvas.circle(x, 14, radius(filters), "same", alpha=0.88)
        x -= radius(filters) + 12
