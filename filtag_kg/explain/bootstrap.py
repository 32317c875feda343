"""Bootstrap intervals of means over test images: how much a figure would vary with other images of the same classes.

The test images of a data set are chosen class by class (so many of each), and the classes are the run's own, not drawn
from others. So images are resampled within their classes: a resample with other numbers of images per class would add a
variation that such a data set does not have. In letters, with n_c images of class c and a figure x_d of each::

    resample    n_c − 1 images of each class, with replacement; image d occurs w_d times
    estimate    Σ_c n_c / (n_c − 1) · Σ_{d in c} w_d x_d / N
    interval    the 2.5th and 97.5th percentile of the estimates of all resamples

With n_c images of each class, the variance would come out too small by (n_c − 1) / n_c, by a half for two images; with
n_c − 1 it is the unbiased estimate Σ_c (n_c / N)² s_c² / n_c [1]_. A class with a single image says nothing about its
variance, so such classes are resampled together, as if they were one.

Percentile intervals [2]_ stay within the range of the figure, and need no normal distribution. A figure that is equal
for all images of each class has an interval without width.

References
----------
.. [1] McCarthy & Snowden 1985, The Bootstrap and Finite Population Sampling, section 3
.. [2] Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""Enough for the ends of a 95 % interval to vary by about a twentieth of its width with another seed."""

_PERCENTILES = (2.5, 97.5)
_NUMBERS_AT_ONCE = 2**22


def bootstrap_intervals(
    values: NDArray[np.float64],
    strata: NDArray[np.int64],
    *,
    weights: NDArray[np.float64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the 95 % intervals of the means of several figures over images.

    Parameters
    ----------
    values : float64 array of shape (n_images, n_figures)
        The figures of each image; of an image that counts several times, their sum.
    strata : int64 array of shape (n_images,)
        The class within which an image is resampled.
    weights : float64 array of shape (n_images,), optional
        How many times each image counts; by default once.
    resamples : int, at least 1
    seed : int

    Returns
    -------
    float64 array of shape (2, n_figures)
        The lower and the upper ends; NaN for a single image.
    """
    n_images, n_figures = values.shape
    if n_images < 2:
        return np.full((2, n_figures), np.nan)
    rng = np.random.default_rng(seed)
    weights = np.ones(n_images) if weights is None else weights
    counted = np.column_stack([weights, values])
    totals = np.zeros((resamples, n_figures + 1))
    for members in _resampled_together(strata):
        n = len(members)
        size = max(1, _NUMBERS_AT_ONCE // n)
        for start in range(0, resamples, size):
            rows = slice(start, min(start + size, resamples))
            times = rng.multinomial(n - 1, np.full(n, 1 / n), size=rows.stop - rows.start)
            totals[rows] += n / (n - 1) * (times @ counted[members])
    means = totals[:, 1:] / totals[:, :1]
    return np.asarray(np.percentile(means, _PERCENTILES, axis=0))


def _resampled_together(strata: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the images of each stratum; strata with one image are put together, if need be with the smallest other."""
    order = np.argsort(strata, kind="stable")
    _, starts = np.unique(strata[order], return_index=True)
    groups = np.split(order, starts[1:])
    several = [group for group in groups if len(group) > 1]
    alone = [group for group in groups if len(group) == 1]
    if len(alone) == 1:
        alone.append(several.pop(min(range(len(several)), key=lambda index: len(several[index]))))
    return several + ([np.concatenate(alone)] if alone else [])
