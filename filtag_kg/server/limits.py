"""What a server allows its clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import cpu_count

from filtag_kg.errors import FiltagError

__all__ = ["Limits"]

_LEAST_MEMORY = 256 << 20
_MOST_MEMORY = 1 << 50
# A day, and more rows and processes than a machine can serve.
_MOST = {"timeout": 86_400, "max_rows": 10**9, "workers": 256}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query, a page or a connection may take before it is stopped, and how many there may be.

    Parameters
    ----------
    timeout : float
        Seconds, waiting and running each.
    max_rows : int
        Rows, or triples, of an answer; the rest is left out, with a sign.
    max_bytes : int
        Size of an answer; likewise.
    memory : int
        Bytes that a worker may take, beside those that it starts with.
    workers : int
        Quick queries that run at once: so many of somebody's own, and so many of those that we know to end.
    slow_lane : int
        Long queries that run beside them.
    quick, quick_known : float
        Seconds of processor time after which a query is a long one: SPARQL of somebody's own, and what we know to end
        (named queries, things).
    queue : int
        Queries that may wait.
    cache : int
        Bytes of answers to keep, for those who ask the same; 0 keeps none.
    connections : int
        Connections that are open at once. One more takes the place of the one that has been idle longest.
    head_seconds, body_seconds : float
        For a request's address and headers to come, and for its body.
    unread_seconds : float
        For a client to read some of an answer: at least 64 KiB, or what is left.
    unread : int
        Bytes of all answers that wait to be read. Of more, those that have waited longest are dropped.
    uploads : int
        Images that are received, decoded, or wait to be explained.

    Raises
    ------
    FiltagError
        If one is not above 0 or beyond any machine, the cache is below it, or the memory does not even do for a worker
        at rest.
    """

    timeout: float = 10.0
    max_rows: int = 100_000
    max_bytes: int = 32 << 20
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
        for name in (
            "timeout",
            "max_rows",
            "max_bytes",
            "workers",
            "slow_lane",
            "quick",
            "quick_known",
            "queue",
            "connections",
            "head_seconds",
            "body_seconds",
            "unread_seconds",
            "unread",
            "uploads",
        ):
            if not getattr(self, name) > 0:
                raise FiltagError(f"--{name.replace('_', '-')} {getattr(self, name)} is too little: give more than 0")
        for name, most in _MOST.items():
            if not getattr(self, name) <= most:
                raise FiltagError(f"--{name.replace('_', '-')} {getattr(self, name)} is too much: give at most {most}")
        if self.cache < 0:
            raise FiltagError(f"--cache {self.cache >> 20} is too little: give 0 or more")
        for name, size in (("cache", self.cache), ("max-memory", self.memory)):
            if size > _MOST_MEMORY:
                raise FiltagError(f"--{name} {size >> 20} is too much: give at most {_MOST_MEMORY >> 20}")
        if self.memory < _LEAST_MEMORY:
            raise FiltagError(f"--max-memory {self.memory >> 20} is too little: give at least {_LEAST_MEMORY >> 20}")
