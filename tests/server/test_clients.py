"""The usual clients against a real server: SPARQLWrapper, rdflib's SPARQLStore, YASGUI, curl and what others send."""

from __future__ import annotations

import io
import shutil
import subprocess
import urllib.parse
import urllib.request
import warnings
from itertools import product
from xml.dom.minidom import Document

import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import SPARQLWrapper, Wrapper

from tests.server.servers import Server

NOTATIONS = "?c a flt:ClassLabel ; skos:notation ?n"
CLASSES = ["n02087394", "n02088466", "n02090379", "n02123045", "n02124075", "n02814533", "n03770679", "n04285008"]
PREFIXES = (
    "PREFIX flt: <https://w3id.org/filtag/ns#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
    "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"
)
QUERIES = {
    "SELECT": f"SELECT ?n {{ {NOTATIONS} }} ORDER BY ?n",
    "ASK": f"ASK {{ {NOTATIONS} }}",
    "CONSTRUCT": f"CONSTRUCT {{ ?c skos:notation ?n }} WHERE {{ {NOTATIONS} }}",
    "DESCRIBE": f"DESCRIBE ?c WHERE {{ {NOTATIONS} }}",
}


def library_allows(form: str, format_: str) -> bool:
    """Return whether SPARQLWrapper knows what to accept for a format, or converts it without a warning."""
    wrapper = SPARQLWrapper("http://localhost/", returnFormat=format_)
    wrapper.setQuery(PREFIXES + QUERIES[form])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wrapper._getAcceptHeader()
    is_graph = form in (Wrapper.CONSTRUCT, Wrapper.DESCRIBE)
    return not caught or (is_graph and format_ in (Wrapper.RDF, Wrapper.JSON))


COMBINATIONS = [
    (form, format_, method, encoding, conneg)
    for form, format_ in product(QUERIES, Wrapper._allowedFormats)
    if library_allows(form, format_)
    for method, encoding in (
        (Wrapper.GET, Wrapper.URLENCODED),
        (Wrapper.POST, Wrapper.URLENCODED),
        (Wrapper.POST, Wrapper.POSTDIRECTLY),
    )
    for conneg in (False, True)
]


def test_the_library_knows_all_combinations() -> None:
    pairs = {(form, format_) for form, format_, *_ in COMBINATIONS}
    assert len(pairs) == 22
    assert {method for method, *_ in product(Wrapper._allowedRequests)} == {Wrapper.GET, Wrapper.POST}
    assert set(Wrapper._REQUEST_METHODS) == {Wrapper.URLENCODED, Wrapper.POSTDIRECTLY}


@pytest.mark.parametrize(("form", "format_", "method", "encoding", "conneg"), COMBINATIONS)
def test_sparqlwrapper(server: Server, form: str, format_: str, method: str, encoding: str, conneg: bool) -> None:
    wrapper = SPARQLWrapper(f"{server.url}/sparql", returnFormat=format_)
    wrapper.setMethod(method)
    wrapper.setRequestMethod(encoding)
    wrapper.setOnlyConneg(conneg)
    wrapper.setTimeout(30)
    wrapper.setQuery(PREFIXES + QUERIES[form])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "ConjunctiveGraph is deprecated", DeprecationWarning)
        warnings.filterwarnings("ignore", "Dataset.default_context", DeprecationWarning)
        if form in (Wrapper.CONSTRUCT, Wrapper.DESCRIBE) and format_ in (Wrapper.RDF, Wrapper.JSON):
            # The library's own: it does not know what to accept, and accepts everything.
            warnings.filterwarnings("ignore", "Sending Accept header", RuntimeWarning)
        if conneg and format_ in (Wrapper.RDF, Wrapper.JSON) and form in (Wrapper.CONSTRUCT, Wrapper.DESCRIBE):
            assert len(rdflib.Graph().parse(data=wrapper.query().response.read(), format="turtle")) >= len(CLASSES)
            return
        found = wrapper.queryAndConvert()
    assert answered(form, format_, found) == (True if form == Wrapper.ASK else CLASSES)


