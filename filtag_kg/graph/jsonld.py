"""JSON-LD with a context, written subject by subject."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import BinaryIO

import pyoxigraph as ox

from filtag_kg.graph.resources import resource_folder
from filtag_kg.graph.vocabulary import POINTING, PREFIXES, term

_TYPE = term("rdf:type")
_STRING = term("xsd:string")
Json = str | Mapping[str, "Json"] | list["Json"]


def write_jsonld(triples: Iterable[ox.Triple], output: BinaryIO) -> None:
    """Write triples as one JSON-LD document, with one thing to a line.

    Parameters
    ----------
    triples : iterable of Triple
        Those of one subject together, without blank nodes.

    Notes
    -----
    Numbers are strings with a type in the context, so they keep their digits. Source: W3C, *JSON-LD 1.1*, sections
    4.2.3 (type coercion) and 4.1 (context).
    """
    context = _context()
    output.write(b'{\n"@context": ' + _dump(context) + b',\n"@graph": [')
    separator = b"\n"
    for subject, of_subject in groupby(triples, key=lambda triple: triple.subject):
        output.write(separator + _dump(_thing(str(subject)[1:-1], of_subject, context)))
        separator = b",\n"
    output.write(b"\n]\n}\n")


def _thing(subject: str, of_subject: Iterator[ox.Triple], context: Mapping[str, Json]) -> Mapping[str, Json]:
    thing: dict[str, Json] = {"@id": subject}
    for predicate, triples in groupby(of_subject, key=lambda triple: triple.predicate.value):
        if predicate == _TYPE:
            thing["@type"] = [_compact(str(triple.object)[1:-1]) for triple in triples]
            continue
        name = _compact(predicate)
        values = [_value(triple.object, context.get(name)) for triple in triples]
        thing[name] = values[0] if len(values) == 1 else values
    return thing


def _value(value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple, coerced: Json | None) -> Json:
    type_ = coerced.get("@type") if isinstance(coerced, Mapping) else None
    if not isinstance(value, ox.Literal):
        iri = str(value)[1:-1]
        return iri if type_ == "@id" else {"@id": iri}
    if value.language:
        return {"@value": value.value, "@language": value.language}
    datatype = value.datatype.value
    if datatype == _STRING:
        return value.value if type_ is None else {"@value": value.value}
    return value.value if _compact(datatype) == type_ else {"@value": value.value, "@type": _compact(datatype)}


def _context() -> dict[str, Json]:
    """Return the prefixes, and the types of properties' values."""
    context: dict[str, Json] = dict(sorted(PREFIXES.items()))
    context.update((name, {"@type": "@id"}) for name in POINTING)
    ontology = ox.parse(path=str(resource_folder("ontology") / "filtag.ttl"), format=ox.RdfFormat.TURTLE)
    for quad in sorted(ontology, key=str):
        if quad.predicate.value == term("rdfs:range") and isinstance(quad.object, ox.NamedNode):
            name, range_ = _compact(str(quad.subject)[1:-1]), _compact(quad.object.value)
            if range_ != "xsd:string":
                context[name] = {"@type": range_ if range_.startswith("xsd:") else "@id"}
    return context


def _compact(iri: str) -> str:
    for prefix, start in PREFIXES.items():
        if iri.startswith(start) and iri != start:
            return f"{prefix}:{iri.removeprefix(start)}"
    return iri


def _dump(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
