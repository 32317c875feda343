"""Labels of any method in a plain table: ``layer,filter,label``, with or without ``class_id`` and ``score``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from filtag_kg.tags.labels import Label, csv_format, filter_index, plain, score_of


def _labels(where: str, row: Mapping[str, str]) -> Iterator[Label]:
    yield Label(
        where,
        filter_index(row["filter"]),
        plain(row["label"]),
        layer=row.get("layer") or None,
        class_id=row.get("class_id") or None,
        score=score_of(row.get("score", "")),
    )


PLAIN = csv_format("csv", ("filter", "label"), _labels, score_meaning="what the file says: the higher, the surer")
"""Filters count from 0."""
