"""The concepts of a KG: names, broader and narrower concepts, features, and the classes linked to them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import TypeVar
from urllib.parse import unquote

from filtag_kg.concepts import Link, Links
from filtag_kg.graph import FEATURE_TERMS
from filtag_kg.query import LocalEndpoint

_T = TypeVar("_T")

RELATION_TEXTS = {
    "IsA": "is a",
    "HasA": "has",
    "MadeOf": "made of",
    "UsedFor": "used to",
    "HasProperty": "is",
    "AtLocation": "found in",
    "CapableOf": "can",
}
"""Each relation in words."""


def statement_text(relation: str, label: str) -> str:
    """Return what is said of a thing that has a feature: "has wing", "is an animal"."""
    article = "n" if relation == "IsA" and label[:1].lower() in tuple("aeiou") else ""
    return f"{RELATION_TEXTS.get(relation, relation)}{article} {label}"


SOURCE_TEXTS = {
    "wordnet": "WordNet",
    "conceptnet": "ConceptNet",
    "conceptnet-dump": "ConceptNet (dump)",
    "conceptnet-api": "ConceptNet (service)",
}
"""Each concept source's name for people."""

_NAMES = """SELECT ?concept ?property ?name WHERE {
  VALUES ?property { skos:prefLabel skos:altLabel flt:conceptNetTerm }
  ?concept a skos:Concept ; ?property ?name
  FILTER NOT EXISTS { ?concept a flt:ClassLabel }
} ORDER BY ?concept ?property ?name"""
_BROADER = "SELECT DISTINCT ?narrower ?broader WHERE { ?narrower skos:broader ?broader } ORDER BY ?narrower ?broader"
_FEATURES = f"""SELECT DISTINCT ?property ?s ?o ?graph WHERE {{
  VALUES ?property {{ {" ".join(FEATURE_TERMS.values())} }}
  GRAPH ?graph {{ ?s ?property ?o }}
}} ORDER BY ?property ?s ?o ?graph"""
_CLASSES = """SELECT ?id ?label WHERE { ?class a flt:ClassLabel ; skos:notation ?id ; skos:prefLabel ?label }
ORDER BY ?id ?label"""
# By IRI: the best link of a class comes first.
_LINKS = """SELECT ?id ?concept ?predicate ?justification ?confidence ?text ?modifier WHERE {
  ?link a flt:ConceptLink ; sssom:subject_id ?class ; sssom:object_id ?concept ; sssom:predicate_id ?predicate ;
    sssom:mapping_justification ?justification ; sssom:confidence ?confidence .
  ?class skos:notation ?id
  OPTIONAL { ?link sssom:match_string ?text }
  OPTIONAL { ?link sssom:predicate_modifier ?modifier }
} ORDER BY ?id ?link"""


@dataclass(frozen=True, slots=True)
class Step:
    """A concept on the path from a tag to a common concept."""

    concept: str
    label: str


@dataclass(frozen=True, slots=True)
class Feature:
    """What the things of a concept have, are made of and so on.

    Parameters
    ----------
    relation : str
        *HasA*, *MadeOf*, …
    concept, label : str
        What they have.
    source : str
        Name of the concept source that says so.
    """

    relation: str
    concept: str
    label: str
    source: str


