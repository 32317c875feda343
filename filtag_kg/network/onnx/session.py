"""Sessions of onnxruntime: what it computes on, and its errors in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.onnx.file import IN_MEMORY
from filtag_kg.network.onnx.packages import Model, import_onnx, import_onnxruntime, onnxruntime_errors

CUDA = "CUDAExecutionProvider"


def open_session(model: Model, weights: Mapping[str, NDArray[Any]], threads: int, where: str) -> Any:  # noqa: ANN401
    """Return a session of onnxruntime.

    Parameters
    ----------
    weights : mapping of str to array
        The initialisers that `model` only names.
    threads : int
        For each run, its own included.

    Raises
    ------
    FiltagError
        If onnxruntime cannot run it.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    # Warnings are about names and versions in the file; errors are raised.
    options.log_severity_level = 4
    apart = [tensor.name for tensor in model.graph.initializer if _is_apart(tensor)]
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(weights[name])) for name in apart]
    options.add_external_initializers(apart, values)
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers())
    except onnxruntime_errors() as error:
        raise FiltagError(f"onnxruntime cannot run {where} ({_reason(error)}): export it again") from None


def run_session(
    session: Any,  # noqa: ANN401
    pixels: NDArray[Any],
    where: str,
    *,
    more: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> list[NDArray[np.float32]]:
    """Return the outputs of a session for its first input, and its others by name.

    Raises
    ------
    FiltagError
        If it fails.
    """
    try:
        outputs: list[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: pixels, **more})
    except onnxruntime_errors() as error:
        raise FiltagError(f"onnxruntime cannot run {where} ({_reason(error)}): check its input size") from None
    return outputs


def _is_apart(tensor: Any) -> bool:  # noqa: ANN401 - of onnx
    return any(entry.value == IN_MEMORY for entry in tensor.external_data)


@cache
def providers() -> tuple[str, ...]:
    """Return what onnxruntime computes on, the first choice first."""
    onnxruntime = import_onnxruntime()
    if CUDA in onnxruntime.get_available_providers():
        # CUDA's libraries may have come with pip.
        getattr(onnxruntime, "preload_dlls", lambda: None)()
        # Where they are missing, a session goes on without.
        helper = import_onnx().helper
        x, y = (helper.make_tensor_value_info(name, 1, [1]) for name in "xy")
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "probe", [x], [y])
        probe = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
        wanted = (CUDA, "CPUExecutionProvider")
        if CUDA in onnxruntime.InferenceSession(probe.SerializeToString(), providers=wanted).get_providers():
            return wanted
    return ("CPUExecutionProvider",)


def _reason(error: BaseException) -> str:
    # The message may begin with "[ONNXRuntimeError]", the error's number and its name, in colons.
    message = reason_of(error).rpartition("[ONNXRuntimeError] : ")[2]
    return " ".join(re.sub(r"^\d+ : \w+ : ", "", message).split())[:200]
