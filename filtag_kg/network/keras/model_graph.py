"""The graph of a network: which operation outputs which tensor, and which operations take it as input.

A Keras model may contain other models as layers, and a layer may belong to several models. Calling all operations once
more on a new input, those of submodels included, gives one flat graph of this network alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.keras.backend import KerasModel, Operation, Tensor, import_keras


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: a Keras layer, or a bare operation such as ``x + y``.

    `inputs` and `outputs` are symbolic Keras tensors, flat and in order.
    """

    operation: Operation
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The calls of a network in forward order, and the flat model made of them.

    Parameters
    ----------
    model : keras.Model
        Functional, with one input and no submodels; shares its weights with the traced model.
    calls : tuple of Call
        In forward order.
    """

    model: KerasModel
    calls: tuple[Call, ...]


def trace(model: KerasModel, where: str, input_size: tuple[int, int] | None = None) -> Graph:
    """Follow an image through a Keras model.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input: images.
    where : str
        The network as the user named it, for messages.
    input_size : tuple of int, optional
        (height, width), for a model that takes images of any size.

    Raises
    ------
    FiltagError
        If the model is subclassed, was never built, takes more than one input, or no images of that size.
    """
    keras = import_keras()
    if not _can_be_traced(keras, model):
        raise FiltagError(
            f"{where} is a subclassed Keras model, whose layers cannot be followed: "
            "rebuild it as a functional or Sequential model and save that"
        )
    if not model.built or not model.inputs:
        raise FiltagError(f"{where} was saved before its input was known: add a keras.Input and save it again")
    if len(model.inputs) != 1:
        raise FiltagError(f"{where} takes {len(model.inputs)} inputs: give a network that takes one image")
    shape = list(model.inputs[0].shape)
    graph = _as_built(keras, model) or _replayed(keras, model, shape, where)
    if input_size is None or len(shape) != 4 or None not in shape[1:]:
        return graph
    sides = (2, 3) if input_channel_axis(graph) == 1 else (1, 2)
    for axis, length in zip(sides, input_size, strict=True):
        shape[axis] = length if shape[axis] is None else shape[axis]
    try:
        return _replayed(keras, model, shape, where)
    except FiltagError:
        given = " × ".join(map(str, input_size))
        raise FiltagError(
            f"{where} cannot take images of {given} pixels: give larger ones", options=("input_size",)
        ) from None


def input_channel_axis(graph: Graph) -> int:
    """Return the axis of the input that holds the channels, by the first layer that says where it expects them."""
    makers = {id(tensor): call for call in graph.calls for tensor in call.outputs}
    for call in graph.calls:
        layout = getattr(call.operation, "data_format", None)
        if layout is None or len(call.inputs[0].shape) != 4:
            continue
        axis = 1 if layout == "channels_first" else 3
        tensor = call.inputs[0]
        while (maker := makers.get(id(tensor))) is not None and maker.inputs:
            if type(maker.operation).__name__ == "Permute":
                axis = maker.operation.dims[axis - 1]
            elif type(maker.operation).__name__ == "Transpose" and maker.operation.axes is not None:
                axis = maker.operation.axes[axis]
            tensor = maker.inputs[0]
        return axis
    return 3


def _as_built(keras: ModuleType, model: KerasModel) -> Graph | None:
    """Return the graph that the model's layers record, if it is flat and they belong to no other model."""
    operations = [x for x in _operations(keras, model) if not isinstance(x, keras.layers.InputLayer)]
    if any(_can_be_traced(keras, x) or len(x._inbound_nodes) != 1 for x in operations):
        return None
    flatten = keras.tree.flatten
    calls = [Call(x, tuple(flatten(x.input)), tuple(flatten(x.output))) for x in operations]
    # A Sequential becomes a functional model of the same layers.
    return Graph(keras.Model(model.inputs[0], model.outputs, name=model.name), tuple(calls))


def _replayed(keras: ModuleType, model: KerasModel, shape: list[int | None], where: str) -> Graph:
    source = model.inputs[0]
    start = keras.Input(batch_shape=tuple(shape), dtype=source.dtype, name=source.name)
    calls: list[Call] = []
    try:
        outputs = _replay(keras, model, start, calls)
        flat = keras.Model(start, outputs, name=model.name)
    except ValueError as error:
        raise FiltagError(
            f"{where} cannot be laid out flat ({reason_of(error)}): rename the layers that share a name"
        ) from None
    return Graph(flat, tuple(calls))


def _operations(keras: ModuleType, model: KerasModel) -> list[Operation]:
    operations: list[Operation] = model.layers if isinstance(model, keras.Sequential) else model.operations
    return operations


def _can_be_traced(keras: ModuleType, operation: Operation) -> bool:
    # Keras has no public name for the class of functional models; all of them are Functions.
    return isinstance(operation, (keras.Sequential, keras.Function))


def _replay(keras: ModuleType, model: KerasModel, inputs: Tensor, calls: list[Call]) -> Tensor:
    if isinstance(model, keras.Sequential):
        tensor = inputs
        for layer in model.layers:
            if not isinstance(layer, keras.layers.InputLayer):
                tensor = _recording(keras, layer, calls)(tensor)
        return tensor
    # The only walk over a functional graph in Keras. clone_model uses it, but wraps every nested graph.
    return model._run_through_graph(inputs, operation_fn=lambda operation: _recording(keras, operation, calls))


def _recording(keras: ModuleType, operation: Operation, calls: list[Call]) -> Callable[..., Tensor]:
    def call(*args: Tensor, **kwargs: Tensor) -> Tensor:
        if _can_be_traced(keras, operation) and operation.built:
            return _replay(keras, operation, args[0], calls)
        # Otherwise a model that was called with training=True would keep its dropout.
        kwargs.pop("training", None)
        outputs = operation(*args, **kwargs)
        calls.append(Call(operation, _tensors(keras, (args, kwargs)), _tensors(keras, outputs)))
        return outputs

    return call


def _tensors(keras: ModuleType, nested: object) -> tuple[Tensor, ...]:
    return tuple(x for x in keras.tree.flatten(nested) if isinstance(x, keras.KerasTensor))
