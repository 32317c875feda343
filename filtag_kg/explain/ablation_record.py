"""An ablation in a KG: its table, its record in the manifest, and its graph."""

from __future__ import annotations

from collections.abc import Iterator

from filtag_kg.graph import DataIris, Triple, double, integer, iri, literal, t
from filtag_kg.kg import ABLATED_CLASSES, KG, Ablation, Experiment, add_experiments


def add_ablation(kg: KG, ablation: Ablation) -> KG:
    """Add an ablation to the KG whose filters it is about, in the place of the same one.

    Raises
    ------
    FiltagError
        If the KG lost the run that the filters were chosen by, or another process is changing it.
    """
    iris = DataIris(kg.manifest["parameters"]["base"])
    experiment = Experiment(
        "ablation",
        ablation.ablation_id,
        ablation.run_id,
        ABLATED_CLASSES.text(ablation.classes),
        list(_triples(ablation, iris)),
        ablation.about(),
    )
    return add_experiments(kg, [experiment])


def _triples(ablation: Ablation, iris: DataIris) -> Iterator[Triple]:
    node = iri(iris.run(ablation.ablation_id))
    images = iri(iris.input("images", ablation.images["sha256"]))
    yield node, t("rdf:type"), t("flt:Ablation")
    filters = "1 filter" if len(ablation.filters) == 1 else f"{len(ablation.filters):,} filters"
    yield node, t("rdfs:label"), literal(f"Ablation of {filters} for {ablation.label}", language="en")
    yield node, t("prov:wasInformedBy"), iri(iris.run(ablation.run_id))
    yield node, t("prov:used"), images
    yield images, t("rdf:type"), t("prov:Entity")
    yield images, t("rdfs:label"), literal("images", language="en")
    yield images, t("dcterms:identifier"), literal(ablation.images["sha256"])
    yield node, t("flt:network"), iri(iris.network(ablation.network))
    yield node, t("flt:concept"), iri(ablation.concept)
    yield node, t("flt:chosenBy"), literal(ablation.chosen_by)
    yield node, t("flt:replacement"), literal(ablation.replacement)
    for layer, filter_ in ablation.filters:
        yield node, t("flt:ablatedFilter"), iri(iris.filter(ablation.network, layer, filter_))
    yield node, t("flt:randomSets"), integer(ablation.random_sets)
    yield node, t("flt:seed"), integer(ablation.seed)
    yield node, t("flt:imagesSha256"), literal(ablation.images["sha256"])
    yield node, t("flt:imageCount"), integer(ablation.images["read"])
    for software in ablation.software:
        yield node, t("flt:software"), literal(software)
    yield from _changes(ablation, node, iris)
    yield from _effects(ablation, node, iris)


def _changes(ablation: Ablation, node: str, iris: DataIris) -> Iterator[Triple]:
    for change in ablation.changes:
        found = iri(iris.ablation_change(ablation.ablation_id, change.scope, change.measure))
        yield found, t("rdf:type"), t("flt:AblationChange")
        yield found, t("prov:wasGeneratedBy"), node
        yield found, t("flt:scope"), literal(change.scope)
        yield found, t("flt:measure"), literal(change.measure)
        yield found, t("flt:before"), double(change.before)
        yield found, t("flt:change"), double(change.change)
        yield found, t("flt:changeLow"), double(change.low)
        yield found, t("flt:changeHigh"), double(change.high)
        if change.random:
            yield found, t("flt:randomChange"), double(round(sum(change.random) / len(change.random), 6))
        yield found, t("flt:randomPValue"), double(change.p_value)


def _effects(ablation: Ablation, node: str, iris: DataIris) -> Iterator[Triple]:
    for row in ablation.classes:
        found = iri(iris.ablated_class(ablation.ablation_id, row.class_id))
        yield found, t("rdf:type"), t("flt:AblationEffect")
        yield found, t("prov:wasGeneratedBy"), node
        yield found, t("flt:effectOn"), iri(iris.class_(row.class_id))
        yield found, t("flt:scope"), literal(row.scope)
        yield found, t("flt:imagesOfClass"), integer(row.images)
        yield found, t("flt:accuracyBefore"), double(row.accuracy_before)
        yield found, t("flt:accuracyAfter"), double(row.accuracy_after)
        yield found, t("flt:accuracyRandom"), double(row.accuracy_random)
        yield found, t("flt:confidenceBefore"), double(row.confidence_before)
        yield found, t("flt:confidenceAfter"), double(row.confidence_after)
        yield found, t("flt:confidenceRandom"), double(row.confidence_random)
