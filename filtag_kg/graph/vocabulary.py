"""Every IRI of the graph: the terms of ``ontology/filtag.ttl``, those of other vocabularies, and the data's own."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from filtag_kg.errors import FiltagError
from filtag_kg.names import part_of_path

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "flt": "https://w3id.org/filtag/ns#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "mls": "http://www.w3.org/ns/mls#",
    "nno": "https://w3id.org/nno/ontology#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "pwn30": "http://wordnet-rdf.princeton.edu/pwn30/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sh": "http://www.w3.org/ns/shacl#",
    "semapv": "https://w3id.org/semapv/vocab/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "sssom": "https://w3id.org/sssom/",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
ONTOLOGY = "https://w3id.org/filtag/ns"
QUERIES = "https://w3id.org/filtag/queries"
CONCEPTNET_SITE = "http://conceptnet.io/"
DEFAULT_BASE = "https://w3id.org/filtag/data/"

FLT = frozenset({
    "ClassLabel", "CommonConcept", "CommonFeature", "ConceptInLayer", "ConceptLink", "Evidence", "Explanation",
    "Filter", "FilterInRun", "FilterPart", "FilterStatement", "LabelCheck", "TagAssignment", "TaggingRun",

    "about", "activation", "activeFilter", "adjustedPValue", "atLocation", "atOrBelow", "auc", "auprc",
    "bestCommonConcept", "capableOf", "checkedRun", "checkQValue", "classCount", "classesNeeded", "classesPValue",
    "classShare", "coherenceQValue", "coherentFilterCount", "commonConcept", "concentration", "concept",
    "conceptNetTerm", "confidence", "confirmed", "confirmedCount", "contentSha256", "contrast", "correlation",
    "coverage", "draws", "duplicates", "evidence", "expectedRank", "filter", "filterCount", "filterIndex",
    "filtersPValue", "hasCommonFeature", "hasProperty", "hasTag", "imageCount", "imagesSha256", "informationContent",
    "inLayer", "isA", "labelCount", "layer", "level", "linking", "madeOf", "meanActivation", "method", "methodScore",
    "minimumInformationContent", "network", "neverActivates", "partOf", "predictedClass", "profileSha256", "pValue",
    "rank", "relation", "rule", "ruleIndex", "score", "scoreMeaning", "seed", "separation", "separationHigh",
    "separationLow", "sharedFilter", "software", "source", "strongestAssignment", "supportCount",
    "supportingFilter", "tag", "tagCount", "tagsSha256", "testable", "testableCount", "trust", "usedFor",
    "weightsSha256", "whyClass", "whyFilter", "whyNotClass", "whyNotFilter",

    "evidenceFilter", "evidencePValue", "evidenceRank", "expectedFilterCount", "logLikelihoodRatio",
    "observedFilterCount",

    "contrastShare", "hasFilterPart", "includesClass", "mixedness", "mixedQValue", "partNumber",

    "Ablation", "AblationChange", "AblationEffect", "ablatedFilter", "accuracyAfter", "accuracyBefore",
    "accuracyRandom", "before", "change", "changeHigh", "changeLow", "chosenBy", "confidenceAfter", "confidenceBefore",
    "confidenceRandom", "effectOn", "imagesOfClass", "measure", "randomChange", "randomPValue",
    "randomSets", "replacement", "scope",
})  # fmt: skip
"""The project's own classes and properties; a test compares them with those that ``ontology/filtag.ttl`` defines."""

POINTING = (
    "dcat:compressFormat", "dcat:distribution", "dcat:downloadURL", "dcat:mediaType", "dcterms:conformsTo",
    "dcterms:creator", "dcterms:license", "dcterms:source", "foaf:depiction", "foaf:depicts", "nno:hasLayer",
    "prov:used", "prov:wasDerivedFrom", "prov:wasGeneratedBy", "prov:wasInformedBy", "rdfs:domain",
    "rdfs:isDefinedBy", "rdfs:range", "rdfs:subClassOf", "skos:broadMatch", "skos:broader", "skos:closeMatch",
    "skos:exactMatch", "skos:hasTopConcept", "skos:inScheme", "skos:narrowMatch", "skos:relatedMatch",
    "skos:topConceptOf", "sssom:mapping_justification", "sssom:object_id", "sssom:predicate_id", "sssom:subject_id",
    "void:class", "void:classPartition", "void:dataDump", "void:linkPredicate", "void:objectsTarget",
    "void:subjectsTarget", "void:subset", "void:vocabulary",
)  # fmt: skip
"""Properties of other vocabularies whose values are things; for the project's own, the ontology tells."""

FEATURE_TERMS = {
    "IsA": "flt:isA",
    "HasA": "flt:partOf",
    "MadeOf": "flt:madeOf",
    "UsedFor": "flt:usedFor",
    "HasProperty": "flt:hasProperty",
    "AtLocation": "flt:atLocation",
    "CapableOf": "flt:capableOf",
}
"""The property for each relation from a concept to its features; *HasA* points from the part to the whole."""

LAYER_KINDS = frozenset({"Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"})
"""Keras layers that have the same name in the neural network ontology; any other is a ``nno:Layer``."""


def term(curie: str) -> str:
    """Return the IRI of a term such as ``flt:Filter``.

    Raises
    ------
    ValueError
        If there is no such prefix, or no such term of the project's own: a misspelling must not become data.
    """
    prefix, _, name = curie.partition(":")
    if prefix not in PREFIXES or (prefix == "flt" and name not in FLT):
        raise ValueError(f"{curie!r} is not a term of the vocabulary")
    return PREFIXES[prefix] + name


