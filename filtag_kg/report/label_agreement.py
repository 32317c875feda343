"""Whether two runs say the same of a filter, and how much of that is chance.

What a run says of a filter is its common concept where the filter is coherent, else the concepts of its tags. Of a
filter that both runs say something of::

    similarity   the mean over a's concepts of Lin's similarity to the closest of b's, and the other way round, averaged
    closeness    that of the closest pair: equal, same kind, near or different (`filtag_kg.concepts.similarity`)

Two methods that know nothing of each other agree, too: most filters may be about animals. What is expected by chance
is the mean over all pairs of different filters of the layer, the one as a sees it, the other as b does; it is exact::

    beyond chance   (observed - expected) / (1 - expected), as Cohen's kappa: 0 at chance, 1 where all agree        [1]_
    interval        of 95 %: the middle of 1,000 bootstrap samples of filters, drawn within layers
    p               how often b's filters, shuffled within layers, agree as much: (1 + those that do) / (1 + shuffles)

A filter that is the only one of its layer counts in the shares, and not beyond chance.

References
----------
.. [1] Cohen 1960, A Coefficient of Agreement for Nominal Scales
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import Closeness, Similarities, similarities, wordnet
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.proportion import Proportion
from filtag_kg.views import ConceptGraph

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 1000
_BLOCK = 8_000_000
"""Numbers that a step holds in memory at a time."""
_LEVELS = (Closeness.EQUAL, Closeness.SAME_KIND, Closeness.NEAR)


@dataclass(frozen=True, slots=True)
class Agreeing:
    """Filters of which two runs say the same, closely enough.

    Parameters
    ----------
    share : Proportion
        Of the filters that both say something of.
    expected : float, in [0, 1]
        What chance gives.
    """

    share: Proportion
    expected: float


@dataclass(frozen=True, slots=True)
class BeyondChance:
    """The similarity beyond chance, its interval of 95 % and the p-value."""

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How far two runs say the same of the filters of a layer.

    Parameters
    ----------
    layer : str or None
        None for all layers together.
    filters : int
        Those that both runs say something of.
    equal, same_kind, near : Agreeing
        Those that are equal are of the same kind, too, and those near.
    similarity, expected : float, in [0, 1]
        The mean over these filters, and what chance gives.
    beyond : BeyondChance or None
        None where no layer has two filters, or nothing could differ.
    """

    layer: str | None
    filters: int
    equal: Agreeing
    same_kind: Agreeing
    near: Agreeing
    similarity: float
    expected: float
    beyond: BeyondChance | None


@dataclass(frozen=True, slots=True)
class ComparedFilter:
    """What two runs say of one filter.

    Parameters
    ----------
    labels_a, labels_b : tuple of str
        The names of the concepts.
    closeness : Closeness
        That of the closest pair.
    similarity : float, in [0, 1]
    """

    layer: str
    filter: int
    labels_a: tuple[str, ...]
    labels_b: tuple[str, ...]
    closeness: Closeness
    similarity: float


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """The filters of a layer that both runs say something of, each compared with each."""

    layer: str
    compared: Sequence[ComparedFilter]
    similarity: NDArray[np.float64]
    closeness: NDArray[np.int8]


def label_agreement(
    a: GroupedRun, b: GroupedRun, *, draws: int = DRAWS, seed: int = 0
) -> tuple[list[LabelAgreement], list[ComparedFilter]]:
    """Compare what two runs say of each filter, in networks of the same layers.

    Parameters
    ----------
    draws, seed : int
        Bootstrap samples and shuffles, and their seed.

    Returns
    -------
    agreement : list of LabelAgreement
        All layers together, then each layer with a filter that both runs say something of.
    filters : list of ComparedFilter
        In the order of the layers.
    """
    layers = [layer for name in a.network.layer_names if (layer := _layer(a, b, name)) is not None]
    if not layers:
        return [], []
    rows = [_agreement(None, layers, draws, seed)] if len(layers) > 1 else []
    rows += [_agreement(layer.layer, [layer], draws, seed) for layer in layers]
    return rows, [compared for layer in layers for compared in layer.compared]


