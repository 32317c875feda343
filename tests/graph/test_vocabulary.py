from __future__ import annotations

import pytest
from rdflib import OWL, RDF, RDFS, Graph, URIRef

from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris, resource_folder, term
from filtag_kg.graph.vocabulary import FLT, PREFIXES


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return Graph().parse(resource_folder("ontology") / "filtag.ttl")


def test_code_and_ontology_have_the_same_terms(ontology: Graph) -> None:
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty)
    defined = {str(s) for kind in kinds for s in ontology.subjects(RDF.type, kind)}
    assert defined == {term(f"flt:{name}") for name in FLT}


def test_every_term_is_labelled_and_explained(ontology: Graph) -> None:
    for name in FLT:
        node = URIRef(PREFIXES["flt"] + name)
        assert ontology.value(node, RDFS.label) is not None, name
        assert ontology.value(node, RDFS.comment) is not None, name


def test_a_misspelt_term_fails() -> None:
    with pytest.raises(ValueError, match="'flt:Fliter' is no term"):
        term("flt:Fliter")


def test_parts_of_data_iris_are_percent_encoded() -> None:
    assert DataIris().filter("my net/1", "conv<5>", 3) == (
        "https://w3id.org/filtag/data/network/my%20net%2F1/layer/conv%3C5%3E/filter/3"
    )


@pytest.mark.parametrize("base", ["", "data", "http://x", "http://x/> <y/", "http://x y/"])
def test_a_base_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(FiltagError, match="is no base for IRIs: give one like"):
        DataIris(base)
