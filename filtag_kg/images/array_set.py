"""The images in one array."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.images.class_ids import ClassNames
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.pixel_set import ContentDigest, pixel_set
from filtag_kg.images.pixels import Pixels, as_pixels, is_channels_first, is_tensor, to_array

MEMORY = Path("memory")
"""What messages and profiles call images that have no path."""


def array_set(
    images: Any,  # noqa: ANN401 - of any framework
    labels: Iterable[Any],
    names: ClassNames,
    *,
    path: Path = MEMORY,
    digest: Callable[[], str] | None = None,
) -> ImageSet:
    """Return the images in an array, without copying it.

    Parameters
    ----------
    images : array of shape (n_images, height, width[, channels]) or (n_images, channels, height, width)
    path : Path
        Where they are from.
    digest : callable, optional
        Returns the SHA-256 of where they are from; by default that of the images and labels.

    Raises
    ------
    FiltagError
        If that is not the array's shape, or there is not one label for each image.
    """
    channels_first = len(images.shape) > 3 and is_channels_first(images)
    array = to_array(images)
    each_label = to_array(labels) if is_tensor(labels) else list(labels)
    if array.ndim not in (3, 4):
        raise FiltagError(
            f"the array of images in {path} has shape {array.shape}: give (n_images, height, width, channels)"
        )
    if len(array) != len(each_label):
        raise FiltagError(f"{path} has {len(array):,} images and {len(each_label):,} labels: give as many")
    if not len(array):
        raise FiltagError(f"{path} has no images: give some")
    width = len(str(len(array) - 1))

    def pixels(index: int) -> Pixels:
        return as_pixels(array[index], channels_first=channels_first, where=f"image {index} in {path}")

    refs = []
    sizes = {}
    for index, label in enumerate(each_label):
        class_id, *others = names.of(label, f"image {index} in {path}")
        refs.append(ImageRef(class_id, f"{index:0{width}}", tuple(others)))
        # What cannot be an image is refused now, not after hours.
        sizes[refs[-1].name] = pixels(index).nbytes

    def content_digest() -> str:
        content = ContentDigest()
        for index, image in enumerate(refs):
            content.add(pixels(index), image.class_ids)
        return content.hexdigest()

    return pixel_set(
        path,
        refs,
        content_of=lambda name: pixels(int(name)),
        sizes=sizes,
        ready_made=array.dtype.kind == "f",
        digest=digest or content_digest,
        labels=names.labels,
    )
