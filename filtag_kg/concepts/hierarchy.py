"""The IsA hierarchy above the linked classes of a run, and the features of its concepts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.familiarity import plainly_named
from filtag_kg.concepts.features import Features, stated_features, wordnet_features
from filtag_kg.concepts.isa_edges import KeptEdges, choose_isa_edges
from filtag_kg.concepts.source import FEATURES
from filtag_kg.concepts.stated_kinds import kind_edges, stated_kinds
from filtag_kg.concepts.wordnet import WordNet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.links import Links
    from filtag_kg.concepts.source import Concept, ConceptSource, Edge


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
        Whether a concept of the class is the concept or lies below it; all false for a class without a link. What a
        label excludes (*dog AND NOT poodle*) is no concept of the class.
    linked : bool array of shape (n_classes, n_concepts)
        Whether a concept of the class is the concept.
    source : str
        Name of the source that the concepts are from. Kinds of other sources are features.
    edges : tuple of Edge
        The IsA edges of the hierarchy.
    features : tuple of Features
        By relation, *IsA* first, then by source.
    left_out : KeptEdges
        IsA edges that are not part of it, and why.
    excluded : tuple of Concept
        What labels exclude and no class is; sorted by IRI.
    """

    class_ids: tuple[str, ...]
    concepts: tuple[Concept, ...]
    parents: Mapping[str, tuple[str, ...]]
    below: NDArray[np.bool_]
    linked: NDArray[np.bool_]
    source: str
    edges: tuple[Edge, ...]
    features: tuple[Features, ...]
    left_out: KeptEdges
    excluded: tuple[Concept, ...] = ()

    def described(self) -> list[Concept]:
        """Return the concepts of the hierarchy, those of its features and those that labels exclude, sorted by IRI."""
        features = (others for features in self.features for others in features.of.values())
        by_iri = {concept.id: concept for concept in (*chain.from_iterable(features), *self.excluded, *self.concepts)}
        return [by_iri[iri] for iri in sorted(by_iri)]

    def ancestors(self, concept_id: str) -> tuple[str, ...]:
        """Return the concepts strictly above one of the hierarchy, sorted by IRI."""
        return tuple(sorted(_reached(concept_id, self.parents) - {concept_id}))

    def trace(self, concept_id: str, common: str, features: Features | None = None) -> tuple[Edge, ...]:
        """Return the edges that connect a concept to one that it is, or has, in common with others.

        Parameters
        ----------
        concept_id : str
            IRI of a concept of the hierarchy: what a tag is linked to.
        common : str
            IRI of the common concept.
        features : Features, optional
            Those that the common concept is one of, which any concept above may have; else it is a kind.

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
        own = [] if features is None else [edge for edge in features.edges if edge.end == common]
        bearers = {common} if features is None else {edge.start for edge in own}
        below = {concept_id: ""}
        waiting = [concept_id]
        for reached in waiting:
            if reached in bearers:
                return (*self._chain(reached, below), *(edge for edge in own if edge.start == reached))
            for parent in self.parents[reached] if features is None or features.inherited else ():
                if parent not in below:
                    below[parent] = reached
                    waiting.append(parent)
        raise ValueError(f"{concept_id} is not connected to {common}")

    def _chain(self, top: str, below: Mapping[str, str]) -> Iterator[Edge]:
        steps = []
        while below[top]:
            steps.append((below[top], top))
            top = below[top]
        for step in reversed(steps):
            yield from (edge for edge in self.edges if (edge.start, edge.end) == step)


def build_hierarchy(links: Links, source: ConceptSource) -> Hierarchy:
    """Collect the concepts at or above the linked classes of a run, and their features in all sources."""
    import networkx as nx

    first, *others = source.members
    linked = sorted({link.concept for link in links.links if not link.negated})
    chosen = choose_isa_edges(
        _upwards(linked, source) if first.climbs else _one_step(links, source),
        label=lambda concept_id: source.concept(concept_id).label,
        preference=[member.name for member in source.members],
    )
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(linked)
    graph.add_edges_from((edge.start, edge.end) for edge in chosen.kept)
    # Without the edges left out, some concepts may no longer lie above a class.
    above = {concept: nx.descendants(graph, concept) for concept in graph}
    graph = graph.subgraph(set(linked).union(*(above[concept] for concept in linked)))
    concepts = sorted(graph)
    column = {concept_id: index for index, concept_id in enumerate(concepts)}
    below, is_linked = np.zeros((2, len(links.class_ids), len(concepts)), dtype=np.bool_)
    for row, class_id in enumerate(links.class_ids):
        for concept in links.concepts(class_id):
            is_linked[row, column[concept]] = True
            below[row, [column[each] for each in (concept, *above[concept])]] = True
    kinds = [features for member in others for features in stated_kinds(links, source, member)]
    ancestors = {concept: sorted(above[concept]) for concept in concepts}
    features = [features for member in source.members for features in _features(ancestors, source, member)]
    return Hierarchy(
        class_ids=links.class_ids,
        concepts=tuple(_named(source.concept(concept), is_linked=concept in linked) for concept in concepts),
        parents={concept_id: tuple(sorted(graph.successors(concept_id))) for concept_id in concepts},
        below=below,
        linked=is_linked,
        source=first.name,
        edges=tuple(edge for edge in chosen.kept if edge.start in column and edge.end in column),
        features=(*kinds, *sorted(features, key=lambda features: FEATURES.index(features.relation))),
        left_out=chosen,
        excluded=tuple(map(source.concept, sorted({link.concept for link in links.links} - set(column)))),
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


def _one_step(links: Links, source: ConceptSource) -> Iterator[Edge]:
    """Yield the IsA edges from linked concepts to their stated kinds."""
    for link in links.links:
        words = [link.text or link.class_label]
        for edge, _ in () if link.negated else kind_edges(source.concept(link.concept), words, source.members[0]):
            if edge.end != link.concept:
                yield replace(edge, start=link.concept)


def _named(concept: Concept, *, is_linked: bool) -> Concept:
    # The concept of a class keeps the name that its link gives.
    return concept if is_linked else plainly_named(concept)


def _features(ancestors: Mapping[str, Sequence[str]], source: ConceptSource, member: ConceptSource) -> list[Features]:
    if isinstance(member, WordNet):
        return wordnet_features([concept for concept in ancestors if _is_of(concept, member)], member)
    return stated_features(ancestors, source, member)


def _is_of(concept: str, wordnet: WordNet) -> bool:
    try:
        wordnet.concept(concept)
    except KeyError:
        return False
    return True


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