def answered(form: str, format_: str, found: object) -> object:
    """Return the truth value or the class ids of an answer as SPARQLWrapper converted it."""
    if isinstance(found, rdflib.Graph):
        return notations(found)
    if isinstance(found, Document):
        tag = "boolean" if form == Wrapper.ASK else "literal"
        texts = [node.firstChild.data for node in found.getElementsByTagName(tag)]  # type: ignore[union-attr]
        return texts == ["true"] if form == Wrapper.ASK else texts
    if isinstance(found, dict):
        return found["boolean"] if form == Wrapper.ASK else [row["n"]["value"] for row in found["results"]["bindings"]]
    assert isinstance(found, bytes)
    if format_ in (Wrapper.TURTLE, Wrapper.N3):
        return notations(rdflib.Graph().parse(data=found, format=format_))
    head, *lines = found.decode().split()
    if form == Wrapper.ASK:
        assert head.lstrip("?") == "answer"
        return lines == ["true" if format_ == Wrapper.CSV else '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>']
    return [line.strip('"') for line in lines]


def notations(graph: rdflib.Graph) -> list[str]:
    return sorted({str(value) for value in graph.objects(None, rdflib.SKOS.notation)})


def test_sparqlwrapper_is_told_what_is_wrong(server: Server) -> None:
    from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

    wrapper = SPARQLWrapper(f"{server.url}/sparql", returnFormat=Wrapper.JSON)
    wrapper.setQuery("SELECT * { ?s ?p }")
    with pytest.raises(QueryBadFormed, match="the query is malformed in line 1, column 19"):
        wrapper.query()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("format_", ["xml", "json"])
class TestSparqlStore:
    """rdflib's own client."""

    @pytest.fixture
    def store(self, server: Server, method: str, format_: str) -> SPARQLStore:
        return SPARQLStore(f"{server.url}/sparql", method=method, returnFormat=format_)

    def test_it_asks_all_forms(self, store: SPARQLStore) -> None:
        graph = rdflib.Graph(store)
        names = {"flt": "https://w3id.org/filtag/ns#", "skos": rdflib.SKOS}
        assert [str(row.n) for row in graph.query(QUERIES["SELECT"], initNs=names)] == CLASSES  # type: ignore[union-attr]
        assert graph.query(QUERIES["ASK"], initNs=names).askAnswer is True
        for form in ("CONSTRUCT", "DESCRIBE"):
            made = graph.query(QUERIES[form], initNs=names).graph
            assert made is not None
            assert notations(made) == CLASSES

    @pytest.mark.parametrize("kind", [rdflib.Graph, rdflib.ConjunctiveGraph, rdflib.Dataset])
    def test_it_is_a_graph(self, store: SPARQLStore, server: Server, kind: type[rdflib.Graph]) -> None:
        graph = kind(store)
        assert len(graph) == int(server.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "text/csv").text.split()[1])
        assert sorted(str(value) for _, _, value in graph.triples((None, rdflib.SKOS.notation, None))) == CLASSES
        (class_,) = graph.subjects(rdflib.SKOS.notation, rdflib.Literal("n02123045"))
        assert str(graph.value(class_, rdflib.SKOS.prefLabel)) == "tabby"
        assert (class_, rdflib.SKOS.notation, rdflib.Literal("n02123045")) in graph
        assert [str(row.n) for row in graph.query(PREFIXES + QUERIES["SELECT"])] == CLASSES  # type: ignore[union-attr]

    def test_a_named_graph_is_one_of_its_graphs(self, store: SPARQLStore, server: Server) -> None:
        rows = server.query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g", "text/csv")
        sizes = dict(row.split(",") for row in rows.text.split()[1:])
        for name, size in sizes.items():
            graph = rdflib.Graph(store, identifier=rdflib.URIRef(name))
            assert len(graph) == len(list(graph.triples((None, None, None)))) == int(size)
            assert len(graph.query("SELECT * { ?s ?p ?o }")) == int(size)
        assert {str(graph.identifier) for graph in rdflib.ConjunctiveGraph(store).contexts()} == set(sizes)


