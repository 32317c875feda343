"""Untrusted CSV tables: each cell is checked, and an error names its line and column.

For tables that people fill in with a spreadsheet program, see `read_sheet`.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from filtag_kg.errors import FiltagError

_MOST = 2**31 - 1
"""No count, index or rank in a table is larger, and 32-bit arrays can hold it."""
_MOST_READ_IN_VAIN = 10
"""How often the lines of a table may be read in search of the end of a quoted cell, on average."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of a column's cells.

    Parameters
    ----------
    parse : callable
        From the cell's text to its value; ValueError or KeyError where the text is something else.
    expected : str
        What a cell should hold, for messages: ``a whole number from 1``.
    """

    parse: Callable[[str], Any]
    expected: str


def _nonempty(cell: str) -> str:
    if not cell:
        raise ValueError
    return cell


ANY_TEXT = Cell(str, "text")
TEXT = Cell(_nonempty, "text")


def whole(least: int = 0, most: int = _MOST) -> Cell:
    """Return the cell of a whole number in [least, most].

    >>> whole(1).parse("12")
    12
    """

    def parse(cell: str) -> int:
        # int() alone would accept "1_0", "+1", " 1" and thousands of digits.
        if not (cell.isascii() and cell.isdigit() and len(cell) <= len(str(most)) and least <= int(cell) <= most):
            raise ValueError
        return int(cell)

    return Cell(parse, f"a whole number from {least}" + ("" if most == _MOST else f" to {most}"))


def real(least: float = -math.inf, most: float = math.inf, *, above: bool = False) -> Cell:
    """Return the cell of a finite number in [least, most], or in (least, most] with `above`."""

    def parse(cell: str) -> float:
        value = float(cell)
        if not (math.isfinite(value) and least <= value <= most) or (above and value == least):
            raise ValueError
        return value

    lower = "" if math.isinf(least) else f" above {least:g}" if above else f" from {least:g}"
    upper = "" if math.isinf(most) else f" to {most:g}"
    return Cell(parse, f"a number{lower}{upper}")


def optional(cell: Cell, missing: Any = None) -> Cell:  # noqa: ANN401 - any value may stand for an empty cell
    """Return a cell that may be empty, and is then `missing`."""
    return Cell(lambda text: cell.parse(text) if text else missing, f"{cell.expected}, or empty")


def file_beside(cell: str) -> str:
    """Return the name of a file in the table's own folder; ValueError for any other text."""
    if cell in ("", ".", "..") or "\0" in cell or "\\" in cell or Path(cell).name != cell:
        raise ValueError
    return cell


def one_of(values: Mapping[str, Any] | Iterable[str]) -> Cell:
    """Return the cell of one of some texts, or of a key that stands for a mapping's value."""
    known = values if isinstance(values, Mapping) else {value: value for value in values}
    few = f"one of {', '.join(known)}" if len(known) <= 5 else f"one of {len(known):,} known"
    return Cell(known.__getitem__, few)


