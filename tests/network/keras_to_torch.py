"""A Keras network written again in PyTorch, with its weights copied: for tests that compare frameworks."""

from __future__ import annotations

from typing import Any

import numpy as np

from filtag_kg.network import import_keras
from filtag_kg.network.torch.backend import import_torch


def to_torch(model: Any) -> Any:
    """Return a torch.nn.Module that computes what a flat functional Keras model of usual layers does.

    Its modules are named as the Keras layers are. Keras pads ``same`` by the input's size, more at the end than at the
    start: with stride 2 and an even size that is not ``padding=1`` of PyTorch, so images are padded explicitly.
    """
    torch = import_torch()
    keras = import_keras()

    class Copied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
            for layer in self.calls:
                module = _module(torch, keras, layer)
                if module is not None:
                    self.add_module(layer.name, module)

        def forward(self, images: Any) -> Any:
            values = {id(model.inputs[0]): images}
            for layer in self.calls:
                inputs = layer.input if isinstance(layer.input, list) else [layer.input]
                values[id(layer.output)] = _call(torch, keras, self, layer, [values[id(one)] for one in inputs])
            return values[id(model.outputs[0])]

    return Copied().eval()


def _tensor(torch: Any, weight: Any, *axes: int) -> Any:
    array = np.asarray(weight)
    return torch.from_numpy(np.ascontiguousarray(array.transpose(axes) if axes else array))


def _module(torch: Any, keras: Any, layer: Any) -> Any:
    nn, layers = torch.nn, keras.layers
    if isinstance(layer, layers.DepthwiseConv2D):
        channels = layer.input.shape[-1]
        module = nn.Conv2d(
            channels,
            channels * layer.depth_multiplier,
            layer.kernel_size,
            layer.strides,
            groups=channels,
            bias=layer.use_bias,
        )
        kernel = _tensor(torch, layer.kernel, 2, 3, 0, 1)
        module.weight.data = kernel.reshape(module.weight.shape)
    elif isinstance(layer, layers.Conv2D):
        module = nn.Conv2d(layer.input.shape[-1], layer.filters, layer.kernel_size, layer.strides, bias=layer.use_bias)
        module.weight.data = _tensor(torch, layer.kernel, 3, 2, 0, 1)
    elif isinstance(layer, layers.BatchNormalization):
        module = nn.BatchNorm2d(layer.input.shape[-1], eps=layer.epsilon)
        module.weight.data, module.bias.data = (_tensor(torch, weight) for weight in (layer.gamma, layer.beta))
        module.running_mean, module.running_var = (
            _tensor(torch, weight) for weight in (layer.moving_mean, layer.moving_variance)
        )
    elif isinstance(layer, layers.Dense):
        module = nn.Linear(layer.input.shape[-1], layer.units)
        module.weight.data = _tensor(torch, layer.kernel, 1, 0)
    elif isinstance(layer, layers.ReLU):
        return nn.ReLU6() if layer.max_value == 6 else nn.ReLU()
    elif isinstance(layer, layers.Softmax):
        return nn.Softmax(dim=1)
    elif isinstance(layer, layers.MaxPooling2D):
        return nn.MaxPool2d(layer.pool_size, layer.strides)
    else:
        return None
    if not isinstance(layer, layers.BatchNormalization) and module.bias is not None:
        module.bias.data = _tensor(torch, layer.bias)
    return module


def _call(torch: Any, keras: Any, owner: Any, layer: Any, inputs: list[Any]) -> Any:
    layers = keras.layers
    images = inputs[0]
    if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
        if layer.padding == "same":
            around = [
                _around(size, kernel, stride)
                for size, kernel, stride in zip(images.shape[2:], layer.kernel_size, layer.strides, strict=True)
            ]
            images = torch.nn.functional.pad(images, (*around[1], *around[0]))
        output = getattr(owner, layer.name)(images)
        return torch.relu(output) if layer.activation is keras.activations.relu else output
    if isinstance(layer, layers.Dense):
        output = getattr(owner, layer.name)(images)
        name = layer.activation.__name__
        return output if name == "linear" else torch.softmax(output, 1) if name == "softmax" else torch.relu(output)
    if isinstance(layer, layers.Add):
        return inputs[0] + inputs[1]
    if isinstance(layer, layers.GlobalAveragePooling2D):
        return images.mean(dim=(2, 3))
    if isinstance(layer, layers.Flatten):
        return images.permute(0, 2, 3, 1).flatten(1)
    return getattr(owner, layer.name)(images)


def _around(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the rows before and after that make ``same`` of TensorFlow."""
    missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return missing // 2, missing - missing // 2