PAGE = {"Origin": "https://yasgui.example", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_yasgui(server: Server, method: str) -> None:
    preflight = server.client.options(
        "/sparql",
        headers={
            **PAGE,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "accept,content-type,x-requested-with",
            "Access-Control-Request-Private-Network": "true",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert method in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "accept, content-type, x-requested-with"
    assert preflight.headers["access-control-allow-private-network"] == "true"
    for form, text in QUERIES.items():
        is_graph = form in ("CONSTRUCT", "DESCRIBE")
        wanted = "text/turtle" if is_graph else "application/sparql-results+json"
        headers = {**PAGE, "Accept": f"{wanted},*/*;q=0.9", "X-Requested-With": "yasqe"}
        body = {"params" if method == "GET" else "data": {"query": PREFIXES + text}}
        answer = server.client.request(method, "/sparql", headers=headers, **body)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, wanted)
        assert answer.headers["access-control-allow-origin"] == "*"
        # It shows the type, and the time until the answer came.
        assert "Content-Type" in answer.headers["access-control-expose-headers"]
        if is_graph:
            assert notations(rdflib.Graph().parse(data=answer.text, format="turtle")) == CLASSES
    # Errors are shown, too.
    wrong = server.client.post("/sparql", data={"query": "SELECT"}, headers=PAGE)
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (400, "*")


TABLE_NAMES = {
    "application/sparql-results+json": ("json", "srj", "JSON", "application/sparql-results+json"),
    "application/json": ("application/json",),
    "application/sparql-results+xml": ("xml", "srx", "Xml", "sparql", "application/sparql-results+xml"),
    "text/csv": ("csv", "CSV", "text/csv", "text/csv; charset=utf-8", "text/csv, text/html;q=0.1"),
    "text/tab-separated-values": ("tsv", "text/tab-separated-values"),
}
GRAPH_NAMES = {
    "text/turtle": ("ttl", "turtle", "TURTLE", "text/turtle", "application/turtle", "text/*"),
    "application/x-turtle": ("application/x-turtle",),
    "application/n-triples": ("nt", "ntriples", "n-triples", "N-Triples", "application/n-triples"),
    "text/plain": ("text/plain",),
    "application/rdf+xml": ("rdf", "rdfxml", "rdf+xml", "RDF/XML", "xml", "application/rdf+xml"),
    "application/ld+json": ("json", "jsonld", "json-ld", "JSON-LD", "application/ld+json", "application/x-json+ld"),
    "application/n-quads": ("nq", "nquads", "n-quads", "application/n-quads"),
    "application/trig": ("trig", "application/trig"),
    "text/n3": ("n3", "N3", "text/n3", "application/n3"),
}


@pytest.mark.parametrize(
    "parameter",
    ["format", *(pytest.param(name, marks=pytest.mark.slow) for name in ("Accept", "output", "results"))],
)
def test_every_name_of_a_format(server: Server, parameter: str) -> None:
    for address, names in (
        ("/sparql?" + urllib.parse.urlencode({"query": QUERIES["SELECT"]}), TABLE_NAMES),
        ("/sparql?" + urllib.parse.urlencode({"query": QUERIES["CONSTRUCT"]}), GRAPH_NAMES),
        ("/sparql?", GRAPH_NAMES),
        ("/queries/filters-of-class?class=tabby", TABLE_NAMES),
        ("/class/n02123045?", GRAPH_NAMES),
        ("/resource?" + urllib.parse.urlencode({"iri": "https://w3id.org/filtag/data/class/n02123045"}), GRAPH_NAMES),
    ):
        for media_type, others in names.items():
            for name in others:
                # Over a header that says otherwise, with its plus encoded or not.
                for typed in {urllib.parse.quote(name, safe=""), urllib.parse.quote(name, safe="+/")}:
                    answer = server.client.get(f"{address}&{parameter}={typed}", headers={"Accept": "image/png"})
                    found = answer.headers["content-type"].partition(";")[0]
                    assert (answer.status_code, found) == (200, media_type), (address, typed)


@pytest.mark.parametrize(
    ("formats", "status", "line"),
    [
        ("format=json&output=json&results=json", 200, None),
        ("format=tsv&format=text/tab-separated-values&output=tsv", 200, None),
        ("format=&output=csv", 200, None),
        ("format=auto", 200, None),
        ("format=json&output=csv", 400, "several formats are given (json, csv): give one"),
        ("format=json&format=xml", 400, "several formats are given (json, xml): give one"),
        (
            "format=turtle",
            406,
            "this answer has no format for format=turtle: there is json (application/sparql-results+json), "
            "xml (application/sparql-results+xml), csv (text/csv), tsv (text/tab-separated-values)",
        ),
    ],
)
def test_formats_given_more_than_once(server: Server, formats: str, status: int, line: str | None) -> None:
    for address in ("/sparql?query=SELECT%20*%20%7B%7D", "/queries/filters-of-class?class=tabby"):
        answer = server.client.get(f"{address}&{formats}")
        assert answer.status_code == status
        assert line is None or answer.text == f"{line}\n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("arguments", "content_type"),
    [
        (["--data-urlencode", "query=ASK {}"], "application/sparql-results+json"),
        (["-H", "Accept: text/csv", "-d", "query=SELECT * {}"], "text/csv; charset=utf-8; header=present"),
        (["-G", "-d", "format=ttl", "--data-urlencode", "query=DESCRIBE flt:Filter"], "text/turtle; charset=utf-8"),
        (["-d", "query=ASK{}", "-d", "format=application/sparql-results+xml"], "application/sparql-results+xml"),
        (
            ["-H", "Content-Type: application/sparql-query", "-H", "Accept: text/turtle", "-d", "DESCRIBE flt:Filter"],
            "text/turtle; charset=utf-8",
        ),
    ],
)
def test_curl(server: Server, arguments: list[str], content_type: str) -> None:
    command = ["curl", "-sS", "--fail", "-o", "/dev/null", "-w", "%{content_type}", f"{server.url}/sparql", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, content_type, "")


JENA_SELECT = (
    "application/sparql-results+json, application/sparql-results+xml;q=0.9, text/tab-separated-values;q=0.7, "
    "text/csv;q=0.5, application/json;q=0.2, application/xml;q=0.2, */*;q=0.1"
)
JENA_GRAPH = "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3"
RDF4J_SELECT = (
    "application/x-sparqlstar-results+json;q=0.8, application/sparql-results+xml;q=0.8, application/xml;q=0.8, "
    "application/x-binary-rdf-results-table, text/tab-separated-values;q=0.8"
)
RDF4J_GRAPH = "application/x-binary-rdf, application/n-triples;q=0.8, text/plain;q=0.8, application/rdf+xml;q=0.5"
COMUNICA = (
    "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,application/n-triples;q=0.8,"
    "application/sparql-results+json;q=0.8,text/turtle;q=0.6,application/rdf+xml;q=0.5,text/n3;q=0.35,*/*;q=0.1"
)
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.mark.parametrize(
    ("accept", "table", "graph"),
    [
        (JENA_SELECT, "application/sparql-results+json", "application/xml"),
        (JENA_GRAPH, "application/sparql-results+json", "text/turtle"),
        (RDF4J_SELECT, "application/sparql-results+xml", "application/xml"),
        (RDF4J_GRAPH, None, "application/n-triples"),
        (COMUNICA, "application/sparql-results+json", "application/n-quads"),
        (JAVA, "application/sparql-results+json", "text/turtle"),
        ("*", "application/sparql-results+json", "text/turtle"),
        ("*/*", "application/sparql-results+json", "text/turtle"),
        ("application/sparql-results+json", "application/sparql-results+json", "application/ld+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml", "application/rdf+xml"),
    ],
)
def test_what_others_accept(server: Server, accept: str, table: str | None, graph: str) -> None:
    for text, media_type in ((QUERIES["SELECT"], table), (QUERIES["CONSTRUCT"], graph)):
        answer = server.query(text, accept)
        found = answer.headers["content-type"].partition(";")[0] if answer.status_code == 200 else None
        assert found == media_type


def test_python_without_a_library(server: Server) -> None:
    address = f"{server.url}/sparql?{urllib.parse.urlencode({'query': QUERIES['ASK']})}"
    with urllib.request.urlopen(address) as answer:
        assert answer.headers["Content-Type"] == "application/sparql-results+json"
        assert io.TextIOWrapper(answer).read() == '{"head": {}, "boolean": true}\n'
