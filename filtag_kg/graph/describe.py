"""The KG's description of itself: DCAT for its files, VoID for its counts and links, PROV for its origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from filtag_kg.graph.attribution import is_iri
from filtag_kg.graph.counts import GraphCounts
from filtag_kg.graph.nquads import DEFAULT_GRAPH, Triple, integer, iri, literal, t
from filtag_kg.graph.vocabulary import CONCEPTNET_SITE, MEDIA_TYPES, ONTOLOGY, PREFIXES, DataIris

GRAPH_FILE = "graph.nq.gz"
_TITLES = {
    GRAPH_FILE: "The whole graph, sorted",
    "tags.csv": "Tag assignments",
    "scores.csv": "Scores that another method gave to its tags",
    "links.sssom.tsv": "Links of classes to concepts, in SSSOM",
    "common.csv": "Common concepts and features",
    "concepts.csv": "Concepts by layer",
    "mixed.csv": "Filters that respond to two unrelated things",
    "profile.npz": "Profile: mean and variance of the activation of every filter, by class",
}
_OWN_FILES = ("tags.csv", "scores.csv", "profile.npz")
"""Those that hold the user's own data and nothing of a concept source."""
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
    licences : tuple of str
        IRIs of all that apply to it.
    """

    name: str
    title: str
    media_type: str
    compressed: bool = False
    sha256: str | None = None
    licences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """A KG's description of itself.

    Parameters
    ----------
    title : str
        In English.
    runs : sequence of str
        Run ids.
    linking : str
        Id of the linking.
    licences : mapping of concept graph to the IRI of its licence
    own_licences : mapping of graph to the IRIs of its licences
        Of graphs that hold the user's own data, where the user gave a licence.
    creators : sequence of str
        Names or IRIs of those whose data it is.
    given_title : str, optional
        A user's, in whatever language, instead.
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
    linking: str
    licences: Mapping[str, str]
    counts: GraphCounts
    conceptnet: str
    example: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[KgFile] = ()
    own_licences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    creators: Sequence[str] = ()
    given_title: str | None = None

    def licences_of(self, graph: str, linking: str) -> list[str]:
        """Return the licences of a named graph; `linking` is that of the classes and their links to concepts."""
        of_source = [each for name, each in self.licences.items() if graph in (name, linking)]
        return sorted({*of_source, *self.own_licences.get(graph, ())})

    @property
    def all_licences(self) -> list[str]:
        """The licences of all that the KG holds."""
        return sorted({*self.licences.values(), *(each for graph in self.own_licences.values() for each in graph)})

    @property
    def concept_graphs(self) -> list[str]:
        """The concept graphs that hold statements."""
        return [graph for graph in self.licences if self.counts.statements.get(graph)]


def kg_files(
    digests: Mapping[str, str], *, with_profile: bool, source_licences: Iterable[str] = (), own: Iterable[str] = ()
) -> Iterator[KgFile]:
    """Yield the files of a KG that other programs may use.

    Parameters
    ----------
    digests : mapping of file name to SHA-256
        Of the tables.
    source_licences : iterable of str
        IRIs of the licences of the concept sources, which hold for the tables made with them.
    own : iterable of str
        IRIs of the licences of the user's own data: tags and profile.
    """
    of_sources, of_user = tuple(sorted(set(source_licences))), tuple(sorted(set(own)))
    present = {GRAPH_FILE, *digests, *(["profile.npz"] if with_profile else [])}
    for name, title in _TITLES.items():
        if name in present:
            yield KgFile(
                name,
                title,
                file_media_type(name),
                compressed=name == GRAPH_FILE,
                sha256=digests.get(name),
                licences=of_user if name in _OWN_FILES else of_sources,
            )


def file_media_type(name: str) -> str:
    """Return the media type of a file of a KG, unpacked.

    Raises
    ------
    KeyError
        If it is not one of those that the graph describes.
    """
    if name not in _TITLES:
        raise KeyError(name)
    endings = {"csv": "text/csv", "tsv": "text/tab-separated-values", "gz": "application/n-quads"}
    return endings.get(name.rpartition(".")[2], "application/octet-stream")


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
    title = literal(about.title, language="en") if about.given_title is None else literal(about.given_title)
    yield dataset, t("rdf:type"), t("dcat:Dataset")
    yield dataset, t("rdf:type"), t("void:Dataset")
    yield dataset, t("dcterms:title"), title
    yield from _emit_creators(about, iris)
    yield dataset, t("dcterms:identifier"), literal(about.kg_id)
    yield dataset, t("dcterms:conformsTo"), iri(ONTOLOGY)
    yield dataset, t("void:uriSpace"), literal(iris.base)
    yield dataset, t("void:exampleResource"), iri(about.example)
    yield dataset, t("void:triples"), integer(sum(about.counts.statements.values()))
    for run_id in about.runs:
        yield dataset, t("prov:wasGeneratedBy"), iri(iris.run(run_id))
    for graph, count in about.counts.statements.items():
        subset = iri(iris.dataset_part(about.kg_id, "default") if graph == DEFAULT_GRAPH else graph)
        yield dataset, t("void:subset"), subset
        yield subset, t("void:triples"), integer(count)
        for licence in about.licences_of(graph, iris.linking(about.linking)):
            yield subset, t("dcterms:license"), iri(licence)
    for licence in about.all_licences:
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


def _emit_creators(about: DatasetDescription, iris: DataIris) -> Iterator[Triple]:
    for creator in about.creators:
        node = iri(creator if is_iri(creator) else iris.agent(creator))
        yield iri(iris.dataset(about.kg_id)), t("dcterms:creator"), node
        yield node, t("rdf:type"), t("foaf:Agent")
        if not is_iri(creator):
            yield node, t("foaf:name"), literal(creator)


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
    dataset, links = iri(iris.dataset(about.kg_id)), iri(iris.linking(about.linking))
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
    # The IRI of a file is its address, too: whoever asks for its media type gets its bytes.
    yield node, t("dcat:downloadURL"), node
    if file.name == GRAPH_FILE:
        yield iri(iris.dataset(about.kg_id)), t("void:dataDump"), node
    for licence in about.all_licences if file.name == GRAPH_FILE else file.licences:
        yield node, t("dcterms:license"), iri(licence)
    if file.name == "profile.npz" and "flt:profileSha256" in about.hashes:
        yield node, t("prov:wasDerivedFrom"), iri(iris.input("profile", about.hashes["flt:profileSha256"]))
