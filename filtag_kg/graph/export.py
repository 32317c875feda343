"""Export the graph of a KG in the syntaxes that other tools read."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, cast

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph.kg import KG
from filtag_kg.graph.vocabulary import PREFIXES

__all__ = ["EXPORT_FORMATS", "export_graph"]

EXPORT_FORMATS = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "nquads": ox.RdfFormat.N_QUADS,
}


def export_graph(kg: KG, format_: str, output: BinaryIO) -> None:
    """Write the graph of a KG, piece by piece, sorted as ``graph.nq.gz`` is.

    Turtle and N-Triples merge the named graphs: a triple that two of them hold is written once.

    Parameters
    ----------
    kg : KG
    format_ : {"turtle", "ntriples", "nquads"}
    output : binary file

    Raises
    ------
    FiltagError
        If the format is not one of these.
    """
    if format_ not in EXPORT_FORMATS:
        raise FiltagError(f"no export format {format_!r}: choose one of {', '.join(EXPORT_FORMATS)}")
    with gzip.open(kg.graph_path) as file:
        if format_ == "nquads":
            shutil.copyfileobj(file, output)
            return
        # Sorted quads put equal triples of different graphs next to each other.
        triples = (quad.triple for quad in ox.parse(input=cast("IO[bytes]", file), format=ox.RdfFormat.N_QUADS))
        ox.serialize(_without_repeats(triples), output, format=EXPORT_FORMATS[format_], prefixes=PREFIXES)


def _without_repeats(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    before: ox.Triple | None = None
    for triple in triples:
        if triple != before:
            yield triple
        before = triple
