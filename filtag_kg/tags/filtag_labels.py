r"""Read the tag files that FILTAG's authors published.

A header ``filter tags k=1``, then a line a filter: ``437:[' bluetick ', ' redbone ']``, the labels in no order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from filtag_kg.csv_table import read_text, text_lines
from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.tags.rules import parse_rule
from filtag_kg.tags.table import TagTable

__all__ = ["read_filtag_labels"]

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
        A label that two classes share is dealt out in the mapping's order: the first time the file names it, it
        is the first class, then the second. Left out, the labels are the class ids, and those in the file are all
        classes there are.
    layer : str, optional
        Name of the layer; otherwise taken from a file name like ``tags-conv5_3-k1.txt``, else the name's stem.
    network : str
        Name of the network in identifiers.

    Returns
    -------
    TagTable
        The file gives no activations, and ranks only where k = 1.

    Raises
    ------
    FiltagError
        If the file is missing, malformed, or names a label that `class_names` has not.
    """
    if not network or layer == "":
        raise FiltagError("the name of the network or layer is empty: give one, or leave it out")
    try:
        lines = text_lines(read_text(path))
    except FileNotFoundError:
        raise FiltagError(f"no tag file at {path}: check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FiltagError(f"{path} cannot be read as text ({error}): give one of FILTAG's tag files") from None
    rule = _rule_of(lines[0] if lines else "", path)
    tagged = [(f, label) for number, line in enumerate(lines[1:], 2) for f, label in _labels_of(line, number, path)]
    rows = [(f, label) for f, label in tagged if label is not None]
    filters = {f for f, _ in tagged}
    if not filters:
        raise FiltagError(f"{path} names no filter: expected lines like 437:[' bluetick ', ' redbone ']")
    names = dict(class_names) if class_names is not None else {label: label for label in sorted({x for _, x in rows})}
    ids_of: dict[str, list[int]] = {}
    for place, label in enumerate(names.values()):
        ids_of.setdefault(_plain(label), []).append(place)
    classes: list[int] = []
    for f, label in rows:
        places = ids_of.get(label)
        if places is None:
            raise FiltagError(
                f"{path}, filter {f}: no class is labelled {label!r}; check that --class-names belongs to these tags"
            )
        # Labels are no identity: the second crane is the other crane.
        classes.append(places[0])
        if len(places) > 1:
            places.append(places.pop(0))
    unknown = np.full(len(rows), np.nan)
    return TagTable(
        network=network,
        layer_names=(layer or _layer_from(path),),
        n_filters=(max(filters) + 1,),
        class_ids=tuple(names),
        class_labels=tuple(_plain(label) for label in names.values()),
        rules=(rule,),
        rule=np.zeros(len(rows), dtype=np.int64),
        layer=np.zeros(len(rows), dtype=np.int64),
        filter=np.array([f for f, _ in rows], dtype=np.int64),
        class_=np.array(classes, dtype=np.int64),
        rank=np.full(len(rows), 1 if rule == "k=1" else 0, dtype=np.int64),
        activation=unknown,
        contrast=unknown.copy(),
    )


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
            f"{path}, line 1: {header['rule']} is no rule: expected k=1, or a share such as q=0.05"
        ) from None


def _labels_of(line: str, number: int, path: Path) -> list[tuple[int, str | None]]:
    """Return (filter, label) for each label of a line, and (filter, None) for the filter itself."""
    if not line.strip():
        return []
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
    found = [_plain(single or double) for single, double in _LABEL.findall(match["labels"])]
    if "" in found:
        raise FiltagError(f"{path}, line {number}: filter {filter_} has a label without a name: remove it")
    return [(filter_, None), *((filter_, label) for label in found)]


def _plain(label: str) -> str:
    return nfc(label).strip().replace("_", " ")


def _layer_from(path: Path) -> str:
    named = re.fullmatch(r"tags-(.+)-[kq][0-9.]+", path.stem)
    return named[1] if named else path.stem
