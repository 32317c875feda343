"""Split what a filter responds to into two parts that have nothing to do with each other: cats and cars.

The classes that *clearly* activate a filter are those with a contrast of 1.5 or more. A filter is *mixed* if two groups
of them are each more alike than chance would give, and unrelated::

    N classes, n of them clearly activate the filter
    first part   the concept with the smallest hypergeometric p of n among N, as for tags (`filtag_kg.concepts.common`);
                 its classes are the clear ones at or below it. q_1: Benjamini and Hochberg's, over all filters with
                 n >= 2, of its adjusted p. A filter with q_1 < 0.05 has a theme, and is tested for a second one
    unrelated    the N' classes that neither concepts nor the network connect with the first part's concept: they share
                 no tested concept with a class below it, and their contrasts over the other filters of the layer have
                 a mean cosine of at most 0 with those of the classes below it
    second part  the concept with the smallest p of the n' clear ones among the N' unrelated classes. Adjusted p: that
                 of the best concept of n' classes drawn at random from the unrelated ones [1]_
    q_2          Benjamini and Hochberg's, over the filters with a theme, of the second part's adjusted p: the filter is
                 mixed if it is below 0.05
    share        the part's contrast, summed over its classes, of that of all n
    mixedness    twice the smaller share, in [0, 1]: 1 if two equally strong parts are all that the filter responds to

The null hypothesis of the second test is that a filter has one theme, and whatever else activates it is a random choice
among the classes that have nothing to do with this theme. So neither a filter with one theme is mixed, nor one with
none, which fails the first test already. Given the first part, the second p-value is uniform or larger under the null;
that only filters with a theme are tested therefore does not change its level [2]_.

Both conditions of *unrelated* are needed. A filter for blue responds to sharks and to ships: WordNet sees two things,
the layer one. Without the second condition filters of a network with random weights pass for mixed, since what looks
alike to it crosses all kinds. The filter itself is left out, because the classes that activate it are alike to it.

References
----------
.. [1] Westfall & Young 1993, Resampling-Based Multiple Testing, as in `filtag_kg.concepts.common`
.. [2] Bourgon, Gentleman & Huber 2010, Independent filtering increases detection power for high-throughput experiments
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.common import (
    CHANCE_P,
    COHERENT_Q,
    DRAWS,
    MIN_IC,
    adjusted_by_draws,
    known_by_name,
    p_values,
    q_values,
)
from filtag_kg.concepts.families import LEAST_SUPPORT, Family, families_of, information_content, tested_concepts
from filtag_kg.concepts.few_classes import classes_needed
from filtag_kg.concepts.random_tags import smallest_p_values
from filtag_kg.names import name_in_path, part_of_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.hierarchy import Hierarchy

CLEAR_CONTRAST = 1.5
"""A class activates a filter clearly if its contrast is as high, in standard deviations over the classes."""

_WORTH_ADJUSTING = 0.01
"""A larger p-value of the best of several concepts is not small once it is adjusted for their number."""
_ROUNDING = 1e-9
"""What remains of a squared norm when all of it is subtracted, relative to it."""


@dataclass(frozen=True, slots=True)
class MixedPart:
    """One of the two parts of what a filter responds to: a row of ``mixed.csv``.

    `part` is 1 or 2. `class_ids` are its classes, the highest contrast first, percent-encoded and separated by spaces.
    `clear` is the number of classes that activate the filter clearly. `q_value` is the filter's: of part 1 for having a
    theme, of part 2 for being mixed.
    """

    layer: str
    filter: int
    part: int
    concept: str
    label: str
    class_ids: str
    clear: int
    share: float
    p_adjusted: float
    q_value: float

    @property
    def classes(self) -> tuple[str, ...]:
        """The ids of its classes, the highest contrast first."""
        return tuple(map(name_in_path, self.class_ids.split()))


@dataclass(frozen=True, slots=True, eq=False)
class MixedFilters:
    """The filters of a network that respond to two things, and which were tested.

    Parameters
    ----------
    parts : tuple of MixedPart
        Both parts of each filter whose second one is beyond chance by itself (adjusted p < 0.05); by layer index,
        filter and part. The filter is mixed if the q-value of the second is below 0.05.
    columns : int64 array of shape (n_tested,)
        The filters with a theme, which were tested for a second one.
    p : float64 array of shape (n_tested,)
        Adjusted p-value of the second part; 1 where no concept is common to two unrelated classes, or where the
        p-value is not small enough to be adjusted.
    classes_needed : int or None
        How many classes are needed at least for any filter to have a theme, where there are too few.
    """

    parts: tuple[MixedPart, ...]
    columns: NDArray[np.int64]
    p: NDArray[np.float64]
    classes_needed: int | None = None


def mixedness(first: MixedPart, second: MixedPart) -> float:
    """Return twice the smaller share of two parts, in [0, 1]."""
    return min(1.0, 2 * min(first.share, second.share))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The best concept of some classes of a filter: its column, the classes' rows, and its adjusted p."""

    concept: int
    classes: NDArray[np.int64]
    p: float


