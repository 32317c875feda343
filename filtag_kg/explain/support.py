"""How much the tags of the active filters support a class, and how likely that is by chance.

::

    X       the active filters that class c tags, over all layers (the support of c)
    N_m     filters of layer m; A_m of them active for the image, T_m of them tagged with c
    rank    expected rank of c among all classes by X, ties in random order: 1 + more + (equal - 1) / 2
    p_filters   P(X' >= X) if in every layer the A_m active filters were drawn at random from its N_m:
                X' = sum_m H_m, independent, H_m ~ hypergeometric(N_m, T_m, A_m); exact, by convolution   [1]_
    p_classes   P(X'' >= X) if c were drawn at random from the KG's classes: the share of classes whose
                X is as large; exact permutation test of one label                                        [2]_

Both are needed. Some filters, the hubs, are active for every image and tagged with nearly every class. They make
nearly every class more frequent than random filters would, so p_filters alone would support all classes. p_classes
compares classes over the same active filters, hubs included, but is small for the first rank even where no class
is more frequent than by chance. So the tags support a class if p_filters <= 0.05 and c is among the best 5 % of the
classes; of fewer than 20 classes, if it alone is the best.

References
----------
.. [1] Rivals et al. 2007, Enrichment or depletion of a GO category within a class of genes; here one test per layer
.. [2] Phipson & Smyth 2010, Permutation p-values should never be zero: the class itself is among those counted
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from filtag_kg.explain.active_filters import TaggedFilters

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Support:
    """How much the tags of an image's active filters support one class.

    Parameters
    ----------
    filters : int
        Active filters that the class tags.
    active : int
        Active filters in all.
    rank : float
        Expected rank of the class among all by `filters`, ties in random order.
    classes : int
        Classes of the KG.
    p_filters : float, in (0, 1]
        Probability of as many if the active filters of each layer were drawn at random.
    p_classes : float, in (0, 1]
        Probability of as many for a class drawn at random.
    """

    class_id: str
    label: str
    filters: int
    active: int
    rank: float
    classes: int
    p_filters: float
    p_classes: float

    @property
    def supported(self) -> bool:
        """Whether so many filters are unlikely by chance, both for random filters and for a random class."""
        return self.p_filters <= _LEVEL and self.p_classes <= max(_LEVEL, 1 / self.classes)


def support_of(filters: TaggedFilters, active: NDArray[np.bool_], class_index: int) -> Support:
    """Return the support of a class.

    Parameters
    ----------
    active : bool array of shape (n_filters,)
        What one image activates.
    class_index : int
        Among the classes of `filters`.
    """
    counts = filters.tagged[active].sum(axis=0)
    count = int(counts[class_index])
    tagged = filters.by_layer(filters.tagged[:, class_index])
    layers = zip(
        np.diff(filters.layer_offsets).tolist(), tagged.tolist(), filters.by_layer(active).tolist(), strict=True
    )
    return Support(
        class_id=filters.class_ids[class_index],
        label=filters.class_labels[class_index],
        filters=count,
        active=int(active.sum()),
        rank=float(expected_ranks(counts)[class_index]),
        classes=len(counts),
        p_filters=p_filters(count, layers),
        p_classes=float((counts >= count).mean()),
    )


def expected_ranks(counts: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each count, 1 for the largest; ties share the mean of their ranks.

    >>> expected_ranks(np.array([3, 5, 3, 0]))
    array([2.5, 1. , 2.5, 4. ])
    """
    _, tie, sizes = np.unique(-counts, return_inverse=True, return_counts=True)
    last_ranks = np.cumsum(sizes)
    return np.asarray((last_ranks - (sizes - 1) / 2)[tie], dtype=np.float64)


def p_filters(count: int, layers: Iterable[tuple[int, int, int]]) -> float:
    """Return P(X >= count) if the active filters of each layer were drawn at random.

    Parameters
    ----------
    count : int
        Active filters with the tag.
    layers : iterable of (filters, filters with the tag, active filters)
        For each layer.

    >>> p_filters(2, [(4, 2, 2)])  # one of the six pairs of four filters
    0.16666666666666666
    """
    distribution = np.ones(1)
    for n_filters, tagged, active in layers:
        if tagged and active:
            distribution = np.convolve(distribution, _hypergeometric(n_filters, tagged, active))
    # Summed from the small end for accuracy; rounding must not exceed 1.
    return min(1.0, float(distribution[count:][::-1].sum()))


@lru_cache(maxsize=4096)
def _hypergeometric(n_filters: int, tagged: int, active: int) -> NDArray[np.float64]:
    """Return P(H = i) for i = 0 … min(tagged, active), in whole numbers up to the last division."""
    draws = comb(n_filters, active)
    counts = range(min(tagged, active) + 1)
    return np.array([comb(tagged, i) * comb(n_filters - tagged, active - i) / draws for i in counts])
