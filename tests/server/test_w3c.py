"""W3C's tests of the SPARQL 1.1 Protocol: each query test as it stands, each update test refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS

from tests.server.servers import Server, serving_store

MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT = rdflib.Namespace("http://www.w3.org/2011/http#")
CNT = rdflib.Namespace("http://www.w3.org/2011/content#")
UT = rdflib.Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
SUITE = Path(__file__).resolve().parents[3] / "shared" / "data" / "w3c-sparql11-protocol" / "protocol"
FORMATS = {
    "boolean": {"application/sparql-results+json", "application/sparql-results+xml"},
    "tabular": {
        "application/sparql-results+json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values",
    },
    "RDF": {"text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"},
}


def manifest() -> rdflib.Graph:
    return rdflib.Graph().parse(SUITE / "manifest.ttl") if SUITE.is_dir() else rdflib.Graph()


MANIFEST = manifest()
TESTS = sorted(MANIFEST.subjects(RDF.type, MF.ProtocolTest), key=str)
QUERIES = [test for test in TESTS if "query" in test or "queries" in test]
UPDATES = [test for test in TESTS if "update" in test]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose graphs are those that the manifest names."""
    if not SUITE.is_dir():
        pytest.skip("W3C's tests are not here: expected them in ../shared/data")
    path = tmp_path_factory.mktemp("w3c") / "store"
    store = ox.Store(str(path))
    for data in set(MANIFEST.objects(None, UT.graphData)):
        name = str(MANIFEST.value(data, RDFS.label))
        file = Path(str(MANIFEST.value(data, UT.graph)).removeprefix("file://"))
        if not any(store.quads_for_pattern(None, None, None, ox.NamedNode(name))):
            store.load(path=file, format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(name))
    store.flush()
    del store
    with serving_store(path) as running:
        yield running


def test_all_tests_are_here() -> None:
    if not SUITE.is_dir():
        pytest.skip("W3C's tests are not here: expected them in ../shared/data")
    assert (len(QUERIES), len(UPDATES), len(TESTS)) == (20, 14, 34)


def requests_of(test: rdflib.term.Node) -> list[rdflib.term.Node]:
    action = MANIFEST.value(test, MF.action)
    return list(Collection(MANIFEST, MANIFEST.value(action, HT.requests)))


def send(server: Server, request: rdflib.term.Node) -> httpx.Response:
    body = MANIFEST.value(request, HT.body)
    content = b""
    if body is not None:
        content = str(MANIFEST.value(body, CNT.chars)).encode(str(MANIFEST.value(body, CNT.characterEncoding)))
    listed = MANIFEST.value(request, HT.headers)
    headers = {
        str(MANIFEST.value(header, HT.fieldName)): str(MANIFEST.value(header, HT.fieldValue))
        for header in (Collection(MANIFEST, listed) if listed is not None else ())
    }
    method = str(MANIFEST.value(request, HT.methodName))
    path = str(MANIFEST.value(request, HT.absolutePath))
    return httpx.request(method, server.url + path, content=content, headers=headers, timeout=30)


@pytest.mark.parametrize("test", QUERIES, ids=lambda test: test.rpartition("#")[2])
def test_query(suite: Server, test: rdflib.URIRef) -> None:
    for request in requests_of(test):
        answer = send(suite, request)
        expected = MANIFEST.value(request, HT.resp)
        classes = {str(status)[-3] for status in MANIFEST.objects(expected, MF.expectedStatus)}
        assert str(answer.status_code)[0] in classes, answer.text
        format_ = MANIFEST.value(expected, MF.expectedFormat)
        if format_ is not None:
            assert answer.headers["content-type"].partition(";")[0] in FORMATS[str(format_)]
        boolean = MANIFEST.value(expected, MF.expectedBoolean)
        if boolean is not None:
            assert answer.json()["boolean"] is boolean.toPython()


@pytest.mark.parametrize("test", UPDATES, ids=lambda test: test.rpartition("#")[2])
def test_update_is_refused(suite: Server, test: rdflib.URIRef) -> None:
    answer = send(suite, requests_of(test)[0])
    assert (answer.status_code, answer.text) == (
        403,
        "this endpoint is read-only and refuses updates: send a query, or build the KG anew\n",
    )
    assert suite.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "text/csv").text == "n\n3\n"
