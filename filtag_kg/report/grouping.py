"""Group the filters of a run by what their tags have in common.

A filter is *coherent* if it has two or more tags and its q-value is below a level (0.05): its tags have more in common
than as many random classes would. Of the coherent filters of a run, at most about that share is expected to be so by
chance. A filter with one tag has nothing in common to judge, and counts in no share.

A filter belongs to the group of its *first* common concept, which is what its q-value is about, so it is in one group
and the sizes of groups add up. Being the same kind of thing (IsA) makes a filter coherent; groups by other relations
(having the same part) have q-values of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from filtag_kg.concepts import RELATIONS
from filtag_kg.errors import FiltagError
from filtag_kg.kg import KgRun
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.tables import csv_text
from filtag_kg.views import LoadedKg, NetworkLayers, RunResults, Step

_MOST_TAGS = 20


@dataclass(frozen=True, slots=True)
class ClassBehind:
    """A class whose tags have what filters have in common.

    Parameters
    ----------
    through : Step or None
        The concept above the class that is said to have it; None if that is the class's own, and for kinds.
    filters : int
        How many of the filters it tags.
    """

    class_id: str
    label: str
    through: Step | None
    filters: int


@dataclass(frozen=True, slots=True)
class ConceptGroup:
    """The coherent filters of one layer whose tags have the same concept in common.

    Parameters
    ----------
    relation : str
        How the tags are related to the concept: IsA, HasA, ….
    source : str
        Name of the concept source that says so.
    concept, label : str
        Its IRI and preferred label.
    filters : tuple of int
        Their indices in the layer, from the lowest.
    tags : tuple of (label, int)
        The classes that tag most of these filters, with their number; at most 20, equals by label.
    classes : tuple of ClassBehind
        All those that have the concept in common, most filters first.
    """

    relation: str
    source: str
    concept: str
    label: str
    layer_index: int
    layer: str
    filters: tuple[int, ...]
    tags: tuple[tuple[str, int], ...]
    classes: tuple[ClassBehind, ...]


@dataclass(frozen=True, slots=True)
class LayerShare:
    """How many filters of a layer are coherent.

    Parameters
    ----------
    depth : float, in [0, 1]; None where the network has one layer
        0 for the first layer, 1 for the last.
    filters, tagged : int
        All its filters, and those with a tag.
    coherent : Proportion
        Of the filters with two or more tags.
    """

    layer_index: int
    layer: str
    depth: float | None
    filters: int
    tagged: int
    coherent: Proportion


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRun:
    """A run with the shares of its layers and the groups of its filters.

    Parameters
    ----------
    loaded : LoadedKg
        The KG.
    layers : tuple of LayerShare
        In forward order.
    groups : mapping of (relation, source) to groups
        Kinds of the hierarchy first and always, then those that other sources state, then the other relations of the
        run's common concepts. The largest groups come first; equals by label and layer.
    """

    loaded: LoadedKg
    table: RunResults
    layers: tuple[LayerShare, ...]
    groups: Mapping[tuple[str, str], tuple[ConceptGroup, ...]]

    @property
    def run(self) -> KgRun:
        """The run's name in the KG."""
        return self.table.run

    @property
    def kg(self) -> str:
        """The KG's id."""
        return str(self.loaded.kg.manifest["id"])

    @property
    def network(self) -> NetworkLayers:
        """The layers of the run's network."""
        return self.loaded.networks[self.run.network]

    @property
    def class_ids(self) -> frozenset[str]:
        """The classes that tag a filter."""
        return frozenset(self.loaded.concepts.class_ids[c] for c in np.unique(self.table.class_).tolist())

    @property
    def kind_groups(self) -> tuple[ConceptGroup, ...]:
        """The groups by kinds of the hierarchy."""
        return self.groups["IsA", self.run.kinds_of]

    @property
    def kinds(self) -> tuple[tuple[str, str, int], ...]:
        """What coherent filters stand for: (IRI, label, filters), those with most filters first; equals by label."""
        return self.loaded.kinds(self.table)

    @property
    def coherent(self) -> Proportion:
        """The coherent filters of all layers, of those with two or more tags."""
        shares = [row.coherent for row in self.layers]
        return Proportion(sum(share.count for share in shares), sum(share.total for share in shares))

    def higher(self) -> Mapping[str, tuple[tuple[str, str, int], ...]]:
        """Return the concepts whose images activate filters of each layer most, where there are too few classes.

        Returns
        -------
        mapping of layer to tuple of (IRI, name, filters)
        """
        if not self.run.too_few():
            return {}
        return {layer: self.loaded.layer(self.network, layer).higher for layer in self.network.layer_names}


def check_level(q: float) -> None:
    """Make sure that filters may be called coherent at a level.

    Raises
    ------
    FiltagError
        If it is not above 0 and at most 1.
    """
    if not 0 < q <= 1:
        raise FiltagError(f"{q:g} is no level for q-values: give a number above 0 and at most 1", options=("q",))


