"""Run a named query, or any SPARQL."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import Enum, auto

from filtag_kg.concepts import too_few_classes
from filtag_kg.errors import FiltagError
from filtag_kg.query.catalogue import NamedQuery
from filtag_kg.query.endpoint import Endpoint
from filtag_kg.query.misspellings import asks_for_types_left_out, unknown_names, unknown_terms
from filtag_kg.query.parameters import bind, resolve, runs, runs_beside
from filtag_kg.query.result import Result

_log = logging.getLogger(__name__)

_COHERENCE = ("flt:coherenceQValue", "flt:coherentFilterCount")
_CHECKED = "flt:checkQValue"
_CHECKS = "SELECT ?check WHERE { VALUES ?run { UNDEF } ?check flt:checkedRun ?run } LIMIT 1"
_ABLATED = "flt:AblationEffect"
_ACTIVITY = "flt:meanActivation"
_PROFILES = """PREFIX prov: <http://www.w3.org/ns/prov#>
SELECT ?described WHERE {
  VALUES ?run { UNDEF }
  GRAPH ?run { ?run prov:used ?profile . ?described prov:wasDerivedFrom ?profile }
} LIMIT 1"""
_MIXED = "flt:mixedQValue"
# A KG with no mixed filters differs from one of an earlier version, which did not look for any, by its files.
_LOOKED_FOR_MIXED = """PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX flt: <https://w3id.org/filtag/ns#>
PREFIX prov: <http://www.w3.org/ns/prov#>
SELECT ?told WHERE {
  VALUES ?run { UNDEF }
  {
    { SELECT ?told WHERE { ?told flt:mixedQValue ?q_value } }
    GRAPH ?run { ?told flt:filter ?f }
  } UNION {
    ?told dcat:distribution ?file ; prov:wasGeneratedBy ?run
    FILTER (STRENDS(STR(?file), "/mixed.csv"))
  }
} LIMIT 1"""
_CLASS_SHARE = "flt:classShare"
_CLASS_SHARES = """PREFIX flt: <https://w3id.org/filtag/ns#>
PREFIX prov: <http://www.w3.org/ns/prov#>
SELECT ?share WHERE {
  VALUES ?run { UNDEF }
  GRAPH ?run { ?run prov:used ?profile . ?described prov:wasDerivedFrom ?profile }
  GRAPH ?described { ?f flt:classShare ?share }
} LIMIT 1"""
_FEW_CLASSES = "SELECT ?needed WHERE { VALUES ?run { UNDEF } ?run flt:classesNeeded ?needed }"


class Unanswered(Enum):
    """Why a named query cannot be answered: the graph lacks what it is about."""

    NO_SUCH_NAME = auto()
    NOT_CHECKED = auto()


def sparql_query(endpoint: Endpoint, text: str) -> Result:
    """Run any SPARQL query.

    Warnings in the log name what may be misspelt: a term that the vocabulary lacks, and, where the answer has at most
    one row, a name that nothing in the graph has.

    Raises
    ------
    FiltagError
        If the query is malformed or the endpoint does not answer.
    """
    result = endpoint.ask(text)
    warn_of_misspellings(endpoint, text, len(result.rows))
    return result


def warn_of_misspellings(endpoint: Endpoint, text: str, n_rows: int) -> None:
    """Log what may be misspelt in a query whose answer has that many rows."""
    # A count of nothing, and ASK, have one row.
    of_few = (*asks_for_types_left_out(text), *unknown_names(endpoint, text)) if n_rows <= 1 else ()
    for note in (*unknown_terms(text), *of_few):
        _log.warning("%s", note)


def named_query(endpoint: Endpoint, query: NamedQuery, parameters: Mapping[str, str]) -> Result:
    """Run a named query.

    Parameters
    ----------
    parameters : mapping of name to value
        As typed. A concept is a word, a concept's IRI or a ConceptNet term. A word with several senses in the graph
        means all of them, and a warning in the log lists them. Other warnings say when a run has too few classes for
        any coherent filter, when its labels were not checked, when it was made from no profile, and when an ablation
        is about another run than the KG's first, which a query is about unless `rule` names another.

    Raises
    ------
    FiltagError
        If a parameter is missing, unknown, or not of its kind.
    """
    text = bound_text(endpoint, query, parameters)
    result = Result(query.columns, ()) if isinstance(text, Unanswered) else endpoint.ask(text)
    # An ablation is about one run, hardly ever about the first.
    if _ABLATED in query.text and "rule" not in parameters and not result.rows:
        (first, first_rule), *others = runs(endpoint)
        beside = runs_beside(endpoint, [first])
        other_rules = dict.fromkeys(rule for run, rule in others if run in beside)
        if other_rules:
            _log.warning("nothing by %s, the first rule; the KG also has %s", first_rule, ", ".join(other_rules))
    return result


def bound_text(endpoint: Endpoint, query: NamedQuery, parameters: Mapping[str, str]) -> str | Unanswered:
    """Return a named query's SPARQL with its parameters bound, or why nothing can be found.

    A warning in the log says which class or concept the graph does not have, or that its labels are not checked.

    Raises
    ------
    FiltagError
        As `named_query` does.
    """
    query.check_parameters(parameters)
    missing = [name for name in query.required if name not in parameters]
    if missing:
        raise FiltagError(f"query {query.name} needs {missing[0]}=…: use {query.usage}")
    about_features = "flt:relation" in query.text
    bindings = resolve(endpoint, parameters, features=about_features)
    if "rule" in query.columns:
        bindings["made_by"] = runs_beside(endpoint, bindings["run"])
    # Coherence belongs to IsA concepts; queries about other relations have their own test.
    if any(term in query.text for term in _COHERENCE) and not about_features:
        for (needed,) in endpoint.ask(bind(_FEW_CLASSES, {"run": bindings["run"]})).values():
            _log.warning(too_few_classes(int(needed)))
    asked_run = {"run": bindings["run"]}
    asked_runs = {"run": bindings.get("made_by", bindings["run"])}
    if _CHECKED in query.text and not endpoint.ask(bind(_CHECKS, asked_runs)).rows:
        whose = "" if "made_by" in bindings else " of this run"
        _log.warning("the labels%s are not checked: check them on images first", whose)
        return Unanswered.NOT_CHECKED
    if _ACTIVITY in query.text and not endpoint.ask(bind(_PROFILES, asked_run)).rows:
        _log.warning("this run was not made from a profile, which would tell how active filters are")
    elif _MIXED in query.text and not endpoint.ask(bind(_PROFILES, asked_run)).rows:
        _log.warning("this run was not made from a profile, which would tell which filters are mixed")
    elif _MIXED in query.text and not endpoint.ask(bind(_LOOKED_FOR_MIXED, asked_run)).rows:
        _log.warning("an earlier version built the KG, and did not look for mixed filters: build it anew")
    elif _CLASS_SHARE in query.text and not endpoint.ask(bind(_CLASS_SHARES, asked_run)).rows:
        _log.warning("the profile has no variances, so it does not tell how much classes explain of a filter")
    return bind(query.text, bindings) if all(bindings.values()) else Unanswered.NO_SUCH_NAME
