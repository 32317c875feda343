"""Export the graph of a KG in the syntaxes that other tools read."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, cast

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph.as_networkx import write_graphml
from filtag_kg.graph.jsonld import write_jsonld
from filtag_kg.graph.kg import KG
from filtag_kg.graph.nquads import Triple
from filtag_kg.graph.store import graph_lines, graph_triples
from filtag_kg.graph.tables import write_csv, write_links, write_parquet
from filtag_kg.graph.vocabulary import PREFIXES
from filtag_kg.graph.xml_text import xml_text

__all__ = ["EXPORT_FORMATS", "export_graph", "turtle_text", "write_triples"]

EXPORT_FORMATS = (
    "turtle",
    "ntriples",
    "nquads",
    "jsonld",
    "rdfxml",
    "sssom",
    "csv",
    "parquet",
    "graphml",
)
_SYNTAXES = {"turtle": ox.RdfFormat.TURTLE, "ntriples": ox.RdfFormat.N_TRIPLES}


def export_graph(kg: KG, format_: str, output: BinaryIO, *, table: str = "tags") -> None:
    """Write a KG for other tools: piece by piece, but for GraphML.

    Parameters
    ----------
    kg : KG
    format_ : str
        Of the whole graph: ``nquads``, with its named graphs; ``turtle``, ``ntriples``, ``jsonld`` or ``rdfxml``, where
        they are merged and a triple that two of them hold is written once, sorted as ``graph.nq.gz`` is. Of its
        filters, classes and concepts as nodes and edges: ``graphml``. Of parts: ``sssom``, the links of classes to
        concepts; ``csv`` or ``parquet``, a table.
    output : binary file
    table : {"tags", "common"}
        Which table.

    Raises
    ------
    FiltagError
        If there is no such format or table, a package that it needs is not installed, or the KG is damaged.
    """
    if format_ == "nquads":
        output.writelines(line.encode() for line in graph_lines(kg.graph_path))
    elif format_ in _SYNTAXES:
        write_triples(_triples(kg), _SYNTAXES[format_], output)
    elif format_ == "jsonld":
        write_jsonld(_triples(kg), output)
    elif format_ == "rdfxml":
        triples = map(_for_xml, _triples(kg))
        ox.serialize(triples, cast("IO[bytes]", output), format=ox.RdfFormat.RDF_XML, prefixes=PREFIXES)
    elif format_ == "sssom":
        write_links(kg, output)
    elif format_ == "csv":
        write_csv(kg, table, output)
    elif format_ == "parquet":
        write_parquet(kg, table, output)
    elif format_ == "graphml":
        write_graphml(kg, output)
    else:
        raise FiltagError(f"no export format {format_!r}: choose one of {', '.join(EXPORT_FORMATS)}")


def _triples(kg: KG) -> Iterator[ox.Triple]:
    # Sorted quads put equal triples of different graphs next to each other.
    yield from _without_repeats(graph_triples(kg.graph_path))


def _for_xml(triple: ox.Triple) -> ox.Triple:
    value = triple.object
    if not isinstance(value, ox.Literal) or xml_text(value.value) == value.value:
        return triple
    kind = {"language": value.language} if value.language else {"datatype": value.datatype}
    written = ox.Literal(xml_text(value.value), **kind)
    return ox.Triple(triple.subject, triple.predicate, written)


def turtle_text(triples: Iterable[Triple]) -> str:
    """Return triples as Turtle, sorted, under the vocabulary's prefixes."""
    lines = sorted({f"{s} {p} {o} ." for s, p, o in triples})
    parsed = (quad.triple for quad in ox.parse(input="\n".join(lines), format=ox.RdfFormat.N_TRIPLES))
    turtle = io.BytesIO()
    write_triples(parsed, ox.RdfFormat.TURTLE, turtle)
    return turtle.getvalue().decode()


def write_triples(triples: Iterable[ox.Triple], format_: ox.RdfFormat, output: BinaryIO) -> None:
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
