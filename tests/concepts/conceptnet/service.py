"""A real HTTP server that speaks ConceptNet's API over lines of its dump, and misbehaves when told to."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Service:
    """What the server serves, and what it is to do to the next requests instead: ``["502", "truncated"]``."""

    def __init__(self, dump: str) -> None:
        self.edges = [edge_of(row.split("\t")) for row in dump.splitlines()]
        self.trouble: deque[str] = deque()
        self.always: str | None = None
        self.requests: list[str] = []
        self.most_per_page = 1000
        self.url = ""

    def query(self, asked: dict[str, str]) -> dict[str, Any]:
        found = [edge for edge in self.edges if all(matches(edge, *one) for one in asked.items())]
        limit, offset = min(int(asked.get("limit", 50)), self.most_per_page), int(asked.get("offset", 0))
        answer: dict[str, Any] = {"@id": "/query", "edges": found[offset : offset + limit]}
        if offset + limit < len(found):
            following = urlencode({**asked, "limit": limit, "offset": offset + limit})
            answer["view"] = {"@type": "PartialCollectionView", "nextPage": f"/query?{following}"}
        return answer


def edge_of(fields: list[str]) -> dict[str, Any]:
    uri, relation, start, end, more = fields
    return {
        "@id": uri,
        "rel": {"@id": relation, "label": relation[3:]},
        "start": {"@id": start, "term": "/".join(start.split("/")[:4])},
        "end": {"@id": end, "term": "/".join(end.split("/")[:4])},
        **json.loads(more),
    }


def matches(edge: dict[str, Any], key: str, value: str) -> bool:
    """As ConceptNet does: a term stands for its senses, too."""
    if key not in ("start", "end", "rel"):
        return True
    return bool(edge[key]["@id"] == value or edge[key]["@id"].startswith(f"{value}/"))


@contextmanager
def serving(dump: str) -> Iterator[Service]:
    service = Service(dump)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            service.requests.append(self.path)
            address = urlsplit(self.path)
            body = json.dumps(service.query({key: of[0] for key, of in parse_qs(address.query).items()})).encode()
            trouble = service.always or (service.trouble.popleft() if service.trouble else "")
            if trouble == "slow":
                time.sleep(1)
            self.send_response(int(trouble) if trouble.isdigit() else 200)
            if trouble == "429":
                self.send_header("Retry-After", "1")
            if trouble == "malformed":
                body = b'{"edges": [{"start": 1}'
            if trouble == "page":
                body = b"<!DOCTYPE html><p>Welcome"
            if trouble == "elsewhere":
                body = json.dumps({"edges": [], "view": {"nextPage": "http://elsewhere.example/query"}}).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # whoever asked has given up
                self.wfile.write(body[: len(body) // 2] if trouble == "truncated" else body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
