"""Small ONNX networks, written node by node, and an evaluation of them that shares nothing with the package's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from filtag_kg.network import load_network


@dataclass
class Graph:
    """Collects nodes; methods return the name of the tensor that they make."""

    shape: tuple = (None, 3, 8, 8)
    opset: int = 17
    dtype: Any = np.float32
    nodes: list = field(default_factory=list)
    initialisers: dict = field(default_factory=dict)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def op(self, operator: str, *inputs: Any, name: str | None = None, **attributes: Any) -> str:
        output = name or f"t{len(self.nodes)}"
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(onnx.helper.make_node(operator, names, [output], name=f"node {output}", **attributes))
        return output

    def constant(self, value: Any, name: str | None = None) -> str:
        name = name or f"c{len(self.initialisers)}"
        array = np.asarray(value)
        self.initialisers[name] = array.astype(self.dtype) if array.dtype.kind == "f" else array
        return name

    def conv(
        self, x: str, n_in: int, n_out: int, size: int = 3, name: str = "", bias: bool = True, **attributes
    ) -> str:
        name = name or f"conv{len(self.nodes)}"
        group = attributes.get("group", 1)
        weight = self.random.normal(0, 0.5, (n_out, n_in // group, size, size))
        inputs = [self.constant(weight, f"{name}.weight")]
        if bias:
            inputs.append(self.constant(self.random.normal(0, 0.3, n_out), f"{name}.bias"))
        return self.op("Conv", x, *inputs, **attributes)

    def batch_norm(self, x: str, n: int, **attributes) -> str:
        draw = self.random.uniform
        return self.op(
            "BatchNormalization", x, draw(0.5, 2, n), draw(-1, 1, n), draw(-1, 1, n), draw(0.5, 2, n), **attributes
        )

    def head(self, x: str, n: int, classes: int = 3, last: str | None = "Softmax") -> str:
        x = self.op("Flatten", self.op("GlobalAveragePool", x))
        x = self.op("Gemm", x, self.random.normal(size=(n, classes)), self.random.normal(size=classes))
        return x if last is None else self.op(last, x)

    def model(self, *outputs: str):
        kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        shape = [f"d{i}" if length is None else length for i, length in enumerate(self.shape)]
        initialisers = [onnx.numpy_helper.from_array(value, name) for name, value in self.initialisers.items()]
        graph = onnx.helper.make_graph(
            self.nodes,
            "toy",
            [onnx.helper.make_tensor_value_info("image", kind, shape)],
            [onnx.helper.make_tensor_value_info(name, kind, None) for name in outputs],
            initialisers,
        )
        opsets = [onnx.helper.make_opsetid("", self.opset)]
        opsets += [onnx.helper.make_opsetid(name, 1) for name in {node.domain for node in self.nodes} - {""}]
        model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=7)
        for output in model.graph.output:
            output.type.tensor_type.ClearField("shape")
        return model

    def save(self, path: Path, *outputs: str) -> str:
        onnx.save(self.model(*outputs), path)
        return str(path)


def plain_activations(path: str, tensors: list[str], images: np.ndarray) -> np.ndarray:
    """Return ā of feature maps as the unmodified network's session outputs them, for ready-made input."""
    model = onnx.load(path)
    kind = model.graph.input[0].type.tensor_type.elem_type
    known = {output.name for output in model.graph.output}
    for tensor in dict.fromkeys(tensors):
        if tensor not in known:
            model.graph.output.append(onnx.helper.make_tensor_value_info(tensor, kind, None))
            model.graph.output[-1].type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    rows = []
    for image in images:
        row = []
        for maps in session.run(tensors, {"image": image[None].astype(onnx.helper.tensor_dtype_to_np_dtype(kind))}):
            maps = maps[0].astype(np.float64)
            low, high = maps.min(), maps.max()
            row.append(((maps - low) / (high - low)).mean(axis=(1, 2)) if high > low else np.zeros(len(maps)))
        rows.append(np.concatenate(row))
    return np.stack(rows)


def random_pixels(n: int, size: tuple[int, int] = (8, 8), channels: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, *size, channels)).astype(np.uint8)


def assert_equals_plain(path: str, atol: float = 1e-5, **options: Any) -> None:
    """Compare a network's activations and scores with those of the unmodified network."""
    network = load_network(path, preprocess="0..1", **options)
    pixels = random_pixels(5, network.input_size, network.preparation.channels)
    ready = pixels.astype(np.float32) / 255
    if network.engine.input.channels_first:
        ready = ready.transpose(0, 3, 1, 2)
    expected = plain_activations(path, [layer.feature_map for layer in network.layers], ready)
    for run in (network.compile(4, scores=True), network.compute):
        computed = run(pixels)
        np.testing.assert_allclose(computed.activations, expected, atol=atol)
        assert not computed.constant.any()
        np.testing.assert_allclose(computed.scores, plain_scores(path, ready), rtol=1e-4, atol=atol)


def plain_scores(path: str, images: np.ndarray) -> np.ndarray:
    """Return the first output of the unmodified network, for one image at a time."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kind = np.float16 if "float16" in session.get_inputs()[0].type else np.float32
    rows = [session.run(None, {"image": image[None].astype(kind)})[0] for image in images]
    return np.concatenate(rows).astype(np.float32)
