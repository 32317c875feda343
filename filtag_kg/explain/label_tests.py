"""Test whether a label fits its filter better than the layer's other filters, and than other labels.

::

    C classes of the test images; a label stands for the images of a set S of k of them
    u(f,c)   what class c adds to the covariance of y with filter f's activations, in standard deviations of these
    r(f,S)   sum over S of u(f,c) / sd of y: the correlation, exactly where each image has one class
    z(f,S)   r(f,S) minus its mean over the layer's filters, divided by its standard deviation over them: what a class
             that activates every filter adds is gone                                               (over filters)
    t(f,S)   z(f,S) minus its mean over random sets of k classes, divided by its standard deviation over them:
             what a filter that strays more than others adds is gone                                 (over labels)

    p_filters  share of the layer's filters g with r(g,S) >= r(f,S)
    p_labels   share of random sets T of k classes with r(f,T) >= r(f,S)
    p_value    share of the pairs (g,T), all filters with all random sets, with t(g,T) >= t(f,S); 1 where r(f,S) <= 0: a
               filter that a label's images activate less than others do may still beat filters that they activate
               even less
    q_value    Benjamini and Hochberg's of p_value, over all labels that are checked together         [1]_

The class is the unit, not the image: a label is a set of classes, so what is random about a wrong label is which
classes are in it. A thousand more images of the same classes make r more precise and leave the sets as few as they
were. Where there are no more than `DRAWS` sets of k classes, all are taken; else as many random ones, with a seed, and
1 is added to both counts [2]_.

p_filters holds its level if labels are shuffled over filters, p_labels if classes are shuffled over labels. Neither
holds it under the other: a class whose images stand out activates many filters (p_labels is small for all of them),
and a filter that tells some classes from all others strays wherever it is asked (p_filters is often small). p_value
answers to both, which is why it alone decides. Shuffling the labels over the filters of a layer puts the pair (f,S)
anywhere among the pairs (g,S), which are standardised as the pairs (g,T) are; `docs/explanation/label-checks.md` says
how close to the nominal level that comes on a real network.

What p_value cannot see is a label that is true of most of the layer's filters: it fits this one no better than the
others.

References
----------
.. [1] Benjamini & Hochberg 1995, Controlling the False Discovery Rate
.. [2] Phipson & Smyth 2010, Permutation P-values Should Never Be Zero
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

DRAWS = 1_000
"""Random sets of classes of each size."""
LEAST_SETS = 3
"""With fewer sets of classes of a size, all of them look alike once they are standardised."""
_HAIR = 1e-9
"""Sums of the same numbers in another order differ by less; ties count against the label."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelPValues:
    """The p-values of labels: float64 arrays of shape (n_labels,), in (0, 1]."""

    p_filters: NDArray[np.float64]
    p_labels: NDArray[np.float64]
    p_value: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClassSets:
    """Sets of classes of one size, to compare labels with.

    Parameters
    ----------
    sets : bool array of shape (n_sets, n_classes)
    complete : bool
        Whether these are all sets of the size.
    """

    sets: NDArray[np.bool_]
    complete: bool

    @property
    def added(self) -> int:
        """What is added to counts, so that no p-value is zero: nothing where the label's own set is among the sets."""
        return 0 if self.complete else 1


@lru_cache(maxsize=256)
def class_sets(n_classes: int, size: int, *, draws: int = DRAWS, seed: int = 0) -> ClassSets:
    """Return all sets of `size` classes, or random ones where there are more than `draws`."""
    if comb(n_classes, size) <= draws:
        chosen = np.array(list(combinations(range(n_classes), size)), dtype=np.int64)
    else:
        rng = np.random.default_rng([seed, n_classes, size])
        chosen = rng.permuted(np.tile(np.arange(n_classes), (draws, 1)), axis=1)[:, :size]
    sets = np.zeros((len(chosen), n_classes), dtype=np.bool_)
    np.put_along_axis(sets, chosen, values=True, axis=1)
    return ClassSets(sets, complete=comb(n_classes, size) <= draws)


