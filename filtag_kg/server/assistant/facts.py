"""What an assistant is told of a KG before it asks: its rules, layers and networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from filtag_kg.kg import KgRun
from filtag_kg.names import name_in_path
from filtag_kg.query import Endpoint, runs
from filtag_kg.views import rule_sentence

_LAYERS = """SELECT ?network ?layer WHERE {
  ?network nno:hasLayer ?l .
  ?l nno:hasLayerSequence ?sequence ; rdfs:label ?layer
} ORDER BY ?network ?sequence"""
_COUNTS = """SELECT (COUNT(?filter) AS ?filters) (COUNT(?class) AS ?classes) WHERE {
  { ?filter a flt:Filter } UNION { ?class a flt:ClassLabel }
}"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a KG holds.

    Parameters
    ----------
    rules : tuple of str
        How its runs are named: by their rules, or by their ids where two have the same rule.
    rule_sentences : tuple of str
        What each rule does.
    layers : tuple of str
        Names of layers in forward order, of all networks.
    networks : tuple of str
        Identifiers.
    """

    rules: tuple[str, ...]
    rule_sentences: tuple[str, ...]
    layers: tuple[str, ...]
    networks: tuple[str, ...]
    filters: int
    classes: int


def facts_of(endpoint: Endpoint, kg_runs: Sequence[KgRun] = ()) -> Facts:
    """Ask a graph what it holds.

    Parameters
    ----------
    kg_runs : sequence of KgRun
        The runs of a KG whose directory is there, which say more.

    Raises
    ------
    FiltagError
        If it holds no tagging run, or does not answer.
    """
    rule_of = {run.value.rpartition("/")[2]: rule for run, rule in runs(endpoint)}
    known = {run.run_id: run for run in kg_runs}
    rules = list(rule_of.values())
    layers = endpoint.ask(_LAYERS).values()
    ((filters, classes),) = endpoint.ask(_COUNTS).values()
    return Facts(
        rules=tuple(rules if len(set(rules)) == len(rules) else rule_of),
        rule_sentences=tuple(rule_sentence(known.get(run_id, rule)) for run_id, rule in rule_of.items()),
        layers=tuple(dict.fromkeys(layer for _, layer in layers)),
        networks=tuple(dict.fromkeys(name_in_path(network.rpartition("/")[2]) for network, _ in layers)),
        filters=int(filters),
        classes=int(classes),
    )
