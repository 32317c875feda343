"""Parquet files that hold images, as Hugging Face's `datasets` writes them.

A column ``image`` is a struct of ``bytes`` and ``path``, or the bytes alone; a column ``label`` holds texts, whole
numbers or lists of either. What the numbers mean is in the schema's metadata, under ``huggingface``. A path in such a
file is only part of an image's name: it is never opened.
"""

from __future__ import annotations

import json
import posixpath
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filtag_kg.errors import FiltagError, MissingExtraError, reason_of
from filtag_kg.files import sha256_of
from filtag_kg.images.class_ids import ClassNames
from filtag_kg.images.folders import parts_of_data
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.labelled_files import label_of

if TYPE_CHECKING:
    from pyarrow import Schema
    from pyarrow.parquet import ParquetFile

PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})

_IMAGES = ("image", "img", "images", "picture", "photo")
_LABELS = ("label", "labels", "class", "classes", "class_id", "class_ids", "category", "target")
# As for a compressed tar: a file of any size may unpack to the first, to more only in proportion to its size.
_UNPACKED_ALWAYS = 2**30
_UNPACKED_RATIO = 100
# Bytes that are unpacked at a time. A row may repeat the largest value of its group, which takes hardly any space.
_AT_ONCE = 2**28
_MOST_ROWS_AT_ONCE = 64


def open_parquet(path: Path) -> ImageSet:
    """Return the images in a Parquet file, to be read in its order.

    Raises
    ------
    FiltagError
        If it is damaged, has no column of images or of labels, a row has no label, or an image is only a path.
    MissingExtraError
        If pyarrow is not installed.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError:
        raise MissingExtraError("pyarrow", "tables") from None
    try:
        _check_magic(path)
        file = ParquetFile(path, buffer_size=2**20)
        try:
            return _image_set(path, file)
        except BaseException:
            file.close()
            raise
    except FiltagError:
        raise
    except Exception as error:  # noqa: BLE001
        # Broad on purpose: a damaged or hostile file makes pyarrow raise many kinds of errors.
        raise FiltagError(f"{path} cannot be read ({reason_of(error)}): copy it again") from None


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            raise FiltagError(f"{path} is not a Parquet file: give one, or a list of images with their labels")


def parquet_shards(folder: Path) -> list[Path]:
    """Return the Parquet files in a folder or in its folder ``data``, sorted; empty if there are none.

    Raises
    ------
    FiltagError
        If they are of several parts of a data set.
    """
    for inner in (folder, folder / "data"):
        shards = sorted(path for suffix in PARQUET_SUFFIXES for path in inner.glob(f"*{suffix}") if path.is_file())
        if shards:
            # train-00000-of-00014.parquet
            parts = parts_of_data((path.name.partition(".")[0].partition("-")[0],) for path in shards)
            if parts:
                first = next(path for path in shards if path.name.startswith(parts[-1]))
                raise FiltagError(
                    f"{inner} holds {' and '.join(parts)}, parts of a data set that must not be mixed: give the files "
                    f"of one, such as {first}, or several by a pattern with {{00000..00001}}"
                )
            return shards
    return []


def _image_set(path: Path, file: ParquetFile) -> ImageSet:
    schema = file.schema_arrow
    features = _features(schema)
    image = _image_column(path, schema)
    label = _label_column(path, schema, features)
    groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > max(_UNPACKED_ALWAYS, _UNPACKED_RATIO * path.stat().st_size):
        raise FiltagError(f"{path} unpacks to {unpacked:,} bytes, far more than it should: copy it again")
    is_struct = schema.field(image).type.num_fields > 0
    content = f"{image}.bytes" if is_struct else image
    chunk_sizes = [_chunk_size(path, group, content) for group in groups]
    names = _names(file, image if is_struct else None)
    classes, labels = _classes(path, file, label, _class_names(features.get(label)))
    images = [ImageRef(ids[0], name, ids[1:]) for ids, name in zip(classes, names, strict=True)]
    if not images:
        raise FiltagError(f"{path} has no rows: give a file with images")
    rows = _Rows(file, content, [group.num_rows for group in groups], max(chunk_sizes))
    row_of = {name: row for row, name in enumerate(names)}
    sizes = [
        chunk_size // max(1, group.num_rows)
        for chunk_size, group in zip(chunk_sizes, groups, strict=True)
        for _ in range(group.num_rows)
    ]
    return ImageSet(
        path,
        images,
        sizes=dict(zip(names, sizes, strict=True)),
        read=lambda name: rows.read(row_of[name]),
        close=file.close,
        digest=partial(sha256_of, path),
        reading_order=images,
        labels=labels,
    )


class _Rows:
    """Reads a column row by row, forward; going back starts at the row's group again.

    Parameters
    ----------
    column : str
        Of bytes; ``image.bytes`` in a struct.
    group_sizes : sequence of int
        Rows of each group.
    chunk_size : int
        Bytes of the largest group's column: no value is larger.
    """

    def __init__(self, file: ParquetFile, column: str, group_sizes: Sequence[int], chunk_size: int) -> None:
        self._file = file
        self._column = column
        self._starts = [sum(group_sizes[:index]) for index in range(len(group_sizes))]
        self._at_once = max(1, min(_MOST_ROWS_AT_ONCE, _AT_ONCE // max(1, chunk_size)))
        self._lock = threading.Lock()
        self._next = 0
        self._rows: Iterator[Any] = iter(())
        self._group = -1

    def read(self, row: int) -> bytes:
        """Return the bytes in a row; none if it is null."""
        with self._lock:
            group = bisect_right(self._starts, row) - 1
            if row < self._next or group > self._group:
                self._group, self._next = group, self._starts[group]
                self._rows = self._values(group)
            value: Any = next(islice(self._rows, row - self._next, None))
            self._next = row + 1
            return value.as_py() or b""

    def _values(self, group: int) -> Iterator[Any]:
        for batch in self._file.iter_batches(self._at_once, row_groups=[group], columns=[self._column]):
            column = batch.column(0)
            yield from column.field("bytes") if "." in self._column else column


def _features(schema: Schema) -> dict[str, Any]:
    """Return what Hugging Face says of each column; empty if it says nothing that makes sense."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return features if isinstance(features, dict) else {}


