"""The results of a run in memory: its tags as arrays, and what filters have in common."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import COHERENT_Q, CommonConcept, ConceptInLayer
from filtag_kg.errors import FiltagError
from filtag_kg.kg import COMMON, CONCEPTS, KG, KgRun, read_common_concepts
from filtag_kg.tags import TagTable

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class NetworkLayers:
    """The layers of one network. The filters of all layers are numbered through: a filter's number is its *column*.

    Parameters
    ----------
    network : str
        Its identifier.
    label : str
        Its name for people.
    layer_names, layer_kinds : tuple of str, of length n_layers
        In forward order.
    offsets : int64 array of shape (n_layers + 1,)
        The filters of layer m are the columns ``offsets[m]:offsets[m + 1]``.
    """

    network: str
    label: str
    layer_names: tuple[str, ...]
    layer_kinds: tuple[str, ...]
    offsets: NDArray[np.int64]

    @property
    def n_filters(self) -> int:
        """The number of filters of all layers."""
        return int(self.offsets[-1])

    @property
    def first_columns(self) -> dict[str, int]:
        """The column of each layer's first filter, by the layer's name."""
        return dict(zip(self.layer_names, self.offsets[:-1].tolist(), strict=True))

    @property
    def filters_of_layers(self) -> dict[str, int]:
        """The number of filters of each layer, by its name."""
        return dict(zip(self.layer_names, np.diff(self.offsets).tolist(), strict=True))

    def size(self, layer: int) -> int:
        """Return the number of filters of a layer."""
        return int(self.offsets[layer + 1] - self.offsets[layer])

    def layer_and_filter(self, column: int) -> tuple[int, int]:
        """Return layer index and filter of a column."""
        layer = int(np.searchsorted(self.offsets, column, side="right")) - 1
        return layer, column - int(self.offsets[layer])


@dataclass(frozen=True, eq=False)
class RunResults:
    """What one run found, as arrays; a class tags a filter once.

    Parameters
    ----------
    column, class_, rank : int64 array of shape (n_tags,)
        Filter, class (its index among the classes of the KG) and the filter's rank for the class, 0 where unknown. By
        column, then best first: by rank, activation, score and class id.
    activation, contrast, score : float64 array of shape (n_tags,)
        NaN where unknown.
    of_filter : int64 array of shape (n_filters + 1,)
        The tags of a filter are the rows ``of_filter[column]:of_filter[column + 1]``.
    by_class : int64 array of shape (n_tags,)
        Rows by class, and by column within it.
    of_class : int64 array of shape (n_classes + 1,)
        Those of a class are ``by_class[of_class[c]:of_class[c + 1]]``.
    common : mapping of column to tuple of CommonConcept
        Kinds first, then the other relations, by rank.
    in_layers : mapping of IRI to tuple of ConceptInLayer
        For each concept with two or more classes, its layers in forward order.
    q : float
        Filters with a q-value below this are coherent.
    """

    run: KgRun
    column: NDArray[np.int64]
    class_: NDArray[np.int64]
    rank: NDArray[np.int64]
    activation: NDArray[np.float64]
    contrast: NDArray[np.float64]
    score: NDArray[np.float64]
    of_filter: NDArray[np.int64]
    by_class: NDArray[np.int64]
    of_class: NDArray[np.int64]
    common: Mapping[int, tuple[CommonConcept, ...]]
    in_layers: Mapping[str, tuple[ConceptInLayer, ...]]
    q: float = COHERENT_Q

    def rows(self, column: int) -> slice:
        """Return the rows of a filter's tags."""
        return slice(int(self.of_filter[column]), int(self.of_filter[column + 1]))

    def rows_of_class(self, class_: int) -> NDArray[np.int64]:
        """Return the rows of a class's tags, by column."""
        return self.by_class[int(self.of_class[class_]) : int(self.of_class[class_ + 1])]

    def n_tags(self, column: int) -> int:
        """Return the number of tags of a filter."""
        return int(self.of_filter[column + 1] - self.of_filter[column])

    def kind(self, column: int) -> CommonConcept | None:
        """Return the kind that a filter's q-value is about; None if its tags have no kind in common."""
        rows = self.common.get(column)
        return rows[0] if rows and self.run.is_kind(rows[0]) else None

    def coherent_kind(self, column: int) -> CommonConcept | None:
        """Return that kind if it makes the filter coherent."""
        kind = self.kind(column)
        return kind if kind is not None and kind.coherent(self.q) else None

    def matching(self, classes: Iterable[int]) -> NDArray[np.int64]:
        """Count the tags of each filter among some classes: int64 array of shape (n_filters,)."""
        counts = np.zeros(len(self.of_filter) - 1, dtype=np.int64)
        for class_ in classes:
            counts[self.column[self.rows_of_class(class_)]] += 1
        return counts

    def with_concept(self, iri: str) -> tuple[tuple[int, CommonConcept], ...]:
        """Return the filters that have a concept in common, by adjusted p, then by coverage."""
        return self._by_concept.get(iri, ())

    def concepts_of_layer(self, columns: range) -> Iterator[tuple[int, CommonConcept]]:
        """Yield the coherent filters among some columns with their kinds."""
        coherent = self._coherent
        start, stop = (bisect_left(coherent, end, key=lambda item: item[0]) for end in (columns.start, columns.stop))
        yield from coherent[start:stop]

    @cached_property
    def _coherent(self) -> list[tuple[int, CommonConcept]]:
        kinds = ((column, self.coherent_kind(column)) for column in sorted(self.common))
        return [(column, kind) for column, kind in kinds if kind is not None]

    @cached_property
    def _by_concept(self) -> dict[str, tuple[tuple[int, CommonConcept], ...]]:
        filters: dict[str, list[tuple[int, CommonConcept]]] = {}
        for column, rows in self.common.items():
            for row in rows:
                filters.setdefault(row.concept, []).append((column, row))

        def surest_first(item: tuple[int, CommonConcept]) -> tuple[float, float, int, int]:
            column, row = item
            return row.p_adjusted, -row.coverage, -row.support, column

        return {iri: tuple(sorted(items, key=surest_first)) for iri, items in filters.items()}


