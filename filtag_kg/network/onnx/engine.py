"""The pass of an ONNX network, which onnxruntime runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.network import CompiledPass, Computed
from filtag_kg.network.onnx.graph import OnnxGraph
from filtag_kg.network.onnx.map_reader import OnnxMapReader
from filtag_kg.network.onnx.packages import import_onnx, import_onnxruntime
from filtag_kg.network.onnx.pass_graph import Input, Output, maps_model, output_model, pass_model
from filtag_kg.network.onnx.session import CUDA, open_session, providers, run_session
from filtag_kg.network.scaling import Scaling

# On a processor, feature maps are reduced while they are in its cache: it holds those of few images.
_IMAGES_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class OnnxEngine:
    """onnxruntime: see :class:`~filtag_kg.network.network.Engine`."""

    graph: OnnxGraph
    input: Input
    output: Output
    where: str
    _passes: dict[Any, CompiledPass] = field(default_factory=dict, compare=False)

    def versions(self) -> dict[str, str]:
        """Return the version of onnxruntime, and what it computes on."""
        onnxruntime = import_onnxruntime()
        return {"backend": "onnxruntime", "onnxruntime": onnxruntime.__version__, "provider": providers()[0]}

    def differentiable(self, layer: Layer, scaling: Scaling) -> NoReturn:
        """Refuse: onnxruntime computes no gradients."""
        del layer, scaling
        raise FiltagError(
            f"{self.where} runs in onnxruntime, which computes no gradients, and pictures of what a filter looks for "
            "need them: visualize the Keras or PyTorch network that it was exported from"
        )

    def ablatable(self, layers: Sequence[Layer], scaling: Scaling, batch_size: int) -> NoReturn:
        """Refuse: onnxruntime runs a file's graph as it is."""
        del layers, scaling, batch_size
        raise FiltagError(
            f"{self.where} runs in onnxruntime, which computes a network as a whole, so no filter can be taken out: "
            "ablate the Keras or PyTorch network that it was exported from"
        )

    def map_reader(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, once: bool = False
    ) -> OnnxMapReader:
        """Return what gives away feature maps: see :meth:`~filtag_kg.network.network.Engine.map_reader`."""
        del once  # Nothing takes long to prepare.
        self._check(scaling)
        session = open_session(maps_model(self.graph, self.input, layers, scaling), self.graph.weights, 0, self.where)
        n_filters = tuple(layer.n_filters for layer in layers)
        return OnnxMapReader(session, n_filters, self.input.batch, self.input.batch or batch_size, self.where)

    def compile(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool, once: bool
    ) -> CompiledPass:
        """Return the pass: see :meth:`~filtag_kg.network.network.Engine.compile`."""
        # A server asks for the same again with each image.
        key = (tuple(layer.feature_map for layer in layers), scaling, batch_size, scores)
        if once and key in self._passes:
            return self._passes[key]
        run = self._compile(layers, scaling, batch_size, scores=scores)
        self._passes.clear()
        if once:
            self._passes[key] = run
        return run

    def _compile(self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool) -> CompiledPass:
        self._check(scaling)
        n_filters = [layer.n_filters for layer in layers]
        at_a_time = self.input.batch or (batch_size if providers()[0] == CUDA else _IMAGES_AT_A_TIME)
        n_runs = -(-batch_size // at_a_time)
        workers = 1 if providers()[0] == CUDA else min(os.cpu_count() or 1, n_runs)

        @cache
        def session(dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - of onnxruntime
            model = pass_model(self.graph, self.input, self.output if scores else None, layers, scaling, dtype)
            # Workers share the threads that a session has besides their own.
            return open_session(model, self.graph.weights, (os.cpu_count() or 1) - workers + 1, self.where)

        pool = ThreadPoolExecutor(workers, thread_name_prefix="onnxruntime")

        def run(pixels: NDArray[Any]) -> Computed:
            pixels = np.ascontiguousarray(pixels, dtype=None if pixels.dtype == np.uint8 else np.float32)
            parts = [pixels[start : start + at_a_time] for start in range(0, len(pixels), at_a_time)]
            opened = session(pixels.dtype)
            ran = list(pool.map(lambda part: self._run(opened, part), parts))
            means, low, high, *own = (np.concatenate(arrays) for arrays in zip(*ran, strict=True))
            return _computed(means, low, high, n_filters, own[0] if own else np.zeros((len(pixels), 0), np.float32))

        return run

    def _check(self, scaling: Scaling) -> None:
        whole_numbers = import_onnx().helper.tensor_dtype_to_np_dtype(self.graph.types[self.graph.image]).kind in "iu"
        if whole_numbers and (any(scaling.mean) or any(std != 1 for std in scaling.std)):
            raise FiltagError(
                f"{self.where} takes pixels as whole numbers and scales them itself: leave the preprocessing out",
                options=("preprocess", "mean", "std"),
            )

    def _run(self, session: Any, pixels: NDArray[Any]) -> list[NDArray[np.float32]]:  # noqa: ANN401 - of onnxruntime
        n_images, batch = len(pixels), self.input.batch
        if batch is not None and n_images < batch:
            pixels = np.concatenate([pixels, np.zeros((batch - n_images, *pixels.shape[1:]), pixels.dtype)])
        try:
            arrays = run_session(session, pixels, self.where)
        except FiltagError:
            if n_images == 1:
                raise
            arrays = []
        if arrays and all(len(array) == len(pixels) for array in arrays):
            return [array[:n_images] for array in arrays]
        if n_images == 1:
            raise FiltagError(f"{self.where} has no output for each image: give a network that takes images")
        # It says that it takes any number of images, but works for one alone.
        alone = [self._run(session, pixels[i : i + 1]) for i in range(n_images)]
        return [np.concatenate(of_images) for of_images in zip(*alone, strict=True)]


def sample_shape(graph: OnnxGraph, input_: Input, tensor: str, where: str) -> tuple[int, ...]:
    """Return the shape of a tensor for black images, where that is not known without running the network.

    The first side is the number of images, also where the network takes it away from a single one.
    """
    session = open_session(output_model(graph, input_, tensor), graph.weights, 0, where)
    n_images = input_.batch or 2
    try:
        output = run_session(session, np.zeros((n_images, *input_.size, input_.channels), np.uint8), where)[0]
    except FiltagError:
        if input_.batch is not None:
            raise
        n_images = 1
        output = run_session(session, np.zeros((n_images, *input_.size, input_.channels), np.uint8), where)[0]
    if not isinstance(output, np.ndarray) or output.dtype.kind not in "fiub":
        raise FiltagError(f"output {tensor} of {where} holds no numbers: choose another", options=("output_name",))
    return (1, *output.shape) if n_images == 1 and output.shape[:1] != (1,) else output.shape


def _computed(
    means: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    n_filters: Sequence[int],
    scores: NDArray[np.float32],
) -> Computed:
    """Scale: mean((x − min) / (max − min)) = (mean(x) − min) / (max − min), see the pass of Keras."""
    constant = high == low
    with np.errstate(invalid="ignore", over="ignore"):
        # Multiplied, not selected: NaN stays NaN, and is noticed.
        factor = np.where(constant, np.float32(0), 1 / np.where(constant, np.float32(1), high - low))
        activations = (means - np.repeat(low, n_filters, axis=1)) * np.repeat(factor, n_filters, axis=1)
    return Computed(activations.astype(np.float32, copy=False), constant, scores)
