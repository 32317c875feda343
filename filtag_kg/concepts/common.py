"""Coarsen the tags of each filter to the concepts they have in common.

::

    N classes of the run, K of them at or below concept c
    n tags of the filter, k of them at or below c (the support)
    coverage  k / n, in (0, 1]; a class without a link counts in n and N and lies below nothing
    ic        -ln(K / N), in nats: 0 for a concept above every class                                      [1]_
    p-value   P(X >= k), X ~ hypergeometric(N, K, n) = sum_{i=k}^{min(K,n)} C(K,i) C(N-K,n-i) / C(N,n)    [2]_
    adjusted  P(min over concepts of p <= this p) for n classes drawn at random from the run's: one test
              per filter, exact in its dependence (nested concepts share tags); depends on n alone        [3]_
              estimated from draws, of which no share is below 1 / (draws + 1); where the bound
              m p is smaller, that one: m tested concepts with different classes below them
    q-value   the filter's: over the filters' smallest adjusted p, of the i-th smallest of m:
              min(1, min_{j>=i} m p_(j) / j)                                                              [4]_
    concepts tested: K >= 2 and ic >= min_ic, chosen without looking at k; common to a filter's tags: k >= 2
    choice    first the common concept with the smallest p, which is what the filter's test is about; drop its
              tags; then that with the largest ic x share of tags not yet covered, drop its tags, repeat;
              ties to the more specific (more concepts above it), then to the lower IRI. If people do not know its
              name (*placental*), instead the best whose name they know of those with the same tags and at most a
              tenth more classes (*mammal*); its p is not smaller, so the test still holds
    families: kinds are one family of tests, parts another, and so on, of each source: K and k count the classes that
              have c

The correction is per filter, not per pair: over all filter-concept pairs, Benjamini-Hochberg is either biased
(if only pairs that share a tag count, which were selected by looking at k) or nearly powerless (if all
count). So each filter is tested once, by its best concept. The m tests of a rule are its filters with two or
more tags; one of them whose tags have no common concept counts with p = 1. Each rule is a run of its own and
corrected alone. The q-value belongs to the filter's first concept, which is the one that was tested; the others
have their adjusted p-values alone.

The bound holds because P(p <= t) <= t for each concept, so that the chance that the smallest of m is at most t is at
most m t. Concepts with the same classes below them always have the same p: they are one test, and m counts them once.
Both numbers fall with p, so taking the smaller one moves no filter before another. It needs no draws to be small: one
filter with six dogs of six is found among 12,000, which takes an adjusted p of 4e-6.

Taking the largest ic x share first, too, would call the ten dogs of a filter *hunting dog* for eight of them,
and report first another concept than the one that was tested. Without the rule for ties the higher of two
concepts with the same classes could win: *constrictor*, where all constrictors of the run are boas.

References
----------
.. [1] Resnik 1995, Using Information Content to Evaluate Semantic Similarity in a Taxonomy; the corpus
       here is the run's classes
.. [2] Rivals et al. 2007, Enrichment or depletion of a GO category within a class of genes
.. [3] Westfall & Young 1993, Resampling-Based Multiple Testing; 1 added to both counts: Phipson & Smyth 2010
.. [4] Benjamini & Hochberg 1995, Controlling the False Discovery Rate
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from math import log
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.families import LEAST_SUPPORT, Family, families_of, information_content, tested_concepts
from filtag_kg.concepts.random_tags import smallest_p_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.hierarchy import Hierarchy
    from filtag_kg.concepts.links import Links
    from filtag_kg.tags import TagTable

COHERENT_Q = 0.05
"""Filters with a q-value below this are coherent, as everywhere where no other level is asked for."""
MIN_IC = log(4)
"""Least information content of a concept that is tested, in nats: it is above a quarter of the classes at most."""
DRAWS = 10_000
"""Random sets of classes behind the adjusted p-values."""

_TENTH = log(1.1) + 1e-12
"""Information content that a concept has less with a tenth more classes below it, in nats."""

CHANCE_P = 0.05
"""Concepts with an adjusted p-value of this or more are not beyond chance."""


@dataclass(frozen=True, slots=True)
class CommonConcept:
    """A concept that several tags of one filter share, as a kind or by `relation`: a row of ``common.csv``.

    `source` names the concept source that says so. `q_value` is the filter's for that relation and source, so it stands
    with the first concept (`rank` 1) alone. The others have their own `p_adjusted`.
    """

    rule: str
    layer: str
    filter: int
    concept: str
    label: str
    relation: str
    source: str
    coverage: float
    support: int
    tags: int
    ic: float
    p_value: float
    p_adjusted: float
    q_value: float | None
    rank: int

    def is_kind(self, source: str) -> bool:
        """Return whether it is a kind in the hierarchy, which is of this source; any other is a feature."""
        return self.relation == "IsA" and self.source == source

    def coherent(self, q: float = COHERENT_Q) -> bool:
        """Return whether this is what makes its filter coherent: the first concept, with a q-value below `q`."""
        return self.q_value is not None and self.q_value < q

    def beyond_chance(self, q: float = COHERENT_Q) -> bool:
        """Return whether tags share it beyond chance: the first by the filter's q-value, others by their adjusted p."""
        return self.p_adjusted < CHANCE_P if self.q_value is None else self.q_value < q


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter with two or more tags, and the concepts that were chosen for it, the first one first.

    `concepts` are columns of tested concepts, and `p` and `support` belong to them.
    """

    layer: int
    filter: int
    n_tags: int
    concepts: tuple[int, ...]
    p: NDArray[np.float64]
    support: NDArray[np.int64]


def common_concepts(
    tags: TagTable,
    links: Links,
    isa: Hierarchy,
    *,
    most: int = 5,
    min_ic: float = MIN_IC,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[CommonConcept]:
    """Return the common concepts of the filters of each rule, by rule, relation, source, layer index, filter and rank.

    The kinds of the hierarchy (*IsA*) come first, then kinds that other sources state, then what things of these kinds
    have, are made of and so on, including what they inherit. Each relation of a source is a family of its own, tested
    and corrected alone.

    A class that tags a filter twice counts once.

    Parameters
    ----------
    tags : TagTable
        The tags.
    links : Links
        The links of the classes, from which `isa` was built.
    isa : Hierarchy
        The concepts above the classes.
    most : int
        At most so many concepts of a filter.
    min_ic : float, in nats
        Least information content of a concept that is tested; the default leaves out those above more than a
        quarter of the classes.
    draws : int
        Random sets of classes for the adjusted p-values.
    seed : int
        Seed of the draws.

    Raises
    ------
    ValueError
        If the tags, the links and the hierarchy are not of the same classes.
    """
    if not set(tags.class_ids) == set(isa.class_ids) == set(links.class_ids):
        raise ValueError("tags, links and hierarchy must have the same classes")
    by_family = [_of_family(tags, isa.class_ids, family, most, min_ic, draws, seed) for family in families_of(isa)]
    return [row for of_rule in zip(*by_family, strict=True) for rows in of_rule for row in rows]


def _of_family(
    tags: TagTable, class_ids: Sequence[str], family: Family, most: int, min_ic: float, draws: int, seed: int
) -> list[list[CommonConcept]]:
    """Return the common concepts of one family, of each rule."""
    row_of = {class_id: row for row, class_id in enumerate(class_ids)}
    rows = np.array([row_of[class_id] for class_id in tags.class_ids], dtype=np.int64)
    ic = information_content(family.below)
    tested = tested_concepts(family.below, min_ic)
    # Sorted by id, so the order of the classes does not change the draws.
    order = np.argsort(np.array(class_ids))
    # Concepts above the same classes have the same p: one of them is enough.
    null_below = np.unique(family.below[order][:, tested], axis=1)
    below = family.below[rows][:, tested]
    by_rule = [
        list(_filters(tags, rule, below, ic[tested], family.familiar[tested], most)) for rule in range(len(tags.rules))
    ]
    needed = sorted({filter_.n_tags for filter_ in chain.from_iterable(by_rule) if filter_.concepts})
    nulls = dict(zip(needed, smallest_p_values(null_below, needed, p_values, draws=draws, seed=seed), strict=True))
    common: list[list[CommonConcept]] = []
    for rule, filters in zip(tags.rules, by_rule, strict=True):
        adjusted = [
            adjusted_by_draws(nulls[filter_.n_tags], filter_.p, null_below.shape[1]).tolist()
            if filter_.concepts
            else [1.0]
            for filter_ in filters
        ]
        q = q_values(np.array([p[0] for p in adjusted]))
        rows_of_rule = []
        for filter_, p_adjusted, q_value in zip(filters, adjusted, q.tolist(), strict=True):
            columns = zip(filter_.concepts, filter_.p.tolist(), p_adjusted, filter_.support.tolist(), strict=False)
            for rank, (concept, p, p_of_draws, support) in enumerate(columns, start=1):
                column = tested[concept]
                row = CommonConcept(
                    rule=rule,
                    layer=tags.layer_names[filter_.layer],
                    filter=filter_.filter,
                    concept=family.concepts[column].id,
                    label=family.concepts[column].label,
                    relation=family.relation,
                    source=family.source,
                    coverage=support / filter_.n_tags,
                    support=support,
                    tags=filter_.n_tags,
                    ic=float(ic[column]),
                    p_value=p,
                    p_adjusted=p_of_draws,
                    q_value=q_value if rank == 1 else None,
                    rank=rank,
                )
                rows_of_rule.append(row)
        common.append(rows_of_rule)
    return common


@lru_cache(maxsize=1 << 16)
def _tail(below: int, tags: int, classes: int) -> NDArray[np.float64]:
    # K and n may change places; the smaller one as n makes smaller numbers.
    below, tags = max(below, tags), min(below, tags)
    # Whole numbers, so that sums are exact and the bytes the same everywhere. Each term follows from the
    # last: C(K,i) C(N-K,n-i) = C(K,i-1) C(N-K,n-i+1) x (K-i+1)(n-i+1) / (i (N-K-n+i)).
    least = max(0, tags - (classes - below))
    terms = [math.comb(below, least) * math.comb(classes - below, tags - least)]
    for i in range(least + 1, tags + 1):
        terms.append(terms[-1] * ((below - i + 1) * (tags - i + 1)) // (i * (classes - below - tags + i)))
    total = math.comb(classes, tags)
    tails = [tail / total for tail in accumulate(reversed(terms))]
    return np.array([1.0] * least + tails[::-1])


def p_values(below: int, tags: int, classes: int) -> NDArray[np.float64]:
    """Return P(X >= k) for every support k, of X ~ hypergeometric.

    Parameters
    ----------
    below : int
        K, the classes at or below the concept.
    tags : int
        n, the tags of the filter.
    classes : int
        N, the classes of the run.

    Returns
    -------
    float64 array of shape (min(K, n) + 1,)
        The p-value of each k from 0, never rising.

    Examples
    --------
    Of eight classes three are dogs, and so are all three tags of a filter:

    >>> float(p_values(3, 3, 8)[3]) == 1 / 56
    True
    """
    if not (0 <= below <= classes and 0 <= tags <= classes):
        raise ValueError(f"K = {below} and n = {tags} must be between 0 and N = {classes}")
    return _tail(below, tags, classes).copy()


def adjusted_p_values(
    p: NDArray[np.float64], tags: int, below: NDArray[np.bool_], *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Return the chance that the best concept of as many random classes is as surprising as each p-value.

    Parameters
    ----------
    p : float64 array of shape (m,)
        P-values of concepts of filters with `tags` tags.
    tags : int
        n, the tags of the filter.
    below : bool array of shape (n_classes, n_concepts)
        Which class lies at or below which concept, of the concepts tested.
    draws, seed : int
        Random sets of n classes to compare with, and the seed they are drawn with.

    Returns
    -------
    float64 array of shape (m,), in (0, 1]
        (1 + draws whose smallest p is at most this p) / (1 + draws), or the number of concepts × this p where that is
        smaller. Concepts with the same classes below them count once; one above a single class is common to no tags.
    """
    different = np.unique(below[:, below.sum(axis=0) >= LEAST_SUPPORT], axis=1)
    (smallest,) = smallest_p_values(different, [tags], p_values, draws=draws, seed=seed)
    return adjusted_by_draws(smallest, p, different.shape[1])


