"""The named queries over HTTP, and every IRI of the data."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import rdflib
from starlette.requests import Request
from starlette.testclient import TestClient

from filtag_kg.kg import KG
from filtag_kg.query import catalogue
from filtag_kg.server import PublicAddress, create_app
from filtag_kg.server.pool import Pool
from tests.server.servers import Server

BASE = "https://w3id.org/filtag/data/"
FILTER = "network/toy-0123456789ab/layer/deep/filter/0"
FLT = rdflib.Namespace("https://w3id.org/filtag/ns#")


def graph_at(server: Server, path: str, accept: str = "text/turtle", format_: str = "turtle") -> rdflib.Graph:
    answer = server.client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, accept), answer.text
    assert answer.headers["vary"] == "Accept"
    assert 'rel="describedby"' in answer.headers["link"]
    return rdflib.Graph().parse(data=answer.text, format=format_)


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("text/turtle", "turtle"),
        ("application/ld+json", "json-ld"),
        ("application/n-triples", "nt"),
        ("application/rdf+xml", "xml"),
    ],
)
def test_a_filter_comes_with_what_it_was_given(server: Server, accept: str, format_: str) -> None:
    found = graph_at(server, f"/{FILTER}", accept, format_)
    filter_ = rdflib.URIRef(BASE + FILTER)
    assert found.value(filter_, FLT.filterIndex) == rdflib.Literal(0)
    statements = set(found.subjects(FLT.filter, filter_))
    assert any((each, FLT.tag, None) in found for each in statements)
    kinds = {found.value(each, rdflib.RDF.type) for each in statements if (each, FLT.tag, None) not in found}
    assert kinds == {FLT.CommonConcept, FLT.FilterInRun}


def test_every_iri_under_the_base_is_answered(server: Server, kg: KG) -> None:
    store = kg.store()
    subjects = {quad.subject.value for quad in store if isinstance(quad.subject, ox.NamedNode)}
    ours = sorted(iri for iri in subjects if iri.startswith(BASE))
    graphs = sorted(graph.value for graph in store.named_graphs() if graph.value.startswith(BASE))
    assert len(ours) > 50
    for iri in [*ours[::7], *graphs]:
        assert server.client.get("/" + iri.removeprefix(BASE)).status_code == 200, iri
        assert server.client.get("/resource", params={"iri": iri}).status_code == 200, iri


def test_percent_encoding_is_as_in_the_data(tmp_path: Path) -> None:
    (tmp_path / "kg").mkdir()
    store = ox.Store(str(tmp_path / "kg" / "store"))
    for part in ("a%2Fb", "q%3D0.5%20%C3%A9"):
        store.add(ox.Quad(ox.NamedNode(BASE + "class/" + part), ox.NamedNode(BASE + "p"), ox.Literal(part)))
    store.flush()
    del store
    served = KG(tmp_path / "kg", {"parameters": {"base": BASE}})
    with TestClient(create_app(served, address=PublicAddress(hosts=None))) as client:
        for path in ("class/a%2Fb", "class/q%3D0.5%20%C3%A9", "class/q=0.5%20%c3%a9"):
            assert client.get(f"/{path}").status_code == 200, path
        assert client.get("/class/a/b").status_code == 404


def test_what_is_not_ours_has_an_address_too(server: Server) -> None:
    dog = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"
    found = graph_at(server, f"/resource?iri={quote(dog, safe='')}")
    assert str(found.value(rdflib.URIRef(dog), rdflib.SKOS.prefLabel)) == "dog"
    assert graph_at(server, f"/resource?iri={quote(FLT.Filter, safe='')}")


def test_what_the_graph_does_not_know_is_not_found(server: Server) -> None:
    for path, iri in (("/class/n0", f"{BASE}class/n0"), ("/resource?iri=http%3A%2F%2Fx%2F", "http://x/")):
        answer = server.client.get(path)
        assert (answer.status_code, answer.text) == (
            404,
            f"the graph does not know <{iri}>: check its spelling, or search for it at /sparql\n",
        )
    answer = server.client.get("/resource")
    assert (answer.status_code, answer.text) == (400, "give the IRI of one thing: /resource?iri=…\n")


class OnePage:
    """Pages, of which there is one."""

    async def page(self, request: Request, pool: Pool, path: str) -> str | None:
        return f"<h1>{path}</h1>" if path in ("", FILTER) else None

    async def picture(self, path: str) -> Path | None:
        return None

    def error(self, status: int, line: str) -> str:
        return f"<p>{status} {line}</p>"


@pytest.fixture(scope="module")
def with_pages(kg: KG) -> Iterator[TestClient]:
    with TestClient(create_app(kg, pages=OnePage(), address=PublicAddress(hosts=None))) as client:
        yield client


def test_people_get_pages_and_programs_graphs(with_pages: TestClient) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    page = with_pages.get(f"/{FILTER}", headers={"Accept": browser})
    assert (page.text, page.headers["content-type"]) == (f"<h1>{FILTER}</h1>", "text/html; charset=utf-8")
    assert page.headers["vary"] == "Accept"
    assert with_pages.get("/", headers={"Accept": browser}).text == "<h1></h1>"
    assert with_pages.get(f"/{FILTER}").headers["content-type"] == "text/turtle; charset=utf-8"
    for path, status in (("class/none", 404), ("queries/none", 404), ("queries/hub-filters?min_tags=x", 400)):
        wrong = with_pages.get(f"/{path}", headers={"Accept": browser})
        assert (wrong.status_code, wrong.headers["content-type"]) == (status, "text/html; charset=utf-8")
        line = with_pages.get(f"/{path}").text
        assert wrong.text == f"<p>{status} {line.strip()}</p>"
        both = with_pages.get(f"/{path}", headers={"Accept": "text/turtle,text/csv,text/html;q=0.5"})
        assert (both.text, both.status_code) == (line, status)
    without = with_pages.get("/class/n02123045", headers={"Accept": browser})
    assert without.headers["content-type"] == "text/turtle; charset=utf-8"


def test_named_queries_are_listed_and_answered(server: Server) -> None:
    listed = server.client.get("/queries").json()["queries"]
    assert [query["name"] for query in listed] == [query.name for query in catalogue()]
    for query in listed:
        answer = server.client.get(query["example"])
        assert answer.status_code in (200, 400), query
    found = server.client.get("/queries/filters-of-class", params={"class": "tabby"})
    assert found.headers["content-type"] == "application/sparql-results+json"
    assert found.json()["head"]["vars"] == ["layer", "filter", "rank", "activation"]
    csv = server.client.get("/queries/filters-of-class", params={"class": "tabby"}, headers={"Accept": "text/csv"})
    assert csv.text.splitlines()[0] == "layer,filter,rank,activation"
    assert csv.text == server.client.get("/queries/filters-of-class?class=tabby&format=csv").text


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("hub-filter", 404, "no query is named 'hub-filter': did you mean hub-filters? (see /queries)"),
        ("filters-of-class", 400, "query filters-of-class needs class=…: use filters-of-class class=… [rule=…]"),
        ("tags-of-filter?layer=deep&filter=x", 400, "filter=x is not a whole number: give one from 0"),
        ("hub-filters?min_tags=1&min_tags=2", 400, "parameter 'min_tags' is given twice: give it once"),
        ("hub-filters?rule=k%3D7", 400, "no rule 'k=7' in the KG: it has k=1, q=0.5"),
    ],
)  # fmt: skip
def test_errors_in_named_queries_are_a_line(server: Server, path: str, status: int, line: str) -> None:
    answer = server.client.get(f"/queries/{path}")
    assert (answer.status_code, answer.text) == (status, f"{line}\n")


def test_what_was_typed_is_repeated_in_part(server: Server) -> None:
    long = "x y" * 1000
    for path in (
        f"/class/{long}",
        f"/queries/{long}",
        f"/queries/hub-filters?min_tags={long}",
        f"/queries/hub-filters?rule={long}'",
        f"/queries/hub-filters?{long}=1",
        f"/resource?iri=http://x/{long}",
        f"/files/{long}",
        f"/concepts?page={long}",
        f"/query/text?name=hub-filters&rule={long}",
    ):
        answer = server.client.get(path)
        assert answer.status_code in (400, 404), path
        assert len(answer.text) < 400, path
        assert "…" in answer.text, path
    answer = server.client.get("/class/n02123045", headers={"Accept": ",".join(["a/b"] * 1000)})
    assert (answer.status_code, len(answer.text) < 700) == (406, True)


def test_notes_reach_the_client(server: Server) -> None:
    answer = server.client.get("/queries/filters-by-concept", params={"concept": "zebré"})
    assert answer.status_code == 200
    assert answer.headers["filtag-note"] == "no concept above a class is called 'zebr\\xe9'"


def test_openapi_describes_each_query(server: Server) -> None:
    found = server.client.get("/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    for query in catalogue():
        operation = found["paths"][f"/queries/{query.name}"]["get"]
        names = [each["name"] for each in operation["parameters"] if each["required"]]
        assert names == list(query.required)
        assert ", ".join(query.columns) in operation["responses"]["200"]["description"]
    assert set(found["paths"]["/sparql"]) == {"get", "post"}


def dataset_of(kg: KG) -> str:
    return f"/dataset/{kg.manifest['id']}"


def test_the_dump_is_where_the_description_says(server: Server, kg: KG) -> None:
    about = graph_at(server, dataset_of(kg))
    void, dcat = rdflib.Namespace("http://rdfs.org/ns/void#"), rdflib.Namespace("http://www.w3.org/ns/dcat#")
    (dump,) = about.objects(None, void.dataDump)
    address = "/" + str(dump).removeprefix(BASE)
    assert graph_at(server, address).value(dump, dcat.downloadURL) == dump
    packed = kg.graph_path.read_bytes()
    with server.client.stream("GET", address) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/gzip")
        assert "content-encoding" not in answer.headers
        assert b"".join(answer.iter_raw()) == packed
    part = server.client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, packed[10:20])
    # Whoever asks for N-Quads gets them, packed on the way only if that was agreed on.
    for encoding, sent in (("gzip", "gzip"), ("identity", None), ("gzip;q=0", None), ("br, *;q=0.1", "gzip")):
        asked = {"Accept": "application/n-quads", "Accept-Encoding": encoding}
        quads = server.client.get(address, headers=asked)
        assert quads.headers["content-type"] == "application/n-quads"
        assert (quads.headers.get("content-encoding"), quads.headers["vary"]) == (sent, "Accept, Accept-Encoding")
        assert quads.content == gzip.decompress(packed), encoding


def test_every_file_of_the_description_can_be_downloaded(server: Server, kg: KG) -> None:
    about = graph_at(server, dataset_of(kg))
    files = set(about.objects(None, rdflib.Namespace("http://www.w3.org/ns/dcat#").distribution))
    assert len(files) == 7
    for file in files:
        name = str(file).rpartition("/")[2]
        answer = server.client.get("/" + str(file).removeprefix(BASE))
        assert (answer.status_code, answer.content) == (200, (kg.path / name).read_bytes()), name
    tags = server.client.get(f"{dataset_of(kg)}/file/tags.csv", headers={"Accept": "text/csv"})
    assert tags.headers["content-type"].startswith("text/csv; charset=utf-8")


@pytest.mark.parametrize("name", ["filtag.json", "store/CURRENT", "..%2Ffiltag.json", "scores.csv", "graph.nq"])
def test_no_other_file_of_a_kg_has_an_address(server: Server, kg: KG, name: str) -> None:
    assert server.client.get(f"{dataset_of(kg)}/file/{name}").status_code == 404
    assert server.client.get("/dataset/0123456789abcdef/file/tags.csv").status_code == 404


ASSIGNMENT = """SELECT ?x WHERE {
  ?x flt:tag/skos:prefLabel "tabby" ; flt:filter/flt:filterIndex 1 ; prov:wasGeneratedBy/flt:rule "k=1"
}"""
COMMON = """SELECT ?x WHERE {
  ?x a flt:CommonConcept ; flt:rank 1 ; flt:filter ?f ; prov:wasGeneratedBy/flt:rule "q=0.5" .
  ?f flt:filterIndex 0 ; flt:inLayer/rdfs:label "deep"
}"""


def the(server: Server, query: str) -> rdflib.URIRef:
    (row,) = server.query(query, "application/sparql-results+json").json()["results"]["bindings"]
    return rdflib.URIRef(row["x"]["value"])


def test_what_is_not_stored_of_an_assignment_is_said_where_it_is_looked_up(server: Server) -> None:
    assignment = the(server, ASSIGNMENT)
    label = rdflib.Literal("tabby tags deep 1, by k=1", lang="en")
    path = "/" + str(assignment).removeprefix(BASE)
    described = rdflib.Graph().parse(data=server.query(f"DESCRIBE <{assignment}>", "text/turtle").text)
    for found in (graph_at(server, path), graph_at(server, f"/resource?iri={quote(assignment)}"), described):
        assert found.value(assignment, rdflib.RDF.type) == FLT.TagAssignment
        assert found.value(assignment, rdflib.RDFS.label) == label
        assert found.value(assignment, FLT.rank) == rdflib.Literal(1)
    of_filter = graph_at(server, "/" + FILTER.replace("filter/0", "filter/1"))
    assert of_filter.value(assignment, rdflib.RDFS.label) == label
    # A CONSTRUCT gives what is stored.
    constructed = server.query(
        f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ VALUES ?s {{ <{assignment}> }} ?s ?p ?o }}", "text/turtle"
    )
    assert str(label) not in constructed.text


def test_other_results_get_labels_where_they_are_looked_up(server: Server) -> None:
    common = the(server, COMMON)
    found = graph_at(server, "/" + str(common).removeprefix(BASE))
    assert str(found.value(common, rdflib.RDFS.label)).endswith(", in common to tags of deep 0, by q=0.5")


def test_links_lead_from_the_dataset_to_everything(server: Server, kg: KG) -> None:
    """By HTTP alone, as a linked-data browser does."""
    start = rdflib.URIRef(BASE + dataset_of(kg)[1:])
    waiting, seen = [start], {start}
    while waiting:
        thing = waiting.pop()
        answer = server.client.get("/" + str(thing).removeprefix(BASE), headers={"Accept": "text/turtle"})
        assert answer.status_code == 200, (thing, answer.text)
        for statement in rdflib.Graph().parse(data=answer.text):
            for node in statement:
                if isinstance(node, rdflib.URIRef) and node.startswith(BASE) and node not in seen:
                    seen.add(node)
                    waiting.append(node)
    store = kg.store()
    ours = {quad.subject.value for quad in store if isinstance(quad.subject, ox.NamedNode)}
    assert {iri for iri in ours if iri.startswith(BASE)} <= {str(node) for node in seen}
