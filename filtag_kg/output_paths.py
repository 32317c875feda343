"""Where an output goes, and whether it can be written there: asked before hours are spent on it."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from filtag_kg.errors import FiltagError

_DESCRIPTOR = re.compile(r"/(?:dev|proc/(\d+)(?:/task/\d+)?)/fd/(\d+)")
_MOST_LINKS = 40


def destination_of(target: Path) -> Path:
    """Return the absolute path that an output to `target` is written to, with links resolved.

    Raises
    ------
    FiltagError
        If there can be no such path: a loop of links, a name that is too long, a folder that must not be looked into.
    """
    try:
        destination = Path(os.path.realpath(target))
        for path in (target, destination):
            with suppress(FileNotFoundError):
                path.stat()
        if target.is_symlink() and not destination.parent.is_dir():
            raise FiltagError(
                f"{target} is a link to {destination}, whose folder does not exist: make it, or mend the link"
            )
    except OSError as error:
        raise unwritable(target, error) from None
    return destination


def check_file_output(target: Path) -> Path:
    """Make sure that a file can be written to `target`, and return its destination.

    Raises
    ------
    FiltagError
        If a directory is there, or the file or its folder cannot be written.
    """
    if is_stream(target):
        return target
    destination = destination_of(target)
    if destination.is_dir():
        raise FiltagError(f"{target} is a directory: give the name of a file")
    _check_writable(target, destination)
    return destination


def check_directory_output(target: Path) -> Path:
    """Make sure that a directory can be put at `target`, and return its destination.

    The caller decides whether what is already there may be replaced.

    Raises
    ------
    FiltagError
        If something other than a directory is there, if it is a directory that cannot be replaced, or if it cannot be
        written.
    """
    destination = destination_of(target)
    if os.path.lexists(destination) and not destination.is_dir():
        raise FiltagError(f"{target} exists and is no directory, so it is not replaced: choose another output")
    with suppress(OSError):  # The current directory may be gone.
        if Path.cwd().is_relative_to(destination):
            raise FiltagError(f"{target} is the current directory or holds it, so it is not replaced: choose another")
    if os.path.ismount(destination):
        raise FiltagError(f"{target} is a mount point, which cannot be replaced: choose a folder in it")
    _check_writable(target, destination)
    return destination


def check_new_directory(target: Path) -> None:
    """Make sure that a directory can be put at `target` and that nothing is there.

    Raises
    ------
    FiltagError
        As `check_directory_output`, or if there is a directory already.
    """
    if check_directory_output(target).exists():
        raise FiltagError(f"{target} exists and is not replaced: choose another output", options=("output",))


def sibling(path: Path, ending: str) -> Path:
    """Return the path with an ending appended to its name; ``.`` and ``..`` stand for the directories they name."""
    return Path(f"{os.path.realpath(path) if path.name in ('', '..') else path}{ending}")


def is_stream(target: Path) -> bool:
    """Return whether output goes into something that stays in place: a device, a pipe, an open descriptor."""
    try:
        return _descriptor_of(target) is not None or not _is_replaceable(target)
    except OSError:
        return False


def open_stream(target: Path) -> int | None:
    """Return a new descriptor for a target that :func:`is_stream`; None for one that is to be replaced.

    Raises
    ------
    FiltagError
        If it cannot be opened.
    """
    try:
        own = _descriptor_of(target)
        if own is not None:
            return os.dup(own)
        return None if _is_replaceable(target) else os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    except OSError as error:
        raise unwritable(target, error) from None


def unwritable(target: Path, error: OSError) -> FiltagError:
    """Return the error that says that an output cannot be written."""
    return FiltagError(
        f"cannot write {target} ({error.strerror or error}): choose another output or mend its permissions"
    )


def _descriptor_of(target: Path) -> int | None:
    """Return the number of this process's open descriptor that `target` names, itself or through links."""
    path = target
    for _ in range(_MOST_LINKS):
        path = Path(os.path.realpath(path.parent)) / path.name
        match = _DESCRIPTOR.fullmatch(str(path))
        if match is not None and match[1] in (None, str(os.getpid())):
            return int(match[2])
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _is_replaceable(target: Path) -> bool:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _check_writable(target: Path, destination: Path) -> None:
    """Refuse what is read-only, or lies in a read-only folder, although a rename might replace it."""
    try:
        folder = next(folder for folder in destination.parents if folder.exists())
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        for path in (destination, folder):
            if path.exists() and not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unwritable(target, error) from None
