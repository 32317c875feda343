"""Means and variances of many numbers that come one image at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments"]


class Moments:
    """Running mean and variance of every filter for every class, in float64.

    Welford's method (1962; Knuth, The Art of Computer Programming, vol. 2, 4.2.2): with δ = x − mean,
    mean ← mean + δ / n and M2 ← M2 + δ (x − mean). Images are added one by one, so that how they were batched
    makes no difference.

    Parameters
    ----------
    n_classes, n_filters : int

    Attributes
    ----------
    mean : float64 array of shape (n_classes, n_filters)
    count : int64 array of shape (n_classes,)
    """

    def __init__(self, n_classes: int, n_filters: int) -> None:
        self.mean = np.zeros((n_classes, n_filters))
        self.count = np.zeros(n_classes, np.int64)
        self._squares = np.zeros((n_classes, n_filters))

    def add(self, class_: int, activations: NDArray[np.floating]) -> None:
        """Add one image of a class: activations of shape (n_filters,)."""
        self.count[class_] += 1
        delta = activations - self.mean[class_]
        self.mean[class_] += delta / self.count[class_]
        self._squares[class_] += delta * (activations - self.mean[class_])

    def variance(self) -> NDArray[np.float64]:
        """Return the population variance, of shape (n_classes, n_filters); 0 for a class without images."""
        return self._squares / np.maximum(self.count, 1)[:, None]
