"""An evaluation as the rows of ``hits.csv`` and ``classes.csv``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filtag_kg.csv_table import Cell, one_of, optional, read_table, real, rows_csv, table_columns, whole
from filtag_kg.errors import FiltagError
from filtag_kg.explain.evaluation import Evaluation, rank_correlation
from filtag_kg.explain.hits import SCOPES
from filtag_kg.tags import parse_rule

# Few enough to hide the rounding in the network, which differs by batch size.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class HitsRow:
    """Hits@n over all images; the fields are the columns of ``hits.csv``, in order.

    Parameters
    ----------
    layers : {"all", "last"}
    hits : float, in [0, 1]
    hits_low, hits_high : float or None
        Its 95 % bootstrap interval over images; None without resamples, and in files of earlier versions.
    null : float or None
        The mean of `hits` over all permutations of the images' labels; None without permutations.
    null_sd : float or None
        The standard deviation over the random permutations; None for fewer than two.
    rho, rho_low, rho_high : float or None
        Spearman's ρ between Hits@n and accuracy over classes, and its 95 % confidence interval.
    classes : int
        How many classes ρ is computed over.
    """

    rule: str
    layers: str
    n: int
    images: int
    hits: float
    hits_low: float | None
    hits_high: float | None
    null: float | None
    null_sd: float | None
    rho: float | None
    rho_low: float | None
    rho_high: float | None
    classes: int


@dataclass(frozen=True, slots=True)
class ClassHitsRow:
    """Hits@n over the images of one class; the fields are the columns of ``classes.csv``, in order.

    `accuracy` is None where the network has no output for the class.
    """

    rule: str
    layers: str
    n: int
    class_id: str
    label: str
    images: int
    hits: float
    accuracy: float | None


def hits_rows(evaluation: Evaluation) -> Iterator[HitsRow]:
    """Yield Hits@n by rule, layers and n."""
    hits = evaluation.hits
    overall, expected = hits.overall, hits.expected
    for rule, scope, n_index in np.ndindex(*overall.shape):
        null = hits.null[:, rule, scope, n_index]
        low, high = (None, None) if evaluation.intervals is None else evaluation.intervals[:, rule, scope, n_index]
        correlation = rank_correlation(hits.by_class[rule, scope, n_index], evaluation.accuracy)
        yield HitsRow(
            rule=str(hits.rules[rule]),
            layers=SCOPES[scope],
            n=hits.n[n_index],
            images=int(hits.images.sum()),
            hits=float(overall[rule, scope, n_index]),
            hits_low=_known(low),
            hits_high=_known(high),
            null=float(expected[rule, scope, n_index]) if len(null) else None,
            null_sd=float(null.std(ddof=1)) if len(null) > 1 else None,
            rho=correlation.rho,
            rho_low=correlation.low,
            rho_high=correlation.high,
            classes=correlation.n_classes,
        )


def class_hits_rows(evaluation: Evaluation) -> Iterator[ClassHitsRow]:
    """Yield Hits@n by rule, layers, n and class, for every class with images."""
    hits = evaluation.hits
    for rule, scope, n_index, class_ in np.ndindex(*hits.by_class.shape):
        if hits.images[class_]:
            accuracy = float(evaluation.accuracy[class_])
            yield ClassHitsRow(
                rule=str(hits.rules[rule]),
                layers=SCOPES[scope],
                n=hits.n[n_index],
                class_id=evaluation.class_ids[class_],
                label=evaluation.class_labels[class_],
                images=int(hits.images[class_]),
                hits=float(hits.by_class[rule, scope, n_index, class_]),
                accuracy=None if math.isnan(accuracy) else accuracy,
            )


def hits_csv(evaluation: Evaluation) -> str:
    """Return the text of ``hits.csv``; unknown values are empty cells."""
    return rows_csv(HitsRow, hits_rows(evaluation), _rounded)


def class_hits_csv(evaluation: Evaluation) -> str:
    """Return the text of ``classes.csv``; unknown values are empty cells."""
    return rows_csv(ClassHitsRow, class_hits_rows(evaluation), _rounded)


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _rounded(value: object) -> object:
    return round(value, _DIGITS) if isinstance(value, float) else value


def _rule(cell: str) -> str:
    try:
        return str(parse_rule(cell))
    except FiltagError:
        raise ValueError from None


_CELLS = {
    "rule": Cell(_rule, "a rule"),
    "layers": one_of(SCOPES),
    "n": whole(1),
    "images": whole(1),
    "hits": real(0, 1),
    "hits_low": optional(real(0, 1)),
    "hits_high": optional(real(0, 1)),
    "null": optional(real(0, 1)),
    "null_sd": optional(real(0)),
    "rho": optional(real(-1, 1)),
    "rho_low": optional(real(-1, 1)),
    "rho_high": optional(real(-1, 1)),
    "classes": whole(),
}

_NEW = ("hits_low", "hits_high")
"""Columns that earlier versions did not write."""


def read_hits(path: Path) -> list[HitsRow]:
    """Read a ``hits.csv``; one of an earlier version has no intervals.

    Raises
    ------
    FiltagError
        If it is missing or damaged: with the line.
    """
    advice = "evaluate anew"
    names = table_columns(path, advice=advice)
    cells = {name: cell for name, cell in _CELLS.items() if name in names or name not in _NEW}
    missing: dict[str, Any] = dict.fromkeys(_NEW)
    rows = [HitsRow(**missing | dict(zip(cells, row, strict=True))) for row in read_table(path, cells, advice=advice)]
    if not rows:
        raise FiltagError(f"{path} has no rows: {advice}")
    return rows
