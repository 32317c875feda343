"""The activations of all filters for test images, kept in a file: layer by layer they fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg.array_file import new_array
from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet
from filtag_kg.names import nfc
from filtag_kg.network import Network
from filtag_kg.profile import observations
from filtag_kg.views import NetworkLayers


@dataclass(frozen=True, slots=True, eq=False)
class ObservedImages:
    """The activations of test images, and their classes.

    Parameters
    ----------
    activations : float32 array of shape (n_images, n_filters), in [0, 1]
        Layers side by side, in forward order.
    layers : mapping of layer name to slice
        The columns of each layer.
    class_ids : tuple of str, of length n_classes
        Sorted.
    membership : bool array of shape (n_classes, n_images)
        Which image is of which class; of several, where it has several labels.
    """

    activations: NDArray[np.float32]
    layers: Mapping[str, slice]
    class_ids: tuple[str, ...]
    membership: NDArray[np.bool_]

    def of_layer(self, layer: str) -> NDArray[np.float32]:
        """Return the activations of a layer, of shape (n_filters, n_images)."""
        return np.ascontiguousarray(self.activations[:, self.layers[layer]].T)


def observe_images(
    network: Network,
    images: ImageSet,
    chosen: Sequence[ImageRef],
    layers: NetworkLayers,
    folder: Path,
    unreadable: list[tuple[ImageRef, str]],
    batch_size: int,
    *,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> ObservedImages:
    """Pass images through a network, and keep the activations of the layers that a KG knows in a file.

    Parameters
    ----------
    chosen : sequence of ImageRef
        Those of the images to use.
    folder : Path
        Where the file may lie.
    unreadable : list of (ImageRef, str)
        Gets the images that cannot be read, and why.

    Raises
    ------
    FiltagError
        If no image can be read.
    """
    offsets = np.cumsum([0, *(layer.n_filters for layer in network.layers)])
    first = {nfc(layer.name): int(offset) for layer, offset in zip(network.layers, offsets, strict=False)}
    present = [layer for layer in layers.layer_names if nfc(layer) in first]
    sizes = [layers.filters_of_layers[layer] for layer in present]
    starts = np.cumsum([0, *sizes]).tolist()
    columns = np.concatenate(
        [np.arange(size) + first[nfc(layer)] for layer, size in zip(present, sizes, strict=True)] or [np.zeros(0, int)]
    )
    activations = new_array(folder / "activations.npy", np.float32, (len(chosen), len(columns)))
    only = None if len(chosen) == len(images.images) else chosen
    seen: list[ImageRef] = []
    stream = observations(network, images, batch_size=batch_size, workers=workers, only=only, progress=progress)
    with closing(stream):
        for batch in stream:
            unreadable.extend(batch.unreadable)
            activations[len(seen) : len(seen) + len(batch.images)] = batch.activations[:, columns]
            seen.extend(batch.images)
    if not seen:
        raise FiltagError("no test image could be read: mend the images")
    class_ids = tuple(sorted({class_id for image in seen for class_id in image.class_ids}))
    row = {class_id: index for index, class_id in enumerate(class_ids)}
    membership = np.zeros((len(class_ids), len(seen)), dtype=np.bool_)
    for index, image in enumerate(seen):
        membership[[row[class_id] for class_id in image.class_ids], index] = True
    slices = {layer: slice(starts[m], starts[m + 1]) for m, layer in enumerate(present)}
    return ObservedImages(activations[: len(seen)], slices, class_ids, membership)
