"""A random sample of a pass's images with their activations, which new images are compared with.

::

    key     the SHA-256 of an image's name, as a number
    sample  the images with the lowest keys: a bottom-k sample                                              [1]_

The key depends on the name alone. So the sample does not depend on the batch size or the order of the images, and the
samples of parts merge into that of the whole.

References
----------
.. [1] Cohen & Kaplan 2007, Summarizing Data using Bottom-k Sketches
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.images import ImageRef

REFERENCES = 2_000
MOST_FILTERS = 4_096
"""Filters whose activations are kept: 2,000 images of so many take 16 MB, before they are compressed."""


@dataclass(frozen=True, slots=True)
class References:
    """Activations of some images in the last layers.

    Parameters
    ----------
    names : tuple of str, of length n_references
        Of the images, by key.
    classes : bool array of shape (n_references, n_classes)
        Which classes of the profile each image is labelled with.
    activations : float16 array of shape (n_references, n_filters), in [0, 1]
        ā(m,i,d) of the last filters of the profile, which are those of whole layers.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a value is out of range.
    """

    names: tuple[str, ...]
    classes: NDArray[np.bool_]
    activations: NDArray[np.float16]

    def __post_init__(self) -> None:
        n_references = len(self.names)
        if not all(isinstance(name, str) and name for name in self.names):
            raise ValueError("reference_names must be the names of images")
        if self.classes.ndim != 2 or self.activations.ndim != 2:
            raise ValueError("reference_classes and reference_activations must be tables")
        if len(self.classes) != n_references or len(self.activations) != n_references:
            raise ValueError(f"reference_classes and reference_activations must be of {n_references} images")
        if not self.classes.any(axis=1).all():
            raise ValueError("reference_classes must give each image a class")
        # Written so that NaN fails, too.
        if self.activations.size and not (self.activations.min() >= 0 and self.activations.max() <= 1):
            raise ValueError("reference_activations must be in [0, 1]")


class ReferenceSample:
    """The sample so far of a pass's images.

    Parameters
    ----------
    n_filters : int
        Filters to keep, the last of the network.
    most : int
        Images to keep.
    """

    def __init__(self, n_filters: int, most: int = REFERENCES) -> None:
        self.most = most
        # A row for each image that is kept; the one with the highest key makes room for the next.
        self._image = np.empty(most, np.int64)
        self._activation = np.empty((most, n_filters), np.float16)
        self._highest: list[tuple[int, int]] = []  # a heap of (-key, row)

    def add(self, images: NDArray[np.int64], names: Sequence[str], activations: NDArray[np.floating[Any]]) -> None:
        """Add images, given their positions, their names and the activations of all filters or of those to keep."""
        first = activations.shape[1] - self._activation.shape[1]
        for image, name, activation in zip(images.tolist(), names, activations, strict=True):
            item = -image_key(name)
            if len(self._highest) < self.most:
                row = len(self._highest)
                heapq.heappush(self._highest, (item, row))
            elif self.most and item > self._highest[0][0]:
                row = self._highest[0][1]
                heapq.heapreplace(self._highest, (item, row))
            else:
                continue
            self._image[row] = image
            self._activation[row] = activation[first:]

    def by_key(self) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return positions and activations of the images, the lowest key first."""
        rows = [row for _, row in sorted(self._highest, reverse=True)]
        return self._image[rows], self._activation[rows]

    def restored(self, image: NDArray[Any], activation: NDArray[Any], names: Sequence[str]) -> ReferenceSample:
        """Return the sample that :meth:`by_key` gave, given the names of all images in the order they came in.

        Raises
        ------
        ValueError
            If no pass with the options of this sample, which is empty, has such a one.
        """
        if (
            image.dtype != np.int64
            or activation.dtype != np.float16
            or image.ndim != 1
            or activation.shape != (len(image), self._activation.shape[1])
            or len(image) > self.most
            or not ((image >= 0) & (image < len(names))).all()
            # Written so that NaN fails, too.
            or not ((activation >= 0) & (activation <= 1)).all()
        ):
            raise ValueError("its reference images are not those of a pass")
        sample = ReferenceSample(self._activation.shape[1], self.most)
        sample.add(image, [names[position] for position in image.tolist()], activation)
        return sample

    def named(self, images: Sequence[ImageRef], class_ids: Sequence[str]) -> References:
        """Return the references, given all images in the order they came in and the classes of the profile."""
        positions, activations = self.by_key()
        chosen = [images[position] for position in positions.tolist()]
        classes = np.zeros((len(chosen), len(class_ids)), np.bool_)
        column = {class_id: index for index, class_id in enumerate(class_ids)}
        for row, image in enumerate(chosen):
            classes[row, [column[class_id] for class_id in image.class_ids]] = True
        return References(tuple(image.name for image in chosen), classes, activations)


def kept_filters(layer_sizes: Sequence[int], most: int = MOST_FILTERS) -> int:
    """Return how many filters the last layers have: as many layers as have no more than `most`, at least one.

    >>> kept_filters([64, 128, 256], 400)
    384
    """
    kept = layer_sizes[-1]
    for size in reversed(layer_sizes[:-1]):
        if kept + size > most:
            break
        kept += size
    return kept


def image_key(name: str) -> int:
    """Return the number that decides whether an image is in the sample.

    The whole hash: of two images with one key, which a sample takes would depend on their order.
    """
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest(), "big")


def merge_references(
    parts: Sequence[References], rows: Sequence[NDArray[np.int64]], n_classes: int, most: int
) -> References:
    """Return the sample of several passes over different images with the same network.

    Parameters
    ----------
    rows : sequence of int64 array
        For each part, where its classes are among the `n_classes` of all.
    most : int
        Images to keep: as many as each part was allowed to.
    """
    names = [name for part in parts for name in part.names]
    classes = np.zeros((len(names), n_classes), np.bool_)
    first = 0
    for part, row in zip(parts, rows, strict=True):
        classes[first : first + len(part.names), row] = part.classes
        first += len(part.names)
    order = sorted(range(len(names)), key=lambda index: image_key(names[index]))[:most]
    activations = np.concatenate([part.activations for part in parts])[order]
    return References(tuple(names[index] for index in order), classes[order], activations)