def biggest_disagreements(filters: Sequence[ComparedFilter], most: int) -> list[ComparedFilter]:
    """Return the filters of which two runs say the most different things.

    The least similar first; of those, filters of which the runs say little, since that is definite; then the last ones.
    """
    order = sorted(
        range(len(filters)),
        key=lambda i: (filters[i].similarity, len(filters[i].labels_a) + len(filters[i].labels_b), -i),
    )
    return [filters[i] for i in order[:most] if filters[i].closeness < Closeness.SAME_KIND]


def said_of_filters(grouped: GroupedRun, layer: str) -> dict[int, tuple[str, ...]]:
    """Return what a run says of each filter of a layer as IRIs of concepts; it may say nothing."""
    table, graph = grouped.table, grouped.loaded.concepts
    first = grouped.network.first_columns.get(layer, 0)
    said = {}
    for filter_ in range(grouped.network.filters_of_layers.get(layer, 0)):
        kind = table.coherent_kind(first + filter_)
        classes = table.class_[table.rows(first + filter_)].tolist()
        linked = (concept for class_ in classes for concept in graph.class_concepts[class_])
        concepts = (kind.concept,) if kind is not None else tuple(dict.fromkeys(linked))
        if concepts:
            said[filter_] = concepts
    return said


def _layer(a: GroupedRun, b: GroupedRun, layer: str) -> _Layer | None:
    said_a, said_b = said_of_filters(a, layer), said_of_filters(b, layer)
    filters = sorted(said_a.keys() & said_b.keys())
    if not filters:
        return None
    (known_a, of_a, starts_a), (known_b, of_b, starts_b) = (
        _numbered([said[filter_] for filter_ in filters]) for said in (said_a, said_b)
    )
    graphs = (a.loaded.concepts, b.loaded.concepts)
    above = {**graphs[1].above, **graphs[0].above}
    alike = similarities(known_a, known_b, above, partial(_share, graphs))
    one_way = _best_matches(alike.lin, of_a, starts_a, of_b, starts_b)
    other_way = _best_matches(alike.lin.T, of_b, starts_b, of_a, starts_a)
    similarity = (one_way + other_way.T) / 2
    closeness = _closest(alike, of_a, starts_a, of_b, starts_b)
    compared = [
        ComparedFilter(
            layer,
            filter_,
            tuple(map(graphs[0].label, said_a[filter_])),
            tuple(map(graphs[1].label, said_b[filter_])),
            Closeness(int(closeness[i, i])),
            float(similarity[i, i]),
        )
        for i, filter_ in enumerate(filters)
    ]
    return _Layer(layer, compared, similarity, closeness)


def _share(graphs: tuple[ConceptGraph, ConceptGraph], concept: str) -> float:
    """Return the share of WordNet's concepts at or below one; if it is not WordNet's, the share of the KGs' classes."""
    try:
        return wordnet().size(concept) / len(wordnet())
    except KeyError:
        below = [len(graph.classes_below.get(concept, ())) for graph in graphs]
        n_classes = [len(graph.class_ids) for graph in graphs]
        return max(1, *below) / max(2, *n_classes)


