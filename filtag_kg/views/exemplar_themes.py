"""What the images that activate a filter most have in common: one class, or one kind of thing.

Of *n* exemplars of a filter, *k* show a class or kind that a share *s* of the profile's images shows: more than half of
them a class, or at least two thirds a kind. The p-value is the chance of as many among *n* random images, P(X >= k)
with X ~ binomial(n, s). It is adjusted for the number of classes and kinds (Bonferroni), and the q-value for the number
of filters (Benjamini & Hochberg 1995).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import comb, fsum
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import is_familiar, q_values, wordnet
from filtag_kg.views.activations import concept_groups
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.results import NetworkLayers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_SHARE = 0.25
"""A kind that more of the images show says little of a filter."""
_TIMES_SURER = 100
"""A kind has to be this much less likely by chance than a class to be named in its place."""
_LEAST_P = 1e-300
_WORDNET = "http://wordnet-rdf.princeton.edu/"


@dataclass(frozen=True, slots=True)
class ExemplarTheme:
    """What most of a filter's exemplars show.

    Parameters
    ----------
    label : str
        The class, or the kind.
    class_id, concept : str or None
        The one that it is.
    shown, exemplars : int
        The exemplars that show it, of how many.
    classes : tuple of str
        Labels of the classes that these exemplars are of, the most frequent first.
    p_value, q_value : float, in (0, 1]
        Adjusted as the module says.
    """

    label: str
    class_id: str | None
    concept: str | None
    shown: int
    exemplars: int
    classes: tuple[str, ...]
    p_value: float
    q_value: float


def exemplar_themes(loaded: LoadedKg, network: NetworkLayers) -> Mapping[int, ExemplarTheme]:
    """Return what most of a filter's exemplars show, by column, whether or not by chance."""
    columns = [column for of_network, column in loaded.exemplars if of_network == network.network]
    columns.sort()
    if not columns:
        return {}
    graph = loaded.concepts
    index_of = {class_id: index for index, class_id in enumerate(graph.class_ids)}
    shown = [
        [index_of[each.class_id] for each in loaded.exemplars[network.network, column] if each.class_id in index_of]
        for column in columns
    ]
    sizes = np.array([len(classes) for classes in shown], dtype=np.int64)
    kinds = _kinds(loaded)
    hits = _most_shown(shown, sizes, kinds, _image_shares(loaded, network))
    tests = len(graph.class_ids) + len(kinds)
    adjusted = np.ones(len(columns))
    for row, hit in hits.items():
        adjusted[row] = min(1.0, max(hit.p_value * tests, _LEAST_P))
    q = q_values(adjusted)
    themes = {}
    for row, hit in sorted(hits.items()):
        class_id = graph.class_ids[hit.group] if hit.group < len(graph.class_ids) else None
        kind = None if class_id is not None else kinds[hit.group - len(graph.class_ids)]
        members = {hit.group} if kind is None else kind.classes
        counts = Counter(graph.class_labels[class_] for class_ in shown[row] if class_ in members)
        themes[columns[row]] = ExemplarTheme(
            label=graph.class_labels[hit.group] if kind is None else kind.label,
            class_id=class_id,
            concept=None if kind is None else kind.concept,
            shown=hit.count,
            exemplars=int(sizes[row]),
            classes=tuple(label for label, _ in counts.most_common()),
            p_value=float(adjusted[row]),
            q_value=float(q[row]),
        )
    return themes


@dataclass(frozen=True, slots=True)
class _Kind:
    """Classes that one or more concepts stand above, by the name of the one that people know."""

    concept: str
    label: str
    classes: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Hit:
    """A class or kind that most exemplars show, by its number: kinds follow the classes."""

    group: int
    count: int
    p_value: float


def _kinds(loaded: LoadedKg) -> list[_Kind]:
    graph = loaded.concepts
    kinds = []
    for concepts, members in concept_groups(graph, graph.class_ids):
        concept = next(filter(_is_familiar, concepts), concepts[0])
        kinds.append(_Kind(concept, graph.label(concept), frozenset(np.flatnonzero(members).tolist())))
    return kinds


def _is_familiar(iri: str) -> bool:
    return not iri.startswith(_WORDNET) or is_familiar(wordnet().concept(iri))


def _image_shares(loaded: LoadedKg, network: NetworkLayers) -> NDArray[np.float64]:
    """Return the share of the profile's images that are of each class; of unknown images, equal shares."""
    counts = loaded.activations.image_counts(network.network)
    images = np.array([counts.get(class_id, 0) for class_id in loaded.concepts.class_ids], dtype=np.float64)
    if not images.any():
        images[:] = 1.0
    shares: NDArray[np.float64] = images / images.sum()
    return shares


def _most_shown(
    shown: Sequence[Sequence[int]], sizes: NDArray[np.int64], kinds: Sequence[_Kind], shares: NDArray[np.float64]
) -> dict[int, _Hit]:
    """Return for each filter, by its row, the class or kind that the fewest random images would show as often."""
    n_classes = len(shares)
    groups_of: list[list[int]] = [[class_] for class_ in range(n_classes)]
    share = list(shares)
    for group, kind in enumerate(kinds, start=n_classes):
        share.append(sum(shares[class_] for class_ in kind.classes))
        if share[-1] <= _LARGEST_SHARE:
            for class_ in kind.classes:
                groups_of[class_].append(group)
    n_groups = n_classes + len(kinds)
    n_of_class = np.array(list(map(len, groups_of)), dtype=np.int64)
    groups = np.array(list(chain.from_iterable(groups_of)), dtype=np.int64)
    # The groups of all exemplars, one after the other: those of an exemplar's class begin where that class's do.
    classes = np.fromiter(chain.from_iterable(shown), dtype=np.int64, count=int(sizes.sum()))
    n_of_exemplar = n_of_class[classes]
    starts = (np.cumsum(n_of_class) - n_of_class)[classes]
    place = np.arange(int(n_of_exemplar.sum())) - np.repeat(np.cumsum(n_of_exemplar) - n_of_exemplar, n_of_exemplar)
    row = np.repeat(np.repeat(np.arange(len(shown)), sizes), n_of_exemplar)
    pairs, counts = np.unique(row * n_groups + groups[np.repeat(starts, n_of_exemplar) + place], return_counts=True)
    of_row = sizes[pairs // n_groups]
    most = np.where(pairs % n_groups < n_classes, 2 * counts > of_row, 3 * counts >= 2 * of_row)
    hits: dict[int, _Hit] = {}
    for pair, count in zip(pairs[most].tolist(), counts[most].tolist(), strict=True):
        filter_, group = divmod(pair, n_groups)
        p = _at_least(count, int(sizes[filter_]), float(share[group]))
        known = hits.get(filter_)
        # The class, if any, comes first: no two of them have more than half.
        needed = _TIMES_SURER if known is not None and known.group < n_classes else 1
        if known is None or p * needed < known.p_value:
            hits[filter_] = _Hit(group, count, p)
    return hits


@lru_cache(maxsize=1 << 14)
def _at_least(count: int, images: int, share: float) -> float:
    """Return P(X >= count) for X ~ binomial(images, share)."""
    return fsum(comb(images, k) * share**k * (1 - share) ** (images - k) for k in range(count, images + 1))
