"""Measure how well a layer separates the classes of a concept from the others.

::

    x_c         contrast vector of class c, over the filters of one layer
    s(c, d)     correlation of x_c and x_d over the filters; 0 where a vector is constant
    separation  mean over the classes c of the concept, the other classes d of it and the classes o outside it
                of [s(c, d) > s(c, o)] + 1/2 [s(c, d) = s(c, o)]: an area under the ROC curve for each c          [1]_
    chance      1/2, exactly: if membership is random, d and o are exchangeable whatever c and s are
    interval    percentile bootstrap [2]_ over classes: members and outsiders are redrawn; to first order, their effects
                on the mean add up. A class drawn twice is not a pair with itself

The concept's share of the layer's tags would not tell: a rule gives every class as many filters in every layer.

The correlation is used, not the cosine: an image's activations are scaled by the range of its whole layer, so one
extreme filter moves all the others together. That a class is higher or lower in all filters is mostly due to this, and
does not tell which filters it activates.

Contrast is centred over classes, which has a cost where they are few: any two of N unrelated classes correlate by
-1/(N - 1) on average, and the classes outside a concept that holds half of all become its opposite. The first is the
same for d and o, so chance stays 1/2. The second makes a large share of few classes easier to tell apart than a small
share of many: do not compare concepts of very different sizes, or runs with other classes, too closely.

References
----------
.. [1] Hanley & McNeil 1982, The meaning and use of the area under a receiver operating characteristic (ROC) curve
.. [2] Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 2
# Three classes make three pairs, too few to see how much they vary; from four on the interval contains the true value
# in 89 % of cases or more (`benchmarks/separation.py --coverage`).
_LEAST_DRAWN = 4
# Digits of a correlation that every machine agrees on, so equal classes tie on all of them.
_DIGITS = 10
_ROUNDING = 1e-12


def separation(
    contrast: NDArray[np.float64], member: NDArray[np.bool_], *, draws: int = 500, seed: int = 0
) -> NDArray[np.float64]:
    """Return how well a layer separates each concept, and the bounds of a 95 % interval.

    Parameters
    ----------
    contrast : float64 array of shape (n_classes, n_filters)
        Of one layer: (z_c − mean over classes) / standard deviation over classes.
    member : bool array of shape (n_classes, n_concepts)
        Which classes lie at or below each concept.
    draws, seed : int
        For the bootstrap.

    Returns
    -------
    float64 array of shape (n_concepts, 3), in [0, 1]
        Value, lower and upper bound; NaN for a concept with fewer than two classes at or below it, or fewer than two
        outside. The bounds are also NaN for fewer than four classes: so few pairs do not tell how much they vary.
    """
    similarity = _correlations(contrast)
    ranks = _mid_ranks(similarity)
    uniform = np.random.default_rng(seed).random((draws, len(member)))
    separations = np.full((member.shape[1], 3), np.nan)
    # Concepts with the same classes have the same separation, which is computed once.
    distinct, concept = np.unique(member.T, axis=0, return_inverse=True)
    for index, column in enumerate(distinct):
        inside, outside = np.flatnonzero(column), np.flatnonzero(~column)
        if min(len(inside), len(outside)) >= _LEAST:
            separations[concept.ravel() == index] = _separation(similarity, ranks, inside, outside, uniform)
    return separations


def _separation(
    similarity: NDArray[np.float64],
    ranks: NDArray[np.float64],
    inside: NDArray[np.int64],
    outside: NDArray[np.int64],
    uniform: NDArray[np.float64],
) -> tuple[float, float, float]:
    within, across = np.ix_(inside, inside), np.ix_(inside, outside)
    # A member's rank among all minus its rank among members counts the outsiders below it, ties by half.
    beaten = (ranks[within] - _mid_ranks(similarity[within])) / len(outside)
    np.fill_diagonal(beaten, 0)
    value = beaten.sum() / (len(inside) * (len(inside) - 1))
    if len(inside) < _LEAST_DRAWN:
        return float(value), np.nan, np.nan
    # For each outsider the share of members before it; the class itself is the lowest of its row.
    before = 1 - (ranks[across] - _mid_ranks(similarity[across]) - 1) / (len(inside) - 1)
    times = _times_drawn(uniform[:, : len(inside)])
    # Pairs of different classes; there is none where one class was drawn every time.
    pairs = len(inside) ** 2 - (times**2).sum(axis=1)
    drawn = pairs > 0
    by_members = ((times @ beaten) * times).sum(axis=1)[drawn] / pairs[drawn]
    outsiders = (uniform[drawn, len(inside) :] * len(outside)).astype(np.int64)
    by_outsiders = before.mean(axis=0)[outsiders].mean(axis=1)
    low, high = np.quantile(by_members + by_outsiders - value, (0.025, 0.975))
    return float(value), float(np.clip(low, 0, value)), float(np.clip(high, value, 1))


def _correlations(contrast: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of each two rows; minus infinity of a row with itself, so it ranks below all others."""
    centred = contrast - contrast.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    # Equal values leave a rounding error, which a quotient would blow up.
    varied = norm > _ROUNDING * np.linalg.norm(contrast, axis=1, keepdims=True)
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=varied)
    correlations: NDArray[np.float64] = np.round(unit @ unit.T, _DIGITS)
    np.fill_diagonal(correlations, -np.inf)
    return correlations


def _mid_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value in its row, from 1; equal values share the mean of their ranks."""
    n_rows, n = values.shape
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    position = np.broadcast_to(np.arange(n), (n_rows, n))
    starts = np.ones((n_rows, n), dtype=np.bool_)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.roll(starts, -1, axis=1)
    ends[:, -1] = True
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, position, n)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty((n_rows, n))
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=1)
    return ranks


def _times_drawn(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often each of n things is drawn in n draws, of the shape of `uniform`, (repetitions, n)."""
    repetitions, n = uniform.shape
    drawn = (uniform * n).astype(np.int64) + n * np.arange(repetitions)[:, None]
    return np.bincount(drawn.ravel(), minlength=repetitions * n).reshape(repetitions, n).astype(np.float64)
