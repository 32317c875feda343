"""The layers of a network along the bottom of a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from filtag_kg.report.plots.canvas import Canvas, fitted, text_width

_TILT = 40
_SIZE = 11.5
_MOST_WIDTH = 120.0
_LEAST_PITCH = 19.0


def layer_positions(n_layers: int, left: float, right: float) -> list[float]:
    """Return the x of each layer between two edges, each in the middle of its column."""
    pitch = (right - left) / n_layers
    return [left + pitch * (index + 0.5) for index in range(n_layers)]


def layer_axis_height(names: Sequence[str]) -> float:
    """Return how many pixels the names take below the axis."""
    longest = max(text_width(_short(name), _SIZE) for name in names)
    return 20 + longest * math.sin(math.radians(_TILT))


def draw_layer_axis(canvas: Canvas, names: Sequence[str], x: Sequence[float], y: float) -> list[int]:
    """Write as many names as there is room for, always the first and the last; return the indices of those written."""
    pitch = x[1] - x[0] if len(x) > 1 else _LEAST_PITCH
    step = max(1, math.ceil(_LEAST_PITCH / pitch))
    last = len(names) - 1
    written = [index for index in range(0, last, step) if last - index >= step] + [last]
    for index in written:
        canvas.line((x[index], x[index]), (y, y + 4), "quiet", width=0.8)
        name = _short(names[index])
        canvas.text(x[index] + 1, y + 11, name, colour="quiet", size=_SIZE, anchor="end", rotation=-_TILT)
    return written


def _short(name: str) -> str:
    return fitted(name, _MOST_WIDTH, _SIZE)
