"""What a profile says of filters themselves: which never activate, duplicate each other, or respond to no class.

::

    never activates   the activation is 0 for every image
    class share       omega squared: how much of the variance over images lies between classes, in [0, 1]           [1]_
    duplicates        filters of one layer whose mean activations of the classes correlate by 0.99 or more; needs 10
                      classes, since few points always lie near a line

A low class share is not a fault. Such a filter responds to what no class names: light, texture, a place in the image.

References
----------
.. [1] Hays 1963, Statistics for Psychologists: (SS_between - (C - 1) MS_within) / (SS_total + MS_within)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.profile.profile import Profile

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DUPLICATE = 0.99
_LEAST_CLASSES = 10
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class FilterStates:
    """What a profile says of each filter.

    Parameters
    ----------
    mean : float64 array of shape (n_filters,), in [0, 1]
        The mean activation over all images.
    never_activates : bool array of shape (n_filters,)
    class_share : float64 array of shape (n_filters,), in [0, 1]
        NaN where the activation does not vary, or the profile does not say how much.
    duplicates : int64 array of shape (n_pairs, 2)
        Columns of filters that duplicate each other, the lower first, sorted.
    """

    mean: NDArray[np.float64]
    never_activates: NDArray[np.bool_]
    class_share: NDArray[np.float64]
    duplicates: NDArray[np.int64]


def filter_states(profile: Profile) -> FilterStates:
    """Return what a profile says of each filter."""
    parts = [_of_layer(profile, start, stop) for start, stop in pairwise(profile.layer_offsets.tolist())]
    mean, never, class_share, duplicates = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return FilterStates(mean, never, class_share, duplicates)


_Columns = tuple["NDArray[np.float64]", "NDArray[np.bool_]", "NDArray[np.float64]", "NDArray[np.int64]"]


def _of_layer(profile: Profile, start: int, stop: int) -> _Columns:
    """Describe the filters of one layer: of all layers together, arrays would take several times a profile's memory."""
    means, count = profile.mean[:, start:stop], profile.count[:, None].astype(np.float64)
    mean = (count * means).sum(axis=0) / max(float(count.sum()), 1.0)
    # Activations are not negative, so a mean of 0 is of zeros alone.
    never = np.asarray((np.abs(means) <= _ROUNDING).all(axis=0))
    variance = None if profile.variance is None else profile.variance[:, start:stop]
    return mean, never, _class_share(means, variance, count, mean), _duplicates(means) + start


def _class_share(
    means: NDArray[np.float64],
    variance: NDArray[np.float64] | None,
    count: NDArray[np.float64],
    mean: NDArray[np.float64],
) -> NDArray[np.float64]:
    share = np.full(len(mean), np.nan)
    n_images, n_classes = float(count.sum()), len(count)
    if variance is None or n_images <= n_classes or n_classes < 2:
        return share
    between = (count * (means - mean) ** 2).sum(axis=0)
    within = (count * variance).sum(axis=0)
    total, mean_within = between + within, within / (n_images - n_classes)
    varies = total > _ROUNDING * n_images
    omega = (between - (n_classes - 1) * mean_within)[varies] / (total + mean_within)[varies]
    share[varies] = np.clip(omega, 0.0, 1.0)
    return share


def _duplicates(means: NDArray[np.float64]) -> NDArray[np.int64]:
    if len(means) < _LEAST_CLASSES:
        return np.empty((0, 2), dtype=np.int64)
    centred = means - means.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > _ROUNDING)
    return np.argwhere(np.triu(unit.T @ unit >= _DUPLICATE, k=1))
