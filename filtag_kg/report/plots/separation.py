"""Separation by depth: how well each layer tells the classes of a concept from the others, a panel a concept."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.report.plots.canvas import Canvas, fitted
from filtag_kg.report.plots.layer_axis import layer_positions
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE, Colour, is_narrow

# Sizes in pixels.
_KEY = 30
_KEY_Y = 12
_TITLE = 24
_HEIGHT = 92
_FOOT = 42
_LEFT = 34
_GAP = 26
_SIZE = 11.5

_LOWEST, _CHANCE, _HIGHEST = 0.3, 0.5, 1.0
"""Separation at the bottom of a panel, at the line of chance and at the top."""


def separation_plot(panels: Sequence[Sequence[ConceptInLayer]], *, width: int = WIDE) -> Plot | None:
    """Draw the separation of concepts from the first layer to the last, with its interval and a line for chance.

    Parameters
    ----------
    panels : sequence of sequence of ConceptInLayer
        The layers of each concept, in forward order.
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None where no separation is known, and for a layer alone, which has no depth.
    """
    panels = [rows for rows in panels if len(rows) > 1 and any(row.separation is not None for row in rows)]
    if not panels:
        return None
    n_columns = min(len(panels), 2 if is_narrow(width) else 4)
    n_rows = -(-len(panels) // n_columns)
    pitch = (width + _GAP) / n_columns
    panel_height = _TITLE + _HEIGHT + _FOOT
    canvas = Canvas("separation", width, _KEY + n_rows * panel_height)
    canvas.line((0, 14), (_KEY_Y, _KEY_Y), "quiet", width=1.2)
    canvas.caption(20, _KEY_Y, "chance, 0.5")
    for index, rows in enumerate(panels):
        row, column = divmod(index, n_columns)
        _draw_panel(canvas, rows, (column * pitch, (column + 1) * pitch - _GAP), _KEY + row * panel_height)
    ends = ", ".join(f"{rows[0].label} {_separation(rows[0])} to {_separation(rows[-1])}" for rows in panels)
    return canvas.plot(
        "Separation by depth",
        "For each concept the chance that one of its classes is more like another of them than like a class outside, "
        f"from the first layer to the last: {ends}.",
    )


def _draw_panel(canvas: Canvas, rows: Sequence[ConceptInLayer], x: tuple[float, float], top: float) -> None:
    left, right = x[0] + _LEFT, x[1]
    bottom = top + _TITLE + _HEIGHT

    def y_of(separation: float) -> float:
        return bottom - _HEIGHT * (max(separation, _LOWEST) - _LOWEST) / (_HIGHEST - _LOWEST)

    canvas.text(x[0], top + 8, fitted(rows[0].label, right - x[0]))
    lines: tuple[tuple[float, Colour, float], ...] = ((_CHANCE, "quiet", 1.2), (_HIGHEST, "line", 0.8))
    for value, colour, line_width in lines:
        canvas.line((left, right), (y_of(value), y_of(value)), colour, width=line_width)
        canvas.caption(left - 6, y_of(value), f"{value:g}", size=_SIZE, anchor="end")
    layer_x = layer_positions(len(rows), left, right)
    in_order = zip(layer_x, rows, strict=True)
    known = [(row_x, row, row.separation) for row_x, row in in_order if row.separation is not None]
    pitch = layer_x[1] - layer_x[0]
    for row_x, row, _ in known:
        if row.low is not None and row.high is not None:
            canvas.line((row_x, row_x), (y_of(row.low), y_of(row.high)), "near", width=min(5.0, 0.6 * pitch))
    canvas.line([row_x for row_x, _, _ in known], [y_of(value) for _, _, value in known], "same", width=1.4)
    for row_x, row, value in known:
        interval = "" if row.low is None else f" (95 % interval {row.low:.2f} to {row.high:.2f})"
        title = f"{row.label} in {row.layer}: {value:.2f}{interval}"
        canvas.circle(row_x, y_of(value), min(3.0, max(1.6, 0.3 * pitch)), "same", title=title)
    room = (right - left) / 2 - 4
    canvas.caption(left, bottom + 14, fitted(rows[0].layer, room, _SIZE), size=_SIZE)
    canvas.caption(right, bottom + 14, fitted(rows[-1].layer, room, _SIZE), size=_SIZE, anchor="end")


def _separation(row: ConceptInLayer) -> str:
    return "–" if row.separation is None else f"{row.separation:.2f}"
