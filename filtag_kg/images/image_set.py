"""A set of labelled images, wherever they are stored."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.images.folders import folder_of
from filtag_kg.images.listing import LeftOut
from filtag_kg.images.pixels import Pixels

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class ImageRef:
    """An image that has not been read; images are ordered by class id, then name.

    Parameters
    ----------
    class_id : str
        The class that the image is labelled with, in Unicode's normal form C; of several, the first.
    name : str
        Its path in the folder or archive, with ``/``, or another name that no other image of its set has.
    other_ids : tuple of str
        The image's other classes, if it is labelled with several: it counts for each.
    """

    class_id: str
    name: str
    other_ids: tuple[str, ...] = ()

    @property
    def class_ids(self) -> tuple[str, ...]:
        """Every class that the image is labelled with."""
        return (self.class_id, *self.other_ids)


class ImageSet:
    """Labelled images, opened by :func:`~filtag_kg.images.open_images`.

    Parameters
    ----------
    path : Path
        What was opened; for several shards, their pattern.
    images : sequence of ImageRef
        In any order.
    sizes : mapping of str to int
        From the names of at least the images to the bytes of their files.
    read : callable
        From an image's name to its bytes; called from several threads at once.
    digest : callable, optional
        Returns the SHA-256 of the archive; by default that of the list of images.
    reading_order : sequence of ImageRef, optional
        Every image, in the order to read them in if any other would be slow.
    shards : mapping of str to int, optional
        From an image's name to the number of its shard, if there are several.
    left_out : LeftOut, optional
        What else is there, and why it is not among the images.
    folders : mapping of str to str, optional
        If folders label the images, from a class id to the path of its folder where that is not just the class id.
    labels_from : Path, optional
        The file that labels the images, if it was found beside them rather than asked for.
    labels : mapping of str to str, optional
        The labels of classes whose ids say more than their names, as where two have one name.
    pixels : callable, optional
        From the name of an image that is an array to that array, None for a file, if there are any arrays.
    ready_made : bool
        Whether the arrays are what a network takes.
    keyed : bool
        Whether the images are samples of a webdataset, each with a key of its own in all shards.

    Attributes
    ----------
    images : tuple of ImageRef
        Sorted.
    classes : tuple of str
        The class ids, sorted.
    sequential : bool
        Whether the images must be read in `reading_order`, one after the other.
    ready_made : bool
        Whether the images are arrays that a network takes as they are, neither resized nor scaled.
    """

    def __init__(
        self,
        path: Path,
        images: Sequence[ImageRef],
        *,
        sizes: Mapping[str, int],
        read: Callable[[str], bytes],
        close: Callable[[], None],
        digest: Callable[[], str] | None = None,
        reading_order: Sequence[ImageRef] | None = None,
        shards: Mapping[str, int] | None = None,
        left_out: LeftOut | None = None,
        folders: Mapping[str, str] | None = None,
        labels_from: Path | None = None,
        labels: Mapping[str, str] | None = None,
        pixels: Callable[[str], Pixels | None] | None = None,
        ready_made: bool = False,
        keyed: bool = False,
    ) -> None:
        self.path = path
        self.sizes = sizes
        self.left_out = left_out or LeftOut()
        self._shards = shards or {}
        self.sequential = reading_order is not None
        self.ready_made = ready_made
        self.images = tuple(sorted(images))
        self.classes = _classes(self.images)
        self.folders = folders
        self.labels_from = labels_from
        self.labels = labels or {}
        self.keyed = keyed
        self.reading_order = self.images if reading_order is None else tuple(reading_order)
        self._read = read
        self._pixels = pixels
        self.close = close
        self._digest = digest or self.listing_sha256

    @property
    def has_arrays(self) -> bool:
        """Whether some images are arrays."""
        return self._pixels is not None

    @property
    def names_of_classes(self) -> tuple[str, str]:
        """What a class id is, and what must be renamed to mend it: for messages."""
        return ("a label", "labels") if self.folders is None else ("the name of a folder", "folders")

    def read(self, image: ImageRef) -> bytes:
        """Return the bytes of an image's file; safe from several threads at once.

        Raises
        ------
        FiltagError
            If the archive is damaged there, or the file is gone.
        """
        try:
            return self._read(image.name)
        except Exception as error:  # noqa: BLE001
            # Broad on purpose, as in `open_archive`: a damaged archive makes its reader raise anything.
            raise FiltagError(f"cannot read {image.name} in {self.path.name} ({reason_of(error)})") from None

    def pixels(self, image: ImageRef) -> Pixels | None:
        """Return the array of an image that is one, of shape (height, width, channels); None for a file."""
        return None if self._pixels is None else self._pixels(image.name)

    def sha256(self) -> str:
        """Return the SHA-256 of the archive, or of a folder's list of images with their sizes."""
        return self._digest()

    def listing_sha256(self) -> str:
        """Return the SHA-256 of the list of images, sizes and labels, which needs no file of an image to be read."""
        # Names and sizes tell files apart; they are alike in any two sets of arrays.
        digest = hashlib.sha256(b"" if self._pixels is None else self.sha256().encode())
        for image in sorted(self.images, key=lambda image: image.name):
            # The name tells the label where that is just the image's folder.
            labels = "" if folder_of(image.name)[-1:] == image.class_ids else "\t" + "\t".join(image.class_ids)
            line = f"{image.name}\t{self.sizes[image.name]}{labels}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def shard_of(self, image: ImageRef) -> int:
        """Return the number of an image's shard; 0 if there is only one."""
        return self._shards.get(image.name, 0)

    def only(self, images: Iterable[ImageRef]) -> ImageSet:
        """Return a subset of the images, from the same archive and closed with it."""
        chosen = set(images)
        subset = copy(self)
        subset.images = tuple(image for image in self.images if image in chosen)
        subset.classes = _classes(subset.images)
        subset.reading_order = tuple(image for image in self.reading_order if image in chosen)
        return subset

    def counting(self, class_ids: Sequence[str], *, known: Iterable[str] = ()) -> ImageSet:
        """Return the images with labels that are whole numbers replaced by the classes that they count.

        Names of folders stay: how a folder's number counts depends on who sorted the folders. So do numbers that are
        class ids themselves.

        Parameters
        ----------
        class_ids : sequence of str
            The network's classes, in the order of its outputs.
        known : iterable of str
            Further class ids.
        """
        counted = {str(number): class_id for number, class_id in enumerate(class_ids)}
        labels = set(self.classes)
        if self.folders is not None or not labels or not labels <= counted.keys() or labels & {*class_ids, *known}:
            return self
        first = min(labels, key=int)
        _LOGGER.warning("the labels in %s count the network's classes: %s is %s", self.path, first, counted[first])

        def named(image: ImageRef) -> ImageRef:
            first_id, *others = (counted[class_id] for class_id in image.class_ids)
            return replace(image, class_id=first_id, other_ids=tuple(others))

        renamed = copy(self)
        renamed.images = tuple(sorted(map(named, self.images)))
        renamed.classes = _classes(renamed.images)
        renamed.reading_order = tuple(map(named, self.reading_order)) if self.sequential else renamed.images
        return renamed

    def __enter__(self) -> Self:
        """Return the images themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the archive."""
        self.close()


def _classes(images: Iterable[ImageRef]) -> tuple[str, ...]:
    return tuple(sorted({class_id for image in images for class_id in image.class_ids}))
