"""The pool: what is computed for clients runs in processes that can be stopped, and quick jobs go before long ones.

A job is a query, a page or an image to decode. It holds one of a few places while it is quick. After so much processor
time it moves to the slow lane: it gives its place back, a fresh worker stands in for its own, and it goes on with a low
priority. Where the slow lane is full, the job there that took most processor time is stopped. So no number of long jobs
keeps a quick one waiting long.
"""

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
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from filtag_kg.server.cache import AnswerCache
from filtag_kg.server.jobs import CALM, FORK, KILL, ORDER, PREFIX, Answer, DecodeJob, Job, QueryJob, packed, sizes
from filtag_kg.server.limits import Limits
from filtag_kg.server.request_error import RequestError

__all__ = ["Pool"]

_log = logging.getLogger(__name__)

_NICE, _NICEST = 5, 19
_LONG = 5.0
"""After so many times the processor time of a quick query, a long one gets what nobody else wants."""
_LOOK_EVERY = 1.0
_START_SECONDS = 60.0
"""To wait for the first worker before clients are let in: reading a large KG takes its time."""


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker as the server sees it."""

    number: int
    generation: int
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def cpu_seconds(self) -> float | None:
        """Return the processor time that it took; None where the system does not tell, or the worker is gone."""
        if sys.platform != "linux":
            return None
        try:
            # The clock of a process, as clock_getcpuclockid(3) makes it.
            return time.clock_gettime(~self.pid << 3 | 2)
        except OSError:
            return None

    async def receive(self) -> Answer:
        head, body = sizes(await self.reader.readexactly(PREFIX.size))
        return Answer.of(await self.reader.readexactly(head), await self.reader.readexactly(body))


@dataclass(slots=True, eq=False)
class _Running:
    """A query that runs, and whose place it has."""

    places: asyncio.Semaphore
    used: float = 0.0
    evicted: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class _Asked:
    """A job that is waited for; clients that ask the same wait together, and it is stopped when the last one left."""

    task: asyncio.Task[Answer]
    key: tuple[int, bytes]
    clients: int = 0


class Pool:
    """Workers on a store.

    Parameters
    ----------
    store_path : Path
        An Oxigraph store. Where another directory takes its place, workers that know the old one are replaced.
    limits : Limits
    kg_path : Path, optional
        A KG whose pages the workers make, too.
    """

    def __init__(self, store_path: Path, limits: Limits, kg_path: Path | None = None) -> None:
        self.store_path = store_path
        self.limits = limits
        self._kg_path = kg_path
        self.generation = 0
        self._identity = _identity(store_path)
        self._numbers = count()
        # What we know to end has places of its own, which nobody's cross products take.
        self._known_places = asyncio.Semaphore(limits.workers)
        self._own_places = asyncio.Semaphore(limits.workers)
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._first = asyncio.Event()
        self._waiting = 0
        self._asked: dict[tuple[int, bytes], _Asked] = {}
        self._cache = AnswerCache(limits.cache)
        self._slow: list[_Running] = []
        self._nursery: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[_Running] = set()
        self._said_why = ""
        self._stopping = False
        self._closed = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Pool]:
        """Keep workers until the block ends."""
        self._start_nursery()
        # One more than may run, to stand in at once for one that turns slow.
        for _ in range(2 * self.limits.workers + 1):
            self._hatch()
        self._begin(self._watch())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._first.wait(), _START_SECONDS)
            yield self
        finally:
            self._closed = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._end_nursery()

    def stop(self) -> None:
        """Stop what runs and answer nothing more, for the server is to end."""
        self._stopping = True
        for running in self._running:
            running.evicted.set()

    async def ask(self, job: Job) -> Answer:
        """Have a worker answer a job. Cancelled, the job is stopped.

        Raises
        ------
        RequestError
            503 where too many wait or the slow lane is needed by others; 504 where the job took too long; 500 where its
            worker died.
        """
        if isinstance(job, DecodeJob):
            return await self._answer(job, b"")
        key = packed(job)
        known = self._cache.get(key, self.generation)
        if known is not None:
            return known
        asked = self._asked.get((self.generation, key))
        if asked is None:
            task = asyncio.ensure_future(self._answer(job, key))
            asked = self._asked[self.generation, key] = _Asked(task, (self.generation, key))
            task.add_done_callback(
                lambda _: self._asked.pop(asked.key) if self._asked.get(asked.key) is asked else None
            )
        asked.clients += 1
        try:
            return await asyncio.shield(asked.task)
        finally:
            asked.clients -= 1
            if asked.clients == 0 and not asked.task.done():
                del self._asked[asked.key]
                asked.task.cancel()

    async def _answer(self, job: Job, key: bytes) -> Answer:
        """Wait for a place and a worker, and have it answer."""
        places = self._own_places if isinstance(job, QueryJob) else self._known_places
        if self._waiting >= self.limits.queue:
            raise RequestError(503, f"too many {_plural(job)} wait: try again in some seconds", {"Retry-After": "2"})
        self._waiting += 1
        placed = False
        try:
            async with asyncio.timeout(self.limits.timeout):
                placed = await places.acquire()
                worker = await self._idle.get()
        except BaseException as error:
            if placed:
                places.release()
            if not isinstance(error, TimeoutError):
                raise
            raise RequestError(
                503,
                f"no worker was free for {self.limits.timeout:g} s: try again in some seconds",
                {"Retry-After": "2"},
            ) from None
        finally:
            self._waiting -= 1
        answer = await self._run(worker, job, places)
        if answer.status == "damaged":
            raise RequestError(500, answer.line)
        if key:
            self._cache.put(key, worker.generation, answer)
        return answer

    async def _run(self, worker: _Worker, job: Job, places: asyncio.Semaphore) -> Answer:
        """Run a job on a worker, with a place that is given back as soon as it turns slow."""
        running = _Running(places)
        self._running.add(running)
        if self._stopping:
            running.evicted.set()
        reading = asyncio.ensure_future(worker.receive())
        evicted: asyncio.Future[object] = asyncio.ensure_future(running.evicted.wait())
        finished = False
        try:
            worker.writer.write(packed(job))
            quick = self.limits.quick if isinstance(job, QueryJob) else self.limits.quick_known
            await self._attend(worker, job, running, reading, evicted, quick)
            answer = reading.result()
            finished = True
        except (asyncio.IncompleteReadError, ConnectionError):
            raise RequestError(
                500,
                f"the process of the {job.noun} ended: it needed more than {self.limits.memory >> 20} MB{job.too_much}",
            ) from None
        else:
            return answer
        finally:
            self._running.discard(running)
            evicted.cancel()
            if not reading.done():
                reading.cancel()
            else:
                # Looked at, lest asyncio complains that nobody did.
                reading.exception()
            if running in self._slow:
                self._slow.remove(running)
                self._kill(worker)
            else:
                # What a stranger's image made of a worker is not to be found out by others.
                reusable = finished and not isinstance(job, DecodeJob)
                if reusable and worker.generation == self.generation and not self._closed:
                    self._idle.put_nowait(worker)
                else:
                    self._replace(worker)
                places.release()

    async def _attend(
        self,
        worker: _Worker,
        job: Job,
        running: _Running,
        reading: asyncio.Future[Answer],
        evicted: asyncio.Future[object],
        quick: float,
    ) -> None:
        """Wait for an answer; meanwhile see how long it takes, and do what that asks for."""
        limits = self.limits
        started = time.monotonic()
        before = worker.cpu_seconds()
        thresholds = [(quick, _NICE), (quick * _LONG, _NICEST)]
        while True:
            left = started + limits.timeout - time.monotonic()
            until = max(0.02, thresholds[0][0] - running.used) if thresholds else 0.25
            awaited: set[asyncio.Future[Any]] = {reading, evicted}
            await asyncio.wait(awaited, timeout=max(0, min(left, until)), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return
            if self._stopping:
                raise RequestError(503, "the server ends: ask again when it is back", {"Retry-After": "5"})
            if running.evicted.is_set():
                raise RequestError(
                    503,
                    f"the {job.noun} was stopped after {running.used:.1f} s of processor time, as other long "
                    f"{_plural(job)} wait: "
                    "try again in some seconds, or ask for less",
                    {"Retry-After": str(max(1, round(limits.timeout)))},
                )
            elapsed = time.monotonic() - started
            if elapsed >= limits.timeout:
                raise RequestError(
                    504,
                    f"the {job.noun} was stopped after {limits.timeout:g} s: {job.too_long}",
                )
            now = worker.cpu_seconds()
            running.used = elapsed if now is None or before is None else now - before
            while thresholds and running.used >= thresholds[0][0]:
                self._order(CALM, worker.number, thresholds.pop(0)[1])
                if running not in self._slow:
                    self._turn_slow(running)

    def _turn_slow(self, running: _Running) -> None:
        self._slow.append(running)
        running.places.release()
        self._hatch()
        remaining = [query for query in self._slow if not query.evicted.is_set()]
        if len(remaining) > self.limits.slow_lane:
            max(remaining, key=lambda query: query.used).evicted.set()

    def _replace(self, worker: _Worker) -> None:
        self._kill(worker)
        self._hatch()

    def _kill(self, worker: _Worker) -> None:
        worker.writer.close()
        self._order(KILL, worker.number)

    def _hatch(self) -> None:
        """Have a new worker, soon."""
        if not self._closed:
            self._begin(self._raise_worker())

    async def _raise_worker(self) -> None:
        """Fork a worker and put it among the idle ones when its store is open.

        While a KG is replaced there is none for a moment, so a worker that finds none is tried again.
        """
        while True:
            generation = self.generation
            ours, its = socket.socketpair()
            number = next(self._numbers)
            self._order(FORK, number, connection=its)
            its.close()
            reader, writer = await asyncio.open_connection(sock=ours)
            worker = _Worker(number, generation, 0, reader, writer)
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
                self._first.set()
                self._said_why = ""
                return
            self._kill(worker)
            if answer.status != "ready":
                # Many workers may try for long, and all would say the same.
                if answer.line != self._said_why:
                    self._said_why = answer.line
                    _log.warning("%s: tried again until it can", answer.line)
                await asyncio.sleep(0.5)

    async def _watch(self) -> None:
        """See to it that idle workers are alive and know the store that is there."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            identity = _identity(self.store_path)
            if identity is not None and identity != self._identity:
                self._identity = identity
                self.generation += 1
            idle = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
            for worker in idle:
                if worker.reader.at_eof() or worker.generation != self.generation:
                    self._replace(worker)
                else:
                    self._idle.put_nowait(worker)

    def _start_nursery(self) -> None:
        ours, its = socket.socketpair()
        arguments = [str(its.fileno()), str(self.store_path), json.dumps(asdict(self.limits)), str(self._kg_path or "")]
        # Threads of NumPy's would make forks unsafe. A session of its own keeps the terminal's Ctrl-C from it.
        self._nursery = subprocess.Popen(  # noqa: S603 - our own module, by the path of this interpreter
            [sys.executable, "-P", "-m", "filtag_kg.server.fork_server", *arguments],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "RUST_BACKTRACE": "0"},
            start_new_session=True,
        )
        its.close()
        self._orders = ours

    def _end_nursery(self) -> None:
        """End the nursery; the kernel ends its workers with it."""
        if self._orders is not None:
            self._orders.close()
        if self._nursery is not None:
            self._nursery.kill()
            self._nursery.wait()

    def _order(self, what: bytes, number: int, nice: int = 0, *, connection: socket.socket | None = None) -> None:
        if self._orders is None or self._closed:
            return
        order = ORDER.pack(what, number, nice)
        for _ in range(2):
            try:
                if connection is None:
                    self._orders.sendall(order)
                else:
                    socket.send_fds(self._orders, [order], [connection.fileno()])
            except (BrokenPipeError, ConnectionResetError):
                # The nursery died, and all workers with it; they are seen to be gone and raised anew.
                self._end_nursery()
                self._start_nursery()
            else:
                return

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _plural(job: Job) -> str:
    return "queries" if job.noun == "query" else f"{job.noun}s"


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a directory from another that takes its place; None where there is none."""
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
