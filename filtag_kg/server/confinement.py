"""What keeps workers from outliving the server, taking more memory or reaching the network, and decoders from more."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x10000
_SECCOMP_MODE_FILTER, _ALLOW, _ERRNO = 2, 0x7FFF0000, 0x00050000
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in the kernel's ``struct seccomp_data``."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_X32 = 0x40000000


class _SystemCalls(NamedTuple):
    """Linux's numbers of system calls on one architecture."""

    architecture: int
    refused: tuple[int, ...]
    """They start programs or processes, reach other processes or machines, or change files."""
    open: int | None
    openat: int
    clone: int
    unknown: tuple[int, ...]
    """Newer calls (clone3, openat2) that C libraries do without if the kernel does not know them."""


_SYSTEM_CALLS = {
    "x86_64": _SystemCalls(
        architecture=0xC000003E,
        refused=(
            *(41, 42, 46, 49, 50, 53, 57, 58, 59, 62, 76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 101, 132),
            *(133, 161, 165, 200, 234, 235, 258, 259, 260, 261, 263, 264, 265, 266, 268, 272, 280, 307, 308, 310, 311),
            *(316, 319, 322, 425, 426, 427, 434, 438, 452),
        ),
        open=2,
        openat=257,
        clone=56,
        unknown=(435, 437),
    ),
    "aarch64": _SystemCalls(
        architecture=0xC00000B7,
        refused=(
            *(33, 34, 35, 36, 37, 38, 40, 45, 46, 51, 52, 53, 54, 55, 88, 97, 117, 129, 130, 131, 198, 199, 200, 201),
            *(203, 211, 221, 268, 269, 270, 271, 276, 279, 281, 425, 426, 427, 434, 438, 452),
        ),
        open=None,
        openat=56,
        clone=220,
        unknown=(435, 437),
    ),
}


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that started it ends, where it can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def confine_worker(memory: int) -> None:
    """Let a worker live no longer than the fork server, and limit its memory, as far as the system can.

    Parameters
    ----------
    memory : int
        Bytes, beyond those that it has already.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Oxigraph reports there that memory ran out, which the server tells the client. Python keeps its own stderr.
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    die_with_parent()
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        memory += pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        # If the machine itself runs out of memory, the kernel ends a worker rather than the server.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def leave_network() -> None:
    """Leave the network, if the system allows it, so not even a query that fooled us reaches another machine."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def confine_decoder() -> None:
    """Take from this process, for good, all rights that a decoder of images does not need.

    It can write to no file and, unless root runs it, start no process. On Linux for x86-64 and ARM64, the kernel
    refuses it every system call that starts a program or process, opens a socket, signals or looks into another
    process, or creates, changes, renames or removes a file.
    """
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))
    if sys.platform == "linux" and platform.machine() in _SYSTEM_CALLS:
        program = _filter(_SYSTEM_CALLS[platform.machine()])
        code = ctypes.create_string_buffer(program)
        # struct sock_fprog: the number of instructions, and their address.
        sock_fprog = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, sock_fprog, 0, 0)


def _filter(calls: _SystemCalls) -> bytes:
    """Return the program (classic BPF) that the kernel runs for each system call.

    The numbers behind a condition are how many instructions to skip if it is true, and if it is false.
    """
    refuse, allow, pretend_unknown = (
        (_RETURN, 0, 0, code) for code in (_ERRNO | errno.EPERM, _ALLOW, _ERRNO | errno.ENOSYS)
    )

    def argument(number: int) -> int:
        # The lower half: both machines are little-endian.
        return _ARGUMENTS + 8 * number

    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, calls.architecture),
        refuse,
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, 0, 1, _X32),
        refuse,
    ]
    for number in calls.refused:
        lines += [(_IF_EQUAL, 0, 1, number), refuse]
    for number in calls.unknown:
        lines += [(_IF_EQUAL, 0, 1, number), pretend_unknown]
    for call, flags in ((calls.open, argument(1)), (calls.openat, argument(2))):
        if call is not None:
            lines += [(_IF_EQUAL, 0, 4, call), (_LOAD, 0, 0, flags), (_IF_ANY_BIT, 0, 1, _WRITES), refuse, allow]
    lines += [
        (_IF_EQUAL, 0, 4, calls.clone),
        (_LOAD, 0, 0, argument(0)),
        (_IF_ANY_BIT, 1, 0, _CLONE_THREAD),
        refuse,
        allow,
        allow,
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
