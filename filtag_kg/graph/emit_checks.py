"""Checks of labels as RDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from filtag_kg.graph.nquads import Triple, boolean, double, integer, iri, literal, t
from filtag_kg.graph.vocabulary import DataIris


@dataclass(frozen=True, slots=True)
class CheckDescription:
    """What the graph states about the check of one run's labels.

    Parameters
    ----------
    images, classes : int
        That the labels were checked on.
    labels, testable, confirmed : int
        The run's labels, those of them that could be tested, and those that are confirmed.
    level : float, in (0, 1)
        A label with a lower q-value is confirmed.
    draws, seed : int
        Random sets of classes behind the p-values, and their seed.
    software : tuple of str
        Name and version of each package that took part.
    """

    check_id: str
    run_id: str
    network: str
    images_sha256: str
    images: int
    classes: int
    labels: int
    testable: int
    confirmed: int
    level: float
    draws: int
    seed: int
    software: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """What the graph states about one label.

    Parameters
    ----------
    node : str
        IRI of the tag assignment, common concept or common feature.
    confirmed : bool or None
        None for a label that is not testable; then the numbers are, too.
    """

    node: str
    confirmed: bool | None
    q_value: float | None
    correlation: float | None
    auc: float | None
    auprc: float | None


def emit_label_check(check: CheckDescription, labels: Iterable[LabelVerdict], iris: DataIris) -> Iterator[Triple]:
    """Describe a check, and state what it found of each label: five statements, or one where it is not testable."""
    activity, images = iri(iris.run(check.check_id)), iri(iris.input("images", check.images_sha256))
    yield activity, t("rdf:type"), t("flt:LabelCheck")
    said = f"Check of {check.labels:,} labels of {check.network} on {check.images:,} images"
    yield activity, t("rdfs:label"), literal(said, language="en")
    yield activity, t("prov:wasInformedBy"), iri(iris.run(check.run_id))
    yield activity, t("flt:checkedRun"), iri(iris.run(check.run_id))
    yield activity, t("flt:network"), iri(iris.network(check.network))
    yield activity, t("prov:used"), images
    yield images, t("rdf:type"), t("prov:Entity")
    yield images, t("rdfs:label"), literal("images", language="en")
    yield images, t("dcterms:identifier"), literal(check.images_sha256)
    yield activity, t("flt:imagesSha256"), literal(check.images_sha256)
    yield activity, t("flt:imageCount"), integer(check.images)
    yield activity, t("flt:classCount"), integer(check.classes)
    yield activity, t("flt:labelCount"), integer(check.labels)
    yield activity, t("flt:testableCount"), integer(check.testable)
    yield activity, t("flt:confirmedCount"), integer(check.confirmed)
    yield activity, t("flt:level"), double(check.level)
    yield activity, t("flt:draws"), integer(check.draws)
    yield activity, t("flt:seed"), integer(check.seed)
    for software in check.software:
        yield activity, t("flt:software"), literal(software)
    properties = ("flt:checkQValue", "flt:correlation", "flt:auc", "flt:auprc")
    for label in labels:
        node = iri(label.node)
        if label.confirmed is None:
            yield node, t("flt:testable"), boolean(False)
            continue
        yield node, t("flt:confirmed"), boolean(label.confirmed)
        values = (label.q_value, label.correlation, label.auc, label.auprc)
        for property_, value in zip(properties, values, strict=True):
            if value is not None:
                yield node, t(property_), double(value)
