"""The images that activate each filter most, kept while they pass by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXEMPLARS", "Exemplars", "TopImages", "merge_exemplars"]

EXEMPLARS = 9


@dataclass(frozen=True, slots=True)
class Exemplars:
    """For each filter the images with its highest activations, the highest first.

    Parameters
    ----------
    names : tuple of str
        Names of all images that are an exemplar, sorted.
    image : int32 array of shape (n_filters, n_exemplars)
        Places in `names`; −1 where fewer images activate the filter at all.
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
            raise ValueError(f"exemplar_image must be places of the {len(self.names)} exemplar_names, or -1")
        # Written so that NaN fails, too.
        if self.activation.size and not (self.activation.min() >= 0 and self.activation.max() <= 1):
            raise ValueError("exemplar_activation must be in [0, 1]")


class TopImages:
    """The images with the highest activations so far; of equal ones, those that came first.

    An image that does not activate a filter at all is no exemplar of it.

    Parameters
    ----------
    n_filters, most : int
        `most` images are kept for each filter.

    Attributes
    ----------
    image : int64 array of shape (most, n_filters)
        Places of the images in the order in which they came, −1 where there is none yet.
    activation : float32 array of shape (most, n_filters)
    """

    def __init__(self, n_filters: int, most: int = EXEMPLARS) -> None:
        self.image = np.full((most, n_filters), -1, np.int64)
        self.activation = np.zeros((most, n_filters), np.float32)

    def add(self, images: NDArray[np.int64], activations: NDArray[np.float32]) -> None:
        """Look at more images, by their places: activations of shape (n_images, n_filters)."""
        if not len(images) or not len(self.image):
            return
        # After the first batches few filters see a new best: only their columns are sorted.
        columns = np.flatnonzero(activations.max(axis=0) > self.activation[-1])
        if not columns.size:
            return
        activation = np.concatenate([self.activation[:, columns], activations[:, columns]])
        rest = np.broadcast_to(images[:, None], (len(images), columns.size))
        image = np.concatenate([self.image[:, columns], rest])
        # Stable, and what was there stands before what comes.
        order = np.argsort(-activation, axis=0, kind="stable")[: len(self.image)]
        kept = np.take_along_axis(activation, order, axis=0)
        self.activation[:, columns] = kept
        self.image[:, columns] = np.where(kept > 0, np.take_along_axis(image, order, axis=0), -1)

    def named(self, names: Sequence[str]) -> Exemplars:
        """Return the exemplars, where `names` are those of all images in the order in which they came."""
        return _compact(np.array([*names, ""], dtype=object)[self.image.T], self.activation.T)


def merge_exemplars(parts: Sequence[Exemplars]) -> Exemplars:
    """Return the exemplars of several passes over other images of the same network.

    Of equal activations the image that sorts first by name comes first.
    """
    most = max(part.image.shape[1] for part in parts)
    names = np.concatenate([np.array([*part.names, ""], dtype=object)[part.image] for part in parts], axis=1)
    activation = np.concatenate([part.activation for part in parts], axis=1)
    # What is no image sorts by its activation, 0, behind all that are.
    places = np.unique(names.astype(str), return_inverse=True)[1].reshape(names.shape)
    order = np.lexsort((places, -activation), axis=1)[:, :most]
    return _compact(np.take_along_axis(names, order, axis=1), np.take_along_axis(activation, order, axis=1))


def _compact(names: NDArray[np.object_], activation: NDArray[np.float32]) -> Exemplars:
    """Give the names numbers. They have shape (n_filters, n_exemplars) and are empty where there is no image."""
    distinct = sorted(set(names.ravel().tolist()) - {""})
    place = {name: index for index, name in enumerate(distinct)} | {"": -1}
    image = np.array([place[name] for name in names.ravel()], np.int32).reshape(names.shape)
    return Exemplars(tuple(distinct), image, np.ascontiguousarray(activation))
