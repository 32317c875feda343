"""Common concepts as the rows of ``common.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Container, Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from filtag_kg.concepts.common import CommonConcept

__all__ = ["common_csv", "read_common_concepts"]


def common_csv(found: Iterable[CommonConcept]) -> str:
    """Return common concepts as the text of ``common.csv``, in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(CommonConcept))
    writer.writerows(astuple(row) for row in found)
    return text.getvalue()


def read_common_concepts(
    path: Path,
    *,
    rule: str | None = None,
    filters: Container[tuple[str, int]] | None = None,
    relation: str | None = "IsA",
) -> list[CommonConcept]:
    """Read the ``common.csv`` of a KG.

    Parameters
    ----------
    path : Path
    rule : str, optional
        Read the rows of this rule alone.
    filters : container of (layer, filter), optional
        Read the rows of these filters alone: of a large KG that takes a fraction of the time.
    relation : str or None
        Read the rows of this relation alone; None: of all.
    """
    read: dict[str, Callable[[str], Any]] = {
        "str": str,
        "int": int,
        "float": float,
        "float | None": lambda text: float(text) if text else None,
    }
    columns = [field.name for field in fields(CommonConcept)]
    types = [read[str(field.type)] for field in fields(CommonConcept)]
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        place = [header.index(name) for name in columns]
        of_rule, of_layer, of_filter = (place[columns.index(name)] for name in ("rule", "layer", "filter"))
        of_relation = place[columns.index("relation")]
        return [
            CommonConcept(*(type_(row[index]) for type_, index in zip(types, place, strict=True)))
            for row in rows
            if (rule is None or row[of_rule] == rule)
            and (relation is None or row[of_relation] == relation)
            and (filters is None or (row[of_layer], int(row[of_filter])) in filters)
        ]
