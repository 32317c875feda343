"""A KG in memory, and its views: what it says of a network, layer, filter, class or concept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan, log
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import COHERENT_Q, CommonConcept, ConceptInLayer
from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris
from filtag_kg.kg import KG, Ablation, Visualization
from filtag_kg.names import nfc
from filtag_kg.views.activations import Activations, Higher
from filtag_kg.views.appearance import appearance, nearest_separated
from filtag_kg.views.concept_graph import ConceptGraph, Feature, Step
from filtag_kg.views.label_checks import LabelChecks
from filtag_kg.views.mixed import MixedFilter, MixedResults
from filtag_kg.views.records import (
    ClassView,
    ConceptView,
    Exemplar,
    FilterLine,
    FilterPair,
    FilterRun,
    FilterView,
    InCommon,
    LayerLine,
    LayerRun,
    LayerView,
    LinkedConcept,
    Neighbour,
    NetworkView,
    Part,
    Related,
    Tag,
    TaggedFilter,
)
from filtag_kg.views.results import NetworkLayers, RunResults

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIRST_TAGS = 4
_MOST_NEIGHBOURS = 8
_MOST_PARTS = 12
"""Of each source: WordNet names more parts than all others say."""
_LEAST_SHARED = 2


@dataclass(frozen=True, slots=True, eq=False)
class LoadedKg:
    """A KG, read once; `filtag_kg.views.load_kg` makes it.

    Parameters
    ----------
    networks : mapping of identifier to NetworkLayers
        In the order of the runs.
    runs : mapping of run id to RunResults
        The first first.
    exemplars : mapping of (network, column) to tuple of Exemplar
    visualizations : mapping of (network, layer, filter) to tuple of Visualization
    ablations : tuple of Ablation
        In the order in which they were added.
    q : float
        Filters with a q-value below this are coherent.
    checks : LabelChecks
        Whether labels are true, of the runs whose labels were checked.
    mixed : mapping of network to MixedResults
        Filters that respond to two unrelated things; none of networks without a profile.
    """

    kg: KG
    networks: Mapping[str, NetworkLayers]
    runs: Mapping[str, RunResults]
    concepts: ConceptGraph
    exemplars: Mapping[tuple[str, int], tuple[Exemplar, ...]]
    visualizations: Mapping[tuple[str, str, int], tuple[Visualization, ...]]
    activations: Activations
    ablations: tuple[Ablation, ...] = ()
    q: float = COHERENT_Q
    checks: LabelChecks = field(default_factory=LabelChecks)
    mixed: Mapping[str, MixedResults] = field(default_factory=dict)

    @property
    def iris(self) -> DataIris:
        """The IRIs of the KG's own things."""
        return DataIris(self.kg.manifest["parameters"]["base"])

    def network_named(self, name: str | None = None) -> NetworkLayers:
        """Return a network by its identifier or name; the first, if none is named.

        Raises
        ------
        FiltagError
            If there is none, or several have the name.
        """
        matches = [table for table in self.networks.values() if name in (None, table.network, table.label)]
        if not matches:
            raise FiltagError(f"no network {name!r} in the KG: it has {', '.join(self.networks)}")
        if name is not None and len(matches) > 1:
            raise FiltagError(f"{len(matches)} networks are called {name!r}: name one of {', '.join(self.networks)}")
        return matches[0]

    def runs_of(self, network: str) -> tuple[RunResults, ...]:
        """Return the runs about a network."""
        return tuple(table for table in self.runs.values() if table.run.network == network)

    def run_named(self, name: str | None, network: str) -> RunResults:
        """Return a run about a network by its id or rule; the network's first, if none is named.

        Raises
        ------
        FiltagError
            If there is none, or several runs have the rule.
        """
        runs = self.runs_of(network)
        matches = [table for table in runs if name in (None, table.run.run_id, table.run.rule)]
        if not matches:
            raise FiltagError(f"no rule {name!r} for {network}: it has {', '.join(table.run.rule for table in runs)}")
        if name is not None and len(matches) > 1:
            ids = ", ".join(table.run.run_id for table in matches)
            raise FiltagError(f"{len(matches)} runs have the rule {name!r}: name one by its id, {ids}")
        return matches[0]

    def layer_index(self, network: NetworkLayers, layer: str) -> int:
        """Return the index of a layer.

        Raises
        ------
        FiltagError
            If the network has no such layer.
        """
        names = [nfc(name) for name in network.layer_names]
        if nfc(layer) not in names:
            raise FiltagError(f"no layer {layer!r} in {network.label}: it has {', '.join(network.layer_names)}")
        return names.index(nfc(layer))

    def column(self, network: NetworkLayers, layer: str, filter_: int) -> int:
        """Return the column of a filter.

        Raises
        ------
        FiltagError
            If there is no such filter.
        """
        index = self.layer_index(network, layer)
        if not 0 <= filter_ < network.size(index):
            raise FiltagError(f"no filter {filter_} in {layer}: it has 0 to {network.size(index) - 1}")
        return int(network.offsets[index]) + filter_

    def kinds(self, table: RunResults) -> tuple[tuple[str, str, int], ...]:
        """Return the kinds of a run's coherent filters as (IRI, label, filters), those of most filters first."""
        coherent = table.concepts_of_layer(range(self.networks[table.run.network].n_filters))
        kinds = Counter((row.concept, row.label) for _, row in coherent)
        return tuple(sorted(((iri, label, n) for (iri, label), n in kinds.items()), key=_by_count))

    # views

    def network(self, network: NetworkLayers) -> NetworkView:
        """Return the view of a network."""
        runs = self.runs_of(network.network)
        return NetworkView(
            iri=self.iris.network(network.network),
            network=network.network,
            label=network.label,
            layers={
                table.run.run_id: tuple(self._layer_line(network, m, table) for m in range(len(network.layer_names)))
                for table in runs
            },
            runs=tuple(table.run for table in runs),
        )

    def layer(self, network: NetworkLayers, layer: str) -> LayerView:
        """Return the view of a layer.

        Raises
        ------
        FiltagError
            If there is no such layer.
        """
        index = self.layer_index(network, layer)
        layer = network.layer_names[index]
        return LayerView(
            iri=self.iris.layer(network.network, layer),
            network=network.network,
            index=index,
            layer=layer,
            kind=network.layer_kinds[index],
            n_filters=network.size(index),
            higher=self._higher_of_layer(network, layer),
            runs=tuple(self._layer_run(network, index, table) for table in self.runs_of(network.network)),
        )

    def filter(self, network: NetworkLayers, layer: str, filter_: int) -> FilterView:
        """Return the view of a filter.

        Raises
        ------
        FiltagError
            If there is no such filter.
        """
        column = self.column(network, layer, filter_)
        index = self.layer_index(network, layer)
        layer = network.layer_names[index]
        return FilterView(
            iri=self.iris.filter(network.network, layer, filter_),
            network=network.network,
            layer_index=index,
            layer=layer,
            filter=filter_,
            n_filters=network.size(index),
            runs=tuple(self._filter_run(network, column, table) for table in self.runs_of(network.network)),
            exemplars=self.exemplars.get((network.network, column), ()),
            visualizations=self.visualizations.get((network.network, layer, filter_), ()),
            higher=higher[filter_] if (higher := self._higher(network, layer)) else (),
            kg=self.kg.path,
            mixed=self.mixed_filter(network, layer, filter_),
        )

    def mixed_filter(self, network: NetworkLayers, layer: str, filter_: int) -> MixedFilter | None:
        """Return what a filter responds to, if that is two unrelated things."""
        results = self.mixed.get(network.network)
        return None if results is None else results.filters.get((layer, filter_))

    def class_(self, class_id: str) -> ClassView:
        """Return the view of a class.

        Raises
        ------
        FiltagError
            If there is no such class.
        """
        graph = self.concepts
        if class_id not in graph.class_ids:
            raise FiltagError(f"no class {class_id!r} in the KG")
        index = graph.class_ids.index(class_id)
        concept = self._best_concept(index)
        links = zip(graph.class_concepts[index], graph.confidences[index], strict=True)
        return ClassView(
            iri=self.iris.class_(class_id),
            class_id=class_id,
            label=graph.class_labels[index],
            concept=concept,
            concept_label=None if concept is None else graph.label(concept),
            confidence=next(iter(graph.confidences[index]), None),
            above=tuple(Step(each, graph.label(each)) for each in graph.above[concept][1:]) if concept else (),
            others=tuple(LinkedConcept(each, graph.label(each), sure) for each, sure in links)[1:],
            excluded=tuple(Step(link.concept, link.label) for link in graph.links.of(class_id) if link.negated),
            filters={run_id: tuple(self._tagged(table, index)) for run_id, table in self.runs.items()},
            layers={run_id: self._appearance_of_kind(table, concept) for run_id, table in self.runs.items()},
        )

    def concept(self, iri: str, *, most: int | None = None) -> ConceptView:
        """Return the view of a concept, with at most `most` of its filters.

        Raises
        ------
        FiltagError
            If the KG does not know it.
        """
        graph = self.concepts
        if iri not in graph.labels:
            raise FiltagError(f"no concept {iri} in the KG")
        below = graph.classes_below.get(iri, ())
        matching = {run_id: table.matching(below) for run_id, table in self.runs.items()}
        return ConceptView(
            iri=iri,
            label=graph.label(iri),
            alt_labels=graph.alt_labels.get(iri, ()),
            terms=graph.terms.get(iri, ()),
            broader=self._related(graph.parents.get(iri, ())),
            narrower=self._related(graph.children.get(iri, ())),
            features=graph.features.get(iri, ()),
            classes=tuple(sorted(((graph.class_ids[c], graph.class_labels[c]) for c in below), key=_by_label)),
            filters={
                run_id: tuple((self.line(table, column), row) for column, row in table.with_concept(iri)[:most])
                for run_id, table in self.runs.items()
            },
            layers={run_id: self._appearance(table, iri) for run_id, table in self.runs.items()},
            tagged={
                run_id: tuple(self._most_tagged(table, matching[run_id], most)) for run_id, table in self.runs.items()
            },
            n_filters={
                run_id: len({column for column, _ in table.with_concept(iri)}) for run_id, table in self.runs.items()
            },
            n_tagged={run_id: int(np.count_nonzero(counts)) for run_id, counts in matching.items()},
            ablations=tuple(ablation for ablation in self.ablations if ablation.concept == iri),
        )

    def pair(self, a: FilterView, b: FilterView, run_a: RunResults, run_b: RunResults) -> FilterPair:
        """Compare two filters, each by a run about its network."""
        of_a, of_b = (
            next(each for each in loaded.runs if each.run.run_id == table.run.run_id)
            for loaded, table in ((a, run_a), (b, run_b))
        )
        tags_a, tags_b = ({(tag.class_id, tag.label) for tag in of.tags} for of in (of_a, of_b))
        kinds_a, kinds_b = (
            {(kind.row.concept, kind.row.label) for kind in of.kinds if kind.row.beyond_chance(self.q)}
            for of in (of_a, of_b)
        )
        both, either = tags_a & tags_b, tags_a | tags_b
        return FilterPair(
            a=a,
            b=b,
            run_a=of_a,
            run_b=of_b,
            both=tuple(sorted(both, key=_by_label)),
            only_a=tuple(sorted(tags_a - tags_b, key=_by_label)),
            only_b=tuple(sorted(tags_b - tags_a, key=_by_label)),
            kinds=tuple(sorted(kinds_a & kinds_b, key=_by_label)),
            similarity=len(both) / len(either) if either else 0.0,
        )

    # parts of views

    def line(self, table: RunResults, column: int) -> FilterLine:
        """Return a filter's line in a list."""
        network = self.networks[table.run.network]
        index, filter_ = network.layer_and_filter(column)
        graph = self.concepts
        rows = table.rows(column)
        first = table.class_[rows.start : min(rows.start + _FIRST_TAGS, rows.stop)].tolist()
        return FilterLine(
            layer=network.layer_names[index],
            filter=filter_,
            tags=rows.stop - rows.start,
            first=tuple((graph.class_ids[c], graph.class_labels[c]) for c in first),
            kind=table.kind(column),
        )

    def _higher(self, network: NetworkLayers, layer: str) -> tuple[tuple[Higher, ...], ...]:
        """Return what activates each filter of a layer more, if a run has too few classes to test its tags."""
        if not any(table.run.too_few() for table in self.runs_of(network.network)):
            return ()
        return self.activations.of_layer(network.network, layer)

    def _higher_of_layer(self, network: NetworkLayers, layer: str) -> tuple[tuple[str, str, int], ...]:
        first = Counter((of[0].concept, of[0].name) for of in self._higher(network, layer) if of)
        return tuple(sorted(((iri, name, n) for (iri, name), n in first.items()), key=_by_count))

    def _layer_line(self, network: NetworkLayers, index: int, table: RunResults) -> LayerLine:
        start, stop = int(network.offsets[index]), int(network.offsets[index + 1])
        counts = np.diff(table.of_filter[start : stop + 1])
        return LayerLine(
            index=index,
            layer=network.layer_names[index],
            kind=network.layer_kinds[index],
            filters=stop - start,
            tagged=int((counts > 0).sum()),
            several=int((counts > 1).sum()),
            coherent=sum(1 for _ in table.concepts_of_layer(range(start, stop))),
            tags=int(counts.sum()),
        )

    def _layer_run(self, network: NetworkLayers, index: int, table: RunResults) -> LayerRun:
        columns = range(int(network.offsets[index]), int(network.offsets[index + 1]))
        kinds = Counter((row.concept, row.label) for _, row in table.concepts_of_layer(columns))
        classes = np.bincount(
            table.class_[table.of_filter[columns.start] : table.of_filter[columns.stop]],
            minlength=len(self.concepts.class_ids),
        )
        graph = self.concepts
        most = ((graph.class_ids[c], graph.class_labels[c], int(classes[c])) for c in np.flatnonzero(classes))
        return LayerRun(
            run=table.run,
            line=self._layer_line(network, index, table),
            filters=tuple(self.line(table, column) for column in columns),
            concepts=tuple(sorted(((iri, label, n) for (iri, label), n in kinds.items()), key=_by_count)),
            classes=tuple(sorted(most, key=_by_count)),
        )

    def _filter_run(self, network: NetworkLayers, column: int, table: RunResults) -> FilterRun:
        rows = table.rows(column)
        classes = table.class_[rows].tolist()
        common = table.common.get(column, ())
        return FilterRun(
            run=table.run,
            tags=tuple(self._tags(table, rows)),
            kinds=tuple(self._in_common(table, row, classes) for row in common if table.run.is_kind(row)),
            features=tuple(self._in_common(table, row, classes) for row in common if not table.run.is_kind(row)),
            parts=tuple(self._parts(classes)),
            neighbours=tuple(self._neighbours(network, column, table)),
        )

    def _tags(self, table: RunResults, rows: slice) -> Iterable[Tag]:
        graph = self.concepts
        measured = (table.activation[rows], table.contrast[rows], table.score[rows])
        columns = (table.class_[rows], table.rank[rows], *measured)
        for class_, rank, activation, contrast, score in zip(*(column.tolist() for column in columns), strict=True):
            concept = self._best_concept(class_)
            yield Tag(
                class_id=graph.class_ids[class_],
                label=graph.class_labels[class_],
                rank=rank or None,
                activation=_known(activation),
                contrast=_known(contrast),
                concept=concept,
                concept_label=None if concept is None else graph.label(concept),
                score=_known(score),
            )

    def _in_common(self, table: RunResults, row: CommonConcept, classes: Iterable[int]) -> InCommon:
        graph = self.concepts
        family = None if table.run.is_kind(row) else (row.relation, row.source)
        paths = []
        for class_ in classes:
            way = graph.path_of_class(class_, row.concept, family)
            if way:
                paths.append((graph.class_ids[class_], graph.class_labels[class_], way))
        return InCommon(row, tuple(sorted(paths, key=lambda path: (len(path[2]), path[1], path[0]))))

    def _parts(self, classes: Iterable[int]) -> Iterable[Part]:
        graph = self.concepts
        counts: Counter[Feature] = Counter()
        for class_ in classes:
            counts.update(graph.features_of_class(class_))
        several = [(feature, n) for feature, n in counts.items() if n >= _LEAST_SHARED]
        of_classes, n_classes = graph.classes_with_feature, len(graph.class_ids)

        def telling(item: tuple[Feature, int]) -> tuple[float, tuple[str, str, str, str]]:
            # What nearly all classes have says little, however many tags have it.
            feature, n = item
            return -n * log(n_classes / of_classes[feature]), _feature_order(feature)

        of_source: Counter[str] = Counter()
        for feature, n in sorted(several, key=telling):
            of_source[feature.source] += 1
            if of_source[feature.source] <= _MOST_PARTS:
                yield Part(feature, n)

    def _neighbours(self, network: NetworkLayers, column: int, table: RunResults) -> Iterable[Neighbour]:
        classes = table.class_[table.rows(column)]
        if not classes.size:
            return
        others = np.concatenate([table.column[table.rows_of_class(class_)] for class_ in classes.tolist()])
        shared = np.bincount(others, minlength=network.n_filters)
        shared[column] = 0
        others_sharing = np.flatnonzero(shared)
        sizes = table.of_filter[others_sharing + 1] - table.of_filter[others_sharing]
        similarity = shared[others_sharing] / (classes.size + sizes - shared[others_sharing])
        best = np.lexsort((others_sharing, -similarity))[:_MOST_NEIGHBOURS]
        for other, similar in zip(others_sharing[best].tolist(), similarity[best].tolist(), strict=True):
            index, filter_ = network.layer_and_filter(other)
            yield Neighbour(
                network.layer_names[index], filter_, int(shared[other]), similar, table.coherent_kind(other)
            )

    def _tagged(self, table: RunResults, class_: int) -> Iterable[TaggedFilter]:
        rows = table.rows_of_class(class_)
        layer = np.searchsorted(self.networks[table.run.network].offsets, table.column[rows], side="right")
        last = np.where(table.rank[rows] > 0, table.rank[rows], np.iinfo(np.int64).max)
        for row in rows[np.lexsort((table.column[rows], last, layer))].tolist():
            yield TaggedFilter(
                run=table.run,
                line=self.line(table, int(table.column[row])),
                rank=int(table.rank[row]) or None,
                activation=_known(float(table.activation[row])),
                contrast=_known(float(table.contrast[row])),
                score=_known(float(table.score[row])),
            )

    def _related(self, concepts: Iterable[str]) -> tuple[Related, ...]:
        graph = self.concepts
        related = [Related(iri, graph.label(iri), len(graph.classes_below.get(iri, ()))) for iri in concepts]
        return tuple(sorted(related, key=lambda row: (-row.classes, row.label, row.concept)))

    def _appearance(self, table: RunResults, iri: str) -> tuple[ConceptInLayer, ...]:
        return appearance(table, self.networks[table.run.network], self.concepts, iri)

    def _best_concept(self, class_: int) -> str | None:
        return next(iter(self.concepts.class_concepts[class_]), None)

    def _appearance_of_kind(self, table: RunResults, concept: str | None) -> tuple[ConceptInLayer, ...]:
        kind = None if concept is None else nearest_separated(table, self.concepts, concept)
        return () if kind is None else self._appearance(table, kind)

    def _most_tagged(
        self, table: RunResults, matching: NDArray[np.int64], most: int | None
    ) -> Iterable[tuple[FilterLine, int]]:
        columns = np.flatnonzero(matching)
        share = matching[columns] / np.diff(table.of_filter)[columns]
        for column in columns[np.lexsort((columns, -share, -matching[columns]))][:most].tolist():
            yield self.line(table, column), int(matching[column])


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _feature_order(feature: Feature) -> tuple[str, str, str, str]:
    return feature.relation, feature.label, feature.concept, feature.source


def _by_label(row: tuple[str, str]) -> tuple[str, str]:
    return row[1], row[0]


def _by_count(row: tuple[str, str, int]) -> tuple[int, str, str]:
    return -row[2], row[1], row[0]
