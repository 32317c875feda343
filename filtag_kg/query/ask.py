"""Bind the parameters of a named query as terms, and ask it."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.query.catalogue import NamedQuery
from filtag_kg.query.endpoint import Endpoint
from filtag_kg.query.result import Result

__all__ = ["bind", "named_query", "sparql_query"]

_log = logging.getLogger(__name__)

Terms = Sequence[ox.NamedNode | ox.Literal]

_RULES = """SELECT ?rule WHERE { ?run a flt:TaggingRun ; flt:rule ?rule ; flt:ruleIndex ?index } ORDER BY ?index"""
_CONCEPT_OF_WORD = """SELECT DISTINCT ?concept ?label WHERE {
  VALUES ?word { UNDEF }
  ?concept skos:prefLabel|skos:altLabel ?name ; skos:prefLabel ?label .
  FILTER (LCASE(STR(?name)) = ?word)
  FILTER NOT EXISTS { ?concept a flt:ClassLabel }
} ORDER BY ?concept"""
_CONCEPT_OF_IRI = """SELECT DISTINCT ?concept ?label WHERE {
  {
    VALUES ?word { UNDEF }
    ?concept skos:prefLabel ?label .
    FILTER (STR(?concept) = ?word)
  } UNION {
    VALUES ?word { UNDEF }
    ?concept skos:prefLabel ?label ; flt:conceptNetTerm ?term .
    FILTER (STR(?term) = ?word || STRSTARTS(STR(?term), CONCAT(?word, "/")))
  }
  FILTER NOT EXISTS { ?concept a flt:ClassLabel }
} ORDER BY ?concept"""
_CONCEPT_OF_PATH = """SELECT DISTINCT ?concept ?label WHERE {
  VALUES ?word { UNDEF }
  ?concept skos:prefLabel ?label ; flt:conceptNetTerm ?term .
  FILTER (STRENDS(STR(?term), ?word) || CONTAINS(STR(?term), CONCAT(?word, "/")))
} ORDER BY ?concept"""
_CLASS = """SELECT ?class ?label ?notation WHERE {
  VALUES ?word { UNDEF }
  ?class a flt:ClassLabel ; skos:prefLabel ?label ; skos:notation ?notation .
  FILTER (STR(?notation) = ?word || LCASE(STR(?label)) = LCASE(?word))
} ORDER BY ?class"""


def sparql_query(endpoint: Endpoint, text: str) -> Result:
    """Ask raw SPARQL."""
    return endpoint.ask(text)


def named_query(endpoint: Endpoint, query: NamedQuery, parameters: Mapping[str, str]) -> Result:
    """Ask a named query.

    Parameters
    ----------
    endpoint : Endpoint
    query : NamedQuery
    parameters : mapping of name to value
        As typed. A concept is a word, a concept's IRI or a ConceptNet term; a word with several senses in the
        graph means all of them, and a note in the log lists them.

    Raises
    ------
    FiltagError
        If a parameter is missing, unknown, or not of its kind.
    """
    unknown = sorted(set(parameters) - {*query.required, *query.optional})
    missing = [name for name in query.required if name not in parameters]
    if unknown:
        raise FiltagError(f"query {query.name} has no parameter {unknown[0]!r}: use {query.usage}")
    if missing:
        raise FiltagError(f"query {query.name} needs {missing[0]}=…: use {query.usage}")
    bindings = {name: _KINDS[name](endpoint, name, value) for name, value in sorted(parameters.items())}
    if "rule" in query.optional and "rule" not in bindings:
        bindings["rule"] = _first_rule(endpoint)
    if not all(bindings.values()):
        return Result(query.columns, ())
    return endpoint.ask(bind(query.text, bindings))


def bind(text: str, bindings: Mapping[str, Terms]) -> str:
    """Give variables their values where the text says ``VALUES ?name { UNDEF }``.

    Each value goes in as a term in SPARQL syntax, quoted and escaped by its serialiser.
    """
    for name, terms in bindings.items():
        values = " ".join(str(term) for term in terms)
        text = text.replace(f"VALUES ?{name} {{ UNDEF }}", f"VALUES ?{name} {{ {values} }}")
    return text


def _lookup(endpoint: Endpoint, text: str, word: str) -> list[tuple[str, ...]]:
    return endpoint.ask(bind(text, {"word": [ox.Literal(word)]})).values()


def _first_rule(endpoint: Endpoint) -> Terms:
    rules = _rules(endpoint)
    return [ox.Literal(rules[0])]


def _rules(endpoint: Endpoint) -> list[str]:
    rules = [row[0] for row in endpoint.ask(_RULES).values()]
    if not rules:
        raise FiltagError(
            "the graph holds no tagging run: check that it is a KG of filtag, its named graphs in the union"
        )
    return rules


def _rule(endpoint: Endpoint, _name: str, value: str) -> Terms:
    rules = _rules(endpoint)
    if value not in rules:
        raise FiltagError(f"no rule {value!r} in this KG: it has {', '.join(rules)}")
    return [ox.Literal(value)]


def _concept(endpoint: Endpoint, _name: str, value: str) -> Terms:
    if value.startswith(("http://", "https://")):
        found = _lookup(endpoint, _CONCEPT_OF_IRI, value)
    elif value.startswith("/c/"):
        found = _lookup(endpoint, _CONCEPT_OF_PATH, value.rstrip("/"))
    else:
        found = _lookup(endpoint, _CONCEPT_OF_WORD, value.replace("_", " ").strip().lower())
    if not found:
        _log.warning("no concept in the graph is called %r", value)
    if len(found) > 1:
        listing = ", ".join(f"{label} <{identity}>" for identity, label in found)
        _log.warning("%r has %d senses in the graph, all of them asked for: %s", value, len(found), listing)
    return [ox.NamedNode(identity) for identity, _ in found]


def _class(endpoint: Endpoint, _name: str, value: str) -> Terms:
    found = _lookup(endpoint, _CLASS, value) or _lookup(endpoint, _CLASS, value.replace("_", " "))
    # An id before a label, a label in its own case before another.
    for place in (2, 1):
        exact = [row for row in found if row[place] in (value, value.replace("_", " "))]
        if exact:
            found = exact
            break
    if not found:
        _log.warning("no class in the graph has the id or label %r", value)
    if len(found) > 1:
        listing = ", ".join(f"{label} ({notation})" for _, label, notation in found)
        _log.warning("%r is the label of %d classes, all of them asked for: %s", value, len(found), listing)
    return [ox.NamedNode(row[0]) for row in found]


def _whole_number(_endpoint: Endpoint, name: str, value: str) -> Terms:
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise FiltagError(f"{name}={value} is no whole number: give one from 0")
    return [ox.Literal(int(value))]


def _number(_endpoint: Endpoint, name: str, value: str) -> Terms:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise FiltagError(f"{name}={value} is no number from 0 to 1")
    return [ox.Literal(number)]


def _layer(endpoint: Endpoint, _name: str, value: str) -> Terms:
    names = [
        row[0]
        for row in endpoint.ask("SELECT ?name { ?l nno:hasLayerSequence ?i ; rdfs:label ?name } ORDER BY ?i").values()
    ]
    if value not in names:
        _log.warning("no layer in the graph is called %r; it has %s", value, ", ".join(names))
    return [ox.Literal(value)]


_KINDS: Mapping[str, Callable[[Endpoint, str, str], Terms]] = {
    "class": _class,
    "class_a": _class,
    "class_b": _class,
    "concept": _concept,
    "concept_a": _concept,
    "concept_b": _concept,
    "filter": _whole_number,
    "layer": _layer,
    "max_confidence": _number,
    "max_q": _number,
    "min_tags": _whole_number,
    "rule": _rule,
    "rule_a": _rule,
    "rule_b": _rule,
}
