"""How likely an image's activations are under each class: a normal distribution for each class and filter.

::

    x_i         activation of filter i for the image, winsorised at the centre +- 4 s_i
    centre, s_i mean of the class means; total standard deviation: s_i^2 = w_i + variance of the class means
    w_i         pooled variance within classes: sum_c n_c var_ci / sum_c n_c, at least 1 % of the total
    v_ci        shrunk variance: (n_c var_ci + 200 w_i) / (n_c + 200)
    l_ci        log-likelihood: -ln(v_ci) / 2 - (x_i - mean_ci)^2 / (2 v_ci)
    l_c         sum over filters: additive, so each filter's part in it is known

Filters are taken as independent given the class, as in naive Bayes. They are not, so l_c is far too sure of itself:
only its order and comparisons with other images mean something [1]_. Shrinking keeps classes with few images from
extreme variances, winsorising keeps one odd filter from deciding alone. Where there are no variances within classes,
the variance of the class means stands for them.

References
----------
.. [1] Hand & Yu 2001, Idiot's Bayes: Not So Stupid After All?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.profile import Profile

Units = NDArray[np.floating[Any]]
_PRIOR = 200
_LARGEST = 4.0
_LEAST_WITHIN = 0.01
# A spread that rounding in the network alone may make.
_ROUNDING = 1e-6
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class ClassLikelihoods:
    """The classes' distributions of the activations of some filters.

    Activations are in units of s_i from the centre.

    Parameters
    ----------
    columns : int64 array of shape (n_used,)
        The filters that are used, by their column in the profile: those that differ between images.
    centre, scale : float64 arrays of shape (n_used,)
    mean, variance : float64 arrays of shape (n_classes, n_used)
        Of each class: its mean, and its variance before shrinking.
    within : float64 array of shape (n_used,)
        Pooled variance.
    count : int64 array of shape (n_classes,)
        Images of each class.
    """

    columns: NDArray[np.int64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    within: NDArray[np.float64]
    count: NDArray[np.int64]

    def units(self, activations: NDArray[np.floating[Any]], *, first: int = 0) -> Units:
        """Return the activations of the filters that are used, in units of s_i, winsorised.

        Parameters
        ----------
        activations : array of shape (n_images, n_filters)
            Of all filters of the profile, from the column `first` on.

        Returns
        -------
        array of shape (n_images, n_used)
            float32 for activations in float16, which know no more; else float64. What is computed from it is, too.
        """
        precision = np.float32 if activations.dtype == np.float16 else np.float64
        units: Units = activations[:, self.columns - first].astype(precision)
        units -= self.centre.astype(precision)
        units /= self.scale.astype(precision)
        return np.clip(units, -_LARGEST, _LARGEST, out=units)

    def log_likelihoods(self, units: Units) -> Units:
        """Return l_c: array of shape (n_images, n_classes)."""
        precision = (1 / self._shrunk()).astype(units.dtype)
        # The square, multiplied out: two matrix products instead of an array of images, classes and filters.
        mean = self.mean.astype(units.dtype)
        constant = (np.log(precision) - precision * mean**2).sum(axis=1)
        linear = units @ (precision * mean).T
        return np.asarray(linear - units**2 @ precision.T / 2 + constant / 2)

    def by_filter(self, units: Units) -> Units:
        """Return l_ci of one image: array of shape (n_classes, n_used)."""
        variance = self._shrunk()
        return np.asarray(-(np.log(variance) + (units - self.mean) ** 2 / variance) / 2)

    def left_out(self, units: Units, classes: NDArray[np.bool_], with_it: Units) -> Units:
        """Return the log-likelihoods of images of the profile, each under its own classes as if it were not in them.

        A class that has no other image is taken to be as likely as the others are on average.

        Parameters
        ----------
        units : array of shape (n_images, n_used)
        classes : bool array of shape (n_images, n_classes)
            The classes of each image.
        with_it : array of shape (n_images, n_classes)
            What `log_likelihoods` returns.
        """
        without = with_it.copy()
        pairs = np.argwhere(classes)
        all_means, all_variances, within = (
            array.astype(units.dtype) for array in (self.mean, self.variance, self.within)
        )
        for start in range(0, len(pairs), _AT_ONCE):
            image, class_ = pairs[start : start + _AT_ONCE].T
            n = self.count[class_][:, None].astype(units.dtype)
            rest = np.maximum(n - 1, 1)
            deviation = units[image] - all_means[class_]
            # From the mean of the rest, it deviates by n / rest times as much.
            squared = deviation**2
            squared *= n / rest
            # A winsorised image may deviate less than it did when the variance was taken.
            shrunk = np.maximum(n * all_variances[class_] - squared, 0)
            shrunk += _PRIOR * within
            shrunk /= rest + _PRIOR
            squared *= n / rest
            squared /= shrunk
            likelihood = -(np.log(shrunk, out=shrunk).sum(axis=1) + squared.sum(axis=1)) / 2
            others = (with_it[image].sum(axis=1) - with_it[image, class_]) / max(with_it.shape[1] - 1, 1)
            without[image, class_] = np.where(n[:, 0] > 1, likelihood, others)
        return without

    def _shrunk(self) -> NDArray[np.float64]:
        count = self.count[:, None]
        return np.asarray((count * self.variance + _PRIOR * self.within) / (count + _PRIOR))


def class_likelihoods(profile: Profile, columns: slice) -> ClassLikelihoods:
    """Return the distributions of neighbouring filters of a profile."""
    mean = profile.mean[:, columns]
    between = mean.var(axis=0)
    variance, within = np.zeros_like(mean), np.zeros_like(between)
    if profile.variance is not None:
        variance = profile.variance[:, columns]
        within = np.average(variance, axis=0, weights=profile.count)
    if not within.any():
        # Means alone, or one image of each class.
        variance, within = np.broadcast_to(between, mean.shape), between
    total = within + between
    used = np.flatnonzero(np.sqrt(total) > _ROUNDING * np.abs(mean).max(axis=0, initial=0))
    scale = np.sqrt(total[used])
    centre = mean[:, used].mean(axis=0)
    return ClassLikelihoods(
        columns=used + (columns.start or 0),
        centre=centre,
        scale=scale,
        mean=(mean[:, used] - centre) / scale,
        variance=variance[:, used] / total[used],
        within=np.maximum(within[used] / total[used], _LEAST_WITHIN),
        count=profile.count,
    )
