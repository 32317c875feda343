"""The confusion between concepts: what kinds of things a network takes for what, of the images it misclassifies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from filtag_kg.explain import Confusion, Group
from filtag_kg.report.plots.canvas import CAPTION, Canvas, fitted, text_width
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE, Colour, is_narrow

_OTHERS = "others"
_TAKEN_FOR = "taken for →"

# Sizes in pixels.
_ROW = 34.0
_LEAST_COLUMN, _MOST_COLUMN = 27.0, 72.0
_CELL_MARGIN = 1.0
_MOST_LABEL = 150.0
_MOST_LABEL_SHARE = 0.26
"""Of the plot's width."""
_LABEL_GAP = 14.0
"""Between the labels of rows and their cells."""
_TOTALS, _TOTALS_NARROW = 70.0, 44.0
"""The column of numbers right of the cells, and its width on a phone."""
_TOTALS_GAP = 10.0
_HEAD_GAP = 22.0
"""Between the highest letter of the tilted labels and the edge, and the cells below them."""
_EDGE = 12.0

_TILT = 45
"""Degrees by which labels of columns rise."""
_RISE = math.sin(math.radians(_TILT))
_LEAST_SHOWN = 0.01
"""A smaller share is not written into its cell."""
# Ink must stay readable on the darkest cell, on light paper and on dark.
_LIGHTEST, _DARKEST = 0.08, 0.55


@dataclass(frozen=True, slots=True)
class ConfusedKind:
    """A kind of thing, and what it was taken for.

    Parameters
    ----------
    images : int
        Misclassified images of that kind.
    taken_for : tuple of int, of length n_kinds
        How many were taken for each of the kinds shown, in their order; the others were taken for other kinds.
    """

    kind: Group
    images: int
    taken_for: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    column: int
    share: float
    colour: Colour
    title: str


def confused_kinds(confusions: Sequence[Confusion], *, most: int = 12) -> list[ConfusedKind]:
    """Return the kinds with most misclassified images, those first; equals by label and concept."""
    labels: dict[str, str] = {}
    images: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for row in confusions:
        labels[row.true_concept] = row.true_label
        images[row.true_concept] += row.mistakes
        pairs[row.true_concept, row.predicted_concept] += row.mistakes
    shown = sorted(labels, key=lambda concept: (-images[concept], labels[concept], concept))[:most]
    return [
        ConfusedKind(Group(true, labels[true]), images[true], tuple(pairs[true, taken] for taken in shown))
        for true in shown
    ]


def confusion_plot(confusions: Sequence[Confusion], *, most: int = 12, width: int = WIDE) -> Plot | None:
    """Draw a row for each of the most misclassified kinds, and a column for each kind they were taken for.

    A cell has its share of the row's misclassified images in per cent; below 1 % it stays empty. Confusion within a
    kind, such as a dog taken for another dog, is on the diagonal, in the colour of agreement.

    Parameters
    ----------
    confusions : sequence of Confusion
        All of an analysis.
    most : int
        Kinds shown at most; fewer where the plot is narrow.
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None without misclassified images.
    """
    most_label = min(_MOST_LABEL, _MOST_LABEL_SHARE * width)
    totals = _TOTALS_NARROW if is_narrow(width) else _TOTALS
    # One column is that of other kinds.
    fit = int((width - most_label - _LABEL_GAP - totals) / _LEAST_COLUMN) - 1
    rows = confused_kinds(confusions, most=max(2, min(most, fit)))
    if not rows:
        return None
    labels = [fitted(row.kind.label, most_label) for row in rows]
    left = max(text_width(label) for label in [*labels, _TAKEN_FOR]) + _LABEL_GAP
    column = min(_MOST_COLUMN, (width - totals - left) / (len(rows) + 1))
    right = left + column * (len(rows) + 1)
    rise = max(text_width(label) for label in [*labels, _OTHERS]) * _RISE
    top = rise + _HEAD_GAP
    # The last label leans out over the edge of the cells.
    canvas_width = max(right + totals, right - column / 2 + rise + _EDGE)
    canvas = Canvas("confusion", canvas_width, top + _ROW * len(rows) + 4)
    for index, label in enumerate([*labels, _OTHERS]):
        colour: Colour = "quiet" if index == len(rows) else "ink"
        canvas.text(left + column * (index + 0.5) - 2, top - 10, label, colour=colour, rotation=-_TILT)
    canvas.caption(left - _LABEL_GAP, top - 12, _TAKEN_FOR, anchor="end")
    canvas.caption(right + _TOTALS_GAP, top - 12, "of" if is_narrow(width) else "images")
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + _ROW * index
        canvas.text(left - _LABEL_GAP, y + _ROW / 2, label, anchor="end")
        for cell in _cells(rows, index):
            _draw_cell(canvas, cell, left + column * cell.column, y, column)
        canvas.caption(right + _TOTALS_GAP, y + _ROW / 2, f"{row.images:,}")
    within = ", ".join(
        f"{row.kind.label} for {row.kind.label} {100 * row.taken_for[index] / row.images:.0f} %"
        for index, row in enumerate(rows)
    )
    return canvas.plot(
        "What was taken for what",
        "Of the misclassified images of each kind of thing, the share taken for each kind, in per cent. Within the "
        f"kind: {within}.",
    )


def _cells(rows: Sequence[ConfusedKind], row_index: int) -> Iterator[_Cell]:
    """Yield the cells of a row: the kinds shown, then all others together."""
    row = rows[row_index]
    others = row.images - sum(row.taken_for)
    columns: list[tuple[str, int, Colour]] = [
        (kind.kind.label, images, "same" if index == row_index else "predicted")
        for index, (kind, images) in enumerate(zip(rows, row.taken_for, strict=True))
    ]
    for column, (label, images, colour) in enumerate([*columns, ("another kind", others, "slate")]):
        title = f"{row.kind.label} taken for {label}: {images:,} of {row.images:,} misclassified"
        yield _Cell(column, images / row.images, colour, title)


def _draw_cell(canvas: Canvas, cell: _Cell, x: float, y: float, column: float) -> None:
    box = (x + _CELL_MARGIN, y + _CELL_MARGIN, column - 2 * _CELL_MARGIN, _ROW - 2 * _CELL_MARGIN)
    canvas.rect(*box, "line", alpha=0.45)
    if cell.share:
        alpha = _LIGHTEST + (_DARKEST - _LIGHTEST) * cell.share
        canvas.rect(*box, cell.colour, alpha=alpha, title=cell.title)
    if cell.share >= _LEAST_SHOWN:
        canvas.text(x + column / 2, y + _ROW / 2, f"{100 * cell.share:.0f}", size=CAPTION, anchor="middle")
