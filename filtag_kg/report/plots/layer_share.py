"""The share of coherent filters by layer, with its interval, before the share of filters that have a tag at all."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.report.grouping import LayerShare
from filtag_kg.report.plots.canvas import Canvas, text_width
from filtag_kg.report.plots.layer_axis import draw_layer_axis, layer_axis_height, layer_positions
from filtag_kg.report.plots.percent_axis import draw_percent_axis
from filtag_kg.report.plots.style import WIDE

__all__ = ["layer_share_plot"]

_LEFT = 52
_HEIGHT = 240
_TAGGED, _COHERENT = "tagged, of all filters", "coherent, of those with two or more tags, with 95 % interval"
_COHERENT_SHORT = "coherent, of those with several tags"


def layer_share_plot(layers: Sequence[LayerShare], *, too_few: str = "", width: int = WIDE) -> str | None:
    """Draw a point with Wilson's interval for each layer, over a quiet bar of the filters that have a tag.

    Parameters
    ----------
    layers : sequence of LayerShare
        In forward order.
    too_few : str
        What to say instead of points, where classes are too few for any filter to be coherent.
    width : int
        In pixels.

    Returns
    -------
    str or None
        SVG; None where no filter has two tags, so that there is no share. A layer without such a filter has a bar
        alone.
    """
    if not any(row.coherent.total for row in layers):
        return None
    names = [row.layer.name for row in layers]
    wide = 40 + text_width(_TAGGED, 12) + text_width(_COHERENT, 12) + 60 < width
    top = 46 if wide else 68
    bottom = top + _HEIGHT
    canvas = Canvas("layer-share", width, bottom + 8 + layer_axis_height(names))
    _draw_key(canvas, wide, too_few)
    draw_percent_axis(canvas, (_LEFT, width), (top, bottom))
    x = layer_positions(len(layers), _LEFT, width)
    column = min(26.0, (width - _LEFT) / len(layers) * 0.7)

    def y(share: float) -> float:
        return bottom - share * _HEIGHT

    for at, row in zip(x, layers, strict=True):
        tagged = row.tagged / row.layer.filters if row.layer.filters else 0.0
        title = f"{row.layer.name}: {row.tagged:,} of {row.layer.filters:,} filters are tagged"
        canvas.rect(at - column / 2, y(tagged), column, bottom - y(tagged), "far", alpha=0.6, title=title)
    known = [
        (at, row.layer.name, row.coherent)
        for at, row in zip(x, layers, strict=True)
        if row.coherent.total and not too_few
    ]
    for at, name, share in known:
        low, high = share.low or 0.0, share.high or 0.0
        canvas.line((at, at), (y(low), y(high)), "same", width=min(2.2, column / 3))
        title = (
            f"{name}: {share.count:,} of {share.total:,} are coherent, {100 * (share.value or 0):.1f} % "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
        )
        canvas.circle(at, y(share.value or 0), min(4.6, max(2.2, column / 2)), "same", title=title)
    draw_layer_axis(canvas, names, x, bottom)
    shares = ", ".join(f"{name} {100 * (share.value or 0):.0f} %" for _, name, share in known)
    if too_few:
        return canvas.svg(
            "Share of tagged filters by layer", f"Bars of the tagged filters. Coherent filters: {too_few}."
        )
    return canvas.svg(
        "Share of coherent filters by layer",
        f"Of the filters with two or more tags, with 95 % intervals, and behind it the tagged filters: {shares}.",
    )


def _draw_key(canvas: Canvas, wide: bool, too_few: str) -> None:
    if not too_few:
        canvas.line((_LEFT + 6, _LEFT + 6), (5, 23), "same", width=2.2)
        canvas.circle(_LEFT + 6, 14, 4.6, "same")
    coherent = too_few or (_COHERENT if wide else _COHERENT_SHORT)
    canvas.text(_LEFT + 20, 14, coherent, colour="quiet", size=12)
    x, y = (_LEFT + 20 + text_width(coherent, 12) + 28, 14) if wide else (_LEFT, 38)
    canvas.rect(x, y - 6, 12, 12, "far", alpha=0.8)
    canvas.text(x + 20, y, _TAGGED, colour="quiet", size=12)
