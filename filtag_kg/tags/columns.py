"""Tag assignments as rows of ``tags.csv``."""

from __future__ import annotations

import io
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from filtag_kg.csv_table import ANY_TEXT, TEXT, Cell, csv_writer, optional, read_table, real, whole
from filtag_kg.tags.table import TagTable

__all__ = ["TAG_CELLS", "TagAssignment", "read_tag_assignments", "read_tags", "tag_assignments", "tags_csv"]

# Merging profiles rounds means by as much.
_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class TagAssignment:
    """One class given to one filter by one rule; the fields are the columns of ``tags.csv``, in order.

    `rank`, `activation` and `contrast` are None where the method that made the tags does not say.
    """

    network: str
    layer_index: int
    layer: str
    filter: int
    class_id: str
    label: str
    rank: int | None
    activation: float | None
    contrast: float | None
    rule: str


def tag_assignments(tags: TagTable) -> Iterator[TagAssignment]:
    """Yield the rows of a table, in its order."""
    columns = (tags.rule, tags.layer, tags.filter, tags.class_, tags.rank, tags.activation, tags.contrast)
    for rule, layer, filter_, class_, rank, activation, contrast in zip(*(c.tolist() for c in columns), strict=True):
        yield TagAssignment(
            network=tags.network,
            layer_index=layer,
            layer=tags.layer_names[layer],
            filter=filter_,
            class_id=tags.class_ids[class_],
            label=tags.class_labels[class_],
            rank=rank or None,
            activation=None if math.isnan(activation) else activation,
            contrast=None if math.isnan(contrast) else contrast,
            rule=tags.rules[rule],
        )


def tags_csv(tags: TagTable) -> str:
    """Return the table as the text of ``tags.csv``; what is unknown is an empty cell."""
    text = io.StringIO()
    writer = csv_writer(text)
    names = [field.name for field in fields(TagAssignment)]
    writer.writerow(names)
    writer.writerows(map(attrgetter(*names), tag_assignments(tags)))
    return text.getvalue()


TAG_CELLS: Mapping[str, Cell] = {
    "network": TEXT,
    "layer_index": whole(),
    "layer": TEXT,
    "filter": whole(),
    "class_id": TEXT,
    "label": ANY_TEXT,
    "rank": optional(whole(1)),
    "activation": optional(real(-_HAIR, 1 + _HAIR)),
    "contrast": optional(real()),
    "rule": TEXT,
}
"""What the columns of ``tags.csv`` hold."""


def read_tags(
    path: Path,
    columns: Sequence[str],
    *,
    rule: str | None = None,
    layers: Mapping[str, int] | None = None,
    class_ids: Container[str] | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Yield some columns of the ``tags.csv`` of a KG, row by row: parsing all of a large KG takes seconds.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        The columns to read, in this order.
    rule : str, optional
        Read the rows of this rule alone.
    layers : mapping of layer name to its number of filters, optional
        Those there are. `columns` must then begin with ``layer`` and ``filter``.
    class_ids : container of str, optional
        Those there are. `columns` must then have ``class_id`` as the third.

    Raises
    ------
    FiltagError
        If the table is missing or damaged: with the line.
    """

    def unknown(row: tuple[Any, ...]) -> str | None:
        if layers is not None and row[1] >= layers.get(row[0], 0):
            return f"there is no filter {row[1]} in a layer {row[0]!r}"
        if class_ids is not None and row[2] not in class_ids:
            return f"there is no class {row[2]!r}"
        return None

    check = unknown if layers is not None or class_ids is not None else None
    where = None if rule is None else {"rule": (rule,)}
    return read_table(path, TAG_CELLS, columns=columns, where=where, check=check, advice="build the KG anew")


def read_tag_assignments(path: Path) -> list[TagAssignment]:
    """Read the whole ``tags.csv`` of a KG.

    Raises
    ------
    FiltagError
        If the table is missing or damaged: with the line.
    """
    return [TagAssignment(*row) for row in read_tags(path, [field.name for field in fields(TagAssignment)])]
