"""The table of the images that activate each filter most."""

from __future__ import annotations

from dataclasses import dataclass

from filtag_kg.csv_table import TEXT, Cell, file_beside, real, whole
from filtag_kg.kg.tables import Table


@dataclass(frozen=True, slots=True)
class ExemplarRow:
    """An image that activates a filter much: a row of ``exemplars.csv``, its fields the columns in order.

    `class_id` is the image's class; of several, the one whose images activate the filter most. `thumbnail` is a file
    beside the table.
    """

    layer_index: int
    layer: str
    filter: int
    rank: int
    image: str
    class_id: str
    activation: float
    thumbnail: str


EXEMPLARS = Table(
    "exemplars.csv",
    ExemplarRow,
    {
        "layer_index": whole(),
        "layer": TEXT,
        "filter": whole(),
        "rank": whole(1),
        "image": TEXT,
        "class_id": TEXT,
        "activation": real(0, 1),
        "thumbnail": Cell(file_beside, "a file beside the table"),
    },
    errors="surrogateescape",  # Image files may be called anything.
)
