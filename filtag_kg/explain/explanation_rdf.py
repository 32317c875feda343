"""An explanation as RDF: what was concluded, by which filters, and from what (PROV-O).

The explanation is derived from the image, from the KG as a dataset and from the tag assignments of its supporting
filters. Nothing can be derived from the run, an activity (in PROV-O activities are disjoint from entities), so the
explanation was influenced by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.kg_evidence import ImageEvidence
from filtag_kg.explain.support import Support
from filtag_kg.explain.why_not import WhyNot
from filtag_kg.graph import DataIris, Triple, double, integer, iri, literal, t, turtle_text
from filtag_kg.kg import KG


def explanation_turtle(explanation: Explanation, kg: KG) -> str:
    """Return an explanation as Turtle, in the terms of ``ontology/filtag.ttl`` and PROV-O.

    Parameters
    ----------
    kg : KG
        The KG that made it, whose IRIs it refers to.
    """
    return turtle_text(_triples(explanation, kg))


def _triples(explanation: Explanation, kg: KG) -> Iterator[Triple]:
    iris = DataIris(kg.manifest["parameters"]["base"])
    node = iri(iris.explanation(explanation.run_id, explanation.image_sha256))
    image = iri(iris.image(explanation.image_sha256))
    yield image, t("rdf:type"), t("prov:Entity")
    yield image, t("rdfs:label"), literal(explanation.image)
    yield image, t("flt:contentSha256"), literal(explanation.image_sha256)
    yield from _derived(node, image, explanation, kg, iris)
    best = explanation.predictions[0] if explanation.predictions else None
    if best is not None and best.class_id is not None:
        yield from _class(best.class_id, best.label, iris)
        yield node, t("flt:predictedClass"), iri(iris.class_(best.class_id))
        yield node, t("flt:confidence"), double(best.confidence)
    for filter_ in explanation.active:
        filter_node = iri(iris.filter(explanation.network, filter_.layer, filter_.filter))
        yield node, t("flt:activeFilter"), filter_node
        if best is not None and best.class_id in {class_id for class_id, _ in filter_.tags}:
            assignment = iris.assignment(explanation.run_id, filter_.layer, filter_.filter, str(best.class_id))
            yield node, t("flt:supportingFilter"), filter_node
            yield node, t("prov:wasDerivedFrom"), iri(assignment)
    for row in explanation.labels:
        yield from _class(row.id, row.label, iris)
        evidence = iri(iris.explanation(explanation.run_id, explanation.image_sha256, "class", row.id))
        yield from _evidence(node, evidence, iris.class_(row.id), row.filters)
    for row in explanation.concepts:
        yield iri(row.id), t("rdf:type"), t("skos:Concept")
        yield iri(row.id), t("skos:prefLabel"), literal(row.label, language="en")
        evidence = iri(iris.explanation(explanation.run_id, explanation.image_sha256, "concept", row.id))
        yield from _evidence(node, evidence, row.id, row.filters)
        if row.observed is not None and row.expected is not None:
            yield evidence, t("flt:observedFilterCount"), double(row.observed)
            yield evidence, t("flt:expectedFilterCount"), double(row.expected)
    if explanation.evidence is not None:
        yield from _judged(node, explanation.evidence, explanation, iris)
    if explanation.support is not None:
        yield from _support(node, explanation.support, explanation, iris)
    if explanation.why_not is not None:
        yield from _why_not(explanation.why_not, explanation, kg, iris)


def _derived(node: str, image: str, explanation: Explanation, kg: KG, iris: DataIris) -> Iterator[Triple]:
    yield node, t("rdf:type"), t("flt:Explanation")
    yield node, t("rdf:type"), t("prov:Entity")
    yield node, t("prov:wasDerivedFrom"), image
    yield node, t("prov:wasDerivedFrom"), iri(iris.dataset(kg.manifest["id"]))
    yield node, t("prov:wasInfluencedBy"), iri(iris.run(explanation.run_id))


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


def _judged(node: str, evidence: ImageEvidence, explanation: Explanation, iris: DataIris) -> Iterator[Triple]:
    """Yield what the filters of the last layers say of the predicted class and of those that come first."""
    judged = {class_.class_id: class_ for class_ in evidence.first}
    if evidence.predicted is not None:
        judged[evidence.predicted.class_id] = evidence.predicted
        for each in explanation.regions_of[0].filters:
            yield node, t("flt:evidenceFilter"), iri(iris.filter(explanation.network, each.layer, each.filter))
    for class_ in judged.values():
        yield from _class(class_.class_id, class_.label, iris)
        about = iri(iris.explanation(explanation.run_id, explanation.image_sha256, "class", class_.class_id))
        n_tagged = sum(class_.class_id in dict(filter_.tags) for filter_ in explanation.active)
        yield from _evidence(node, about, iris.class_(class_.class_id), n_tagged)
        yield about, t("flt:evidenceRank"), double(class_.rank)
        yield about, t("flt:logLikelihoodRatio"), double(class_.log_ratio)
        if class_.p_value is not None:
            yield about, t("flt:evidencePValue"), double(class_.p_value)


def _support(node: str, support: Support, explanation: Explanation, iris: DataIris) -> Iterator[Triple]:
    evidence = iri(iris.explanation(explanation.run_id, explanation.image_sha256, "class", support.class_id))
    yield from _class(support.class_id, support.label, iris)
    yield from _evidence(node, evidence, iris.class_(support.class_id), support.filters)
    yield evidence, t("flt:expectedRank"), double(support.rank)
    yield evidence, t("flt:filtersPValue"), double(support.p_filters)
    yield evidence, t("flt:classesPValue"), double(support.p_classes)


def _why_not(why_not: WhyNot, explanation: Explanation, kg: KG, iris: DataIris) -> Iterator[Triple]:
    why, not_ = why_not.why, why_not.why_not
    parts = ("why", why.class_id, "not", not_.class_id)
    node = iri(iris.explanation(explanation.run_id, explanation.image_sha256, *parts))
    yield from _derived(node, iri(iris.image(explanation.image_sha256)), explanation, kg, iris)
    yield node, t("flt:whyClass"), iri(iris.class_(why.class_id))
    yield node, t("flt:whyNotClass"), iri(iris.class_(not_.class_id))
    for support, confidence in ((why, why_not.why_confidence), (not_, why_not.why_not_confidence)):
        yield from _support(node, support, explanation, iris)
        if confidence is not None:
            evidence = iris.explanation(explanation.run_id, explanation.image_sha256, "class", support.class_id)
            yield iri(evidence), t("flt:confidence"), double(confidence)
    for property_, carriers in (
        ("flt:whyFilter", why_not.only_why),
        ("flt:whyNotFilter", why_not.only_why_not),
        ("flt:sharedFilter", why_not.both),
    ):
        for layer, index in carriers.filters:
            yield node, t(property_), iri(iris.filter(explanation.network, layer, index))
