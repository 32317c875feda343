"""Read an ONNX network from an untrusted file: nothing in it runs, and any defect is reported in one line.

A file lists the operators that its graph is made of. Those of ONNX, and those that onnxruntime brings, are all that is
ever run. Operators of other domains are libraries, so they are refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.onnx.packages import Model, Node, import_onnx

ONNX_ENDINGS = (".onnx", ".ort")
_KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
# Before opset 7, operands of Add and Mul were aligned by an attribute.
_OLDEST_OPSET = 7
# Protocol buffers end at 2 GiB.
_LARGEST = 2**31 - 1
# A network has thousands.
_MOST_NODES = 1_000_000
# Weights are kept apart from the graph; constants such as axes, shapes and limits stay in it, where they are read.
_SMALL = 64
IN_MEMORY = "in memory"


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A network as its file describes it.

    Parameters
    ----------
    model : onnx.ModelProto
        Without local functions, and without the numbers of large initialisers: it names their type and shape, and
        ``in memory`` as the place of their data.
    weights : mapping of str to array
        All initialisers by their names.
    """

    model: Model
    weights: Mapping[str, NDArray[Any]]


def read_onnx_file(path: Path) -> OnnxFile:
    """Read an ``.onnx`` file and the weights that lie beside it.

    Raises
    ------
    FiltagError
        If it is missing, of another kind or damaged, if it needs operators that are code, or its weights lie outside
        its folder or are not finite.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises where a name is too long for a file
        raise FiltagError(f"no network at {path}: check the path")
    onnx = import_onnx()
    model = _parsed(path)
    try:
        _check_names(model.graph)
        weights = dict(_weights(model, path))
        # What was taken out of a message is freed with the message alone.
        model = onnx.ModelProto.FromString(model.SerializeToString())
        if model.functions:
            _check_functions(model)
            model = onnx.inliner.inline_local_functions(model)
        _refuse_code(model, path)
        onnx.checker.check_model(_as_checked(model))
    except (onnx.checker.ValidationError, OSError, ValueError, TypeError, RuntimeError, LookupError) as error:
        raise FiltagError(
            f"{path} is no valid ONNX network ({_first_line(error)}): export it again, and see what onnx.checker says"
        ) from None
    opset = opset_of(model)
    if opset < _OLDEST_OPSET:
        raise FiltagError(
            f"{path} is written in opset {opset} of ONNX, and {_OLDEST_OPSET} is the oldest that can be run: "
            "convert it with onnx.version_converter"
        )
    return OnnxFile(model, weights)


def without_weights(model: Model) -> Model:
    """Return a copy whose large initialisers are inputs: onnx checks it and infers shapes without their numbers."""
    onnx = import_onnx()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    inputs = {value.name for value in graph.input}
    tensors = list(graph.initializer)
    del graph.initializer[:]
    for tensor in tensors:
        if not _in_memory(tensor):
            graph.initializer.append(tensor)
        elif tensor.name not in inputs:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return copy


def _as_checked(model: Model) -> Model:
    copy = without_weights(model)
    for output in copy.graph.output:
        # The checker asks for a shape; onnxruntime does without.
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.shape.SetInParent()
    return copy


def opset_of(model: Model) -> int:
    """Return the version of ONNX's own operators that a model is written in."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def subgraphs(node: Node) -> Iterator[Any]:
    """Yield the graphs that a node holds, such as the branches of an ``If``."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _parsed(path: Path) -> Model:
    onnx = import_onnx()
    again = "export it again, for example with torch.onnx.export"
    if path.suffix.lower() == ".ort":
        raise FiltagError(f"{path} is in onnxruntime's own format: give the .onnx file that it was made from")
    try:
        if path.stat().st_size > _LARGEST:
            raise FiltagError(f"{path} has more than 2 GiB: save it with its weights as external data")
        data = path.read_bytes()
    except OSError as error:
        raise FiltagError(f"cannot read {path} ({reason_of(error)}): check the file") from None
    if data.startswith(b"version https://git-lfs"):
        raise FiltagError(f"{path} is only a pointer to the network: fetch it with git lfs pull")
    try:
        model = onnx.ModelProto.FromString(data)
    # The error of protocol buffers derives from Exception alone, and its package is no dependency of ours.
    except Exception as error:
        if type(error).__name__ != "DecodeError":
            raise
        raise FiltagError(f"{path} is not an ONNX network, or damaged: {again}") from None
    if not (model.graph.node and model.graph.output and model.opset_import):
        raise FiltagError(f"{path} is not an ONNX network, or damaged: {again}")
    return model


def _weights(model: Model, path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the initialisers, and take large ones out of the model."""
    onnx = import_onnx()
    known_types = set(onnx.helper.get_all_tensor_dtypes())
    for tensor in model.graph.initializer:
        if tensor.data_type not in known_types:
            raise ValueError(f"{tensor.name} is of unknown type {tensor.data_type}")
        external = tensor.data_location == onnx.TensorProto.EXTERNAL
        array = _external(tensor, path) if external else onnx.numpy_helper.to_array(tensor)
        if array.dtype.hasobject:
            # Strings.
            continue
        if not _is_finite(array):
            raise FiltagError(f"{path} has weights that are not finite numbers: save the trained network again")
        if external or array.size > _SMALL:
            _take_out(tensor, array)
        yield tensor.name, array
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.t.data_location == onnx.TensorProto.EXTERNAL:
                raise ValueError(f"constant {node.output[0]} lies in another file")


