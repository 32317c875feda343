"""The elements of a data set in Python: what is an image in it, what are its labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.images.class_ids import ClassNames
from filtag_kg.images.pixel_set import Content
from filtag_kg.images.pixels import as_pixels, is_channels_first, is_tensor, to_array

_IMAGES = ("image", "img", "images", "pixel_values", "pixels", "x", "input", "inputs")
_LABELS = ("label", "labels", "class", "classes", "y", "target", "targets", "fine_label")
_ADVICE = "give pairs of an image (pixels, a path or the bytes of a file) and its class, or batches of both"
_INFINITE = -1


def names_in(source: object) -> Sequence[str]:
    """Return the names of classes that a data set of Keras, torchvision or Hugging Face brings; empty if none."""
    seen = 0
    while source is not None and seen < 10:
        # torchvision's ImageNet has WordNet ids, and tuples of names.
        for attribute in ("class_names", "wnids", "classes"):
            names = getattr(source, attribute, None)
            if isinstance(names, list | tuple) and names and all(isinstance(name, str | tuple) for name in names):
                return [name if isinstance(name, str) else ", ".join(map(str, name)) for name in names]
        features = getattr(source, "features", None)
        if isinstance(features, Mapping):
            named = [getattr(features[key], "names", None) for key in _LABELS if key in features]
            if named and isinstance(named[0], list | tuple):
                return list(named[0])
        # A DataLoader has its data set, a subset the whole one.
        source = getattr(source, "dataset", None)
        seen += 1
    return ()


def labelled_images(source: Iterable[Any], names: ClassNames) -> Iterator[tuple[Content, tuple[str, ...]]]:
    """Yield every image of a data set with its class ids; batches are taken apart.

    Raises
    ------
    FiltagError
        If an element is not an image with its class, or not a batch of these.
    """
    number = 0
    in_batches: bool | None = None
    for element in _once(source):
        image, label = _image_and_label(element, number)
        if in_batches is None:
            in_batches = _is_batch(image, label, number)
        for one_image, one_label in _taken_apart(image, label, number) if in_batches else [(image, label)]:
            where = f"image {number}"
            # Taken out of a batch, an array does not tell any more whose it was.
            channels_first = is_channels_first(image if is_tensor(image) else one_image)
            yield _content(one_image, where, channels_first=channels_first), names.of(one_label, where)
            number += 1


def _once(source: Iterable[Any]) -> Iterator[Any]:
    """Iterate over a data set once, though some never end."""
    cardinality = getattr(source, "cardinality", None)
    if callable(cardinality) and int(cardinality()) == _INFINITE:
        raise FiltagError("the data set repeats its images without end: leave repeat() out, or take(n) of it")
    try:
        length = len(cast("Sequence[Any]", source))
    except TypeError:
        yield from source
        return
    if hasattr(source, "__iter__"):
        yield from islice(source, length)
    else:
        yield from (cast("Sequence[Any]", source)[index] for index in range(length))


def _image_and_label(element: Any, number: int) -> tuple[Any, Any]:  # noqa: ANN401 - whatever a data set holds
    if isinstance(element, Mapping):
        image = next((element[key] for key in _IMAGES if key in element), None)
        label = next((element[key] for key in _LABELS if key in element), None)
        if image is None or label is None:
            keys = ", ".join(map(str, element))[:80]
            raise FiltagError(f"image {number} is a row with {keys}: name its columns image and label")
        if isinstance(image, Mapping) and isinstance(image.get("bytes"), bytes):
            image = image["bytes"]
        return image, label
    # A third is a weight.
    if not isinstance(element, tuple | list) or len(element) not in (2, 3):
        raise FiltagError(f"image {number} is of type {type(element).__name__} alone, without a class: {_ADVICE}")
    return element[0], element[1]


def _is_batch(image: Any, label: Any, number: int) -> bool:  # noqa: ANN401
    if not is_tensor(image):
        return isinstance(image, list | tuple)
    shape = tuple(getattr(image, "shape", ()))
    if len(shape) != 3 or shape[-1] in (1, 3, 4) or _n_labels(label) != shape[0]:
        return len(shape) > 3
    # Grey images of shape (n, height, width), or one of shape (channels, height, width) labelled by zeros and ones?
    if shape[0] not in (3, 4) or not is_tensor(label) or not np.isin(to_array(label), (0, 1)).all():
        return bool(shape[0] != 1)
    raise FiltagError(
        f"image {number} has shape {shape} and {shape[0]} labels: give images of shape (height, width, channels)"
    )


def _n_labels(label: Any) -> int | None:  # noqa: ANN401
    has_many = hasattr(label, "__len__") and not isinstance(label, str | bytes) and getattr(label, "shape", None) != ()
    return len(label) if has_many else None


def _taken_apart(images: Any, labels: Any, number: int) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    each_image = to_array(images) if is_tensor(images) else images
    each_label = to_array(labels) if is_tensor(labels) else labels
    n_labels = _n_labels(each_label)
    if len(each_image) != n_labels:
        have = "no" if n_labels is None else n_labels
        raise FiltagError(f"the batch from image {number} has {len(each_image)} images and {have} labels: {_ADVICE}")
    yield from zip(each_image, each_label, strict=True)


def _content(image: Any, where: str, *, channels_first: bool) -> Content:  # noqa: ANN401
    if isinstance(image, str | Path):
        return Path(image)
    if isinstance(image, bytes | bytearray):
        return bytes(image)
    if is_tensor(image):
        array = to_array(image)
        if array.dtype.kind in "OSU" and array.size == 1:
            return _content(array.reshape(-1).tolist()[0], where, channels_first=False)
        return as_pixels(array, channels_first=channels_first, where=where)
    raise FiltagError(f"{where} is of type {type(image).__name__}: {_ADVICE}")