def mixed_filters(
    contrast: NDArray[np.float64],
    layer_names: Sequence[str],
    layer_offsets: NDArray[np.int64],
    class_ids: Sequence[str],
    isa: Hierarchy,
    *,
    min_ic: float = MIN_IC,
    draws: int = DRAWS,
    seed: int = 0,
) -> MixedFilters:
    """Find the filters that respond to two unrelated things.

    Parameters
    ----------
    contrast : float64 array of shape (n_classes, n_filters)
        How many standard deviations above its mean over the classes each class activates each filter.
    layer_names : sequence of str, of length n_layers
    layer_offsets : int64 array of shape (n_layers + 1,)
        The filters of layer m are the columns ``layer_offsets[m]:layer_offsets[m + 1]``.
    class_ids : sequence of str, of length n_classes
    isa : Hierarchy
        The concepts above these classes.
    min_ic, draws, seed
        As `common_concepts` takes them.

    Raises
    ------
    ValueError
        If contrast, class ids and hierarchy are not of the same classes.
    """
    if set(class_ids) != set(isa.class_ids) or len(contrast) != len(class_ids):
        raise ValueError("contrast, class ids and hierarchy must have the same classes")
    # By id, so the order of the classes changes neither draws nor ties.
    order = sorted(range(len(class_ids)), key=class_ids.__getitem__)
    ids = [class_ids[row] for row in order]
    contrast = contrast[order]
    family = families_of(isa)[0]
    row_of = {class_id: row for row, class_id in enumerate(isa.class_ids)}
    kinds = _Kinds.of(family, np.array([row_of[class_id] for class_id in ids], dtype=np.int64), min_ic)
    clear = contrast >= CLEAR_CONTRAST
    n_clear = clear.sum(axis=0)
    needed = classes_needed(kinds.all_below, np.unique(n_clear).tolist(), min_ic=min_ic, draws=draws, seed=seed)
    if needed is not None:
        return MixedFilters((), np.zeros(0, dtype=np.int64), np.zeros(0), needed)
    several = np.flatnonzero(n_clear >= LEAST_SUPPORT)
    first, q_first = _first_parts(clear, several, kinds, draws, seed)
    tested = several[q_first < COHERENT_Q]
    layers = _Layers(contrast, clear, layer_offsets)
    second = dict(_second_parts(layers, {column: first[column] for column in tested.tolist()}, kinds, draws, seed))
    p = np.array([second[column].p if column in second else 1.0 for column in tested.tolist()])
    parts = []
    q_of_both = zip(tested.tolist(), q_first[q_first < COHERENT_Q].tolist(), q_values(p).tolist(), strict=True)
    for column, q_theme, q_mixed in q_of_both:
        if column not in second or second[column].p >= CHANCE_P:
            continue
        layer = int(layers.of[column])
        total = float(contrast[clear[:, column], column].sum())
        for number, part, q_value in ((1, first[column], q_theme), (2, second[column], q_mixed)):
            of_part = contrast[part.classes, column]
            best_first = part.classes[np.argsort(-of_part, kind="stable")]
            concept = family.concepts[kinds.columns[part.concept]]
            row = MixedPart(
                layer=layer_names[layer],
                filter=column - int(layer_offsets[layer]),
                part=number,
                concept=concept.id,
                label=concept.label,
                class_ids=" ".join(part_of_path(ids[index]) for index in best_first.tolist()),
                clear=int(n_clear[column]),
                share=min(1.0, float(of_part.sum()) / total),
                p_adjusted=part.p,
                q_value=q_value,
            )
            parts.append(row)
    return MixedFilters(tuple(parts), tested, p)


