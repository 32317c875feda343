"""Tag assignments as rows of ``tags.csv``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from filtag_kg.tags.table import TagTable

__all__ = ["TagAssignment", "read_tag_assignments", "tag_assignments", "tags_csv"]


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
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(TagAssignment)]
    writer.writerow(names)
    writer.writerows(map(attrgetter(*names), tag_assignments(tags)))
    return text.getvalue()


def read_tag_assignments(path: Path) -> list[TagAssignment]:
    """Read the ``tags.csv`` of a KG."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            TagAssignment(
                network=row["network"],
                layer_index=int(row["layer_index"]),
                layer=row["layer"],
                filter=int(row["filter"]),
                class_id=row["class_id"],
                label=row["label"],
                rank=int(row["rank"]) if row["rank"] else None,
                activation=float(row["activation"]) if row["activation"] else None,
                contrast=float(row["contrast"]) if row["contrast"] else None,
                rule=row["rule"],
            )
            for row in csv.DictReader(file)
        ]
