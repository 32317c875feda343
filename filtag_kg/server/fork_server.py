"""The fork server: a process with one thread that has imported everything, so it forks a worker in milliseconds.

Run as ``python -m filtag_kg.server.fork_server``. It ends when the server does, however that ends, and its workers with
it.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filtag_kg.errors import FiltagError
from filtag_kg.server.confinement import confine_worker, leave_network
from filtag_kg.server.jobs import CALM, FORK, ORDER
from filtag_kg.server.limits import Limits
from filtag_kg.server.worker import MakePage, work

if TYPE_CHECKING:
    from filtag_kg.server.explorer import KGPages

__all__ = ["tend"]


def tend(orders: socket.socket, store_path: Path, limits: Limits, kg_path: Path | None = None) -> None:
    """Fork, calm and kill workers as ordered, until the server is gone.

    What pages are made of is read before the first worker is forked, and again when the KG on disk is another: workers
    share it with the nursery.
    """
    pids: dict[int, int] = {}
    pages = None if kg_path is None else _Pages(kg_path)
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
            make_page = None if pages is None else pages.current()
            pid = os.fork()
            if pid == 0:
                orders.close()
                _live(connection, store_path, limits, make_page)
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
            # One that asked the store while the KG was read is none of the workers.
            pids.pop(numbers.get(pid, -1), None)


class _Pages:
    """What makes the pages of a KG, as it is on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kg_pages: KGPages | None = None
        self._frozen: object = None

    def current(self) -> MakePage | None:
        """Return what makes a page now; None where there is no KG that can be read, so that it has no pages."""
        from filtag_kg.server.explorer import KGPages, make_page

        try:
            if self._kg_pages is None:
                self._kg_pages = KGPages(self._path)
            snapshot = self._kg_pages.now
        except FiltagError:
            return None
        if snapshot is not self._frozen:
            # A collection in a worker need not touch, and thereby copy, what is there now.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._frozen = snapshot
        return lambda endpoint, job: make_page(snapshot, endpoint, job)


def _live(connection: socket.socket, store_path: Path, limits: Limits, make_page: MakePage | None) -> None:
    """Be a worker, and end."""
    code = 1
    try:
        confine_worker(limits.memory)
        work(connection, store_path, limits, make_page)
        code = 0
    except (BrokenPipeError, ConnectionResetError):
        code = 0
    except MemoryError:
        pass
    finally:
        if code and not isinstance(sys.exc_info()[1], MemoryError):
            sys.excepthook(*sys.exc_info())
        os._exit(code)


def main() -> None:
    """Be a nursery: the arguments are the number of the socket that orders come by, the store, the limits, the KG."""
    number, store_path, limits, kg_path = sys.argv[1:]
    logging.raiseExceptions = False
    # The server itself says what becomes of the KG.
    logging.getLogger("filtag_kg").addHandler(logging.NullHandler())
    logging.getLogger("filtag_kg").propagate = False
    leave_network()
    # A confined decoder shall have as little to import as can be.
    with suppress(ImportError):
        from PIL import Image

        Image.init()
    kg = Path(kg_path) if kg_path else None
    tend(socket.socket(fileno=int(number)), Path(store_path), Limits(**json.loads(limits)), kg)


if __name__ == "__main__":
    main()
