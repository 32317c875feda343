"""State what a profile says of filters themselves: how active they are, and which never activate or are duplicates."""

from __future__ import annotations

from itertools import pairwise
from math import isnan

from filtag_kg.graph.nquads import boolean, double, iri, t
from filtag_kg.graph.vocabulary import DataIris
from filtag_kg.profile import FilterStates, Profile

Statement = tuple[str, str, str]
"""Predicate, object and graph."""


def state_statements(
    network: str, profile: Profile, states: FilterStates, iris: DataIris, *, graph: str
) -> dict[tuple[str, int], list[Statement]]:
    """Describe every filter of a profile, by its layer and index.

    Parameters
    ----------
    network : str
        Name of the network in identifiers.
    states : FilterStates
        Those of the profile.
    graph : str
        IRI of the graph for these statements.
    """
    filters = [
        (layer, index)
        for layer, (start, stop) in zip(profile.layer_names, pairwise(profile.layer_offsets.tolist()), strict=True)
        for index in range(stop - start)
    ]
    statements: dict[tuple[str, int], list[Statement]] = {}
    columns = (states.mean.tolist(), states.class_share.tolist(), states.never_activates.tolist())
    for filter_, mean, class_share, never in zip(filters, *columns, strict=True):
        said = statements[filter_] = [(t("flt:meanActivation"), double(mean), graph)]
        if not isnan(class_share):
            said.append((t("flt:classShare"), double(class_share), graph))
        if never:
            said.append((t("flt:neverActivates"), boolean(True), graph))
    for pair in states.duplicates.tolist():
        for one, other in (pair, pair[::-1]):
            duplicate = iri(iris.filter(network, *filters[other]))
            statements[filters[one]].append((t("flt:duplicates"), duplicate, graph))
    return statements
