"""What a worker may not do: outlive the server, take more memory, reach the network; and what a decoder may not."""

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

__all__ = ["confine_decoder", "confine_worker", "die_with_parent", "leave_network"]

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x10000
_SECCOMP_MODE_FILTER, _ALLOW, _ERRNO = 2, 0x7FFF0000, 0x00050000
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in the kernel's ``struct seccomp_data``."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_X32 = 0x40000000
# Linux's numbers of the system calls that start programs or processes, reach other processes or machines, or change
# files; of those that may only do less (open, openat, clone); and of newer ones that C libraries do without (clone3,
# openat2).
_SYSTEM_CALLS: dict[str, tuple[int, tuple[int, ...], tuple[int | None, int, int], tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 42, 46, 49, 50, 53, 57, 58, 59, 62, 76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 101, 132),
            *(133, 161, 165, 200, 234, 235, 258, 259, 260, 261, 263, 264, 265, 266, 268, 272, 280, 307, 308, 310, 311),
            *(316, 319, 322, 425, 426, 427, 434, 438, 452),
        ),
        (2, 257, 56),
        (435, 437),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(
                33,
                34,
                35,
                36,
                37,
                38,
                40,
                45,
                46,
                51,
                52,
                53,
                54,
                55,
                88,
                97,
                117,
                129,
                130,
                131,
                198,
                199,
                200,
                201,
                203,
            ),
            *(211, 221, 268, 269, 270, 271, 276, 279, 281, 425, 426, 427, 434, 438, 452),
        ),
        (None, 56, 220),
        (435, 437),
    ),
}


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that started it ends, where it can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def confine_worker(memory: int) -> None:
    """Bind a worker's life to the nursery's and its memory to a limit; where a system knows no such thing, without.

    Parameters
    ----------
    memory : int
        Bytes, beside those that it has already.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # There Oxigraph tells of memory that it was not given, as the server tells the client. Python is still heard.
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    die_with_parent()
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        memory += pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        # Should the machine run out of memory before, the worker is to go and not the server.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def leave_network() -> None:
    """Have no network, so that not even a query that fooled us reaches another machine; where the system lets us."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def confine_decoder() -> None:
    """Take from this process, for good, what a decoder of images does not need.

    It writes no byte to any file and, unless it is root's, starts no process. On Linux for x86-64 and ARM64, the kernel
    refuses it every system call that starts a program or process, opens a socket, signals or looks into another
    process, or creates, changes, renames or removes a file.
    """
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))
    if sys.platform == "linux" and platform.machine() in _SYSTEM_CALLS:
        program = _filter(*_SYSTEM_CALLS[platform.machine()])
        code = ctypes.create_string_buffer(program)
        # struct sock_fprog: the number of instructions, and where they are.
        whole = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, whole, 0, 0)


def _filter(
    architecture: int, refused: tuple[int, ...], partly: tuple[int | None, int, int], unknown: tuple[int, ...]
) -> bytes:
    """Return the program (classic BPF) that the kernel asks about each system call."""
    open_, openat, clone = partly
    refuse, allow, deny_knowledge = (
        (_RETURN, 0, 0, code) for code in (_ERRNO | errno.EPERM, _ALLOW, _ERRNO | errno.ENOSYS)
    )

    def argument(number: int) -> int:
        # The lower half: both machines are little-endian.
        return _ARGUMENTS + 8 * number

    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        refuse,
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, 0, 1, _X32),
        refuse,
    ]
    for number in refused:
        lines += [(_IF_EQUAL, 0, 1, number), refuse]
    for number in unknown:
        lines += [(_IF_EQUAL, 0, 1, number), deny_knowledge]
    for call, flags in ((open_, argument(1)), (openat, argument(2))):
        if call is not None:
            lines += [(_IF_EQUAL, 0, 4, call), (_LOAD, 0, 0, flags), (_IF_ANY_BIT, 0, 1, _WRITES), refuse, allow]
    lines += [
        (_IF_EQUAL, 0, 4, clone),
        (_LOAD, 0, 0, argument(0)),
        (_IF_ANY_BIT, 1, 0, _CLONE_THREAD),
        refuse,
        allow,
        allow,
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