@dataclass(frozen=True, eq=False)
class ConceptGraph:
    """The concepts above the classes of a KG, and the classes.

    Parameters
    ----------
    labels : mapping of IRI to preferred label
    alt_labels, terms : mapping of IRI to tuple of str
        Other names, and IRIs of ConceptNet terms.
    parents, children : mapping of IRI to tuple of IRIs
        Directly above and below, sorted.
    features : mapping of IRI to tuple of Feature
        The concept's own, not its ancestors'.
    class_ids, class_labels : tuple of str, of length n_classes
        By id.
    class_concepts : tuple of (tuple of IRIs), of length n_classes
        What each class is linked to, the best first: several where its label is a description or a formula.
    confidences : tuple of (tuple of float), of length n_classes
        Of these links.
    links : Links
        All that the links say, with what labels exclude: *dog AND NOT poodle*.
    above : mapping of IRI to tuple of IRIs
        For each concept at or above a class: itself and all concepts above it, the nearest first; ties by IRI.
    classes_below : mapping of IRI to tuple of int
        Indices of the classes at or below each concept.
    """

    labels: Mapping[str, str]
    alt_labels: Mapping[str, tuple[str, ...]]
    terms: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]
    children: Mapping[str, tuple[str, ...]]
    features: Mapping[str, tuple[Feature, ...]]
    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    class_concepts: tuple[tuple[str, ...], ...]
    confidences: tuple[tuple[float, ...], ...]
    links: Links
    above: Mapping[str, tuple[str, ...]]
    classes_below: Mapping[str, tuple[int, ...]]

    def label(self, concept: str) -> str:
        """Return a concept's preferred label; its IRI where it has none."""
        return self.labels.get(concept, concept)

    def path(self, concept: str, common: str, family: tuple[str, str] | None = None) -> tuple[Step, ...]:
        """Return the shortest path up from a concept to a common one, with both ends; empty if there is none.

        Of ways of the same length, that by the lower IRIs.

        Parameters
        ----------
        family : (relation, source), optional
            Of a feature: the way ends at the nearest concept whose things are said to have it. Left out for a kind.
        """
        key = concept, common, family
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = tuple(Step(each, self.label(each)) for each in self._way(*key))
        return way

    def path_of_class(self, class_: int, common: str, family: tuple[str, str] | None = None) -> tuple[Step, ...]:
        """Return the path up from the first of a class's concepts that has one; parameters as in `path`."""
        paths = (self.path(concept, common, family) for concept in self.class_concepts[class_])
        return next(filter(None, paths), ())

    def features_of_class(self, class_: int) -> frozenset[Feature]:
        """Return the features of all concepts of a class, as `features_above`."""
        return frozenset[Feature]().union(*map(self.features_above, self.class_concepts[class_]))

    def features_above(self, concept: str) -> frozenset[Feature]:
        """Return the features of a concept and those that it inherits: all but stated kinds."""
        features = self._features_above.get(concept)
        if features is None:
            features = self._features_above[concept] = frozenset(
                feature
                for each in self.above[concept]
                for feature in self.features.get(each, ())
                if each == concept or feature.relation != "IsA"
            )
        return features

    @cached_property
    def classes_with_feature(self) -> Counter[Feature]:
        """How many classes have each feature, their own or inherited."""
        classes = range(len(self.class_ids))
        return Counter(feature for class_ in classes for feature in self.features_of_class(class_))

    def _way(self, concept: str, common: str, family: tuple[str, str] | None) -> list[str]:
        wanted = {common} if family is None else self._bearers.get((*family, common), frozenset())
        if family is not None and family[0] == "IsA":
            # A stated kind is that of the class's own concept alone.
            return [concept] if concept in wanted else []
        above = self.above.get(concept)
        # Most questions are about a concept that is not above at all.
        if above is not None and wanted.isdisjoint(above):
            return []
        below: dict[str, str | None] = {concept: None}
        waiting = deque([concept])
        while waiting:
            reached = waiting.popleft()
            if reached in wanted:
                way = [reached]
                while (here := below[way[-1]]) is not None:
                    way.append(here)
                return way[::-1]
            for parent in self.parents.get(reached, ()):
                if parent not in below:
                    below[parent] = reached
                    waiting.append(parent)
        return []

    @cached_property
    def _bearers(self) -> dict[tuple[str, str, str], frozenset[str]]:
        """The concepts that have a feature, by its relation, source and concept."""
        bearers: dict[tuple[str, str, str], set[str]] = {}
        for concept, features in self.features.items():
            for feature in features:
                bearers.setdefault((feature.relation, feature.source, feature.concept), set()).add(concept)
        return {key: frozenset(concepts) for key, concepts in bearers.items()}

    # Caches: many filters share tags.

    @cached_property
    def _ways(self) -> dict[tuple[str, str, tuple[str, str] | None], tuple[Step, ...]]:
        return {}

    @cached_property
    def _features_above(self) -> dict[str, frozenset[Feature]]:
        return {}


