"""Other endpoints ask this one by SERVICE: they get all rows or an error, never a part that looks like the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
import requests

from filtag_kg.kg import KG
from tests.export.stores import oxigraph
from tests.server.servers import Server, serving

TAGS = "{ ?a <https://w3id.org/filtag/ns#tag> ?class }"
Count = Callable[[str], int]
"""Returns the number that a federated query counts; raises if the query fails."""


def counted_by_rdflib(text: str) -> int:
    ((n,),) = rdflib.Graph().query(text)  # type: ignore[misc]
    return int(n)


def counted_by_pyoxigraph(text: str) -> int:
    ((n,),) = ox.Store().query(text)  # type: ignore[misc]
    return int(n.value)


@pytest.fixture(scope="module")
def oxigraph_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with oxigraph(tmp_path_factory.mktemp("oxigraph")) as store:
        yield store.sparql


@pytest.fixture(params=["rdflib", "pyoxigraph", "Oxigraph's server"])
def count(request: pytest.FixtureRequest) -> Count:
    if request.param == "rdflib":
        return counted_by_rdflib
    if request.param == "pyoxigraph":
        return counted_by_pyoxigraph
    address = request.getfixturevalue("oxigraph_address")

    def counted(text: str) -> int:
        answer = requests.post(address, data={"query": text}, headers={"Accept": "text/csv"}, timeout=30)
        answer.raise_for_status()
        return int(answer.text.split()[1])

    return counted


@pytest.fixture(scope="module")
def small(kg: KG) -> Iterator[tuple[Server, int]]:
    """A server that sends at most as many rows as the KG has tag assignments, less one; and how many there are."""
    n = len(list(kg.store().quads_for_pattern(None, ox.NamedNode("https://w3id.org/filtag/ns#tag"), None)))
    with serving(kg.path, "--max-rows", str(n - 1)) as running:
        yield running, n


def test_a_federated_count_is_right(count: Count, server: Server, small: tuple[Server, int]) -> None:
    assert count(f"SELECT (COUNT(*) AS ?n) {{ SERVICE <{server.url}/sparql> {TAGS} }}") == small[1]


def test_a_federated_count_over_the_limit_is_an_error(count: Count, small: tuple[Server, int]) -> None:
    limited, n = small
    with pytest.raises(Exception) as caught:
        count(f"SELECT (COUNT(*) AS ?n) {{ SERVICE <{limited.url}/sparql> {TAGS} }}")
    assert not isinstance(caught.value, AssertionError)
    # What the error says to do works: pages, or counting where the data is.
    page = f"SERVICE <{limited.url}/sparql> {{ SELECT ?a ?class {TAGS} ORDER BY ?a LIMIT {n - 2} OFFSET {{}} }}"
    pages = [page.replace("{}", str(offset)) for offset in (0, n - 2)]
    assert [count(f"SELECT (COUNT(*) AS ?n) {{ {each} }}") for each in pages] == [n - 2, 2]
    there = f"SERVICE <{limited.url}/sparql> {{ SELECT (COUNT(*) AS ?n) {TAGS} }}"
    assert count(f"SELECT ?n {{ {there} }}") == n


@pytest.mark.parametrize("format_", ["json", "xml", "csv", "tsv"])
def test_no_format_of_a_table_is_cut(small: tuple[Server, int], format_: str) -> None:
    limited, n = small
    assert limited.query(f"SELECT * {TAGS}", format=format_).status_code == 500
    assert limited.query(f"SELECT * {TAGS} LIMIT {n - 1}", format=format_).status_code == 200


def test_graphs_things_and_named_queries_are_not_cut(kg: KG) -> None:
    with serving(kg.path, "--max-rows", "3") as limited:
        asked = limited.client
        for address in (
            "/sparql?query=CONSTRUCT%20WHERE%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D",
            "/sparql?query=DESCRIBE%20%3Fs%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D",
            "/queries/hub-filters?min_tags=1",
            "/class/n02123045",
        ):
            answer = asked.get(address)
            assert (answer.status_code, answer.text.count("\n")) == (500, 1), address
            assert "which is the most that this server sends" in answer.text
        part = asked.get("/queries/hub-filters?min_tags=1&maxrows=2&format=csv")
        assert (len(part.text.splitlines()), part.headers["x-sparql-maxrows"]) == (3, "2")


def test_the_command_line_is_told(small: tuple[Server, int], tmp_path: Path) -> None:
    from filtag_kg import FiltagError, KnowledgeGraph

    with pytest.raises(FiltagError, match=r"failed to answer \(500 .*the answer has more than"):
        KnowledgeGraph(f"{small[0].url}/sparql").query(f"SELECT * {TAGS}")
