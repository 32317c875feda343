"""ONNX networks, run by onnxruntime."""

from filtag_kg.network.onnx.engine import OnnxEngine
from filtag_kg.network.onnx.file import ONNX_ENDINGS, read_onnx_file
from filtag_kg.network.onnx.source import OnnxSource, onnx_source

__all__ = ["ONNX_ENDINGS", "OnnxEngine", "OnnxSource", "onnx_source", "read_onnx_file"]
