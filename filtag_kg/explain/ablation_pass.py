"""The two passes of an ablation: the network as it is, then without each of several sets of filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet, batches
from filtag_kg.network import Ablatable, Network

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class AblationImages:
    """The images that a network is shown, and among which classes it answers.

    Parameters
    ----------
    images : ImageSet
        Open.
    only : sequence of ImageRef
        Those to show; each has a class among the outputs.
    counted : collection of str
        The classes that are measured.
    allowed : collection of str
        The classes that the network may answer with.
    workers : int, optional
        Threads that decode images.
    """

    network: Network
    images: ImageSet
    only: Sequence[ImageRef]
    counted: Collection[str]
    allowed: Collection[str]
    batch_size: int
    workers: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a network answered; an image and a class that it is labelled with are a pair.

    Parameters
    ----------
    output : int64 array of shape (n_pairs,)
        The class of each pair, as its index among the network's classes.
    correct : bool array of shape (n_runs, n_pairs)
        Whether the best output is a class of the image.
    confidence : float64 array of shape (n_runs, n_pairs), in [0, 1]
        In the class of the pair.
    n_images : int
        Images read.
    unreadable : tuple of (ImageRef, str)
    """

    output: NDArray[np.int64]
    correct: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    n_images: int
    unreadable: tuple[tuple[ImageRef, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FilterMeans:
    """What filters do on the images.

    Parameters
    ----------
    mean : float64 array of shape (n_filters,)
        The mean over the images and all places of each feature map, in its own units.
    reacts : bool array of shape (n_filters,)
        Whether the mean of the feature map is not the same for all images.
    """

    mean: NDArray[np.float64]
    reacts: NDArray[np.bool_]


def unablated(shown: AblationImages, ablatable: Ablatable, progress: Progress) -> tuple[Measured, FilterMeans]:
    """Run the network as it is."""
    parts: list[NDArray[np.float32]] = []

    def run(pixels: NDArray[Any]) -> NDArray[np.float32]:
        scores, means = ablatable.measured(pixels)
        if not np.isfinite(means).all():
            raise _not_finite(shown.network)
        parts.append(means)
        return scores[None]

    measured = _measured(shown, run, progress)
    means = np.concatenate(parts).astype(np.float64)
    return measured, FilterMeans(means.mean(axis=0), np.ptp(means, axis=0) > 0)


def ablated(
    shown: AblationImages,
    ablatable: Ablatable,
    kept: NDArray[np.bool_],
    values: NDArray[np.float64],
    progress: Progress,
) -> Measured:
    """Run the network without each set of filters: see :meth:`filtag_kg.network.Ablatable.ablated`."""
    return _measured(shown, lambda pixels: ablatable.ablated(pixels, kept, values.astype(np.float32)), progress)


def _measured(
    shown: AblationImages, run: Callable[[NDArray[Any]], NDArray[np.float32]], progress: Progress
) -> Measured:
    network = shown.network
    output_of = {id_: output for output, id_ in enumerate(network.class_ids) if id_ in shown.counted}
    allowed = np.array([class_id in shown.allowed for class_id in network.class_ids])
    outputs, correct, confidence = [], [], []
    unreadable: list[tuple[ImageRef, str]] = []
    done = 0
    stream = batches(shown.images, network.preparation, shown.batch_size, workers=shown.workers, only=shown.only)
    with closing(stream):
        for batch in stream:
            unreadable += batch.unreadable
            done += len(batch.images) + len(batch.unreadable)
            if batch.images:
                pairs = [
                    (row, output_of[class_id])
                    for row, image in enumerate(batch.images)
                    for class_id in image.class_ids
                    if class_id in output_of
                ]
                rows, columns = np.array(pairs, dtype=np.int64).T
                found = _confidences(network, run(batch.pixels), allowed)
                labelled = np.zeros(found.shape[1:], dtype=np.bool_)
                labelled[rows, columns] = True
                right = labelled[np.arange(len(labelled)), found.argmax(axis=2)]
                outputs.append(columns)
                correct.append(right[:, rows])
                confidence.append(found[:, rows, columns])
            progress(done, len(shown.only))
    if not outputs:
        raise FiltagError(f"no image in {shown.images.path} can be read: give others", options=("images",))
    return Measured(
        np.concatenate(outputs),
        np.concatenate(correct, axis=1),
        np.concatenate(confidence, axis=1),
        done - len(unreadable),
        tuple(unreadable),
    )


def _confidences(network: Network, scores: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the confidence in each class: (n_runs, n_images, n_classes)."""
    if not np.isfinite(scores).all():
        raise _not_finite(network)
    confidences = np.stack([network.output.confidences(each) for each in scores])
    if allowed.all():
        return confidences
    confidences = np.where(allowed, confidences, 0)
    # A network may give all its confidence to outputs that are not allowed, which leaves nothing to scale.
    return np.asarray(confidences / np.maximum(confidences.sum(axis=2, keepdims=True), np.finfo(np.float64).tiny))


def _not_finite(network: Network) -> FiltagError:
    return FiltagError(f"{network.name} has outputs that are not finite: check its weights and its preprocessing")
