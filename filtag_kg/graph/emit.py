"""Turn plain results into RDF: a function for each kind of thing, from data to triples; `emit_bulk` has the bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np

from filtag_kg.concepts import CommonConcept, ConceptInLayer, ConceptSource, Hierarchy, Links, MixedPart, mixedness
from filtag_kg.graph.describe import emit_inputs
from filtag_kg.graph.labels import filter_label, run_label, source_title
from filtag_kg.graph.nquads import Triple, date_time, double, integer, iri, literal, t
from filtag_kg.graph.vocabulary import FEATURE_TERMS, LAYER_KINDS, DataIris
from filtag_kg.tags import TagTable

STRONGEST = 5
"""Assignments of a class that `emit_strongest` names."""


@dataclass(frozen=True, slots=True)
class RunDescription:
    """All that the graph states about one run.

    Parameters
    ----------
    run_id : str
        The same inputs, parameters and versions give the same id.
    rule_index : int
        The rule's number in the KG.
    score : str or None
        What the rule ranked filters by; None where another method made the tags and does not say.
    min_ic : float
        In nats.
    draws, seed : int
        Random sets of classes behind the adjusted p-values, and their seed.
    software : tuple of str
        Name and version of each package that took part.
    hashes : mapping of str
        Terms such as ``flt:profileSha256`` to hexadecimal digests.
    started, ended : str, optional
        Of the pass over the images, in ISO 8601; not of the build, which gives the same bytes for the same inputs.
    kinds_of : str
        The concept source whose kinds are the run's hierarchy.
    classes_needed : int, optional
        How many classes are needed at least for any filter to be coherent, where there are too few.
    method, score_meaning : str, optional
        The other method that made the tags, and what its scores measure.
    """

    run_id: str
    rule: str
    rule_index: int
    score: str | None
    min_ic: float
    draws: int
    seed: int
    software: tuple[str, ...]
    hashes: Mapping[str, str] = field(default_factory=dict)
    started: str | None = None
    ended: str | None = None
    classes_needed: int | None = None
    kinds_of: str = "wordnet"
    method: str | None = None
    score_meaning: str | None = None


def emit_network(
    tags: TagTable, iris: DataIris, *, label: str, kinds: Mapping[str, str], weights_sha256: str | None
) -> Iterator[Triple]:
    """Describe the network and its layers; `filter_sections` describes their filters.

    Parameters
    ----------
    label : str
        The network's name for people.
    kinds : mapping of layer name to Keras layer type
        A layer that is not in it is a two-dimensional convolution.
    weights_sha256 : str or None
        None where the tags were imported.
    """
    network = iri(iris.network(tags.network))
    yield network, t("rdf:type"), t("nno:NeuralNetwork")
    yield network, t("rdfs:label"), literal(label)
    if weights_sha256 is not None:
        yield network, t("flt:weightsSha256"), literal(weights_sha256)
    for index, name in enumerate(tags.layer_names):
        layer = iri(iris.layer(tags.network, name))
        kind = kinds.get(name, "Conv2D")
        yield network, t("nno:hasLayer"), layer
        yield layer, t("rdf:type"), t(f"nno:{kind if kind in LAYER_KINDS else 'Layer'}")
        yield layer, t("rdfs:label"), literal(name)
        yield layer, t("nno:hasLayerSequence"), integer(index)


def emit_run(
    network: str, run: RunDescription, iris: DataIris, *, linking_id: str, network_label: str
) -> Iterator[Triple]:
    """Describe one run, but not what it found.

    Parameters
    ----------
    network : str
        Name of the network in identifiers.
    linking_id : str
        Of the linking whose classes and concepts the run is about.
    network_label : str
        The network's name for people.
    """
    activity = iri(iris.run(run.run_id))
    yield activity, t("rdf:type"), t("flt:TaggingRun")
    yield activity, t("rdfs:label"), literal(run_label(network_label, run.rule, run.method), language="en")
    yield activity, t("flt:network"), iri(iris.network(network))
    yield activity, t("flt:linking"), iri(iris.linking(linking_id))
    yield activity, t("flt:rule"), literal(run.rule)
    yield activity, t("flt:ruleIndex"), integer(run.rule_index)
    if run.score is not None:
        yield activity, t("flt:score"), literal(run.score)
    if run.method is not None:
        yield activity, t("flt:method"), literal(run.method)
    if run.score_meaning is not None:
        yield activity, t("flt:scoreMeaning"), literal(run.score_meaning)
    yield activity, t("flt:draws"), integer(run.draws)
    yield activity, t("flt:seed"), integer(run.seed)
    yield activity, t("flt:minimumInformationContent"), double(run.min_ic)
    if run.classes_needed is not None:
        yield activity, t("flt:classesNeeded"), integer(run.classes_needed)
    for software in run.software:
        yield activity, t("flt:software"), literal(software)
    for property_, digest in run.hashes.items():
        yield activity, t(property_), literal(digest)
    if run.started is not None:
        yield activity, t("prov:startedAtTime"), date_time(run.started)
    if run.ended is not None:
        yield activity, t("prov:endedAtTime"), date_time(run.ended)
    yield from emit_inputs(run.run_id, run.hashes, iris)
    if (profile := run.hashes.get("flt:profileSha256")) is not None:
        described = iri(iris.profile_graph(network, profile))
        yield described, t("prov:wasDerivedFrom"), iri(iris.input("profile", profile))


def emit_filters_in_run(
    tags: TagTable, common: Iterable[CommonConcept], mixed: Iterable[MixedPart], run: RunDescription, iris: DataIris
) -> Iterator[Triple]:
    """State what a run says of each filter, tagged or not, on a node of the run and the filter.

    On the filter itself, the numbers of several runs would blur wherever graphs are merged. `emit_tag_counts` has the
    rest.

    Parameters
    ----------
    tags : TagTable
        Of the run's rule alone.
    common : iterable of CommonConcept
        Of this run's rule alone.
    mixed : iterable of MixedPart
        Both parts of each mixed filter.
    """
    for layer, n_filters in zip(tags.layer_names, tags.n_filters, strict=True):
        for filter_ in range(n_filters):
            node = iri(iris.filter_in_run(run.run_id, layer, filter_))
            yield node, t("rdf:type"), t("flt:FilterInRun")
            yield node, t("rdfs:label"), literal(f"{filter_label(layer, filter_)} by {run.rule}", language="en")
            yield node, t("prov:wasGeneratedBy"), iri(iris.run(run.run_id))
    for row in common:
        if row.q_value is not None and row.is_kind(run.kinds_of):
            node = iri(iris.filter_in_run(run.run_id, row.layer, row.filter))
            yield node, t("flt:coherenceQValue"), double(row.q_value)
    for (layer, filter_), both in groupby(mixed, key=lambda part: (part.layer, part.filter)):
        first, second = both
        node = iri(iris.filter_in_run(run.run_id, layer, filter_))
        yield node, t("flt:mixedness"), double(mixedness(first, second))
        yield node, t("flt:mixedQValue"), double(second.q_value)


def emit_tag_counts(tags: TagTable, run_id: str, iris: DataIris) -> Iterator[Triple]:
    """State how many classes a run gives to each filter, tagged or not: a shortcut, for the run's own graph.

    Parameters
    ----------
    tags : TagTable
        Of the run's rule alone. A class that was given to a filter twice counts once.
    """
    offsets = np.concatenate([[0], np.cumsum(tags.n_filters)])
    shape = (int(offsets[-1]), len(tags.class_ids))
    distinct = np.unique(np.ravel_multi_index((offsets[tags.layer] + tags.filter, tags.class_), shape))
    n_tags = np.bincount(distinct // max(shape[1], 1), minlength=shape[0]).tolist()
    for layer, (start, stop) in zip(tags.layer_names, pairwise(offsets.tolist()), strict=True):
        for column in range(start, stop):
            node = iri(iris.filter_in_run(run_id, layer, column - start))
            yield node, t("flt:filter"), iri(iris.filter(tags.network, layer, column - start))
            yield node, t("flt:tagCount"), integer(n_tags[column])


def emit_strongest(tags: TagTable, run_id: str, iris: DataIris, *, most: int = STRONGEST) -> Iterator[Triple]:
    """State which tag assignments of each class have the highest activation, over all layers: a shortcut.

    Without it, a query would have to sort all assignments of the run.

    Parameters
    ----------
    tags : TagTable
        Of the run's rule alone. An assignment without an activation is left out.
    most : int
        Assignments of a class. Ties go to the earlier layer, then to the lower filter.
    """
    shape = (len(tags.class_ids), len(tags.layer_names), max(tags.n_filters, default=0))
    # A class that was given to a filter twice is one assignment, of the better rank.
    rows = np.unique(np.ravel_multi_index((tags.class_, tags.layer, tags.filter), shape), return_index=True)[1]
    rows = rows[~np.isnan(tags.activation[rows])]
    rows = rows[np.lexsort((tags.filter[rows], tags.layer[rows], -tags.activation[rows], tags.class_[rows]))]
    firsts = np.searchsorted(tags.class_[rows], np.arange(len(tags.class_ids)))
    places = np.arange(len(rows)) - firsts[tags.class_[rows]]
    for row in rows[places < most].tolist():
        class_id, layer = tags.class_ids[tags.class_[row]], tags.layer_names[tags.layer[row]]
        assignment = iri(iris.assignment(run_id, layer, int(tags.filter[row]), class_id))
        yield iri(iris.class_(class_id)), t("flt:strongestAssignment"), assignment


def common_iri(row: CommonConcept, run_id: str, iris: DataIris, *, kinds_of: str) -> str:
    """Return the IRI of a common concept or feature."""
    if row.is_kind(kinds_of):
        return iris.common(run_id, row.layer, row.filter, row.rank)
    return iris.feature(run_id, row.layer, row.filter, row.relation, row.source, row.rank)


def emit_common(network: str, common: Iterable[CommonConcept], run: RunDescription, iris: DataIris) -> Iterator[Triple]:
    """Describe what a run found that tags have in common.

    Parameters
    ----------
    network : str
        Name of the network in identifiers.
    common : iterable of CommonConcept
        Of this run's rule alone.
    """
    for row in common:
        filter_ = iri(iris.filter(network, row.layer, row.filter))
        node = iri(common_iri(row, run.run_id, iris, kinds_of=run.kinds_of))
        if row.is_kind(run.kinds_of):
            yield node, t("rdf:type"), t("flt:CommonConcept")
        else:
            yield node, t("rdf:type"), t("flt:CommonFeature")
            yield node, t("flt:relation"), literal(row.relation)
        yield node, t("flt:source"), literal(row.source)
        yield node, t("flt:filter"), filter_
        yield node, t("flt:concept"), iri(row.concept)
        yield node, t("flt:coverage"), double(row.coverage)
        yield node, t("flt:supportCount"), integer(row.support)
        yield node, t("flt:informationContent"), double(row.ic)
        yield node, t("flt:pValue"), double(row.p_value)
        yield node, t("flt:adjustedPValue"), double(row.p_adjusted)
        if row.q_value is not None:
            yield node, t("flt:coherenceQValue"), double(row.q_value)
        yield node, t("flt:rank"), integer(row.rank)
        yield node, t("prov:wasGeneratedBy"), iri(iris.run(run.run_id))


def emit_concepts_in_layers(
    network: str, rows: Iterable[ConceptInLayer], run_id: str, iris: DataIris
) -> Iterator[Triple]:
    """State how much each layer has to do with each concept.

    Parameters
    ----------
    network : str
        Name of the network in identifiers.
    rows : iterable of ConceptInLayer
        Of this run's rule alone.
    """
    for row in rows:
        node = iri(iris.concept_in_layer(run_id, row.layer, row.concept))
        yield node, t("rdf:type"), t("flt:ConceptInLayer")
        yield node, t("flt:concept"), iri(row.concept)
        yield node, t("flt:layer"), iri(iris.layer(network, row.layer))
        yield node, t("prov:wasGeneratedBy"), iri(iris.run(run_id))
        yield node, t("flt:coherentFilterCount"), integer(row.filters)
        measured = {
            "flt:concentration": row.concentration,
            "flt:separation": row.separation,
            "flt:separationLow": row.low,
            "flt:separationHigh": row.high,
        }
        for property_, value in measured.items():
            if value is not None:
                yield node, t(property_), double(value)


def emit_links(
    class_ids: Sequence[str], class_labels: Sequence[str], links: Links, iris: DataIris, *, linking_id: str, tool: str
) -> Iterator[Triple]:
    """Describe every class of the run and its links to concepts, with the slots of SSSOM.

    A link by a person names no tool. What a label excludes is no concept of the class: only the link says so. The
    linking is also the scheme of the classes, none of which is above another.
    """
    scheme = iri(iris.linking(linking_id))
    yield scheme, t("rdf:type"), t("sssom:MappingSet")
    yield scheme, t("rdf:type"), t("skos:ConceptScheme")
    yield scheme, t("dcterms:title"), literal("Classes of images, and their links to concepts", language="en")
    for class_id, label in zip(class_ids, class_labels, strict=True):
        class_ = iri(iris.class_(class_id))
        yield class_, t("rdf:type"), t("flt:ClassLabel")
        yield class_, t("rdf:type"), t("skos:Concept")
        yield class_, t("skos:inScheme"), scheme
        yield class_, t("skos:topConceptOf"), scheme
        yield scheme, t("skos:hasTopConcept"), class_
        yield class_, t("skos:notation"), literal(class_id)
        yield class_, t("skos:prefLabel"), literal(label)
        for number, link in enumerate(links.of(class_id), start=1):
            node, concept = iri(iris.link(linking_id, class_id, number)), iri(link.concept)
            if not link.negated:
                yield class_, t("flt:concept"), concept
                yield class_, t(link.predicate), concept
            yield node, t("rdf:type"), t("flt:ConceptLink")
            yield node, t("sssom:subject_id"), class_
            yield node, t("sssom:predicate_id"), t(link.predicate)
            yield node, t("sssom:object_id"), concept
            yield node, t("sssom:mapping_justification"), t(link.justification)
            yield node, t("sssom:confidence"), double(link.confidence)
            if link.text:
                yield node, t("sssom:match_string"), literal(link.text)
            if link.negated:
                yield node, t("sssom:predicate_modifier"), literal("Not")
            if not link.by_hand:
                yield node, t("sssom:mapping_tool"), literal(tool)
            yield node, t("flt:trust"), double(link.trust)


def emit_closure(isa: Hierarchy, iris: DataIris) -> Iterator[Triple]:
    """State all the concepts that each class is at or below, so no query needs to walk the hierarchy."""
    for class_id, below in zip(isa.class_ids, isa.below, strict=True):
        for column in below.nonzero()[0]:
            yield iri(iris.class_(class_id)), t("flt:atOrBelow"), iri(isa.concepts[column].id)


def emit_concepts(isa: Hierarchy, source: ConceptSource, *, graph: str, conceptnet: str) -> Iterator[Triple]:
    """State what one source knows about the concepts above the run's classes: names, kinds, features.

    The graph is also the scheme of the source's concepts. Tools for SKOS start at its top concepts and infer nothing,
    so it is said of each concept that it is in the scheme. Top concepts are those of the hierarchy with nothing
    broader; of other concepts, the graph need not have what is broader.

    Parameters
    ----------
    graph : str
        IRI of the graph that these triples go to; it gets the source's data sets as its sources, and whom to name.
    conceptnet : str
        What the IRIs of ConceptNet's terms and data sets begin with; paths such as ``/c/en/dog`` follow it.
    """
    scheme = iri(graph)
    concepts = [concept for concept in isa.described() if concept.source == source.name]
    if concepts:
        yield scheme, t("rdf:type"), t("skos:ConceptScheme")
        yield scheme, t("dcterms:title"), literal(f"{source_title(source.name)} {source.version}", language="en")
    for concept in isa.concepts:
        if concept.source == source.name and not isa.parents[concept.id]:
            yield scheme, t("skos:hasTopConcept"), iri(concept.id)
            yield iri(concept.id), t("skos:topConceptOf"), scheme
    for concept in concepts:
        node = iri(concept.id)
        yield node, t("rdf:type"), t("skos:Concept")
        yield node, t("skos:inScheme"), scheme
        yield node, t("skos:prefLabel"), literal(concept.label, language="en")
        for other in concept.alt_labels:
            yield node, t("skos:altLabel"), literal(other, language="en")
        for path in concept.terms:
            yield node, t("flt:conceptNetTerm"), iri(conceptnet + path)
    broader = [edge for edge in isa.edges if edge.source == source.name]
    features = [edge for features in isa.features if features.source == source.name for edge in features.edges]
    for edge in (*broader, *features):
        yield iri(graph), t("dcterms:bibliographicCitation"), literal(source.citation, language="en")
        dataset = iri(conceptnet + edge.dataset)
        yield iri(graph), t("dcterms:source"), dataset
        yield dataset, t("dcterms:license"), iri(edge.licence)
    for edge in broader:
        yield iri(edge.start), t("skos:broader"), iri(edge.end)
    for edge in features:
        start, end = (edge.end, edge.start) if edge.relation == "HasA" else (edge.start, edge.end)
        yield iri(start), t(FEATURE_TERMS[edge.relation]), iri(end)
