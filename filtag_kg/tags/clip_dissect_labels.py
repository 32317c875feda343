"""CLIP-Dissect's files: ``layer,unit,description,similarity``, one concept of a given list for each unit.

References
----------
Oikarinen & Weng 2023, CLIP-Dissect: Automatic Description of Neuron Representations in Deep Vision Networks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from filtag_kg.tags.labels import Label, csv_format, filter_index, plain, score_of


def _labels(where: str, row: Mapping[str, str]) -> Iterator[Label]:
    yield Label(
        where,
        filter_index(row["unit"], name="unit"),
        plain(row["description"]),
        layer=row.get("layer") or None,
        score=score_of(row["similarity"], "similarity"),
    )


CLIP_DISSECT = csv_format(
    "clip-dissect",
    ("unit", "description", "similarity"),
    _labels,
    score_meaning="similarity of the filter's activations to CLIP's for the concept, over the probing images",
)
"""Units count from 0."""
