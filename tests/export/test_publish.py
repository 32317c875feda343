from __future__ import annotations

import gzip
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.cli import app
from filtag_kg.export import Credentials, credentials, publish_kg
from filtag_kg.graph import DEFAULT_BASE
from filtag_kg.kg import KG, add_runs, build_kg
from filtag_kg.query import LocalEndpoint, RemoteEndpoint, find_query, named_query, sparql_query
from tests.export.memory_store import MemoryStore, memory_store
from tests.export.stores import Store, oxigraph, virtuoso
from tests.query.test_docs import section
from tests.query.test_named_queries import ASKED

OTHER = "<https://example.org/s> <https://example.org/p> <https://example.org/o> .\n"
"""What somebody else says in a graph."""
DOG_FILTERS = """SELECT DISTINCT ?f WHERE {
  ?f flt:hasTag ?c . ?c flt:atOrBelow ?dog . ?dog skos:prefLabel "dog"@en
} ORDER BY ?f"""
OVER_RUNS = section("how-to/sparql.md", "Several runs in one KG")
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


def is_own(graph: str) -> bool:
    return re.match(re.escape(DEFAULT_BASE) + "(run|linking|dataset)/", graph) is not None


def as_published(kg: KG) -> dict[str, set[str]]:
    """Return the statements of each graph as a store is to have them."""
    graphs: dict[str, set[str]] = {}
    with gzip.open(kg.graph_path) as packed:
        for quad in ox.parse(input=packed, format=ox.RdfFormat.N_QUADS):
            graph = quad.graph_name
            if isinstance(graph, ox.DefaultGraph):
                graph = ox.NamedNode(re.match(".*?/run/[^/]+", quad.subject.value)[0])
            graphs.setdefault(graph.value, set()).add(f"{quad.triple} .\n")
    return graphs


def equal(one: str, other: str) -> bool:
    """Virtuoso writes six digits of a double, and 1.0 for 1."""
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-5, abs_tol=1e-9)
    except ValueError:
        return one == other


def test_every_statement_stands_in_its_graph(published: Store, kg: KG) -> None:
    there = dict(sparql_query(RemoteEndpoint(published.sparql), COUNTS).values())
    ours = {graph: str(len(lines)) for graph, lines in as_published(kg).items()}
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


@pytest.mark.parametrize("text", [DOG_FILTERS, *OVER_RUNS])
def test_questions_over_runs_have_the_same_answers_there(text: str, published: Store, kg: KG) -> None:
    there, ours = (sparql_query(endpoint, text) for endpoint in (RemoteEndpoint(published.sparql), LocalEndpoint(kg)))
    assert there.columns == ours.columns
    rows = list(zip(sorted(there.values()), sorted(ours.values()), strict=True))
    assert rows
    assert all(equal(*cells) for pair in rows for cells in zip(*pair, strict=True)), rows