def _numbered(said: Sequence[Sequence[str]]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return all concepts once, those of the filters one after the other as numbers, and where each filter's start."""
    known = {concept: number for number, concept in enumerate(dict.fromkeys(x for concepts in said for x in concepts))}
    numbers = np.array([known[concept] for concepts in said for concept in concepts], dtype=np.int64)
    starts = np.cumsum([0, *(len(concepts) for concepts in said[:-1])], dtype=np.int64)
    return list(known), numbers, starts


def _best_matches(
    lin: NDArray[np.float32],
    of_a: NDArray[np.int64],
    starts_a: NDArray[np.int64],
    of_b: NDArray[np.int64],
    starts_b: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return for each filter of a, each of b: the mean over the first's concepts of the best match in the second's."""
    best = np.concatenate(
        [np.maximum.reduceat(lin[block][:, of_b], starts_b, axis=1) for block in _blocks(len(lin), len(of_b))]
    )
    n_said = np.diff([*starts_a, len(of_a)])
    ends = np.cumsum(np.concatenate([np.zeros((1, best.shape[1])), best[of_a].astype(np.float64)]), axis=0)
    means: NDArray[np.float64] = (ends[starts_a + n_said] - ends[starts_a]) / n_said[:, None]
    return means


def _closest(
    alike: Similarities,
    of_a: NDArray[np.int64],
    starts_a: NDArray[np.int64],
    of_b: NDArray[np.int64],
    starts_b: NDArray[np.int64],
) -> NDArray[np.int8]:
    best = np.concatenate(
        [
            np.maximum.reduceat(alike.closeness[block][:, of_b], starts_b, axis=1)
            for block in _blocks(len(alike.closeness), len(of_b))
        ]
    )
    return np.maximum.reduceat(best[of_a], starts_a, axis=0)


def _blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, n_columns))
    return (slice(start, start + step) for start in range(0, n_rows, step))


def _agreement(layer: str | None, layers: Sequence[_Layer], draws: int, seed: int) -> LabelAgreement:
    n_filters = sum(len(each.compared) for each in layers)
    observed = np.concatenate([np.diagonal(each.similarity) for each in layers])
    closeness = np.concatenate([np.diagonal(each.closeness) for each in layers])
    expected = np.array([_by_chance(each) for each in layers])
    sizes = np.array([len(each.compared) for each in layers])
    # A filter alone in its layer has nothing to be compared with by chance.
    comparable = sizes > 1
    weights = np.where(comparable, sizes, 0) / max(1, int(sizes[comparable].sum()))
    by_chance = weights @ expected
    agreeing = [
        Agreeing(Proportion(int((closeness >= level).sum()), n_filters), float(chance))
        for level, chance in zip(_LEVELS, by_chance[:-1], strict=True)
    ]
    equal, same_kind, near = agreeing
    return LabelAgreement(
        layer,
        n_filters,
        equal,
        same_kind,
        near,
        float(observed.mean()),
        float(by_chance[-1]),
        _beyond(layers, float(by_chance[-1]), draws, seed),
    )


def _beyond(layers: Sequence[_Layer], expected: float, draws: int, seed: int) -> BeyondChance | None:
    random = np.random.default_rng(seed)
    matrices = [each.similarity for each in layers if len(each.compared) > 1]
    if not matrices or expected >= 1:
        return None
    n_filters = sum(map(len, matrices))
    agreed = sum(float(np.trace(matrix)) for matrix in matrices)
    shuffled, resampled = np.zeros(draws), np.zeros(draws)
    for matrix in matrices:
        places, own = np.arange(len(matrix)), np.diagonal(matrix)
        for draw in range(draws):
            shuffled[draw] += matrix[places, random.permutation(len(matrix))].sum()
            resampled[draw] += own[random.integers(0, len(own), len(own))].sum()
    rounding = 1e-9 * n_filters
    p_value = (1 + int((shuffled >= agreed - rounding).sum())) / (1 + draws)
    figures = np.array([agreed, *np.quantile(resampled, (0.025, 0.975))]) / n_filters
    value, low, high = ((figures - expected) / (1 - expected)).tolist()
    return BeyondChance(value, low, high, p_value)


def _by_chance(layer: _Layer) -> list[float]:
    """Return for pairs of different filters the shares equal, of the same kind and near, and the mean similarity."""
    n_filters = len(layer.compared)
    if n_filters < 2:
        return [0.0] * (len(_LEVELS) + 1)
    n_pairs = n_filters * (n_filters - 1)
    matrices: list[NDArray[np.floating] | NDArray[np.bool_]] = [layer.closeness >= level for level in _LEVELS]
    return [
        float(matrix.sum(dtype=np.float64) - np.trace(matrix.astype(np.float64))) / n_pairs
        for matrix in (*matrices, layer.similarity)
    ]
