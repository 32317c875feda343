"""What concept sources say of the things that filters react to, besides the kinds of the hierarchy.

A source that is not the hierarchy's states kinds, and every source states what things have, are used for, where they
are, and so on. A feature is shown once for all layers, with the classes that have it and the concepts that they have
it through: robins have feathers because birds do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from filtag_kg.report.grouping import ClassBehind, ConceptGroup, GroupedRun, most_filters_first
from filtag_kg.views import SOURCE_TEXTS, Step, statement_text

RELATION_NAMES = {
    "IsA": ("Kinds", "a kind"),
    "HasA": ("Parts", "a part"),
    "MadeOf": ("Materials", "a material"),
    "UsedFor": ("Uses", "a use"),
    "HasProperty": ("Properties", "a property"),
    "AtLocation": ("Places", "a place"),
    "CapableOf": ("Abilities", "an ability"),
}
"""What each relation leads to: the heading, and the noun for one."""


@dataclass(frozen=True, slots=True)
class StatedFeature:
    """What a source says of the tags of some coherent filters of a run.

    Parameters
    ----------
    text : str
        In words: "has feather". Of a kind its name.
    groups : tuple of ConceptGroup
        Its filters, by layer; the layer with most of them first, equals in forward order.
    classes : tuple of ClassBehind
        The classes behind it in all layers, most filters first.
    """

    concept: str
    label: str
    text: str
    groups: tuple[ConceptGroup, ...]
    classes: tuple[ClassBehind, ...]

    @property
    def n_filters(self) -> int:
        """How many filters share it."""
        return sum(len(group.filters) for group in self.groups)

    @property
    def by_concept(self) -> tuple[tuple[Step | None, tuple[ClassBehind, ...]], ...]:
        """The classes by the concept that they have it through, the one with most filters first."""
        rows: dict[Step | None, list[ClassBehind]] = {}
        for row in self.classes:
            rows.setdefault(row.through, []).append(row)
        most_first = sorted(rows.items(), key=lambda item: -sum(row.filters for row in item[1]))
        return tuple((through, tuple(classes)) for through, classes in most_first)


@dataclass(frozen=True, slots=True)
class StatedRelation:
    """The features of one relation by one source.

    Parameters
    ----------
    name, noun : str
        What it leads to: "Parts", "a part".
    features : tuple of StatedFeature
        Those with most filters first; equals by label.
    too_few : str
        What to say where the classes are too few for any filter to be coherent by it; else empty.
    """

    relation: str
    name: str
    noun: str
    features: tuple[StatedFeature, ...]
    too_few: str

    @property
    def n_filters(self) -> int:
        """How many filters share a feature; each is counted with its first."""
        return sum(feature.n_filters for feature in self.features)


@dataclass(frozen=True, slots=True)
class StatedBySource:
    """What one source says in one run.

    Parameters
    ----------
    heading : str
        "What ConceptNet says", or "What else WordNet says" of the hierarchy's source.
    relations : tuple of StatedRelation
        Those with a feature, kinds first, and those with too few classes.
    n_filters, n_new : int
        The filters that share anything of it, and those of them that are not coherent by the kinds of the hierarchy.
    """

    source: str
    heading: str
    relations: tuple[StatedRelation, ...]
    n_filters: int
    n_new: int


def stated_by_source(grouped: GroupedRun) -> tuple[StatedBySource, ...]:
    """Return what each source says besides the kinds of the hierarchy, whose own source comes last."""
    kinds_of = grouped.run.kinds_of
    stated = {family: groups for family, groups in grouped.groups.items() if family != ("IsA", kinds_of)}
    sources = sorted({source for _, source in stated}, key=lambda source: (source == kinds_of, source))
    by_kinds = _filters(grouped.kind_groups)
    of_sources = []
    for source in sources:
        filters = _filters(group for family, groups in stated.items() if family[1] == source for group in groups)
        name = SOURCE_TEXTS.get(source, source)
        relations = tuple(
            StatedRelation(
                relation,
                *RELATION_NAMES[relation],
                _features(relation, groups),
                grouped.run.too_few(relation, source),
            )
            for (relation, of_source), groups in stated.items()
            if of_source == source
        )
        of_sources.append(
            StatedBySource(
                source=source,
                heading=f"What else {name} says" if source == kinds_of else f"What {name} says",
                relations=tuple(row for row in relations if row.features or row.too_few),
                n_filters=len(filters),
                n_new=len(filters - by_kinds),
            )
        )
    return tuple(of_sources)


def _filters(groups: Iterable[ConceptGroup]) -> frozenset[tuple[str, int]]:
    return frozenset((group.layer, index) for group in groups for index in group.filters)


def _features(relation: str, groups: Sequence[ConceptGroup]) -> tuple[StatedFeature, ...]:
    by_concept: dict[tuple[str, str], list[ConceptGroup]] = {}
    for group in groups:
        by_concept.setdefault((group.label, group.concept), []).append(group)
    features = (
        StatedFeature(
            concept=concept,
            label=label,
            text=label if relation == "IsA" else statement_text(relation, label),
            groups=tuple(sorted(in_layers, key=lambda group: (-len(group.filters), group.layer_index))),
            classes=_in_all_layers(in_layers),
        )
        for (label, concept), in_layers in by_concept.items()
    )
    return tuple(sorted(features, key=lambda feature: (-feature.n_filters, feature.label, feature.concept)))


def _in_all_layers(groups: Iterable[ConceptGroup]) -> tuple[ClassBehind, ...]:
    filters: Counter[tuple[str, str, Step | None]] = Counter()
    for group in groups:
        for row in group.classes:
            filters[row.class_id, row.label, row.through] += row.filters
    return most_filters_first(ClassBehind(*behind, n) for behind, n in filters.items())
