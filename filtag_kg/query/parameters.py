"""The parameters of named queries: what people type, and the terms of the graph that it stands for."""

from __future__ import annotations

import logging
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import pyoxigraph as ox

from filtag_kg.concepts import COHERENT_Q
from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.query.endpoint import Endpoint

_log = logging.getLogger(__name__)

Terms = Sequence[ox.NamedNode | ox.Literal]

_RUNS = """SELECT ?run ?rule WHERE {
  ?run a flt:TaggingRun ; flt:rule ?rule ; flt:ruleIndex ?index
} ORDER BY ?index ?run"""
_KGS = "SELECT ?kg WHERE { ?kg a dcat:Dataset } ORDER BY ?kg"
_BESIDE = """SELECT DISTINCT ?other WHERE {
  VALUES ?run { UNDEF }
  GRAPH ?kg { ?kg a dcat:Dataset ; prov:wasGeneratedBy ?run, ?other }
} ORDER BY ?other"""
_NETWORKS = "SELECT ?run ?network WHERE { VALUES ?run { UNDEF } ?run flt:network ?network }"
_IN_NAMED_GRAPHS = "SELECT ?run WHERE { GRAPH ?run { ?run a flt:TaggingRun } } LIMIT 1"
_NETWORK = """SELECT ?network WHERE { VALUES ?run { UNDEF } ?run flt:network ?network }"""
_LINKS = """SELECT ?links WHERE { VALUES ?run { UNDEF } ?run flt:linking ?links }"""
_LAYERS = """SELECT ?l ?name WHERE {
  VALUES ?run { UNDEF }
  ?run flt:network ?network .
  ?network nno:hasLayer ?l .
  ?l nno:hasLayerSequence ?sequence ; rdfs:label ?name
} ORDER BY ?sequence"""
# Few filters have the same index, and many the same layer.
_FILTER = """SELECT ?f WHERE {
  VALUES ?filter { UNDEF }
  ?f flt:filterIndex ?filter .
  FILTER EXISTS { VALUES ?l { UNDEF } ?f flt:inLayer ?l }
}"""
# Names are compared before anything is joined.
_CONCEPT_OF_WORD = """SELECT DISTINCT ?concept ?label WHERE {
  {
    SELECT DISTINCT ?concept WHERE {
      VALUES ?word { UNDEF }
      ?concept skos:prefLabel|skos:altLabel ?name .
      FILTER (LCASE(STR(?name)) = ?word)
    }
  }
  { SELECT ?concept ?label WHERE { ?concept skos:prefLabel ?label } }
  MINUS { ?concept a flt:ClassLabel }
} ORDER BY ?concept"""
_CONCEPT_OF_IRI = """SELECT DISTINCT ?concept ?label WHERE {
  VALUES ?concept { UNDEF }
  ?concept skos:prefLabel ?label .
  FILTER NOT EXISTS { ?concept a flt:ClassLabel }
} ORDER BY ?concept"""
_CONCEPT_OF_TERM = """SELECT DISTINCT ?concept ?label WHERE {
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
_ABOVE_A_CLASS = """SELECT DISTINCT ?concept ?label WHERE {
  VALUES ?concept { UNDEF }
  ?concept skos:prefLabel ?label .
  FILTER EXISTS { GRAPH ?links { ?class flt:atOrBelow ?concept } }
} ORDER BY ?concept"""
_CLASS = """SELECT ?class ?label ?notation WHERE {
  VALUES ?word { UNDEF }
  GRAPH ?links { ?class a flt:ClassLabel ; skos:prefLabel ?label ; skos:notation ?notation }
  FILTER (STR(?notation) = ?word || LCASE(STR(?label)) = LCASE(?word))
} ORDER BY ?class"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that named queries take.

    Parameters
    ----------
    kind : str
        What its values are: "class", "concept", "layer", "filter", "run", "whole number" or "number from 0 to 1".
    variable : str
        What it binds in the query's text.
    """

    name: str
    kind: str
    meaning: str
    variable: str


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter("class", "class", "a class id or label, such as n02099601 or golden retriever", "class"),
        Parameter("class_a", "class", "the first class, by id or label", "class_a"),
        Parameter("class_b", "class", "the second class, by id or label", "class_b"),
        Parameter("concept", "concept", "a word, a concept's IRI or a ConceptNet term, such as dog", "concept"),
        Parameter("concept_a", "concept", "the concept that some of a filter's tags must belong to", "concept_a"),
        Parameter("concept_b", "concept", "the concept that none of a filter's tags may belong to", "concept_b"),
        Parameter("filter", "filter", "the filter's index in its layer, from 0", "f"),
        Parameter("layer", "layer", "the layer's name in the network", "l"),
        Parameter(
            "max_confidence",
            "number from 0 to 1",
            "list all links up to this confidence (default: only links that are probably wrong)",
            "max_confidence",
        ),
        Parameter(
            "max_q",
            "number from 0 to 1",
            f"a filter with a lower q-value has a clear theme (default: {COHERENT_Q})",
            "max_q",
        ),
        Parameter(
            "max_share",
            "number from 0 to 1",
            "a filter responds to no class if its class share is lower (default: 0.05)",
            "max_share",
        ),
        Parameter("min_tags", "whole number", "the smallest number of tags to list (default: 10)", "min_tags"),
        Parameter("rule", "run", "a rule such as q=0.05, or a run's id (default: the KG's first rule)", "run"),
        Parameter("rule_a", "run", "the first rule, or a run's id", "run_a"),
        Parameter("rule_b", "run", "the second rule, or a run's id", "run_b"),
    )
}
"""All parameters by name."""


def resolve(endpoint: Endpoint, parameters: Mapping[str, str], *, features: bool = False) -> dict[str, Terms]:
    """Return the terms that parameters stand for, by the variable that they bind.

    There are no terms where the graph has no such thing. The run, the first where none is named, its network and the
    graph of its links are bound, too. A layer is looked up in that network, a filter in that layer, a class among those
    links: a store may hold other KGs.

    Parameters
    ----------
    parameters : mapping of name to value
        As typed.
    features : bool
        Whether concepts are what things have, are used for and so on; else a concept that no class is at or below, such
        as a word that ends a statement alone, is none.

    Raises
    ------
    FiltagError
        If a value is not of its kind, or no run has that rule.
    """
    bindings: dict[str, Terms] = {
        PARAMETERS[name].variable: _RESOLVERS[PARAMETERS[name].kind](endpoint, name, value)
        for name, value in sorted(parameters.items())
        if PARAMETERS[name].kind in _RESOLVERS
    }
    run = bindings["run"] = bindings.get("run") or bindings.get("run_a") or [first_run(endpoint)]
    for name, text in (("network", _NETWORK), ("links", _LINKS)):
        bindings[name] = [ox.NamedNode(row[0]) for row in _rows(endpoint, bind(text, {"run": run}))]
    for name, value in sorted(parameters.items()):
        parameter = PARAMETERS[name]
        if parameter.kind == "concept":
            bindings[parameter.variable] = _concept(endpoint, bindings["links"], value, features=features)
        elif parameter.kind == "class":
            bindings[parameter.variable] = _class(endpoint, bindings["links"], value)
    if "layer" in parameters:
        layer = _layer(endpoint, run, parameters["layer"])
        if "filter" in parameters:
            bindings["f"] = _filter(endpoint, layer, parameters["layer"], parameters["filter"])
        else:
            bindings["l"] = layer
    return bindings


def bind(text: str, bindings: Mapping[str, Terms]) -> str:
    """Bind variables where the text says ``VALUES ?name { UNDEF }``, ``GRAPH ?name`` or ``prov:wasGeneratedBy ?name``.

    Terms are inserted in SPARQL syntax, quoted and escaped by their serialiser. A single graph or run is named in
    place, because stores cannot plan for one that they only learn of while they run.
    """
    for name, terms in bindings.items():
        values = " ".join(str(term) for term in terms)
        text = text.replace(f"VALUES ?{name} {{ UNDEF }}", f"VALUES ?{name} {{ {values} }}")
        if len(terms) == 1:
            pattern = rf"\b(GRAPH|prov:wasGeneratedBy|flt:linking) \?{name}\b"
            text = re.sub(pattern, lambda match: f"{match[1]} {values}", text)  # noqa: B023 - used at once
    return text


def runs(endpoint: Endpoint) -> list[tuple[ox.NamedNode, str]]:
    """Return the runs of a graph with their rules, in their order.

    Raises
    ------
    FiltagError
        If there is none.
    """
    rows = [(ox.NamedNode(run), rule) for run, rule in _rows(endpoint, _RUNS)]
    if not rows and _rows(endpoint, _IN_NAMED_GRAPHS):
        raise FiltagError(
            "the store's default graph is not the union of its named graphs, which hold a KG: configure it to be"
        )
    if not rows:
        raise FiltagError(
            "the graph holds no tagging run: check that it is a KG of filtag, its named graphs in the union"
        )
    return rows


def first_run(endpoint: Endpoint) -> ox.NamedNode:
    """Return the run that a query is about which names none; where others belong to other KGs, a warning says which.

    Raises
    ------
    FiltagError
        If there is none.
    """
    run, rule = runs(endpoint)[0]
    n_kgs = len(_rows(endpoint, _KGS))
    if n_kgs > 1:
        named = _listing(endpoint, [(run, rule)])
        _log.warning("%d KGs are here: this is about the run %s, rule= names another", n_kgs, named)
    return run


def runs_beside(endpoint: Endpoint, run: Terms) -> Terms:
    """Return the runs of the KG that a run belongs to, itself included."""
    return [ox.NamedNode(row[0]) for row in _rows(endpoint, bind(_BESIDE, {"run": run}))]


def _rows(endpoint: Endpoint, text: str) -> list[tuple[str, ...]]:
    """Return rows whose first cell is an IRI, after checking them: a remote endpoint may answer with anything."""
    result = endpoint.ask(text)
    columns = tuple(re.findall(r"\?(\w+)", text[: text.index("WHERE")]))
    if result.columns != columns or not all(isinstance(row[0], ox.NamedNode) for row in result.rows):
        raise FiltagError("the endpoint answers a different question: check that it is a SPARQL endpoint")
    return result.values()


def _run(endpoint: Endpoint, name: str, value: str) -> Terms:
    known = runs(endpoint)
    matches = [(run, rule) for run, rule in known if value in (rule, run.value, _run_id(run))]
    if not matches:
        rules = ", ".join(dict.fromkeys(rule for _, rule in known))
        raise FiltagError(f"no rule {value!r} in the KG: it has {rules}")
    if len(matches) > 1:
        whose = "the KG" if len(_rows(endpoint, _KGS)) < 2 else "the KGs here"
        ids = _listing(endpoint, matches)
        raise FiltagError(f"{len(matches)} runs of {whose} have the rule {value!r}: say which, {name}= one of {ids}")
    return [run for run, _ in matches]


def _listing(endpoint: Endpoint, known: Sequence[tuple[ox.NamedNode, str]]) -> str:
    """Return the ids of runs, each with its rule and network."""
    rows = _rows(endpoint, bind(_NETWORKS, {"run": [run for run, _ in known]}))
    networks = {row[0]: unquote(row[1].rpartition("/")[2]) for row in rows}
    return ", ".join(f"{_run_id(run)} ({rule}, {networks.get(run.value)})" for run, rule in known)


def _run_id(run: ox.NamedNode) -> str:
    return run.value.rpartition("/")[2]


def _lookup(endpoint: Endpoint, text: str, word: str) -> list[tuple[str, ...]]:
    return _rows(endpoint, bind(text, {"word": [ox.Literal(form) for form in _forms(word)]}))


def _forms(word: str) -> list[str]:
    """Return a word in both normal forms: whoever made the graph may have written names in either."""
    return list(dict.fromkeys(unicodedata.normalize(form, word) for form in ("NFC", "NFD")))


def _concept_of_iri(endpoint: Endpoint, value: str) -> list[tuple[str, ...]]:
    try:
        iris = [ox.NamedNode(form) for form in _forms(value)]
    except ValueError:
        return []
    return _rows(endpoint, bind(_CONCEPT_OF_IRI, {"concept": iris}))


def _concept(endpoint: Endpoint, links: Terms, value: str, *, features: bool) -> Terms:
    if value.startswith(("http://", "https://")):
        # A term of ConceptNet stands for every concept below it; any other IRI, for the concept alone.
        concepts = _lookup(endpoint, _CONCEPT_OF_TERM, value) if "/c/" in value else _concept_of_iri(endpoint, value)
    elif value.startswith("/c/"):
        concepts = _lookup(endpoint, _CONCEPT_OF_PATH, value.rstrip("/"))
    else:
        concepts = _lookup(endpoint, _CONCEPT_OF_WORD, value.replace("_", " ").strip().lower())
    if concepts and not features:
        iris = [ox.NamedNode(iri) for iri, _ in concepts]
        concepts = _rows(endpoint, bind(_ABOVE_A_CLASS, {"concept": iris, "links": links}))
    if not concepts:
        about = "in the graph" if features else "above a class"
        _log.warning("no concept %s is called %r", about, value)
    if len(concepts) > 1:
        listing = ", ".join(f"{label} <{iri}>" for iri, label in concepts)
        _log.warning("%r has %d senses in the graph; the query asks for all: %s", value, len(concepts), listing)
    return [ox.NamedNode(iri) for iri, _ in concepts]


def _class(endpoint: Endpoint, links: Terms, value: str) -> Terms:
    text = bind(_CLASS, {"links": links})
    classes = _lookup(endpoint, text, value) or _lookup(endpoint, text, value.replace("_", " "))
    wanted = {nfc(value), nfc(value).replace("_", " ")}
    # An id wins over a label, and a label in the same case over one in another.
    by_id = [row for row in classes if nfc(row[2]) in wanted]
    by_label = [row for row in classes if nfc(row[1]) in wanted]
    classes = by_id or by_label or classes
    if not classes:
        _log.warning("no class in the graph has the id or label %r", value)
    if len(classes) > 1:
        listing = ", ".join(f"{label} ({class_id})" for _, label, class_id in classes)
        _log.warning("%r is the label of %d classes; the query asks for all: %s", value, len(classes), listing)
    return [ox.NamedNode(row[0]) for row in classes]


def _layer(endpoint: Endpoint, run: Terms, value: str) -> Terms:
    layers = _rows(endpoint, bind(_LAYERS, {"run": run}))
    matches = [ox.NamedNode(layer) for layer, name in layers if nfc(name) == nfc(value)]
    if not matches:
        _log.warning("no layer in the graph is called %r; it has %s", value, ", ".join(name for _, name in layers))
    return matches


def _filter(endpoint: Endpoint, layer: Terms, layer_name: str, value: str) -> Terms:
    index = _whole_number(endpoint, "filter", value)
    if not layer:
        return []
    filters = _rows(endpoint, bind(_FILTER, {"l": layer, "filter": index}))
    if not filters:
        _log.warning("layer %s has no filter %s", layer_name, value)
    return [ox.NamedNode(row[0]) for row in filters]


def _whole_number(_endpoint: Endpoint, name: str, value: str) -> Terms:
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise FiltagError(f"{name}={value} is not a whole number: give one from 0")
    return [ox.Literal(int(value))]


def _fraction(_endpoint: Endpoint, name: str, value: str) -> Terms:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise FiltagError(f"{name}={value} is not a number from 0 to 1")
    return [ox.Literal(number)]


_RESOLVERS: Mapping[str, Callable[[Endpoint, str, str], Terms]] = {
    "run": _run,
    "whole number": _whole_number,
    "number from 0 to 1": _fraction,
}
"""The kinds that are resolved by themselves; a class and a layer need the run, a concept the query, too."""
