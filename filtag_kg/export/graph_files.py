"""Export the whole graph of a KG in an RDF format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO

import pyoxigraph as ox

from filtag_kg.graph import write_trig, write_triples
from filtag_kg.kg import KG, graph_lines, graph_quads, graph_triples


def write_nquads(kg: KG, output: BinaryIO) -> None:
    """Write the graph with its named graphs, as ``graph.nq.gz`` holds it."""
    output.writelines(line.encode() for line in graph_lines(kg.graph_path))


def write_rdf(kg: KG, format_: str, output: BinaryIO) -> None:
    """Write the graph with its named graphs merged, in the order of ``graph.nq.gz``."""
    # The quads are sorted, so equal triples of different graphs are next to each other.
    write_triples(_without_repeats(graph_triples(kg.graph_path)), format_, output)


def write_named_graphs(kg: KG, output: BinaryIO) -> None:
    """Write the graph as TriG: the default graph, then each named graph in one block, in the order of their names."""
    write_trig(_by_graph(kg.graph_path), output)


def _by_graph(path: Path) -> Iterator[ox.Quad]:
    """Yield the quads of a file, those of one graph together.

    The file is sorted by subject: while the default graph, which holds most, passes, the named graphs wait on disk.
    """
    waiting: dict[str, IO[bytes]] = {}
    with ExitStack() as files:
        for quad in graph_quads(path):
            if isinstance(quad.graph_name, ox.DefaultGraph):
                yield quad
                continue
            name = str(quad.graph_name)
            if name not in waiting:
                waiting[name] = files.enter_context(TemporaryFile())
            waiting[name].write(f"{quad} .\n".encode())
        for name in sorted(waiting):
            waiting[name].seek(0)
            yield from ox.parse(input=waiting[name], format=ox.RdfFormat.N_QUADS)


def _without_repeats(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    before: ox.Triple | None = None
    for triple in triples:
        if triple != before:
            yield triple
        before = triple
