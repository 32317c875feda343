"""Outputs: each follows what stands at its place, and is whole or not there.

- Devices, pipes and open descriptors (``/dev/stdout``, ``/dev/fd/3``, a shell's ``>(…)``) are written to.
- A symbolic link stays, and what it points to is replaced.
- A regular file is replaced in one step and keeps mode and owner. Its other names (hard links) keep the old content.
- A directory is exchanged in one step, and only if the caller knows it for one of ours.

What is unfinished is a hidden sibling under the output's lock. The system lets go of a lock when its process ends,
however it ends: so whoever holds the lock knows that what it finds there is of a run that is dead, and removes it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filtag_kg.errors import FiltagError
from filtag_kg.system_calls import locked_file, remove, rename_in_one_step

__all__ = [
    "check_directory_output",
    "check_file_output",
    "is_leftover",
    "is_stream",
    "only_writer",
    "place_of",
    "remove_leftovers",
    "replacing",
    "replacing_directory",
    "scratch_directory",
    "sha256_of",
    "sibling",
    "writing",
]

_DESCRIPTOR = re.compile(r"/(?:dev|proc/(\d+)(?:/task/\d+)?)/fd/(\d+)")
_HIDDEN = re.compile(r"\..+\.filtag-(?:lock|new|old|work)")
# The longest name that gets an ending: file systems allow 255 bytes, encrypted ones 143.
_LONGEST_NAME = 100
_MOST_LINKS = 40
_held: set[tuple[Path, int]] = set()


@contextmanager
def writing(target: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Yield a file to write to `target`: a device or pipe gets it as it comes, anything else when it is whole.

    Parameters
    ----------
    target : Path
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    FiltagError
        As `replacing`.
    """
    stream = _open_stream(target)
    if stream is None:
        with replacing(target, overwrite=overwrite) as unfinished, unfinished.open("wb") as file:
            yield file
        return
    with _one_line(target), os.fdopen(stream, "wb") as file:
        yield file