def read_table(
    path: Path,
    cells: Mapping[str, Cell],
    *,
    advice: str,
    where: Mapping[str, Container[str]] | None = None,
    check: Callable[[tuple[Any, ...]], str | None] | None = None,
    errors: str = "strict",
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table, one at a time.

    Parameters
    ----------
    cells : mapping of column to Cell
        All of these columns must be there; others may be, too.
    advice : str
        What to do about a damaged table, for messages.
    where : mapping of column to container of str, optional
        Read only rows whose cells are among these texts; other rows are not checked.
    check : callable, optional
        From a row to what is wrong with its values together, or None.
    errors : str
        How to read what is not UTF-8, as in :func:`open`.

    Raises
    ------
    FiltagError
        If the table cannot be read, lacks a column, or a cell does not hold what it should.
    """
    rows = _rows(path, cells, errors, advice)
    _, header = next(rows)
    parsers = [(header.index(name), cell.parse) for name, cell in cells.items()]
    wanted = [(header.index(name), texts) for name, texts in (where or {}).items()]
    for line, row in rows:
        if not all(row[index] in texts for index, texts in wanted):
            continue
        try:
            values = tuple([parse(row[index]) for index, parse in parsers])
        except (ValueError, KeyError):
            raise FiltagError(f"{path}, line {line}, {_wrong_cell(row, header, cells)}: {advice}") from None
        problem = None if check is None else check(values)
        if problem is not None:
            raise FiltagError(f"{path}, line {line}: {problem}: {advice}")
        yield values


def table_columns(path: Path, *, advice: str) -> tuple[str, ...]:
    """Return the columns of a table.

    Raises
    ------
    FiltagError
        If it cannot be read.
    """
    return tuple(next(_rows(path, (), "strict", advice))[1])


def _rows(path: Path, columns: Iterable[str], errors: str, advice: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the header, which has the columns, and all rows of its length, each with its line number."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors=errors) as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            for name in columns:
                if header.count(name) != 1:
                    raise FiltagError(f"{path} has {header.count(name) or 'no'} column {name}: {advice}")
            yield 1, header
            for row in rows:
                if row and len(row) != len(header):
                    cells = f"{len(row)} cells, where the header has {len(header)}"
                    raise FiltagError(f"{path}, line {rows.line_num}: {cells}: {advice}")
                if row:
                    yield rows.line_num, row
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({error.strerror}): {advice}") from None
    except UnicodeDecodeError:
        raise FiltagError(f"{path} is not UTF-8 text: {advice}") from None
    except csv.Error as error:
        raise FiltagError(f"{path} is not CSV in line {rows.line_num} ({error}): {advice}") from None


def _wrong_cell(row: Sequence[str], header: Sequence[str], cells: Mapping[str, Cell]) -> str:
    """Return which cell of a row does not hold what it should."""
    for name, cell in cells.items():
        text = row[header.index(name)]
        try:
            cell.parse(text)
        except (ValueError, KeyError):
            return f"column {name}: {text[:60]!r} is not {cell.expected}"
    raise AssertionError("no cell of the row is wrong")


class _Writable(Protocol):
    def write(self, text: str, /) -> object: ...


@dataclass(frozen=True, slots=True)
class _EndedByNewline:
    r"""Gets rows ending with ``\r\n``, so cells that hold either character are quoted, and writes them with ``\n``."""

    file: _Writable

    def write(self, row: str) -> None:
        self.file.write(row.removesuffix("\r\n") + "\n")


def csv_writer(file: _Writable, *, delimiter: str = ",") -> Any:  # noqa: ANN401 - csv has no public type for it
    """Return a writer of rows that end with a newline and can be read back whatever a cell holds."""
    return csv.writer(_EndedByNewline(file), delimiter=delimiter, lineterminator="\r\n")


def rows_csv(row_type: type, rows: Iterable[Any], cell: Callable[[Any], object] = lambda value: value) -> str:
    """Return dataclass rows as the text of a table whose columns are their fields; None becomes an empty cell.

    Parameters
    ----------
    row_type : type
        The dataclass of the rows.
    cell : callable, optional
        From a field's value to what is written.
    """
    names = [field.name for field in fields(row_type)]
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(names)
    writer.writerows([cell(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue()


def read_text(path: Path) -> str:
    """Return the text of a file that a person wrote: UTF-8, or UTF-16, which spreadsheets call Unicode text.

    Raises
    ------
    OSError, UnicodeDecodeError
    """
    content = path.read_bytes()
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf_16 else "utf-8-sig")


def text_lines(text: str) -> list[str]:
    r"""Return the lines of a text as editors show them: `str.splitlines` would also break at other characters.

    >>> text_lines("one\u2028line\r\nanother")
    ['one\u2028line', 'another']
    """
    return re.split("\r\n|\r|\n", text)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that a person filled in.

    Parameters
    ----------
    comments : tuple of str
        The lines that begin with ``#``, without it.
    rows : tuple of (line, mapping of column to cell)
        Cells are stripped of spaces.
    columns : frozenset of str
        The columns that it has, those that were looked for and others.
    unreadable : tuple of (line, what is wrong)
        Rows that are none, if they are looked for.
    """

    comments: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    columns: frozenset[str] = frozenset()
    unreadable: tuple[tuple[int, str], ...] = ()


def read_sheet(text: str, columns: Iterable[str], *, strict: bool = False) -> Sheet | None:
    """Read a table that a spreadsheet program saved.

    Cells are separated by tabs, semicolons or commas: whichever gives a row with these columns, in any order. Comments
    may be quoted and padded with empty cells, and there may be empty rows and columns.

    Parameters
    ----------
    columns : iterable of str
        The columns that must be there.
    strict : bool
        For a table that a program wrote: the names of columns are read in any case, and a row whose quotes do not end,
        or with more cells than there are columns, is unreadable.

    Returns
    -------
    Sheet or None
        None if there are no such columns.

    Raises
    ------
    csv.Error
        If a cell is too long, unless strict.
    """
    needed = set(columns)
    for delimiter in "\t;,":
        unreadable: list[tuple[int, str]] = []
        if strict:
            lines = list(_strict_rows(text, delimiter, unreadable))
            lines = [(line, [cell.strip() for cell in row]) for line, row in lines]
        else:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
        named = ([cell.casefold() for cell in row] if strict else row for _, row in lines)
        header = next(((index, names) for index, names in enumerate(named) if needed <= set(names)), None)
        if header is None:
            continue
        if strict:
            lines = list(_of_length(lines, len(header[1]), unreadable))
        return replace(_sheet(lines, *header, delimiter), unreadable=tuple(sorted(unreadable)))
    return None


def _strict_rows(text: str, delimiter: str, unreadable: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield rows, each with the line it begins in; after one whose quotes are wrong go on with the next line."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    first = read_in_vain = 0
    while first < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(first, len(lines))), delimiter=delimiter, strict=True)
        begin = first
        try:
            for row in reader:
                yield begin + 1, row
                begin = first + reader.line_num
            first = len(lines)
        except csv.Error as error:
            unreadable.append((begin + 1, f"the row is not CSV ({error})"))
            read_in_vain += first + reader.line_num - begin
            first = begin + 1
            if read_in_vain > _MOST_READ_IN_VAIN * len(lines):
                unreadable.append((first + 1, "too many quotes before it do not end, so all from here on is not read"))
                return


def _of_length(
    lines: Iterable[tuple[int, list[str]]], length: int, unreadable: list[tuple[int, str]]
) -> Iterator[tuple[int, list[str]]]:
    """Yield rows without cells beyond the last column."""
    for line, row in lines:
        if any(row[length:]) and not row[0].startswith("#"):
            unreadable.append((line, f"{len(row)} cells, where the header has {length}"))
            # It stays as an empty row, so that the header is where it was.
            row = []
        yield line, row


def _sheet(lines: Sequence[tuple[int, list[str]]], header: int, names: Sequence[str], delimiter: str) -> Sheet:
    comments, rows = [], []
    for index, (line, row) in enumerate(lines):
        filled = [cell for cell in row if cell]
        if not filled or index == header:
            continue
        if filled[0].startswith("#"):
            comments.append(delimiter.join(row).strip(f"{delimiter} ")[1:])
        elif index > header or len(filled) > 1:
            # Of two columns with one name the first counts; missing cells are empty.
            cells = dict(reversed(list(zip(names, row, strict=False))))
            rows.append((line, dict.fromkeys(names, "") | cells))
    return Sheet(tuple(comments), tuple(rows), frozenset(names) - {""})