def class_contributions(activations: NDArray[np.floating], membership: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return u(f,c).

    Parameters
    ----------
    activations : float array of shape (n_filters, n_images)
    membership : bool array of shape (n_classes, n_images)
        Which image is of which class.

    Returns
    -------
    float64 array of shape (n_filters, n_classes)
        0 for a filter that all images activate alike.
    """
    mean = activations.mean(axis=1, keepdims=True, dtype=np.float64)
    spread = activations.std(axis=1, keepdims=True, dtype=np.float64)
    varied = (activations.min(axis=1) < activations.max(axis=1))[:, np.newaxis]
    sums = activations @ membership.T.astype(activations.dtype) - mean * membership.sum(axis=1)
    contributions: NDArray[np.float64] = np.zeros(sums.shape)
    np.divide(sums, spread * activations.shape[1], out=contributions, where=varied)
    return contributions


def label_p_values(
    contributions: NDArray[np.float64],
    membership: NDArray[np.bool_],
    filters: NDArray[np.int64],
    labels: NDArray[np.bool_],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> LabelPValues:
    """Test the labels of the filters of one layer.

    Parameters
    ----------
    contributions : float64 array of shape (n_filters, n_classes)
        As `class_contributions` returns it.
    membership : bool array of shape (n_classes, n_images)
    filters : int64 array of shape (n_labels,)
        The filter that each label is about.
    labels : bool array of shape (n_labels, n_classes)
        The classes that it stands for: neither none nor all.
    draws, seed
        Of the random sets of classes.
    """
    found = LabelPValues(*np.ones((3, len(filters))))
    sizes = labels.sum(axis=1)
    for size in np.unique(sizes).tolist():
        random = class_sets(labels.shape[1], size, draws=draws, seed=seed)
        of_size = np.flatnonzero(sizes == size)
        of_filter = filters[of_size]
        own_sets, which = np.unique(labels[of_size], axis=0, return_inverse=True)
        which = which.reshape(-1)
        own, others = (_correlations(contributions, membership, sets) for sets in (own_sets, random.sets))
        value = own[of_filter, which]
        found.p_filters[of_size] = (own[:, which] >= value - _HAIR).mean(axis=0)
        as_good = (others[of_filter] >= value[:, np.newaxis] - _HAIR).sum(axis=1)
        found.p_labels[of_size] = (as_good + random.added) / (len(random.sets) + random.added)
        if len(random.sets) < LEAST_SETS:
            continue
        others = _standardised(others, axis=0)
        mean, spread = others.mean(axis=1, keepdims=True), others.std(axis=1, keepdims=True)
        pairs = np.sort(_ratio(others - mean, spread), axis=None)
        t = _ratio(_standardised(own, axis=0) - mean, spread)[of_filter, which]
        as_good = len(pairs) - np.searchsorted(pairs, t - _HAIR, side="left")
        p = (as_good + random.added) / (len(pairs) + random.added)
        found.p_value[of_size] = np.where(value > _HAIR, p, 1.0)
    return found


def _correlations(
    contributions: NDArray[np.float64], membership: NDArray[np.bool_], sets: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return r(f,S), of shape (n_filters, n_sets)."""
    if (membership.sum(axis=0) == 1).all():
        share = sets @ membership.mean(axis=1)
    else:
        share = ((sets.astype(np.float32) @ membership.astype(np.float32)) > 0).mean(axis=1)
    return _ratio(contributions @ sets.T.astype(np.float64), np.sqrt(share * (1 - share))[np.newaxis])


def _standardised(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    centred = values - values.mean(axis=axis, keepdims=True)
    return _ratio(centred, values.std(axis=axis, keepdims=True))


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    # A spread that is nothing but rounding counts as none.
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 1e-12)
