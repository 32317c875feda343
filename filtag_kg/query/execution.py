"""Ask a named query, or SPARQL of one's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from filtag_kg.concepts import too_few_classes
from filtag_kg.errors import FiltagError
from filtag_kg.query.catalogue import NamedQuery
from filtag_kg.query.endpoint import Endpoint
from filtag_kg.query.parameters import bind, resolve, runs
from filtag_kg.query.result import Result

__all__ = ["bound_text", "named_query", "sparql_query"]

_log = logging.getLogger(__name__)

_COHERENCE = ("flt:coherenceQValue", "flt:coherentFilterCount")
_FEW_CLASSES = "SELECT ?needed WHERE { VALUES ?run { UNDEF } ?run flt:classesNeeded ?needed }"


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
        graph means all of them, and a note in the log lists them. Another note says where a query asks for coherent
        filters of a run that has too few classes for any.

    Raises
    ------
    FiltagError
        If a parameter is missing, unknown, or not of its kind.
    """
    text = bound_text(endpoint, query, parameters)
    return Result(query.columns, ()) if text is None else endpoint.ask(text)


def bound_text(endpoint: Endpoint, query: NamedQuery, parameters: Mapping[str, str]) -> str | None:
    """Return the SPARQL that a named query with these parameters is; None where they mean nothing in the graph.

    Raises
    ------
    FiltagError
        As `named_query` does.
    """
    unknown = sorted(set(parameters) - {*query.required, *query.optional})
    missing = [name for name in query.required if name not in parameters]
    if unknown:
        raise FiltagError(f"query {query.name} has no parameter {unknown[0]!r}: use {query.usage}")
    if missing:
        raise FiltagError(f"query {query.name} needs {missing[0]}=…: use {query.usage}")
    bindings = resolve(endpoint, parameters)
    if "rule" in query.optional and "run" not in bindings:
        bindings["run"] = [runs(endpoint)[0][0]]
    # What says which filters are coherent, and not what they share beside their kind, which is tested apart.
    if any(term in query.text for term in _COHERENCE) and "flt:relation" not in query.text:
        for (needed,) in endpoint.ask(bind(_FEW_CLASSES, {"run": bindings["run"]})).values():
            _log.warning(too_few_classes(int(needed)))
    return bind(query.text, bindings) if all(bindings.values()) else None
