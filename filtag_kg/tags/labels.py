"""What the readers of label files have in common: a label, a format, and how cells are read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from filtag_kg.csv_table import Sheet, read_sheet
from filtag_kg.names import nfc

MOST_FILTERS = 100_000
"""Beyond any layer; a KG describes every filter up to the last that is labelled."""

# Spaces, those of typesetters included: web pages and spreadsheets put no-break spaces into labels.
_SPACES = re.compile(r"[ \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = " \u200b\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Label:
    """One label of one filter, as a file gives it.

    Parameters
    ----------
    where : str
        Where in the file, for messages: ``line 12``.
    filter : int
        From 0.
    label : str
        Empty where the method found nothing to say of the filter.
    layer : str, optional
        As the file calls it.
    class_id : str, optional
        What identifies the label, where the file has that: a WordNet id, say.
    score : float, optional
        The higher the surer.
    """

    where: str
    filter: int
    label: str
    layer: str | None = None
    class_id: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be read, and why."""

    where: str
    problem: str


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file of labels and its text."""

    path: Path
    text: str


Rows = Iterator[Label | Unreadable]


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """A format of label files.

    Parameters
    ----------
    method : str
        The method whose format it is; the name of a run of its labels, unless its files name a rule.
    recognises : callable
        From the beginning of a file's text to whether it is of this format.
    read : callable
        From a file to its rows; nothing if it is of another format.
    looks : str
        What such a file has, for messages.
    score_meaning : str, optional
        What the scores measure.
    rule_of : callable, optional
        From a file to the rule that made its tags.
    """

    method: str
    recognises: Callable[[str], bool]
    read: Callable[[LabelFile], Rows]
    looks: str
    score_meaning: str | None = None
    rule_of: Callable[[LabelFile], str] | None = None


def csv_format(
    method: str,
    columns: Iterable[str],
    labels: Callable[[str, Mapping[str, str]], Iterable[Label]],
    *,
    score_meaning: str | None = None,
    one_of: Iterable[str] = (),
    without: Iterable[str] = (),
) -> LabelFormat:
    """Return the format of a table with a header, separated by commas, semicolons or tabs.

    Parameters
    ----------
    columns : iterable of str
        Those that such a table has, in any order, beside others.
    labels : callable
        From where a row stands and its cells, by column, to its labels. ValueError with what is wrong with it.
    one_of : iterable of str
        Columns of which it has at least one, too.
    without : iterable of str
        Columns of another format, which such a table does not have.
    """
    needed, others, foreign = tuple(columns), frozenset(one_of), frozenset(without)

    def sheet_of(text: str) -> Sheet | None:
        sheet = read_sheet(text, needed, strict=True)
        return None if sheet is not None and others and not others & sheet.columns else sheet

    def recognises(beginning: str) -> bool:
        sheet = sheet_of(beginning)
        return sheet is not None and not foreign & sheet.columns

    def read(file: LabelFile) -> Rows:
        sheet = sheet_of(file.text)
        if sheet is None:
            return
        lines: list[tuple[int, str | Mapping[str, str]]] = [*sheet.unreadable, *sheet.rows]
        for line, row in sorted(lines, key=itemgetter(0)):
            if isinstance(row, str):
                yield Unreadable(f"line {line}", row)
                continue
            try:
                yield from labels(f"line {line}", row)
            except ValueError as error:
                yield Unreadable(f"line {line}", str(error))

    looks = f"the columns {', '.join(needed)}" + (f" and {' or '.join(sorted(others))}" if others else "")
    return LabelFormat(method, recognises, read, looks, score_meaning)


def filter_index(text: str, *, name: str = "filter", least: int = 0) -> int:
    """Return the index of a filter, counted from `least` in the file.

    >>> filter_index("12"), filter_index("1.0", name="unit", least=1)
    (12, 0)
    """
    # Programs that know missing numbers write whole numbers as 12.0.
    whole = re.fullmatch(r"([0-9]{1,6})(?:\.0*)?", text)
    if whole is None or int(whole[1]) < least or int(whole[1]) - least >= MOST_FILTERS:
        raise ValueError(f"{name} {text[:40]!r} is not a whole number from {least} below {MOST_FILTERS + least:,}")
    return int(whole[1]) - least


def score_of(text: str, name: str = "score") -> float | None:
    """Return a score, which a spreadsheet may have written with a decimal comma; None for an empty cell.

    >>> score_of("0.25"), score_of("0,25"), score_of(""), score_of("nan")
    (0.25, 0.25, None, None)
    """
    if not text:
        return None
    try:
        score = float(text.replace(",", ".") if "_" not in text else "")
    except ValueError:
        score = math.inf
    if math.isinf(score):
        raise ValueError(f"{name} {text[:40]!r} is not a number")
    return None if math.isnan(score) else score


def plain(label: str) -> str:
    """Return a label as people write it: without underscores, extra spaces and, at its ends, what is invisible.

    >>> plain(" silky_terrier ")
    'silky terrier'
    """
    return _SPACES.sub(" ", nfc(label).replace("_", " ")).strip(_INVISIBLE)
