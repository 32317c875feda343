"""What a server allows its clients."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from os import cpu_count

from filtag_kg.errors import FiltagError

_LEAST_MEMORY_MB = 256
_MOST_MB = 1 << 30
_MOST_BYTES = 2 << 30
"""Of an answer. Messages between processes have sizes of 32 bits."""
# A day, and more rows and processes than any machine can serve.
_MOST = {"timeout": 86_400, "max_rows": 10**9, "workers": 256}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query, a page or a connection may take before it is stopped, and how many there may be.

    Parameters
    ----------
    timeout : float
        Seconds to wait for a worker, and as many to run.
    max_rows : int
        Rows, or triples, of an answer. A larger one is refused, unless the client is content with the first rows.
    max_bytes : int
        Size of an answer; likewise.
    memory : int
        Bytes that a worker may take, beyond those that it starts with.
    workers : int
        Quick jobs that run at once: so many of SPARQL, and so many of jobs that are known to end.
    slow_lane : int
        Long jobs that run beside them.
    quick, quick_known : float
        Seconds of processor time after which a job is a long one: SPARQL, and jobs that are known to end (named
        queries, things, pages).
    queue : int
        Jobs that may wait.
    cache : int
        Bytes of answers to keep for clients that ask the same; 0 keeps none.
    connections : int
        Connections that are open at once. One more replaces the one that has been idle longest.
    head_seconds, body_seconds : float
        For a request's address and headers to arrive, and for its body.
    unread_seconds : float
        For a client to read some of an answer: at least 64 KiB, or what is left.
    unread : int
        Bytes of all answers that wait to be read. Beyond that, the answers that have waited longest are dropped.
    uploads : int
        Images that are being received or decoded, or wait to be explained.

    Raises
    ------
    FiltagError
        If one is too small, or larger than any machine.
    """

    timeout: float = 10.0
    max_rows: int = 1_000_000
    max_bytes: int = 64 << 20
    memory: int = 512 << 20
    workers: int = field(default_factory=lambda: max(2, cpu_count() or 1))
    slow_lane: int = 4
    quick: float = 0.3
    quick_known: float = 1.0
    queue: int = 256
    cache: int = 64 << 20
    connections: int = 512
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    unread_seconds: float = 20.0
    unread: int = 256 << 20
    uploads: int = 8

    def __post_init__(self) -> None:
        for name in (limit.name for limit in fields(self) if limit.name not in ("memory", "cache", "max_bytes")):
            value, most = getattr(self, name), _MOST.get(name)
            if not value > 0:
                raise FiltagError(f"{name}={value} is too little: give more than 0", options=(name,))
            if most is not None and not value <= most:
                raise FiltagError(f"{name}={value} is too much: give at most {most}", options=(name,))
        if not self.max_bytes > 0:
            raise FiltagError("a size of 0 MB is too little: give at least 1 MB", options=("max_size",))
        if self.max_bytes > _MOST_BYTES:
            what = f"a size of {self.max_bytes >> 20} MB is too much"
            raise FiltagError(f"{what}: give at most {_MOST_BYTES >> 20} MB", options=("max_size",))
        _check_megabytes("cache", self.cache >> 20, 0, "cache")
        _check_megabytes("memory", self.memory >> 20, _LEAST_MEMORY_MB, "max_memory")


def _check_megabytes(what: str, size: int, least: int, option: str) -> None:
    if size < least:
        raise FiltagError(f"a {what} of {size} MB is too little: give at least {least} MB", options=(option,))
    if size > _MOST_MB:
        raise FiltagError(f"a {what} of {size} MB is too much: give at most {_MOST_MB} MB", options=(option,))
