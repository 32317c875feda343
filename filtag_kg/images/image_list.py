"""A list of images with their labels: a table whose columns name a file and its classes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from filtag_kg.csv_table import read_text
from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.images.image_set import ImageSet
from filtag_kg.images.labelled_files import label_of, labelled_files

LIST_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab"})

# Of several the first counts; the issue's own names, then those of Hugging Face, pandas and Kaggle.
_PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_id")
_LABELS = ("label", "labels", "class", "classes", "class_id", "class_ids", "category", "target")
_SPLIT = "split"
_SEVERAL = re.compile(r"[|;]")
_ADVICE = "the first line must name the columns path and label"


def open_list(path: Path) -> ImageSet:
    """Return the images that a table lists, one a row: ``path,label``.

    Cells are separated by commas, tabs or semicolons, whichever separates the columns' names. Paths are relative to the
    list's folder. An image with several rows, or with several labels in a cell (``dog|cat`` or ``dog;cat``), has all of
    them.

    Raises
    ------
    FiltagError
        If the list cannot be read or lacks a column, a row lacks a cell, or a file is not there.
    """
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        raise FiltagError(f"{path} is not text in UTF-8: save the list as such") from None
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({reason_of(error)}): check the path") from None
    try:
        return labelled_files(path, _rows(path, text), top=path.parent)
    except csv.Error as error:
        raise FiltagError(f"{path} is not a table ({error}): {_ADVICE}") from None


def _rows(path: Path, text: str) -> Iterator[tuple[Path, Sequence[str], str]]:
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter, header = _header(first_line)
    image, label = (_column(path, header, names) for names in (_PATHS, _LABELS))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    split = header.index(_SPLIT) if _SPLIT in header else None
    splits: set[str] = set()
    past_header = False
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if not past_header:
            past_header = True
            continue
        where = f"{path}, line {reader.line_num}"
        cells = [cell.strip() for cell in row]
        if len(cells) <= max(image, label) or not cells[image] or "\0" in cells[image]:
            raise FiltagError(f"{where}: {delimiter.join(row)[:60]!r} does not name an image and its label: write both")
        class_ids = [label_of(each) for each in _SEVERAL.split(cells[label])]
        if not all(class_ids):
            raise FiltagError(f"{where}: {cells[image]} has no label, or an empty one: write it, or remove the row")
        if split is not None and split < len(cells):
            splits.add(cells[split])
        yield _path(path.parent, cells[image]), class_ids, where
    if len(splits) > 1:
        raise FiltagError(
            f"{path} lists images of {', '.join(sorted(splits)[:5])} in its column {_SPLIT}, parts of a data set that "
            "must not be mixed: keep the rows of one, or remove the column"
        )


def _header(line: str) -> tuple[str, list[str]]:
    """Return what separates the columns, and their names in lower case."""
    for delimiter in ",\t;":
        names = [name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), [])]
        if set(names) & set(_PATHS) and set(names) & set(_LABELS):
            return delimiter, names
    delimiter = max(",\t;", key=line.count)
    return delimiter, [name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _column(path: Path, header: Sequence[str], names: Sequence[str]) -> int:
    column = next((name for name in names if name in header), None)
    if column is None:
        shown = ", ".join(header)[:80] or "nothing"
        raise FiltagError(f"{path} has no column {names[0]}, but {shown}: {_ADVICE}")
    if header.count(column) > 1:
        raise FiltagError(f"{path} has two columns {column}: {_ADVICE}")
    return header.index(column)


def _path(folder: Path, cell: str) -> Path:
    # A list from Windows writes "\" between folders.
    path = Path(cell)
    return path if "\\" not in cell or (folder / path).exists() else Path(cell.replace("\\", "/"))
