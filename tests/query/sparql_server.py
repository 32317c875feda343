"""A SPARQL 1.1 endpoint over HTTP, for tests of the remote side: Oxigraph behind the standard library's server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pyoxigraph as ox


@contextmanager
def sparql_server(store: ox.Store) -> Iterator[str]:  # noqa: C901 - a page for each way to go wrong
    """Serve a store, its default graph the union of all, until the block ends; yield the endpoint's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/failing":
                self.answer(500, b"out of order", "text/plain")
            elif self.path.startswith("/truncated"):
                self.truncated(parse_qs(body)["query"][0])
            elif self.path == "/page":
                self.answer(200, b"<html>", "text/html")
            elif self.path != "/sparql":
                self.answer(404, b"nothing here", "text/plain")
            else:
                self.query(parse_qs(body)["query"][0])

        def query(self, text: str) -> None:
            try:
                found = store.query(text, use_default_graph_as_union=True)
            except SyntaxError as error:
                self.answer(400, str(error).encode(), "text/plain")
                return
            if isinstance(found, ox.QueryTriples):
                self.answer(200, found.serialize(format=ox.RdfFormat.TURTLE), "text/turtle")
            else:
                json = ox.QueryResultsFormat.JSON
                self.answer(200, found.serialize(format=json), json.media_type)

        def truncated(self, text: str) -> None:
            found = store.query(text, use_default_graph_as_union=True)
            assert not isinstance(found, ox.QueryTriples)
            json = found.serialize(format=ox.QueryResultsFormat.JSON)
            assert json is not None
            self.send_response(200)
            self.send_header("Content-Type", "application/sparql-results+json")
            if self.path == "/truncated-and-counted":
                self.send_header("Content-Length", str(len(json)))
            self.end_headers()
            self.wfile.write(json[: len(json) // 2])

        def answer(self, status: int, body: bytes, media_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sparql"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
