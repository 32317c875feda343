"""Batches of decoded images, which several threads prepare ahead of time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.images.decode import UnreadableImageError, decode, file_mode
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.pixels import Pixels, as_network_input
from filtag_kg.network import Framing, Preparation

_MOST_WORKERS = 16
# Bytes of images that were read in order and wait to be decoded: a usual batch takes a hundredth of this.
_MOST_WAITING = 2**29


@dataclass(frozen=True, slots=True)
class Batch:
    """Decoded images, and those that could not be decoded.

    Parameters
    ----------
    pixels : array of shape (n_images, height, width, channels), in [0, 255]
        uint8; float32 and in any range if the images are ready made.
    images : tuple of ImageRef, of length n_images
    unreadable : tuple of (ImageRef, str)
        The images of this batch that could not be decoded, and why.
    """

    pixels: Pixels
    images: tuple[ImageRef, ...]
    unreadable: tuple[tuple[ImageRef, str], ...] = ()


def batches(
    images: ImageSet,
    preparation: Preparation,
    batch_size: int,
    *,
    workers: int | None = None,
    only: Sequence[ImageRef] | None = None,
) -> Generator[Batch, None, None]:
    """Yield images in reading order, `batch_size` at a time; the last batch of a shard may hold fewer, or none.

    A network's output for an image depends on its position in the batch by a rounding error. So no batch spans two
    shards, which gives a shard the same numbers alone and among others, and unreadable images count towards the batch,
    so the positions of the others follow from the reading order. At most two batches are read ahead, so memory does not
    grow with the number of images.

    Parameters
    ----------
    preparation : Preparation
        How an image becomes what the network takes.
    workers : int, optional
        Threads that decode; by default one per processor.
    only : sequence of ImageRef, optional
        The images to read, by default all; in this order, unless that would be slow.

    Raises
    ------
    FiltagError
        If the images are files and the network takes a number of channels that no file has.
    """
    _check(images, preparation, batch_size)
    workers = workers or min(_MOST_WORKERS, os.cpu_count() or 1)
    if only is not None and images.sequential:
        only = images.only(only).reading_order
    order = iter(images.reading_order if only is None else only)

    def load(image: ImageRef, content: bytes | None) -> Pixels | str:
        try:
            return network_input(images, image, content, preparation)
        except (UnreadableImageError, FiltagError) as error:
            return str(error)

    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        ahead: deque[tuple[ImageRef, Future[Pixels | str]]] = deque()

        def fill() -> None:
            while len(ahead) < 2 * batch_size and (image := next(order, None)) is not None:
                # Where the order matters, only one thread may read; most of the time goes into decoding anyway.
                content = None
                if images.sequential:
                    _wait(ahead, images)
                    content = images.read(image)
                ahead.append((image, pool.submit(load, image, content)))

        try:
            fill()
            while ahead:
                batch = _take(ahead, batch_size, preparation, images)
                fill()
                yield batch
        finally:
            for _, future in ahead:
                future.cancel()


def _check(images: ImageSet, preparation: Preparation, batch_size: int) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if not images.has_arrays:
        # Refuse it once, rather than file by file.
        file_mode(preparation)


def network_input(images: ImageSet, image: ImageRef, content: bytes | None, preparation: Preparation) -> Pixels:
    """Return an image as the pixels that a network takes, before they are scaled.

    Parameters
    ----------
    content : bytes, optional
        Of its file, if that is read already.

    Raises
    ------
    UnreadableImageError
        If it cannot be decoded.
    FiltagError
        If it cannot be read, or is an array that does not fit the network.
    """
    pixels = images.pixels(image)
    if pixels is not None and _taken_as_it_is(images, pixels):
        return as_network_input(pixels, preparation)
    return decode(images.read(image) if content is None else content, preparation)


def framing_of(images: ImageSet, image: ImageRef, size: tuple[int, int], preparation: Preparation) -> Framing:
    """Return where an image of some width and height, the right way up, lies in what a network takes."""
    pixels = images.pixels(image)
    if pixels is not None and _taken_as_it_is(images, pixels):
        height, width = preparation.size
        return Framing(preparation.size, (width, height), 0, 0)
    return preparation.framing(*size)


def _taken_as_it_is(images: ImageSet, pixels: Pixels) -> bool:
    # Image files are grey or RGB; arrays with other channels are neither resized nor cropped.
    return images.ready_made or pixels.shape[2] not in (1, 3)


def _wait(ahead: Iterable[tuple[ImageRef, Future[Pixels | str]]], images: ImageSet) -> None:
    """Wait until the undecoded files in memory are not too large together."""
    waiting = [(images.sizes[image.name], future) for image, future in ahead if not future.done()]
    total = sum(size for size, _ in waiting)
    for size, future in waiting:
        if total <= _MOST_WAITING:
            return
        future.result()
        total -= size


def _take(
    ahead: deque[tuple[ImageRef, Future[Pixels | str]]],
    batch_size: int,
    preparation: Preparation,
    images: ImageSet,
) -> Batch:
    shard = images.shard_of(ahead[0][0])
    pixels: list[Pixels] = []
    decoded: list[ImageRef] = []
    unreadable: list[tuple[ImageRef, str]] = []
    while ahead and len(pixels) + len(unreadable) < batch_size and images.shard_of(ahead[0][0]) == shard:
        image, future = ahead.popleft()
        result = future.result()
        if isinstance(result, str):
            unreadable.append((image, result))
        else:
            pixels.append(result)
            decoded.append(image)
    stacked = np.stack(pixels) if pixels else np.empty((0, *preparation.size, preparation.channels), np.uint8)
    return Batch(cast(Pixels, stacked), tuple(decoded), tuple(unreadable))
