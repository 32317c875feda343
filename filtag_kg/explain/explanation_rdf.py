"""An explanation as RDF: what was concluded, by which filters, and from what (PROV-O).

The explanation is derived from the image, from the KG as a dataset and from the tag assignments of its
supporting filters. The run is an activity, from which PROV-O lets nothing be derived (it holds entities and
activities disjoint): the explanation was influenced by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.support import Support
from filtag_kg.explain.why_not import WhyNot
from filtag_kg.graph import DataIris, Triple, double, integer, iri, literal, t, turtle_text
from filtag_kg.kg import KG

__all__ = ["explanation_turtle"]


def explanation_turtle(found: Explanation, kg: KG) -> str:
    """Return an explanation as Turtle, in the terms of ``ontology/filtag.ttl`` and PROV-O.

    Parameters
    ----------
    found : Explanation
    kg : KG
        The one that it was made with, whose IRIs it refers to.
    """
    return turtle_text(_triples(found, kg))


def _triples(found: Explanation, kg: KG) -> Iterator[Triple]:
    iris = DataIris(kg.manifest["parameters"]["base"])
    node = iri(iris.explanation(found.run_id, found.image_sha256))
    image = iri(iris.image(found.image_sha256))
    yield image, t("rdf:type"), t("prov:Entity")
    yield image, t("rdfs:label"), literal(found.image)
    yield image, t("flt:contentSha256"), literal(found.image_sha256)
    yield from _derived(node, image, found, kg, iris)
    best = found.predictions[0] if found.predictions else None
    if best is not None and best.class_id is not None:
        yield from _class(best.class_id, best.label, iris)
        yield node, t("flt:predictedClass"), iri(iris.class_(best.class_id))
        yield node, t("flt:confidence"), double(best.confidence)
    for filter_ in found.active:
        place = iri(iris.filter(found.network, filter_.layer, filter_.filter))
        yield node, t("flt:activeFilter"), place
        if best is not None and best.class_id in {class_id for class_id, _ in filter_.tags}:
            assignment = iris.assignment(found.run_id, filter_.layer, filter_.filter, str(best.class_id))
            yield node, t("flt:supportingFilter"), place
            yield node, t("prov:wasDerivedFrom"), iri(assignment)
    for row in found.labels:
        yield from _class(row.id, row.label, iris)
        evidence = iri(iris.explanation(found.run_id, found.image_sha256, "class", row.id))
        yield from _evidence(node, evidence, iris.class_(row.id), row.filters)
    for row in found.concepts:
        yield iri(row.id), t("rdf:type"), t("skos:Concept")
        yield iri(row.id), t("skos:prefLabel"), literal(row.label, language="en")
        evidence = iri(iris.explanation(found.run_id, found.image_sha256, "concept", row.id))
        yield from _evidence(node, evidence, row.id, row.filters)
    if found.support is not None:
        yield from _support(node, found.support, found, iris)
    if found.why_not is not None:
        yield from _why_not(found.why_not, found, kg, iris)


def _derived(node: str, image: str, found: Explanation, kg: KG, iris: DataIris) -> Iterator[Triple]:
    yield node, t("rdf:type"), t("flt:Explanation")
    yield node, t("rdf:type"), t("prov:Entity")
    yield node, t("prov:wasDerivedFrom"), image
    yield node, t("prov:wasDerivedFrom"), iri(iris.dataset(kg.manifest["id"]))
    yield node, t("prov:wasInfluencedBy"), iri(iris.run(found.run_id))


def _class(class_id: str, label: str, iris: DataIris) -> Iterator[Triple]:
    class_ = iri(iris.class_(class_id))
    yield class_, t("rdf:type"), t("flt:ClassLabel")
    yield class_, t("rdf:type"), t("skos:Concept")
    yield class_, t("skos:notation"), literal(class_id)
    yield class_, t("skos:prefLabel"), literal(label)


def _evidence(node: str, evidence: str, about: str, filters: int) -> Iterator[Triple]:
    yield node, t("flt:evidence"), evidence
    yield evidence, t("rdf:type"), t("flt:Evidence")
    yield evidence, t("flt:about"), iri(about)
    yield evidence, t("flt:filterCount"), integer(filters)


def _support(node: str, support: Support, found: Explanation, iris: DataIris) -> Iterator[Triple]:
    evidence = iri(iris.explanation(found.run_id, found.image_sha256, "class", support.class_id))
    yield from _class(support.class_id, support.label, iris)
    yield from _evidence(node, evidence, iris.class_(support.class_id), support.filters)
    yield evidence, t("flt:expectedRank"), double(support.rank)
    yield evidence, t("flt:filtersPValue"), double(support.p_filters)
    yield evidence, t("flt:classesPValue"), double(support.p_classes)


def _why_not(contrasted: WhyNot, found: Explanation, kg: KG, iris: DataIris) -> Iterator[Triple]:
    why, not_ = contrasted.why, contrasted.why_not
    parts = ("why", why.class_id, "not", not_.class_id)
    node = iri(iris.explanation(found.run_id, found.image_sha256, *parts))
    yield from _derived(node, iri(iris.image(found.image_sha256)), found, kg, iris)
    yield node, t("flt:whyClass"), iri(iris.class_(why.class_id))
    yield node, t("flt:whyNotClass"), iri(iris.class_(not_.class_id))
    for support, confidence in ((why, contrasted.why_confidence), (not_, contrasted.why_not_confidence)):
        yield from _support(node, support, found, iris)
        if confidence is not None:
            evidence = iris.explanation(found.run_id, found.image_sha256, "class", support.class_id)
            yield iri(evidence), t("flt:confidence"), double(confidence)
    for property_, carriers in (
        ("flt:whyFilter", contrasted.only_why),
        ("flt:whyNotFilter", contrasted.only_why_not),
        ("flt:sharedFilter", contrasted.both),
    ):
        for layer, index in carriers.filters:
            yield node, t(property_), iri(iris.filter(found.network, layer, index))
