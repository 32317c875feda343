"""Common concepts as the rows of ``common.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

from filtag_kg.concepts.common import CommonConcept

__all__ = ["common_csv", "read_common_concepts"]


def common_csv(found: Iterable[CommonConcept]) -> str:
    """Return common concepts as the text of ``common.csv``, in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(CommonConcept))
    writer.writerows(astuple(row) for row in found)
    return text.getvalue()


def read_common_concepts(path: Path) -> list[CommonConcept]:
    """Read the ``common.csv`` of a KG."""
    read = {"str": str, "int": int, "float": float}
    types = {field.name: read[str(field.type)] for field in fields(CommonConcept)}
    with path.open(newline="", encoding="utf-8") as file:
        return [
            CommonConcept(**{name: types[name](value) for name, value in row.items()}) for row in csv.DictReader(file)
        ]