def read_results(kg: KG, run: KgRun, network: NetworkLayers, tags: TagTable, *, q: float = COHERENT_Q) -> RunResults:
    """Read what a run found.

    Parameters
    ----------
    network : NetworkLayers
        The network that the run is about.
    tags : TagTable
        Those of the run's build, of all its rules.
    q : float
        Filters with a q-value below this are coherent.

    Raises
    ------
    FiltagError
        If a table is missing or damaged.
    """
    folder = kg.path / run.folder
    of_rule = tags.rule == tags.rules.index(run.rule)
    column = network.offsets[tags.layer[of_rule]] + tags.filter[of_rule]
    class_, rank, activation = tags.class_[of_rule], tags.rank[of_rule], tags.activation[of_rule]
    score = tags.score[of_rule]
    # An unknown rank or score sorts last.
    last = np.where(rank > 0, rank, np.iinfo(np.int64).max)
    order = np.lexsort((class_, -score, -np.nan_to_num(activation, nan=-1.0), last, column))
    # A method may give a class to a filter twice: the better rank counts.
    pairs = column[order] * max(len(tags.class_ids), 1) + class_[order]
    order = order[np.sort(np.unique(pairs, return_index=True)[1])]
    column, class_ = column[order], class_[order]
    by_class = np.lexsort((column, class_))
    common = read_common_concepts(folder / COMMON.file_name, rule=run.rule, layers=network.filters_of_layers)
    path = folder / CONCEPTS.file_name
    return RunResults(
        run=run,
        column=column,
        class_=class_,
        rank=rank[order],
        activation=activation[order],
        contrast=tags.contrast[of_rule][order],
        score=score[order],
        of_filter=np.searchsorted(column, np.arange(network.n_filters + 1)),
        by_class=by_class,
        of_class=np.searchsorted(class_[by_class], np.arange(len(tags.class_ids) + 1)),
        common=_by_column(run, common, network.first_columns),
        in_layers=_by_concept(CONCEPTS.read(path, where={"rule": (run.rule,)}), network.layer_names, path),
        q=q,
    )


def _by_concept(
    rows: Iterable[ConceptInLayer], layer_names: Sequence[str], path: Path
) -> dict[str, tuple[ConceptInLayer, ...]]:
    by_concept: dict[str, list[ConceptInLayer]] = {}
    for row in rows:
        by_concept.setdefault(row.concept, []).append(row)
    for concept, in_layers in by_concept.items():
        if [row.layer for row in in_layers] != list(layer_names):
            raise FiltagError(f"{path} has not one row of {concept} for each layer, in their order: build the KG anew")
    return {concept: tuple(in_layers) for concept, in_layers in by_concept.items()}


def _by_column(run: KgRun, rows: list[CommonConcept], first: Mapping[str, int]) -> dict[int, tuple[CommonConcept, ...]]:
    by_column: dict[int, list[CommonConcept]] = {}
    for row in rows:
        by_column.setdefault(first[row.layer] + row.filter, []).append(row)
    return {column: tuple(_kinds_first(run, common)) for column, common in by_column.items()}


def _kinds_first(run: KgRun, rows: list[CommonConcept]) -> list[CommonConcept]:
    """Return a filter's common concepts: kinds, then features, by their relation's and source's q-value."""
    q_of = {(row.relation, row.source): row.q_value for row in rows if row.q_value is not None}

    def order(row: CommonConcept) -> tuple[bool, float, str, str, int]:
        q_value = q_of.get((row.relation, row.source), 1.0)
        return not run.is_kind(row), q_value, row.relation, row.source, row.rank

    return sorted(rows, key=order)
