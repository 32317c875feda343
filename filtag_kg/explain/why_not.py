"""Why one class and not another: the active filters that carry the tags of either, or of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import TaggedFilters
from filtag_kg.explain.evidence import Evidence, concept_evidence
from filtag_kg.explain.kg_evidence import PairEvidence
from filtag_kg.explain.support import Support, support_of


@dataclass(frozen=True, slots=True)
class Carriers:
    """Active filters that carry the tags of one class, of the other, or of both.

    Parameters
    ----------
    filters : tuple of (layer, filter)
        In forward order.
    layers : tuple of (layer, filters)
        How many of each layer, in forward order; layers without any are left out.
    concepts : tuple of Evidence
        Common concepts of those filters.
    """

    filters: tuple[tuple[str, int], ...]
    layers: tuple[tuple[str, int], ...]
    concepts: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Two classes contrasted by the filters that an image activates.

    Parameters
    ----------
    why, why_not : Support
        The class A to explain, and the class B it is contrasted with.
    why_confidence, why_not_confidence : float or None
        The network's confidence in each; None if it has no such output.
    only_why, only_why_not, both : Carriers
        Active filters tagged with A but not B, with B but not A, and with both.
    evidence : PairEvidence or None
        What the activations in the last layers say; None by tags.
    """

    why: Support
    why_not: Support
    why_confidence: float | None
    why_not_confidence: float | None
    only_why: Carriers
    only_why_not: Carriers
    both: Carriers
    evidence: PairEvidence | None = None


def why_not(
    filters: TaggedFilters,
    active: NDArray[np.bool_],
    why: str,
    not_: str,
    *,
    common: Sequence[CommonConcept],
    confidence_of: dict[str, float],
    most: int,
) -> WhyNot:
    """Contrast two classes.

    Parameters
    ----------
    active : bool array of shape (n_filters,)
        What one image activates.
    why, not_ : str
        Ids of two classes of `filters`.
    common : sequence of CommonConcept
        Those of the active filters.
    confidence_of : dict of class id to float
        The network's confidence in each of its classes.
    most : int
        Concepts of each group to return.

    Raises
    ------
    FiltagError
        If both are the same class.
    """
    if why == not_:
        raise FiltagError(f"both classes are {why}: name two", options=("why", "not_"))
    first, second = filters.class_ids.index(why), filters.class_ids.index(not_)
    with_first, with_second = filters.tagged[:, first], filters.tagged[:, second]
    groups = (active & with_first & ~with_second, active & with_second & ~with_first, active & with_first & with_second)
    only_why, only_why_not, both = (_carriers(filters, group, common, most) for group in groups)
    return WhyNot(
        why=support_of(filters, active, first),
        why_not=support_of(filters, active, second),
        why_confidence=confidence_of.get(why),
        why_not_confidence=confidence_of.get(not_),
        only_why=only_why,
        only_why_not=only_why_not,
        both=both,
    )


def _carriers(filters: TaggedFilters, group: NDArray[np.bool_], common: Sequence[CommonConcept], most: int) -> Carriers:
    in_group = filters.layers_and_filters(group)
    counts = zip(filters.layer_names, filters.by_layer(group).tolist(), strict=True)
    return Carriers(
        filters=tuple(in_group),
        layers=tuple((layer, count) for layer, count in counts if count),
        concepts=concept_evidence([row for row in common if (row.layer, row.filter) in set(in_group)], most),
    )
