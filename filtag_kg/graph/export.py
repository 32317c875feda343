"""Export the graph of a KG in the syntaxes that other tools read."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, cast

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph.kg import KG
from filtag_kg.graph.nquads import Triple
from filtag_kg.graph.vocabulary import PREFIXES

__all__ = ["EXPORT_FORMATS", "export_graph", "turtle_text"]

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
        _serialize(_without_repeats(triples), EXPORT_FORMATS[format_], output)


def turtle_text(triples: Iterable[Triple]) -> str:
    """Return triples as Turtle, sorted, under the vocabulary's prefixes."""
    lines = sorted({f"{s} {p} {o} ." for s, p, o in triples})
    parsed = (quad.triple for quad in ox.parse(input="\n".join(lines), format=ox.RdfFormat.N_TRIPLES))
    turtle = io.BytesIO()
    _serialize(parsed, EXPORT_FORMATS["turtle"], turtle)
    return turtle.getvalue().decode()


def _serialize(triples: Iterable[ox.Triple], format_: ox.RdfFormat, output: BinaryIO) -> None:
    """Write triples, the prefixes in alphabetical order: Oxigraph's own order is another in every process."""
    sample = io.BytesIO()
    node = ox.NamedNode("http://example.org/")
    ox.serialize([ox.Triple(node, node, node)], sample, format=format_, prefixes=PREFIXES)
    header = [line for line in sample.getvalue().splitlines(keepends=True) if line.startswith(b"@prefix")]
    output.writelines(sorted(header))
    body = _Body(output, skip=len(b"".join(header)))
    ox.serialize(triples, cast("IO[bytes]", body), format=format_, prefixes=PREFIXES)


class _Body:
    """A file that passes on what is written to it, but for a header of so many bytes."""

    def __init__(self, output: BinaryIO, *, skip: int) -> None:
        self._output = output
        self._skip = skip

    def write(self, chunk: bytes) -> int:
        self._output.write(chunk[self._skip :])
        self._skip = max(0, self._skip - len(chunk))
        return len(chunk)

    def flush(self) -> None:
        self._output.flush()


def _without_repeats(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    before: ox.Triple | None = None
    for triple in triples:
        if triple != before:
            yield triple
        before = triple
