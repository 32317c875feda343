"""Tags per filter: how many filters have one tag, two, three or four, … in all layers and in the last."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from filtag_kg.report.plots.canvas import Canvas, text_width
from filtag_kg.report.plots.percent_axis import draw_percent_axis
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE, is_narrow
from filtag_kg.report.tables import count_text
from filtag_kg.tags import hubs
from filtag_kg.views import NetworkLayers, RunResults

# Sizes in pixels.
_LEFT = 52
_GAP = 44
_HEAD = 96
_HEIGHT = 190
_FOOT = 52
_SIZE = 11.5
_MOST_BAR = 64.0
_TAGGED_BAR = 7

_STEPS = (5, 10, 20, 25)
"""Per cent between the lines of the axis: the smallest step that needs four lines at most."""


@dataclass(frozen=True, slots=True)
class TagCounts:
    """How many tags the filters of some layers have.

    Parameters
    ----------
    name : str
        What the layers are called.
    untagged : int
        Filters without a tag.
    bins : tuple of (first, last, filters)
        Filters by number of tags, from `first` to `last`: 1, 2, 3 to 4, 5 to 8, and so on to the largest number.
    median : float
        Tags of a filter, among those that have any.
    most : int
        Tags of the filter that has most.
    hubs : int
        Filters with very many tags, as :func:`filtag_kg.tags.hubs` counts them in each layer.
    """

    name: str
    untagged: int
    bins: tuple[tuple[int, int, int], ...]
    median: float
    most: int
    hubs: int

    @property
    def tagged(self) -> int:
        """Filters with a tag."""
        return sum(filters for _, _, filters in self.bins)

    @property
    def filters(self) -> int:
        """All filters, tagged or not."""
        return self.untagged + self.tagged


def tag_counts(table: RunResults, network: NetworkLayers) -> list[TagCounts]:
    """Count the tags of a run's filters: in all layers, and in the last if there are several."""
    n_layers = len(network.layer_names)
    last = _counted(table, network, range(n_layers - 1, n_layers), network.layer_names[-1])
    return [last] if n_layers == 1 else [_counted(table, network, range(n_layers), "all layers"), last]


def tag_count_plot(table: RunResults, network: NetworkLayers, *, width: int = WIDE) -> Plot | None:
    """Draw the share of tagged filters by number of tags, a panel for all layers and one for the last.

    Each bar covers twice as many numbers of tags as the one before, since a few filters may have hundreds. The share of
    tagged filters has a bar of its own above: filters without a tag may be the vast majority.

    Parameters
    ----------
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None without tags.
    """
    if not table.column.size:
        return None
    panels = tag_counts(table, network)
    n_columns = 1 if is_narrow(width) else len(panels)
    panel_width = (width - (n_columns - 1) * _GAP) / n_columns
    panel_height = _HEAD + _HEIGHT + _FOOT
    canvas = Canvas("tag-counts", width, panel_height * (len(panels) // n_columns))
    highest = 100 * max(filters / panel.tagged for panel in panels for _, _, filters in panel.bins)
    step = next(step for step in _STEPS if highest <= 4 * step)
    most = step * max(1, math.ceil(highest / step))
    for index, panel in enumerate(panels):
        row, column = divmod(index, n_columns)
        left, top = column * (panel_width + _GAP), row * panel_height + _HEAD
        _draw_panel(canvas, panel, (left + _LEFT, left + panel_width), (top, top + _HEIGHT), most, step)
    return canvas.plot("Tags per filter", " ".join(f"{panel.name}: {': '.join(_summary(panel))}." for panel in panels))


def _counted(table: RunResults, network: NetworkLayers, layers: range, name: str) -> TagCounts:
    counts_by_layer = [
        np.diff(table.of_filter[network.offsets[layer] : network.offsets[layer + 1] + 1]) for layer in layers
    ]
    counts = np.concatenate(counts_by_layer)
    tagged = counts[counts > 0]
    most = int(tagged.max(initial=0))
    bins, first, last = [], 1, 1
    while first <= most:
        bins.append((first, last, int(((first <= tagged) & (tagged <= last)).sum())))
        first, last = last + 1, 2 * last
    n_classes = len(table.of_class) - 1
    return TagCounts(
        name=name,
        untagged=len(counts) - len(tagged),
        bins=tuple(bins),
        median=float(np.median(tagged)) if len(tagged) else 0.0,
        most=most,
        hubs=sum(int(hubs(layer_counts, n_classes).sum()) for layer_counts in counts_by_layer),
    )


def _summary(panel: TagCounts) -> list[str]:
    """Return how many filters are tagged, and if any are, how many tags they have."""
    tagged = f"{panel.tagged:,} of {panel.filters:,} filters are tagged"
    if not panel.bins:
        return [tagged]
    hubs = count_text(panel.hubs, "hub") if panel.hubs else "no hub"
    return [tagged, f"median {panel.median:g}, most {panel.most:,} tags, {hubs}"]


def _draw_panel(
    canvas: Canvas, panel: TagCounts, x: tuple[float, float], y: tuple[float, float], most: int, step: int
) -> None:
    (left, right), (top, bottom) = x, y
    tagged, *counts = _summary(panel)
    share = panel.tagged / panel.filters if panel.filters else 0.0
    bar_y = top - 50
    canvas.text(left, top - 84, panel.name, bold=True)
    canvas.caption(left, top - 63, tagged)
    untagged = f"{panel.name}: {panel.untagged:,} filters have no tag"
    canvas.rect(left, bar_y, right - left, _TAGGED_BAR, "far", title=untagged)
    canvas.rect(left, bar_y, share * (right - left), _TAGGED_BAR, "same", title=f"{panel.name}: {tagged}")
    if not panel.bins:
        return
    canvas.caption(left, top - 26, *counts)
    draw_percent_axis(canvas, x, y, most=most, step=step)
    pitch = (right - left) / len(panel.bins)
    names = [f"{first}" if first == last else f"{first}–{last}" for first, last, _ in panel.bins]
    names_fit = all(text_width(name, _SIZE) < pitch - 4 for name in names)
    bar = min(0.72 * pitch, _MOST_BAR)
    for index, ((first, last, filters), name) in enumerate(zip(panel.bins, names, strict=True)):
        bar_x = left + pitch * (index + 0.5)
        bar_top = bottom - 100 * filters / panel.tagged / most * (bottom - top)
        tags = "1 tag" if last == 1 else f"{name} tags"
        title = f"{panel.name}: {filters:,} of {panel.tagged:,} tagged filters have {tags}"
        canvas.rect(bar_x - bar / 2, bar_top, bar, bottom - bar_top, "same", title=title)
        if filters:
            canvas.caption(bar_x, bar_top - 9, f"{filters:,}", size=_SIZE, anchor="middle")
        # Where they do not fit, the first number is enough to tell the others.
        short = name if names_fit or first == last else f"{first}–"
        canvas.caption(bar_x, bottom + 14, short, size=_SIZE, anchor="middle")
        if first <= panel.median < last + 1:
            _draw_median(canvas, bar_x, bottom + 32, to_left=index > len(panel.bins) / 2)


def _draw_median(canvas: Canvas, x: float, y: float, *, to_left: bool) -> None:
    canvas.polygon([(x - 5, y + 4), (x + 5, y + 4), (x, y - 4)], "predicted")
    canvas.caption(x - 9 if to_left else x + 9, y, "median", size=_SIZE, anchor="end" if to_left else "start")
