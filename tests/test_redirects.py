"""Endpoints and stores that have moved. With real servers, but for https."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from filtag_kg import FiltagError
from filtag_kg.export import Credentials, publish_kg
from filtag_kg.kg import KG
from filtag_kg.query import LocalEndpoint, RemoteEndpoint
from filtag_kg.redirects import follow_redirects, without_secrets
from tests.query.sparql_server import sparql_server

COUNT = "# how many\nSELECT (COUNT(*) AS ?n) { ?f a flt:Filter }"
ALL = (301, 302, 303, 307, 308)


class Moved(BaseHTTPRequestHandler):
    """Sends on from each path as it is told, and notes what was asked."""

    protocol_version = "HTTP/1.1"
    targets: dict[str, tuple[int, str]]
    seen: list[tuple[str, str, str | None, bytes]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path, self.headers.get("Authorization"), body))
        status, target = self.targets.get(urlsplit(self.path).path, (204, ""))
        self.send_response(status)
        if target:
            self.send_header("Location", target.replace("QUERY", urlsplit(self.path).query))
        if status not in (204, 304):
            self.send_header("Content-Length", "0")
        self.end_headers()

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def moved(targets: dict[str, tuple[int, str]]) -> Iterator[tuple[str, list[Any]]]:
    handler = type("Handler", (Moved,), {"targets": targets, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def endpoint(kg: KG) -> Iterator[str]:
    with sparql_server(kg.store()) as url:
        yield url


@pytest.mark.parametrize("status", ALL)
def test_a_query_follows_an_endpoint_that_has_moved(endpoint: str, kg: KG, status: int) -> None:
    with moved({"/old": (status, "/older/../new"), "/new": (status, endpoint)}) as (url, seen):
        for text in (COUNT, "ASK { ?f a flt:Filter }", "CONSTRUCT { ?f a flt:Filter } WHERE { ?f a flt:Filter }"):
            assert RemoteEndpoint(f"{url}/old").ask(text) == LocalEndpoint(kg).ask(text)
    assert {method for method, *_ in seen} == {"POST"}
    assert all(parse_qs(body.decode())["query"] for *_, body in seen)


@pytest.mark.parametrize(
    ("targets", "line"),
    [
        ({"/a": (302, "/a")}, "URL/a redirects without end (URL/a to URL/a): check the address, or ask its owner"),
        (
            {"/a": (302, "/b"), "/b": (308, "/a")},
            "URL/a redirects without end (URL/a to URL/b to URL/a): check the address, or ask its owner",
        ),
        (
            {"/a": (302, "/1"), **{f"/{i}": (302, f"/{i + 1}") for i in range(1, 9)}},
            "URL/a redirects without end (URL/a to URL/1 to URL/2 to URL/3 to URL/4 to URL/5 to URL/6): "
            "check the address, or ask its owner",
        ),
        (
            {"/a": (307, "file:///etc/passwd")},
            "URL/a redirects to file:///etc/passwd, which is not a web address: ask its owner",
        ),
        ({"/a": (301, "ftp://x.org/y")}, "URL/a redirects to ftp://x.org/y, which is not a web address: ask its owner"),
        ({"/a": (301, "https:///y")}, "URL/a redirects to https:///y, which is not a web address: ask its owner"),
        ({"/a": (301, "http://[x/")}, "URL/a redirects to what is not an address (Invalid IPv6 URL): ask its owner"),
        ({"/a": (301, "http://x:y/")}, "URL/a redirects to 'http://x:y/', which is not an address: ask its owner"),
        ({"/a": (308, "")}, "URL/a failed to answer (308 Permanent Redirect: ): try again, or ask its owner"),
    ],
)
def test_where_a_query_does_not_go_is_said_in_a_line(targets: dict[str, tuple[int, str]], line: str) -> None:
    with moved(targets) as (url, _), pytest.raises(FiltagError) as error:
        RemoteEndpoint(f"{url}/a").ask(COUNT)
    assert str(error.value) == line.replace("URL/", f"{url}/")


@pytest.mark.parametrize("status", [307, 308])
def test_publishing_follows_with_method_and_body(kg: KG, status: int) -> None:
    with moved({"/old": (status, "/new?QUERY")}) as (url, seen):
        sent = publish_kg(kg, f"{url}/old?key=1", secrets=Credentials(token="sesame"), chunk=1000)
        asked = [entry for entry in seen if entry[1].startswith("/old")]
        followed = [entry for entry in seen if entry[1].startswith("/new")]
    assert len(asked) == len(followed) >= len(sent)
    for old, new in zip(asked, followed, strict=True):
        assert (old[0], old[2:]) == (new[0], new[2:])
        assert new[1] == old[1].replace("/old", "/new")
        assert set(parse_qs(urlsplit(new[1]).query)) == {"key", "graph"}
    assert {entry[2] for entry in seen} == {"Bearer sesame"}


@pytest.mark.parametrize("status", [301, 302, 303])
def test_publishing_says_where_a_store_has_moved(kg: KG, status: int) -> None:
    with moved({"/old": (status, "/log-in?QUERY")}) as (url, seen), pytest.raises(FiltagError) as error:
        publish_kg(kg, f"{url}/old")
    assert str(error.value) == f"{url}/old has moved to {url}/log-in ({status}): publish there, if it is yours"
    assert [entry[0] for entry in seen] == ["HEAD"]


def test_secrets_do_not_go_to_another_host(kg: KG) -> None:
    with moved({}) as (other, elsewhere), moved({"/old": (308, f"{other}/new")}) as (url, _):
        for place, secrets in (
            (url, Credentials(token="sesame")),
            (url, Credentials(user="me", password="sesame")),
            (url.replace("http://", "http://me:sesame@"), Credentials()),
        ):
            with pytest.raises(FiltagError) as error:
                publish_kg(kg, f"{place}/old", secrets=secrets)
            line = str(error.value)
            assert line.startswith(f"{url}/old?graph=")
            assert line.endswith(
                f" has moved to {other}/new, and secrets are not sent to another host: give that address"
            )
            assert "sesame" not in line
        assert elsewhere == []
        publish_kg(kg, f"{url}/old")
        assert {authorization for _, _, authorization, _ in elsewhere} == {None}


def test_the_password_of_an_address_stays_with_its_host(endpoint: str) -> None:
    with moved({"/new": (307, endpoint)}) as (other, elsewhere), moved({"/old": (307, f"{other}/new")}) as (url, seen):
        RemoteEndpoint(url.replace("http://", "http://me:sesame@") + "/old").ask(COUNT)
    assert seen[0][2].startswith("Basic ")
    assert [authorization for _, _, authorization, _ in elsewhere] == [None]


def test_an_encrypted_request_stays_encrypted() -> None:
    answer = requests.Response()
    answer.status_code = 308
    answer.headers["Location"] = "http://example.org/sparql"
    with pytest.raises(FiltagError) as error:
        follow_redirects(lambda url: answer, "https://me:sesame@example.org/sparql", statuses=ALL)
    assert str(error.value) == (
        "https://example.org/sparql redirects to http://example.org/sparql, which is not encrypted: "
        "give that address, if you trust it"
    )


def test_addresses_are_shown_without_secrets() -> None:
    assert without_secrets("http://a:b@c.org/d@e?f") == "http://c.org/d@e?f"
    assert without_secrets("https://c.org") == "https://c.org"
    assert without_secrets("no address") == "no address"
