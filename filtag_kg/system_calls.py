"""What Python has no portable call for: exchange two directories atomically, lock a file, remove read-only folders."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path


def rename_in_one_step(source: Path, target: Path, *, exchange: bool) -> bool:
    """Exchange two paths, or rename one to the other if that does not exist: in one step.

    Returns
    -------
    bool
        False if the system or the file system cannot do it; then nothing was done.
    """
    paths = os.fsencode(source), os.fsencode(target)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*paths, 2 if exchange else 4)  # RENAME_SWAP, RENAME_EXCL
        else:
            here = -100  # AT_FDCWD
            failed = library.renameat2(here, paths[0], here, paths[1], 2 if exchange else 1)  # EXCHANGE, NOREPLACE
    except (AttributeError, TypeError, OSError):  # Not in this C library; no C library to ask on Windows.
        return False
    number = ctypes.get_errno()
    if failed and number in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM):
        return False
    if failed:
        raise OSError(number, os.strerror(number))
    return True


def locked_file(lock: Path, wait_s: float) -> int | None:
    """Return a descriptor of the locked lock file; None if another process still holds it after `wait_s` seconds."""
    end = time.monotonic() + wait_s
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if _lock(descriptor):
            # The previous holder may have removed this file meanwhile, so others would lock a new one.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), lock.stat()):
                    return descriptor
        elif time.monotonic() >= end:
            os.close(descriptor)
            return None
        os.close(descriptor)
        time.sleep(0.02)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            # On a file system without locks, avoiding two writers is up to the user.
            return error.errno in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
        return True


def remove(path: Path) -> None:
    """Remove a file or directory if possible, even with read-only folders in it."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        for folder, _, _ in os.walk(path):
            with suppress(OSError):
                Path(folder).chmod(0o700)
        shutil.rmtree(path, ignore_errors=True)
