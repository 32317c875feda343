"""The table of filters that respond to two unrelated things: ``mixed.csv``, in a build from a profile."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from filtag_kg.concepts import MixedPart
from filtag_kg.csv_table import ANY_TEXT, TEXT, real, whole
from filtag_kg.errors import FiltagError
from filtag_kg.kg.kg import KG
from filtag_kg.kg.tables import Table, unknown_filter

MIXED = Table(
    "mixed.csv",
    MixedPart,
    {
        "layer": TEXT,
        "filter": whole(),
        "part": whole(1, 2),
        "concept": TEXT,
        "label": ANY_TEXT,
        "class_ids": TEXT,
        "clear": whole(2),
        "share": real(0, 1, above=True),
        "p_adjusted": real(0, 1),
        "q_value": real(0, 1),
    },
)
"""It follows from the profile, whatever the rules, so it has no column for them."""


@dataclass(frozen=True, slots=True)
class MixedTest:
    """What a build found of filters that respond to two unrelated things.

    Parameters
    ----------
    parts : tuple of (MixedPart, MixedPart)
        Of each filter whose second part is beyond chance by itself, by layer and filter.
    tested : int
        Filters with a theme, which were tested for a second.
    classes_needed : int or None
        How many classes are needed at least for any filter to have a theme, where there are too few.
    """

    parts: tuple[tuple[MixedPart, MixedPart], ...]
    tested: int
    classes_needed: int | None


def read_mixed(kg: KG, folder: str, *, layers: Mapping[str, int], classes: Container[str]) -> MixedTest | None:
    """Read what a build found of mixed filters; None if it had no profile, or an earlier version made it.

    Parameters
    ----------
    folder : str
        Of the build, from the KG's directory; empty for the first.
    layers : mapping of layer name to its number of filters
    classes : container of str
        Class ids.

    Raises
    ------
    FiltagError
        If the table is damaged.
    """
    builds = {"": kg.manifest, **{build["folder"]: build for build in kg.manifest.get("added", ())}}
    record = builds[folder].get("mixed")
    if record is None:
        return None

    def problem(row: tuple[Any, ...]) -> str | None:
        part = MixedPart(*row)
        unknown = next((class_id for class_id in part.classes if class_id not in classes), None)
        if unknown is not None:
            return f"there is no class {unknown!r}"
        return unknown_filter(layers, part.layer, part.filter)

    path = kg.path / folder / MIXED.file_name
    rows = list(MIXED.read(path, problem=problem))
    pairs = tuple(zip(rows[::2], rows[1::2], strict=False))
    for first, second in pairs:
        if (first.layer, first.filter, first.part + 1) != (second.layer, second.filter, second.part):
            raise FiltagError(f"{path} lacks a part of filter {first.filter} of {first.layer}: {MIXED.advice}")
    if len(rows) % 2:
        raise FiltagError(f"{path} lacks a part of filter {rows[-1].filter} of {rows[-1].layer}: {MIXED.advice}")
    return MixedTest(pairs, record["tested"], record.get("classes_needed"))
