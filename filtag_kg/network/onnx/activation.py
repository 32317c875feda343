"""An activation in an ONNX graph, which may be one node or many: ``HardSwish``, or ``x * clip(x + 3, 0, 6) / 6``.

What counts is what is computed, not how it is written. From a tensor, elementwise nodes are followed whose other
operands are constant, until all paths meet in one tensor again. What they compute is a function of single numbers,
which is run on some numbers and compared with the activations that have a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.onnx.graph import OnnxGraph
from filtag_kg.network.onnx.packages import Node, import_onnx, import_onnxruntime, onnxruntime_errors

# Activations that are one operator, under the names that Keras gives them.
_OPERATORS = {
    "Celu": "celu",
    "Clip": "clip",
    "Elu": "elu",
    "FastGelu": "gelu",
    "Gelu": "gelu",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_silu",
    "LeakyRelu": "leakyrelu",
    "Mish": "mish",
    "PRelu": "prelu",
    "QuickGelu": "quick_gelu",
    "Relu": "relu",
    "Selu": "selu",
    "Shrink": "shrink",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Swish": "silu",
    "Tanh": "tanh",
    "ThresholdedRelu": "thresholdedrelu",
}
# What they may be written with besides.
# fmt: off
_ELEMENTWISE = {
    *_OPERATORS, "Abs", "Add", "And", "Cast", "Ceil", "Div", "Equal", "Erf", "Exp", "Floor", "Greater",
    "GreaterOrEqual", "Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal",
    "Sign", "Sqrt", "Sub", "Sum", "Where",
}
# fmt: on
# The longest formula is that of GELU with Tanh: nine nodes.
_MOST_NODES = 16
_SAMPLES = np.linspace(-8, 8, 64, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Activation:
    """The nodes of one activation.

    Parameters
    ----------
    name : str
        The function's, as Keras spells it: ``silu``; or the operators that make it up.
    tensor : str
        What it makes.
    nodes : tuple of int
        All nodes that use the tensor that it is applied to, and those between.
    """

    name: str
    tensor: str
    nodes: tuple[int, ...]


def activation_after(graph: OnnxGraph, tensor: str) -> Activation | None:
    """Return the activation that a tensor goes through, if nothing else uses the tensor."""
    forks = len(graph.users.get(tensor, ())) > 1
    first: Activation | None = None
    named: Activation | None = None
    for nodes in _closed(graph, tensor):
        last = graph.nodes[nodes[-1]]
        name = _name(graph, tensor, nodes)
        found = Activation(name or "·".join(graph.nodes[x].op_type.lower() for x in nodes), last.output[0], nodes)
        # Of several, the longest: a Relu that a Min follows is a ReLU6.
        named = found if name else named
        first = first or found
    return named or (first if forks else None)


def _closed(graph: OnnxGraph, tensor: str) -> Iterator[tuple[int, ...]]:
    """Yield the groups of elementwise nodes after a tensor, small ones first, from which only one tensor leads on."""
    inside, shape = {tensor}, graph.shapes.get(tensor)
    nodes: list[int] = []
    waiting = set(graph.users.get(tensor, ()))
    while waiting and len(nodes) < _MOST_NODES:
        # Nodes are in forward order, so whatever the first of them needs from the group is there.
        index = min(waiting)
        node = graph.nodes[index]
        if node.op_type not in _ELEMENTWISE or any(x in graph.varying and x not in inside for x in node.input if x):
            return
        waiting.remove(index)
        nodes.append(index)
        made = node.output[0]
        inside.add(made)
        if graph.shapes.get(made, shape) != shape:
            # A constant stretched the map.
            return
        if not waiting:
            yield tuple(nodes)
        waiting.update(graph.users.get(made, ()))


def _name(graph: OnnxGraph, tensor: str, nodes: Sequence[int]) -> str | None:
    """Return the name of the function that nodes compute from a tensor."""
    node = graph.nodes[nodes[0]]
    operator = _OPERATORS.get(node.op_type) if len(nodes) == 1 else None
    if operator not in (None, "clip"):
        return operator
    x = _SAMPLES.astype(np.float64)
    y = _values(graph, tensor, [graph.nodes[index] for index in nodes])
    if y is None:
        return operator
    for name, function in _FUNCTIONS.items():
        if np.allclose(y, function(x), rtol=2e-3, atol=2e-3):
            return name
    negative = x < 0
    slopes = y[:, negative] / x[negative]
    if np.allclose(y[:, ~negative], x[~negative], rtol=2e-3) and np.allclose(slopes, slopes[:, :1], rtol=5e-3):
        return "leakyrelu" if np.allclose(slopes, slopes[0, 0], rtol=5e-3) else "prelu"
    return operator


def _values(graph: OnnxGraph, tensor: str, nodes: Sequence[Node]) -> NDArray[np.float64] | None:
    """Run nodes on `_SAMPLES` in every channel: float64 array of shape (n_channels, n_samples), or None."""
    onnx = import_onnx()
    shape, data_type = graph.shapes.get(tensor), graph.types.get(tensor)
    if shape is None or len(shape) != 4 or not shape[1] or data_type is None:
        return None
    # Constants are numbers, or a number for each channel.
    constants = [name for node in nodes for name in graph.constants_of(node)]
    if any(_size(graph, name) not in (1, shape[1]) for name in constants):
        return None
    needed = [*graph.needed(constants), *nodes]
    model = onnx.ModelProto()
    model.ir_version = graph.model.ir_version
    model.opset_import.extend(graph.model.opset_import)
    model.graph.name = "activation"
    model.graph.node.extend(needed)
    numbers = onnx.numpy_helper
    model.graph.initializer.extend(
        numbers.from_array(graph.weights[each.name], each.name) for each in graph.initialisers(needed)
    )
    model.graph.input.append(onnx.helper.make_tensor_value_info(tensor, data_type, [1, shape[1], 1, len(_SAMPLES)]))
    output = nodes[-1].output[0]
    model.graph.output.append(onnx.helper.make_tensor_value_info(output, data_type, None))
    samples = np.broadcast_to(_SAMPLES, (1, shape[1], 1, len(_SAMPLES)))
    dtype = onnx.helper.tensor_dtype_to_np_dtype(data_type)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        (values,) = session.run([output], {tensor: samples.astype(dtype)})
    except onnxruntime_errors():
        return None
    return np.asarray(values, np.float64).reshape(shape[1], len(_SAMPLES))


def _size(graph: OnnxGraph, constant: str) -> int | None:
    shape = graph.shapes.get(constant)
    return None if shape is None or None in shape else math.prod(length for length in shape if length is not None)


_erf: Any = np.vectorize(math.erf)
_softplus: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda x: np.logaddexp(0, x)  # noqa: E731


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-x)))


_FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "silu": lambda x: x * _sigmoid(x),
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "quick_gelu": lambda x: x * _sigmoid(1.702 * x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "sigmoid": _sigmoid,
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
}
