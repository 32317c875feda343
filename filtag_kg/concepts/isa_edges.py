"""Which IsA edges of the sources make the hierarchy, and which are left out.

WordNet's hypernyms are a hierarchy; what people told ConceptNet is not: some of it is said by one doubtful game of
words, some leads to phrases that are no concepts (*a good dessert item*), and some goes in circles. All edges between
the same two concepts count together, with the sum of their weights. Left out are

weak     those with a weight below 1, which is less than one contributor's word;
phrases  those to a concept above which nothing is, and whose name has three words or more, or two where it lies above
         one concept alone: such a phrase describes, and puts nothing together;
cycles   those that would close a cycle of edges that come before: the edges of a preferred source before others, then
         the stronger, then in order of their IRIs. So each of them is the weakest of a cycle, and what stays is a
         directed acyclic graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import networkx as nx

    from filtag_kg.concepts.source import Edge

__all__ = ["MIN_WEIGHT", "KeptEdges", "choose_isa_edges", "strong_edges"]

MIN_WEIGHT = 1.0
"""Least weight of what is said of two concepts, by all who say it: one contributor's word."""
_PHRASE = 3

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KeptEdges:
    """The IsA edges of a hierarchy, and those that are left out; all sorted by start, end and source.

    Parameters
    ----------
    kept : tuple of Edge
    weak, phrases, cycles : tuple of Edge
        Left out, by the reason.
    """

    kept: tuple[Edge, ...]
    weak: tuple[Edge, ...]
    phrases: tuple[Edge, ...]
    cycles: tuple[Edge, ...]


def choose_isa_edges(edges: Iterable[Edge], *, label: Callable[[str], str], preference: Sequence[str]) -> KeptEdges:
    """Choose the edges of the hierarchy among what the sources say.

    Parameters
    ----------
    edges : iterable of Edge
        All IsA edges upwards from some concepts, at least.
    label : callable
        The preferred label of a concept, by its IRI.
    preference : sequence of str
        Names of the sources, the preferred first.
    """
    import networkx as nx

    by_pair = _by_pair(edges)
    weak = {pair for pair, said in by_pair.items() if _weight(said) < MIN_WEIGHT or pair[0] == pair[1]}
    graph = nx.DiGraph(sorted(by_pair.keys() - weak))
    phrases = {pair for pair in graph.edges if _is_phrase(pair[1], graph, label)}
    graph.remove_edges_from(phrases)
    rank = {name: place for place, name in enumerate(preference)}

    def order(pair: Pair) -> tuple[int, float, Pair]:
        return min(rank[edge.source] for edge in by_pair[pair]), -_weight(by_pair[pair]), pair

    cycles = _closing_cycles(graph, order)
    left_out = weak | phrases | cycles
    return KeptEdges(
        *(_sorted(by_pair, pairs) for pairs in (by_pair.keys() - left_out, weak, phrases, cycles)),
    )


def strong_edges(edges: Iterable[Edge]) -> list[Edge]:
    """Return the edges between concepts of which enough is said, by start, end and source."""
    by_pair = _by_pair(edges)
    return list(_sorted(by_pair, [pair for pair, said in by_pair.items() if _weight(said) >= MIN_WEIGHT]))


def _by_pair(edges: Iterable[Edge]) -> dict[Pair, list[Edge]]:
    by_pair: dict[Pair, list[Edge]] = {}
    for edge in edges:
        by_pair.setdefault((edge.start, edge.end), []).append(edge)
    return by_pair


def _weight(said: Iterable[Edge]) -> float:
    return sum(edge.weight for edge in said)


def _is_phrase(concept: str, graph: nx.DiGraph[str], label: Callable[[str], str]) -> bool:
    if graph.out_degree(concept):
        return False
    words = len(label(concept).split())
    return words >= _PHRASE or (words == _PHRASE - 1 and graph.in_degree(concept) == 1)


def _closing_cycles(graph: nx.DiGraph[str], order: Callable[[Pair], tuple[int, float, Pair]]) -> set[Pair]:
    """Return the edges to leave out so that no cycle is left."""
    import networkx as nx

    closing = set()
    for component in nx.strongly_connected_components(graph):
        # Each of its nodes lies on a cycle, and no cycle leaves it.
        kept: nx.DiGraph[str] = nx.DiGraph()
        kept.add_nodes_from(component)
        for start, end in sorted(graph.subgraph(component).edges, key=order):
            if nx.has_path(kept, end, start):
                closing.add((start, end))
            else:
                kept.add_edge(start, end)
    return closing


def _sorted(by_pair: dict[Pair, list[Edge]], pairs: Iterable[Pair]) -> tuple[Edge, ...]:
    found = [edge for pair in pairs for edge in by_pair[pair]]
    return tuple(sorted(found, key=_order))


def _order(edge: Edge) -> tuple[str, str, str, str, str, float]:
    return edge.start, edge.end, edge.source, edge.dataset, edge.licence, edge.weight