def group_run(loaded: LoadedKg, table: RunResults) -> GroupedRun:
    """Group the filters of a run whose q-values are below the level that the KG was read with."""
    network = loaded.networks[table.run.network]
    lines = loaded.network(network).layers[table.run.run_id]
    kinds_of = table.run.kinds_of
    families = {(row.relation, row.source) for rows in table.common.values() for row in rows} | {("IsA", kinds_of)}
    order = {relation: index for index, relation in enumerate(RELATIONS)}
    return GroupedRun(
        loaded=loaded,
        table=table,
        layers=tuple(
            LayerShare(
                layer_index=line.index,
                layer=line.layer,
                depth=line.index / (len(lines) - 1) if len(lines) > 1 else None,
                filters=line.filters,
                tagged=line.tagged,
                coherent=Proportion(line.coherent, line.several),
            )
            for line in lines
        ),
        groups={
            family: tuple(_groups(loaded, table, network, family))
            for family in sorted(families, key=lambda family: (order[family[0]], family[1] != kinds_of, family[1]))
        },
    )


def _groups(loaded: LoadedKg, table: RunResults, network: NetworkLayers, family: tuple[str, str]) -> list[ConceptGroup]:
    columns: dict[tuple[str, str, int], list[int]] = {}
    for column, rows in sorted(table.common.items()):
        for row in rows:
            if (row.relation, row.source) == family and row.coherent(table.q):
                layer_index, _ = network.layer_and_filter(column)
                columns.setdefault((row.label, row.concept, layer_index), []).append(column)
    groups = [
        ConceptGroup(
            relation=family[0],
            source=family[1],
            concept=concept,
            label=label,
            layer_index=layer_index,
            layer=network.layer_names[layer_index],
            filters=tuple(network.layer_and_filter(column)[1] for column in members),
            tags=_frequent_tags(loaded, table, members),
            classes=_classes_behind(loaded, table, members, concept, family),
        )
        for (label, concept, layer_index), members in columns.items()
    ]
    return sorted(groups, key=lambda group: (-len(group.filters), group.label, group.concept, group.layer_index))


def _frequent_tags(loaded: LoadedKg, table: RunResults, columns: Iterable[int]) -> tuple[tuple[str, int], ...]:
    counts = Counter(class_ for column in columns for class_ in table.class_[table.rows(column)].tolist())
    # Classes are in the order of their ids.
    labels = loaded.concepts.class_labels
    by_count = sorted(counts.items(), key=lambda item: (-item[1], labels[item[0]], item[0]))
    return tuple((labels[class_], count) for class_, count in by_count[:_MOST_TAGS])


def _classes_behind(
    loaded: LoadedKg, table: RunResults, columns: Iterable[int], concept: str, family: tuple[str, str]
) -> tuple[ClassBehind, ...]:
    graph = loaded.concepts
    counts = Counter(class_ for column in columns for class_ in table.class_[table.rows(column)].tolist())
    stated = None if family == ("IsA", table.run.kinds_of) else family
    behind = []
    for class_, count in counts.items():
        way = graph.path_of_class(class_, concept, stated)
        if way:
            through = way[-1] if stated is not None and len(way) > 1 else None
            behind.append(ClassBehind(graph.class_ids[class_], graph.class_labels[class_], through, count))
    return most_filters_first(behind)


def most_filters_first(classes: Iterable[ClassBehind]) -> tuple[ClassBehind, ...]:
    """Return classes in the order in which they are shown: by their number of filters, label and id."""
    return tuple(sorted(classes, key=lambda row: (-row.filters, row.label, row.class_id)))


def groups_csv(grouped_runs: Iterable[GroupedRun]) -> str:
    """Return the groups of runs as the text of ``groups.csv``, in the order given."""
    columns = ("kg", "network", "rule", "relation", "source", "concept", "label", "layer_index", "layer", "filters")
    return csv_text(
        (*columns, "filter_indices", "classes", "through", "frequent_tags"),
        (
            (
                *(grouped.kg, grouped.run.network, grouped.run.rule, group.relation, group.source),
                *(group.concept, group.label),
                *(group.layer_index, group.layer, len(group.filters)),
                " ".join(map(str, group.filters)),
                "; ".join(f"{row.label} ({row.filters})" for row in group.classes),
                "; ".join(dict.fromkeys(row.through.label for row in group.classes if row.through is not None)),
                "; ".join(f"{label} ({count})" for label, count in group.tags),
            )
            for grouped in grouped_runs
            for groups in grouped.groups.values()
            for group in groups
        ),
    )


def layers_csv(grouped_runs: Iterable[GroupedRun]) -> str:
    """Return the layers of runs as the text of ``layers.csv``; a share of no filters is an empty cell.

    Where there are too few classes, the coherent filters are empty cells, too, and `classes_needed` says how many are
    needed.
    """
    columns = ("kg", "network", "rule", "layer_index", "layer", "depth", "filters", "tagged", "several_tags")
    return csv_text(
        (*columns, "coherent", "share", "low", "high", "classes_needed"),
        (
            (
                *(grouped.kg, grouped.run.network, grouped.run.rule, row.layer_index, row.layer, row.depth),
                *(row.filters, row.tagged, row.coherent.total),
                *((None,) * 4 if grouped.run.too_few() else _figures(row.coherent)),
                grouped.run.classes_needed.get("IsA"),
            )
            for grouped in grouped_runs
            for row in grouped.layers
        ),
    )


def _figures(share: Proportion) -> tuple[float | None, ...]:
    return share.count, share.value, share.low, share.high
