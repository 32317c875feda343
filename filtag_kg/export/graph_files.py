"""Export the whole graph of a KG in an RDF format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyoxigraph as ox

from filtag_kg.graph import write_triples
from filtag_kg.kg import KG, graph_lines, graph_triples


def write_nquads(kg: KG, output: BinaryIO) -> None:
    """Write the graph with its named graphs, as ``graph.nq.gz`` holds it."""
    output.writelines(line.encode() for line in graph_lines(kg.graph_path))


def write_rdf(kg: KG, format_: str, output: BinaryIO) -> None:
    """Write the graph with its named graphs merged, in the order of ``graph.nq.gz``."""
    # The quads are sorted, so equal triples of different graphs are next to each other.
    write_triples(_without_repeats(graph_triples(kg.graph_path)), format_, output)


def _without_repeats(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    before: ox.Triple | None = None
    for triple in triples:
        if triple != before:
            yield triple
        before = triple
