"""Every page of a thing with an odd name can be reached: at its IRI, and by the links of other pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import rdflib

from filtag_kg.graph import PREFIXES, DataIris
from filtag_kg.kg import KG
from tests.odd_names import ODD_NAMES, odd_kg
from tests.report.test_site import Links
from tests.server.servers import Server, serving

LAYERS = ("first", "a/b <x>\x0b?#", "..", "filter", "line\nfeed")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> KG:
    folder = tmp_path_factory.mktemp("odd")
    return odd_kg(folder, ODD_NAMES, [f"dog {name}" for name in ODD_NAMES], LAYERS)


@pytest.fixture(scope="module")
def served(odd: KG) -> Iterator[Server]:
    with serving(odd.path) as running:
        yield running


def test_iris_lead_to_pages_and_graphs(odd: KG, served: Server) -> None:
    iris = DataIris(odd.manifest["parameters"]["base"])
    things = [iris.class_(name) for name in ODD_NAMES] + [iris.layer("odd", layer) for layer in LAYERS]
    things += [iris.filter("odd", layer, 1) for layer in LAYERS]
    for iri in things:
        path = f"/{iri.removeprefix(iris.base)}"
        assert urljoin(iri, iri) == iri, "no part of it is a folder of dots"
        page = served.client.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
        for accept, parser in (("text/turtle", "turtle"), ("application/rdf+xml", "xml")):
            answer = served.client.get(path, headers={"Accept": accept})
            assert answer.status_code == 200, path
            if accept == "text/turtle":
                graph = rdflib.Graph().parse(data=answer.content, format=parser)
                assert (rdflib.URIRef(iri), None, None) in graph
        by_iri = served.client.get("/resource", params={"iri": iri}, headers={"Accept": "text/html"})
        assert by_iri.status_code == 200
    notations = rdflib.Graph()
    for name in ODD_NAMES:
        notations.parse(
            data=served.client.get(f"/{iris.class_(name).removeprefix(iris.base)}").content, format="turtle"
        )
    assert {str(o) for o in notations.objects(None, rdflib.URIRef(PREFIXES["skos"] + "notation"))} >= set(ODD_NAMES)


def test_every_link_of_the_pages_of_classes_layers_and_filters_leads_somewhere(served: Server) -> None:
    start = urlsplit(served.url).netloc
    waiting, seen = ["/", "/classes"], set()
    while waiting:
        path = waiting.pop()
        if path in seen or path.partition("?")[0].rpartition("/")[2] in ("explain", "query"):
            continue
        seen.add(path)
        answer = served.client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        assert not [c for c in answer.text if (c < " " and c not in "\t\n\r") or c in "\ufffe\uffff"], path
        # Links of the statements about other things lead on without end.
        if path.startswith(("/resource", "/run", "/dataset")):
            continue
        links = Links()
        links.feed(answer.text)
        for _, link in links.urls:
            place = urlsplit(urljoin(f"{served.url}{path}", link))
            if place.netloc == start:
                waiting.append(place.path + (f"?{place.query}" if place.query else ""))
    assert len(seen) > len(ODD_NAMES) + 4 * len(LAYERS)
