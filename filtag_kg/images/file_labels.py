"""Labels that files beside images hold, where the images are in no folders of classes."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

from filtag_kg.errors import FiltagError
from filtag_kg.images.listing import IMAGE_SUFFIXES, File, is_hidden

_MOST_BYTES = 2**28
_Where = TypeVar("_Where")


@dataclass(frozen=True, slots=True)
class FileLabels:
    """What files say of the images in a folder or archive.

    Parameters
    ----------
    class_ids : dict of str to tuple of str
        From the path of an image to its classes.
    used : set of str
        Paths of the files that say so.
    without : str
        What an image is that has no label, for the count of what is left out.
    source : Path, optional
        The file that says so, if it is not among the images.
    keyed : bool
        Whether the images are samples of a webdataset.
    """

    class_ids: dict[str, tuple[str, ...]]
    used: set[str] = field(default_factory=set)
    without: str = "images without a label"
    source: Path | None = None
    keyed: bool = False


class Files:
    """The files in a folder or archive but for hidden ones, to be read while it is opened.

    Parameters
    ----------
    where : Path
        The folder or archive, or the folder in an archive that is asked for.
    top : str
        The path of that folder in the archive; else empty.
    files : mapping of str to File
        By path.
    read : callable
        From where a file is to its bytes.
    in_order : bool
        Whether any other order of reading than that of `where` is slow.

    Attributes
    ----------
    names : list of str
        The paths, in the order in which they are read best.
    images : list of str
        Those that are named like images.
    """

    def __init__(
        self,
        where: Path,
        top: str,
        files: Mapping[str, File[_Where]],
        read: Callable[[_Where], bytes],
        *,
        in_order: bool,
    ) -> None:
        self.where = where
        self.names = [name for name in files if not is_hidden(name)]
        if in_order:
            self.names.sort(key=lambda name: (files[name].where, name))
        self.images = [name for name in self.names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES]
        folders = {posixpath.dirname(name) for name in self.images}
        self.are_flat = len(folders) == 1
        self.are_at_top = folders == {top}
        self._size: Callable[[str], int] = lambda name: files[name].size
        self._read: Callable[[str], bytes | None] = lambda name: read(files[name].where) if name in files else None

    def content(self, name: str) -> bytes | None:
        """Return the bytes of a file, None if there is none."""
        return self._read(name)

    def text(self, name: str, most: int = _MOST_BYTES) -> str:
        """Return the text of a file that is there.

        Raises
        ------
        FiltagError
            If it has more than `most` bytes, or is not UTF-8.
        """
        if self._size(name) > most:
            raise FiltagError(f"{name} in {self.where} is too large to hold labels: remove it")
        try:
            return (self._read(name) or b"").decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FiltagError(f"{name} in {self.where} is not text in UTF-8: save its labels as such") from None
