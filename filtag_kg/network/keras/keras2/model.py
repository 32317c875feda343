"""The configuration of a Keras 2 model as a model of Keras 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, TypeAlias

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.backend import KerasModel, Operation, Tensor, import_keras
from filtag_kg.network.keras.keras2.layers import known_class, make_layer
from filtag_kg.network.keras.keras2.operations import apply_function

_Json: TypeAlias = Any
_Config: TypeAlias = Mapping[str, _Json]
_FUNCTIONAL = ("Functional", "Model")
_OPERATIONS = ("TFOpLambda", "SlicingOpLambda")
# In place of a tensor's layer, where an operation's first argument is a number.
_CONSTANT = "_CONSTANT_VALUE"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A model that was rebuilt, with what its weights are found by.

    Parameters
    ----------
    model : keras.Model
        Its weights are not those of the file yet.
    classes : dict of str to str
        The class that each layer had in the file, by the layer's name there, in order.
    layers : dict of str to keras.Operation or Rebuilt
        The layers and models within, by their names in the file.
    """

    model: KerasModel
    classes: dict[str, str]
    layers: dict[str, Operation | Rebuilt]


def rebuild(config: _Config) -> Rebuilt:
    """Rebuild a functional or Sequential model.

    Parameters
    ----------
    config : mapping of str to JSON values
        With ``class_name`` and ``config``, as a file has it.

    Raises
    ------
    FiltagError
        If it is a subclassed model, or has a layer that cannot be rebuilt.
    """
    if config["class_name"] == "Sequential":
        return _sequential(config["config"])
    if config["class_name"] in _FUNCTIONAL and "input_layers" in config["config"]:
        return _Builder(config["config"]).functional()
    raise FiltagError(
        f"is a {config['class_name']}, which is code and not in the file: rebuild it as a functional or Sequential "
        "model and save that"
    )


def _sequential(config: _Json) -> Rebuilt:
    # Before Keras 2.2.3 it was the list of its layers alone.
    layer_configs, name = (config, None) if isinstance(config, list) else (config["layers"], config.get("name"))
    names = _names([layer["config"]["name"] for layer in layer_configs])
    layers: dict[str, Operation | Rebuilt] = {}
    stack: list[Operation] = []
    shape = None if isinstance(config, list) else config.get("build_input_shape")
    for layer in layer_configs:
        own = layer["config"]["name"]
        shape = layer["config"].get("batch_input_shape", shape) if not stack else shape
        if layer["class_name"] == "InputLayer":
            continue
        made = _operation(layer, names[own])
        layers[own] = made
        stack.append(made.model if isinstance(made, Rebuilt) else made)
    keras = import_keras()
    if shape is None and stack and isinstance(stack[0], keras.Model) and stack[0].built:
        shape = stack[0].input_shape
    if shape is None:
        raise FiltagError("was saved before its input was known: call it on an image and save it again")
    model = keras.Sequential([keras.Input(batch_shape=tuple(shape)), *stack], name=name)
    return Rebuilt(model, {layer["config"]["name"]: layer["class_name"] for layer in layer_configs}, layers)


def _operation(layer: _Config, name: str) -> Operation | Rebuilt:
    if layer["class_name"] in (*_FUNCTIONAL, "Sequential"):
        return rebuild(layer)
    return make_layer(known_class(layer["class_name"], layer.get("module") or "keras"), layer["config"], name)


def _names(names: Sequence[str]) -> dict[str, str]:
    """Return the names of layers in Keras 3, which allows no slash in them."""
    new: dict[str, str] = {}
    taken = {name for name in names if "/" not in name}
    for name in names:
        if "/" not in name:
            new[name] = name
            continue
        new[name] = _unused(name.replace("/", "_"), taken)
        taken.add(new[name])
    return new


def _unused(name: str, taken: set[str]) -> str:
    candidates = (name, *(f"{name}_{i}" for i in range(1, len(taken) + 2)))
    return next(candidate for candidate in candidates if candidate not in taken)


