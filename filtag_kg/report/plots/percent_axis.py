"""Per cent from 0 upwards along the left of a plot, with quiet lines across."""

from __future__ import annotations

from filtag_kg.report.plots.canvas import Canvas


def draw_percent_axis(
    canvas: Canvas, x: tuple[float, float], y: tuple[float, float], *, most: int = 100, step: int = 25
) -> None:
    """Draw lines from x[0] to x[1], `most` per cent at y[0] and 0 at y[1], with numbers to the left of them."""
    top, bottom = y
    for percent in range(0, most + 1, step):
        line_y = bottom - (bottom - top) * percent / most
        canvas.line(x, (line_y, line_y), "quiet" if percent == 0 else "line", width=0.8)
        sign = " %" if percent + step > most else ""
        canvas.caption(x[0] - 8, line_y, f"{percent}{sign}", anchor="end")
