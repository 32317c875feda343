"""Which IsA edges of the sources form the hierarchy, and which are left out.

WordNet's hypernyms are a hierarchy. What people told ConceptNet is not: some edges come from one doubtful word game,
some lead to phrases that are not concepts (*a good dessert item*), and some form cycles. All edges between the same two
concepts count together, with the sum of their weights. Left out are

weak     those with a weight below 1, which is less than one contributor's word;
phrases  those to a concept with nothing above it whose name has three words or more, or two if it lies above only one
         concept: such a phrase describes and groups nothing;
cycles   those that would close a cycle. Edges are added in order: those of a preferred source first, then the stronger,
         then by IRI. So each edge left out is the weakest of a cycle, and the rest is a directed acyclic graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import networkx as nx

    from filtag_kg.concepts.source import Edge

MIN_WEIGHT = 1.0
"""Least weight of all edges between two concepts: one contributor's word."""
_WORDS_OF_A_PHRASE = 3

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KeptEdges:
    """The IsA edges of a hierarchy and those left out, sorted by start, end and source.

    Parameters
    ----------
    weak, phrases, cycles : tuple of Edge
        Left out, by reason.
    """

    kept: tuple[Edge, ...]
    weak: tuple[Edge, ...]
    phrases: tuple[Edge, ...]
    cycles: tuple[Edge, ...]


def choose_isa_edges(edges: Iterable[Edge], *, label: Callable[[str], str], preference: Sequence[str]) -> KeptEdges:
    """Choose the edges of the hierarchy among those of the sources.

    Parameters
    ----------
    edges : iterable of Edge
        At least all IsA edges upwards from some concepts.
    label : callable
        The preferred label of a concept, by its IRI.
    preference : sequence of str
        Names of the sources, the preferred first.
    """
    import networkx as nx

    by_pair = _by_pair(edges)
    weak = {pair for pair, edges in by_pair.items() if _weight(edges) < MIN_WEIGHT or pair[0] == pair[1]}
    graph = nx.DiGraph(sorted(by_pair.keys() - weak))
    phrases = {pair for pair in graph.edges if _is_phrase(pair[1], graph, label)}
    graph.remove_edges_from(phrases)
    rank = {name: index for index, name in enumerate(preference)}

    def order(pair: Pair) -> tuple[int, float, Pair]:
        return min(rank[edge.source] for edge in by_pair[pair]), -_weight(by_pair[pair]), pair

    cycles = _closing_cycles(graph, order)
    left_out = weak | phrases | cycles
    return KeptEdges(
        *(_sorted(by_pair, pairs) for pairs in (by_pair.keys() - left_out, weak, phrases, cycles)),
    )


def strong_edges(edges: Iterable[Edge]) -> list[Edge]:
    """Return the edges between pairs of concepts that have enough weight together, by start, end and source."""
    by_pair = _by_pair(edges)
    return list(_sorted(by_pair, [pair for pair, edges in by_pair.items() if _weight(edges) >= MIN_WEIGHT]))


def _by_pair(edges: Iterable[Edge]) -> dict[Pair, list[Edge]]:
    by_pair: dict[Pair, list[Edge]] = {}
    for edge in edges:
        by_pair.setdefault((edge.start, edge.end), []).append(edge)
    return by_pair


def _weight(edges: Iterable[Edge]) -> float:
    return sum(edge.weight for edge in edges)


def _is_phrase(concept: str, graph: nx.DiGraph[str], label: Callable[[str], str]) -> bool:
    if graph.out_degree(concept):
        return False
    words = len(label(concept).split())
    return words >= _WORDS_OF_A_PHRASE or (words == _WORDS_OF_A_PHRASE - 1 and graph.in_degree(concept) == 1)


def _closing_cycles(graph: nx.DiGraph[str], order: Callable[[Pair], tuple[int, float, Pair]]) -> set[Pair]:
    """Return edges without which there is no cycle."""
    import networkx as nx

    closing = set()
    for component in nx.strongly_connected_components(graph):
        # Every cycle lies in one component.
        acyclic: nx.DiGraph[str] = nx.DiGraph()
        acyclic.add_nodes_from(component)
        for start, end in sorted(graph.subgraph(component).edges, key=order):
            if nx.has_path(acyclic, end, start):
                closing.add((start, end))
            else:
                acyclic.add_edge(start, end)
    return closing


def _sorted(by_pair: dict[Pair, list[Edge]], pairs: Iterable[Pair]) -> tuple[Edge, ...]:
    return tuple(sorted((edge for pair in pairs for edge in by_pair[pair]), key=_order))


def _order(edge: Edge) -> tuple[str, str, str, str, str, float]:
    return edge.start, edge.end, edge.source, edge.dataset, edge.licence, edge.weight
