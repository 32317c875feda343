"""Write outputs: each is whole or not there, and respects what its path leads to.

- Devices, pipes and open descriptors (``/dev/stdout``, ``/dev/fd/3``, a shell's ``>(…)``) are written to.
- A symbolic link stays, and what it points to is replaced.
- A regular file is replaced in one step and keeps its mode and owner. Its hard links keep the old content.
- A directory is exchanged in one step, and only if the caller recognises it as one of ours.

An unfinished output is a hidden sibling, written under the output's lock. The system releases a lock when its process
ends, for whatever reason: so whoever holds the lock knows that a hidden sibling was left by a dead run, and removes it.
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
from filtag_kg.output_paths import check_directory_output, check_file_output, destination_of, open_stream, unwritable
from filtag_kg.system_calls import locked_file, remove, rename_in_one_step

_HIDDEN = re.compile(r"\..+\.filtag-(?:lock|new|old|work)")
# The longest name that gets an ending: file systems allow 255 bytes, encrypted ones 143.
_LONGEST_NAME = 100
# Destinations whose locks this process holds, with the thread that holds each.
_locked: set[tuple[Path, int]] = set()


@contextmanager
def writing(target: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Yield a file to write to `target`: a device or pipe gets each byte at once, anything else the whole file.

    Parameters
    ----------
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    FiltagError
        As `replacing`.
    """
    stream = open_stream(target)
    if stream is None:
        with replacing(target, overwrite=overwrite) as unfinished, unfinished.open("wb") as file:
            yield file
        return
    with _naming_output(target), os.fdopen(stream, "wb") as file:
        yield file


