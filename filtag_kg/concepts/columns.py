"""Common concepts as the rows of ``common.csv``."""

from __future__ import annotations

import io
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from filtag_kg.concepts.common import CommonConcept
from filtag_kg.csv_table import ANY_TEXT, TEXT, csv_writer, optional, read_table, real, whole

__all__ = ["common_csv", "read_common_concepts"]


def common_csv(found: Iterable[CommonConcept]) -> str:
    """Return common concepts as the text of ``common.csv``, in the order given."""
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(field.name for field in fields(CommonConcept))
    writer.writerows(astuple(row) for row in found)
    return text.getvalue()


_CELLS = {
    "rule": TEXT,
    "layer": TEXT,
    "filter": whole(),
    "concept": TEXT,
    "label": ANY_TEXT,
    "relation": TEXT,
    "coverage": real(0, 1, above=True),
    "support": whole(1),
    "tags": whole(1),
    "ic": real(0),
    "p_value": real(0, 1),
    "p_adjusted": real(0, 1),
    "q_value": optional(real(0, 1)),
    "rank": whole(1),
}


def read_common_concepts(
    path: Path,
    *,
    rule: str | None = None,
    filters: Collection[tuple[str, int]] | None = None,
    relation: str | None = "IsA",
    layers: Mapping[str, int] | None = None,
) -> list[CommonConcept]:
    """Read the ``common.csv`` of a KG.

    Parameters
    ----------
    path : Path
    rule : str, optional
        Read the rows of this rule alone.
    filters : collection of (layer, filter), optional
        Read the rows of these filters alone: of a large KG that takes a fraction of the time.
    relation : str or None
        Read the rows of this relation alone; None: of all.
    layers : mapping of layer name to its number of filters, optional
        Those there are.

    Raises
    ------
    FiltagError
        If the table is missing or damaged: with the line.
    """
    where: dict[str, Container[str]] = {}
    if rule is not None:
        where["rule"] = (rule,)
    if relation is not None:
        where["relation"] = (relation,)
    if filters is not None:
        where["layer"] = {layer for layer, _ in filters}

    def wrong(row: tuple[Any, ...]) -> str | None:
        _, layer, filter_, _, _, _, _, support, tags, *_, q_value, rank = row
        if support > tags:
            return f"{support} of {tags} tags"
        if rank == 1 and q_value is None:
            return "a filter's first concept has no q_value"
        if layers is not None and filter_ >= layers.get(layer, 0):
            return f"there is no filter {filter_} in a layer {layer!r}"
        return None

    rows = read_table(path, _CELLS, where=where, check=wrong, advice="build the KG anew")
    return [CommonConcept(*row) for row in rows if filters is None or (row[1], row[2]) in filters]
