"""Test whether the images below a concept activate filters more than the others do; few classes are enough.

::

    n, m, s^2  images at or below the concept, mean and variance (of n - 1) of their activations
    n', ...    those of the other images
    t          (m - m') / sqrt(s^2 / n + s'^2 / n'), of Student's distribution with Welch's degrees of freedom     [1]_
    p          P(T >= t): one-sided, for activations that are higher
    effect     (m - m') / sqrt((s^2 + s'^2) / 2): how many standard deviations higher                              [2]_
    q          Benjamini and Hochberg's, over all filters and concepts that are given together                     [3]_

The unit is the image, so the test works with few classes: two of *vehicle* and two of *animal* with a few hundred
images each are enough. In return it tells less. It is about these classes and images like these: a filter prefers these
images of cars and trucks to these of cats and dogs, which does not mean that it prefers vehicles to animals of other
classes. And with many images even a difference that is too small to matter is significant, so the effect size stands
beside it.

Everything comes from a profile: a group's mean and variance follow from the counts, means and variances of its classes.

References
----------
.. [1] Welch 1947, The generalization of "Student's" problem when several different population variances are involved
.. [2] Cohen 1988, Statistical Power Analysis for the Behavioral Sciences
.. [3] Benjamini & Hochberg 1995, Controlling the False Discovery Rate
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.common import q_values

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ActivationTest:
    """How much more the images below concepts activate filters than the others.

    Parameters
    ----------
    images : int64 array of shape (n_concepts,)
        Images at or below each concept.
    mean, others : float64 array of shape (n_concepts, n_filters)
        Mean activation of those images, and of the others.
    effect, p, q : float64 array of shape (n_concepts, n_filters)
        Effect size, p-value and q-value. Where a group has fewer than two images, or no image differs from the mean of
        its group, there is nothing to test: p and q are 1 and the effect is 0.
    """

    images: NDArray[np.int64]
    mean: NDArray[np.float64]
    others: NDArray[np.float64]
    effect: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]


def activation_test(
    mean: NDArray[np.float64], variance: NDArray[np.float64], count: NDArray[np.int64], below: NDArray[np.bool_]
) -> ActivationTest:
    """Compare the activations of the images below each concept with those of the others.

    Parameters
    ----------
    mean, variance : float64 array of shape (n_classes, n_filters)
        Of the activation over the images of each class; the variance is the population's, as in a profile.
    count : int64 array of shape (n_classes,)
        Images of each class.
    below : bool array of shape (n_classes, n_concepts)
        Which class lies at or below which concept.
    """
    from scipy.stats import t as student

    groups = np.stack([below.T, ~below.T]).astype(np.float64) * count
    n = groups.sum(axis=2)[:, :, np.newaxis]
    # Relative to the mean over all images, so no digits are lost in the difference of large squares.
    centre = count @ mean / max(int(count.sum()), 1)
    own = mean - centre
    with np.errstate(divide="ignore", invalid="ignore"):
        means = groups @ own / n
        squares = groups @ (variance + own**2) - n * means**2
        variances = np.maximum(squares, 0) / (n - 1)
        errors = variances / n
        error = errors.sum(axis=0)
        difference = means[0] - means[1]
        freedom = error**2 / (errors**2 / (n - 1)).sum(axis=0)
        p = student.sf(difference / np.sqrt(error), freedom)
        effect = difference / np.sqrt(variances.mean(axis=0))
    known = (n >= 2).all(axis=0) & (error > 0) & np.isfinite(p)
    p, effect = np.where(known, p, 1.0), np.where(known, effect, 0.0)
    return ActivationTest(
        images=n[0, :, 0].astype(np.int64),
        mean=means[0] + centre,
        others=means[1] + centre,
        effect=effect,
        p=p,
        q=q_values(p.ravel()).reshape(p.shape),
    )
