"""The smallest p-value among the concepts of randomly drawn classes: the null of the min-p adjustment.

All numbers n of tags are done at once: each draw is a random order of the run's classes, and its first n are a
random set of n classes. Sets of different n share classes, which does not matter to any one of them.

p depends only on a concept's number of classes and on its support, and falls with the support. So of all concepts
above equally many classes the one with the largest support is enough, and of each order only the places matter at which
this largest support rises: to k where one of these concepts has its k-th class first.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.families import LEAST_SUPPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_PLACES = 1 << 25
"""Classes of draws in memory at once."""


def smallest_p_values(
    below: NDArray[np.bool_],
    n_tags: Sequence[int],
    p_values: Callable[[int, int, int], NDArray[np.float64]],
    *,
    draws: int,
    seed: int,
) -> list[NDArray[np.float64]]:
    """Return the smallest p-value of each draw, for each number of tags.

    Parameters
    ----------
    below : bool array of shape (n_classes, n_concepts)
        Which class lies at or below which concept, of the concepts tested.
    n_tags : sequence of int, rising
        Numbers of classes to draw.
    p_values : callable
        K, n, N -> the p-value of each support.
    draws, seed : int
        Number of draws, and the seed of their random generator.

    Returns
    -------
    list of float64 arrays of shape (draws,)
        Sorted, one for each number of tags. 1 for a draw without a concept that two of its classes share.
    """
    if not len(n_tags):
        return []
    n_classes, most = len(below), n_tags[-1]
    if most > n_classes:
        raise ValueError(f"cannot draw {most} of {n_classes} classes")
    # Rounded up, so that families of tests with other numbers of tags have the same orders, which are made once.
    drawn = _orders(n_classes, min(n_classes, 1 << (most - 1).bit_length()), draws, seed)
    smallest = np.ones((len(n_tags), draws))
    sizes = below.sum(axis=0)
    n_at_once = max(1, _PLACES // n_classes)
    for start in range(0, draws, n_at_once):
        block = slice(start, start + n_at_once)
        place = _places(drawn[block, :most], n_classes)
        for size in np.unique(sizes[sizes >= LEAST_SUPPORT]).tolist():
            concepts = [np.flatnonzero(below[:, concept]) for concept in np.flatnonzero(sizes == size)]
            rises = iter(_rises(place, concepts, most))
            largest = np.zeros(len(place), dtype=place.dtype)
            for n, n_more, of_n in zip(n_tags, np.diff(n_tags, prepend=0).tolist(), smallest[:, block], strict=True):
                for rise in islice(rises, n_more):
                    largest += rise
                p = p_values(size, n, n_classes)
                p[:LEAST_SUPPORT] = 1  # A concept of one tag is not common.
                np.minimum(of_n, p.take(largest), out=of_n)
    smallest.sort(axis=1)
    return list(smallest)


def _places(drawn: NDArray[np.int32], n_classes: int) -> NDArray[np.unsignedinteger]:
    """Return where in its order a draw has each class, shape (draws, n_classes); the number drawn if it has it not."""
    most = drawn.shape[1]
    places = np.full((len(drawn), n_classes), most, dtype=np.min_scalar_type(most))
    np.put_along_axis(places, drawn, np.arange(most, dtype=places.dtype)[None], axis=1)
    return places


def _rises(
    place: NDArray[np.unsignedinteger], concepts: Sequence[NDArray[np.int64]], most: int
) -> NDArray[np.unsignedinteger]:
    """Return whether the largest support among concepts rises at each place of each draw, as 0 or 1.

    Parameters
    ----------
    place : array of shape (draws, n_classes)
        Where in its order a draw has each class; `most` if it has it not.
    concepts : sequence of int64 arrays of shape (size,)
        The classes of each concept.

    Returns
    -------
    array of shape (most, draws), of the type of `place`
    """
    draws = len(place)
    earliest = np.sort(place.take(concepts[0], axis=1), axis=1)
    for classes in concepts[1:]:
        np.minimum(earliest, np.sort(place.take(classes, axis=1), axis=1), out=earliest)
    rises = np.zeros((most + 1, draws), dtype=place.dtype)
    rises[earliest, np.arange(draws)[:, None]] = 1
    return rises[:most]


@lru_cache(maxsize=2)
def _orders(n_classes: int, n_drawn: int, draws: int, seed: int) -> NDArray[np.int32]:
    """Return the first `n_drawn` classes of `draws` random orders, the same ones whatever `n_drawn` is."""
    random = np.random.default_rng(seed)
    first = [
        random.permuted(np.tile(np.arange(n_classes, dtype=np.int32), (min(1000, draws - start), 1)), axis=1)[
            :, :n_drawn
        ].copy()
        for start in range(0, draws, 1000)
    ]
    return np.concatenate([np.zeros((0, n_drawn), dtype=np.int32), *first])
