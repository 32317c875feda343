from __future__ import annotations

import json

import httpx
import pyoxigraph as ox
import pytest
import rdflib

from filtag_kg.graph import term
from tests.server.servers import Server

ALL = "SELECT ?notation { ?c a flt:ClassLabel ; skos:notation ?notation } ORDER BY ?notation"
GRAPH = "CONSTRUCT { ?c skos:notation ?n } WHERE { ?c a flt:ClassLabel ; skos:notation ?n }"
CLASSES = ["n02087394", "n02088466", "n02090379", "n02123045", "n02124075", "n02814533", "n03770679", "n04285008"]


def test_an_empty_answer_says_what_may_be_misspelt(server: Server) -> None:
    asked = "SELECT * WHERE { ?filter flt:hasTags ?class }"
    for _ in range(2):  # the second answer is the cache's
        answer = server.client.get("/sparql", params={"query": asked})
        assert answer.json()["results"]["bindings"] == []
        assert answer.headers["filtag-note"] == "the vocabulary has no flt:hasTags: did you mean flt:hasTag?"
    assert "filtag-note" not in server.client.get("/sparql", params={"query": ALL}).headers


@pytest.mark.parametrize("path", ["/sparql", "/sparql/"])
def test_three_ways_to_ask_are_one(server: Server, path: str) -> None:
    direct = {"Content-Type": "application/sparql-query"}
    answers = [
        server.client.get(path, params={"query": ALL}),
        server.client.post(path, data={"query": ALL}),
        server.client.post(path, content=ALL, headers=direct),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert [row["notation"]["value"] for row in answer.json()["results"]["bindings"]] == CLASSES


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("application/json", "application/json"),
        ("text/csv;q=0.5, application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/*", "text/xml"),
        ("text/*;q=0.3, text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("application/sparql-results+json;q=0, */*;q=0.1", "application/json"),
        ("text/turtle, text/csv;q=0.1", "text/csv; charset=utf-8; header=present"),
    ],
)
def test_a_table_comes_as_it_is_accepted(server: Server, accept: str | None, content_type: str) -> None:
    answer = server.query(ALL, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_every_table_format_is_read_back(server: Server, name: str) -> None:
    answer = server.query(ALL, format=name)
    if name == "csv":
        assert answer.text.split() == ["notation", *CLASSES]
        return
    formats = {"json": ox.QueryResultsFormat.JSON, "xml": ox.QueryResultsFormat.XML, "tsv": ox.QueryResultsFormat.TSV}
    found = ox.parse_query_results(answer.content, format=formats[name])
    assert isinstance(found, ox.QuerySolutions)
    assert [row["notation"].value for row in found] == CLASSES


@pytest.mark.parametrize(
    ("name", "accept"),
    [
        ("turtle", "text/turtle"),
        ("ntriples", "application/n-triples"),
        ("rdfxml", "application/rdf+xml"),
        ("jsonld", "application/ld+json"),
        ("nquads", "application/n-quads"),
        ("trig", "application/trig"),
        ("n3", "text/n3"),
    ],
)
def test_every_graph_format_is_read_back(server: Server, name: str, accept: str) -> None:
    by_name, by_accept = server.query(GRAPH, format=name), server.query(GRAPH, accept)
    assert by_name.content == by_accept.content
    assert by_accept.headers["content-type"].partition(";")[0] == accept
    rdflib_name = {"jsonld": "json-ld", "rdfxml": "xml", "ntriples": "nt"}.get(name, name)
    found = rdflib.Dataset(default_union=True).parse(data=by_accept.text, format=rdflib_name)
    assert sorted(str(value) for value in found.objects(None, rdflib.SKOS.notation)) == CLASSES


def test_a_truth_value_comes_in_every_table_format(server: Server) -> None:
    assert server.query("ASK {}").json() == {"head": {}, "boolean": True}
    xml = rdflib.query.Result.parse(
        content_type="application/sparql-results+xml",
        source=_file(server.query("ASK { ?s flt:no ?o }", format="xml").content),
    )
    assert xml.askAnswer is False
    # The standard has none for these two: they are a table of one cell.
    assert server.query("ASK {}", "text/csv").text == "answer\ntrue\n"
    assert server.query("ASK {}", format="tsv").text == f'?answer\n"true"^^<{rdflib.XSD.boolean}>\n'
    refused = server.query("ASK {}", "text/turtle")
    assert (refused.status_code, refused.text) == (
        406,
        "this answer has no format for Accept: text/turtle: there is json (application/sparql-results+json), "
        "xml (application/sparql-results+xml), csv (text/csv), tsv (text/tab-separated-values)\n",
    )


def test_blank_nodes_and_bases(server: Server) -> None:
    found = server.query("CONSTRUCT { [] <p> <s> } WHERE {}", "application/ld+json")
    (triple,) = rdflib.Graph().parse(data=found.text, format="json-ld")
    assert isinstance(triple[0], rdflib.BNode)
    assert str(triple[1]) == f"{server.url}/p"


def test_head_has_the_headers_alone(server: Server) -> None:
    asked, told = server.client.head("/sparql", params={"query": ALL}), server.query(ALL)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == told.headers["content-length"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_answered(server: Server, method: str) -> None:
    answer = server.client.request(method, "/sparql", params={"query": ALL})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert answer.text == f"{method} is not allowed here: use GET, HEAD, OPTIONS, POST\n"


@pytest.mark.parametrize(
    ("status", "line", "request_"),
    [
        (400, "the request has 2 queries: send one", {"params": [("query", "ASK {}"), ("query", "ASK {}")]}),
        (400, "a parameter is not percent-encoded UTF-8: encode it again", {"url": "/sparql?query=%FF"}),
        (400, "the form has no query: send query=…", {"method": "POST", "data": {"a": "b"}}),
        (
            400,
            "the query is not UTF-8: send UTF-8",
            {"method": "POST", "content": b"\xff", "headers": {"Content-Type": "application/sparql-query"}},
        ),
        (
            415,
            "a query is posted as application/sparql-query or application/x-www-form-urlencoded, not as text/plain",
            {"method": "POST", "content": b"ASK {}", "headers": {"Content-Type": "text/plain"}},
        ),
        (
            415,
            "queries in utf-16 are not read: send UTF-8",
            {
                "method": "POST",
                "content": b"x",
                "headers": {"Content-Type": "application/sparql-query; charset=utf-16"},
            },
        ),
        (
            413,
            "the request is longer than 128 KiB: send a shorter query",
            {"method": "POST", "data": {"query": "#" * 200_000}},
        ),
        (
            400,
            "default-graph-uri=nope is not an absolute IRI: give one",
            {"params": {"query": "ASK {}", "default-graph-uri": "nope"}},
        ),
        (
            403,
            "the graph <file:///etc/passwd> is a file, and this endpoint reads no files: "
            "name one of the graphs of its own dataset",
            {"params": {"query": "ASK {}", "named-graph-uri": "file:///etc/passwd"}},
        ),
        (
            403,
            "this endpoint is read-only and refuses updates: send a query, or build the KG anew",
            {"params": {"query": "PREFIX a: <http://x/> DELETE WHERE { ?s ?p ?o }"}},
        ),
        (
            403,
            "SERVICE is refused, as this endpoint calls no other: query that endpoint yourself and join the answers",
            {"params": {"query": "SELECT * { SERVICE <http://localhost:1/> { ?s ?p ?o } }"}},
        ),
    ],
)
def test_errors_are_one_line(server: Server, status: int, line: str, request_: dict[str, object]) -> None:
    answer = server.client.request(**{"method": "GET", "url": "/sparql", **request_})  # type: ignore[arg-type]
    assert (answer.status_code, answer.text) == (status, f"{line}\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_malformed_query_is_told_its_place(server: Server) -> None:
    answer = server.query("SELECT *\n{ ?s ?p }")
    assert answer.status_code == 400
    assert answer.text.startswith("the query is malformed in line 2, column 10: expected ")
    assert answer.text.count("\n") == 1
    unknown = server.query("SELECT * { ?s nope:p ?o }")
    assert unknown.text == "the query is malformed in line 1, column 21: prefix not found\n"


def test_the_default_graph_is_the_union_unless_a_dataset_is_named(server: Server) -> None:
    count = "(COUNT(*) AS ?n)"
    graphs = server.query(f"SELECT ?g {count} {{ GRAPH ?g {{ ?s ?p ?o }} }} GROUP BY ?g ORDER BY ?g").json()
    sizes = {row["g"]["value"]: row["n"]["value"] for row in graphs["results"]["bindings"]}
    (graph, size), (other, _) = sorted(sizes.items())[:2]

    def counted(text: str, **params: object) -> str:
        return server.query(text, format="csv", **params).text.split()[1]

    everything = f"SELECT {count} {{ ?s ?p ?o }}"
    assert int(counted(everything)) > int(size)
    assert counted(everything, **{"default-graph-uri": graph}) == size
    assert counted(everything, **{"named-graph-uri": graph}) == "0"
    assert counted(f"SELECT {count} FROM <{graph}> {{ ?s ?p ?o }}") == size
    assert counted(f"SELECT {count} FROM <http://no/such> {{ ?s ?p ?o }}") == "0"
    # The protocol's dataset wins.
    assert counted(f"SELECT {count} FROM <{other}> {{ ?s ?p ?o }}", **{"default-graph-uri": graph}) == size
    assert counted(f"SELECT {count} {{ GRAPH ?g {{ ?s ?p ?o }} }}", **{"named-graph-uri": graph}) == size


def test_the_service_describes_itself(server: Server) -> None:
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    void = rdflib.Namespace("http://rdfs.org/ns/void#")
    for accept, name in (("text/turtle", "turtle"), ("application/rdf+xml", "xml"), ("application/ld+json", "json-ld")):
        answer = server.client.get("/sparql", headers={"Accept": accept})
        found = rdflib.Graph().parse(data=answer.text, format=name)
        service = rdflib.URIRef(f"{server.url}/sparql")
        assert found.value(service, sd.endpoint) == service
        assert (service, sd.feature, sd.UnionDefaultGraph) in found
        assert len(set(found.objects(service, sd.resultFormat))) == 11
        dataset = found.value(service, sd.defaultDataset)
        triples = int(found.value(found.value(dataset, sd.defaultGraph), void.triples) or 0)
        assert triples == int(server.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", format="csv").text.split()[1])
        names = {str(found.value(graph, sd.name)) for graph in found.objects(dataset, sd.namedGraph)}
        assert names == set(server.query("SELECT DISTINCT ?g { GRAPH ?g {} }", format="csv").text.split()[1:])


def test_pages_of_other_sites_may_read(server: Server) -> None:
    answer = server.query("ASK {}")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-SPARQL-MaxRows" in answer.headers["access-control-expose-headers"]
    assert server.query("ASK {").headers["access-control-allow-origin"] == "*"
    asked = server.client.options("/sparql", headers={"Origin": "http://x", "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD, POST, OPTIONS")


def test_a_host_name_that_is_not_ours_is_refused(server: Server) -> None:
    answer = httpx.get(f"{server.url}/", headers={"Host": "evil.example:80"})
    assert (answer.status_code, answer.text) == (
        421,
        "this server is not called evil.example: use localhost or 127.0.0.1 or [::1], or serve the KG on that host\n",
    )
    for host in ("localhost:8000", "127.0.0.1", "[::1]:1234"):
        assert httpx.get(f"{server.url}/", headers={"Host": host}).status_code == 200


def test_filtag_itself_asks_it(server: Server) -> None:
    from filtag_kg import KnowledgeGraph

    kg = KnowledgeGraph(f"{server.url}/sparql")
    assert [row["notation"] for row in kg.query(ALL).records()] == CLASSES
    assert kg.query("filters-of-class", class_="tabby").columns == ("layer", "filter", "rank", "activation")


def test_code_points_in_names_are_decoded(server: Server) -> None:
    assert json.loads(server.query("SELECT ?\\u0061 { BIND('\\u0022' AS ?a) }").text)["results"]["bindings"] == [
        {"a": {"type": "literal", "value": '"'}}
    ]
    assert term("flt:Filter") in server.query("SELECT * { flt:\\u0046ilter a ?type . BIND(flt:Filter AS ?f) }").text


def _file(content: bytes) -> object:
    from io import BytesIO

    return BytesIO(content)


@pytest.mark.parametrize("text", ["", "  ", "# only a remark"])
def test_an_empty_query_is_said_to_be_one(server: Server, text: str) -> None:
    answer = server.query(text)
    assert (answer.status_code, answer.text) == (400, "the query is empty: write a query\n")


def test_a_query_that_is_nested_too_deeply_does_not_run(server: Server) -> None:
    before = server.workers()
    for opening, closing in ("{}", "()", "[]"):
        answer = server.query(f"ASK {opening * 3000}{closing * 3000}")
        assert (answer.status_code, answer.text) == (
            400,
            "the query has 3000 nested brackets, and 500 are allowed: nest less\n",
        )
    assert server.query(f"ASK {'{' * 500}{'}' * 500}").json()["boolean"] is True
    assert server.query(f"ASK {{ FILTER(STR(?x) = '{'{' * 600}') }}").status_code == 200
    assert server.workers() == before
