"""The IsA hierarchy above the linked classes of a run, and the features of its concepts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.isa_edges import KeptEdges, choose_isa_edges, strong_edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import networkx as nx
    from numpy.typing import NDArray

    from filtag_kg.concepts.links import Links
    from filtag_kg.concepts.source import Concept, ConceptSource, Edge

FEATURES = ("HasA", "MadeOf", "UsedFor", "HasProperty", "AtLocation")
"""Relations from things of a kind to what they have; *HasA* includes *PartOf*, reversed."""


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The concepts that classes link to and all concepts above those: a directed acyclic graph.

    Parameters
    ----------
    class_ids : tuple of str, of length n_classes
        Every class of the run, linked or not.
    concepts : tuple of Concept, of length n_concepts
        Sorted by IRI.
    parents : mapping of str to tuple of str
        The concepts directly above each concept, by IRI, sorted.
    below : bool array of shape (n_classes, n_concepts)
        Whether the class's concept is the concept or lies below it; all false for a class without a link.
    features : mapping of str to mapping of str to tuple of Concept
        By relation of `FEATURES` and concept of the hierarchy: what its things have, are made of and so on, sorted by
        IRI. Features inherited from ancestors are not repeated. They need not be in the hierarchy themselves.
    edges : tuple of Edge
        From the sources: the IsA edges of the hierarchy, then those of the features.
    left_out : KeptEdges
        IsA edges that are not part of it, and why.
    """

    class_ids: tuple[str, ...]
    concepts: tuple[Concept, ...]
    parents: Mapping[str, tuple[str, ...]]
    below: NDArray[np.bool_]
    features: Mapping[str, Mapping[str, tuple[Concept, ...]]]
    edges: tuple[Edge, ...]
    left_out: KeptEdges

    def described(self) -> list[Concept]:
        """Return the concepts of the hierarchy and those of its features, sorted by IRI."""
        features = (others for by_concept in self.features.values() for others in by_concept.values())
        by_iri = {concept.id: concept for concept in (*chain.from_iterable(features), *self.concepts)}
        return [by_iri[iri] for iri in sorted(by_iri)]

    def ancestors(self, concept_id: str) -> tuple[str, ...]:
        """Return the concepts strictly above one of the hierarchy, sorted by IRI."""
        return tuple(sorted(_reached(concept_id, self.parents) - {concept_id}))

    def trace(self, concept_id: str, common: str, relation: str = "IsA") -> tuple[Edge, ...]:
        """Return the edges that connect a concept to one that it is, or has, in common with others.

        Parameters
        ----------
        concept_id : str
            IRI of a concept of the hierarchy: what a tag is linked to.
        common : str
            IRI of the common concept.
        relation : str
            *IsA*, or the relation of a common feature, which any concept above may have.

        Returns
        -------
        tuple of Edge
            The shortest chain of IsA edges upwards, and for a feature the edges that give it to the concept at the end
            of the chain. A step is all edges between two concepts. Nothing if the two concepts are one.

        Raises
        ------
        ValueError
            If nothing connects them.
        """
        bearers = {common} if relation == "IsA" else self._bearers(common, relation)
        below = {concept_id: ""}
        waiting = [concept_id]
        for reached in waiting:
            if reached in bearers:
                own = [
                    edge for edge in self.edges if edge.relation != "IsA" and _gives(edge, reached, common, relation)
                ]
                return (*self._chain(reached, below), *own)
            for parent in self.parents[reached]:
                if parent not in below:
                    below[parent] = reached
                    waiting.append(parent)
        raise ValueError(f"{concept_id} is not connected to {common} by {relation}")

    def _bearers(self, feature: str, relation: str) -> set[str]:
        by_concept = self.features.get(relation, {})
        return {concept for concept, features in by_concept.items() if any(other.id == feature for other in features)}

    def _chain(self, top: str, below: Mapping[str, str]) -> Iterator[Edge]:
        steps = []
        while below[top]:
            steps.append((below[top], top))
            top = below[top]
        for step in reversed(steps):
            yield from (edge for edge in self.edges if edge.relation == "IsA" and (edge.start, edge.end) == step)