def q_values(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the q-values of p-values by Benjamini and Hochberg, shape (m,) to (m,), in the order given.

    Examples
    --------
    >>> q_values(np.array([0.01, 0.04, 0.03, 0.005])).tolist()
    [0.02, 0.04, 0.04, 0.02]
    """
    m = len(p)
    if not m:
        return np.zeros(0)
    order = np.argsort(p, kind="stable")
    # max: m p / j may round to a hair below p, and q >= p must hold.
    scaled = np.maximum(m * p[order] / np.arange(1, m + 1), p[order])
    q = np.empty(m)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return q


def adjusted_by_draws(smallest: NDArray[np.float64], p: NDArray[np.float64], n_concepts: int) -> NDArray[np.float64]:
    """Return the adjusted p-values, given the smallest p of each draw, sorted, and the number of concepts."""
    as_small = np.searchsorted(smallest, p, side="right")
    return np.minimum((1 + as_small) / (1 + len(smallest)), n_concepts * p)


def _filters(
    tags: TagTable,
    rule: int,
    below: NDArray[np.bool_],
    ic: NDArray[np.float64],
    familiar: NDArray[np.bool_],
    most: int,
) -> Iterator[_Filter]:
    """Yield the filters of a rule with two or more tags, by layer index and filter.

    `below`, `ic` and `familiar` are of the tested concepts, in the order of the table's classes.
    """
    n_classes = len(below)
    sizes, group = np.unique(below.sum(axis=0), return_inverse=True)
    # Whole numbers of few bytes, which sum fast.
    counts = below.astype(np.min_scalar_type(n_classes))
    # Floating-point numbers have the fast product; whole numbers to 2**24 are exact in float32.
    factors = below.astype(np.float32)
    for layer, n_filters in enumerate(tags.n_filters):
        of_layer = np.flatnonzero((tags.rule == rule) & (tags.layer == layer))
        tagged = np.zeros((n_filters, n_classes), dtype=np.bool_)
        tagged[tags.filter[of_layer], tags.class_[of_layer]] = True
        n_tags = tagged.sum(axis=1)
        several = np.flatnonzero(n_tags >= LEAST_SUPPORT)
        supports = (tagged[several].astype(np.float32) @ factors).astype(np.int64)
        for support, filter_ in zip(supports, several.tolist(), strict=True):
            n = int(n_tags[filter_])
            tails = [_tail(size, n, n_classes) for size in sizes.tolist()]
            starts = np.cumsum([0, *map(len, tails[:-1])])
            # Where no concept is tested, there are no tails.
            p = np.concatenate([np.empty(0), *tails])[starts[group] + support]
            chosen = _choice(counts[tagged[filter_]], support, p, ic, familiar, most)
            yield _Filter(layer, filter_, n, chosen, p[list(chosen)], support[list(chosen)])


def _choice(
    own: NDArray[np.unsignedinteger],
    support: NDArray[np.int64],
    p: NDArray[np.float64],
    ic: NDArray[np.float64],
    familiar: NDArray[np.bool_],
    most: int,
) -> tuple[int, ...]:
    """Return the columns of the common concepts that best cover a filter's tags.

    `own` has the shape (n_tags, n_concepts): 1 where the tag lies at or below the concept. `support` is its sum, and
    at least two for a concept that is common.
    """
    common = support >= LEAST_SUPPORT
    if not common.any():
        return ()
    ic = np.where(common, ic, 0)
    chosen: list[int] = []
    uncovered = np.ones(len(own), dtype=np.bool_)
    while len(chosen) < most:
        # The denominator of the share is the same for all; argmin and argmax take the first of tied concepts.
        score = ic * support
        best = int(np.argmax(score) if chosen else np.argmin(np.where(common, p, np.inf)))
        if score[best] <= 0:
            break
        best = known_by_name(best, own, ic, familiar)
        chosen.append(best)
        covers = own[:, best] > 0
        support = support - own[covers & uncovered].sum(axis=0, dtype=own.dtype)
        uncovered &= ~covers
    return tuple(chosen)


def known_by_name(
    concept: int,
    own: NDArray[np.bool_] | NDArray[np.unsignedinteger],
    ic: NDArray[np.float64],
    familiar: NDArray[np.bool_],
) -> int:
    """Return a concept, or a hardly wider one with the same tags if people know that by its name and not this one.

    Parameters
    ----------
    concept : int
        Column of `own`.
    own : bool array of shape (n_tags, n_concepts), or of zeros and ones
        Which tag of the filter lies at or below which concept.
    ic, familiar : array of shape (n_concepts,)
        Information content, and whether people know the concept by its label.
    """
    if familiar[concept]:
        return concept
    same_tags = (own == own[:, [concept]]).all(axis=0)
    plainer = np.flatnonzero(familiar & same_tags & (ic >= ic[concept] - _TENTH) & (ic <= ic[concept]))
    return int(plainer[np.argmax(ic[plainer])]) if plainer.size else concept
