"""The nursery: a process that has imported everything and has one thread, so that it forks a worker in milliseconds.

Run as ``python -m filtag_kg.server.nursery``. It ends when the server does, however that ends, and its workers with it.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from filtag_kg.server.jobs import CALM, FORK, ORDER
from filtag_kg.server.limits import Limits
from filtag_kg.server.worker import work

__all__ = ["tend"]

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def tend(orders: socket.socket, store_path: Path, limits: Limits) -> None:
    """Fork, calm and kill workers as ordered, until the server is gone."""
    pids: dict[int, int] = {}
    orders.settimeout(1.0)
    while True:
        try:
            order, sockets, _, _ = socket.recv_fds(orders, ORDER.size, 1)
        except TimeoutError:
            _bury(pids)
            continue
        if len(order) < ORDER.size:
            return
        # A worker that died of itself leaves the list before its process id can be another's.
        _bury(pids)
        what, number, nice = ORDER.unpack(order)
        if what == FORK:
            connection = socket.socket(fileno=sockets[0])
            pid = os.fork()
            if pid == 0:
                orders.close()
                _live(connection, store_path, limits)
            connection.close()
            pids[number] = pid
        elif number in pids and what == CALM:
            # Nicer than the server, which may have been started nice: nobody but root may lower that.
            os.setpriority(os.PRIO_PROCESS, pids[number], os.getpriority(os.PRIO_PROCESS, 0) + nice)
        elif number in pids:
            os.kill(pids[number], signal.SIGKILL)


def _bury(pids: dict[int, int]) -> None:
    numbers = {pid: number for number, pid in pids.items()}
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            del pids[numbers[pid]]


def _live(connection: socket.socket, store_path: Path, limits: Limits) -> None:
    """Be a worker, and end."""
    code = 1
    try:
        _confine(limits.memory)
        work(connection, store_path, limits)
        code = 0
    except (BrokenPipeError, ConnectionResetError):
        code = 0
    except MemoryError:
        pass
    finally:
        if code and not isinstance(sys.exc_info()[1], MemoryError):
            sys.excepthook(*sys.exc_info())
        os._exit(code)


def _confine(memory: int) -> None:
    """Bind a worker's life to the nursery's and its memory to a limit; where a system knows no such thing, without."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # There Oxigraph tells of memory that it was not given, as the server tells the client. Python is still heard.
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        # Should the machine run out of memory before, the worker is to go and not the server.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def _leave_network() -> None:
    """Have no network, so that not even a query that fooled us reaches another machine; where the system lets us."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def main() -> None:
    """Be a nursery: the arguments are the number of the socket that orders come by, the store, and the limits."""
    number, store_path, limits = sys.argv[1:]
    logging.raiseExceptions = False
    _leave_network()
    tend(socket.socket(fileno=int(number)), Path(store_path), Limits(**json.loads(limits)))


if __name__ == "__main__":
    main()
