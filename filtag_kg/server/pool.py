"""The pool: it has workers answer jobs, and keeps quick jobs from waiting behind long ones.

A job is a query, a page or an image to decode. It holds one of a few slots while it is quick. After a certain processor
time, it moves to the slow lane: it gives its slot back, a fresh worker stands in for its own, and it continues with a
low priority. If the slow lane is full, the job there that has used the most processor time is stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filtag_kg.server.cache import AnswerCache
from filtag_kg.server.jobs import Answer, DecodeJob, Job, QueryJob, RowsJob, pack
from filtag_kg.server.limits import Limits
from filtag_kg.server.request_error import RequestError
from filtag_kg.server.worker_supply import Worker, WorkerSupply

_NICE, _NICEST = 5, 19
_VERY_LONG = 5.0
"""A job that uses so many times a quick job's processor time runs only when nothing else wants to."""
_LEAST_WAIT, _MOST_WAIT = 0.02, 0.25
"""Seconds between two looks at the processor time of a running job."""
_SOON = {"Retry-After": "2"}


@dataclass(slots=True, eq=False)
class _RunningJob:
    """A job that a worker is at."""

    job: Job
    worker: Worker
    slots: asyncio.Semaphore
    cpu_seconds: float = 0.0
    is_slow: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class _SharedJob:
    """A job that one or more clients wait for; it is stopped when the last of them leaves."""

    task: asyncio.Task[Answer]
    clients: int = 0


