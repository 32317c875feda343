"""The weights of a Keras 2 file, into the model that was rebuilt for them: each found by the name of its layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.backend import Operation
from filtag_kg.network.keras.keras2.model import Rebuilt

if TYPE_CHECKING:
    import h5py

_Arrays = Sequence[NDArray[Any]]


def load_h5_weights(rebuilt: Rebuilt, group: h5py.Group) -> None:
    """Load the weights of an ``.h5`` file.

    Parameters
    ----------
    group : h5py.Group
        Of the whole model, with a group for each layer; that of a model within has the weights of all its layers.

    Raises
    ------
    FiltagError
        If they do not fit the layers.
    """
    given: set[str] = set()
    for name in _texts(group.attrs, "layer_names"):
        layer_group = group[name]
        weight_names = _texts(layer_group.attrs, "weight_names")
        arrays = [np.asarray(layer_group[weight]) for weight in weight_names]
        layer = rebuilt.layers.get(name)
        if isinstance(layer, Rebuilt):
            _load_within(layer, weight_names, arrays)
        elif layer is not None:
            _assign(name, layer.weights, arrays)
        elif arrays:
            raise FiltagError(f"has weights of a layer {name} that it does not have: save it again")
        given.add(name)
    _check_all_given(rebuilt, given)


def load_archive_weights(rebuilt: Rebuilt, group: h5py.Group) -> None:
    """Load the weights of a ``.keras`` file.

    Parameters
    ----------
    group : h5py.Group
        Of a model. Its layers are called by their class and a number that grows in the order of the configuration.

    Raises
    ------
    FiltagError
        If they do not fit the layers.
    """
    layers = group.get("layers", group.get("_layer_checkpoint_dependencies", {}))
    groups: dict[str, list[h5py.Group]] = {}
    for key in sorted(layers, key=_number):
        if _has_arrays(layers[key]):
            groups.setdefault(re.sub(r"_\d+$", "", key), []).append(layers[key])
    for name, class_name in rebuilt.classes.items():
        layer = rebuilt.layers.get(name)
        weights = layer.model.weights if isinstance(layer, Rebuilt) else () if layer is None else layer.weights
        if not weights:
            continue
        of_class = groups.get(_snake_case(class_name), [])
        if not of_class:
            raise FiltagError(f"lacks the weights of its layer {name}: save it again")
        own = of_class.pop(0)
        if isinstance(layer, Rebuilt):
            load_archive_weights(layer, own)
        else:
            _assign(name, weights, [np.asarray(own["vars"][str(i)]) for i in range(len(own["vars"]))])


def _number(key: str) -> int:
    match = re.search(r"_(\d+)$", key)
    return int(match[1]) if match else 0


def _load_within(rebuilt: Rebuilt, weight_names: Sequence[str], arrays: _Arrays) -> None:
    """Load the weights of a model within another, by the layers that their names begin with."""
    leaves = dict(_leaves(rebuilt))
    of_layer: dict[str, list[NDArray[Any]]] = {}
    for weight_name, array in zip(weight_names, arrays, strict=True):
        prefix = weight_name.rpartition("/")[0]
        # A scope may come before the layer's name, which may have slashes itself.
        ends = (prefix.split("/", n)[-1] for n in range(prefix.count("/") + 1))
        of_layer.setdefault(next((end for end in ends if end in leaves), prefix), []).append(array)
    if set(of_layer) == {name for name, layer in leaves.items() if layer.weights}:
        for name, own in of_layer.items():
            _assign(name, leaves[name].weights, own)
        return
    # Renamed layers keep the old names in their weights. Then order decides, which is the same in Keras 3.
    model = rebuilt.model
    _assign(model.name, [*model.trainable_weights, *model.non_trainable_weights], arrays)


def _leaves(rebuilt: Rebuilt) -> Iterator[tuple[str, Operation]]:
    for name, layer in rebuilt.layers.items():
        if isinstance(layer, Rebuilt):
            yield from _leaves(layer)
        else:
            yield name, layer


def _assign(name: str, weights: Sequence[Any], arrays: _Arrays) -> None:
    shapes, given = [tuple(weight.shape) for weight in weights], [array.shape for array in arrays]
    if shapes != given:
        raise FiltagError(f"has weights of shapes {given} for its layer {name}, which takes {shapes}: save it again")
    for weight, array in zip(weights, arrays, strict=True):
        weight.assign(array)


def _check_all_given(rebuilt: Rebuilt, given: set[str]) -> None:
    for name, layer in rebuilt.layers.items():
        weights = layer.model.weights if isinstance(layer, Rebuilt) else layer.weights
        if weights and name not in given:
            raise FiltagError(f"lacks the weights of its layer {name}: save it again")


def _texts(attributes: h5py.AttributeManager, name: str) -> list[str]:
    """Return a list of texts; what does not fit into one attribute of 64 KiB is in several, with numbers."""
    if name in attributes:
        parts = [attributes[name]]
    else:
        parts = []
        while f"{name}{len(parts)}" in attributes:
            parts.append(attributes[f"{name}{len(parts)}"])
    return [text.decode() if isinstance(text, bytes) else str(text) for part in parts for text in part]


def _has_arrays(group: h5py.Group) -> bool:
    import h5py

    return group.visititems(lambda _, item: True if isinstance(item, h5py.Dataset) else None) is True


def _snake_case(name: str) -> str:
    """Return a class's name as Keras writes it in files: ``batch_normalization``, ``conv2d``, ``p_re_lu``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
