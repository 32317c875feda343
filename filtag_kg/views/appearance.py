"""In which layers a concept appears."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.views.concept_graph import ConceptGraph
from filtag_kg.views.results import NetworkLayers, RunResults


def appearance(
    table: RunResults, network: NetworkLayers, concepts: ConceptGraph, iri: str
) -> tuple[ConceptInLayer, ...]:
    """Return what a run says of a concept in each layer, in forward order; nothing for fewer than two classes.

    Its filters are counted anew at the chosen level of coherence: the table on disk uses the default.
    """
    rows = table.in_layers.get(iri, ())
    if not rows:
        return ()
    standing: Counter[str] = Counter()
    for column, kind in table.concepts_of_layer(range(network.n_filters)):
        if iri in concepts.above[kind.concept]:
            standing[network.layer_names[network.layer_and_filter(column)[0]]] += 1
    return tuple(replace(row, filters=standing[row.layer]) for row in rows)


def nearest_separated(table: RunResults, concepts: ConceptGraph, concept: str) -> str | None:
    """Return the nearest concept at or above one whose separation is known, preferring one with an interval.

    A class alone makes no pair of classes, so this is the concept to follow through the layers for it.
    """
    known = [rows[0] for above in concepts.above[concept] if (rows := table.in_layers.get(above, ()))]
    separated = [row for row in known if row.separation is not None]
    return next((row.concept for row in (*(row for row in separated if row.low is not None), *separated)), None)
