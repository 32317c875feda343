"""The images that activate each filter most, selected during the pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EXEMPLARS = 9


@dataclass(frozen=True, slots=True)
class Exemplars:
    """For each filter the images with its highest activations, the highest first.

    Parameters
    ----------
    names : tuple of str
        Names of all images that are exemplars, sorted.
    image : int32 array of shape (n_filters, n_exemplars)
        Indices into `names`; −1 where fewer images activate the filter at all.
    activation : float32 array of shape (n_filters, n_exemplars), in [0, 1]
        ā(m,i,d) of the image; 0 where there is none.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a value is out of range.
    """

    names: tuple[str, ...]
    image: NDArray[np.int32]
    activation: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.image.ndim != 2 or self.image.shape != self.activation.shape:
            raise ValueError(
                f"exemplar_image and exemplar_activation must have one shape, (n_filters, n_exemplars), got "
                f"{self.image.shape} and {self.activation.shape}"
            )
        if not all(isinstance(name, str) and name for name in self.names) or len(set(self.names)) != len(self.names):
            raise ValueError("exemplar_names must be the names of images, each once")
        if self.image.size and not (self.image.min() >= -1 and self.image.max() < len(self.names)):
            raise ValueError(f"exemplar_image must be indices of the {len(self.names)} exemplar_names, or -1")
        # Written so that NaN fails, too.
        if self.activation.size and not (self.activation.min() >= 0 and self.activation.max() <= 1):
            raise ValueError("exemplar_activation must be in [0, 1]")


class TopImages:
    """The images with the highest activations so far; ties go to the earlier image.

    An image that does not activate a filter at all is not an exemplar of it.

    Parameters
    ----------
    n_filters, most : int
        `most` images are kept for each filter.

    Attributes
    ----------
    image : int64 array of shape (most, n_filters)
        Positions of the images in the order they came in, −1 where there is none yet.
    activation : float32 array of shape (most, n_filters)
    """

    def __init__(self, n_filters: int, most: int = EXEMPLARS) -> None:
        self.image = np.full((most, n_filters), -1, np.int64)
        self.activation = np.zeros((most, n_filters), np.float32)

    def add(self, images: NDArray[np.int64], activations: NDArray[np.float32]) -> None:
        """Add images, given their positions and their activations of shape (n_images, n_filters)."""
        if not len(images) or not len(self.image):
            return
        # After the first batches few filters have a new best image: only their columns are sorted.
        columns = np.flatnonzero(activations.max(axis=0) > self.activation[-1])
        if not columns.size:
            return
        activation = np.concatenate([self.activation[:, columns], activations[:, columns]])
        rest = np.broadcast_to(images[:, None], (len(images), columns.size))
        image = np.concatenate([self.image[:, columns], rest])
        # The sort is stable and earlier images come first, so they win ties.
        order = np.argsort(-activation, axis=0, kind="stable")[: len(self.image)]
        best = np.take_along_axis(activation, order, axis=0)
        self.activation[:, columns] = best
        self.image[:, columns] = np.where(best > 0, np.take_along_axis(image, order, axis=0), -1)

    def named(self, names: Sequence[str]) -> Exemplars:
        """Return the exemplars, given the names of all images in the order they came in."""
        return _compact(np.array([*names, ""], dtype=object)[self.image.T], self.activation.T)


def merge_exemplars(parts: Sequence[Exemplars]) -> Exemplars:
    """Return the exemplars of several passes over different images with the same network.

    Ties go to the image whose name sorts first.
    """
    most = max(part.image.shape[1] for part in parts)
    names = np.concatenate([np.array([*part.names, ""], dtype=object)[part.image] for part in parts], axis=1)
    activation = np.concatenate([part.activation for part in parts], axis=1)
    # Empty names have activation 0, so they sort behind all images.
    by_name = np.unique(names.astype(str), return_inverse=True)[1].reshape(names.shape)
    order = np.lexsort((by_name, -activation), axis=1)[:, :most]
    return _compact(np.take_along_axis(names, order, axis=1), np.take_along_axis(activation, order, axis=1))


def _compact(names: NDArray[np.object_], activation: NDArray[np.float32]) -> Exemplars:
    """Replace names, of shape (n_filters, n_exemplars), by numbers; a name is empty where there is no image."""
    distinct = sorted(set(names.ravel().tolist()) - {""})
    index_of = {name: index for index, name in enumerate(distinct)} | {"": -1}
    image = np.array([index_of[name] for name in names.ravel()], np.int32).reshape(names.shape)
    return Exemplars(tuple(distinct), image, np.ascontiguousarray(activation))
