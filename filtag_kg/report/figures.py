"""The figures of a report: which plots are drawn of a run, each for a wide page and for a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.errors import FiltagError
from filtag_kg.explain import Confusion, HitsRow
from filtag_kg.kg import Ablation
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import (
    NARROW,
    WIDE,
    FilterRow,
    Plot,
    ablation_plot,
    concept_tree,
    confusion_plot,
    emergence_plot,
    emerging_concepts,
    filter_rows_plot,
    hits_plot,
    layer_share_plot,
    separation_plot,
    sunburst_plot,
    tag_count_plot,
)
from filtag_kg.views import filter_name, surest_first

_SUNBURST = 680
_SEPARATED = 8
_MOST_ABLATIONS = 6
_MOST_PICTURES = 6
_MOST_TAGS = 20


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


def filters_figure(grouped: GroupedRun, most: int = 6) -> Figure | None:
    """Return the figure of filters with their tags and pictures; None if the run tags no filter.

    These are filters whose tags have more in common than chance, then the others, the surest first, and one for each
    thing that they respond to. Where the KG has pictures, only filters with pictures are shown: the images that
    activate them most, else what they look for.

    Parameters
    ----------
    most : int
        Filters at most.
    """
    rows = _filter_rows(grouped, most)
    if not rows:
        return None
    shown = "the images that activate each most" if grouped.loaded.exemplars else "pictures of what each looks for"
    pictures = f", with {shown}" if any(row.pictures for row in rows) else ""
    return Figure(
        "filters",
        grouped.run.run_id,
        grouped.run.rule,
        "Filters and their tags",
        f"Filters that respond to one kind of thing, one for each, and the classes that tag them{pictures} (as in "
        "FILTAG's Figure 3).",
        lambda width: filter_rows_plot(rows, width=width),
    )


def _filter_rows(grouped: GroupedRun, most: int) -> list[FilterRow]:
    loaded, table, network = grouped.loaded, grouped.table, grouped.network
    tagged = np.flatnonzero(np.diff(table.of_filter)).tolist()
    pictures = {column: files for column in tagged if (files := _picture_files(grouped, column))}
    rows: dict[str, FilterRow] = {}
    shown = list(pictures) or tagged
    coherent = {column for column, _ in table.concepts_of_layer(range(network.n_filters))}
    surest = surest_first(loaded, network, shown)
    for column in sorted(surest, key=lambda column: column not in coherent):
        name = filter_name(loaded, network, column)
        layer, filter_ = network.layer_and_filter(column)
        labels = [loaded.concepts.class_labels[class_] for class_ in table.class_[table.rows(column)].tolist()]
        rows.setdefault(
            name.about or f"{column}",
            FilterRow(
                # The rest of the name are classes, which stand among the tags.
                name=name.text.partition(":")[0],
                place=f"{network.layer_names[layer]}, filter {filter_}",
                tags=", ".join(labels[:_MOST_TAGS]) + (", …" if len(labels) > _MOST_TAGS else ""),
                pictures=tuple(_picture(loaded.kg.path / file) for file in pictures.get(column, ())),
            ),
        )
        if len(rows) == most:
            break
    return list(rows.values())


def _picture_files(grouped: GroupedRun, column: int) -> tuple[str, ...]:
    """Return the files of a filter's exemplars, or else of pictures of what it looks for."""
    loaded, network = grouped.loaded, grouped.network
    exemplars = loaded.exemplars.get((network.network, column), ())
    if exemplars:
        return tuple(exemplar.thumbnail for exemplar in exemplars[:_MOST_PICTURES])
    layer, filter_ = network.layer_and_filter(column)
    made = loaded.visualizations.get((network.network, network.layer_names[layer], filter_), ())
    return tuple(picture.file for picture in made[:_MOST_PICTURES])


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({error.strerror}): build the KG anew") from None


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
