"""How evenly the tags of a layer are spread over its filters.

A rule may give nearly all classes to a few filters that are always active: such filters say nothing about any
class. For the filters of one layer, with t_1 ≤ … ≤ t_F tags and T = Σ t_i of them from C classes::

    hub         a filter with t_i ≥ C / 10 and t_i ≥ 2 T / F: a tenth of the classes or more, so that the tag says
                little about which, and twice the layer's mean or more, so that a generous rule alone makes no hub
    gini        Σ_i (2 i − F − 1) t_i / (F T): 0 if all filters have as many tags, towards 1 if one has all
    least_gini  the Gini index of T tags spread as evenly as whole numbers can be: fewer tags than filters are never
                spread evenly, so an index is to be compared with this one, not with 0
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from filtag_kg.csv_table import csv_writer
from filtag_kg.tags.table import TagTable

__all__ = ["LayerDistribution", "distribution_csv", "gini", "tag_distribution"]

_HUB_SHARE_OF_CLASSES = 0.1
_HUB_TIMES_MEAN = 2


@dataclass(frozen=True, slots=True)
class LayerDistribution:
    """The tags of one rule in one layer; the fields are the columns of ``distribution.csv``, in order.

    Parameters
    ----------
    rule, layer_index, layer
    filters, tagged : int
        Filters of the layer, and those of them with a tag.
    tags : int
        Tags in all.
    median, max : float, int
        Tags of a filter that has any; 0 where none has.
    hubs : int
        Filters that are hubs, as the module says.
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
    found = []
    for place, rule in enumerate(tags.rules):
        for index, layer in enumerate(tags.layer_names):
            of_layer = tags.filter[(tags.rule == place) & (tags.layer == index)]
            counts = np.bincount(of_layer, minlength=tags.n_filters[index])
            found.append(_describe(counts, len(tags.class_ids), rule, index, layer))
    return found


def gini(counts: NDArray[np.int64]) -> float:
    """Return the Gini index of whole numbers from 0; 0 if all are 0.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    total = int(counts.sum())
    if total == 0:
        return 0.0
    ordered = np.sort(counts)
    places = 2 * np.arange(1, len(ordered) + 1) - len(ordered) - 1
    return float(places @ ordered) / (len(ordered) * total)


def distribution_csv(rows: Iterable[LayerDistribution]) -> str:
    """Return the text of ``distribution.csv``."""
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(field.name for field in fields(LayerDistribution))
    writer.writerows(astuple(row) for row in rows)
    return text.getvalue()


def _describe(counts: NDArray[np.int64], n_classes: int, rule: str, index: int, layer: str) -> LayerDistribution:
    total = int(counts.sum())
    tagged = counts[counts > 0]
    enough = max(_HUB_SHARE_OF_CLASSES * n_classes, _HUB_TIMES_MEAN * total / len(counts))
    hubs = tagged[tagged >= enough]
    each, left = divmod(total, len(counts))
    return LayerDistribution(
        rule=rule,
        layer_index=index,
        layer=layer,
        filters=len(counts),
        tagged=len(tagged),
        tags=total,
        median=float(np.median(tagged)) if len(tagged) else 0.0,
        max=int(counts.max()),
        hubs=len(hubs),
        hub_share=float(hubs.sum()) / total if total else 0.0,
        gini=gini(counts),
        least_gini=gini(np.repeat([each, each + 1], [len(counts) - left, left])),
    )