def read_concepts(endpoint: LocalEndpoint) -> ConceptGraph:
    """Read the concepts of a KG, and its classes with their links."""
    labels: dict[str, str] = {}
    others: dict[str, dict[str, list[str]]] = {"altLabel": {}, "conceptNetTerm": {}}
    for concept, property_, name in endpoint.ask(_NAMES).values():
        if property_.endswith("prefLabel"):
            labels.setdefault(concept, name)
        else:
            others[property_.rpartition("#")[2]].setdefault(concept, []).append(name)
    parents: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    for narrower, broader in endpoint.ask(_BROADER).values():
        parents.setdefault(narrower, []).append(broader)
        children.setdefault(broader, []).append(narrower)
    features: dict[str, list[Feature]] = {}
    relations = {term.partition(":")[2]: relation for relation, term in FEATURE_TERMS.items()}
    for property_, subject, object_, graph in endpoint.ask(_FEATURES).values():
        relation = relations[property_.rpartition("#")[2]]
        bearer, other = (object_, subject) if relation == "HasA" else (subject, object_)
        features.setdefault(bearer, []).append(
            Feature(relation, other, labels.get(other, other), unquote(graph.rpartition("/")[2]))
        )
    class_labels: dict[str, str] = {}
    for class_id, label in endpoint.ask(_CLASSES).values():
        class_labels.setdefault(class_id, label)
    all_links = _read_links(endpoint, class_labels, labels)
    links = {
        class_id: {
            concept: max(link.confidence for link in all_links.of(class_id) if link.concept == concept)
            for concept in all_links.concepts(class_id)
        }
        for class_id in class_labels
    }
    linked = dict.fromkeys(chain.from_iterable(links.values()))
    above = {concept: _upwards(concept, parents) for concept in linked}
    below: dict[str, list[int]] = {}
    for index, of_class in enumerate(links.values()):
        for each in dict.fromkeys(reached for concept in of_class for reached in above[concept]):
            below.setdefault(each, []).append(index)
    above |= {concept: _upwards(concept, parents) for concept in below if concept not in above}
    return ConceptGraph(
        labels=labels,
        alt_labels=_tuples(others["altLabel"]),
        terms=_tuples(others["conceptNetTerm"]),
        parents=_tuples(parents),
        children=_tuples(children),
        features={
            concept: tuple(sorted(of_concept, key=attrgetter("relation", "label", "concept", "source")))
            for concept, of_concept in features.items()
        },
        class_ids=tuple(class_labels),
        class_labels=tuple(class_labels.values()),
        class_concepts=tuple(map(tuple, links.values())),
        confidences=tuple(tuple(of_class.values()) for of_class in links.values()),
        links=all_links,
        above=above,
        classes_below=_tuples(below),
    )


def _read_links(endpoint: LocalEndpoint, class_labels: Mapping[str, str], labels: Mapping[str, str]) -> Links:
    found: dict[tuple[str, str, str], Link] = {}
    for class_id, concept, predicate, justification, confidence, text, modifier in endpoint.ask(_LINKS).values():
        link = Link(
            class_id=class_id,
            class_label=class_labels[class_id],
            concept=concept,
            label=labels.get(concept, concept),
            confidence=float(confidence),
            justification=f"semapv:{justification.rpartition('/')[2]}",
            predicate=f"skos:{predicate.rpartition('#')[2]}",
            text=text or "",
            negated=bool(modifier),
        )
        found.setdefault((class_id, concept, link.text), link)
    return Links(tuple(class_labels), tuple(class_labels.values()), tuple(found.values()))


def _upwards(concept: str, parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return a concept and all above it, the nearest first."""
    reached = {concept: None}
    waiting = deque([concept])
    while waiting:
        for parent in parents.get(waiting.popleft(), ()):
            if parent not in reached:
                reached[parent] = None
                waiting.append(parent)
    return tuple(reached)


def _tuples(lists: Mapping[str, list[_T]]) -> dict[str, tuple[_T, ...]]:
    return {key: tuple(values) for key, values in lists.items()}