@dataclass(frozen=True, slots=True, eq=False)
class _Kinds:
    """The concepts tested: which class lies at or below which, and their columns in the family.

    `all_below` is of all the family's concepts, tested or not.
    """

    all_below: NDArray[np.bool_]
    columns: NDArray[np.int64]
    below: NDArray[np.bool_]
    ic: NDArray[np.float64]
    familiar: NDArray[np.bool_]

    @classmethod
    def of(cls, family: Family, rows: NDArray[np.int64], min_ic: float) -> _Kinds:
        columns = tested_concepts(family.below, min_ic)
        below = family.below[rows]
        return cls(below, columns, below[:, columns], information_content(below)[columns], family.familiar[columns])

    def part(self, concept: int, classes: NDArray[np.int64], p: float) -> _Part:
        """Return the part of some of a filter's classes that lie below a concept, which people know by its name."""
        own = self.below[classes]
        named = known_by_name(concept, own, self.ic, self.familiar)
        return _Part(named, classes[own[:, named]], p)


def _first_parts(
    clear: NDArray[np.bool_], several: NDArray[np.int64], kinds: _Kinds, draws: int, seed: int
) -> tuple[dict[int, _Part], NDArray[np.float64]]:
    """Return the first part of filters, by column, and their q-values."""
    best, smallest = _best_concepts(clear[:, several], kinds.below)
    n_clear = clear[:, several].sum(axis=0)
    different = np.unique(kinds.below, axis=1)
    needed = np.unique(n_clear).tolist()
    nulls = dict(zip(needed, smallest_p_values(different, needed, p_values, draws=draws, seed=seed), strict=True))
    adjusted = np.ones(len(several))
    for n, null in nulls.items():
        adjusted[n_clear == n] = adjusted_by_draws(null, smallest[n_clear == n], different.shape[1])
    parts = {
        column: kinds.part(concept, np.flatnonzero(clear[:, column]), p)
        for column, concept, p in zip(several.tolist(), best.tolist(), adjusted.tolist(), strict=True)
        if concept >= 0
    }
    return parts, q_values(adjusted)


