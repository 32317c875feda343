"""The KG's description of itself: DCAT for its files, VoID for its counts and links, PROV for its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from filtag_kg.graph.counts import GraphCounts
from filtag_kg.graph.nquads import Triple, integer, iri, literal, t
from filtag_kg.graph.vocabulary import CONCEPTNET_SITE, MEDIA_TYPES, ONTOLOGY, PREFIXES, DataIris

_TABLES = (
    ("tags.csv", "Tag assignments", "text/csv"),
    ("scores.csv", "Scores that another method gave to its tags", "text/csv"),
    ("links.sssom.tsv", "Links of classes to concepts, in SSSOM", "text/tab-separated-values"),
    ("common.csv", "Common concepts and features", "text/csv"),
    ("concepts.csv", "Concepts by layer", "text/csv"),
    ("mixed.csv", "Filters that respond to two unrelated things", "text/csv"),
)
_INPUTS = {
    "flt:imagesSha256": "images",
    "flt:profileSha256": "profile",
    "flt:tagsSha256": "tags",
    "flt:weightsSha256": "weights",
}


@dataclass(frozen=True, slots=True)
class KgFile:
    """A file of a KG.

    Parameters
    ----------
    title : str
        What it contains, for people.
    media_type : str
        As registered with IANA.
    compressed : bool
        With gzip.
    sha256 : str, optional
        Of its bytes, for files written before the graph.
    """

    name: str
    title: str
    media_type: str
    compressed: bool = False
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """A KG's description of itself.

    Parameters
    ----------
    runs : sequence of str
        Run ids.
    licences : mapping of concept graph to the IRI of its licence
    counts : GraphCounts
        Of all graphs but the one of the description.
    conceptnet : str
        What the IRIs of ConceptNet's terms begin with.
    example : str
        IRI of a typical thing.
    hashes : mapping of terms such as ``flt:weightsSha256`` to digests
    """

    kg_id: str
    title: str
    runs: Sequence[str]
    licences: Mapping[str, str]
    counts: GraphCounts
    conceptnet: str
    example: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[KgFile] = ()

    @property
    def concept_graphs(self) -> list[str]:
        """The concept graphs that hold statements."""
        return [graph for graph in self.licences if self.counts.statements.get(graph)]


def kg_files(digests: Mapping[str, str], *, with_profile: bool) -> Iterator[KgFile]:
    """Yield the files of a KG that other programs may use.

    Parameters
    ----------
    digests : mapping of file name to SHA-256
        Of the tables.
    """
    yield KgFile("graph.nq.gz", "The whole graph, sorted", "application/n-quads", compressed=True)
    for name, title, media_type in _TABLES:
        if name in digests:
            yield KgFile(name, title, media_type, sha256=digests[name])
    if with_profile:
        title = "Profile: mean and variance of the activation of every filter, by class"
        yield KgFile("profile.npz", title, "application/octet-stream")


def emit_inputs(run_id: str, hashes: Mapping[str, str], iris: DataIris) -> Iterator[Triple]:
    """Describe what a run used: the profile, and what that was made from, each identified by its SHA-256.

    Parameters
    ----------
    hashes : mapping of terms such as ``flt:weightsSha256`` to digests
    """
    run = iri(iris.run(run_id))
    entities = {}
    for term, kind in _INPUTS.items():
        if term in hashes:
            entity = entities[kind] = iri(iris.input(kind, hashes[term]))
            yield run, t("prov:used"), entity
            yield entity, t("rdf:type"), t("prov:Entity")
            yield entity, t("rdfs:label"), literal(kind, language="en")
            yield entity, t("dcterms:identifier"), literal(hashes[term])
    if (profile := entities.pop("profile", None)) is not None:
        for entity in entities.values():
            yield profile, t("prov:wasDerivedFrom"), entity


def emit_dataset(about: DatasetDescription, iris: DataIris) -> Iterator[Triple]:
    """Describe a KG as a dataset.

    Sources: DCAT 3 section 6, *Describing Linked Datasets with the VoID Vocabulary* sections 2 to 5.
    """
    dataset = iri(iris.dataset(about.kg_id))
    yield dataset, t("rdf:type"), t("dcat:Dataset")
    yield dataset, t("rdf:type"), t("void:Dataset")
    yield dataset, t("dcterms:title"), literal(about.title, language="en")
    yield dataset, t("dcterms:identifier"), literal(about.kg_id)
    yield dataset, t("dcterms:conformsTo"), iri(ONTOLOGY)
    yield dataset, t("void:uriSpace"), literal(iris.base)
    yield dataset, t("void:exampleResource"), iri(about.example)
    yield dataset, t("void:triples"), integer(sum(about.counts.statements.values()))
    for run_id in about.runs:
        yield dataset, t("prov:wasGeneratedBy"), iri(iris.run(run_id))
    for graph, count in about.counts.statements.items():
        yield dataset, t("void:subset"), iri(graph)
        yield iri(graph), t("void:triples"), integer(count)
        if graph in about.licences:
            yield iri(graph), t("dcterms:license"), iri(about.licences[graph])
    for licence in sorted(set(about.licences.values())):
        yield dataset, t("dcterms:license"), iri(licence)
    for prefix in ("flt", "nno", "prov", "skos", "sssom"):
        yield dataset, t("void:vocabulary"), iri(PREFIXES[prefix])
    for term, count in about.counts.things.items():
        part = iri(iris.dataset_part(about.kg_id, "class", term.partition(":")[2]))
        yield dataset, t("void:classPartition"), part
        yield part, t("void:class"), t(term)
        yield part, t("void:entities"), integer(count)
    yield from _emit_linksets(about, iris)
    yield from _emit_provenance(about, iris)
    for file in about.files:
        yield from _emit_file(about, file, iris)


def _emit_linksets(about: DatasetDescription, iris: DataIris) -> Iterator[Triple]:
    dataset = iri(iris.dataset(about.kg_id))
    linksets = [(term, about.concept_graphs, count) for term, count in about.counts.links.items()]
    if about.counts.conceptnet_terms:
        linksets.append(("flt:conceptNetTerm", [CONCEPTNET_SITE], about.counts.conceptnet_terms))
        yield iri(CONCEPTNET_SITE), t("rdf:type"), t("void:Dataset")
        yield iri(CONCEPTNET_SITE), t("void:uriSpace"), literal(about.conceptnet)
    for term, targets, count in linksets:
        linkset = iri(iris.dataset_part(about.kg_id, "linkset", term.partition(":")[2]))
        yield dataset, t("void:subset"), linkset
        yield linkset, t("rdf:type"), t("void:Linkset")
        yield linkset, t("void:linkPredicate"), t(term)
        yield linkset, t("void:subjectsTarget"), dataset
        for target in targets:
            yield linkset, t("void:objectsTarget"), iri(target)
        yield linkset, t("void:triples"), integer(count)


def _emit_provenance(about: DatasetDescription, iris: DataIris) -> Iterator[Triple]:
    """State where the dataset and the graph of links come from; a run's graph has the run's own name."""
    dataset, links = iri(iris.dataset(about.kg_id)), iri(iris.links_graph())
    for term in ("flt:profileSha256", "flt:tagsSha256"):
        if term in about.hashes:
            yield dataset, t("prov:wasDerivedFrom"), iri(iris.input(_INPUTS[term], about.hashes[term]))
    for graph in about.concept_graphs:
        yield links, t("prov:wasDerivedFrom"), iri(graph)
        yield dataset, t("prov:wasDerivedFrom"), iri(graph)


def _emit_file(about: DatasetDescription, file: KgFile, iris: DataIris) -> Iterator[Triple]:
    node = iri(iris.dataset_part(about.kg_id, "file", file.name))
    yield iri(iris.dataset(about.kg_id)), t("dcat:distribution"), node
    yield node, t("rdf:type"), t("dcat:Distribution")
    yield node, t("dcterms:title"), literal(file.title, language="en")
    yield node, t("dcterms:identifier"), literal(file.name)
    yield node, t("dcat:mediaType"), iri(MEDIA_TYPES + file.media_type)
    if file.compressed:
        yield node, t("dcat:compressFormat"), iri(f"{MEDIA_TYPES}application/gzip")
    if file.sha256 is not None:
        yield node, t("flt:contentSha256"), literal(file.sha256)
    for licence in sorted(set(about.licences.values())):
        yield node, t("dcterms:license"), iri(licence)
    if file.name == "profile.npz" and "flt:profileSha256" in about.hashes:
        yield node, t("prov:wasDerivedFrom"), iri(iris.input("profile", about.hashes["flt:profileSha256"]))
