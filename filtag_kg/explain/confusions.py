"""Misclassifications counted by what was taken for what: kinds of things (*dog for dog: 61 %*), and classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.csv_table import ANY_TEXT, TEXT, one_of, read_table, real, rows_csv, whole
from filtag_kg.explain.misclassifications import Misclassification
from filtag_kg.explain.nearest_concept import Group


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one kind of thing was taken for another; the fields are the columns of ``confusions.csv``.

    Parameters
    ----------
    true_concept, true_label, predicted_concept, predicted_label : str
        IRIs and labels of the concepts; class id and label of a class that is a group of its own.
    same : bool
        Whether both are the same: a dog taken for another dog.
    mistakes : int
        Misclassified images.
    share_of_true : float, in (0, 1]
        Of the misclassified images of that kind of thing: *dog for dog: 61 %*.
    share : float, in (0, 1]
        Of all misclassified images.
    """

    true_concept: str
    true_label: str
    predicted_concept: str
    predicted_label: str
    same: bool
    mistakes: int
    share_of_true: float
    share: float


@dataclass(frozen=True, slots=True)
class ClassConfusion:
    """How many images of one class were taken for another, and the first of them."""

    first: Misclassification
    images: int


def confusions(misclassified: Sequence[Misclassification]) -> list[Confusion]:
    """Return the confusions of groups, the most frequent first; ties go by label and concept."""
    counts = Counter((row.true_group, row.predicted_group) for row in misclassified)
    true_counts: Counter[Group] = Counter(row.true_group for row in misclassified)
    rows = [
        Confusion(
            true_concept=true.id,
            true_label=true.label,
            predicted_concept=predicted.id,
            predicted_label=predicted.label,
            same=true == predicted,
            mistakes=count,
            share_of_true=count / true_counts[true],
            share=count / len(misclassified),
        )
        for (true, predicted), count in counts.items()
    ]
    return sorted(
        rows, key=lambda x: (-x.mistakes, x.true_label, x.predicted_label, x.true_concept, x.predicted_concept)
    )


def class_confusions(misclassified: Iterable[Misclassification]) -> list[ClassConfusion]:
    """Return the confusions of classes, the most frequent first; ties go by label and class id."""
    first: dict[tuple[str, str], Misclassification] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in misclassified:
        pair = (row.true_id, row.predicted_id)
        first.setdefault(pair, row)
        counts[pair] += 1
    rows = [ClassConfusion(first[pair], count) for pair, count in counts.items()]
    return sorted(
        rows,
        key=lambda x: (-x.images, x.first.true_label, x.first.predicted_label, x.first.true_id, x.first.predicted_id),
    )


def confusions_csv(rows: Iterable[Confusion]) -> str:
    """Return the text of ``confusions.csv``, in the order given."""
    return rows_csv(Confusion, rows, _cell)


_CELLS = {
    "true_concept": TEXT,
    "true_label": ANY_TEXT,
    "predicted_concept": TEXT,
    "predicted_label": ANY_TEXT,
    "same": one_of({"true": True, "false": False}),
    "mistakes": whole(1),
    "share_of_true": real(0, 1, above=True),
    "share": real(0, 1, above=True),
}


def read_confusions(path: Path) -> list[Confusion]:
    """Read a ``confusions.csv``, which has no rows if no image was misclassified.

    Raises
    ------
    FiltagError
        If it is missing or damaged: with the line.
    """
    return [Confusion(*row) for row in read_table(path, _CELLS, advice="classify the images anew")]


def misclassifications_csv(misclassified: Iterable[Misclassification]) -> str:
    """Return the text of ``errors.csv``, in the order given; unknown values are empty cells.

    Filters are written ``layer/filter`` and separated by spaces, concepts by semicolons, groups by their label.
    """
    return rows_csv(Misclassification, misclassified, _cell)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Group):
        return value.label
    if isinstance(value, tuple):
        if all(isinstance(part, str) for part in value):
            return "; ".join(value)
        return " ".join(f"{layer}/{index}" for layer, index in value)
    return value
