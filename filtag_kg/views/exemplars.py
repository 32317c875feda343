"""The exemplars of filters: their images, and where in them the filters respond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from filtag_kg.kg import EXEMPLARS, KG, ExemplarRow, WhereTable, read_where
from filtag_kg.views.records import Exemplar, Where
from filtag_kg.views.results import NetworkLayers

_Filter: TypeAlias = tuple[str, int]
"""A network's identifier and the column of a filter."""


class ExemplarsOfFilters(Mapping[_Filter, tuple[Exemplar, ...]]):
    """The exemplars of each filter, by network and column, the highest activation first.

    They are made when they are asked for: a hundred thousand of them would take more memory than their tables.
    """

    def __init__(self, tables: Mapping[_Filter, _Rows]) -> None:
        self._tables = tables

    def __getitem__(self, filter_: _Filter) -> tuple[Exemplar, ...]:
        """Return the exemplars of a filter; KeyError if it has none."""
        return self._tables[filter_].exemplars()

    def __iter__(self) -> Iterator[_Filter]:
        """Yield the filters that have exemplars."""
        return iter(self._tables)

    def __len__(self) -> int:
        """Return the number of filters that have exemplars."""
        return len(self._tables)


@dataclass(frozen=True, slots=True)
class _Build:
    """The exemplars of a build: the folder of their files, from the KG's directory, and where filters respond."""

    folder: str
    labels: Mapping[str, str]
    where: WhereTable | None


@dataclass(slots=True)
class _Rows:
    """The rows of a filter's exemplars, with their numbers in their table."""

    build: _Build
    rows: list[tuple[int, ExemplarRow]]

    def exemplars(self) -> tuple[Exemplar, ...]:
        labels = self.build.labels
        return tuple(
            Exemplar(
                # A name that is not UTF-8 cannot be shown as it is.
                image=row.image.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
                class_id=row.class_id,
                label=labels.get(row.class_id, row.class_id),
                activation=row.activation,
                thumbnail=f"{self.build.folder}/{row.thumbnail}",
                where=self._where(number),
            )
            for number, row in self.rows
        )

    def _where(self, number: int) -> Where | None:
        table = self.build.where
        return None if table is None else Where(*table.crop_field_view(number), table.maps[number])


def read_exemplars(kg: KG, folders: Mapping[str, NetworkLayers], labels: Mapping[str, str]) -> ExemplarsOfFilters:
    """Read the exemplars of a KG; of a filter that has some in several builds, those of the first that has maps.

    Parameters
    ----------
    folders : mapping of a build's folder to NetworkLayers
        The last build first.
    labels : mapping of class id to label

    Raises
    ------
    FiltagError
        If a table is damaged.
    """
    tables: dict[_Filter, _Rows] = {}
    for folder, network in folders.items():
        path = kg.path / folder / "exemplars" / EXEMPLARS.file_name
        if not path.exists():
            continue
        first, sizes = network.first_columns, network.filters_of_layers

        def problem(row: tuple[Any, ...], sizes: Mapping[str, int] = sizes) -> str | None:
            _, layer, filter_, *_ = row
            return None if filter_ < sizes.get(layer, 0) else f"there is no filter {filter_} in a layer {layer!r}"

        rows = list(EXEMPLARS.read(path, problem=problem))
        build = _Build(_below(path.parent, kg.path), labels, read_where(path.parent, rows))
        of_build: dict[_Filter, _Rows] = {}
        for number, row in enumerate(rows):
            filter_key = (network.network, first[row.layer] + row.filter)
            of_build.setdefault(filter_key, _Rows(build, [])).rows.append((number, row))
        # Maps that were added to a KG without them are to be seen.
        tables |= {
            filter_: of_filter
            for filter_, of_filter in of_build.items()
            if build.where is not None or filter_ not in tables or tables[filter_].build.where is None
        }
    return ExemplarsOfFilters(tables)


def _below(folder: Path, kg: Path) -> str:
    return folder.relative_to(kg).as_posix()