@contextmanager
def replacing(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield the path of a file to be made, and replace `target` with it at the end.

    If the body raises, it is removed and the target stays as it was.

    Parameters
    ----------
    overwrite : bool
        Whether a file that is there by the end may be replaced.

    Raises
    ------
    FiltagError
        If no file can be written there, another process is writing it, the disk is full, or a file that must not be
        replaced is there.
    """
    stream = open_stream(target)
    if stream is not None:
        with _naming_output(target), os.fdopen(stream, "wb") as file, tempfile.TemporaryDirectory() as folder:
            unfinished = Path(folder) / target.name
            yield unfinished
            with unfinished.open("rb") as whole:
                shutil.copyfileobj(whole, file)
        return
    destination = check_file_output(target)
    with _locked_sibling(target, "new", ": nothing was changed") as unfinished:
        with _naming_input(unfinished):
            yield unfinished
        if os.path.lexists(destination) and not overwrite:
            raise FiltagError(f"{target} was made by another process meanwhile: it was left as it is")
        check_file_output(target)
        if destination.exists():
            _copy_mode_and_owner(destination, unfinished)
        if overwrite or not rename_in_one_step(unfinished, destination, exchange=False):
            unfinished.replace(destination)


@contextmanager
def replacing_directory(target: Path, check: Callable[[Path], object]) -> Iterator[Path]:
    """Yield a new, empty directory to be filled, and exchange it for `target` at the end.

    If the body raises, it is removed and the target stays as it was.

    Parameters
    ----------
    check : callable
        Called with the target right before it is replaced, if something other than an empty directory is there; raises
        `FiltagError` if that must stay.

    Raises
    ------
    FiltagError
        If no directory can be put there, another process is writing it, the disk is full, or the target must stay.
    """
    destination = check_directory_output(target)
    with _locked_sibling(target, "new", ": nothing was changed") as unfinished:
        unfinished.mkdir()
        with _naming_input(unfinished):
            yield unfinished
        check_directory_output(target)
        if not os.path.lexists(destination):
            if not rename_in_one_step(unfinished, destination, exchange=False):
                unfinished.rename(destination)
            return
        if any(destination.iterdir()):
            check(target)
        unfinished.chmod(stat.S_IMODE(destination.stat().st_mode))
        if not rename_in_one_step(unfinished, destination, exchange=True):
            _exchange_in_two_steps(unfinished, destination)


@contextmanager
def scratch_directory(target: Path) -> Iterator[Path]:
    """Yield a new, hidden directory beside an output for intermediate files; it is removed at the end."""
    with _locked_sibling(target, "work") as scratch:
        scratch.mkdir()
        yield scratch


@contextmanager
def only_writer(target: Path, *, wait_s: float = 0) -> Iterator[None]:
    """Lock an output: one thread of one process at a time may write it. Readers are not affected.

    Whatever killed writers of this output left is removed.

    Parameters
    ----------
    target : Path
        A path and a link to it are one output. A missing folder is made, and removed again if it stays empty.
    wait_s : float
        How many seconds to wait for another writer.

    Raises
    ------
    FiltagError
        If another writer still has the lock after that time, or the folder cannot be written.
    """
    destination = destination_of(target)
    key = (destination, threading.get_ident())
    if key in _locked:
        yield
        return
    lock = _hidden_sibling(destination, "lock")
    with _folder_of(destination, target):
        try:
            descriptor = locked_file(lock, wait_s)
        except OSError as error:
            raise unwritable(target, error) from None
        if descriptor is None:
            raise FiltagError(f"another process is changing {target.absolute()}: try again when it is done")
        _locked.add(key)
        try:
            _remove_leftovers_of(destination)
            yield
        finally:
            _locked.discard(key)
            # Unlinked while it is still locked, so this never removes another writer's; Windows keeps open files.
            with suppress(OSError):
                lock.unlink()
            os.close(descriptor)


def is_leftover(name: str) -> bool:
    """Return whether a file is named like what a run hides while it writes, and leaves behind if it is killed."""
    return _HIDDEN.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left in a folder. The caller holds a lock that every writer of the folder needs."""
    for path in list(folder.iterdir()):
        if is_leftover(path.name):
            remove(path)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked_sibling(target: Path, ending: str, outcome: str = "") -> Iterator[Path]:
    """Yield a hidden path beside an output, under the output's lock; nothing of it is left at the end."""
    with only_writer(target), _naming_output(target, outcome):
        path = _hidden_sibling(destination_of(target), ending)
        try:
            yield path
        finally:
            remove(path)


@contextmanager
def _folder_of(destination: Path, target: Path) -> Iterator[None]:
    """Make the folder of an output and those above it; at the end, remove the new ones that are still empty."""
    new_folders = [folder for folder in destination.parents if not folder.exists()]
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(target, error) from None
    try:
        yield
    finally:
        for folder in new_folders:
            with suppress(OSError):
                folder.rmdir()


def _remove_leftovers_of(destination: Path) -> None:
    old = _hidden_sibling(destination, "old")
    if old.exists() and not destination.exists():
        with _naming_output(destination):
            old.rename(destination)
    for path in (old, _hidden_sibling(destination, "new"), _hidden_sibling(destination, "work")):
        remove(path)
        if os.path.lexists(path):
            raise FiltagError(f"{path}, which an earlier run left, cannot be removed: remove it")


@contextmanager
def _naming_output(target: Path, outcome: str = "") -> Iterator[None]:
    """Turn a system error into one line that names the output; a pipe that nobody reads is no error to report."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # A file in a directory that is being made: the message is to name the directory.
        if any(map(is_leftover, target.parts)):
            raise
        raise FiltagError(f"cannot write {target} ({error.strerror or error}){outcome}") from None


@contextmanager
def _naming_input(unfinished: Path) -> Iterator[None]:
    """Tell an input that cannot be read from an output that cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # Copying names its source.
        if not full and isinstance(error.filename, str) and not Path(error.filename).is_relative_to(unfinished):
            raise FiltagError(f"cannot read {error.filename} ({error.strerror}): nothing was changed") from None
        raise


def _hidden_sibling(destination: Path, ending: str) -> Path:
    """Return the hidden path beside an output with this ending."""
    name = os.fsencode(destination.name)
    stem = destination.name if len(name) <= _LONGEST_NAME else hashlib.sha256(name).hexdigest()
    return destination.with_name(f".{stem}.filtag-{ending}")


def _copy_mode_and_owner(source: Path, unfinished: Path) -> None:
    old, new = source.stat(), unfinished.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with suppress(OSError):  # Only root may give files away.
            os.chown(unfinished, old.st_uid, old.st_gid)
    unfinished.chmod(stat.S_IMODE(old.st_mode))


def _exchange_in_two_steps(unfinished: Path, destination: Path) -> None:
    """Replace a directory where the system cannot do it in one step; undo it if that fails."""
    old = _hidden_sibling(destination, "old")
    destination.rename(old)
    try:
        unfinished.rename(destination)
    except BaseException:
        if not destination.exists():
            try:
                old.rename(destination)
            except OSError:
                raise FiltagError(f"cannot put anything at {destination}: what was there is in {old}") from None
        raise
    finally:
        if destination.exists():
            remove(old)
