from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, VANN, BNode, Graph, Literal, Namespace, URIRef
from rdflib.util import from_n3

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.explain import ablation_record, explanation_rdf
from filtag_kg.graph import ONTOLOGY, DataIris, emit, emit_checks, emit_mixed, emit_states, resource_folder, term
from filtag_kg.graph.vocabulary import FLT, PREFIXES
from filtag_kg.kg import KG, build_kg

DASH = Namespace("http://datashapes.org/dash#")
# Said by sources other than WordNet, of which tests of theirs tell.
RELATIONS = {"isA", "usedFor", "hasProperty", "atLocation", "capableOf"}
# What PROV-O, SKOS and DCAT say must not be both: without it, nothing could be inconsistent.
DISJOINT = """@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix flt: <https://w3id.org/filtag/ns#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix nno: <https://w3id.org/nno/ontology#> .
prov:Activity owl:disjointWith prov:Entity .
skos:Concept owl:disjointWith flt:Filter , flt:FilterStatement , nno:Layer .
"""


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return Graph().parse(resource_folder("ontology") / "filtag.ttl")


def test_code_and_ontology_have_the_same_terms(ontology: Graph) -> None:
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty)
    defined = {str(s) for kind in kinds for s in ontology.subjects(RDF.type, kind)}
    assert defined == {term(f"flt:{name}") for name in FLT}


def test_every_term_is_defined_and_shown(ontology: Graph) -> None:
    for name in FLT:
        node = URIRef(PREFIXES["flt"] + name)
        wanted = [RDFS.label, SKOS.definition, SKOS.example, RDFS.isDefinedBy]
        if (node, RDF.type, OWL.Class) not in ontology:
            wanted += [RDFS.domain, RDFS.range]
        for predicate in wanted:
            assert ontology.value(node, predicate) is not None, (name, predicate)


def test_the_ontology_says_what_it_is(ontology: Graph) -> None:
    node = URIRef(ONTOLOGY)
    for predicate in (OWL.versionIRI, DCTERMS.title, DCTERMS.license, VANN.preferredNamespacePrefix):
        assert ontology.value(node, predicate) is not None, predicate
    assert str(ontology.value(node, VANN.preferredNamespaceUri)) == PREFIXES["flt"]
    assert not any(isinstance(term, BNode) for triple in ontology for term in triple)


def said(text: str) -> set[str]:
    """Terms of ours that stand as predicate, or as object of rdf:type, in N-Quads."""
    triples = [quad.triple for quad in ox.parse(input=text, format=ox.RdfFormat.N_QUADS)]
    used = {x.predicate.value for x in triples}
    used |= {str(x.object)[1:-1] for x in triples if x.predicate.value == str(RDF.type)}
    return {iri.removeprefix(PREFIXES["flt"]) for iri in used if iri.startswith(PREFIXES["flt"])}


def test_every_term_is_emitted_or_abstract(ontology: Graph, kg: KG, profile: Profile, tmp_path: Path) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="toy")
    scored = replace(tags, score=tags.contrast)
    labels = Provenance("toy", hashes={"flt:tagsSha256": 64 * "0"}, method="netdissect", score_meaning="overlap")
    imported = build_kg(tmp_path / "kg", scored, wordnet(), labels)
    used = set()
    for built in (kg, imported):
        used |= said(gzip.decompress(built.graph_path.read_bytes()).decode())
    # Said of images, by experiments, and of filters that these KGs do not have.
    modules = (explanation_rdf, ablation_record, emit, emit_checks, emit_mixed, emit_states)
    code = "".join(Path(str(module.__file__)).read_text() for module in modules)
    used |= {name for name in FLT if f'"flt:{name}"' in code}
    abstract = {str(node).removeprefix(PREFIXES["flt"]) for node in ontology.subjects(DASH.abstract, Literal(True))}
    # The type of tag assignments follows from the domain of flt:tag.
    assert used | abstract | RELATIONS | {"TagAssignment"} == FLT
    assert abstract == {"FilterStatement"}


def test_alignments_speak_of_terms_that_exist_and_of_every_vocabulary() -> None:
    graph = Graph().parse(resource_folder("ontology") / "alignments.ttl")
    ours = {str(s) for s in graph.subjects() if str(s).startswith(PREFIXES["flt"])}
    assert ours <= {term(f"flt:{name}") for name in FLT}
    others = {str(o) for o in graph.objects()}
    for start in (
        *(PREFIXES[name] for name in ("nno", "mls", "prov", "skos", "dcat", "void", "sssom")),
        "https://purl.org/heals/eo#",
    ):
        assert any(other.startswith(start) for other in others), start


def test_a_graph_is_consistent_with_ontology_and_alignments_under_owl_2_rl(kg: KG) -> None:
    owlrl = pytest.importorskip("owlrl")
    graph = Graph()
    for quad in kg.store():
        graph.add(tuple(from_n3(str(part)) for part in quad.triple))
    for name in ("filtag.ttl", "alignments.ttl"):
        graph.parse(resource_folder("ontology") / name)
    graph.parse(data=DISJOINT, format="turtle")
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    errors = {str(o) for o in graph.objects(predicate=URIRef("http://www.daml.org/2002/03/agents/agent-ont#error"))}
    # It takes the number 0 for no number.
    assert {error for error in errors if "'0.0'" not in error} == set()
    golden = URIRef("https://w3id.org/filtag/data/run/" + kg.manifest["runs"][0]["id"])
    assert (golden, RDF.type, URIRef(PREFIXES["prov"] + "Activity")) in graph


def test_a_misspelt_term_fails() -> None:
    with pytest.raises(ValueError, match="'flt:Fliter' is not a term"):
        term("flt:Fliter")


def test_parts_of_data_iris_are_percent_encoded() -> None:
    assert DataIris().filter("my net/1", "conv<5>", 3) == (
        "https://w3id.org/filtag/data/network/my%20net%2F1/layer/conv%3C5%3E/filter/3"
    )


@pytest.mark.parametrize("base", ["", "data", "http://x", "http://x/> <y/", "http://x y/"])
def test_a_base_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(FiltagError, match="is not a base for IRIs: give one like"):
        DataIris(base)
