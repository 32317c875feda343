r"""Read the tag files that FILTAG's authors published.

A header ``filter tags k=1``, then a line for each filter: ``437:[' bluetick ', ' redbone ']``, its labels in no order.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from filtag_kg.csv_table import read_text, text_lines
from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.tags.rules import parse_rule
from filtag_kg.tags.table import TagTable

_HEADER = re.compile(r"filter tags (?P<rule>[kq]=[0-9.]+)")
# Beyond any network; a KG describes every filter up to the last that is tagged.
_MOST_FILTERS = 100_000
_FILTER = re.compile(r"(?P<filter>[0-9]+):\[(?P<labels>.*)\]")
_LABEL = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_LABELS = re.compile(r"""(?:\s*(?:'[^']*'|"[^"]*")\s*(?:,|$))*""")


def read_filtag_labels(
    path: Path,
    *,
    class_names: Mapping[str, str] | None = None,
    layer: str | None = None,
    network: str = "imported",
) -> TagTable:
    """Read the tags of one layer.

    Parameters
    ----------
    path : Path
        The authors' file.
    class_names : mapping of class id to label, optional
        All classes of the run. Labels are matched with their case (*Cardigan* is a dog, *cardigan* a garment).
        A label that several classes share stands for them in turn, in the mapping's order: the first time the file
        names it, for the first class, then for the second. Left out, the classes are the labels in the file, which
        are then their ids, too.
    layer : str, optional
        Name of the layer; left out, it is taken from a file name like ``tags-conv5_3-k1.txt``, else the name's stem.
    network : str
        Name of the network in identifiers.

    Returns
    -------
    TagTable
        Without activations, which the file does not give, and with ranks only where k = 1.

    Raises
    ------
    FiltagError
        If the file is missing or malformed, or names a label that `class_names` does not have.
    """
    try:
        lines = text_lines(read_text(path))
    except FileNotFoundError:
        raise FiltagError(f"no tag file at {path}: check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FiltagError(f"{path} cannot be read as text ({error}): give one of FILTAG's tag files") from None
    rule = _rule_of(lines[0] if lines else "", path)
    labels_by_filter = [
        labelled for number, line in enumerate(lines[1:], 2) if (labelled := _parse_line(line, number, path))
    ]
    if not labels_by_filter:
        raise FiltagError(f"{path} names no filter: expected lines like 437:[' bluetick ', ' redbone ']")
    rows = [(filter_, label) for filter_, labels in labels_by_filter for label in labels]
    names = dict(class_names) if class_names is not None else {label: label for label in sorted({x for _, x in rows})}
    n_tags = len(rows)
    return TagTable(
        network=network,
        layer_names=(layer or _layer_from(path),),
        n_filters=(max(filter_ for filter_, _ in labels_by_filter) + 1,),
        class_ids=tuple(names),
        class_labels=tuple(map(_plain, names.values())),
        rules=(rule,),
        rule=np.zeros(n_tags, dtype=np.int64),
        layer=np.zeros(n_tags, dtype=np.int64),
        filter=np.array([filter_ for filter_, _ in rows], dtype=np.int64),
        class_=np.array(_class_indices(rows, names, path), dtype=np.int64),
        rank=np.full(n_tags, 1 if rule == "k=1" else 0, dtype=np.int64),
        activation=np.full(n_tags, np.nan),
        contrast=np.full(n_tags, np.nan),
    )


def _class_indices(rows: list[tuple[int, str]], names: Mapping[str, str], path: Path) -> list[int]:
    """Return for each (filter, label) which class it means: labels are no identity, the second crane is the other."""
    classes_of: dict[str, deque[int]] = defaultdict(deque)
    for index, label in enumerate(names.values()):
        classes_of[_plain(label)].append(index)
    indices = []
    for filter_, label in rows:
        if label not in classes_of:
            raise FiltagError(
                f"{path}, filter {filter_}: no class is labelled {label!r}; check that the class names belong to these "
                "tags",
                options=("class_names",),
            )
        indices.append(classes_of[label][0])
        classes_of[label].rotate(-1)
    return indices


def _rule_of(line: str, path: Path) -> str:
    header = _HEADER.fullmatch(line.strip())
    if header is None:
        raise FiltagError(
            f"{path}, line 1: expected 'filter tags k=1' as in FILTAG's tag files, so this is another format"
        )
    try:
        return str(parse_rule(header["rule"]))
    except (FiltagError, ValueError):
        raise FiltagError(
            f"{path}, line 1: {header['rule']} is not a rule: expected k=1, or a share such as q=0.05"
        ) from None


def _parse_line(line: str, number: int, path: Path) -> tuple[int, list[str]] | None:
    """Return a line's filter and its labels; None for an empty line."""
    if not line.strip():
        return None
    match = _FILTER.fullmatch(line.strip())
    if match is None or not _LABELS.fullmatch(match["labels"].strip()):
        raise FiltagError(
            f"{path}, line {number}: expected a line like 437:[' bluetick ', ' redbone '], got {line[:60]!r}"
        )
    if len(match["filter"]) > len(str(_MOST_FILTERS)) or int(match["filter"]) >= _MOST_FILTERS:
        raise FiltagError(
            f"{path}, line {number}: no layer has a filter {match['filter'][:20]}: expected one below {_MOST_FILTERS:,}"
        )
    filter_ = int(match["filter"])
    labels = [_plain(single or double) for single, double in _LABEL.findall(match["labels"])]
    if "" in labels:
        raise FiltagError(f"{path}, line {number}: filter {filter_} has a label without a name: remove it")
    return filter_, labels


def _plain(label: str) -> str:
    return nfc(label).strip().replace("_", " ")


def _layer_from(path: Path) -> str:
    match = re.fullmatch(r"tags-(.+)-[kq][0-9.]+", path.stem)
    return match[1] if match else path.stem