def _external(tensor: Any, path: Path) -> NDArray[Any]:  # noqa: ANN401 - see packages.py
    """Read an initialiser from a file in the network's folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.parent.resolve()
    file = folder / location
    relative = PurePosixPath(location)
    if (
        not location
        or "\\" in location
        or "\0" in location
        or relative.is_absolute()
        or ".." in relative.parts
        or not file.resolve().is_relative_to(folder)
    ):
        raise FiltagError(
            f"{path} has weights outside its folder, at {location!r}: put the network's files into one folder"
        )
    if not file.is_file():
        raise FiltagError(f"{path} has its weights in {location}, which is not beside it: put both into one folder")
    dtype = import_onnx().helper.tensor_dtype_to_np_dtype(tensor.data_type)
    shape = tuple(tensor.dims)
    n_bytes = dtype.itemsize
    for length in shape:
        n_bytes *= length
    offset = int(entries.get("offset") or 0)
    if min(shape, default=1) < 0 or offset < 0 or offset + n_bytes > file.stat().st_size:
        raise FiltagError(f"{path} has weights that are not in {location}, which is too short: copy both files again")
    with file.open("rb") as stream:
        stream.seek(offset)
        # ONNX is little-endian.
        array: NDArray[Any] = np.frombuffer(stream.read(n_bytes), dtype).reshape(shape)
    return array


def _take_out(tensor: Any, array: NDArray[Any]) -> None:  # noqa: ANN401 - see packages.py
    onnx = import_onnx()
    name, dims, data_type = tensor.name, list(tensor.dims), tensor.data_type
    tensor.Clear()
    tensor.name, tensor.data_type, tensor.data_location = name, data_type, onnx.TensorProto.EXTERNAL
    tensor.dims.extend(dims)
    for key, value in (("location", IN_MEMORY), ("offset", "0"), ("length", str(array.nbytes))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def _in_memory(tensor: Any) -> bool:  # noqa: ANN401 - see packages.py
    return any(entry.value == IN_MEMORY for entry in tensor.external_data)


def _is_finite(array: NDArray[Any]) -> bool:
    # Limits and masks may be infinite.
    is_float = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return not is_float or array.ndim < 2 or bool(np.isfinite(array).all())


def _check_names(graph: Any) -> None:  # noqa: ANN401 - see packages.py
    """Refuse names that are not text: protocol buffers give those as bytes."""
    values = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    names = [value.name for value in values]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
        names += [attribute.name for attribute in node.attribute]
        for inner in subgraphs(node):
            _check_names(inner)
    if not all(isinstance(name, str) for name in names):
        raise ValueError("a name in it is not text")


def _refuse_code(model: Model, path: Path) -> None:
    foreign = {f"{node.domain}.{node.op_type}" for node in _all_nodes(model.graph) if node.domain not in _KNOWN_DOMAINS}
    if foreign:
        named = ", ".join(sorted(foreign)[:5])
        raise FiltagError(
            f"{path} needs operators that are code and not in the file ({named}): export the network with ONNX's "
            "own operators"
        )


def _check_functions(model: Model) -> None:
    """Refuse functions that call others until there are far too many nodes."""
    functions = {_key(each, each.name): each for each in model.functions}
    n_nodes: dict[tuple[str, str, str], int] = {}

    def count(graph: Any) -> int:  # noqa: ANN401 - see packages.py
        return sum(1 + called(_key(node, node.op_type)) for node in _all_nodes(graph))

    def called(name: tuple[str, str, str]) -> int:
        if name in functions and name not in n_nodes:
            # One that calls itself is refused when it is put in its place.
            n_nodes[name] = 0
            n_nodes[name] = count(functions[name])
        return n_nodes.get(name, 0)

    if (total := count(model.graph)) > _MOST_NODES:
        raise ValueError(f"its functions make {total:,} nodes")


def _key(called: Any, name: str) -> tuple[str, str, str]:  # noqa: ANN401 - see packages.py
    return "" if called.domain == "ai.onnx" else called.domain, name, called.overload


def _all_nodes(graph: Any) -> Iterator[Node]:  # noqa: ANN401 - see packages.py
    for node in graph.node:
        yield node
        for inner in subgraphs(node):
            yield from _all_nodes(inner)


def _first_line(error: BaseException) -> str:
    return " ".join(reason_of(error).split())[:200]
