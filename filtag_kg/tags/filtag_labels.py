r"""Read the tag files that FILTAG's authors published.

A header ``filter tags k=1``, then a line for each filter: ``437:[' bluetick ', ' redbone ']``, its labels in no order.
"""

from __future__ import annotations

import re
from pathlib import Path

from filtag_kg.csv_table import text_lines
from filtag_kg.errors import FiltagError
from filtag_kg.tags.labels import MOST_FILTERS, Label, LabelFile, LabelFormat, Rows, Unreadable, plain
from filtag_kg.tags.rules import parse_rule

_HEADER = re.compile(r"filter tags (?P<rule>[kq]=[0-9.]+)")
_FILTER = re.compile(r"(?P<filter>[0-9]+):\[(?P<labels>.*)\]")
_LABEL = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_LABELS = re.compile(r"""(?:\s*(?:'[^']*'|"[^"]*")\s*(?:,|$))*""")


def _recognises(beginning: str) -> bool:
    return beginning.lstrip().startswith("filter tags")


def _read(file: LabelFile) -> Rows:
    layer = _layer_from(file.path)
    header, lines = _header_and_lines(file)
    for number, line in enumerate(lines[header:], header + 1):
        if not line.strip():
            continue
        try:
            filter_, labels = _parse_line(line)
        except ValueError as error:
            yield Unreadable(f"line {number}", str(error))
            continue
        for label in labels or [""]:
            yield Label(f"line {number}", filter_, label, layer=layer)


def _rule_of(file: LabelFile) -> str:
    number, lines = _header_and_lines(file)
    header = _HEADER.fullmatch(lines[number - 1].strip())
    if header is None:
        raise FiltagError(
            f"{file.path}, line {number}: expected 'filter tags k=1' as in FILTAG's tag files, so this is another "
            "format"
        )
    try:
        return str(parse_rule(header["rule"]))
    except (FiltagError, ValueError):
        raise FiltagError(
            f"{file.path}, line {number}: {header['rule']} is not a rule: expected k=1, or a share such as q=0.05"
        ) from None


def _header_and_lines(file: LabelFile) -> tuple[int, list[str]]:
    """Return the number of the line with the header, the first that is not empty, and all lines."""
    lines = text_lines(file.text)
    return next((number for number, line in enumerate(lines, 1) if line.strip()), 1), lines


def _parse_line(line: str) -> tuple[int, list[str]]:
    """Return a line's filter and its labels; ValueError with what is wrong."""
    match = _FILTER.fullmatch(line.strip())
    if match is None or not _LABELS.fullmatch(match["labels"].strip()):
        raise ValueError(f"expected a line like 437:[' bluetick ', ' redbone '], got {line[:60]!r}")
    if len(match["filter"]) > len(str(MOST_FILTERS)) or int(match["filter"]) >= MOST_FILTERS:
        raise ValueError(f"no layer has a filter {match['filter'][:20]}: expected one below {MOST_FILTERS:,}")
    filter_ = int(match["filter"])
    labels = [plain(single or double) for single, double in _LABEL.findall(match["labels"])]
    if "" in labels:
        raise ValueError(f"filter {filter_} has a label without a name: remove it")
    return filter_, labels


def _layer_from(path: Path) -> str | None:
    match = re.fullmatch(r"tags-(.+)-[kq][0-9.]+", path.stem)
    return match[1] if match else None


FILTAG = LabelFormat("filtag", _recognises, _read, "the first line 'filter tags k=1'", rule_of=_rule_of)
"""Filters count from 0; the rule is in the file."""
