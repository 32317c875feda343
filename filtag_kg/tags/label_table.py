"""Make the tag table of labels from files: which layer, which class, and which of two rows that say the same."""

from __future__ import annotations

import logging
import math
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.tags.labels import Label, plain
from filtag_kg.tags.table import TagTable

_LOGGER = logging.getLogger(__name__)
_WORDNET_ID = re.compile(r"n[0-9]{8}")
_MOST_NAMED = 30
_MOST_NOTED = 3
_MOST_FILTERS = 500_000
"""Of a network whose layers are not known; a KG describes every one of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a network that labels are about.

    Parameters
    ----------
    layers : mapping of layer name to its number of filters
        All layers of the network, in forward order.
    classes : mapping of class id to label
    where : str
        What knows it, for messages.
    """

    layers: Mapping[str, int]
    classes: Mapping[str, str] = field(default_factory=dict)
    where: str = "the network"


@dataclass(frozen=True, slots=True)
class FileLabels:
    """The labels of one file.

    Parameters
    ----------
    layer : str or None
        What the user calls its layer.
    """

    path: Path
    labels: Sequence[Label]
    layer: str | None = None


def label_table(
    files: Sequence[FileLabels],
    *,
    rule: str,
    rank: int,
    class_names: Mapping[str, str] | None,
    known: Known | None,
    network: str,
    classes_alone: bool = False,
    strict: bool = False,
) -> TagTable:
    """Return the labels of one method as a tag table.

    Parameters
    ----------
    rank : int
        Of each filter among those of its layer for the class; 0 where unknown.
    class_names, known, network, strict
        See :func:`filtag_kg.tags.read_labels`.
    classes_alone : bool
        Whether a label that no class has cannot be read.

    Raises
    ------
    FiltagError
        If a layer or filter is not among those known, or there is no label.
    """
    given = {nfc(id_): plain(label) for id_, label in (class_names or {}).items()}
    classes = _Classes({**(known.classes if known is not None else {}), **given}, alone=classes_alone)
    layers = _Layers(known)
    best: dict[tuple[str, int, str], float] = {}
    repeated: list[str] = []
    unknown: list[str] = []
    for file in files:
        layer_of = layers.of_file(file)
        for label in file.labels:
            layer = layer_of[label.layer]
            layers.add_filter(layer, label, file.path)
            if not label.label:
                continue
            class_id = classes.of(label, f"{file.path}, {label.where}")
            if class_id is None:
                unknown.append(f"{file.path}, {label.where}: no class is labelled {label.label!r}")
                continue
            key, score = (layer, label.filter, class_id), math.nan if label.score is None else label.score
            if key in best:
                repeated.append(f"{file.path}, {label.where}")
            if key not in best or math.isnan(best[key]) or score > best[key]:
                best[key] = score
    if unknown and (strict or not best):
        raise FiltagError(f"{unknown[0]}; check that the class names belong to these tags", options=("class_names",))
    _note("left out %s of a label that no class has: %s", unknown)
    _note("%s say what another one says of the same filter, and the best score counts: %s", repeated)
    _note("a class id has another label than before, and the first counts, in %s: %s", classes.relabelled)
    if not best:
        raise FiltagError(f"{files[0].path} gives no filter a label: give a file with labels")
    labels = given | {id_: classes.label(id_) for id_ in sorted({id_ for _, _, id_ in best} - given.keys())}
    layer_index = {name: index for index, name in enumerate(layers.sizes)}
    class_index = {id_: index for index, id_ in enumerate(labels)}
    n_tags = len(best)
    return TagTable(
        network=network,
        layer_names=tuple(layers.sizes),
        n_filters=tuple(layers.sizes.values()),
        class_ids=tuple(labels),
        class_labels=tuple(labels.values()),
        rules=(rule,),
        rule=np.zeros(n_tags, dtype=np.int64),
        layer=np.array([layer_index[layer] for layer, _, _ in best], dtype=np.int64),
        filter=np.array([filter_ for _, filter_, _ in best], dtype=np.int64),
        class_=np.array([class_index[class_id] for _, _, class_id in best], dtype=np.int64),
        rank=np.full(n_tags, rank, dtype=np.int64),
        activation=np.full(n_tags, np.nan),
        contrast=np.full(n_tags, np.nan),
        score=np.array(list(best.values())),
    )


def matching_layer(name: str, layers: Iterable[str]) -> str | None:
    """Return the layer that a name means: the same, else the only one whose last parts are the name's, or the reverse.

    >>> matching_layer("conv2", ["layer1.0.conv1", "layer1.0.conv2"]), matching_layer("net/conv1", ["conv1"])
    ('layer1.0.conv2', 'conv1')
    >>> matching_layer("conv1", ["layer1.0.conv1", "layer2.0.conv1"]) is None
    True
    """
    parts_of = {layer: re.split("[./]", layer) for layer in layers}
    if name in parts_of:
        return name
    named = re.split("[./]", name)
    matches = [
        layer for layer, parts in parts_of.items() if parts[-len(named) :] == named or named[-len(parts) :] == parts
    ]
    return matches[0] if len(matches) == 1 else None


