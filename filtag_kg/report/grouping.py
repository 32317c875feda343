"""Group the filters of a run by what their tags have in common.

A filter is *coherent* if it has two or more tags and its q-value is below a level (0.05): that its tags have so much in
common is more than the same number of random classes would. Of the coherent filters of a run, a share of at most
that level is expected to be so by chance. Filters with one tag have nothing in common to judge: they are in no
denominator here.

A filter is put with the *first* of its common concepts, which is what its q-value is about, so that it is in one group
and the sizes of groups add up. Being the same kind of thing (IsA) makes a filter coherent; groups by other relations
(having the same part) have q-values of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from filtag_kg.concepts import RELATIONS
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.runs import Layer, Run
from filtag_kg.report.tables import csv_text

__all__ = [
    "ConceptGroup",
    "GroupedRun",
    "LayerShare",
    "concept_groups",
    "group_run",
    "groups_csv",
    "layer_shares",
    "layers_csv",
]

_MOST_TAGS = 20


@dataclass(frozen=True, slots=True)
class ConceptGroup:
    """The coherent filters of one layer whose tags have the same concept in common.

    Parameters
    ----------
    relation : str
        How the tags are tied to the concept: IsA, HasA, ….
    concept, label : str
        Its IRI and preferred label.
    layer : Layer
    filters : tuple of int
        Their indices in the layer, from the lowest.
    tags : tuple of (label, int)
        The classes that tag most of these filters, with their number; 20 at most, equals by label.
    """

    relation: str
    concept: str
    label: str
    layer: Layer
    filters: tuple[int, ...]
    tags: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LayerShare:
    """How many filters of a layer are coherent.

    Parameters
    ----------
    layer : Layer
    depth : float, in [0, 1]; None for a layer alone
        0 for the first layer of the KG, 1 for its last.
    tagged : int
        Filters with a tag.
    coherent : Proportion
        Of the filters with two or more tags.
    """

    layer: Layer
    depth: float | None
    tagged: int
    coherent: Proportion


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRun:
    """A run with the shares of its layers and the groups of its filters.

    Parameters
    ----------
    run : Run
    layers : tuple of LayerShare
        In forward order.
    groups : mapping of relation to groups
        IsA first and always, then the other relations of the run's common concepts.
    higher : mapping of layer to tuple of (IRI, name, filters)
        Where classes are too few: the concepts whose images activate filters most beyond the others.
    """

    run: Run
    layers: tuple[LayerShare, ...]
    groups: Mapping[str, tuple[ConceptGroup, ...]]
    higher: Mapping[str, tuple[tuple[str, str, int], ...]] = field(default_factory=dict)

    @property
    def coherent(self) -> Proportion:
        """The coherent filters of all layers, of those with two or more tags."""
        return Proportion(
            sum(row.coherent.count for row in self.layers), sum(row.coherent.total for row in self.layers)
        )


def group_run(
    run: Run, *, q: float, higher: Mapping[str, tuple[tuple[str, str, int], ...]] = MappingProxyType({})
) -> GroupedRun:
    """Group the filters of a run whose q-values are below `q`; `higher` is what activations tell of its layers."""
    present = {row.relation for row in run.common} | {"IsA"}
    relations = [relation for relation in RELATIONS if relation in present]
    return GroupedRun(
        run=run,
        layers=tuple(layer_shares(run, q=q)),
        groups={relation: tuple(concept_groups(run, q=q, relation=relation)) for relation in relations},
        higher=higher,
    )


def concept_groups(run: Run, *, q: float, relation: str = "IsA") -> list[ConceptGroup]:
    """Return the coherent filters by concept and layer, the largest groups first; equals by label and layer index."""
    members: dict[tuple[str, str, str], list[int]] = {}
    for (layer, filter_), row in run.coherent(q, relation).items():
        members.setdefault((row.label, row.concept, layer), []).append(filter_)
    layers = {layer.name: layer for layer in run.layers}
    groups = [
        ConceptGroup(relation, concept, label, layers[layer], tuple(sorted(filters)), _tags(run, layer, filters))
        for (label, concept, layer), filters in members.items()
    ]
    return sorted(groups, key=lambda group: (-len(group.filters), group.label, group.concept, group.layer.index))


def layer_shares(run: Run, *, q: float) -> list[LayerShare]:
    """Return the share of coherent filters of every layer, in forward order."""
    tagged = Counter(layer for layer, _ in run.tags)
    several = Counter(layer for layer, _ in run.several)
    coherent = Counter(layer for layer, _ in run.coherent(q))
    last = len(run.layers) - 1
    return [
        LayerShare(
            layer=layer,
            depth=place / last if last else None,
            tagged=tagged[layer.name],
            coherent=Proportion(coherent[layer.name], several[layer.name]),
        )
        for place, layer in enumerate(run.layers)
    ]


def groups_csv(grouped: Iterable[GroupedRun]) -> str:
    """Return the groups of runs as the text of ``groups.csv``, in the order given."""
    columns = ("kg", "network", "rule", "relation", "concept", "label", "layer_index", "layer", "filters")
    return csv_text(
        (*columns, "filter_indices", "frequent_tags"),
        (
            (
                *(of.run.kg, of.run.network, of.run.rule, group.relation, group.concept, group.label),
                *(group.layer.index, group.layer.name, len(group.filters)),
                " ".join(map(str, group.filters)),
                "; ".join(f"{label} ({count})" for label, count in group.tags),
            )
            for of in grouped
            for groups in of.groups.values()
            for group in groups
        ),
    )


def layers_csv(grouped: Iterable[GroupedRun]) -> str:
    """Return the layers of runs as the text of ``layers.csv``; a share of no filters is an empty cell.

    Where classes are too few, the coherent filters are empty cells, too, and `classes_needed` says how many it takes.
    """
    columns = ("kg", "network", "rule", "layer_index", "layer", "depth", "filters", "tagged", "several_tags")
    return csv_text(
        (*columns, "coherent", "share", "low", "high", "classes_needed"),
        (
            (
                *(of.run.kg, of.run.network, of.run.rule, row.layer.index, row.layer.name, row.depth),
                *(row.layer.filters, row.tagged, row.coherent.total),
                *((None,) * 4 if of.run.too_few() else _figures(row.coherent)),
                of.run.classes_needed.get("IsA"),
            )
            for of in grouped
            for row in of.layers
        ),
    )


def _figures(share: Proportion) -> tuple[float | None, ...]:
    return share.count, share.value, share.low, share.high


def _tags(run: Run, layer: str, filters: Iterable[int]) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for filter_ in filters:
        counts.update(run.tags[layer, filter_])
    by_count = sorted(counts.items(), key=lambda item: (-item[1], run.labels[item[0]], item[0]))
    return tuple((run.labels[class_id], count) for class_id, count in by_count[:_MOST_TAGS])
