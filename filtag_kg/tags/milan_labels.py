"""MILAN's files: ``layer,unit,description``, a phrase or several for each unit, a row each.

References
----------
Hernandez et al. 2022, Natural Language Descriptions of Deep Visual Features
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from filtag_kg.tags.labels import Label, csv_format, filter_index, plain


def _labels(where: str, row: Mapping[str, str]) -> Iterator[Label]:
    unit = filter_index(row["unit"], name="unit")
    yield Label(where, unit, plain(row["description"]), layer=row.get("layer") or None)


MILAN = csv_format("milan", ("unit", "description"), _labels, without=("similarity",))
"""Units count from 0; there are no scores."""
