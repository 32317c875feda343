"""The tables of a KG: for each its typed row, its reader and its writer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept, ConceptInLayer
from filtag_kg.csv_table import ANY_TEXT, TEXT, Cell, csv_writer, optional, read_table, real, whole
from filtag_kg.errors import FiltagError
from filtag_kg.tags import TagAssignment, TagScore, TagTable

Row = TypeVar("Row")
Problem = Callable[[tuple[Any, ...]], str | None]
"""From the values of a row, in the order of the columns, to what is wrong with them taken together, or None."""

_HAIR = 1e-6
"""Merging profiles rounds means by as much."""


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """A table of a KG.

    Parameters
    ----------
    row : type
        The dataclass of its rows, whose fields are the columns, in order.
    cells : mapping of column to Cell
    problem : callable, optional
        What may be wrong with a row whose cells are right one by one.
    advice : str
        What to do about a damaged table.
    errors : str
        How to read and write what is not UTF-8, as in :func:`open`.
    """

    file_name: str
    row: type[Row]
    cells: Mapping[str, Cell]
    problem: Problem | None = None
    advice: str = "build the KG anew"
    errors: str = "strict"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(field.name for field in fields(self.row))  # type: ignore[arg-type]

    @property
    def types(self) -> dict[str, type]:
        """What each column holds: int, float or str; any but a str may be missing."""
        hints = get_type_hints(self.row)
        kinds = (int, float, str)
        return {name: next(kind for kind in kinds if kind in _members(hints[name])) for name in self.columns}

    def write(self, rows: Iterable[Row], file: io.TextIOBase) -> None:
        """Write rows under a header; None becomes an empty cell."""
        self.write_values(map(attrgetter(*self.columns), rows), file)

    def write_values(self, values: Iterable[tuple[Any, ...]], file: io.TextIOBase) -> None:
        """Write rows under a header, given the values of each in the order of the columns."""
        writer = csv_writer(file)
        writer.writerow(self.columns)
        writer.writerows(values)

    def text(self, rows: Iterable[Row]) -> str:
        """Return rows as the text of the file."""
        text = io.StringIO()
        self.write(rows, text)
        return text.getvalue()

    def read(
        self, path: Path, *, where: Mapping[str, Container[str]] | None = None, problem: Problem | None = None
    ) -> Iterator[Row]:
        """Yield the rows of a file.

        Parameters
        ----------
        where : mapping of column to container of str, optional
            Read only rows whose cells are among these texts; the others are not checked.
        problem : callable, optional
            What else may be wrong with a row.

        Raises
        ------
        FiltagError
            If the file is missing or damaged: with the line.
        """

        def problems(row: tuple[Any, ...]) -> str | None:
            return (self.problem and self.problem(row)) or (problem and problem(row)) or None

        check = problems if self.problem or problem else None
        rows = read_table(path, self.cells, where=where, check=check, advice=self.advice, errors=self.errors)
        return (self.row(*row) for row in rows)


def _members(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type or a union of types
    return getattr(hint, "__args__", (hint,))


def _interval_problem(row: tuple[Any, ...]) -> str | None:
    separation, low, high = row[-3:]
    if (low, high) == (None, None) or (None not in row[-3:] and low <= separation <= high):
        return None
    return f"the interval {low} to {high} does not hold {separation}"


TAGS = Table(
    "tags.csv",
    TagAssignment,
    {
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
    },
)
COMMON = Table(
    "common.csv",
    CommonConcept,
    {
        "rule": TEXT,
        "layer": TEXT,
        "filter": whole(),
        "concept": TEXT,
        "label": ANY_TEXT,
        "relation": TEXT,
        "source": TEXT,
        "coverage": real(0, 1, above=True),
        "support": whole(1),
        "tags": whole(1),
        "ic": real(0),
        "p_value": real(0, 1),
        "p_adjusted": real(0, 1),
        "q_value": optional(real(0, 1)),
        "rank": whole(1),
    },
)
CONCEPTS = Table(
    "concepts.csv",
    ConceptInLayer,
    {
        "rule": TEXT,
        "layer": TEXT,
        "concept": TEXT,
        "label": ANY_TEXT,
        "classes": whole(2),
        "filters": whole(),
        "concentration": optional(real(0)),
        "separation": optional(real(0, 1)),
        "low": optional(real(0, 1)),
        "high": optional(real(0, 1)),
    },
    problem=_interval_problem,
)
SCORES = Table(
    "scores.csv",
    TagScore,
    {"layer": TEXT, "filter": whole(), "class_id": TEXT, "score": real(), "rule": TEXT},
)
"""Only in a build whose tags another method scored."""
TABLES: Mapping[str, Table[Any]] = {"tags": TAGS, "common": COMMON, "concepts": CONCEPTS}
"""Those of every build, by the names that people choose them by."""


def read_common_concepts(
    path: Path,
    *,
    rule: str | None = None,
    filters: Collection[tuple[str, int]] | None = None,
    kinds_of: str | None = None,
    layers: Mapping[str, int] | None = None,
) -> list[CommonConcept]:
    """Read the ``common.csv`` of a KG.

    Parameters
    ----------
    rule : str, optional
        Read the rows of this rule alone.
    filters : collection of (layer, filter), optional
        Read the rows of these filters alone: of a large KG that takes a fraction of the time.
    kinds_of : str, optional
        Read the kinds that this concept source knows alone.
    layers : mapping of layer name to its number of filters, optional
        The layers of the network; a row about another filter is damage.

    Raises
    ------
    FiltagError
        If the table is missing or damaged: with the line.
    """
    where: dict[str, Container[str]] = {}
    if rule is not None:
        where["rule"] = (rule,)
    if kinds_of is not None:
        where |= {"relation": ("IsA",), "source": (kinds_of,)}
    if filters is not None:
        where["layer"] = {layer for layer, _ in filters}
        where["filter"] = {str(filter_) for _, filter_ in filters}

    def problem(row: tuple[Any, ...]) -> str | None:
        return None if layers is None else unknown_filter(layers, row[1], row[2])

    rows = COMMON.read(path, where=where, problem=problem)
    return [row for row in rows if filters is None or (row.layer, row.filter) in filters]


def read_tags(
    path: Path,
    *,
    network: str,
    rules: Sequence[str],
    layers: Mapping[str, int] | None = None,
    classes: Mapping[str, str] | None = None,
) -> TagTable:
    """Read the ``tags.csv`` of a KG, and the ``scores.csv`` beside it: a million tags take about a second.

    Parameters
    ----------
    network : str
        The network's identifier.
    rules : sequence of str
        The rules of the build.
    layers : mapping of layer name to its number of filters, optional
        The layers of the network, in forward order. Left out: those that have tags, as far as their last tagged filter.
    classes : mapping of class id to label, optional
        The classes of the KG. Left out: those that tag a filter, by id.

    Raises
    ------
    FiltagError
        If the table is missing or damaged: with the line.
    """

    def problem(row: tuple[Any, ...]) -> str | None:
        _, _, layer, filter_, class_id, *_, rule = row
        if rule not in rules:
            return f"there is no run by the rule {rule!r}"
        if classes is not None and class_id not in classes:
            return f"there is no class {class_id!r}"
        return None if layers is None else unknown_filter(layers, layer, filter_)

    columns = _load_columns(path)
    if columns is not None:
        try:
            return _with_scores(_tag_table(columns, network, rules, layers, classes), path)
        except (KeyError, ValueError):  # The slow way says where the table is damaged.
            pass
    rows = list(TAGS.read(path, problem=problem))
    columns = {name: [getattr(row, name) for row in rows] for name in _COLUMN_TYPES}
    columns |= {name: _with_missing(columns[name], missing) for name, missing in _MISSING.items()}
    return _with_scores(_tag_table(columns, network, rules, layers, classes), path)


def _with_scores(tags: TagTable, path: Path) -> TagTable:
    """Return a table with the scores in the file beside it, if there is one."""
    path = path.with_name(SCORES.file_name)
    if not path.exists():
        return tags
    rows = {
        (tags.rules[rule], tags.layer_names[layer], filter_, tags.class_ids[class_]): index
        for index, (rule, layer, filter_, class_) in enumerate(
            zip(*(column.tolist() for column in (tags.rule, tags.layer, tags.filter, tags.class_)), strict=True)
        )
    }
    score = np.full(len(tags), np.nan)
    for row in SCORES.read(path):
        index = rows.get((row.rule, row.layer, row.filter, row.class_id))
        if index is None:
            raise FiltagError(
                f"{path} has a score of {row.class_id!r} on filter {row.filter} of {row.layer}, which it does not tag "
                f"by {row.rule}: {SCORES.advice}"
            )
        score[index] = row.score
    return replace(tags, score=score)


_COLUMN_TYPES: Mapping[str, Any] = {
    "layer": object,
    "filter": np.int64,
    "class_id": object,
    "label": object,
    "rank": np.int64,
    "activation": np.float64,
    "contrast": np.float64,
    "rule": object,
}
_MISSING: Mapping[str, float] = {"rank": 0, "activation": np.nan, "contrast": np.nan}
"""What stands for an empty cell."""


def _with_missing(column: Iterable[float | None], missing: float) -> list[float]:
    return [missing if value is None else value for value in column]


def _load_columns(path: Path) -> dict[str, Any] | None:
    """Return the columns of ``tags.csv``, read by NumPy in a fifth of the time; None if they need a closer look."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            header, first = next(rows), next(rows)
        # Counted from the end, so a row with more cells than the header does not pass for a right one.
        indices = [header.index(name) - len(header) for name in _COLUMN_TYPES]
        cells = dict(zip(_COLUMN_TYPES, (first[index] for index in indices), strict=True))
        empty = [name for name in _MISSING if not cells[name]]
        loaded = np.loadtxt(
            path.absolute(),
            dtype=[(name, object if name in empty else kind) for name, kind in _COLUMN_TYPES.items()],
            delimiter=",",
            quotechar='"',
            comments=None,
            skiprows=1,
            usecols=indices,
            encoding="utf-8",
            ndmin=1,
        )
    except (OSError, ValueError, IndexError, StopIteration, csv.Error):
        return None
    columns: dict[str, Any] = {name: loaded[name] for name in _COLUMN_TYPES}
    for name in empty:
        if any(columns[name]):
            return None
        columns[name] = np.full(len(loaded), _MISSING[name])
    given = [columns[name] for name in _MISSING if name not in empty]
    if not all(np.isfinite(column).all() for column in given) or ("rank" not in empty and (columns["rank"] < 1).any()):
        return None
    return columns


