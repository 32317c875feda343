"""Running means and variances, updated one image at a time or merged in parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Moments:
    """Running mean and variance of every filter for every class, in float64.

    Welford's method (1962; Knuth, The Art of Computer Programming, vol. 2, 4.2.2): with δ = x − mean,
    mean ← mean + δ / n and M2 ← M2 + δ (x − mean). Images are added one by one, so batches make no difference.

    Parameters
    ----------
    count : int64 array of shape (n_classes,)
        Images of each class.
    mean : float64 array of shape (n_classes, n_filters)
    squares : float64 array of shape (n_classes, n_filters)
        M2, the sum of squared deviations from the mean.
    """

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def empty(cls, n_classes: int, n_filters: int) -> Moments:
        """Return the moments of no image."""
        shape = (n_classes, n_filters)
        return cls(np.zeros(n_classes, np.int64), np.zeros(shape), np.zeros(shape))

    def add(self, class_: int, activations: NDArray[np.floating]) -> None:
        """Add one image of a class: activations of shape (n_filters,)."""
        self.count[class_] += 1
        delta = activations - self.mean[class_]
        self.mean[class_] += delta / self.count[class_]
        self.squares[class_] += delta * (activations - self.mean[class_])

    def merge(self, other: Moments, classes: NDArray[np.int64]) -> None:
        """Merge in other moments, whose class c is class ``classes[c]`` here.

        Chan, Golub, LeVeque (1983), equation 2.1: with δ = mean_b − mean_a and n = n_a + n_b,
        mean = mean_a + δ n_b / n and M2 = M2_a + M2_b + δ² n_a n_b / n.
        """
        count = self.count[classes] + other.count
        share = (other.count / np.maximum(count, 1))[:, None]
        delta = other.mean - self.mean[classes]
        self.squares[classes] += other.squares + delta**2 * self.count[classes][:, None] * share
        self.mean[classes] += delta * share
        self.count[classes] = count

    def variance(self) -> NDArray[np.float64]:
        """Return the population variance, of shape (n_classes, n_filters); 0 for a class without images."""
        return self.squares / np.maximum(self.count, 1)[:, None]