@dataclass(frozen=True, slots=True)
class DataIris:
    """The IRIs of one KG's own things, all under one base; each part of a path is percent-encoded.

    Parameters
    ----------
    base : str
        An absolute IRI that ends in ``/`` or ``#``.

    Raises
    ------
    FiltagError
        If it is not.
    """

    base: str = DEFAULT_BASE

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        plain = all(c.isprintable() and c not in '<>"{}|\\^` ' for c in self.base)
        if not (parts.scheme and parts.netloc and self.base.endswith(("/", "#")) and plain):
            raise FiltagError(f"{self.base!r} is not a base for IRIs: give one like {DEFAULT_BASE}", options=("base",))

    def _path(self, *parts: str | int) -> str:
        return self.base + "/".join(part_of_path(str(part)) for part in parts)

    def network(self, network: str) -> str:
        """Return the IRI of a network."""
        return self._path("network", network)

    def layer(self, network: str, layer: str) -> str:
        """Return the IRI of a layer."""
        return self._path("network", network, "layer", layer)

    def filter(self, network: str, layer: str, index: int) -> str:
        """Return the IRI of a filter."""
        return self._path("network", network, "layer", layer, "filter", index)

    def class_(self, class_id: str) -> str:
        """Return the IRI of a class."""
        return self._path("class", class_id)

    def linking(self, linking_id: str) -> str:
        """Return the IRI of a linking, which is also the name of the graph of its classes and links."""
        return self._path("linking", linking_id)

    def link(self, linking_id: str, class_id: str, number: int = 1) -> str:
        """Return the IRI of a linking's link from a class to a concept; its best link has the number 1."""
        return self._path("linking", linking_id, class_id, *([number] if number > 1 else []))

    def run(self, run_id: str) -> str:
        """Return the IRI of a run, which is also the name of the graph that describes it; results lie below it."""
        return self._path("run", run_id)

    def run_of(self, result: str) -> str:
        """Return the IRI of the run that a result is of, or of the run itself: it lies below its run's.

        Raises
        ------
        ValueError
            If it lies below no run's.
        """
        runs = f"{self.base}run/"
        if not result.startswith(runs):
            raise ValueError(f"{result!r} is not a result of a run")
        return runs + result.removeprefix(runs).partition("/")[0]

    def filter_in_run(self, run_id: str, layer: str, filter_: int) -> str:
        """Return the IRI of what a run says of a filter."""
        return self._path("run", run_id, "filter", layer, filter_)

    def assignment(self, run_id: str, layer: str, filter_: int, class_id: str) -> str:
        """Return the IRI of a tag assignment."""
        return self._path("run", run_id, "tag", layer, filter_, class_id)

    def common(self, run_id: str, layer: str, filter_: int, rank: int) -> str:
        """Return the IRI of a filter's common concept."""
        return self._path("run", run_id, "common", layer, filter_, rank)

    def feature(self, run_id: str, layer: str, filter_: int, relation: str, source: str, rank: int) -> str:
        """Return the IRI of a common feature of a filter: what its tags share by a relation of a source."""
        return self._path("run", run_id, "common", layer, filter_, relation, source, rank)

    def filter_part(self, run_id: str, layer: str, filter_: int, part: int) -> str:
        """Return the IRI of a part of what a filter responds to."""
        return self._path("run", run_id, "part", layer, filter_, part)

    def concept_in_layer(self, run_id: str, layer: str, concept: str) -> str:
        """Return the IRI of a run's findings about a concept in a layer."""
        return self._path("run", run_id, "concept", layer, concept)

    def ablated_class(self, ablation_id: str, class_id: str) -> str:
        """Return the IRI of what an ablation does to a class."""
        return self._path("run", ablation_id, "class", class_id)

    def ablation_change(self, ablation_id: str, scope: str, measure: str) -> str:
        """Return the IRI of how an ablation changes a measure in some classes."""
        return self._path("run", ablation_id, "change", scope, measure)

    def image(self, sha256: str) -> str:
        """Return the IRI of an image file, which its bytes identify, wherever it lies."""
        return self._path("image", sha256)

    def explanation(self, run_id: str, sha256: str, *parts: str) -> str:
        """Return the IRI of a run's explanation of an image, or of a part of it."""
        return self._path("run", run_id, "explanation", sha256, *parts)

    def dataset(self, kg_id: str) -> str:
        """Return the IRI of the KG as a dataset, which is also the name of the graph that describes it."""
        return self._path("dataset", kg_id)

    def dataset_part(self, kg_id: str, *parts: str) -> str:
        """Return the IRI of a part of the KG's description: a file, a link set, the count of a class."""
        return self._path("dataset", kg_id, *parts)

    def agent(self, name: str) -> str:
        """Return the IRI of a person or organisation that is known by name alone."""
        return self._path("agent", name)

    def input(self, kind: str, sha256: str) -> str:
        """Return the IRI of an input of a run: ``images``, ``weights``, a ``profile`` or ``tags``."""
        return self._path(kind, sha256)

    def profile_graph(self, network: str, sha256: str) -> str:
        """Return the name of the graph of what a profile says of a network's filters."""
        return self._path("network", network, "profile", sha256)

    def exemplar(self, network: str, sha256: str, file: str) -> str:
        """Return the IRI of the thumbnail of an exemplar, given the profile's hash and the thumbnail's file name."""
        return self._path("network", network, "profile", sha256, "exemplar", file)

    def visualization(self, network: str, file: str) -> str:
        """Return the IRI of a picture of what a filter looks for, given its file name."""
        return self._path("network", network, "visualization", file)

    def visualizations_graph(self, network: str) -> str:
        """Return the name of the graph of these pictures."""
        return self._path("network", network, "visualizations")

    def concepts_graph(self, source: str) -> str:
        """Return the name of the graph of a concept source."""
        return self._path("graph", "concepts", source)
