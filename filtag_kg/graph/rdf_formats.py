"""The RDF formats: their names on the command line and on the web, and how to write triples in each."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

import pyoxigraph as ox

from filtag_kg.graph.jsonld import write_jsonld
from filtag_kg.graph.nquads import Triple
from filtag_kg.graph.vocabulary import PREFIXES
from filtag_kg.graph.xml_text import xml_text


@dataclass(frozen=True, slots=True)
class RdfFormat:
    """An RDF format.

    Parameters
    ----------
    name : str
        On the command line.
    media_types : tuple of str
        On the web, the registered one first.
    """

    name: str
    media_types: tuple[str, ...]
    syntax: ox.RdfFormat


RDF_FORMATS = {
    format_.name: format_
    for format_ in (
        RdfFormat("turtle", ("text/turtle", "application/x-turtle"), ox.RdfFormat.TURTLE),
        RdfFormat("ntriples", ("application/n-triples", "text/plain"), ox.RdfFormat.N_TRIPLES),
        RdfFormat("rdfxml", ("application/rdf+xml", "application/xml", "text/xml"), ox.RdfFormat.RDF_XML),
        RdfFormat("jsonld", ("application/ld+json", "application/json"), ox.RdfFormat.JSON_LD),
        RdfFormat("nquads", ("application/n-quads",), ox.RdfFormat.N_QUADS),
        RdfFormat("trig", ("application/trig", "application/x-trig"), ox.RdfFormat.TRIG),
        RdfFormat("n3", ("text/n3", "text/rdf+n3"), ox.RdfFormat.N3),
    )
}
"""By name, in order of preference."""


def write_triples(triples: Iterable[ox.Triple], format_: str, output: BinaryIO) -> None:
    """Write triples, with the vocabulary's prefixes in alphabetical order.

    Parameters
    ----------
    triples : iterable of Triple
        For JSON-LD, those of one subject together, without blank nodes.
    format_ : str
        One of `RDF_FORMATS`.
    """
    if format_ == "jsonld":
        write_jsonld(triples, output)
        return
    if format_ == "rdfxml":
        triples = map(_with_xml_text, triples)
    _serialize(triples, RDF_FORMATS[format_].syntax, output)


def write_trig(quads: Iterable[ox.Quad], output: BinaryIO) -> None:
    """Write quads as TriG; those of one graph together, or it comes in several blocks."""
    _serialize(quads, ox.RdfFormat.TRIG, output)


def _serialize(statements: Iterable[ox.Triple] | Iterable[ox.Quad], syntax: ox.RdfFormat, output: BinaryIO) -> None:
    # Oxigraph writes the prefixes in an order that differs between processes, so its own header is replaced.
    sample = io.BytesIO()
    node = ox.NamedNode("http://example.org/")
    ox.serialize([ox.Triple(node, node, node)], sample, format=syntax, prefixes=PREFIXES)
    header = [line for line in sample.getvalue().splitlines(keepends=True) if line.startswith(b"@prefix")]
    output.writelines(sorted(header))
    body = _WithoutHeader(output, skip=len(b"".join(header)))
    ox.serialize(statements, cast("IO[bytes]", body), format=syntax, prefixes=PREFIXES)


def turtle_text(triples: Iterable[Triple]) -> str:
    """Return triples as Turtle, sorted."""
    lines = sorted({f"{s} {p} {o} ." for s, p, o in triples})
    parsed = (quad.triple for quad in ox.parse(input="\n".join(lines), format=ox.RdfFormat.N_TRIPLES))
    turtle = io.BytesIO()
    write_triples(parsed, "turtle", turtle)
    return turtle.getvalue().decode()


def _with_xml_text(triple: ox.Triple) -> ox.Triple:
    value = triple.object
    if not isinstance(value, ox.Literal) or xml_text(value.value) == value.value:
        return triple
    kind = {"language": value.language} if value.language else {"datatype": value.datatype}
    return ox.Triple(triple.subject, triple.predicate, ox.Literal(xml_text(value.value), **kind))


class _WithoutHeader:
    """A file that passes on all but the first `skip` bytes written to it."""

    def __init__(self, output: BinaryIO, *, skip: int) -> None:
        self._output = output
        self._skip = skip

    def write(self, chunk: bytes) -> int:
        self._output.write(chunk[self._skip :])
        self._skip = max(0, self._skip - len(chunk))
        return len(chunk)

    def flush(self) -> None:
        self._output.flush()
