"""The contents of a folder or archive: which are images, where links lead, and what is left out and why."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from filtag_kg.errors import FiltagError
from filtag_kg.images.decode import MOST_BYTES

IMAGE_SUFFIXES = frozenset(
    {
        ".apng",
        ".avif",
        ".avifs",
        ".bmp",
        ".gif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".mpo",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    }
)
# Folders and files that systems and programs create.
_SYSTEM = frozenset(
    {
        "#recycle",
        "$recycle.bin",
        "@eadir",
        "@recycle",
        "__macosx",
        "desktop.ini",
        "lost+found",
        "system volume information",
        "thumbs.db",
    }
)
# The longest chain of links; systems stop at 40, too.
_MOST_STEPS = 40
# Links to folders may repeat the files this many times.
_MOST_COPIES = 10

_OTHER_FILES = "files without the suffix of an image"
_NO_IMAGES = {
    **dict.fromkeys((".tar", ".tgz", ".zip"), "archives, to be unpacked into a folder each"),
    ".parquet": "Parquet files, to be given themselves or by their folder",
}

_Where = TypeVar("_Where")


@dataclass(frozen=True, slots=True)
class File(Generic[_Where]):
    """A file in a folder or archive.

    Parameters
    ----------
    name : str
        Its path as it is written there.
    where : any
        Whatever locates its bytes.
    size : int
        In bytes.
    """

    name: str
    where: _Where
    size: int


class LeftOut:
    """Counts of what is left out, by reason, each with the first name as an example."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, reason: str, name: str, count: int = 1) -> None:
        """Count something left out."""
        self._counts[reason] = self._counts.get(reason, 0) + count
        self._first.setdefault(reason, readable_name(name))

    def update(self, other: LeftOut) -> None:
        """Add another's counts."""
        for reason, count in other._counts.items():
            self.add(reason, other._first[reason], count)

    def __bool__(self) -> bool:
        """Return whether anything is left out."""
        return bool(self._counts)

    def __str__(self) -> str:
        """Return all reasons in one line, each with a count and an example."""
        return "; ".join(
            f"{reason}: {count:,} ({'such as ' if count > 1 else ''}{self._first[reason]!r})"
            for reason, count in self._counts.items()
        )


@dataclass
class Listing(Generic[_Where]):
    """The contents of a folder or archive, by normalised path with ``/``.

    Of two files with one name the last one counts, as it would on extraction.

    Attributes
    ----------
    files : dict of str to File
        Regular files of all kinds.
    links : dict of str to (str, str)
        From the path of a link to its name as it is written there, and the path that it leads to.
    folders : set of str
    left_out : LeftOut
    """

    files: dict[str, File[_Where]] = field(default_factory=dict)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    left_out: LeftOut = field(default_factory=LeftOut)

    def add_file(self, name: str, where: _Where, size: int) -> None:
        """Add a regular file."""
        name = readable_name(name)
        path = posixpath.normpath(name)
        self.links.pop(path, None)
        self.files[path] = File(name, where, size)

    def add_link(self, name: str, target: str, *, hard: bool = False) -> None:
        """Add a link; a hard link's target is a path from the top."""
        name, target = readable_name(name), readable_name(target)
        path = posixpath.normpath(name)
        self.files.pop(path, None)
        self.links[path] = name, posixpath.normpath(target if hard else posixpath.join(posixpath.dirname(path), target))

    def add_folder(self, name: str) -> None:
        """Add a folder, which may be empty."""
        self.folders.add(posixpath.normpath(readable_name(name)))

    def all_files(self) -> dict[str, File[_Where]]:
        """Return the files and the links to files, by path; count the links that lead nowhere. To be called once."""
        return {**self.files, **dict(self._linked())}

    def images(self, files: Mapping[str, File[_Where]], used: Container[str] = ()) -> Iterator[File[_Where]]:
        """Yield those of all files that are named like images; count the others and empty folders.

        Parameters
        ----------
        files : mapping of str to File
            From :meth:`all_files`.
        used : container of str
            Paths of files that are no images but say something of them: they are not left out.
        """
        holding: set[str] = set()
        for path, file in files.items():
            if path in used:
                continue
            if is_hidden(path):
                self.left_out.add("hidden or system files", file.name)
            elif PurePosixPath(path).suffix.lower() not in IMAGE_SUFFIXES:
                self.left_out.add(_NO_IMAGES.get(PurePosixPath(path).suffix.lower(), _OTHER_FILES), file.name)
            elif file.size > MOST_BYTES:
                self.left_out.add(f"files of more than {MOST_BYTES // 2**20} MiB", file.name)
            else:
                holding.update(str(parent) for parent in PurePosixPath(path).parents)
                yield file
        inner = {posixpath.dirname(folder) for folder in self.folders}
        for folder in sorted(self.folders - holding - inner):
            if not is_hidden(folder):
                self.left_out.add("folders without images", folder)

    def _linked(self) -> Iterator[tuple[str, File[_Where]]]:
        paths = sorted(self.files)
        copies = _MOST_COPIES * len(paths)
        for path, (name, first) in self.links.items():
            target = first
            for _ in range(_MOST_STEPS):
                if target not in self.links:
                    break
                target = self.links[target][1]
            inside = range(bisect_left(paths, f"{target}/"), bisect_left(paths, f"{target}0"))
            if target in self.files:
                yield path, File(name, self.files[target].where, self.files[target].size)
            elif target == ".." or target.startswith(("../", "/")):
                self.left_out.add("links that lead outside", name)
            elif not inside or f"{path}/".startswith(f"{target}/"):
                self.left_out.add("links that lead nowhere or in a circle", name)
            elif len(inside) > copies:
                self.left_out.add(f"links that would repeat the files more than {_MOST_COPIES} times", name)
            else:
                copies -= len(inside)
                for file in (self.files[paths[index]] for index in inside):
                    rest = posixpath.normpath(file.name)[len(target) :]
                    yield path + rest, File(name + rest, file.where, file.size)


def is_hidden(path: str) -> bool:
    """Return whether any part of a path is hidden, or made by a system."""
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.casefold() in _SYSTEM
        for part in PurePosixPath(path).parts
    )


def readable_name(name: str) -> str:
    r"""Return a name with bytes that are not UTF-8 decoded as Latin-1, so it can be written anywhere.

    Python represents such bytes as lone surrogates (PEP 383), which cannot be encoded.

    >>> readable_name(b"B\xe4r".decode("utf-8", "surrogateescape"))
    'Bär'
    >>> readable_name("Bär")
    'Bär'
    """
    if not any("\ud800" <= character <= "\udfff" for character in name):
        return name
    try:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:
        raise FiltagError(f"the name {name!a} is not text: rename it") from None