class _Layers:
    """Which classes activate which filters how much, and how alike the classes are to the other filters of a layer.

    Attributes
    ----------
    clear : bool array of shape (n_classes, n_filters)
    """

    def __init__(self, contrast: NDArray[np.float64], clear: NDArray[np.bool_], offsets: NDArray[np.int64]) -> None:
        self.clear = clear
        self.of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        """The layer of each filter."""
        self._contrast = contrast
        by_layer = (contrast[:, start:stop] for start, stop in pairwise(offsets.tolist()))
        self._products = [layer @ layer.T for layer in by_layer]

    def unlike(self, column: int, theme: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which classes are not alike to those of a theme, for the other filters of a filter's layer.

        Their contrasts have a mean cosine of at most 0 with those of the theme's classes. Of a class without any
        contrast there it is not known: so in a layer of one filter no class is unlike another.
        """
        products, own = self._products[self.of[column]], self._contrast[:, column]
        squares = np.diagonal(products) - own**2
        known = squares > _ROUNDING * np.diagonal(products)
        theme = theme[known[theme]]
        if not theme.size:
            return np.zeros(len(own), dtype=np.bool_)
        norm = np.sqrt(np.where(known, squares, np.inf))
        cosines = (products[:, theme] - np.outer(own, own[theme])) / np.outer(norm, norm[theme])
        # Rounded, because machines differ in the last digits, which must not decide what is above 0.
        unlike: NDArray[np.bool_] = known & (np.round(cosines.mean(axis=1), 9) <= 0)
        return unlike


def _second_parts(
    layers: _Layers, first: Mapping[int, _Part], kinds: _Kinds, draws: int, seed: int
) -> Iterator[tuple[int, _Part]]:
    """Yield the second part of each filter that may have one, with its column."""
    # In how many ways a class shares a concept with one below another concept; float64 for a fast, exact product.
    below = kinds.below.astype(np.float64)
    shared = below @ (below.T @ below)
    for column, part in first.items():
        theme = np.flatnonzero(kinds.below[:, part.concept])
        rows = np.flatnonzero((shared[:, part.concept] == 0) & layers.unlike(column, theme))
        own = layers.clear[rows, column]
        n_clear = int(own.sum())
        if n_clear < LEAST_SUPPORT:
            continue
        pool = kinds.below[rows]
        (best,), p = _best_concepts(own[:, None], pool)
        if p[0] < _WORTH_ADJUSTING:
            different = {column.tobytes() for column in pool.T if column.sum() >= LEAST_SUPPORT}
            as_small = _draws_as_surprising(pool, n_clear, float(p[0]), draws, seed)
            adjusted = min((1 + as_small) / (1 + draws), len(different) * float(p[0]))
            yield column, kinds.part(int(best), rows[own], adjusted)


def _best_concepts(clear: NDArray[np.bool_], below: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the concept with the smallest p-value for each filter, and that p; -1 and 1 where none is common.

    Parameters
    ----------
    clear : bool array of shape (n_classes, n_filters)
    below : bool array of shape (n_classes, n_concepts)
    """
    n_classes = len(below)
    sizes, group = np.unique(below.sum(axis=0), return_inverse=True)
    # float64, because counts stay exact there and booleans would give a logical or.
    supports = (clear.T.astype(np.float64) @ below).astype(np.int64)
    n_clear = clear.sum(axis=0)
    best, smallest = np.full(len(n_clear), -1), np.ones(len(n_clear))
    for n in np.unique(n_clear).tolist():
        of_n = np.flatnonzero(n_clear == n)
        tails = np.ones((len(sizes), n + 1))
        for row, size in enumerate(sizes.tolist()):
            tail = p_values(size, n, n_classes)
            tails[row, LEAST_SUPPORT : len(tail)] = tail[LEAST_SUPPORT:]
        p = tails[group, supports[of_n]]
        if p.shape[1]:
            # The first of tied concepts, which is the more specific.
            index = p.argmin(axis=1)
            smallest[of_n] = p[np.arange(len(of_n)), index]
            best[of_n] = np.where(supports[of_n, index] >= LEAST_SUPPORT, index, -1)
    return best, smallest


def _draws_as_surprising(below: NDArray[np.bool_], n_drawn: int, p: float, draws: int, seed: int) -> int:
    """Return how many random sets of classes have a concept with at most this p-value.

    The null is that of `smallest_p_values`. For a single p-value it takes a small part of the time: whether a concept
    has one as small depends on its support alone, and most concepts are too small for it.
    """
    n_classes = len(below)
    sizes, group = np.unique(below.sum(axis=0), return_inverse=True)
    needed = np.full(len(sizes), n_drawn + 1)
    for index, size in enumerate(sizes.tolist()):
        enough = np.flatnonzero(p_values(size, n_drawn, n_classes)[LEAST_SUPPORT:] <= p)
        if enough.size:
            needed[index] = LEAST_SUPPORT + enough[0]
    support_needed = needed[group]
    large = support_needed <= n_drawn
    counted = np.uint8 if n_drawn < 256 else np.uint16
    above = np.ascontiguousarray(below[:, large]).astype(counted)
    support = np.zeros((draws, above.shape[1]), dtype=counted)
    for drawn in _draws_without_return(n_classes, n_drawn, draws, seed):
        support += above[drawn]
    return int((support >= support_needed[large].astype(counted)).any(axis=1).sum())


@lru_cache(maxsize=512)
def _draws_without_return(n_classes: int, n_drawn: int, draws: int, seed: int) -> NDArray[np.int16]:
    """Return random classes, no class twice in a draw, of shape (n_drawn, draws): Fisher and Yates's shuffle."""
    random = np.random.default_rng([seed, n_classes])
    left = np.tile(np.arange(n_classes, dtype=np.int16)[:, None], draws)
    columns = np.arange(draws)
    for step in range(n_drawn):
        chosen = random.integers(step, n_classes, size=draws)
        drawn = left[chosen, columns]
        left[chosen, columns] = left[step]
        left[step] = drawn
    return left[:n_drawn].copy()