class _Builder:
    """Calls the layers of a functional configuration in the order in which their inputs become known.

    A call is a list of references to tensors, ``[layer, call of that layer, output, keyword arguments]``. The first of
    the layer's arguments is one of them or, for a layer of several inputs, all; an operation's may also be a number.
    """

    def __init__(self, config: _Config) -> None:
        self._config = config
        self._layer_configs = {_name(layer): layer for layer in config["layers"]}
        self._names = _names(list(self._layer_configs))
        self._taken = set(self._names.values())
        self._layers: dict[str, Operation | Rebuilt] = {}
        # The tensors that each layer makes, for each call of it.
        self._outputs: dict[str, list[list[Tensor]]] = {name: [] for name in self._layer_configs}
        self._first_call = self._first_calls()

    def functional(self) -> Rebuilt:
        calls = {name: list(layer["inbound_nodes"]) for name, layer in self._layer_configs.items()}
        for name, layer in self._layer_configs.items():
            if layer["class_name"] == "InputLayer":
                self._outputs[name].append([self._input(name, layer["config"])])
        while waiting := {name: nodes for name, nodes in calls.items() if nodes}:
            n_waiting = sum(map(len, waiting.values()))
            for name, nodes in waiting.items():
                while nodes and all(map(self._is_known, self._tensors(nodes[0]))):
                    outputs = self._call(name, nodes.pop(0))
                    self._outputs[name].append(list(outputs) if isinstance(outputs, list | tuple) else [outputs])
            if sum(map(len, waiting.values())) == n_waiting:
                raise FiltagError(f"its layer {next(iter(waiting))} takes what no layer makes: save it again")
        keras = import_keras()
        ends = [
            [self._tensor(end) for end in _references(self._config[key])] for key in ("input_layers", "output_layers")
        ]
        model = keras.Model(*(end[0] if len(end) == 1 else end for end in ends), name=self._config.get("name"))
        return Rebuilt(model, {name: layer["class_name"] for name, layer in self._layer_configs.items()}, self._layers)

    def _input(self, name: str, options: _Config) -> Tensor:
        shape = options.get("batch_input_shape", options.get("batch_shape"))
        return import_keras().Input(batch_shape=tuple(shape), dtype=options.get("dtype"), name=self._names[name])

    def _call(self, name: str, node: _Json) -> Tensor:
        """Call a layer once more, and return what it returns."""
        layer = self._layer_configs[name]
        references = _references(node)
        inputs = [self._tensor(reference) for reference in references]
        arguments = {key: self._argument(value) for key, value in _keywords(references[0]).items()}
        if layer["class_name"] in _OPERATIONS:
            first = inputs[0] if isinstance(node[0], str) else inputs
            outputs = apply_function(layer["config"]["function"], name, first, arguments)
            self._rename(outputs, [*inputs, *arguments.values()], self._names[name])
            return outputs
        if layer["class_name"].endswith("CustomScaleLayer"):
            # Of Keras' InceptionResNetV2.
            outputs = inputs[0] + layer["config"]["scale"] * inputs[1]
            self._rename(outputs, inputs, self._names[name])
            return outputs
        if name not in self._layers:
            self._layers[name] = _operation(layer, self._names[name])
        made = self._layers[name]
        arguments = {key: value for key, value in arguments.items() if key not in ("training", "mask")}
        return (made.model if isinstance(made, Rebuilt) else made)(
            inputs[0] if len(inputs) == 1 else inputs, **arguments
        )

    def _rename(self, outputs: Tensor, known: Sequence[object], name: str) -> None:
        """Name the operations between some tensors as the file does: Keras' own names may be taken by its layers."""
        ends = {id(tensor) for tensor in known}
        names = chain([name], (_unused(name, self._taken) for _ in repeat(None)))
        seen: set[int] = set()
        stack = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        while stack:
            tensor = stack.pop()
            if id(tensor) in ends or not hasattr(tensor, "_keras_history"):
                continue
            operation, node, _ = tensor._keras_history
            if id(operation) not in seen:
                seen.add(id(operation))
                operation.name = next(names)
                self._taken.add(operation.name)
                stack.extend(operation._inbound_nodes[node].input_tensors)

    def _first_calls(self) -> dict[str, int]:
        """Return the number of each layer's first call; a model within may count its own graph as call 0."""
        last: dict[str, int] = {}
        nodes = [node for layer in self._layer_configs.values() for node in layer["inbound_nodes"]]
        for name, call, _ in chain.from_iterable(map(self._tensors, [*nodes, self._config["output_layers"]])):
            last[name] = max(call, last.get(name, 0))
        n_calls = {name: len(self._layer_configs[name]["inbound_nodes"]) for name in last}
        return {name: max(0, call + 1 - max(1, n_calls[name])) for name, call in last.items()}

    def _tensors(self, node: _Json) -> Iterator[tuple[str, int, int]]:
        """Yield the references to tensors in a call."""
        for reference in _references(node):
            for part in (reference[:3], *_keywords(reference).values()):
                if self._is_reference(part):
                    yield tuple(part)

    def _is_reference(self, value: object) -> bool:
        if not (isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)):
            return False
        return value[0] in self._outputs and isinstance(value[1], int) and isinstance(value[2], int)

    def _is_known(self, reference: tuple[str, int, int]) -> bool:
        name, call, _ = reference
        return call - self._first_call[name] < len(self._outputs[name])

    def _tensor(self, reference: _Json) -> Tensor:
        name, call, index = reference[:3]
        return index if name == _CONSTANT else self._outputs[name][call - self._first_call[name]][index]

    def _argument(self, value: _Json) -> Tensor | _Json:
        return self._tensor(value) if self._is_reference(value) else value


def _name(layer: _Config) -> str:
    name: str = layer.get("name") or layer["config"]["name"]
    return name


def _references(node: _Json) -> list[_Json]:
    """Return the references of a call, whether it has one or several."""
    return [node] if isinstance(node[0], str) else list(node)


def _keywords(reference: _Json) -> _Config:
    keywords: _Config = reference[3] if len(reference) > 3 else {}
    return keywords
