"""The same weights give the same activations and tags in Keras, in PyTorch and in ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.network import Network, import_keras
from filtag_kg.network.keras.named import build_model
from filtag_kg.network.torch.backend import import_torch
from tests.network.keras_to_torch import to_torch

pytest.importorskip("keras", reason="the cpu extra is not installed")
pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
pytest.importorskip("onnxscript", reason="it exports to ONNX")

RULES = (flt.Rule("k", 1), flt.Rule("q", 0.05))


def toy() -> Any:
    """A network with every trap: even sizes with stride 2, depthwise convolutions, forks, a flattened map."""
    keras = import_keras()
    layers = keras.layers
    image = keras.Input((34, 26, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(image)
    x = layers.ReLU(6, name="stem_relu")(layers.BatchNormalization(name="stem_bn")(x))
    y = layers.DepthwiseConv2D(5, strides=2, padding="same", use_bias=False, name="depthwise")(x)
    y = layers.ReLU(name="depthwise_relu")(layers.BatchNormalization(name="depthwise_bn")(y))
    z = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="left")(x)
    x = layers.Add(name="add")([layers.Conv2D(8, 1, name="right")(y), z])
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2D(12, 3, name="last")(x)
    x = layers.Dense(5, name="dense")(layers.Flatten(name="flat")(x))
    model = keras.Model(image, layers.Softmax(name="softmax")(x), name="toy")
    random = np.random.default_rng(0)
    model.set_weights(
        [random.normal(0, 0.4, weight.shape) ** (2 if "variance" in weight.path else 1) for weight in model.weights]
    )
    return model


def of_all_frameworks(model: Any, folder: Path, layers: str, **options: Any) -> dict[str, Network]:
    torch = import_torch()
    module = to_torch(model)
    height, width = model.input_shape[1:3]
    torch.onnx.export(
        module,
        (torch.zeros(2, 3, height, width),),
        folder / "model.onnx",
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        verbose=False,
    )
    return {
        "keras": flt.from_keras(model, layers=layers, **options),
        "torch": flt.from_torch(module, (height, width), layers=layers, **options),
        "onnx": flt.load_network(str(folder / "model.onnx"), layers=layers, **options),
    }


def compare(networks: dict[str, Network], n_classes: int, n_images: int) -> None:
    """Compare activations, scores and tags on smooth noise, each class with a colour of its own."""
    random = np.random.default_rng(1)
    height, width = networks["keras"].input_size
    labels = np.repeat(np.arange(n_classes), n_images)
    small = random.integers(0, 256, (len(labels), 6, 6, 3)) * random.uniform(0.3, 1, (n_classes, 1, 1, 3))[labels]
    pixels = np.kron(small, np.ones((1, -(-height // 6), -(-width // 6), 1)))[:, :height, :width].astype(np.uint8)
    outputs = {name: network.compute(pixels) for name, network in networks.items()}
    profiles = {
        name: flt.profile(network, (pixels, labels), options=flt.PassOptions(batch_size=8))
        for name, network in networks.items()
    }
    for other in ("torch", "onnx"):
        assert [layer.name for layer in networks[other].layers] == [layer.name for layer in networks["keras"].layers]
        assert [layer.kind for layer in networks[other].layers] == [layer.kind for layer in networks["keras"].layers]
        np.testing.assert_allclose(outputs[other].activations, outputs["keras"].activations, atol=1e-4)
        np.testing.assert_allclose(outputs[other].scores, outputs["keras"].scores, atol=1e-4)
        np.testing.assert_array_equal(outputs[other].constant, outputs["keras"].constant)
        np.testing.assert_allclose(profiles[other].mean, profiles["keras"].mean, atol=1e-4)
        ours, theirs = (tagged(profiles[name]) for name in ("keras", other))
        assert len(ours & theirs) >= 0.999 * len(ours | theirs)


def tagged(profile: flt.Profile) -> set[tuple[str, str, int, str]]:
    tags = flt.tag_filters(profile, RULES, network="net")
    return {
        (tags.rules[rule], tags.layer_names[layer], filter_, tags.class_ids[class_])
        for rule, layer, filter_, class_ in zip(
            tags.rule.tolist(), tags.layer.tolist(), tags.filter.tolist(), tags.class_.tolist(), strict=True
        )
    }


def test_a_network_with_every_trap(tmp_path: Path) -> None:
    compare(of_all_frameworks(toy(), tmp_path, "all", preprocess="0..1"), n_classes=5, n_images=8)


def test_efficientnet_lite0(tmp_path: Path) -> None:
    model = build_model("efficientnet-lite0", "imagenet")
    compare(of_all_frameworks(model, tmp_path, "conv", preprocess="efficientnet-lite0"), n_classes=3, n_images=3)


@pytest.mark.slow
def test_vgg16(tmp_path: Path) -> None:
    model = build_model("vgg16", None)
    compare(of_all_frameworks(model, tmp_path, "conv", preprocess="vgg16"), n_classes=4, n_images=4)
