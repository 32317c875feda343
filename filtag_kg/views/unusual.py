"""Filters to look at: those that never activate, duplicates, and those that respond to what no class names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.profile import filter_states
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.results import NetworkLayers

if TYPE_CHECKING:
    from numpy.typing import NDArray

INACTIVE = 1e-4
"""A filter whose mean activation is lower hardly ever activates."""
UNEXPLAINED = 0.05
"""A filter with a lower class share responds to what no class names."""


@dataclass(frozen=True, slots=True)
class UnusualLayer:
    """How many filters of a layer are unusual.

    Parameters
    ----------
    never, hardly : int
        Filters whose activation is 0 for every image, and others whose mean activation is below `INACTIVE`.
    duplicates : int
        Filters that have a duplicate.
    unexplained : int
        Active filters with a class share below `UNEXPLAINED`.
    class_share : float or None
        The median over the active filters; None where the profile has no variances.
    """

    layer: str
    filters: int
    never: int
    hardly: int
    duplicates: int
    unexplained: int
    class_share: float | None


@dataclass(frozen=True, slots=True)
class UnusualFilters:
    """The unusual filters of a network.

    Parameters
    ----------
    images, classes : int
        Of the profile.
    layers : tuple of UnusualLayer
    inactive : tuple of (layer, filter, mean activation)
        In the order of the layers.
    duplicates : tuple of (layer, filters)
        Groups of filters that duplicate each other, directly or through others, the largest first.
    unexplained : tuple of (layer, filter, class share)
        The lowest share first.
    """

    images: int
    classes: int
    layers: tuple[UnusualLayer, ...]
    inactive: tuple[tuple[str, int, float], ...]
    duplicates: tuple[tuple[str, tuple[int, ...]], ...]
    unexplained: tuple[tuple[str, int, float], ...]


def unusual_filters(loaded: LoadedKg, network: NetworkLayers) -> UnusualFilters | None:
    """Return the unusual filters of a network; None if the KG has no profile of it.

    Raises
    ------
    FiltagError
        If the profile is damaged.
    """
    profile = loaded.activations.profile(network.network)
    if profile is None:
        return None
    states = filter_states(profile)
    active = states.mean >= INACTIVE
    unexplained = active & (states.class_share < UNEXPLAINED)
    has_duplicate = np.zeros(len(active), dtype=np.bool_)
    has_duplicate[states.duplicates.ravel()] = True
    layers = []
    for index, layer in enumerate(network.layer_names):
        part = slice(int(network.offsets[index]), int(network.offsets[index + 1]))
        shares = states.class_share[part][active[part]]
        known = shares[~np.isnan(shares)]
        layers.append(
            UnusualLayer(
                layer,
                filters=part.stop - part.start,
                never=int(states.never_activates[part].sum()),
                hardly=int((~active[part] & ~states.never_activates[part]).sum()),
                duplicates=int(has_duplicate[part].sum()),
                unexplained=int(unexplained[part].sum()),
                class_share=float(np.median(known)) if known.size else None,
            )
        )
    lowest_first = np.argsort(np.where(unexplained, states.class_share, np.inf), kind="stable")[: unexplained.sum()]
    return UnusualFilters(
        images=int(profile.count.sum()),
        classes=len(profile.class_ids),
        layers=tuple(layers),
        inactive=tuple(_listed(network, np.flatnonzero(~active), states.mean)),
        duplicates=tuple(_groups(network, states.duplicates)),
        unexplained=tuple(_listed(network, lowest_first, states.class_share)),
    )


def _listed(
    network: NetworkLayers, columns: NDArray[np.int64], values: NDArray[np.float64]
) -> list[tuple[str, int, float]]:
    places = map(network.layer_and_filter, columns.tolist())
    return [
        (network.layer_names[layer], filter_, value)
        for (layer, filter_), value in zip(places, values[columns].tolist(), strict=True)
    ]


def _groups(network: NetworkLayers, pairs: NDArray[np.int64]) -> list[tuple[str, tuple[int, ...]]]:
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_edges_from(pairs.tolist())
    members = sorted(
        (sorted(group) for group in nx.connected_components(graph)), key=lambda group: (-len(group), group)
    )
    groups = []
    for columns in members:
        layer, _ = network.layer_and_filter(columns[0])
        filters = tuple(network.layer_and_filter(column)[1] for column in columns)
        groups.append((network.layer_names[layer], filters))
    return groups
