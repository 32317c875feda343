"""The query page: the named queries as forms, filled in from the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.query import PARAMETERS, NamedQuery, catalogue, find_query
from filtag_kg.server.request_error import shorten
from filtag_kg.views import LoadedKg

_MOST_NAMES = 8
_NO_PARAMETERS = ("name", "sparql")


def form_values(loaded: LoadedKg, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page offers, whichever query was chosen."""
    return {
        "queries": catalogue(),
        "chosen": None,
        "parameters": PARAMETERS,
        "layers": _layers(loaded),
        "rules": [(run_id, table.run) for run_id, table in loaded.runs.items()],
        "sparql": inputs.get("sparql", ""),
    }


def chosen_query(loaded: LoadedKg, inputs: Mapping[str, str]) -> NamedQuery | None:
    """Return the query that an address chooses, if its form can show all parameters of the address.

    A form without one of them would ask something else.

    Raises
    ------
    FiltagError
        If there is no such query, it has no such parameter, or the KG has no such layer or rule.
    """
    if not inputs.get("name"):
        return None
    query = find_query(shorten(inputs["name"]))
    parameters = {name: value for name, value in inputs.items() if name not in _NO_PARAMETERS}
    query.check_parameters(parameters)
    layers = _layers(loaded)
    rules = [table.run.rule for table in loaded.runs.values()]
    for name, value in parameters.items():
        kind = PARAMETERS[name].kind
        if kind == "layer" and value and value not in layers:
            raise FiltagError(f"no layer {value!r} in the KG: it has {_listed(layers)}")
        if kind == "run" and value and value not in (*rules, *loaded.runs):
            raise FiltagError(f"no rule {value!r} in the KG: it has {_listed(rules)}")
    return query


def _layers(loaded: LoadedKg) -> list[str]:
    return [layer for network in loaded.networks.values() for layer in network.layer_names]


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
