"""Which filters have a page of their own in a report. The others have a place on the page of their layer."""

from __future__ import annotations

from filtag_kg.views import LoadedKg, surest_first

MOST_OWN_PAGES = 900
"""Of a network, so that a report stays small however large the network is."""


def own_pages(loaded: LoadedKg) -> dict[tuple[str, str], frozenset[int]]:
    """Return the filters that have a page, by network and layer.

    These are the ones with pictures of what they look for, which no other page shows, then the surest.
    """
    own: dict[tuple[str, str], frozenset[int]] = {}
    for network in loaded.networks.values():
        first = network.first_columns
        visualized = [first[layer] + i for name, layer, i in loaded.visualizations if name == network.network]
        surest = surest_first(loaded, network)
        chosen = list(dict.fromkeys([*visualized, *surest]))[:MOST_OWN_PAGES]
        filters = [network.layer_and_filter(column) for column in chosen]
        for index, layer in enumerate(network.layer_names):
            own[network.network, layer] = frozenset(filter_ for layer_index, filter_ in filters if layer_index == index)
    return own