@contextmanager
def replacing(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield the path of a file to be made, and put it in the place of `target` at the end.

    If the body raises, it is removed and the target stays as it was.

    Parameters
    ----------
    target : Path
    overwrite : bool
        Whether a file that is there by the end may be replaced.

    Raises
    ------
    FiltagError
        If no file can be written there, another process is writing it, the disk is full, or a file that must not be
        replaced is there.
    """
    stream = _open_stream(target)
    if stream is not None:
        with _one_line(target), os.fdopen(stream, "wb") as file, tempfile.TemporaryDirectory() as room:
            unfinished = Path(room) / target.name
            yield unfinished
            with unfinished.open("rb") as made:
                shutil.copyfileobj(made, file)
        return
    place = check_file_output(target)
    with _unfinished(place, target) as unfinished:
        with _reading(unfinished):
            yield unfinished
        if os.path.lexists(place) and not overwrite:
            raise FiltagError(f"{target} was made by another process meanwhile: it was left as it is")
        check_file_output(target)
        if place.exists():
            _take_mode_and_owner(place, unfinished)
        if overwrite or not rename_in_one_step(unfinished, place, exchange=False):
            unfinished.replace(place)


@contextmanager
def replacing_directory(target: Path, check: Callable[[Path], object]) -> Iterator[Path]:
    """Yield a new, empty directory to be filled, and exchange it for `target` at the end.

    If the body raises, it is removed and the target stays as it was.

    Parameters
    ----------
    target : Path
    check : callable
        Called with the target right before it is replaced, if something other than an empty directory is there; raises
        `FiltagError` if that must stay.

    Raises
    ------
    FiltagError
        If no directory can be put there, another process is writing it, the disk is full, or the target must stay.
    """
    place = check_directory_output(target)
    with _unfinished(place, target) as unfinished:
        unfinished.mkdir()
        with _reading(unfinished):
            yield unfinished
        check_directory_output(target)
        if not os.path.lexists(place):
            if not rename_in_one_step(unfinished, place, exchange=False):
                unfinished.rename(place)
            return
        if any(place.iterdir()):
            check(target)
        unfinished.chmod(stat.S_IMODE(place.stat().st_mode))
        if not rename_in_one_step(unfinished, place, exchange=True):
            _exchange_in_two_steps(unfinished, place)


@contextmanager
def only_writer(target: Path, *, wait_s: float = 0) -> Iterator[None]:
    """Let one process, and one thread of it, alone write an output; those that read it are not disturbed.

    What killed writers of this output have left is removed.

    Parameters
    ----------
    target : Path
        A path and a link to it are one output. If its folder is not there, it is made, and goes if it stays empty.
    wait_s : float
        How many seconds to wait for another writer.

    Raises
    ------
    FiltagError
        If another writer is at it, and still is when that time is over; or if its folder cannot be written.
    """
    place = place_of(target)
    key = (place, threading.get_ident())
    if key in _held:
        yield
        return
    lock = _hidden(place, "lock")
    with _folder_of(place, target):
        try:
            descriptor = locked_file(lock, wait_s)
        except OSError as error:
            raise _unwritable(target, error) from None
        if descriptor is None:
            raise FiltagError(f"another process is changing {target.absolute()}: try again when it is done")
        _held.add(key)
        try:
            _remove_what_a_dead_run_left(place)
            yield
        finally:
            _held.discard(key)
            # While it is held, so that nobody else's is removed; Windows keeps what is open.
            with suppress(OSError):
                lock.unlink()
            os.close(descriptor)


@contextmanager
def scratch_directory(target: Path) -> Iterator[Path]:
    """Yield a new, hidden directory beside an output, for what is made on the way to it; nothing of it is left."""
    with only_writer(target), _one_line(target):
        room = _hidden(place_of(target), "work")
        try:
            room.mkdir()
            yield room
        finally:
            remove(room)


def place_of(target: Path) -> Path:
    """Return the absolute path that an output to `target` ends up at, links resolved.

    Raises
    ------
    FiltagError
        If there can be no such path: a loop of links, a name that is too long, a folder that must not be looked into.
    """
    try:
        place = Path(os.path.realpath(target))
        for path in (target, place):
            with suppress(FileNotFoundError):
                path.stat()
        if target.is_symlink() and not place.parent.is_dir():
            raise FiltagError(f"{target} is a link to {place}, whose folder does not exist: make it, or mend the link")
    except OSError as error:
        raise _unwritable(target, error) from None
    return place


def is_stream(target: Path) -> bool:
    """Return whether output to `target` is written to something that stays: a device, a pipe, an open descriptor."""
    try:
        return _descriptor_of(target) is not None or not _is_replaceable(target)
    except OSError:
        return False


def check_file_output(target: Path) -> Path:
    """Make sure that a file may be put at `target`, before hours are spent on it, and return its place.

    Raises
    ------
    FiltagError
        If a directory is there, or the file or its folder cannot be written.
    """
    if is_stream(target):
        return target
    place = place_of(target)
    if place.is_dir():
        raise FiltagError(f"{target} is a directory: give the name of a file")
    _check_writable(target, place)
    return place


def check_directory_output(target: Path) -> Path:
    """Make sure that a directory may be put at `target`, before hours are spent on it, and return its place.

    Whether what is there may be replaced is for the caller to know.

    Raises
    ------
    FiltagError
        If something other than a directory is there; if it is a directory that no other can take the place of; or if
        it cannot be written.
    """
    place = place_of(target)
    if os.path.lexists(place) and not place.is_dir():
        raise FiltagError(f"{target} exists and is no directory, so it is not replaced: choose another place")
    with suppress(OSError):  # The current directory may be gone.
        if Path.cwd().is_relative_to(place):
            raise FiltagError(f"{target} is the current directory or holds it, so it is not replaced: choose another")
    if os.path.ismount(place):
        raise FiltagError(f"{target} is a mount point, which cannot be replaced: choose a folder in it")
    _check_writable(target, place)
    return place


def sibling(path: Path, ending: str) -> Path:
    """Return the path whose name has an ending more; for ``.`` and ``..``, beside the directory that they stand for."""
    return Path(f"{os.path.realpath(path) if path.name in ('', '..') else path}{ending}")


def is_leftover(name: str) -> bool:
    """Return whether a file is called like what a run hides while it writes, and leaves if it is killed."""
    return _HIDDEN.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove from a folder what killed runs left. The caller holds a lock that every writer of the folder needs."""
    for path in list(folder.iterdir()):
        if is_leftover(path.name):
            remove(path)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_stream(target: Path) -> int | None:
    """Return a new descriptor of what `target` is, if that is something that stays; None if it is to be replaced."""
    try:
        own = _descriptor_of(target)
        if own is not None:
            return os.dup(own)
        return None if _is_replaceable(target) else os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    except OSError as error:
        raise _unwritable(target, error) from None


def _descriptor_of(target: Path) -> int | None:
    """Return the number of the open descriptor of this process that `target` names, itself or through links."""
    path = target
    for _ in range(_MOST_LINKS):
        path = Path(os.path.realpath(path.parent)) / path.name
        found = _DESCRIPTOR.fullmatch(str(path))
        if found is not None and found[1] in (None, str(os.getpid())):
            return int(found[2])
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


def _check_writable(target: Path, place: Path) -> None:
    """Refuse what is read-only, or lies in a folder that is, although a rename might replace it."""
    try:
        there = place if place.exists() else None
        folder = next(folder for folder in place.parents if folder.exists())
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        for path in (there, folder):
            if path is not None and not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(target, error) from None


def _unwritable(target: Path, error: OSError) -> FiltagError:
    return FiltagError(
        f"cannot write {target} ({error.strerror or error}): choose another place or mend its permissions"
    )


@contextmanager
def _unfinished(place: Path, target: Path) -> Iterator[Path]:
    """Yield the hidden path to write to, alone among the writers of `place`; nothing of it is left at the end."""
    with only_writer(target), _one_line(target, ": nothing was changed"):
        unfinished = _hidden(place, "new")
        try:
            yield unfinished
        finally:
            remove(unfinished)


@contextmanager
def _folder_of(place: Path, target: Path) -> Iterator[None]:
    """Make the folder of an output, with those above it; at the end, those that are still empty go."""
    made = [folder for folder in place.parents if not folder.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        yield
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def _remove_what_a_dead_run_left(place: Path) -> None:
    old = _hidden(place, "old")
    if old.exists() and not place.exists():
        with _one_line(place):
            old.rename(place)
    for path in (old, _hidden(place, "new"), _hidden(place, "work")):
        remove(path)
        if os.path.lexists(path):
            raise FiltagError(f"{path}, which an earlier run left, cannot be removed: remove it")


@contextmanager
def _one_line(target: Path, what_now: str = "") -> Iterator[None]:
    """Say of an error of the system which output it is about; of a pipe that nobody reads, nothing needs to be said."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if any(map(is_leftover, target.parts)):  # A file of a directory that is being made: that one is to be named.
            raise
        raise FiltagError(f"cannot write {target} ({error.strerror or error}){what_now}") from None


@contextmanager
def _reading(unfinished: Path) -> Iterator[None]:
    """Do not take an input that cannot be read for an output that cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # Copying names its source.
        if not full and isinstance(error.filename, str) and not Path(error.filename).is_relative_to(unfinished):
            raise FiltagError(f"cannot read {error.filename} ({error.strerror}): nothing was changed") from None
        raise


def _hidden(place: Path, ending: str) -> Path:
    """Return the path beside an output of what is hidden while it is written."""
    name = os.fsencode(place.name)
    stem = place.name if len(name) <= _LONGEST_NAME else hashlib.sha256(name).hexdigest()
    return place.with_name(f".{stem}.filtag-{ending}")


def _take_mode_and_owner(place: Path, unfinished: Path) -> None:
    old, new = place.stat(), unfinished.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with suppress(OSError):  # Only root may give files away.
            os.chown(unfinished, old.st_uid, old.st_gid)
    unfinished.chmod(stat.S_IMODE(old.st_mode))


def _exchange_in_two_steps(unfinished: Path, place: Path) -> None:
    """Put a directory in the place of another where the system cannot do it in one step; undo it if that fails."""
    old = _hidden(place, "old")
    place.rename(old)
    try:
        unfinished.rename(place)
    except BaseException:
        if not place.exists():
            try:
                old.rename(place)
            except OSError:
                raise FiltagError(f"cannot put anything at {place}: what was there is in {old}") from None
        raise
    finally:
        if place.exists():
            remove(old)
