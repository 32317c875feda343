"""Images through the network one by one: the activations of its filters and its outputs for each."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet, batches
from filtag_kg.network import Computed, Network


@dataclass(frozen=True, slots=True)
class Observation:
    """The activations and outputs of a network for some images.

    Parameters
    ----------
    images : tuple of ImageRef, of length n_images
    activations : float64 array of shape (n_images, n_filters), in [0, 1]
        ā(m,i,d) of each image d, layers side by side.
    confidences : float64 array of shape (n_images, n_classes), in [0, 1]
        See :meth:`~filtag_kg.network.OutputLayer.confidences`.
    unreadable : tuple of (ImageRef, str)
        The images of this batch that could not be decoded, and why.
    """

    images: tuple[ImageRef, ...]
    activations: NDArray[np.float64]
    confidences: NDArray[np.float64]
    unreadable: tuple[tuple[ImageRef, str], ...] = ()


def observe(
    network: Network, pixels: NDArray[np.uint8] | NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a network's activations and outputs for a few images.

    Nothing is compiled: for one image, compiling would take longer than the network itself.

    Parameters
    ----------
    pixels : uint8 array of shape (n_images, height, width, channels)
        Of the network's input size.

    Returns
    -------
    activations : float64 array of shape (n_images, n_filters), in [0, 1]
    confidences : float64 array of shape (n_images, n_classes), in [0, 1]

    Raises
    ------
    FiltagError
        If the network has outputs that are not finite.
    """
    return _checked(network, network.compute(pixels))


def observations(
    network: Network,
    images: ImageSet,
    *,
    batch_size: int = 32,
    workers: int | None = None,
    only: Sequence[ImageRef] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Generator[Observation, None, None]:
    """Yield a network's activations and outputs for images, a batch at a time, in reading order.

    Parameters
    ----------
    images : ImageSet
        Open.
    workers : int, optional
        Threads that decode images; by default one per processor.
    only : sequence of ImageRef, optional
        The images to use; all by default.
    progress : callable, optional
        Called after each batch with the number of images done and of all images.

    Raises
    ------
    FiltagError
        If the network has outputs that are not finite.
    """
    run = network.compile(batch_size, scores=True)
    total = len(images.images if only is None else only)
    done = 0
    with closing(batches(images, network.preparation, batch_size, workers=workers, only=only)) as stream:
        for batch in stream:
            activations, confidences = _checked(network, run(batch.pixels))
            yield Observation(batch.images, activations, confidences, batch.unreadable)
            done += len(batch.images) + len(batch.unreadable)
            if progress is not None:
                progress(done, total)


def _checked(network: Network, computed: Computed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not (np.isfinite(computed.activations).all() and np.isfinite(computed.scores).all()):
        raise FiltagError(f"{network.name} has outputs that are not finite: check its weights and its preprocessing")
    # Rounding may take a mean a hair beyond the range that it lies in.
    return np.clip(computed.activations.astype(np.float64), 0, 1), network.output.confidences(computed.scores)
