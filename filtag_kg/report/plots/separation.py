"""Separation by depth: how well each layer tells the classes of a concept from the others, a panel a concept."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.report.plots.canvas import Canvas, fitted
from filtag_kg.report.plots.layer_axis import layer_positions
from filtag_kg.report.plots.style import NARROW, WIDE

__all__ = ["separation_plot"]

_TITLE = 24
_HEIGHT = 92
_BELOW = 42
_LEFT = 34
_GAP = 26
_KEY = 30
_LOWEST = 0.3
_SIZE = 11.5


def separation_plot(panels: Sequence[Sequence[ConceptInLayer]], *, width: int = WIDE) -> str | None:
    """Draw the separation of concepts from the first layer to the last, with its interval, over the line of chance.

    Parameters
    ----------
    panels : sequence of sequence of ConceptInLayer
        Of each concept, its layers in forward order.
    width : int
        In pixels.

    Returns
    -------
    str or None
        SVG; None where no separation is known, and for a layer alone, which has no depth.
    """
    panels = [rows for rows in panels if len(rows) > 1 and any(row.separation is not None for row in rows)]
    if not panels:
        return None
    across = min(len(panels), 2 if width <= NARROW else 4)
    pitch = (width + _GAP) / across
    tall = _TITLE + _HEIGHT + _BELOW
    down = -(-len(panels) // across)
    canvas = Canvas("separation", width, _KEY + down * tall)
    canvas.line((0, 14), (12, 12), "quiet", width=1.2)
    canvas.text(20, 12, "chance, 0.5", colour="quiet", size=12)
    for place, rows in enumerate(panels):
        row, column = divmod(place, across)
        left = column * pitch
        _draw_panel(canvas, rows, (left + _LEFT, left + pitch - _GAP), _KEY + row * tall, named=left)
    ends = ", ".join(f"{rows[0].label} {_said(rows[0])} to {_said(rows[-1])}" for rows in panels)
    return canvas.svg(
        "Separation by depth",
        "For each concept the chance that one of its classes is more like another of them than like a class outside, "
        f"from the first layer to the last: {ends}.",
    )


def _draw_panel(
    canvas: Canvas, rows: Sequence[ConceptInLayer], edges: tuple[float, float], top: float, *, named: float
) -> None:
    bottom = top + _TITLE + _HEIGHT

    def y(value: float) -> float:
        return bottom - _HEIGHT * (max(value, _LOWEST) - _LOWEST) / (1 - _LOWEST)

    canvas.text(named, top + 8, fitted(rows[0].label, edges[1] - named))
    for value in (0.5, 1.0):
        chance = value != 1
        canvas.line(edges, (y(value), y(value)), "quiet" if chance else "line", width=1.2 if chance else 0.8)
        canvas.text(edges[0] - 6, y(value), f"{value:g}", colour="quiet", size=_SIZE, anchor="end")
    x = layer_positions(len(rows), *edges)
    known = [(at, row, row.separation) for at, row in zip(x, rows, strict=True) if row.separation is not None]
    pitch = x[1] - x[0]
    for at, row, _ in known:
        if row.low is not None and row.high is not None:
            canvas.line((at, at), (y(row.low), y(row.high)), "near", width=min(5.0, 0.6 * pitch))
    canvas.line([at for at, _, _ in known], [y(value) for _, _, value in known], "same", width=1.4)
    for at, row, value in known:
        interval = "" if row.low is None else f" (95 % interval {row.low:.2f} to {row.high:.2f})"
        title = f"{row.label} in {row.layer}: {value:.2f}{interval}"
        canvas.circle(at, y(value), min(3.0, max(1.6, 0.3 * pitch)), "same", title=title)
    room = (edges[1] - edges[0]) / 2 - 4
    canvas.text(edges[0], bottom + 14, fitted(rows[0].layer, room, _SIZE), colour="quiet", size=_SIZE)
    canvas.text(edges[1], bottom + 14, fitted(rows[-1].layer, room, _SIZE), colour="quiet", size=_SIZE, anchor="end")


def _said(row: ConceptInLayer) -> str:
    return "–" if row.separation is None else f"{row.separation:.2f}"
