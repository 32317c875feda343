"""The share of coherent filters by layer, with its interval, in front of the share of filters that have a tag."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.report.grouping import LayerShare
from filtag_kg.report.plots.canvas import CAPTION, Canvas, text_width
from filtag_kg.report.plots.layer_axis import draw_layer_axis, layer_axis_height, layer_positions
from filtag_kg.report.plots.percent_axis import draw_percent_axis
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE

# Sizes in pixels.
_LEFT = 52
_HEIGHT = 240
_MOST_COLUMN = 26.0
_DOT = 4.6
_KEY_Y, _KEY_LINE = 14, 24
_KEY_GAP = 20
"""Between a mark and its name."""
_KEY_SPACING = 28
"""Between one name and the next mark."""

_TAGGED = "marked by a class, of all filters"
_COHERENT = "with a clear theme, of those that several mark, with 95 % interval"
_COHERENT_SHORT = "clear theme, of those with several"


def layer_share_plot(layers: Sequence[LayerShare], *, too_few: str = "", width: int = WIDE) -> Plot | None:
    """Draw a point with Wilson's interval for each layer, over a quiet bar of the filters that have a tag.

    Parameters
    ----------
    layers : sequence of LayerShare
        In forward order.
    too_few : str
        What the key says in place of points, where there are too few classes for any filter to be coherent.
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None where no filter has two tags. A layer without such a filter has a bar alone.
    """
    if not any(row.coherent.total for row in layers):
        return None
    names = [row.layer for row in layers]
    one_line = text_width(_TAGGED, CAPTION) + text_width(_COHERENT, CAPTION) + 100 < width
    top = 46 if one_line else 68
    bottom = top + _HEIGHT
    canvas = Canvas("layer-share", width, bottom + 8 + layer_axis_height(names))
    _draw_key(canvas, too_few, one_line=one_line)
    draw_percent_axis(canvas, (_LEFT, width), (top, bottom))
    x = layer_positions(len(layers), _LEFT, width)
    column = min(_MOST_COLUMN, (width - _LEFT) / len(layers) * 0.7)

    def y_of(share: float) -> float:
        return bottom - share * _HEIGHT

    for row_x, row in zip(x, layers, strict=True):
        tagged_y = y_of(row.tagged / row.filters if row.filters else 0.0)
        title = f"{row.layer}: {row.tagged:,} of {row.filters:,} filters are marked"
        canvas.rect(row_x - column / 2, tagged_y, column, bottom - tagged_y, "far", alpha=0.6, title=title)
    shares = []
    for row_x, row in zip(x, layers, strict=True):
        value, low, high = row.coherent.value, row.coherent.low, row.coherent.high
        if too_few or value is None or low is None or high is None:
            continue
        canvas.line((row_x, row_x), (y_of(low), y_of(high)), "same", width=min(2.2, column / 3))
        title = (
            f"{row.layer}: {row.coherent.count:,} of {row.coherent.total:,} have a clear theme, {100 * value:.1f} % "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
        )
        canvas.circle(row_x, y_of(value), min(_DOT, max(2.2, column / 2)), "same", title=title)
        shares.append(f"{row.layer} {100 * value:.0f} %")
    draw_layer_axis(canvas, names, x, bottom)
    if too_few:
        return canvas.plot(
            "Share of marked filters by layer", f"Bars of the marked filters. With a clear theme: {too_few}."
        )
    return canvas.plot(
        "Share of filters with a clear theme, by layer",
        "Of the filters that several classes mark, with 95 % intervals, and behind it the marked filters: "
        f"{', '.join(shares)}.",
    )


def _draw_key(canvas: Canvas, too_few: str, *, one_line: bool) -> None:
    if not too_few:
        canvas.line((_LEFT + 6, _LEFT + 6), (_KEY_Y - 9, _KEY_Y + 9), "same", width=2.2)
        canvas.circle(_LEFT + 6, _KEY_Y, _DOT, "same")
    coherent = too_few or (_COHERENT if one_line else _COHERENT_SHORT)
    canvas.caption(_LEFT + _KEY_GAP, _KEY_Y, coherent)
    x, y = float(_LEFT), _KEY_Y + _KEY_LINE
    if one_line:
        x, y = _LEFT + _KEY_GAP + text_width(coherent, CAPTION) + _KEY_SPACING, _KEY_Y
    canvas.rect(x, y - 6, 12, 12, "far", alpha=0.8)
    canvas.caption(x + _KEY_GAP, y, _TAGGED)
