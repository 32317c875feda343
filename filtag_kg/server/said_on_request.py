"""What is said of a thing where it is looked up, and not stored, because it follows from what is stored.

A KG may have a million tag assignments; a label and a class for each would be two million statements that a join gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyoxigraph as ox

from filtag_kg.graph import term
from filtag_kg.query import Endpoint, bind

_TYPE, _LABEL = ox.NamedNode(term("rdf:type")), ox.NamedNode(term("rdfs:label"))
_ASSIGNMENT = ox.NamedNode(term("flt:TagAssignment"))
# One pattern each, without OPTIONAL, so the store begins with the things and not with all of their kind.
_ASSIGNMENTS = """SELECT ?thing ?what ?layer ?index ?rule WHERE {
  VALUES ?thing { UNDEF } ?thing flt:tag ?class ; flt:filter ?filter ; prov:wasGeneratedBy ?run .
  ?class skos:prefLabel ?what . ?run flt:rule ?rule .
  ?filter flt:inLayer ?of ; flt:filterIndex ?index . ?of rdfs:label ?layer
} ORDER BY ?thing ?what"""
_OF_FILTERS = """SELECT ?thing ?what ?layer ?index ?rule ?kind WHERE {
  VALUES ?thing { UNDEF } ?thing flt:concept ?concept ; flt:filter ?filter ; prov:wasGeneratedBy ?run ; a ?kind .
  ?concept skos:prefLabel ?what . ?run flt:rule ?rule .
  ?filter flt:inLayer ?of ; flt:filterIndex ?index . ?of rdfs:label ?layer
} ORDER BY ?thing ?what"""
_OF_LAYERS = """SELECT ?thing ?what ?layer ?rule WHERE {
  VALUES ?thing { UNDEF } ?thing flt:concept ?concept ; flt:layer ?of ; prov:wasGeneratedBy ?run .
  ?concept skos:prefLabel ?what . ?run flt:rule ?rule . ?of rdfs:label ?layer
} ORDER BY ?thing ?what"""
_OF_A_KIND = {term("flt:FilterPart"): "{what}, a part of what {layer} {index} responds to"}
_IN_COMMON = "{what}, in common to tags of {layer} {index}"


def said_on_request(endpoint: Endpoint, things: Sequence[ox.NamedNode]) -> list[ox.Triple]:
    """Return the label of each tag assignment, common concept, filter part and concept in a layer among things.

    Assignments get their class, too.
    """
    if not things:
        return []
    assignments = list(_rows(endpoint, _ASSIGNMENTS, things))
    labels = [(thing, "{what} tags {layer} {index}, by {rule}".format(**row)) for thing, row in assignments]
    labels += _other_labels(endpoint, things)
    # In a store of several KGs, a class or concept may have several labels: the first counts.
    label_of = dict(reversed(labels))
    types = [ox.Triple(thing, _TYPE, _ASSIGNMENT) for thing in dict.fromkeys(thing for thing, _ in assignments)]
    return types + [ox.Triple(thing, _LABEL, ox.Literal(label, language="en")) for thing, label in label_of.items()]


def _other_labels(endpoint: Endpoint, things: Sequence[ox.NamedNode]) -> Iterator[tuple[ox.NamedNode, str]]:
    for thing, row in _rows(endpoint, _OF_FILTERS, things):
        yield thing, (_OF_A_KIND.get(row["kind"], _IN_COMMON) + ", by {rule}").format(**row)
    for thing, row in _rows(endpoint, _OF_LAYERS, things):
        yield thing, "{what} in {layer}, by {rule}".format(**row)


def _rows(
    endpoint: Endpoint, text: str, things: Sequence[ox.NamedNode]
) -> Iterator[tuple[ox.NamedNode, dict[str, Any]]]:
    for row in endpoint.ask(bind(text, {"thing": things})).records():
        yield ox.NamedNode(str(row["thing"])), row
