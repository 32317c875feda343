"""Connections: how long clients may take to ask and to read, and which one yields when there are too many.

uvicorn limits neither, and starts no clock before a client's first request is complete.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from filtag_kg.server.limits import Limits

_GRACE = 5.0
"""Seconds to send the client an error after the application has given up on a body."""
_LEAST_READ = 64 << 10
_TOO_MANY = "too many connections: try again in a few seconds\n"
_REFUSAL = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 2\r\n"
    f"Content-Length: {len(_TOO_MANY)}\r\nConnection: close\r\n\r\n{_TOO_MANY}"
).encode()


def connection_class(limits: Limits) -> type[asyncio.Protocol]:
    """Return the class that uvicorn makes an object of for each connection."""
    return type("Connection", (_Connection,), {"limits": limits, "open": {}})


class _Connection(H11Protocol):
    limits: Limits
    open: dict[_Connection, None]
    """All connections, the most recently idle at the end."""

    _clock: asyncio.TimerHandle | None = None
    _awaited: object = None
    _reader_clock: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.open) >= self.limits.connections:
            idle = next((each for each in self.open if each._is_idle()), None)
            if idle is None:
                transport.write(_REFUSAL)
                transport.close()
                return
            idle._abort()
        self.open[self] = None
        self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open.pop(self, None)
        for clock in (self._clock, self._reader_clock):
            if clock is not None:
                clock.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self in self.open:
            super().data_received(data)
            self._watch_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self in self.open:
            del self.open[self]
            self.open[self] = None
            self._watch_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.transport.get_write_buffer_size()
        self._watch_reader()
        self._drop_slow_readers()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread = 0
        if self._reader_clock is not None:
            self._reader_clock.cancel()
            self._reader_clock = None

    def _is_idle(self) -> bool:
        """Return whether no request is being received or answered, and no answer is waiting to be read."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self._unread and self.conn.their_state is not h11.SEND_BODY

    def _abort(self) -> None:
        self.open.pop(self, None)
        self.transport.abort()

    def _watch_request(self) -> None:
        """Start a clock for the next part of a request, if the client is to send one."""
        state = self.conn.their_state
        awaited = (state, self.cycle) if state in (h11.IDLE, h11.SEND_BODY) else None
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if awaited is not None:
            seconds = self.limits.head_seconds if state is h11.IDLE else self.limits.body_seconds + _GRACE
            self._clock = self.loop.call_later(seconds, self._abort)

    def _watch_reader(self) -> None:
        self._reader_clock = self.loop.call_later(self.limits.unread_seconds, self._check_reader)

    def _check_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left > self._unread - _LEAST_READ:
            self._abort()
        else:
            self._unread = left
            self._watch_reader()

    def _drop_slow_readers(self) -> None:
        """Drop the connections whose answers have waited longest, if too much waits to be read."""
        waiting = [each for each in self.open if each._unread]
        total = sum(each.transport.get_write_buffer_size() for each in waiting)
        for each in waiting:
            if total <= self.limits.unread:
                return
            if each is not self:
                total -= each.transport.get_write_buffer_size()
                each._abort()
