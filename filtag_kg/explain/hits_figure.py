"""Hits@n against n, a line for each rule: the paper's Figure 4. Matplotlib is imported when it is drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from filtag_kg.explain.hits import SCOPES, Hits
from filtag_kg.tags import Rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_hits", "hits_svg"]

_TITLES = {"all": "all layers", "last": "last layer alone"}
_STYLE: dict[Any, Any] = {
    # A fixed salt, and outlines instead of fonts: the same hits give the same bytes and look.
    "svg.hashsalt": "filtag-kg",
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8a8a",
    "axes.labelcolor": "#333333",
    "text.color": "#222222",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "grid.color": "#e6e6e6",
}
# Darker for larger amounts; k and q differ in hue, and in marker for readers who see no hue.
_MAPS = {"k": "Blues", "q": "Oranges"}
_MARKERS = {"k": "o", "q": "s"}


def hits_svg(hits: Hits) -> str:
    """Return the plot as SVG; the same hits give the same text."""
    import matplotlib as mpl

    with mpl.rc_context():
        # Ignore the user's own matplotlibrc.
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        text = io.StringIO()
        draw_hits(hits).savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def draw_hits(hits: Hits) -> Figure:
    """Draw a panel for each score and scope; the null is dashed in the colour of its rule."""
    from matplotlib.figure import Figure

    scores = list(dict.fromkeys(rule.score for rule in hits.rules))
    figure = Figure(figsize=(10, 0.9 + 3.7 * len(scores)), layout="constrained")
    panels = figure.subplots(len(scores), len(SCOPES), sharex=True, sharey=True, squeeze=False)
    for row, score in zip(panels, scores, strict=True):
        rule_indices = [index for index, rule in enumerate(hits.rules) if rule.score == score]
        colours = _colours([hits.rules[index] for index in rule_indices])
        for scope, panel in enumerate(row):
            _frame(panel, f"{_TITLES[SCOPES[scope]]}, by {score}", hits)
            for rule_index, colour in zip(rule_indices, colours, strict=True):
                _line(panel, hits, rule_index, scope, colour)
        row[0].set_ylabel("Hits@n (%)")
        row[-1].legend(title="rule", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    for panel in panels[-1]:
        panel.set_xlabel("n")
    if len(hits.null):
        figure.suptitle("solid: Hits@n   dashed: the same with the images' labels permuted", fontsize=10)
    return figure


def _frame(panel: Axes, title: str, hits: Hits) -> None:
    panel.set_title(title, fontsize=11, fontweight="bold", loc="left")
    panel.set_ylim(-2, 102)
    panel.set_xlim(0, max(hits.n) * 1.02)
    panel.grid(visible=True, linewidth=0.8)
    panel.set_axisbelow(True)


def _line(panel: Axes, hits: Hits, rule_index: int, scope: int, colour: tuple[float, float, float, float]) -> None:
    rule = hits.rules[rule_index]
    panel.plot(
        hits.n,
        100 * hits.overall[rule_index, scope],
        color=colour,
        marker=_MARKERS[rule.kind],
        markersize=3.5,
        linewidth=1.8,
        label=str(rule).partition(":")[0],
    )
    if len(hits.null):
        panel.plot(hits.n, 100 * hits.expected[rule_index, scope], color=colour, linewidth=1.0, linestyle=(0, (4, 2)))


def _colours(rules: Sequence[Rule]) -> list[tuple[float, float, float, float]]:
    from matplotlib import colormaps

    shades = {}
    for kind, name in _MAPS.items():
        amounts = sorted({rule.amount for rule in rules if rule.kind == kind})
        for amount, shade in zip(amounts, np.linspace(0.4, 0.95, len(amounts)), strict=True):
            shades[kind, amount] = colormaps[name](shade if len(amounts) > 1 else 0.75)
    return [shades[rule.kind, rule.amount] for rule in rules]