def build_hierarchy(links: Links, source: ConceptSource) -> Hierarchy:
    """Collect the concepts at or above the linked classes of a run, and their features."""
    import networkx as nx

    linked = sorted({link.concept for link in links.values()})
    chosen = choose_isa_edges(
        _upwards(linked, source),
        label=lambda concept_id: source.concept(concept_id).label,
        preference=[member.name for member in source.members],
    )
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(linked)
    graph.add_edges_from((edge.start, edge.end) for edge in chosen.kept)
    # Without the edges left out, some concepts may no longer lie above a class.
    graph = graph.subgraph({above for concept in linked for above in {concept} | nx.descendants(graph, concept)})
    concepts = sorted(graph)
    column = {concept_id: index for index, concept_id in enumerate(concepts)}
    below = np.zeros((len(links.class_ids), len(concepts)), dtype=np.bool_)
    for row, class_id in enumerate(links.class_ids):
        if class_id in links:
            below[row, column[links[class_id].concept]] = True
    for concept_id in nx.topological_sort(graph):
        for parent in graph.successors(concept_id):
            below[:, column[parent]] |= below[:, column[concept_id]]
    feature_edges = {relation: _feature_edges(concepts, relation, source) for relation in FEATURES}
    return Hierarchy(
        class_ids=links.class_ids,
        concepts=tuple(map(source.concept, concepts)),
        parents={concept_id: tuple(sorted(graph.successors(concept_id))) for concept_id in concepts},
        below=below,
        features={relation: _by_concept(edges, source) for relation, edges in feature_edges.items() if edges},
        edges=(
            *(edge for edge in chosen.kept if edge.start in column and edge.end in column),
            *chain.from_iterable(feature_edges.values()),
        ),
        left_out=chosen,
    )


def _upwards(concepts: Iterable[str], source: ConceptSource) -> Iterator[Edge]:
    """Yield all IsA edges that lead upwards from concepts, directly or through others."""
    waiting = list(concepts)
    seen = set(waiting)
    for concept_id in waiting:
        for edge in source.edges(concept_id, "IsA"):
            yield edge
            if edge.end not in seen:
                seen.add(edge.end)
                waiting.append(edge.end)


def _feature_edges(concepts: Iterable[str], relation: str, source: ConceptSource) -> list[Edge]:
    """Return the edges of a relation from concepts; for *HasA* also the *PartOf* edges to them."""
    edges = [edge for concept_id in concepts for edge in source.edges(concept_id, relation)]
    if relation == "HasA":
        edges += [edge for concept_id in concepts for edge in source.edges(concept_id, "PartOf", incoming=True)]
    return strong_edges(edges)


def _by_concept(edges: Iterable[Edge], source: ConceptSource) -> dict[str, tuple[Concept, ...]]:
    features: dict[str, set[str]] = {}
    for edge in edges:
        concept, feature = (edge.end, edge.start) if edge.relation == "PartOf" else (edge.start, edge.end)
        features.setdefault(concept, set()).add(feature)
    return {concept: tuple(map(source.concept, sorted(others))) for concept, others in sorted(features.items())}


def _gives(edge: Edge, concept: str, feature: str, relation: str) -> bool:
    if edge.relation == "PartOf":
        return relation == "HasA" and (edge.start, edge.end) == (feature, concept)
    return edge.relation == relation and (edge.start, edge.end) == (concept, feature)


def _reached(start: str, parents: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return a concept and all concepts above it."""
    reached = {start}
    waiting = [start]
    while waiting:
        for parent in parents[waiting.pop()]:
            if parent not in reached:
                reached.add(parent)
                waiting.append(parent)
    return reached
