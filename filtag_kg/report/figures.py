"""The figures of a report: which plots are drawn of a run, each for a wide page and for a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.explain import Confusion, HitsRow
from filtag_kg.kg import Ablation
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import (
    NARROW,
    WIDE,
    Plot,
    ablation_plot,
    concept_tree,
    confusion_plot,
    emergence_plot,
    emerging_concepts,
    hits_plot,
    layer_share_plot,
    separation_plot,
    sunburst_plot,
    tag_count_plot,
)

_SUNBURST = 680
_SEPARATED = 8
_MOST_ABLATIONS = 6


@dataclass(frozen=True, eq=False)
class Figure:
    """A plot with its caption.

    Parameters
    ----------
    kind : str
        What it shows: ``separation``, ``hits``.
    run_id, rule : str
        The run that it is about, and its rule; empty where it is about none.
    title, text : str
        The caption.
    draw : callable
        From a width in pixels to the plot; None where there is nothing to draw.
    """

    kind: str
    run_id: str
    rule: str
    title: str
    text: str
    draw: Callable[[int], Plot | None]

    @property
    def name(self) -> str:
        """The name of its file in a report, without ``.svg``."""
        return f"plots/{self.run_id}-{self.kind}" if self.run_id else f"plots/{self.kind}"

    @cached_property
    def wide(self) -> str:
        """SVG for a page on a desk; empty where there is nothing to draw."""
        return self._page_svg(WIDE)

    @cached_property
    def narrow(self) -> str:
        """SVG for a page on a phone."""
        return self._page_svg(NARROW)

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of its files."""
        return (f"{self.name}.svg", self.wide), (f"{self.name}-narrow.svg", self.narrow)

    def _page_svg(self, width: int) -> str:
        plot = self.draw(width)
        return "" if plot is None else plot.page_svg()


def run_figures(grouped: GroupedRun, href: Callable[[str], str | None]) -> Iterator[Figure]:
    """Yield the figures of a run, without those that would be empty.

    Parameters
    ----------
    href : callable
        Returns the URL of a concept's page, relative to the figure, by its IRI.
    """
    graph, few = grouped.loaded.concepts, grouped.run.too_few()

    def sunburst(width: int) -> Plot | None:
        # A phone has no room for the third ring.
        tree = concept_tree(grouped, graph.parents, graph.labels, levels=3 if width > NARROW else 2)
        return sunburst_plot(tree, href=href, width=min(width, _SUNBURST))

    figures: Sequence[tuple[str, str, str, Callable[[int], Plot | None]]] = (
        (
            "separation",
            "Where concepts appear",
            "How well the layers tell the classes of a concept from the others, from the first to the last: the chance "
            "that a class of the concept is more like another one than like a class outside, with its 95 % interval.",
            lambda width: separation_plot(_separated(grouped), width=width),
        ),
        (
            "emergence",
            "Where filters have which theme",
            "In which layers filters respond to the most frequent kinds of things; a larger dot is more filters.",
            lambda width: emergence_plot(grouped, width=width),
        ),
        (
            "coherent-by-layer",
            "Marked filters by layer" if few else "Filters with a clear theme, by layer",
            f"The share of filters that a class marks. Filters with a clear theme: {few}."
            if few
            else "Of the filters that several classes mark, the share whose classes have more in common than chance "
            "would give, with its 95 % interval; behind it the share of filters that a class marks.",
            lambda width: layer_share_plot(grouped.layers, too_few=few, width=width),
        ),
        (
            "concepts",
            "What filters respond to",
            "Kinds within kinds, by the number of filters with such a clear theme.",
            sunburst,
        ),
        (
            "tags-a-filter",
            "Classes per filter",
            "How many filters are marked by how many classes.",
            lambda width: tag_count_plot(grouped.table, grouped.network, width=width),
        ),
        (
            "ablations",
            "What filters cause",
            "How much confidence in the true class the network loses without the filters of a concept, in the classes "
            "at or below it and in the others, and without as many random filters of the same layers.",
            lambda width: ablation_plot(_ablations(grouped), width=width),
        ),
    )
    for name, title, text, draw in figures:
        if draw(WIDE) is not None:
            yield Figure(name, grouped.run.run_id, grouped.run.rule, title, text, draw)


def _ablations(grouped: GroupedRun) -> list[Ablation]:
    """Return the ablations of filters that the run chose, the last ones."""
    return [each for each in grouped.loaded.ablations if each.run_id == grouped.run.run_id][-_MOST_ABLATIONS:]


def _separated(grouped: GroupedRun) -> list[tuple[ConceptInLayer, ...]]:
    """Return the layers of the concepts that most coherent filters stand for; then of those above most classes.

    Rules of one build share its profile, and so the separation: only the first rule has the figure.
    """
    loaded, table = grouped.loaded, grouped.table
    same_build = [other for other in loaded.runs_of(table.run.network) if other.run.folder == table.run.folder]
    if same_build[0] is not table:
        return []
    most_classes = len(loaded.concepts.class_ids) / 4
    tested = [rows for rows in table.in_layers.values() if rows[0].classes <= most_classes]
    others = sorted(tested, key=lambda rows: (-rows[0].classes, rows[0].label, rows[0].concept))
    frequent = [row.concept for row in emerging_concepts(grouped, most=_SEPARATED)]
    concepts = dict.fromkeys([*frequent, *(rows[0].concept for rows in others)])
    return [table.in_layers[concept] for concept in concepts if concept in table.in_layers][:_SEPARATED]


def hits_figure(rows: Sequence[HitsRow]) -> Figure | None:
    """Return the figure of an evaluation."""
    if not rows:
        return None
    return Figure(
        "hits",
        "",
        "",
        "Hits@n",
        "How often the n most frequent tags of the filters that a test image activates name its class (the paper's "
        "Figure 4); dashed, the same with the images' labels permuted.",
        lambda width: hits_plot(rows, width=width),
    )


def confusion_figure(confusions: Sequence[Confusion]) -> Figure | None:
    """Return the figure of misclassified images by kind of thing."""
    if not confusions:
        return None
    return Figure(
        "confusion",
        "",
        "",
        "Confusion between concepts",
        "What kinds of things were taken for, in per cent of the misclassified images of each.",
        lambda width: confusion_plot(confusions, width=width),
    )
