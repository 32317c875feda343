"""The confusion between concepts: what kinds of things a network takes for what, of its mistakes on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from filtag_kg.explain import Confusion, Group
from filtag_kg.report.plots.canvas import Canvas, fitted, text_width
from filtag_kg.report.plots.style import NARROW, WIDE, Colour

__all__ = ["ConfusedKind", "confused_kinds", "confusion_plot"]

_ROW = 34
_LEAST_COLUMN = 27
_MOST_LABEL = 150.0
_TILT = 45
_SIN = 0.7072
_OTHERS = "others"
_TAKEN_FOR = "taken for →"


@dataclass(frozen=True, slots=True)
class ConfusedKind:
    """A kind of thing, and what it was taken for.

    Parameters
    ----------
    kind : Group
    mistakes : int
        On things of that kind.
    taken_for : tuple of int, of length n_kinds
        How often for each of the kinds shown, in their order; the other mistakes are with other kinds.
    """

    kind: Group
    mistakes: int
    taken_for: tuple[int, ...]


def confused_kinds(confusions: Sequence[Confusion], *, most: int = 12) -> list[ConfusedKind]:
    """Return the kinds with most mistakes, those first; equals by label and concept."""
    labels: dict[str, str] = {}
    mistakes: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for row in confusions:
        labels[row.true_concept] = row.true_label
        mistakes[row.true_concept] += row.mistakes
        pairs[row.true_concept, row.predicted_concept] += row.mistakes
    shown = sorted(labels, key=lambda concept: (-mistakes[concept], labels[concept], concept))[:most]
    return [
        ConfusedKind(Group(true, labels[true]), mistakes[true], tuple(pairs[true, taken] for taken in shown))
        for true in shown
    ]


def confusion_plot(confusions: Sequence[Confusion], *, most: int = 12, width: int = WIDE) -> str | None:
    """Draw a row for each of the kinds with most mistakes, and a column for each that they were taken for.

    A cell says what share of the row's mistakes it has, in per cent; one below 1 % is left empty. Mistakes within a
    kind, a dog taken for another dog, are on the diagonal and in the colour of agreement.

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
    str or None
        SVG; None without mistakes.
    """
    most_label = min(_MOST_LABEL, 0.26 * width)
    narrow = width < 1.5 * NARROW
    beside = 44 if narrow else 70
    fit = int((width - most_label - 14 - beside) / _LEAST_COLUMN) - 1
    rows = confused_kinds(confusions, most=max(2, min(most, fit)))
    if not rows:
        return None
    labels = [fitted(row.kind.label, most_label) for row in rows]
    left = max(text_width(label) for label in [*labels, _TAKEN_FOR]) + 14
    # The last column is that of other kinds.
    column = min(72.0, (width - beside - left) / (len(rows) + 1))
    over = max(text_width(label) for label in [*labels, _OTHERS]) * _SIN
    top = over + 22
    right = left + column * (len(rows) + 1)
    canvas = Canvas("confusion", max(right + beside, right - column / 2 + over + 12), top + _ROW * len(rows) + 4)
    for place, label in enumerate([*labels, _OTHERS]):
        x = left + column * (place + 0.5)
        colour: Colour = "quiet" if place == len(rows) else "ink"
        canvas.text(x - 2, top - 10, label, colour=colour, rotation=-_TILT)
    canvas.text(left - 14, top - 12, _TAKEN_FOR, colour="quiet", size=12, anchor="end")
    canvas.text(right + 10, top - 12, "of" if narrow else "mistakes", colour="quiet", size=12)
    for place, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + _ROW * place
        canvas.text(left - 14, y + _ROW / 2, label, anchor="end")
        taken_for = [*row.taken_for, row.mistakes - sum(row.taken_for)]
        for other, mistakes in enumerate(taken_for):
            hue: Colour = "same" if other == place else "slate" if other == len(rows) else "predicted"
            taken = "another kind" if other == len(rows) else rows[other].kind.label
            title = f"{row.kind.label} taken for {taken}: {mistakes:,} of {row.mistakes:,} mistakes"
            _draw_cell(canvas, left + column * other, y, column, mistakes / row.mistakes, hue, title)
        canvas.text(right + 10, y + _ROW / 2, f"{row.mistakes:,}", colour="quiet", size=12)
    said = ", ".join(
        f"{row.kind.label} for {row.kind.label} {100 * row.taken_for[place] / row.mistakes:.0f} %"
        for place, row in enumerate(rows)
    )
    return canvas.svg(
        "What was taken for what",
        f"Of the mistakes on each kind of thing, the share with each kind, in per cent. Within the kind: {said}.",
    )


def _draw_cell(canvas: Canvas, x: float, y: float, column: float, share: float, colour: Colour, title: str) -> None:
    canvas.rect(x + 1, y + 1, column - 2, _ROW - 2, "line", alpha=0.45)
    if share:
        # Never so dark that ink is hard to read on it, on light paper or on dark.
        canvas.rect(x + 1, y + 1, column - 2, _ROW - 2, colour, alpha=0.08 + 0.47 * share, title=title)
    if share >= 0.01:
        canvas.text(x + column / 2, y + _ROW / 2, f"{100 * share:.0f}", size=12, anchor="middle")
