"""A question whose address was shared: whether this KG can be asked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from filtag_kg.errors import FiltagError
from filtag_kg.query import PARAMETERS, NamedQuery, find_query
from filtag_kg.server.request_error import shortened
from filtag_kg.views import Facts

__all__ = ["asked_query", "mistake_in"]

_MOST_NAMES = 8
_NO_PARAMETERS = ("name", "sparql")


def asked_query(name: str) -> NamedQuery:
    """Return the query of that name.

    Raises
    ------
    FiltagError
        If there is none.
    """
    return find_query(shortened(name))


def mistake_in(facts: Facts, query: NamedQuery, asked: Mapping[str, str]) -> None:
    """Refuse what the form could not show as it was asked: a form with one part left out is another question.

    Parameters
    ----------
    facts : Facts
    query : NamedQuery
    asked : mapping of str
        The address's parameters.

    Raises
    ------
    FiltagError
        If the KG has no such layer or rule, or the query no such parameter.
    """
    layers = [layer for network in facts.networks.values() for layer in network.layer_names]
    rules = [table.run.rule for table in facts.runs.values()]
    for name, value in asked.items():
        if name in _NO_PARAMETERS:
            continue
        if name not in (*query.required, *query.optional):
            raise FiltagError(f"query {query.name} has no parameter {name!r}: use {query.usage}")
        kind = PARAMETERS[name].kind
        if kind == "layer" and value and value not in layers:
            raise FiltagError(f"no layer {value!r}: it has {_listed(layers)}")
        if kind == "run" and value and value not in (*rules, *facts.runs):
            raise FiltagError(f"no rule {value!r}: it has {_listed(rules)}")


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
