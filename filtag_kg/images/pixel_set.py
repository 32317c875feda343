"""A set of images that are arrays, in memory or in a temporary file."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.images.decode import read_file
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.pixels import Pixels, viewable

Content = Pixels | bytes | Path
"""An image: its pixels, or the bytes of its file, or the path of that."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """Where an image is in a temporary file.

    Parameters
    ----------
    offset, length : int
        In bytes.
    shape : tuple of int, optional
        (height, width, channels); None for the bytes of a file.
    dtype : str
        Of the pixels.
    """

    offset: int
    length: int
    shape: tuple[int, ...] | None
    dtype: str


class Spool:
    """A temporary file for images that come only once. The system deletes it when it is closed, or the process ends."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="filtag-")  # noqa: SIM115 - it lives as long as the set of images
        self._end = 0
        self._lock = threading.Lock()

    def add(self, content: Pixels | bytes) -> Spooled:
        """Append an image.

        Raises
        ------
        FiltagError
            If there is no room.
        """
        data = content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()
        try:
            self._file.write(data)
        except OSError as error:
            raise FiltagError(
                f"the images do not fit into {tempfile.gettempdir()} ({error.strerror}): let TMPDIR name a folder with "
                "more room, or save them as files"
            ) from None
        spooled = Spooled(
            self._end,
            len(data),
            None if isinstance(content, bytes) else content.shape,
            "uint8" if isinstance(content, bytes) else content.dtype.name,
        )
        self._end += len(data)
        return spooled

    def read(self, spooled: Spooled) -> Pixels | bytes:
        """Return an image; safe from several threads at once."""
        with self._lock:
            self._file.seek(spooled.offset)
            data = self._file.read(spooled.length)
        if spooled.shape is None:
            return data
        return np.frombuffer(data, spooled.dtype).reshape(spooled.shape)

    def close(self) -> None:
        """Close and delete it."""
        self._file.close()


def pixel_set(
    path: Path,
    images: Sequence[ImageRef],
    *,
    content_of: Callable[[str], Content],
    sizes: Mapping[str, int],
    ready_made: bool,
    digest: Callable[[], str],
    close: Callable[[], None] = lambda: None,
    labels: Mapping[str, str] | None = None,
) -> ImageSet:
    """Return a set of images of which some or all are arrays.

    Parameters
    ----------
    path : Path
        What messages call it.
    content_of : callable
        From an image's name to the image; called from several threads at once.
    digest : callable
        Returns the SHA-256 of all images and labels.
    """

    def read(name: str) -> bytes:
        content = content_of(name)
        if isinstance(content, Path):
            return read_file(content)
        return content if isinstance(content, bytes) else viewable(content)

    def pixels(name: str) -> Pixels | None:
        content = content_of(name)
        return None if isinstance(content, bytes | Path) else content

    return ImageSet(
        path,
        images,
        sizes=sizes,
        read=read,
        close=close,
        digest=digest,
        labels=labels,
        pixels=pixels,
        ready_made=ready_made,
    )


class ContentDigest:
    """The SHA-256 of images as they come."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, content: Content, class_ids: Sequence[str]) -> None:
        """Add an image and its labels."""
        if isinstance(content, Path):
            # Whether it is there is found out with all the others.
            size = content.stat().st_size if content.exists() else 0
            kind, data = f"file {size}", os.fsencode(content.name)
        elif isinstance(content, bytes):
            kind, data = "bytes", content
        else:
            kind, data = f"{content.dtype.name} {content.shape}", np.ascontiguousarray(content).tobytes()
        header = "\t".join([kind, str(len(data)), *class_ids])
        self._digest.update(header.encode("utf-8", "surrogateescape") + b"\n" + data)

    def hexdigest(self) -> str:
        """Return it."""
        return self._digest.hexdigest()
