"""Which filters support what an explanation shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MOST_SUPPORTERS = 24


@dataclass(frozen=True, slots=True)
class WeightedFilter:
    """A filter and how much it matters; whoever holds it says in which unit."""

    layer: str
    filter: int
    weight: float


@dataclass(frozen=True, slots=True)
class Supporters:
    """The filters of one image that support a class or a concept: where they respond is what speaks for it.

    Parameters
    ----------
    kind : {"class", "concept"}
    id : str
        The class id, or the concept's IRI.
    filters : tuple of WeightedFilter
        At most 24, the most important first. A weight is the filter's share of all support, so all weights of the
        image's filters have the sum 1.
    """

    kind: Literal["class", "concept"]
    id: str
    label: str
    filters: tuple[WeightedFilter, ...]


def weighted_filters(
    filters: Sequence[tuple[str, int]], weights: NDArray[np.float64], *, total: float = 1.0, most: int = MOST_SUPPORTERS
) -> tuple[WeightedFilter, ...]:
    """Return filters with their weights, the largest first; ties stay in the order given.

    Parameters
    ----------
    filters : sequence of (layer, filter)
    weights : float64 array of the same length
    total : float
        What weights are divided by.
    """
    order = np.argsort(-weights, kind="stable")[:most].tolist()
    return tuple(
        WeightedFilter(layer=filters[index][0], filter=filters[index][1], weight=float(weights[index] / total))
        for index in order
    )
