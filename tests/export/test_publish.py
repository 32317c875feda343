from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filtag_kg import FiltagError
from filtag_kg.cli import app
from filtag_kg.export import Credentials, credentials, publish_kg
from filtag_kg.kg import KG
from filtag_kg.query import LocalEndpoint, RemoteEndpoint, find_query, named_query, sparql_query
from tests.export.stores import Store, oxigraph, virtuoso
from tests.query.test_named_queries import ASKED

COUNTS = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"


@pytest.fixture(scope="module", params=[oxigraph, virtuoso], ids=["oxigraph", "virtuoso"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with request.param(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(scope="module")
def published(store: Store, kg: KG) -> Store:
    secrets = Credentials(user=store.user, password=store.password)
    sent = publish_kg(kg, store.graphs, secrets=secrets, chunk=150)
    assert sum(sent.values()) == kg.manifest["counts"]["quads"]
    return store


def equal(one: str, other: str) -> bool:
    """Virtuoso writes six digits of a double, and 1.0 for 1."""
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-5, abs_tol=1e-9)
    except ValueError:
        return one == other


def test_named_graphs_are_kept_whole(published: Store, kg: KG) -> None:
    there = dict(sparql_query(RemoteEndpoint(published.sparql), COUNTS).values())
    ours = dict(sparql_query(LocalEndpoint(kg), COUNTS).values())
    assert {graph: there[graph] for graph in ours} == ours


@pytest.mark.parametrize("name", ASKED)
def test_named_queries_give_the_same_there(name: str, published: Store, kg: KG) -> None:
    query = find_query(name)
    there = named_query(RemoteEndpoint(published.sparql), query, ASKED[name])
    ours = named_query(LocalEndpoint(kg), query, ASKED[name])
    assert there.columns == ours.columns
    # IRIs and literals have no order among each other that SPARQL rules.
    order = sorted if name == "run-provenance" else list
    pairs = list(zip(order(there.values()), order(ours.values()), strict=True))
    assert all(equal(*cells) for rows in pairs for cells in zip(*rows, strict=True)), pairs


def test_publishing_again_replaces_and_adds_nothing(published: Store, kg: KG) -> None:
    secrets = Credentials(user=published.user, password=published.password)
    publish_kg(kg, published.graphs, secrets=secrets, chunk=1000)
    test_named_graphs_are_kept_whole(published, kg)


def test_the_command_takes_the_password_from_the_environment_alone(
    published: Store, kg: KG, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [] if published.user is None else ["--user", published.user]
    monkeypatch.setenv("FILTAG_PASSWORD", published.password or "")
    result = CliRunner().invoke(app, ["publish", str(kg.path), published.graphs, *options, "-q"])
    assert result.exit_code == 0, result.exception
    assert f"{kg.manifest['counts']['quads']:,} statements in 9 graphs at {published.graphs}" in result.stdout
    if published.user is not None:
        monkeypatch.setenv("FILTAG_PASSWORD", "wrong")
        result = CliRunner().invoke(app, ["publish", str(kg.path), published.graphs, *options, "-q"])
        assert "does not let you write (401)" in str(result.exception)
        assert "wrong" not in str(result.exception)


def test_an_answer_cut_at_the_stores_limit_is_an_error(kg: KG, tmp_path: Path) -> None:
    with virtuoso(tmp_path, rows=10) as store:
        publish_kg(kg, store.graphs, secrets=Credentials(user=store.user, password=store.password))
        with pytest.raises(FiltagError, match="gave only part of the answer"):
            sparql_query(RemoteEndpoint(store.sparql), "SELECT ?s WHERE { ?s a flt:TagAssignment }")


class Failing(BaseHTTPRequestHandler):
    """Takes what it gets, but answers as it is told to, each answer once and the last for ever."""

    protocol_version = "HTTP/1.1"
    answers: tuple[int, ...] = ()
    seen: list[tuple[str, str]]

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).seen.append((self.command, str(self.headers.get("Authorization"))))
        status = type(self).answers[min(len(type(self).seen), len(type(self).answers)) - 1]
        if self.command == "DELETE":
            status = 204
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_PUT()

    def do_DELETE(self) -> None:
        self.do_PUT()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def failing() -> Iterator[tuple[str, type[Failing]]]:
    handler = type("Handler", (Failing,), {"seen": [], "answers": (204,)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/store", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_busy_store_is_asked_again(failing: tuple[str, type[Failing]], kg: KG) -> None:
    url, handler = failing
    handler.answers = (503, 429, 204)
    publish_kg(kg, url, secrets=Credentials(token="sesame"))
    assert len(handler.seen) == 9 + 2
    assert {authorization for _, authorization in handler.seen} == {"Bearer sesame"}


def test_a_graph_that_fails_half_way_is_removed(failing: tuple[str, type[Failing]], kg: KG) -> None:
    url, handler = failing
    handler.answers = (204, 204, 400)
    with pytest.raises(FiltagError, match=r"refused POST of graph \S+ \(400 \)"):
        publish_kg(kg, url, chunk=10)
    assert [method for method, _ in handler.seen] == ["PUT", "POST", "POST", "DELETE"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "http://127.0.0.1:9/store",
            r"cannot be reached \(Failed to establish a new connection: .*refused\): make sure",
        ),
        ("not an address", "cannot be reached"),
    ],
)
def test_what_is_no_store_is_said_in_one_line(url: str, message: str, kg: KG, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(FiltagError, match=message) as error:
        publish_kg(kg, url)
    assert "\n" not in str(error.value)


def test_secrets_go_to_this_machine_or_by_https_and_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTAG_PASSWORD", "sesame")
    monkeypatch.setenv("FILTAG_TOKEN", "open")
    with pytest.raises(FiltagError, match="is not https, so the secret could be read on the way"):
        credentials("http://example.org/store", "me", token=False)
    assert credentials("https://example.org/store", "me", token=False).password == "sesame"
    assert credentials("http://localhost:7878/store", None, token=True).token == "open"
    assert "sesame" not in repr(credentials("https://example.org/store", "me", token=False))
    monkeypatch.delenv("FILTAG_TOKEN")
    monkeypatch.setattr("filtag_kg.export.publish._from_keyring", {"example.org": "ring"}.get)
    assert credentials("https://example.org/store", None, token=True).token == "ring"
    with pytest.raises(FiltagError, match="no token: set FILTAG_TOKEN, or put one into the keyring"):
        credentials("https://example.com/store", None, token=True)
