"""The server as a process: it listens, announces its address, and ends on a signal."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from filtag_kg.errors import FiltagError
from filtag_kg.server.connections import connection_class

if TYPE_CHECKING:
    from starlette.applications import Starlette

_GRACE_SECONDS = 3
_BACKLOG = 128
_OTHER_FILES = 200


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address, which no other machine reaches."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port.

    Parameters
    ----------
    port : int
        0 for any free one.

    Raises
    ------
    FiltagError
        If it cannot be used.
    """
    if not 0 <= port <= 65535:
        raise FiltagError(f"port {port} is not a port: give one from 0 to 65535", options=("port",))
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        # Errors in looking a name up have numbers that strerror does not know.
        why = os.strerror(error.errno) if isinstance(error.errno, int) and error.errno > 0 else error.strerror
        raise FiltagError(
            f"cannot listen on {host} port {port} ({why}): choose another port or host", options=("port", "host")
        ) from None


def run_app(app: Starlette, listening: socket.socket, on_start: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    app : Starlette
        From `create_app`.
    listening : socket
        From `listen`.
    on_start : callable
        Called with the address when the server answers.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        # `AtPublicAddress` decides whom to believe.
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        http=connection_class(app.state.limits),
        # asyncio accepts as many at once, before any can be refused.
        backlog=_BACKLOG,
    )
    _allow_files(app.state.limits.connections)
    asyncio.run(_serve(app, _Server(config), listening, on_start))


def _allow_files(connections: int) -> None:
    """Raise the limit of open files to what so many connections need, as far as the system allows."""
    wanted = connections + _BACKLOG + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `_serve`: uvicorn would raise them again at the end, and kill the process."""
        yield


async def _serve(app: Starlette, server: _Server, listening: socket.socket, on_start: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True
        # Otherwise uvicorn waits for queries whose answers nobody will read.
        app.state.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        host, port = listening.getsockname()[:2]
        on_start(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    await serving
