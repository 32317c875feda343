"""The worker processes, as the server sees them: forked before they are needed, watched, and replaced."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from filtag_kg.server.jobs import FORK, KILL, ORDER, PREFIX, RENICE, Answer, Job, pack, unpack_answer
from filtag_kg.server.limits import Limits

_log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0
_START_SECONDS = 60.0
"""To wait for the first worker before clients are let in: reading a large KG takes its time."""
_RETRY_SECONDS = 0.5
_CPUCLOCK_SCHED = 2
"""Linux's kind of clock that counts the processor time of all threads, in the scheduler's nanoseconds."""


@dataclass(slots=True, eq=False)
class Worker:
    """A worker process.

    Parameters
    ----------
    number : int
        What orders to the fork server call it.
    generation : int
        Of the store that it opened.
    reader, writer : streams
        The connection to it.
    """

    number: int
    generation: int
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def cpu_seconds(self) -> float | None:
        """Return the processor time that it has used; None if the system does not tell, or the worker is gone."""
        if sys.platform != "linux":
            return None
        try:
            return time.clock_gettime(_cpu_clock(self.pid))
        except OSError:
            return None

    def send(self, job: Job) -> None:
        """Send it a job."""
        self.writer.write(pack(job))

    async def receive(self) -> Answer:
        """Wait for its answer.

        Raises
        ------
        IncompleteReadError, ConnectionError
            If it ends first.
        """
        head, body = PREFIX.unpack(await self.reader.readexactly(PREFIX.size))
        return unpack_answer(await self.reader.readexactly(head), await self.reader.readexactly(body))


class WorkerSupply:
    """Idle workers that know the store as it is on disk.

    Parameters
    ----------
    store_path : Path
        An Oxigraph store. When another directory replaces it, so are the workers.
    kg_path : Path, optional
        A KG whose pages the workers make, too.
    """

    def __init__(self, store_path: Path, limits: Limits, kg_path: Path | None) -> None:
        self._store_path = store_path
        self._limits = limits
        self._kg_path = kg_path
        self.generation = 0
        """How often the store was replaced."""
        self._store_identity = _identity(store_path)
        self._numbers = count()
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        self._first_ready = asyncio.Event()
        self._fork_server: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_warning = ""
        self._closed = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep workers until the block ends."""
        self._start_fork_server()
        # A worker for each slot of both kinds, and a spare for the first job that turns slow.
        for _ in range(2 * self._limits.workers + 1):
            self.start_one()
        self._in_background(self._keep_up_to_date())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._first_ready.wait(), _START_SECONDS)
            yield
        finally:
            self._closed = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._end_fork_server()

    async def take(self) -> Worker:
        """Wait for an idle worker."""
        return await self._idle.get()

    def give_back(self, worker: Worker) -> None:
        """Make a worker idle again, unless its store is outdated."""
        if worker.generation == self.generation and not self._closed:
            self._idle.put_nowait(worker)
        else:
            self.replace(worker)

    def replace(self, worker: Worker) -> None:
        """End a worker, and start another."""
        self.kill(worker)
        self.start_one()

    def kill(self, worker: Worker) -> None:
        """End a worker."""
        worker.writer.close()
        self._order(KILL, worker.number)

    def lower_priority(self, worker: Worker, niceness: int) -> None:
        """Make a worker so much nicer than the server."""
        self._order(RENICE, worker.number, niceness)

    def start_one(self) -> None:
        """Start a worker, which is idle as soon as it has opened the store."""
        if not self._closed:
            self._in_background(self._start_worker())

    async def _start_worker(self) -> None:
        """Start a worker; try again if it fails, because a KG that is being replaced is missing for a moment."""
        while True:
            generation = self.generation
            our_end, its_end = socket.socketpair()
            number = next(self._numbers)
            self._order(FORK, number, connection=its_end)
            its_end.close()
            reader, writer = await asyncio.open_connection(sock=our_end)
            worker = Worker(number, generation, 0, reader, writer)
            try:
                answer = await worker.receive()
            except (asyncio.IncompleteReadError, ConnectionError):
                answer = Answer("damaged", "a worker ended before it began")
            except asyncio.CancelledError:
                writer.close()
                raise
            worker.pid = answer.pid
            if answer.status == "ready" and generation == self.generation:
                self._idle.put_nowait(worker)
                self._first_ready.set()
                self._last_warning = ""
                return
            self.kill(worker)
            if answer.status != "ready":
                # Many workers may fail many times for the same reason.
                if answer.line != self._last_warning:
                    self._last_warning = answer.line
                    _log.warning("%s: trying again until it works", answer.line)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _keep_up_to_date(self) -> None:
        """Replace idle workers that died or know an older store."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            identity = _identity(self._store_path)
            if identity is not None and identity != self._store_identity:
                self._store_identity = identity
                self.generation += 1
            for worker in [self._idle.get_nowait() for _ in range(self._idle.qsize())]:
                if worker.reader.at_eof():
                    self.replace(worker)
                else:
                    self.give_back(worker)

    def _start_fork_server(self) -> None:
        self._orders, its_end = socket.socketpair()
        kg_path = str(self._kg_path or "")
        arguments = [str(its_end.fileno()), str(self._store_path), json.dumps(asdict(self._limits)), kg_path]
        self._fork_server = subprocess.Popen(  # noqa: S603 - our own module, by the path of this interpreter
            [sys.executable, "-P", "-m", "filtag_kg.server.fork_server", *arguments],
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
            # A process with threads cannot be forked safely, and NumPy's libraries would start some.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "RUST_BACKTRACE": "0"},
            # The terminal sends Ctrl-C to the server's session alone.
            start_new_session=True,
        )
        its_end.close()

    def _end_fork_server(self) -> None:
        """End the fork server; the kernel ends its workers with it."""
        if self._orders is not None:
            self._orders.close()
        if self._fork_server is not None:
            self._fork_server.kill()
            self._fork_server.wait()

    def _order(self, what: bytes, number: int, niceness: int = 0, *, connection: socket.socket | None = None) -> None:
        if self._orders is None or self._closed:
            return
        order = ORDER.pack(what, number, niceness)
        for _ in range(2):
            try:
                if connection is None:
                    self._orders.sendall(order)
                else:
                    socket.send_fds(self._orders, [order], [connection.fileno()])
            except (BrokenPipeError, ConnectionResetError):
                # The fork server died, and all workers with it. They will be found dead and replaced.
                self._end_fork_server()
                self._start_fork_server()
            else:
                return

    def _in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(coroutine)
        # asyncio itself keeps no reference to a task.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _cpu_clock(pid: int) -> int:
    """Return the id of the clock that counts a process's time on processors, as clock_getcpuclockid(3) computes it.

    Linux puts the complement of the process id above three bits for the kind of clock.
    """
    return ~pid << 3 | _CPUCLOCK_SCHED


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes a directory from one that replaces it; None where there is none."""
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None