def test_publishing_again_replaces_if_asked_and_adds_nothing(
    published: Store, kg: KG, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = Credentials(user=published.user, password=published.password)
    with pytest.raises(FiltagError, match="already holds this KG, "):
        publish_kg(kg, published.graphs, secrets=secrets)
    caplog.set_level(logging.INFO)
    publish_kg(kg, published.graphs, secrets=secrets, chunk=1000, replace=True)
    test_every_statement_stands_in_its_graph(published, kg)
    network = f"{DEFAULT_BASE}network/toy-0123456789ab"
    n = len(as_published(kg)[network])
    assert (
        f"{network} was there, and was merged with what the KG says: {n} statements before, {n} after"
        in caplog.messages
    )


def test_the_command_takes_the_password_from_the_environment_alone(
    published: Store, kg: KG, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [] if published.user is None else ["--user", published.user]
    monkeypatch.setenv("FILTAG_PASSWORD", published.password or "")
    result = CliRunner().invoke(app, ["publish", str(kg.path), published.graphs, "--replace", *options, "-q"])
    assert result.exit_code == 0, result.exception
    assert f"{kg.manifest['counts']['quads']:,} statements in 9 graphs at {published.graphs}" in result.stdout
    if published.user is not None:
        monkeypatch.setenv("FILTAG_PASSWORD", "wrong")
        result = CliRunner().invoke(app, ["publish", str(kg.path), published.graphs, "--replace", *options, "-q"])
        assert "does not let you write (401)" in str(result.exception)
        assert "wrong" not in str(result.exception)


def test_an_answer_cut_at_the_stores_limit_is_an_error(kg: KG, tmp_path: Path) -> None:
    with virtuoso(tmp_path, rows=10) as store:
        publish_kg(kg, store.graphs, secrets=Credentials(user=store.user, password=store.password))
        with pytest.raises(FiltagError, match="gave only part of the answer"):
            sparql_query(RemoteEndpoint(store.sparql), "SELECT ?s WHERE { ?s flt:tag ?class }")


@pytest.fixture
def memory() -> Iterator[MemoryStore]:
    with memory_store() as store:
        yield store


def test_a_busy_store_is_asked_again(memory: MemoryStore, kg: KG) -> None:
    memory.answers = (503, 429, 204)
    publish_kg(kg, memory.url, secrets=Credentials(token="sesame"))
    assert len(memory.changes) == len(as_published(kg)) + 2
    assert {authorization for _, _, authorization in memory.seen} == {"Bearer sesame"}


@pytest.mark.parametrize("unknown", [(), ("HEAD",)], ids=["all methods", "no HEAD"])
@pytest.mark.parametrize("says_yes", [False, True], ids=["honest", "says yes"])
def test_own_graphs_are_put_and_shared_ones_merged(
    memory: MemoryStore, kg: KG, unknown: tuple[str, ...], says_yes: bool
) -> None:
    graphs = as_published(kg)
    memory.unknown, memory.says_yes = unknown, says_yes
    # A graph that is there, but empty, hinders nobody.
    memory.graphs = {graph: set() if is_own(graph) else {OTHER} for graph in graphs}
    assert publish_kg(kg, memory.url, chunk=50) == {graph: len(lines) for graph, lines in graphs.items()}
    assert memory.graphs == {graph: lines if is_own(graph) else lines | {OTHER} for graph, lines in graphs.items()}
    of_graph = {graph: [method for method, each in memory.changes if each == graph] for graph in graphs}
    for graph, methods in of_graph.items():
        assert methods == ["PUT" if is_own(graph) else "POST"] + ["POST"] * (-(-len(graphs[graph]) // 50) - 1)
    # A KG that is described is whole.
    description = f"{DEFAULT_BASE}dataset/{kg.manifest['id']}"
    assert [graph for _, graph in memory.changes].index(description) + len(of_graph[description]) == len(memory.changes)


def test_a_kg_that_is_there_is_replaced_only_if_asked(memory: MemoryStore, kg: KG) -> None:
    graphs = as_published(kg)
    publish_kg(kg, memory.url)
    n_changes = len(memory.changes)
    for graph in graphs:
        memory.graphs[graph] = {OTHER}
    with pytest.raises(FiltagError) as error:
        publish_kg(kg, memory.url)
    assert str(error.value) == (
        f"{memory.url} already holds this KG, {DEFAULT_BASE}dataset/{kg.manifest['id']}: replace it, or publish to "
        "another store"
    )
    assert error.value.options == ("replace",)
    assert len(memory.changes) == n_changes
    publish_kg(kg, memory.url, replace=True)
    assert memory.graphs == {graph: lines if is_own(graph) else lines | {OTHER} for graph, lines in graphs.items()}


def test_a_run_that_is_there_is_a_part_of_the_kg(memory: MemoryStore, kg: KG) -> None:
    runs = [f"{DEFAULT_BASE}run/{run['id']}" for run in kg.manifest["runs"]]
    memory.graphs = {graph: {OTHER} for graph in runs}
    with pytest.raises(FiltagError, match="already holds a part of this KG, ") as error:
        publish_kg(kg, memory.url)
    assert all(graph in str(error.value) for graph in runs)
    assert memory.changes == []


def test_a_later_version_replaces_an_earlier_one(
    memory: MemoryStore, profile: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="toy-0123456789ab")
    provenance = Provenance.of_profile(profile)
    growing = build_kg(tmp_path / "kg", tags, wordnet(), provenance, profile=profile)
    publish_kg(growing, memory.url)
    earlier = f"{DEFAULT_BASE}dataset/{growing.manifest['id']}"
    more = tag_filters(profile, [Rule("q", 0.5)], network="toy-0123456789ab")
    added = build_kg(tmp_path / "added", more, wordnet(), provenance, profile=profile, first_rule=1)
    later = add_runs(growing, added)
    with pytest.raises(FiltagError, match=f"already holds an earlier version of this KG, {earlier}: replace it, or"):
        publish_kg(later, memory.url)
    caplog.set_level(logging.INFO)
    publish_kg(later, memory.url, replace=True)
    assert memory.graphs == as_published(later)
    assert f"removed {earlier}: it described an earlier version of this KG" in caplog.messages


@pytest.mark.parametrize("n", [1, 3, 20])
def test_what_fails_half_way_leaves_nothing_of_its_own(memory: MemoryStore, kg: KG, n: int) -> None:
    graphs = as_published(kg)
    shared = next(graph for graph in graphs if not is_own(graph))
    memory.graphs = {shared: {OTHER}}
    memory.answers = (*[204] * n, 400)
    with pytest.raises(FiltagError, match=r"refused P\w+ of graph \S+ \(400 \)"):
        publish_kg(kg, memory.url, chunk=10)
    assert {method for method, graph in memory.changes if not is_own(graph)} <= {"POST"}
    assert OTHER in memory.graphs[shared]
    assert not any(is_own(graph) for graph in memory.graphs)
    memory.answers = (204,)
    publish_kg(kg, memory.url)
    assert memory.graphs == {**graphs, shared: graphs[shared] | {OTHER}}


def test_what_was_there_before_is_never_removed(memory: MemoryStore, kg: KG, caplog: pytest.LogCaptureFixture) -> None:
    first, second = sorted(f"{DEFAULT_BASE}run/{run['id']}" for run in kg.manifest["runs"])
    memory.graphs = {second: {OTHER}}
    memory.refused = f"{DEFAULT_BASE}dataset/{kg.manifest['id']}"
    with pytest.raises(FiltagError, match="refused PUT of graph"):
        publish_kg(kg, memory.url, replace=True)
    removed = {graph for method, graph in memory.changes if method == "DELETE"}
    assert removed == {graph for graph in as_published(kg) if is_own(graph)} - {second}
    assert memory.graphs[second] == as_published(kg)[second]
    assert caplog.messages[-1] == f"the store may hold only a part of {second}: publish the KG again, replacing it"
    assert first in removed


def test_other_layers_of_a_network_are_not_mixed_in(memory: MemoryStore, kg: KG) -> None:
    network = f"{DEFAULT_BASE}network/toy-0123456789ab"
    place = '<{}/layer/{}> <https://w3id.org/nno/ontology#hasLayerSequence> "{}"^^<{}> .\n'
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    for layer, index in (("deep", 0), ("deeper", 1)):
        memory.graphs = {network: {place.format(network, layer, index, integer)}}
        with pytest.raises(FiltagError) as error:
            publish_kg(kg, memory.url, replace=True)
        assert str(error.value) == (
            f"{memory.url} holds other layers of toy-0123456789ab: publish to another store, or build the KG with "
            "another base"
        )
    assert memory.changes == []
    memory.graphs = {network: {place.format(network, "deeper", 2, integer)}}
    publish_kg(kg, memory.url)


def test_an_address_that_answers_alike_for_every_graph_is_no_store(memory: MemoryStore, kg: KG) -> None:
    """A SPARQL endpoint ignores which graph is asked for, and returns its description."""
    description = {"<x:service> <http://www.w3.org/ns/sparql-service-description#endpoint> <x:y> ."}

    class Alike(dict[str, set[str]]):
        def __contains__(self, graph: object) -> bool:
            return True

        def get(self, graph: str, default: object = None) -> set[str]:  # type: ignore[override]
            return description

    memory.graphs = Alike()
    for replace_it in (False, True):
        with pytest.raises(FiltagError, match="check that it is the address of a Graph Store"):
            publish_kg(kg, memory.url, replace=replace_it)
    assert memory.changes == []


def test_a_page_is_no_graph(memory: MemoryStore, kg: KG) -> None:
    memory.graphs = {graph: {"<html></html>"} for graph in as_published(kg)}
    with pytest.raises(
        FiltagError, match=r"does not answer GET of graph \S+ with RDF: check that it is the address of"
    ):
        publish_kg(kg, memory.url)
    assert memory.changes == []


def test_a_store_that_tells_nothing_is_not_written_to(memory: MemoryStore, kg: KG) -> None:
    memory.unknown = ("HEAD", "GET")
    with pytest.raises(FiltagError, match=r"refused GET of graph \S+ \(501 \): check that it is the address of"):
        publish_kg(kg, memory.url)
    assert memory.changes == []


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
