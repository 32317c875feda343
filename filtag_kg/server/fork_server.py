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
from filtag_kg.query import Endpoint
from filtag_kg.server.confinement import confine_worker, leave_network
from filtag_kg.server.jobs import FORK, ORDER, RENICE, Answer, PageJob, ViewJob
from filtag_kg.server.limits import Limits
from filtag_kg.server.worker import MakePage, work

if TYPE_CHECKING:
    from filtag_kg.server.explorer import KGPages

_REAP_SECONDS = 1.0


def serve_orders(orders: socket.socket, store_path: Path, limits: Limits, kg_path: Path | None = None) -> None:
    """Fork, renice and kill workers as ordered, until the server is gone.

    The KG's tables are read before the first worker is forked, and again when the KG on disk was replaced. Workers
    share their memory.
    """
    pids: dict[int, int] = {}
    pages = None if kg_path is None else _SharedPages(kg_path)
    orders.settimeout(_REAP_SECONDS)
    while True:
        try:
            order, sockets, _, _ = socket.recv_fds(orders, ORDER.size, 1)
        except TimeoutError:
            _reap(pids)
            continue
        if len(order) < ORDER.size:
            return
        # Forget workers that died before the system gives their process ids to others.
        _reap(pids)
        what, number, niceness = ORDER.unpack(order)
        if what == FORK:
            connection = socket.socket(fileno=sockets[0])
            make_page = None if pages is None else pages.current()
            pid = os.fork()
            if pid == 0:
                orders.close()
                _be_worker(connection, store_path, limits, make_page)
            connection.close()
            pids[number] = pid
        elif number in pids and what == RENICE:
            # Relative to the server, which may have been started nice: only root may lower niceness.
            os.setpriority(os.PRIO_PROCESS, pids[number], os.getpriority(os.PRIO_PROCESS, 0) + niceness)
        elif number in pids:
            os.kill(pids[number], signal.SIGKILL)


def _reap(pids: dict[int, int]) -> None:
    """Collect the exit status of ended workers, and forget them."""
    numbers = {pid: number for number, pid in pids.items()}
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            # Reading the KG starts a process, too, which is not a worker.
            pids.pop(numbers.get(pid, -1), None)


class _SharedPages:
    """The pages of the KG as it is on disk, in memory that workers share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kg_pages: KGPages | None = None
        self._frozen: object = None

    def current(self) -> MakePage | None:
        """Return what makes a page now; None while no KG can be read."""
        from filtag_kg.server.assistant.views import make_view
        from filtag_kg.server.explorer import KGPages, make_page

        try:
            if self._kg_pages is None:
                self._kg_pages = KGPages(self._path)
            snapshot = self._kg_pages.now
        except FiltagError:
            return None
        if snapshot is not self._frozen:
            # A garbage collection in a worker must not touch shared memory, because touching copies it.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._frozen = snapshot

        def make(endpoint: Endpoint, job: PageJob | ViewJob) -> Answer:
            if isinstance(job, ViewJob):
                return make_view(snapshot.loaded, snapshot.index, job)
            return make_page(snapshot, endpoint, job)

        return make


def _be_worker(connection: socket.socket, store_path: Path, limits: Limits, make_page: MakePage | None) -> None:
    """Work until the server is gone, then end this process."""
    code = 1
    try:
        confine_worker(limits.memory)
        work(connection, store_path, limits, make_page)
        code = 0
    except (BrokenPipeError, ConnectionResetError):
        code = 0
    except MemoryError:
        pass  # The server tells the client.
    except BaseException:  # noqa: BLE001 - os._exit prints no traceback
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def main() -> None:
    """Serve orders. The arguments are the number of the socket that they come by, the store, the limits and the KG."""
    number, store_path, limits, kg_path = sys.argv[1:]
    logging.raiseExceptions = False
    # The server itself logs what happens to the KG.
    logging.getLogger("filtag_kg").addHandler(logging.NullHandler())
    logging.getLogger("filtag_kg").propagate = False
    leave_network()
    # Import image formats now: a confined decoder cannot be relied on to.
    with suppress(ImportError):
        from PIL import Image

        Image.init()
    kg = Path(kg_path) if kg_path else None
    serve_orders(socket.socket(fileno=int(number)), Path(store_path), Limits(**json.loads(limits)), kg)


if __name__ == "__main__":
    main()
