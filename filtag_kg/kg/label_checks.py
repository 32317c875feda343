"""The checks of labels that a KG holds: a table for each checked run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from filtag_kg.csv_table import ANY_TEXT, TEXT, Cell, one_of, optional, real, whole
from filtag_kg.kg.experiments import experiments_of
from filtag_kg.kg.kg import KG
from filtag_kg.kg.tables import Table

LabelStatus = Literal["confirmed", "not confirmed", "not testable"]
STATUSES: tuple[LabelStatus, ...] = ("confirmed", "not confirmed", "not testable")


@dataclass(frozen=True, slots=True)
class CheckedLabel:
    """A label of a filter, checked on images that did not make it: a row of ``checks/….csv``.

    All numbers are None for a label that is not testable. Of each score, the field that ends in ``_filters`` is what
    the same label scores on the layer's other filters, in the mean, and that in ``_labels`` what random labels of as
    many classes score on the same filter.

    Parameters
    ----------
    kind : {"tag", "concept"}
        A tag, or a concept that the filter's tags have in common.
    label_id : str
        The tag's class id, or the concept's IRI.
    relation, source : str
        Of a common concept, as in ``common.csv``; empty for a tag.
    rank : int or None
        The tag's, or that of the common concept among those of its relation and source.
    classes, positives : int
        The classes of the images that the label stands for, and their images.
    status : {"confirmed", "not confirmed", "not testable"}
        Confirmed if its q-value is below the check's level.
    reason : str
        Why it is not testable, in words.
    p_filters, p_labels, p_value, q_value : float, in (0, 1]
        See `filtag_kg.explain.label_tests`; `q_value` decides.
    target_share, other_share : float, in [0, 1]
        The shares of the label's images, and of the others, that activate the filter; see
        `filtag_kg.explain.concept_induction`.
    u_test_p : float, in [0, 1]
        Of the Mann–Whitney test, which takes images for independent.
    """

    rule: str
    layer: str
    filter: int
    kind: str
    label_id: str
    label: str
    relation: str
    source: str
    rank: int | None
    classes: int
    positives: int
    status: LabelStatus
    reason: str = ""
    correlation: float | None = None
    correlation_filters: float | None = None
    correlation_labels: float | None = None
    cosine: float | None = None
    cosine_filters: float | None = None
    cosine_labels: float | None = None
    auprc: float | None = None
    auprc_filters: float | None = None
    auprc_labels: float | None = None
    f1: float | None = None
    f1_filters: float | None = None
    f1_labels: float | None = None
    iou: float | None = None
    iou_filters: float | None = None
    iou_labels: float | None = None
    auc: float | None = None
    auc_filters: float | None = None
    auc_labels: float | None = None
    p_filters: float | None = None
    p_labels: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    target_share: float | None = None
    other_share: float | None = None
    u_test_p: float | None = None


def _cells() -> dict[str, Cell]:
    share, probability = optional(real(0, 1)), optional(real(0, 1))
    cells = {
        "rule": TEXT,
        "layer": TEXT,
        "filter": whole(),
        "kind": one_of(("tag", "concept")),
        "label_id": TEXT,
        "label": ANY_TEXT,
        "relation": ANY_TEXT,
        "source": ANY_TEXT,
        "rank": optional(whole(1)),
        "classes": whole(),
        "positives": whole(),
        "status": one_of(STATUSES),
        "reason": ANY_TEXT,
    }
    for score in ("correlation", "cosine", "auprc", "f1", "iou", "auc"):
        cell = optional(real(-1, 1)) if score == "correlation" else share
        cells |= {score: cell, f"{score}_filters": cell, f"{score}_labels": cell}
    cells |= dict.fromkeys(("p_filters", "p_labels", "p_value", "q_value"), probability)
    return cells | dict.fromkeys(("target_share", "other_share", "u_test_p"), share)


_COLUMNS = tuple(field.name for field in fields(CheckedLabel))
_STATUS, _Q_VALUE = _COLUMNS.index("status"), _COLUMNS.index("q_value")


def _problem(row: tuple[object, ...]) -> str | None:
    status, q_value = row[_STATUS], row[_Q_VALUE]
    return f"a label that is {status} has q-value {q_value}" if (status == STATUSES[2]) != (q_value is None) else None


LABEL_CHECKS = Table("checks.csv", CheckedLabel, _cells(), problem=_problem, advice="check the labels anew")
"""The table of a check; its file is called after the check's id."""


@dataclass(frozen=True, slots=True, eq=False)
class RunCheck:
    """The check of one run's labels.

    Parameters
    ----------
    about : mapping of str to JSON values
        What it was made from: images with their hash, numbers of images and classes, parameters, software.
    labels : tuple of CheckedLabel
        By layer, filter and kind, in the order of the run.
    """

    check_id: str
    run_id: str
    about: Mapping[str, object]
    labels: tuple[CheckedLabel, ...]


def read_label_checks(kg: KG) -> dict[str, RunCheck]:
    """Return the checks that a KG holds, by run id.

    Raises
    ------
    FiltagError
        If a table is missing or damaged: with the line.
    """
    return {
        each.run_id: RunCheck(each.experiment_id, each.run_id, each.about, tuple(LABEL_CHECKS.read(each.path)))
        for each in experiments_of(kg, "check")
    }