class _Layers:
    """The layers of a table: those that are known, or those that files name, in their order.

    `sizes` has the number of filters of each; of a layer that is not known, up to the last that is labelled.
    """

    def __init__(self, known: Known | None) -> None:
        self._known = known
        self.sizes: dict[str, int] = dict(known.layers) if known is not None else {}
        self._n_filters = 0

    def of_file(self, file: FileLabels) -> dict[str | None, str]:
        """Return the layer for each name that a file has; None stands for rows without one."""
        named = list(dict.fromkeys(label.layer for label in file.labels))
        if file.layer is None:
            return {name: self._layer(name, file.path) for name in named}
        if len(named) > 1:
            names = _listed(repr(name) if name else "(none)" for name in named)
            raise FiltagError(
                f"{file.path} has labels of {len(named)} layers, {names}, which cannot all be of {file.layer}: name no "
                "layer",
                options=("layer",),
            )
        return dict.fromkeys(named, self._layer(file.layer, file.path))

    def add_filter(self, layer: str, label: Label, path: Path) -> None:
        """Count a filter; refuse one that a known layer does not have."""
        size = self.sizes.get(layer, 0)
        if label.filter < size:
            return
        if self._known is not None:
            raise FiltagError(
                f"{path}, {label.where}: there is no filter {label.filter} in {layer} of {self._known.where}, which "
                f"has {size:,}: name the layer that the labels are of",
                options=("layer",),
            )
        self._n_filters += label.filter + 1 - size
        if self._n_filters > _MOST_FILTERS:
            raise FiltagError(
                f"{path}, {label.where}: with filter {label.filter} of {layer!r}, the layers have more than "
                f"{_MOST_FILTERS:,} filters, counting those without labels: check the layers and filters of the file"
            )
        self.sizes[layer] = label.filter + 1

    def _layer(self, name: str | None, path: Path) -> str:
        if self._known is None:
            return path.stem if name is None else name
        layers = list(self._known.layers)
        if name is None and len(layers) == 1:
            return layers[0]
        layer = None if name is None else matching_layer(name, layers)
        if layer is None:
            problem = "does not say which layer it is of" if name is None else f"is about a layer {name!r}"
            raise FiltagError(
                f"{path} {problem}: name one of the layers of {self._known.where}, {_listed(layers)}",
                options=("layer",),
            )
        return layer


class _Classes:
    """Which class a label means.

    Parameters
    ----------
    known : mapping of class id to label
    alone : bool
        Whether there are no others, as in FILTAG's files. Classes that share a label then take turns.
    """

    def __init__(self, known: Mapping[str, str], *, alone: bool) -> None:
        self._labels = dict(known)
        self._given = frozenset(known)
        self._alone = alone
        self.relabelled: list[str] = []
        self._same: dict[str, deque[str]] = defaultdict(deque)
        self._alike: dict[str, list[str]] = defaultdict(list)
        for id_, label in known.items():
            self._same[plain(label)].append(id_)
            self._alike[plain(label).casefold()].append(id_)

    def of(self, label: Label, where: str) -> str | None:
        """Return the id of the class that a label at some place means; None if there is none and no other may be."""
        class_id = None if label.class_id is None else nfc(label.class_id)
        if class_id is not None and _WORDNET_ID.fullmatch(class_id):
            return self._named(class_id, label.label, where)
        same = self._same.get(label.label)
        if self._alone:
            if not same:
                return None
            same.rotate(-1)
            return same[-1]
        ids = list(same) if same else self._alike.get(label.label.casefold(), [])
        if len(ids) == 1:
            return ids[0]
        # An id that counts another data set's classes means another class here.
        if class_id is None or (class_id in self._given and self._labels[class_id] != label.label):
            class_id = label.label
        return self._named(class_id, label.label, where)

    def label(self, class_id: str) -> str:
        """Return what a class is called: as it is known, else as the first label that meant it."""
        return self._labels[class_id]

    def _named(self, class_id: str, label: str, where: str) -> str:
        known = self._labels.setdefault(class_id, label)
        if class_id not in self._given and known.casefold() != label.casefold():
            self.relabelled.append(where)
        return class_id


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MOST_NAMED]) + (f", … ({len(listed):,} in all)" if len(listed) > _MOST_NAMED else "")


def _note(message: str, places: Sequence[str]) -> None:
    if places:
        rows = f"{len(places):,} row{'s' if len(places) != 1 else ''}"
        _LOGGER.warning(message, rows, "; ".join(places[:_MOST_NOTED]) + ("; …" if len(places) > _MOST_NOTED else ""))
