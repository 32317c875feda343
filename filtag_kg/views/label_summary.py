"""The checks of a run's labels summed up: by layer, and over all layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from filtag_kg.kg import CheckedLabel


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """How many labels are true, and how well they fit.

    Parameters
    ----------
    layer : str
        Empty for all layers together.
    labels, testable, confirmed : int
    correlation, auc : float or None
        The mean over the testable labels; None where there is none.
    correlation_filters, auc_filters, correlation_labels, auc_labels : float or None
        The mean of what the same labels score on the other filters of their layers, and of what random labels score
        on the same filters.
    """

    layer: str
    labels: int
    testable: int
    confirmed: int
    correlation: float | None
    correlation_filters: float | None
    correlation_labels: float | None
    auc: float | None
    auc_filters: float | None
    auc_labels: float | None


def summarise_labels(labels: Sequence[CheckedLabel], layer: str = "") -> LabelSummary:
    """Sum up some checked labels."""

    def mean(name: str) -> float | None:
        known = [value for row in labels if (value := getattr(row, name)) is not None]
        return fmean(known) if known else None

    return LabelSummary(
        layer,
        len(labels),
        sum(row.status != "not testable" for row in labels),
        sum(row.status == "confirmed" for row in labels),
        *(mean(f"{score}{ending}") for score in ("correlation", "auc") for ending in ("", "_filters", "_labels")),
    )


def summarise_by_layer(labels: Iterable[CheckedLabel]) -> list[LabelSummary]:
    """Sum up checked labels by layer, in the order of the labels."""
    by_layer: dict[str, list[CheckedLabel]] = {}
    for row in labels:
        by_layer.setdefault(row.layer, []).append(row)
    return [summarise_labels(rows, layer) for layer, rows in by_layer.items()]
