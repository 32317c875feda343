"""The tag table: which class tags which filter, by which rule, and how strongly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat, starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.names import nfc

_COLUMNS = ("rule", "layer", "filter", "class_", "rank", "activation", "contrast", "score")
# What rounding, for instance when profiles are merged, may add to an activation.
_ROUNDING = 1e-6
_BLOCK = 100_000
"""Rows that are Python objects at the same time."""


@dataclass(frozen=True, slots=True)
class TagTable:
    """Tag assignments of one network, as columns.

    Rows are sorted by rule, layer, filter, rank and class, in whatever order they are given.

    Parameters
    ----------
    network : str
        Name of the network in identifiers.
    layer_names : tuple of str, of length n_layers
        In forward order, so that its index is the ``layer_index``.
    n_filters : tuple of int, of length n_layers
        Filters of each layer, tagged or not.
    class_ids, class_labels : tuple of str, of length n_classes
        Every class of the run, whether it tags a filter or not; put into Unicode's normal form C.
    rules : tuple of str
        ``k=1``, ``q=0.05``, …, in the order given.
    rule, layer, filter, class_, rank : int64 array of shape (n_tags,)
        Indices into the tuples above; `filter` counts within its layer. `rank` is the filter's rank among the
        filters of its layer for that class, from 1; 0 where unknown.
    activation, contrast : float64 array of shape (n_tags,)
        z_c(m,i), and how many standard deviations over classes it lies above the mean over classes; NaN where
        unknown.
    score : float64 array of shape (n_tags,)
        What another method says of the class on the filter, the higher the surer; NaN where unknown, and everywhere if
        left out.

    Raises
    ------
    ValueError
        If the columns differ in length or an index is out of range.
    """

    network: str
    layer_names: tuple[str, ...]
    n_filters: tuple[int, ...]
    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    rules: tuple[str, ...]
    rule: NDArray[np.int64]
    layer: NDArray[np.int64]
    filter: NDArray[np.int64]
    class_: NDArray[np.int64]
    rank: NDArray[np.int64]
    activation: NDArray[np.float64]
    contrast: NDArray[np.float64]
    score: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_ids", tuple(map(nfc, self.class_ids)))
        object.__setattr__(self, "class_labels", tuple(map(nfc, self.class_labels)))
        n_tags = len(self.rule)
        # Unknown scores stay unknown when other columns are replaced by longer or shorter ones.
        if len(self.score) != n_tags and np.isnan(self.score).all():
            object.__setattr__(self, "score", np.full(n_tags, np.nan))
        if any(len(getattr(self, name)) != n_tags for name in _COLUMNS):
            raise ValueError("all columns of a tag table must have the same length")
        if len(self.class_ids) != len(self.class_labels) or len(self.layer_names) != len(self.n_filters):
            raise ValueError("each class needs a label and each layer its number of filters")
        sizes = {"rule": self.rules, "layer": self.layer_names, "class_": self.class_ids}
        for name, values in sizes.items():
            column = getattr(self, name)
            if n_tags and not (column.min() >= 0 and column.max() < len(values)):
                raise ValueError(f"column {name!r} must index its {len(values)} values")
        if n_tags and not np.all((self.filter >= 0) & (self.filter < np.array(self.n_filters)[self.layer])):
            raise ValueError("column 'filter' must index the filters of its layer")
        self._check_names()
        if n_tags and not (
            self.rank.min() >= 0
            and np.all(np.isnan(self.activation) | (np.abs(self.activation - 0.5) <= 0.5 + _ROUNDING))
            and not np.isinf(self.contrast).any()
            and not np.isinf(self.score).any()
        ):
            raise ValueError(
                "ranks must be from 0, activations in [0, 1], contrasts and scores finite; NaN where unknown"
            )
        keys = (self.rule, self.layer, self.filter, self.rank, self.class_)
        if not _sorted(keys):
            # Indices fit into few bytes, which sort several times faster than eight.
            order = np.lexsort([key.astype(np.min_scalar_type(int(key.max()))) for key in reversed(keys)])
            for name in _COLUMNS:
                object.__setattr__(self, name, getattr(self, name)[order])

    def _check_names(self) -> None:
        for names in (self.class_ids, self.layer_names, self.rules, (self.network,)):
            if len(set(names)) != len(names) or "" in names:
                raise ValueError("the network, layers, classes and rules need unique names")
        try:
            "".join([self.network, *self.layer_names, *self.class_ids, *self.class_labels, *self.rules]).encode()
        except UnicodeEncodeError:
            raise ValueError("names and labels must be Unicode text") from None

    def __len__(self) -> int:
        return len(self.rule)

    def of_rule(self, rule: str) -> TagTable:
        """Return the table of one rule."""
        if self.rules == (rule,):
            return self
        rows = self.rule == self.rules.index(rule)
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(self, rules=(rule,), **(columns | {"rule": np.zeros_like(columns["rule"])}))


@dataclass(frozen=True, slots=True)
class TagAssignment:
    """One class given to one filter by one rule: a row of ``tags.csv``, its fields the columns in order.

    `rank`, `activation` and `contrast` are None where the method that made the tags does not say.
    """

    network: str
    layer_index: int
    layer: str
    filter: int
    class_id: str
    label: str
    rank: int | None
    activation: float | None
    contrast: float | None
    rule: str


def tag_assignments(tags: TagTable) -> Iterator[TagAssignment]:
    """Yield the rows of a table, in its order."""
    return starmap(TagAssignment, tag_assignment_values(tags))


def tag_assignment_values(tags: TagTable) -> Iterator[tuple[Any, ...]]:
    """Yield the values of `tag_assignments` alone: a million rows in half of the time."""
    for start in range(0, len(tags), _BLOCK):
        block = slice(start, start + _BLOCK)
        layers, classes = tags.layer[block].tolist(), tags.class_[block].tolist()
        yield from zip(
            repeat(tags.network),
            layers,
            map(tags.layer_names.__getitem__, layers),
            tags.filter[block].tolist(),
            map(tags.class_ids.__getitem__, classes),
            map(tags.class_labels.__getitem__, classes),
            _known(tags.rank[block], tags.rank[block] > 0),
            _known(tags.activation[block], ~np.isnan(tags.activation[block])),
            _known(tags.contrast[block], ~np.isnan(tags.contrast[block])),
            map(tags.rules.__getitem__, tags.rule[block].tolist()),
            strict=False,
        )


def _known(column: NDArray[Any], known: NDArray[np.bool_]) -> list[Any]:
    """Return the values of a column, None where they are not known."""
    values: list[Any] = column.tolist()
    return (
        values if known.all() else [value if is_known else None for value, is_known in zip(values, known, strict=True)]
    )


@dataclass(frozen=True, slots=True)
class TagScore:
    """What another method says of a class on a filter: a row of ``scores.csv``, its fields the columns in order."""

    layer: str
    filter: int
    class_id: str
    score: float
    rule: str


def tag_scores(tags: TagTable) -> Iterator[TagScore]:
    """Yield the scores of a table that are known, in its order."""
    known = ~np.isnan(tags.score)
    columns = (tags.rule, tags.layer, tags.filter, tags.class_, tags.score)
    for rule, layer, filter_, class_, score in zip(*(c[known].tolist() for c in columns), strict=True):
        yield TagScore(tags.layer_names[layer], filter_, tags.class_ids[class_], score, tags.rules[rule])


def _sorted(keys: Sequence[NDArray[np.int64]]) -> bool:
    """Return whether rows are in the order of their keys, the first key first."""
    equal = np.ones(max(len(keys[0]) - 1, 0), dtype=np.bool_)
    for key in keys:
        if (equal & (key[1:] < key[:-1])).any():
            return False
        equal &= key[1:] == key[:-1]
    return True
