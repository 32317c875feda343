"""FALCON's labels: for each group of features, sets of concepts with their scores, as Python writes them.

The table has ``group``, and ``concept_set_words`` or ``concept_set_noun_phrases`` with cells like
``[('bottle', 0.069), ('glass', 0.055)]``. A group is one filter, or several that share the concepts.

References
----------
Kalibhat et al. 2023, Identifying Interpretable Subspaces in Image Representations (FALCON)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from filtag_kg.tags.labels import Label, csv_format, filter_index, plain, score_of

_SETS = ("concept_set_words", "concept_set_noun_phrases")
_LONGEST = 20_000
_GROUP = re.compile(r"[\[({]?\s*([0-9.]+(?:[\s,;_+-]+[0-9.]+)*)\s*,?\s*[\])}]?")


def _filters(group: str) -> list[int]:
    match = _GROUP.fullmatch(group)
    if match is None:
        raise ValueError(f"group {group[:40]!r} is not the index of a feature, or of several")
    return [filter_index(text, name="feature") for text in re.split(r"[\s,;_+-]+", match[1])]


def concept_set(cell: str) -> list[tuple[str, float | None]]:
    """Return the concepts in a cell, each with its score.

    >>> concept_set("[('bottle', 0.07), ('glass', 0.05)]")
    [('bottle', 0.07), ('glass', 0.05)]

    Raises
    ------
    ValueError
        If it is nothing of the kind.
    """
    problem = f"{cell[:40]!r} is not a set of concepts such as [('bottle', 0.07)]"
    if not cell:
        return []
    try:
        # Literals alone: nothing is executed.
        value: Any = ast.literal_eval(cell) if len(cell) <= _LONGEST else None
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):  # as deep nesting raises
        value = None
    if isinstance(value, dict):
        value = list(value.items())
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(problem)  # noqa: TRY004 - a cell of the file, no argument
    items = sorted(value) if isinstance(value, set | frozenset) and all(isinstance(x, str) for x in value) else value
    concepts = []
    for item in items:
        text, score = (item, None) if isinstance(item, str) else item if _is_pair(item) else ("", None)
        # A lone surrogate, which Python's escapes can make, is no character.
        if not plain(text) or not plain(text).isprintable():
            raise ValueError(problem)
        concepts.append((plain(text), None if score is None else score_of(str(score))))
    return concepts


def _is_pair(item: Any) -> bool:  # noqa: ANN401 - any literal
    return (
        isinstance(item, list | tuple)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], int | float)
        and not isinstance(item[1], bool)
    )


def _labels(where: str, row: Mapping[str, str]) -> Iterator[Label]:
    filters = _filters(row["group"])
    concepts = [concept for name in _SETS for concept in concept_set(row.get(name, ""))]
    for filter_ in filters:
        if not concepts:
            yield Label(where, filter_, "")
        for text, score in concepts:
            yield Label(where, filter_, text, layer=row.get("layer") or None, score=score)


FALCON = csv_format(
    "falcon",
    ("group",),
    _labels,
    one_of=_SETS,
    score_meaning="mean similarity, by CLIP, of the concept and the images that activate the feature most",
)
"""Features count from 0."""