class Pool:
    """Answers jobs by worker processes, which can be stopped.

    Parameters
    ----------
    store_path : Path
        An Oxigraph store. When another directory replaces it, so are the workers.
    kg_path : Path, optional
        A KG whose pages the workers make, too.
    """

    def __init__(self, store_path: Path, limits: Limits, kg_path: Path | None = None) -> None:
        self.limits = limits
        self._workers = WorkerSupply(store_path, limits, kg_path)
        # Jobs that are known to end have slots of their own, which nobody's cross products can take.
        self._known_slots = asyncio.Semaphore(limits.workers)
        self._sparql_slots = asyncio.Semaphore(limits.workers)
        self._waiting = 0
        self._shared: dict[tuple[int, bytes], _SharedJob] = {}
        self._cache = AnswerCache(limits.cache)
        self._running: list[_RunningJob] = []
        self._stopping = False

    @property
    def generation(self) -> int:
        """How often the store was replaced."""
        return self._workers.generation

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Pool]:
        """Keep workers until the block ends."""
        async with self._workers.open():
            yield self

    def stop(self) -> None:
        """Stop all jobs and answer no more, because the server is about to end."""
        self._stopping = True
        for running in self._running:
            running.stopped.set()

    async def ask(self, job: Job) -> Answer:
        """Have a worker answer a job. If this is cancelled, the job is stopped.

        Raises
        ------
        RequestError
            503 if too many jobs wait, or others need the slow lane; 504 if the job took too long; 500 if its worker
            died.
        """
        if isinstance(job, DecodeJob):
            return await self._answer(job)
        message = pack(job)
        known = self._cache.get(message, self.generation)
        if known is not None:
            return known
        key = (self.generation, message)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _SharedJob(asyncio.ensure_future(self._answer(job, message)))
            shared.task.add_done_callback(lambda _: self._forget(key, shared))
        shared.clients += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.clients -= 1
            if shared.clients == 0 and not shared.task.done():
                self._forget(key, shared)
                shared.task.cancel()

    def _forget(self, key: tuple[int, bytes], shared: _SharedJob) -> None:
        # Another job with this key may have begun since.
        if self._shared.get(key) is shared:
            del self._shared[key]

    async def _answer(self, job: Job, cache_key: bytes | None = None) -> Answer:
        """Wait for a slot and a worker, and have the worker answer."""
        slots = self._sparql_slots if _may_take_for_ever(job) else self._known_slots
        if self._waiting >= self.limits.queue:
            raise RequestError(503, f"too many {job.plural} wait: try again in a few seconds", _SOON)
        self._waiting += 1
        try:
            worker = await self._slot_and_worker(slots)
        finally:
            self._waiting -= 1
        answer = await self._run(_RunningJob(job, worker, slots))
        if answer.status == "damaged":
            raise RequestError(500, answer.line)
        if cache_key is not None:
            self._cache.put(cache_key, worker.generation, answer)
        return answer

    async def _slot_and_worker(self, slots: asyncio.Semaphore) -> Worker:
        has_slot = False
        try:
            async with asyncio.timeout(self.limits.timeout):
                has_slot = await slots.acquire()
                return await self._workers.take()
        except BaseException as error:
            if has_slot:
                slots.release()
            if not isinstance(error, TimeoutError):
                raise
            message = f"no worker was free for {self.limits.timeout:g} s: try again in a few seconds"
            raise RequestError(503, message, _SOON) from None

    async def _run(self, running: _RunningJob) -> Answer:
        """Run a job that has a slot, which it gives back when it ends or turns slow."""
        worker, job = running.worker, running.job
        self._running.append(running)
        if self._stopping:
            running.stopped.set()
        reading = asyncio.ensure_future(worker.receive())
        answered = False
        try:
            worker.send(job)
            await self._wait_for_answer(running, reading)
            answer = reading.result()
            answered = True
        except (asyncio.IncompleteReadError, ConnectionError):
            memory = f"{self.limits.memory >> 20} MB"
            raise RequestError(
                500, f"the process of the {job.noun} ended: it needed more than {memory}{job.too_much}"
            ) from None
        else:
            return answer
        finally:
            self._running.remove(running)
            if reading.done():
                # asyncio logs exceptions that nobody has retrieved.
                reading.exception()
            else:
                reading.cancel()
            if running.is_slow:
                # Its slot was given back, and its worker replaced, when it turned slow.
                self._workers.kill(worker)
            else:
                # A stranger's image may have changed the process that decoded it.
                if answered and not isinstance(job, DecodeJob):
                    self._workers.give_back(worker)
                else:
                    self._workers.replace(worker)
                running.slots.release()

    async def _wait_for_answer(self, running: _RunningJob, reading: asyncio.Future[Answer]) -> None:
        """Wait for an answer; meanwhile lower the priority of a job that takes long, and stop one that may not go on.

        Raises
        ------
        RequestError
            As `ask` does.
        """
        worker = running.worker
        quick = self.limits.quick if _may_take_for_ever(running.job) else self.limits.quick_known
        # From so many seconds of processor time on, the worker gets this niceness.
        steps = [(quick, _NICE), (quick * _VERY_LONG, _NICEST)]
        started, cpu_at_start = time.monotonic(), worker.cpu_seconds()
        stopping = asyncio.ensure_future(running.stopped.wait())
        awaited: set[asyncio.Future[Any]] = {reading, stopping}
        try:
            while True:
                left = started + self.limits.timeout - time.monotonic()
                next_look = max(_LEAST_WAIT, steps[0][0] - running.cpu_seconds) if steps else _MOST_WAIT
                await asyncio.wait(awaited, timeout=max(0, min(left, next_look)), return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    return
                elapsed = time.monotonic() - started
                self._check_may_continue(running, elapsed)
                cpu_now = worker.cpu_seconds()
                # Where the system does not tell the processor time, time on the clock stands in for it.
                running.cpu_seconds = elapsed if cpu_now is None or cpu_at_start is None else cpu_now - cpu_at_start
                while steps and running.cpu_seconds >= steps[0][0]:
                    self._workers.lower_priority(worker, steps.pop(0)[1])
                    if not running.is_slow:
                        self._move_to_slow_lane(running)
        finally:
            stopping.cancel()

    def _check_may_continue(self, running: _RunningJob, elapsed: float) -> None:
        job, timeout = running.job, self.limits.timeout
        if self._stopping:
            raise RequestError(503, "the server is stopping: try again when it is back", {"Retry-After": "5"})
        if running.stopped.is_set():
            raise RequestError(
                503,
                f"the {job.noun} was stopped after {running.cpu_seconds:.1f} s of processor time, as other long "
                f"{job.plural} wait: try again in a few seconds, or ask for less",
                {"Retry-After": str(max(1, round(timeout)))},
            )
        if elapsed >= timeout:
            raise RequestError(504, f"the {job.noun} was stopped after {timeout:g} s: {job.too_long}")

    def _move_to_slow_lane(self, running: _RunningJob) -> None:
        running.is_slow = True
        running.slots.release()
        self._workers.start_one()
        lane = [each for each in self._running if each.is_slow and not each.stopped.is_set()]
        if len(lane) > self.limits.slow_lane:
            max(lane, key=lambda each: each.cpu_seconds).stopped.set()


def _may_take_for_ever(job: Job) -> bool:
    """Return whether a job is a user's own SPARQL; any other is known to end."""
    return isinstance(job, QueryJob) or (isinstance(job, RowsJob) and job.name is None)
