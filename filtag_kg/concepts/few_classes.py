"""Whether a run has enough classes for any of its filters to be coherent, and how many would be needed at least.

Take ten classes with three pairs of one kind. A filter whose two tags are such a pair has p = 1/45, and chance gives
one of the three pairs to 3 of 45 filters. So no filter can be coherent, and that none is tells nothing about the
network. This module computes what the *best* possible filter could reach: all its tags lie below one concept, and it
has as many tags as some filter of the run.

The number of classes needed is a lower bound. It keeps the concepts and adds classes, one by one, that lie below none
of them. Every concept becomes rarer and none is added; a concept above too many classes is tested once it is rare
enough. In practice added classes bring concepts of their own, so more are needed, and one possible coherent filter is
not many.
"""

from __future__ import annotations

from itertools import count
from math import ceil, exp
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.common import CHANCE_P, DRAWS, MIN_IC, adjusted_p_values, p_values
from filtag_kg.concepts.families import LEAST_SUPPORT, families_of, family_name, tested_concepts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.hierarchy import Hierarchy
    from filtag_kg.tags import TagTable


def too_few_classes(needed: int) -> str:
    """Return what to say instead of a number of coherent filters, where there can be none."""
    return f"too few classes to tell: at least {needed} are needed"


def runs_of_few_classes(
    tags: TagTable, isa: Hierarchy, *, min_ic: float = MIN_IC, draws: int = DRAWS, seed: int = 0
) -> dict[str, dict[str, int]]:
    """Return how many classes are needed at least, by rule and family (`family_name`), where there are too few.

    Parameters
    ----------
    isa : Hierarchy
        The concepts above the classes.
    min_ic, draws, seed
        As `common_concepts` takes them.
    """
    families = families_of(isa)
    shape = (len(tags.layer_names), max(tags.n_filters, default=0), len(tags.class_ids))
    needed_by_rule: dict[str, dict[str, int]] = {}
    for index, rule in enumerate(tags.rules):
        of_rule = tags.rule == index
        # A class that tags a filter twice is one tag.
        columns = (tags.layer[of_rule], tags.filter[of_rule], tags.class_[of_rule])
        pairs = np.unique(np.ravel_multi_index(columns, shape))
        n_tags = np.unique(np.unique(pairs // shape[-1], return_counts=True)[1]).tolist()
        needed = {
            family_name(family.relation, family.source, isa.source): classes_needed(
                family.below, n_tags, min_ic=min_ic, draws=draws, seed=seed
            )
            for family in families
        }
        needed_by_rule[rule] = {name: number for name, number in needed.items() if number is not None}
    return needed_by_rule


def classes_needed(
    below: NDArray[np.bool_], n_tags: Sequence[int], *, min_ic: float = MIN_IC, draws: int = DRAWS, seed: int = 0
) -> int | None:
    """Return how many classes a run needs at least; None if it has enough.

    Parameters
    ----------
    below : bool array of shape (n_classes, n_concepts)
        Which class lies at or below which concept, of all concepts of a family, tested or not.
    n_tags : sequence of int
        Numbers of tags that filters of the run have. If none has two, any number from two is allowed.
    min_ic, draws, seed
        As `common_concepts` takes them.
    """
    n_classes = len(below)
    several = [n for n in n_tags if n >= LEAST_SUPPORT] or list(range(LEAST_SUPPORT, n_classes + 1))

    def enough(below: NDArray[np.bool_]) -> bool:
        tested = below[:, tested_concepts(below, min_ic)]
        return least_adjusted_p(tested, several, draws=draws, seed=seed) < CHANCE_P

    if enough(below):
        return None
    if not several or not (below.sum(axis=0) >= LEAST_SUPPORT).any():
        # The added classes may have anything in common: two of them, or one and a present one, could be of one kind,
        # which is tested as soon as two classes are rare enough.
        return max(n_classes + 1, ceil(LEAST_SUPPORT * exp(min_ic) - 1e-9))
    for more in count(1):
        if enough(np.vstack([below, np.zeros((more, below.shape[1]), dtype=np.bool_)])):
            return n_classes + more
    raise AssertionError("count() does not end")


def least_adjusted_p(below: NDArray[np.bool_], n_tags: Sequence[int], *, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the smallest adjusted p-value that a filter could have, exactly enough to compare it with `CHANCE_P`.

    Parameters
    ----------
    below : bool array of shape (n_classes, n_concepts)
        Of the concepts tested.
    n_tags : sequence of int
        Numbers of tags that the filter may have.
    draws, seed
        As `adjusted_p_values` takes them.

    Returns
    -------
    float
        1 where nothing is tested. If the bound alone is below the level, no draws are made.
    """
    n_classes = len(below)
    different = np.unique(below, axis=1)
    sizes = np.unique(different.sum(axis=0)).tolist()
    if not sizes:
        return 1.0
    best: dict[int, float] = {}
    for n in n_tags:
        if not LEAST_SUPPORT <= n <= n_classes:
            continue
        of_sizes = (p_values(size, n, n_classes)[min(size, n)] for size in sizes if size >= LEAST_SUPPORT)
        best[n] = float(min(of_sizes, default=1.0))
        # One number of tags that is enough will do: there may be a thousand to try.
        if (bound := best[n] * len(different[0])) < CHANCE_P:
            return bound
    drawn = (adjusted_p_values(np.array([p]), n, different, draws=draws, seed=seed)[0] for n, p in best.items())
    return float(min(drawn, default=1.0))
