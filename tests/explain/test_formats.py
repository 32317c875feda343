"""What other programs read: the keys of the JSON, the terms of the Turtle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rdflib import OWL, RDF, BNode, Graph, Literal, URIRef

from filtag_kg.explain import Explanation, explain_image, explanation_json, explanation_turtle
from filtag_kg.graph import PREFIXES, resource_folder
from filtag_kg.kg import KG
from filtag_kg.network import Network

pytest.importorskip("keras", reason="the cpu extra is not installed")

SUPPORT = ["class_id", "label", "filters", "active", "rank", "classes", "p_filters", "p_classes", "supported"]


@pytest.fixture
def red(colours: KG, network: Network, picture: Callable[[tuple[int, int, int]], Path]) -> Explanation:
    return explain_image(colours, network, picture((250, 0, 0)), why="n02088466", not_="minivan")


def test_json_has_the_documented_keys(red: Explanation) -> None:
    found = json.loads(explanation_json(red))
    keys = "image network rule run predictions active tagged support tags concepts layers why_not"
    keys += " by verdict evidence regions_of notes"
    assert list(found) == keys.split()
    assert list(found["image"]) == ["name", "sha256"]
    assert list(found["predictions"][0]) == ["class_id", "label", "confidence"]
    assert list(found["support"]) == SUPPORT
    assert list(found["tags"][0]) == ["class_id", "label", "filters", "layers"]
    counted = ["concept", "label", "filters", "layers", "basis", "observed", "expected", "score"]
    assert list(found["concepts"][0]) == counted
    assert list(found["evidence"]) == ["layers", "filters", "references", "predicted", "first"]
    judged = ["class_id", "label", "log_ratio", "score", "rank", "classes", "p_value", "confidence", "supported"]
    assert list(found["evidence"]["predicted"]) == list(found["evidence"]["first"][0]) == judged
    assert list(found["regions_of"][0]) == ["kind", "id", "label", "filters"]
    assert list(found["regions_of"][0]["filters"][0]) == ["layer", "filter", "weight"]
    assert [layer["layer"] for layer in found["layers"]] == ["first", "last"]
    assert list(found["layers"][1]) == ["layer_index", "layer", "filters"]
    assert list(found["layers"][1]["filters"][0]) == ["filter", "activation", "tags", "concepts"]
    assert found["layers"][1]["filters"][0]["tags"][0] == {"class_id": "n02087394", "label": "Rhodesian ridgeback"}
    assert list(found["why_not"]) == ["why", "not", "only_why", "only_not", "both", "evidence"]
    pair = ["log_ratio", "for_why", "for_not", "why_concepts", "not_concepts"]
    assert list(found["why_not"]["evidence"]) == pair
    assert list(found["why_not"]["why"]) == [*SUPPORT, "confidence"]
    assert list(found["why_not"]["only_why"]) == ["filters", "layers", "concepts"]
    assert {"layer": "last", "filter": 0} in found["why_not"]["only_why"]["filters"]
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "explaining.md"
    documented = page.read_text(encoding="utf-8")
    names = {*judged, *counted, *pair, *found["evidence"], *found["regions_of"][0], "weight", "layer"}
    names |= {*found, *SUPPORT, *found["why_not"], *found["layers"][0], *found["layers"][1]["filters"][0]}
    assert [name for name in sorted(names) if f"`{name}`" not in documented] == []


def test_turtle_holds_declared_terms_alone_and_no_blank_nodes(
    red: Explanation, colours: KG, network: Network, tmp_path: Path
) -> None:
    graph = Graph().parse(data=explanation_turtle(red, colours))
    ontology = Graph().parse(resource_folder("ontology") / "filtag.ttl")
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty)
    declared = {term for kind in kinds for term in ontology.subjects(RDF.type, kind)}
    used = {term for triple in graph for term in triple if str(term).startswith(PREFIXES["flt"])}
    assert used <= declared
    assert not any(isinstance(term, BNode) for triple in graph for term in triple)

    flt, prov = PREFIXES["flt"], PREFIXES["prov"]
    image = URIRef(f"https://w3id.org/filtag/data/image/{red.image_sha256}")
    assert red.image_sha256 == hashlib.sha256((tmp_path / "picture.png").read_bytes()).hexdigest()
    explanations = set(graph.subjects(RDF.type, URIRef(flt + "Explanation")))
    assert set(graph.subjects(URIRef(prov + "wasDerivedFrom"), image)) == explanations
    whole = next(node for node in explanations if graph.value(node, URIRef(flt + "predictedClass")) is not None)
    active = set(graph.objects(whole, URIRef(flt + "activeFilter")))
    assert len(active) == red.n_active
    assert red.predictions[0].class_id is not None
    assert graph.value(whole, URIRef(flt + "predictedClass")) == URIRef(
        f"https://w3id.org/filtag/data/class/{red.predictions[0].class_id}"
    )
    run = URIRef(f"https://w3id.org/filtag/data/run/{red.run_id}")
    assert set(graph.objects(whole, URIRef(prov + "wasInfluencedBy"))) == {run}
    in_kg = {str(quad.subject.value) for quad in colours.store()}
    for filter_ in active:
        assert str(filter_) in in_kg, "the KG knows the filter by the same IRI"
    for source in set(graph.objects(whole, URIRef(prov + "wasDerivedFrom"))) - {image}:
        assert str(source) in in_kg
    assert red.evidence is not None
    assert red.evidence.predicted is not None
    speak = {str(filter_).rpartition("/layer/")[2] for filter_ in graph.objects(whole, URIRef(flt + "evidenceFilter"))}
    assert speak == {f"{each.layer}/filter/{each.filter}" for each in red.regions_of[0].filters}
    predicted = URIRef(f"https://w3id.org/filtag/data/class/{red.evidence.predicted.class_id}")
    about = graph.value(None, URIRef(flt + "about"), predicted)
    assert float(graph.value(about, URIRef(flt + "evidenceRank"))) == red.evidence.predicted.rank
    assert float(graph.value(about, URIRef(flt + "logLikelihoodRatio"))) == red.evidence.predicted.log_ratio
    assert len(set(graph.objects(about, URIRef(flt + "filterCount")))) == 1
    dogs = graph.value(None, URIRef(flt + "about"), URIRef("https://w3id.org/filtag/data/class/n02088466"))
    assert graph.value(dogs, URIRef(flt + "filterCount")) == Literal(red.why_not.why.filters if red.why_not else None)


def test_the_same_explanation_gives_the_same_bytes(red: Explanation, colours: KG) -> None:
    assert explanation_turtle(red, colours) == explanation_turtle(red, colours)
