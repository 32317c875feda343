"""The two packages behind ONNX networks: onnx reads and edits them, onnxruntime runs them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from filtag_kg.errors import MissingExtraError

# Protocol buffers of onnx have no types of their own that a checker could use where onnx is not installed.
Model = Any
Node = Any


def import_onnx() -> ModuleType:
    """Return onnx, with its checker, inliner and shape inference.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    for name in ("checker", "inliner", "shape_inference", "numpy_helper"):
        _import("onnx", f"onnx.{name}")
    return _import("onnx", "onnx")


def import_onnxruntime() -> ModuleType:
    """Return onnxruntime.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    return _import("onnxruntime", "onnxruntime")


def onnxruntime_errors() -> tuple[type[BaseException], ...]:
    """Return what onnxruntime raises; its errors have no class in common."""
    import_onnxruntime()
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = (value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception))
    return (*own, RuntimeError, ValueError, MemoryError)


def _import(package: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise MissingExtraError(package, "onnx") from None
