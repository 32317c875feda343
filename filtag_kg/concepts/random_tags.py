"""The smallest p-value among the concepts of randomly drawn classes: the null of the min-p adjustment.

All numbers n of tags are done at once: each draw is a random order of the run's classes, and its first n are a
random set of n classes. One sweep adds a class to every draw at a time and updates the supports, so 200
different n cost little more than the largest of them. Sets of different n share classes, which does not matter
to any one of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


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
    n_classes = len(below)
    if n_tags[-1] > n_classes:
        raise ValueError(f"cannot draw {n_tags[-1]} of {n_classes} classes")
    # p depends only on a concept's size and support, and falls with the support. So the largest support among the
    # concepts of each size is enough.
    sizes, group = np.unique(below.sum(axis=0), return_inverse=True)
    above, groups = _padded(below, group, len(sizes))
    # Rounded up, so that families of tests with other numbers of tags have the same orders, which are made once.
    drawn = _orders(n_classes, min(n_classes, 1 << (n_tags[-1] - 1).bit_length()), draws, seed)
    support = np.zeros((draws, below.shape[1] + 1), dtype=np.int16)
    largest = np.zeros((draws, len(sizes) + 1), dtype=np.int16)
    draw = np.arange(draws)
    smallest: list[NDArray[np.float64]] = []
    needed = set(n_tags)
    for step in range(n_tags[-1]):
        added = drawn[:, step]
        for slot in range(above.shape[1]):
            concept, of_group = above[added, slot], groups[added, slot]
            raised = support[draw, concept] + 1
            support[draw, concept] = raised
            largest[draw, of_group] = np.maximum(largest[draw, of_group], raised)
        if step + 1 in needed:
            smallest.append(_smallest(largest[:, :-1], sizes, step + 1, n_classes, p_values))
    return smallest


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


def _padded(
    below: NDArray[np.bool_], group: NDArray[np.int64], n_groups: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the concepts above each class and their groups, shape (n_classes, most above a class).

    Shorter lists are padded with a concept and a group of their own, which are never read.
    """
    n_classes, n_concepts = below.shape
    width = int(below.sum(axis=1).max(initial=0))
    above = np.full((n_classes, width), n_concepts)
    for row, is_above in enumerate(below):
        columns = np.flatnonzero(is_above)
        above[row, : len(columns)] = columns
    return above, np.append(group, n_groups)[above]


def _smallest(
    largest: NDArray[np.int16],
    sizes: NDArray[np.int64],
    n_tags: int,
    n_classes: int,
    p_values: Callable[[int, int, int], NDArray[np.float64]],
) -> NDArray[np.float64]:
    smallest = np.ones(len(largest))
    for column, size in enumerate(sizes.tolist()):
        p = p_values(size, n_tags, n_classes)
        p[:2] = 1  # A concept of one tag is not common.
        np.minimum(smallest, p[largest[:, column]], out=smallest)
    return np.sort(smallest)
