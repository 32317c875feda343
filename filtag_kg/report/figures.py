"""The plots of a report: what is drawn of a run, each for a wide page and for a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from filtag_kg.explain import Confusion, HitsRow
from filtag_kg.facts import Facts
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import (
    NARROW,
    WIDE,
    concept_tree,
    confusion_plot,
    emergence_plot,
    hits_plot,
    layer_share_plot,
    sunburst_plot,
    tag_count_plot,
)

__all__ = ["Figure", "confusion_figure", "hits_figure", "run_figures"]

_SUNBURST = 680


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot.

    Parameters
    ----------
    name : str
        Of its file, without ``.svg``.
    rule : str
        The rule that it is about; empty where it is about none.
    title, text : str
        What it shows.
    wide, narrow : str
        SVG.
    """

    name: str
    rule: str
    title: str
    text: str
    wide: str
    narrow: str

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of its files."""
        return (f"{self.name}.svg", self.wide), (f"{self.name}-narrow.svg", self.narrow)


def run_figures(grouped: GroupedRun, facts: Facts, run_id: str, href: Callable[[str], str | None]) -> Iterator[Figure]:
    """Yield the figures of a run; one that there is nothing for is left out.

    Parameters
    ----------
    grouped : GroupedRun
    facts : Facts
    run_id : str
        Its id.
    href : callable
        Where a concept's page is, seen from the figure, by IRI.
    """
    graph, few = facts.concepts, grouped.run.too_few()

    def sunburst(width: int) -> str | None:
        # A phone has no room for the third ring.
        tree = concept_tree(grouped, graph.parents, graph.labels, levels=3 if width == WIDE else 2)
        return sunburst_plot(tree, href=href, width=_SUNBURST if width == WIDE else width)

    drawn: Sequence[tuple[str, str, str, Callable[[int], str | None]]] = (
        (
            "emergence",
            "Where concepts emerge",
            "In which layers coherent filters stand for the most frequent concepts; a larger dot is more filters.",
            lambda width: emergence_plot(grouped, width=width),
        ),
        (
            "coherent-by-layer",
            "Tagged filters by layer" if few else "Coherent filters by layer",
            f"The share of filters that have tags. Coherent filters: {few}."
            if few
            else "The share of filters with several tags whose tags have more in common than chance, with its 95 % "
            "interval; behind it the share of filters that have tags.",
            lambda width: layer_share_plot(grouped.layers, too_few=few, width=width),
        ),
        (
            "concepts",
            "What filters stand for",
            "Kinds within kinds, by the number of coherent filters.",
            sunburst,
        ),
        (
            "tags-a-filter",
            "Tags a filter",
            "How many filters have how many tags.",
            lambda width: tag_count_plot(grouped.run, width=width),
        ),
    )
    for name, title, text, draw in drawn:
        figure = _figure(f"plots/{run_id}-{name}", grouped.run.rule, title, text, draw)
        if figure is not None:
            yield figure


def hits_figure(rows: Sequence[HitsRow]) -> Figure | None:
    """Return the figure of an evaluation."""
    return _figure(
        "plots/hits",
        "",
        "Hits@n",
        "How often the n most frequent tags of the filters that a test image activates name its class (the paper's "
        "Figure 4); dashed, the same with the images' labels permuted.",
        lambda width: hits_plot(rows, width=width),
    )


def confusion_figure(confusions: Sequence[Confusion]) -> Figure | None:
    """Return the figure of mistakes by kind of thing."""
    return _figure(
        "plots/confusion",
        "",
        "Confusion between concepts",
        "What kinds of things were taken for, in per cent of the mistakes on each.",
        lambda width: confusion_plot(confusions, width=width),
    )


def _figure(name: str, rule: str, title: str, text: str, draw: Callable[[int], str | None]) -> Figure | None:
    wide = draw(WIDE)
    narrow = draw(NARROW) if wide is not None else None
    return None if wide is None or narrow is None else Figure(name, rule, title, text, wide, narrow)