def _class_names(feature: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """Return the names of the numbers of classes, in a list of which a row may have one or several."""
    while isinstance(feature, list | dict) and feature:
        if isinstance(feature, list):
            feature = feature[0]
        elif feature.get("_type") == "ClassLabel":
            given = feature.get("names")
            names = [label_of(name) for name in given if isinstance(name, str)] if isinstance(given, list) else []
            return tuple(names) if all(names) and isinstance(given, list) and len(names) == len(given) else ()
        else:
            feature = feature.get("feature")
    return ()


def _image_column(path: Path, schema: Schema) -> str:
    from pyarrow import types

    def is_binary(type_: Any) -> bool:  # noqa: ANN401
        return bool(types.is_binary(type_) or types.is_large_binary(type_))

    fields: list[Any] = [schema.field(index) for index in range(len(schema.names))]
    structs = [
        field.name
        for field in fields
        if types.is_struct(field.type)
        and field.type.get_field_index("bytes") >= 0
        and is_binary(field.type.field("bytes").type)
    ]
    columns: list[str] = structs or [field.name for field in fields if is_binary(field.type)]
    known = [name for name in _IMAGES if name in columns]
    if len(columns) != 1 and not known:
        what = f"several columns of bytes, {', '.join(columns)}" if columns else "no column of images"
        raise FiltagError(f"{path} has {what}: name the one with the bytes of images image")
    return known[0] if known else columns[0]


def _label_column(path: Path, schema: Schema, features: dict[str, Any]) -> str:
    every: list[str] = schema.names
    known = [name for name in _LABELS if name in every]
    if known:
        return known[0]
    columns: list[str] = [name for name in every if _class_names(features.get(name))]
    if len(columns) != 1:
        what = f"several columns of classes, {', '.join(columns)}" if columns else "no column of labels"
        raise FiltagError(f"{path} has {what}, among {', '.join(every)[:80]}: name the one to use label")
    return columns[0]


def _chunk_size(path: Path, group: Any, column: str) -> int:  # noqa: ANN401 - pyarrow
    """Return the unpacked bytes of a group's column; refuse rows that hold no image."""
    chunk = next(
        chunk for chunk in (group.column(index) for index in range(group.num_columns)) if chunk.path_in_schema == column
    )
    statistics = chunk.statistics
    if statistics is not None and statistics.has_null_count and statistics.null_count:
        raise FiltagError(
            f"{path} has {statistics.null_count:,} rows with a path or nothing in place of an image: save the data set "
            "with the images themselves in it, or give a list of images with their labels"
        )
    return int(chunk.total_uncompressed_size)


def _names(file: ParquetFile, image: str | None) -> list[str]:
    """Return a name for each row: its number, and the last part of the image's path if it has one."""
    n_rows = file.metadata.num_rows
    width = len(str(max(0, n_rows - 1)))
    paths: list[str | None] = [None] * n_rows
    if image is not None and file.schema_arrow.field(image).type.get_field_index("path") >= 0:
        column = file.read(columns=[f"{image}.path"]).column(0)
        paths = [row and row.get("path") for row in column.to_pylist()]
    return [
        f"{row:0{width}}" + (f"-{posixpath.basename(path)}" if path and posixpath.basename(path) else "")
        for row, path in enumerate(paths)
    ]


def _classes(
    path: Path, file: ParquetFile, column: str, names: Sequence[str]
) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """Return the class ids of each row, and the label of each class that shares its name with another."""
    class_names = ClassNames(names)
    values = file.read(columns=[column]).column(0).to_pylist()
    classes = [class_names.of(value, f"{path}, row {row}, column {column}") for row, value in enumerate(values)]
    return classes, class_names.labels
