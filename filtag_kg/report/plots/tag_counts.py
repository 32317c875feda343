"""Tags a filter: how many filters have one tag, two, three or four, … over all layers and in the last."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from filtag_kg.report.plots.canvas import Canvas, text_width
from filtag_kg.report.plots.percent_axis import draw_percent_axis
from filtag_kg.report.plots.style import NARROW, WIDE
from filtag_kg.report.runs import Layer, Place, Run

__all__ = ["TagCounts", "tag_count_plot", "tag_counts"]

_LEFT = 52
_GAP = 44
_HEAD = 96
_HEIGHT = 190
_FOOT = 52
_STEPS = (5, 10, 20, 25)
_SMALL = 11.5
_WIDEST = 64.0
# As filtag_kg.tags says: a tenth of the classes or more, and twice the layer's mean or more.
_HUB_SHARE_OF_CLASSES = 0.1
_HUB_TIMES_MEAN = 2


@dataclass(frozen=True, slots=True)
class TagCounts:
    """How many tags the filters of some layers have.

    Parameters
    ----------
    name : str
        Of the layers.
    untagged : int
        Filters without a tag.
    bins : tuple of (first, last, filters)
        Filters by number of tags, from `first` to `last`: 1, 2, 3 to 4, 5 to 8, and so on to the largest number.
    median : float
        Tags of a filter that has any.
    most : int
        Tags of the filter that has most.
    hubs : int
        Filters with a tenth of the classes or more, and twice the mean of their layer or more.
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


def tag_counts(run: Run) -> list[TagCounts]:
    """Count the tags of a run's filters: over all layers, and in the last if there are several."""
    if len(run.layers) == 1:
        return [_counted(run, run.layers, run.layers[0].name)]
    return [_counted(run, run.layers, "all layers"), _counted(run, run.layers[-1:], run.layers[-1].name)]


def tag_count_plot(run: Run, *, width: int = WIDE) -> str | None:
    """Draw the share of tagged filters by number of tags, a panel for all layers and one for the last.

    Each bar holds twice as many numbers of tags as the one before, since a few filters may have hundreds. Filters
    without a tag stand apart, in a bar of their own above: there may be many more of them.

    Parameters
    ----------
    run : Run
    width : int
        In pixels.

    Returns
    -------
    str or None
        SVG; None without tags.
    """
    if not run.tags:
        return None
    panels = tag_counts(run)
    beside = width > 1.5 * NARROW
    columns = len(panels) if beside else 1
    one = (width - (columns - 1) * _GAP) / columns
    tall = _HEAD + _HEIGHT + _FOOT
    canvas = Canvas("tag-counts", width, tall * (1 if beside else len(panels)))
    highest = max(filters / panel.tagged for panel in panels for _, _, filters in panel.bins)
    step = next(step for step in _STEPS if 100 * highest <= 4 * step)
    most = step * max(1, math.ceil(100 * highest / step))
    for place, panel in enumerate(panels):
        left = place * (one + _GAP) if beside else 0.0
        top = 0 if beside else place * tall
        _draw(canvas, panel, (left + _LEFT, left + one), (top + _HEAD, top + _HEAD + _HEIGHT), most, step)
    return canvas.svg("Tags a filter", " ".join(f"{panel.name}: {_said(panel)}." for panel in panels))


def _counted(run: Run, layers: Sequence[Layer], name: str) -> TagCounts:
    counts = {place: len(tags) for place, tags in run.tags.items()}
    of_layers = {place: count for place, count in counts.items() if place[0] in {layer.name for layer in layers}}
    most = max(of_layers.values(), default=0)
    bins, first, last = [], 1, 1
    by_count = Counter(of_layers.values())
    while first <= most:
        bins.append((first, last, sum(by_count[count] for count in range(first, last + 1))))
        first, last = last + 1, 2 * last
    return TagCounts(
        name=name,
        untagged=sum(layer.filters for layer in layers) - len(of_layers),
        bins=tuple(bins),
        median=float(median(of_layers.values())) if of_layers else 0.0,
        most=most,
        hubs=_hubs(run, layers, of_layers),
    )


def _hubs(run: Run, layers: Sequence[Layer], counts: dict[Place, int]) -> int:
    tags = Counter[str]()
    for (layer, _), count in counts.items():
        tags[layer] += count
    enough = {
        layer.name: max(_HUB_SHARE_OF_CLASSES * len(run.labels), _HUB_TIMES_MEAN * tags[layer.name] / layer.filters)
        for layer in layers
        if layer.filters
    }
    return sum(count >= enough[layer] for (layer, _), count in counts.items())


def _said(panel: TagCounts) -> str:
    tagged = f"{panel.tagged:,} of {panel.filters:,} filters are tagged"
    if not panel.bins:
        return tagged
    hubs = f"{panel.hubs:,} {'hub' if panel.hubs == 1 else 'hubs'}" if panel.hubs else "no hub"
    return f"{tagged}: median {panel.median:g}, most {panel.most:,} tags, {hubs}"


def _draw(
    canvas: Canvas, panel: TagCounts, x: tuple[float, float], y: tuple[float, float], most: int, step: int
) -> None:
    share = panel.tagged / panel.filters if panel.filters else 0.0
    said, _, more = _said(panel).partition(": ")
    canvas.text(x[0], y[0] - 84, panel.name, bold=True)
    canvas.text(x[0], y[0] - 63, said, colour="quiet", size=12)
    canvas.rect(x[0], y[0] - 50, x[1] - x[0], 7, "far", title=f"{panel.name}: {panel.untagged:,} filters have no tag")
    canvas.rect(x[0], y[0] - 50, share * (x[1] - x[0]), 7, "same", title=f"{panel.name}: {said}")
    if not panel.bins:
        return
    canvas.text(x[0], y[0] - 26, more, colour="quiet", size=12)
    draw_percent_axis(canvas, x, y, most=most, step=step)
    pitch = (x[1] - x[0]) / len(panel.bins)
    names = [f"{first}" if first == last else f"{first}–{last}" for first, last, _ in panel.bins]
    fit = all(text_width(name, _SMALL) < pitch - 4 for name in names)
    for place, ((first, last, filters), name) in enumerate(zip(panel.bins, names, strict=True)):
        at = x[0] + pitch * (place + 0.5)
        top = y[1] - 100 * filters / panel.tagged / most * (y[1] - y[0])
        tags = "1 tag" if last == 1 else f"{name} tags"
        title = f"{panel.name}: {filters:,} of {panel.tagged:,} tagged filters have {tags}"
        bar = min(0.72 * pitch, _WIDEST)
        canvas.rect(at - bar / 2, top, bar, y[1] - top, "same", title=title)
        if filters:
            canvas.text(at, top - 9, f"{filters:,}", colour="quiet", size=_SMALL, anchor="middle")
        # Where they do not fit, the first number tells the others.
        short = name if fit or first == last else f"{first}–"
        canvas.text(at, y[1] + 14, short, colour="quiet", size=_SMALL, anchor="middle")
        if first <= panel.median < last + 1:
            _draw_median(canvas, at, y[1] + 32, to_left=place > len(panel.bins) / 2)


def _draw_median(canvas: Canvas, x: float, y: float, *, to_left: bool) -> None:
    canvas.polygon([(x - 5, y + 4), (x + 5, y + 4), (x, y - 4)], "predicted")
    aside = -9 if to_left else 9
    canvas.text(x + aside, y, "median", colour="quiet", size=_SMALL, anchor="end" if to_left else "start")
