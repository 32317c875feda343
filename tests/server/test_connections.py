"""Clients that connect and do nothing, ask or read slowly, or leave. All with real sockets."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pyoxigraph as ox
import pytest

from tests.server.servers import Server, serving_store, wait_until

ASK = "/sparql?query=ASK%20%7B%7D"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred long texts."""
    path = tmp_path_factory.mktemp("connections") / "store"
    opened = ox.Store(str(path))
    node = ox.NamedNode("http://example.org/x")
    opened.extend(ox.Quad(node, node, ox.Literal(f"{i}{'x' * 50_000}")) for i in range(200))
    opened.flush()
    return path


@contextmanager
def connected(server: Server, sent: bytes = b"", room: int | None = None) -> Iterator[socket.socket]:
    """Connect, say something, and stay; `room` is how much the system reads ahead for us."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.socket() as client:
        if room is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.settimeout(60)
        client.connect((host, int(port)))
        client.sendall(sent)
        yield client


def ended(client: socket.socket) -> bool:
    """Return whether the server closed a connection; what it sent before is read."""
    client.setblocking(False)
    with suppress(BlockingIOError):
        try:
            while client.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        return True
    return False


def answered(client: socket.socket) -> tuple[bytes, bytes]:
    """Return head and body of an answer."""
    said = b""
    while piece := client.recv(1 << 16):
        said += piece
        head, _, body = said.partition(b"\r\n\r\n")
        if (length := re.search(rb"(?i)content-length: (\d+)", head)) and len(body) >= int(length[1]):
            return head, body
    raise AssertionError(f"the answer broke off: {said!r}")


def dribble(client: socket.socket) -> None:
    """Send a byte now and then until the server closes the connection."""
    with suppress(ConnectionError):
        for _ in range(1200):
            client.sendall(b"x")
            if select.select([client], [], [], 0.05)[0] and not client.recv(1 << 16):
                return
    with suppress(ConnectionError):
        client.settimeout(1)
        while client.recv(1 << 16):
            pass


def test_idle_connections_leave_room_for_others(store: Path) -> None:
    with serving_store(store, {"connections": 20, "head_seconds": 600.0}) as server, ExitStack() as stack:
        idle = [stack.enter_context(connected(server)) for _ in range(60)]
        assert server.query("ASK {}").json()["boolean"] is True
        # Those that were idle longest gave way; the last are still there.
        wait_until(lambda: sum(map(ended, idle)) >= 40)
        assert not ended(idle[-1])
        assert server.stderr() == ""


def test_many_more_connections_than_there_may_be(store: Path) -> None:
    with serving_store(store, {"head_seconds": 600.0}) as server, ExitStack() as stack:
        for _ in range(1500):
            stack.enter_context(connected(server))
        for _ in range(5):
            assert server.query("ASK {}").json()["boolean"] is True


def test_where_all_connections_are_busy_one_more_is_sent_away(store: Path) -> None:
    limits = {"connections": 3, "body_seconds": 600.0}
    posting = b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    with serving_store(store, limits) as server, ExitStack() as stack:
        for _ in range(3):
            busy = stack.enter_context(connected(server, posting))
            assert busy.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
        with connected(server, f"GET {ASK} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) as one_more:
            head, body = answered(one_more)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 2" in head
        assert body == b"too many connections: try again in a few seconds\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX: "])
def test_a_request_whose_head_does_not_come_is_not_waited_for(store: Path, sent: bytes) -> None:
    with serving_store(store, {"head_seconds": 0.5}) as server, connected(server, sent) as client:
        wait_until(lambda: ended(client))


def test_heads_and_bodies_that_dribble_end(store: Path) -> None:
    first = f"GET {ASK} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    beginnings = (
        b"GET / HTTP/1.1\r\nX: ",
        # A second request on a connection that has been answered.
        first + b"GET / HTTP/1.1\r\nX: ",
        b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
        # A body that nobody reads.
        b"GET /queries HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
    )
    with (
        serving_store(store, {"head_seconds": 1.0, "body_seconds": 1.0}) as server,
        ExitStack() as stack,
        ThreadPoolExecutor(len(beginnings)) as together,
    ):
        clients = [stack.enter_context(connected(server, sent)) for sent in beginnings]
        list(together.map(dribble, clients))
        assert all(map(ended, clients))
        assert server.query("ASK {}").json()["boolean"] is True


def test_a_body_that_takes_too_long_is_told_so(store: Path) -> None:
    posting = b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nquery"
    with serving_store(store, {"body_seconds": 0.5}) as server, connected(server, posting) as client:
        head, body = answered(client)
    assert head.startswith(b"HTTP/1.1 408 ")
    assert body == b"the request took longer than 0.5 s to arrive: send it again\n"


def test_a_client_that_leaves_while_it_sends_is_no_error(store: Path) -> None:
    with serving_store(store) as server:
        for _ in range(3):
            with connected(server, b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nquery"):
                pass
        assert server.query("ASK {}").json()["boolean"] is True
        assert server.stderr() == ""


def test_a_client_that_does_not_read_its_answer_is_dropped(store: Path) -> None:
    asking = b"GET /sparql?query=SELECT%20*%20%7B%3Fs%20%3Fp%20%3Fo%7D HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving_store(store, {"unread_seconds": 0.5, "head_seconds": 60.0}) as server:
        with connected(server, asking, room=4096) as client:
            assert select.select([client], [], [], 60)[0]
            # Nothing is read until the server has given up: what had arrived by then is all that there is.
            wait_until(lambda: _connections(server) == 0)
            read = 0
            with suppress(ConnectionError):
                while piece := client.recv(1 << 16):
                    read += len(piece)
        assert read < 200 * 50_000


def test_answers_that_nobody_reads_do_not_fill_the_memory(store: Path) -> None:
    asking = b"GET /sparql?query=SELECT%20*%20%7B%3Fs%20%3Fp%20%3Fo%7D HTTP/1.1\r\nHost: localhost\r\n\r\n"
    limits = {"unread": 25_000_000, "unread_seconds": 600.0}
    with serving_store(store, limits) as server, ExitStack() as stack:
        waiting = [stack.enter_context(connected(server, asking, room=4096)) for _ in range(6)]
        for client in waiting:
            assert select.select([client], [], [], 60)[0]
        # Ten megabytes each: those that have waited longest are dropped.
        wait_until(lambda: _connections(server) <= 3)
        assert server.query("ASK {}").json()["boolean"] is True


def test_one_that_reads_steadily_gets_all(store: Path) -> None:
    asking = b"GET /sparql?query=SELECT%20*%20%7B%3Fs%20%3Fp%20%3Fo%7D HTTP/1.1\r\nHost: localhost\r\n"
    with serving_store(store, {"unread_seconds": 1.0}) as server:
        with connected(server, asking + b"Connection: close\r\n\r\n", room=1 << 16) as client:
            read = 0
            pause = threading.Event()
            while piece := client.recv(1 << 16):
                read += len(piece)
                pause.wait(0.005)
        assert read > 200 * 50_000


def _connections(server: Server) -> int:
    """Return how many clients a server is connected to, but for the one that a test asks it by."""
    port = f":{int(server.url.rpartition(':')[2]):04X} "
    rows = [line.split() for line in Path(f"/proc/{server.process.pid}/net/tcp").read_text().splitlines()[1:]]
    of_server = [row for row in rows if f"{row[1]} ".endswith(port) and row[3] == "01"]

    return len(of_server)
