"""Labelled images from Python: arrays, lists, and the data sets of TensorFlow, PyTorch and Hugging Face."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.images.array_set import MEMORY, array_set
from filtag_kg.images.class_ids import ClassNames
from filtag_kg.images.elements import labelled_images, names_in
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.labelled_files import labelled_files
from filtag_kg.images.pixel_set import Content, ContentDigest, Spool, Spooled, pixel_set
from filtag_kg.images.pixels import is_tensor, to_array
from filtag_kg.images.shards import open_images

_Found = tuple[Content | Spooled, tuple[str, ...]]


def images_from(
    source: object, labels: Iterable[Any] | None = None, *, class_names: Sequence[str] | None = None
) -> ImageSet:
    """Return labelled images from whatever holds them; close them in the end.

    Parameters
    ----------
    source
        One of these:

        - a path to a folder, an archive, a list, a Parquet or an ``.npz`` file;
        - an array of images with `labels`, or a pair of both: uint8, or floating point if the images are ready made, of
          shape (n_images, height, width), (n_images, height, width, channels) or (n_images, channels, height, width);
        - a list of images with `labels`, or of pairs of an image and its class. An image is an array, a PIL image, the
          bytes of a file, or a path;
        - any iterable of such pairs, or of batches of them, such as a ``tf.data.Dataset`` or a ``DataLoader`` of
          PyTorch; also of rows with ``image`` and ``label``.

        Arrays and lists stay as they are, in memory. Of any other iterable each element is taken once and written to a
        temporary file, without compression: 150 kB for 224 × 224 pixels, four times that if they are ready made. It is
        in ``TMPDIR``, and deleted when the images are closed. Only names and labels are in memory.
    labels : iterable, optional
        A label for each image: text, a whole number, zeros and ones, or a list of several labels.
    class_names : sequence of str, optional
        The ids of the classes that whole numbers stand for, in order; by default those that `source` brings, as data
        sets of Keras and torchvision do. Otherwise the id of class 3 is ``3``.

    Returns
    -------
    ImageSet
        Images are named by their numbers, or by their paths. Floating-point images are ready made: they are what the
        network takes, are neither resized nor scaled, and :meth:`~filtag_kg.images.ImageSet.pixels` returns them.

    Raises
    ------
    FiltagError
        If there is nothing that could be an image or a label, or the labels do not fit the images.
    """
    if isinstance(source, ImageSet):
        return source
    if isinstance(source, str | os.PathLike) and labels is None:
        return open_images(Path(source))
    names = ClassNames(class_names if class_names is not None else names_in(source))
    if labels is None and _is_pair_of_arrays(source):
        source, labels = source  # type: ignore[misc]
    if isinstance(source, Mapping) and labels is None:
        raise FiltagError(
            f"the images are a mapping with {', '.join(map(str, source))[:80]}: give one of its values, or images and "
            "labels"
        )
    if _are_several_sets(source):
        raise FiltagError(
            "the images are several sets, as for training and test, which must not be mixed: give one of them"
        )
    if labels is not None and is_tensor(source):
        return array_set(source, labels, names)
    if not isinstance(source, Iterable) and not hasattr(source, "__getitem__"):
        raise FiltagError(
            f"the images are of type {type(source).__name__}: give a path, arrays, or pairs to iterate over"
        )
    pairs: Any = source if labels is None else _paired(source, labels)
    return _images_from_pairs(pairs, names, in_memory=isinstance(source, list | tuple))


def _images_from_pairs(pairs: Iterable[Any], names: ClassNames, *, in_memory: bool) -> ImageSet:
    """Return the images of an iterable; those that are arrays or bytes stay in memory, or go to a temporary file."""
    spool = Spool()
    try:
        found: list[_Found] = []
        digest = ContentDigest()
        kinds: set[str] = set()
        for content, class_ids in labelled_images(pairs, names):
            kinds.add(_kind(content))
            _check_kinds(kinds, len(found))
            digest.add(content, class_ids)
            keep = in_memory or isinstance(content, Path)
            found.append((content if keep or isinstance(content, Path) else spool.add(content), class_ids))
        return _image_set(found, names, digest, spool, kinds)
    except BaseException:
        spool.close()
        raise


def _image_set(
    found: Sequence[_Found], names: ClassNames, digest: ContentDigest, spool: Spool, kinds: set[str]
) -> ImageSet:
    if not found:
        raise FiltagError("there are no images: give some")
    if kinds == {"path"}:
        return _listed(found, names)
    width = len(str(len(found) - 1))
    refs = [ImageRef(ids[0], f"{index:0{width}}", ids[1:]) for index, (_, ids) in enumerate(found)]
    where = {image.name: content for image, (content, _) in zip(refs, found, strict=True)}

    def content_of(name: str) -> Content:
        content = where[name]
        return spool.read(content) if isinstance(content, Spooled) else content

    return pixel_set(
        MEMORY,
        refs,
        content_of=content_of,
        sizes={name: _size(content) for name, content in where.items()},
        ready_made=kinds == {"fractions"},
        digest=digest.hexdigest,
        close=spool.close,
        labels=names.labels,
    )


def _listed(found: Sequence[_Found], names: ClassNames) -> ImageSet:
    files = ((path, ids, f"image {index}") for index, (path, ids) in enumerate(found) if isinstance(path, Path))
    images = labelled_files(MEMORY, files, top=Path.cwd(), base="the working directory")
    images.labels = names.labels
    return images


def _kind(content: Content) -> str:
    if isinstance(content, Path):
        return "path"
    if isinstance(content, bytes):
        return "file"
    return "fractions" if content.dtype == np.float32 else "pixels"


def _check_kinds(kinds: set[str], number: int) -> None:
    if "fractions" in kinds and len(kinds) > 1:
        raise FiltagError(
            f"image {number} is another kind than those before: fractions are what the network takes, and cannot be "
            "mixed with pixels or files"
        )


def _size(content: Content | Spooled) -> int:
    if isinstance(content, Spooled):
        return content.length
    if isinstance(content, Path):
        return content.stat().st_size
    return len(content) if isinstance(content, bytes) else content.nbytes


def _paired(images: Any, labels: Iterable[Any]) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    try:
        yield from zip(images, to_array(labels) if is_tensor(labels) else labels, strict=True)
    except ValueError:
        raise FiltagError("there are not as many labels as images: give one label for each") from None


def _is_array_of_images(value: object) -> bool:
    return is_tensor(value) and len(getattr(value, "shape", ())) in (3, 4)


def _is_pair_of_arrays(source: object) -> bool:
    """Return whether a source is images and labels, rather than two pairs of an image and a class."""
    if not isinstance(source, tuple) or len(source) != 2 or not _is_array_of_images(source[0]):
        return False
    labels = source[1]
    return isinstance(labels, list | tuple) or (is_tensor(labels) and len(getattr(labels, "shape", ())) in (1, 2))


def _are_several_sets(source: object) -> bool:
    """Return whether a source is what ``load_data()`` of Keras returns, or a mapping or tuple of data sets."""
    return isinstance(source, tuple) and len(source) > 1 and all(map(_is_pair_of_arrays, source))
