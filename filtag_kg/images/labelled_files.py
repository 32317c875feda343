"""Image files that lie anywhere, each with its labels."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.images.decode import MOST_BYTES, read_file
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.listing import LeftOut, readable_name
from filtag_kg.names import nfc

_LONGEST_SHOWN = 300


def label_of(text: str) -> str:
    """Return a label in Unicode's normal form C, without spaces around it and with single ones in it."""
    return " ".join(nfc(text).split())


def labelled_files(
    source: Path, files: Iterable[tuple[Path, Sequence[str], str]], *, top: Path, base: str = "the list's own folder"
) -> ImageSet:
    """Return files with their labels as a set of images; a file that occurs again gets all its labels.

    Parameters
    ----------
    source : Path
        Where the labels are from.
    files : iterable of (path, class ids, where)
        The path may be relative to `top`; `where` in the source it is named, for messages.
    top : Path
        The images are called by their paths from here. If one is elsewhere, all are called by their paths from the
        folder that holds them all, so that no name tells more of the machine than it must.
    base : str
        What `top` is, for messages.

    Raises
    ------
    FiltagError
        If there is no such file, or none at all.
    """
    labels: dict[Path, list[str]] = {}
    first: dict[Path, str] = {}
    for path, class_ids, where in files:
        absolute = Path(os.path.normpath(top.absolute() / path))
        labels.setdefault(absolute, []).extend(class_ids)
        first.setdefault(absolute, where)
    left_out = LeftOut()
    sizes = _sizes(labels, first, left_out, base)
    if not sizes:
        out = f" (left out: {left_out})" if left_out else ""
        raise FiltagError(f"{source} lists no images{out}: name one a line, with its label")
    names = _names(list(sizes), top)
    path_of = {names[path]: path for path in sizes}
    images = [ImageRef(*_ref(labels[path], names[path])) for path in sizes]
    return ImageSet(
        source,
        images,
        sizes={names[path]: size for path, size in sizes.items()},
        read=lambda name: read_file(path_of[name]),
        close=lambda: None,
        left_out=left_out,
    )


def _ref(labels: Sequence[str], name: str) -> tuple[str, str, tuple[str, ...]]:
    class_id, *others = dict.fromkeys(labels)
    return class_id, name, tuple(others)


def _sizes(paths: Iterable[Path], first: dict[Path, str], left_out: LeftOut, base: str) -> dict[Path, int]:
    sizes: dict[Path, int] = {}
    missing: list[Path] = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            missing.append(path)
            continue
        if stat.S_ISDIR(found.st_mode):
            raise FiltagError(f"{first[path]}: {_shown(path)} is a folder: name each image in it")
        if not stat.S_ISREG(found.st_mode):
            left_out.add("pipes, sockets or devices", str(path))
        elif found.st_size > MOST_BYTES:
            left_out.add(f"files of more than {MOST_BYTES // 2**20} MiB", str(path))
        else:
            sizes[path] = found.st_size
    if missing:
        more = f", and {len(missing) - 1:,} more are missing" if len(missing) > 1 else ""
        raise FiltagError(
            f"{first[missing[0]]}: there is no {_shown(missing[0])}{more}: mend the paths, which are relative to {base}"
        )
    return sizes


def _shown(path: Path) -> str:
    """Return a path as a message in one line shows it."""
    text = str(path)
    return text if text.isprintable() and len(text) <= _LONGEST_SHOWN else ascii(text[:_LONGEST_SHOWN])


def _names(paths: Sequence[Path], top: Path) -> dict[Path, str]:
    folder = Path(os.path.normpath(top.absolute()))
    if not all(path.is_relative_to(folder) for path in paths):
        try:
            folder = Path(os.path.commonpath([path.parent for path in paths]))
        except ValueError:  # Windows: on several drives.
            return {path: readable_name(path.as_posix()) for path in paths}
    return {path: readable_name(path.relative_to(folder).as_posix()) for path in paths}
