"""What things are called in the graph, and the schemes of its concepts, as tools for linked data and SKOS see them."""

from __future__ import annotations

import pytest
import rdflib
from rdflib import RDF, RDFS, SKOS

from filtag_kg.graph import DataIris
from filtag_kg.kg import KG, runs_of
from tests.export.test_export import stored

FLT = rdflib.Namespace("https://w3id.org/filtag/ns#")
IRIS = DataIris()
TOY = "toy-0123456789ab"


@pytest.fixture(scope="module")
def graph(kg: KG) -> rdflib.Graph:
    return stored(kg)


def test_filters_runs_and_filters_in_runs_have_one_label_in_words(kg: KG, graph: rdflib.Graph) -> None:
    filter_ = rdflib.URIRef(IRIS.filter(TOY, "deep", 3))
    assert list(graph.objects(filter_, RDFS.label)) == [rdflib.Literal("deep 3")]
    first, second = (run.run_id for run in runs_of(kg))
    labels = {str(graph.value(rdflib.URIRef(IRIS.run(run)), RDFS.label)) for run in (first, second)}
    assert labels == {
        "toy: each class tags its most active filter of every layer (k=1)",
        "toy: each class tags its most active 50 % of the filters of every layer (q=0.5)",
    }
    in_run = rdflib.URIRef(IRIS.filter_in_run(second, "deep", 3))
    assert list(graph.objects(in_run, RDFS.label)) == [rdflib.Literal("deep 3 by q=0.5", lang="en")]
    for kind in (FLT.Filter, FLT.FilterInRun, FLT.TaggingRun):
        for thing in graph.subjects(RDF.type, kind):
            assert len(list(graph.objects(thing, RDFS.label))) == 1


def test_every_concept_is_in_the_scheme_of_its_source_and_every_class_in_one_of_the_kgs_own(
    kg: KG, graph: rdflib.Graph
) -> None:
    wordnet, classes = (
        rdflib.URIRef(iri) for iri in (IRIS.concepts_graph("wordnet"), IRIS.linking(kg.manifest["linking"]))
    )
    assert set(graph.subjects(RDF.type, SKOS.ConceptScheme)) == {wordnet, classes}
    assert str(graph.value(wordnet, rdflib.DCTERMS.title)) == "WordNet 3.0"
    of_classes = set(graph.subjects(RDF.type, FLT.ClassLabel))
    concepts = set(graph.subjects(RDF.type, SKOS.Concept))
    assert set(graph.subjects(SKOS.inScheme, classes)) == of_classes
    assert set(graph.subjects(SKOS.inScheme, wordnet)) == concepts - of_classes
    for scheme in (wordnet, classes):
        assert list(graph.objects(scheme, rdflib.DCTERMS.license))


def test_top_concepts_are_those_with_nothing_broader(kg: KG, graph: rdflib.Graph) -> None:
    wordnet, classes = (
        rdflib.URIRef(iri) for iri in (IRIS.concepts_graph("wordnet"), IRIS.linking(kg.manifest["linking"]))
    )
    in_hierarchy = set(graph.objects(None, FLT.atOrBelow))
    tops = {concept for concept in in_hierarchy if (concept, SKOS.broader, None) not in graph}
    assert {str(graph.value(top, SKOS.prefLabel)) for top in tops} == {"entity"}
    assert set(graph.objects(wordnet, SKOS.hasTopConcept)) == set(graph.subjects(SKOS.topConceptOf, wordnet)) == tops
    of_classes = set(graph.subjects(RDF.type, FLT.ClassLabel))
    assert set(graph.objects(classes, SKOS.hasTopConcept)) == of_classes
    assert set(graph.subjects(SKOS.topConceptOf, classes)) == of_classes
