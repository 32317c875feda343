"""A Graph Store in memory, which fails where a test wants it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class MemoryStore:
    """What a test sets and sees.

    Parameters
    ----------
    graphs : dict of graph to set of lines
    answers : tuple of int
        The statuses of the answers to PUT and POST, each once and the last for ever. What is refused is not kept.
    refused : str
        A graph that it does not accept.
    unknown : tuple of str
        Methods that it does not know.
    says_yes : bool
        Whether HEAD and GET find every graph, with or without statements.
    seen : list of (method, graph, authorization)
    """

    url: str = ""
    graphs: dict[str, set[str]] = field(default_factory=dict)
    answers: tuple[int, ...] = (204,)
    refused: str = ""
    unknown: tuple[str, ...] = ()
    says_yes: bool = False
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The methods and graphs of all requests that are to change something."""
        return [(method, graph) for method, graph, _ in self.seen if method in ("PUT", "POST", "DELETE")]

    def answer(self, method: str, graph: str, lines: set[str]) -> tuple[int, set[str]]:
        """Do what is asked, and return status and lines."""
        if method in self.unknown:
            return 501, set()
        if method in ("HEAD", "GET"):
            found = graph in self.graphs or self.says_yes
            return (200, self.graphs.get(graph, set())) if found else (404, set())
        if method == "DELETE":
            return (404 if self.graphs.pop(graph, None) is None else 204), set()
        n_sent = sum(method != "DELETE" for method, _ in self.changes)
        status = 400 if graph == self.refused else self.answers[min(n_sent, len(self.answers)) - 1]
        if status < 300:
            self.graphs[graph] = lines | (self.graphs.get(graph, set()) if method == "POST" else set())
        return status, set()


@contextmanager
def memory_store() -> Iterator[MemoryStore]:
    store = MemoryStore()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            address = urlsplit(self.path)
            if address.path != "/store":
                return self.reply(404)
            (graph,) = parse_qs(address.query)["graph"]
            store.seen.append((self.command, graph, self.headers.get("Authorization")))
            return self.reply(*store.answer(self.command, graph, set(body.splitlines(keepends=True))))

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the names are the standard library's

        def reply(self, status: int, lines: set[str] = frozenset()) -> None:  # type: ignore[assignment]
            body = "".join(sorted(lines)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/n-triples")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{server.server_port}/store"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