def _tag_table(
    columns: Mapping[str, Any],
    network: str,
    rules: Sequence[str],
    layers: Mapping[str, int] | None,
    classes: Mapping[str, str] | None,
) -> TagTable:
    """Return columns as a table; KeyError or ValueError where they name what there is not."""
    if classes is None:
        classes = dict(sorted(dict(zip(columns["class_id"], columns["label"], strict=True)).items()))
    layer_names = tuple(dict.fromkeys(columns["layer"]) if layers is None else layers)
    layer = _indices(columns["layer"], layer_names)
    filter_ = np.asarray(columns["filter"], dtype=np.int64)
    if layers is None:
        n_filters = np.zeros(len(layer_names), dtype=np.int64)
        np.maximum.at(n_filters, layer, filter_ + 1)
        sizes = tuple(n_filters.tolist())
    else:
        sizes = tuple(layers.values())
    return TagTable(
        network=network,
        layer_names=layer_names,
        n_filters=sizes,
        class_ids=tuple(classes),
        class_labels=tuple(classes.values()),
        rules=tuple(rules),
        rule=_indices(columns["rule"], rules),
        layer=layer,
        filter=filter_,
        class_=_indices(columns["class_id"], classes),
        rank=np.asarray(columns["rank"], dtype=np.int64),
        activation=np.asarray(columns["activation"], dtype=np.float64),
        contrast=np.asarray(columns["contrast"], dtype=np.float64),
    )


def _indices(names: Collection[str], known: Iterable[str]) -> NDArray[np.int64]:
    index = {name: i for i, name in enumerate(known)}
    return np.fromiter(map(index.__getitem__, names), dtype=np.int64, count=len(names))


def unknown_filter(layers: Mapping[str, int], layer: str, filter_: int) -> str | None:
    """Return what is wrong with a row about a filter; `layers` are the numbers of filters by layer."""
    return None if filter_ < layers.get(layer, 0) else f"there is no filter {filter_} in a layer {layer!r}"
