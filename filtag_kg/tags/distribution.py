"""How evenly the tags of a layer are spread over its filters.

A rule may give nearly all classes to a few filters that are always active; such filters say nothing about any class.
For the filters of one layer, with t_1 ≤ … ≤ t_F tags and T = Σ t_i of them from C classes::

    hub         a filter with t_i ≥ C / 10 (so many classes that its tags say little) and t_i ≥ 2 T / F (twice the
                layer's mean, so that a generous rule alone makes no hub)
    gini        Σ_i (2 i − F − 1) t_i / (F T): 0 if all filters have equally many tags, towards 1 if one has all
    least_gini  the Gini index of T tags spread as evenly as whole numbers allow; compare `gini` with it, not with 0,
                since fewer tags than filters are never spread evenly
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.csv_table import rows_csv
from filtag_kg.tags.table import TagTable

_HUB_SHARE_OF_CLASSES = 0.1
_HUB_TIMES_MEAN = 2


@dataclass(frozen=True, slots=True)
class LayerDistribution:
    """The tags of one rule in one layer; the fields are the columns of ``distribution.csv``, in order.

    Parameters
    ----------
    filters, tagged : int
        Filters of the layer, and those of them with a tag.
    tags : int
        Tags in all.
    median, max : float, int
        Tags of a filter that has any; 0 where none has.
    hubs : int
        Filters that are hubs, as defined in this module.
    hub_share : float, in [0, 1]
        The hubs' share of the layer's tags.
    gini, least_gini : float, in [0, 1)
        Over all filters of the layer, tagged or not; 0 for a layer without tags.
    """

    rule: str
    layer_index: int
    layer: str
    filters: int
    tagged: int
    tags: int
    median: float
    max: int
    hubs: int
    hub_share: float
    gini: float
    least_gini: float


def tag_distribution(tags: TagTable) -> list[LayerDistribution]:
    """Describe every layer for each rule of a table, in the table's order of rules and layers."""
    rows = []
    for rule_index, rule in enumerate(tags.rules):
        for layer_index, layer in enumerate(tags.layer_names):
            filters = tags.filter[(tags.rule == rule_index) & (tags.layer == layer_index)]
            counts = np.bincount(filters, minlength=tags.n_filters[layer_index])
            rows.append(_describe(counts, len(tags.class_ids), rule, layer_index, layer))
    return rows


def hubs(counts: NDArray[np.int64], n_classes: int) -> NDArray[np.bool_]:
    """Return which filters of a layer are hubs, by their numbers of tags; bool array of the shape of `counts`."""
    if not counts.size:
        return np.zeros(0, dtype=np.bool_)
    least = max(_HUB_SHARE_OF_CLASSES * n_classes, _HUB_TIMES_MEAN * float(counts.mean()))
    return (counts > 0) & (counts >= least)


def gini(counts: NDArray[np.int64]) -> float:
    """Return the Gini index of whole numbers from 0; 0 if all are 0.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    total = int(counts.sum())
    if total == 0:
        return 0.0
    ordered = np.sort(counts)
    weights = 2 * np.arange(1, len(ordered) + 1) - len(ordered) - 1
    return float(weights @ ordered) / (len(ordered) * total)


def distribution_csv(rows: Iterable[LayerDistribution]) -> str:
    """Return the text of ``distribution.csv``."""
    return rows_csv(LayerDistribution, rows)


def _describe(counts: NDArray[np.int64], n_classes: int, rule: str, layer_index: int, layer: str) -> LayerDistribution:
    total = int(counts.sum())
    tagged = counts[counts > 0]
    of_hubs = counts[hubs(counts, n_classes)]
    even_share, left_over = divmod(total, len(counts))
    return LayerDistribution(
        rule=rule,
        layer_index=layer_index,
        layer=layer,
        filters=len(counts),
        tagged=len(tagged),
        tags=total,
        median=float(np.median(tagged)) if len(tagged) else 0.0,
        max=int(counts.max()),
        hubs=len(of_hubs),
        hub_share=float(of_hubs.sum()) / total if total else 0.0,
        gini=gini(counts),
        least_gini=gini(np.repeat([even_share, even_share + 1], [len(counts) - left_over, left_over])),
    )
