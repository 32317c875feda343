"""Pictures of filters in PyTorch are those of Keras; of ONNX there are none; grey networks have grey pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.explain import FilterPicture, visualize
from filtag_kg.kg import VISUALIZATION_METHODS
from filtag_kg.network import Network, import_keras
from filtag_kg.network.torch.backend import import_torch
from tests.network.keras_to_torch import to_torch

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
pytest.importorskip("torch", reason="the torch extra is not installed")

SIDE = 20


def model(channels: int = 3) -> Any:
    layers = import_keras().layers
    image = keras.Input((SIDE, SIDE, channels))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(image)
    x = layers.Conv2D(5, 3, use_bias=False, name="second")(x)
    x = layers.ReLU(6, name="second_relu")(layers.BatchNormalization(name="second_bn")(x))
    x = layers.BatchNormalization(name="third_bn")(layers.Conv2D(3, 3, name="third")(x))
    made = keras.Model(image, layers.Dense(2, name="scores")(layers.GlobalAveragePooling2D(name="pool")(x)))
    random = np.random.default_rng(0)
    made.set_weights(
        [random.normal(0, 0.3, weight.shape) ** (2 if "variance" in weight.path else 1) for weight in made.weights]
    )
    return made


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    of_keras = model()
    options = {"mean": (0.4, 0.5, 0.6), "std": (0.25,), "colours": "bgr"}
    return {
        "keras": flt.from_keras(of_keras, **options),
        "torch": flt.from_torch(to_torch(of_keras), SIDE, **options),
    }


def picture(network: Network, layer: str, method: str) -> FilterPicture:
    (made,) = visualize(network, layer, [1], methods=[method], steps=6)
    return made


@pytest.mark.parametrize("method", VISUALIZATION_METHODS)
@pytest.mark.parametrize("layer", ["first", "second", "third"])
def test_pytorch_makes_the_pictures_of_keras(networks: dict[str, Network], layer: str, method: str) -> None:
    ours, theirs = (picture(network, layer, method) for network in networks.values())
    assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 2
    np.testing.assert_allclose((theirs.activation, theirs.grey), (ours.activation, ours.grey), rtol=1e-2, atol=1e-4)


def test_an_activation_in_place_is_looked_behind() -> None:
    torch = import_torch()
    nn = torch.nn
    torch.manual_seed(0)

    class InPlace(nn.Module):
        def __init__(self, inplace: bool) -> None:
            super().__init__()
            self.conv, self.relu, self.last = nn.Conv2d(3, 4, 3), nn.ReLU(inplace), nn.Linear(4, 2)

        def forward(self, images: Any) -> Any:
            return self.last(self.relu(self.conv(images)).mean((2, 3)))

    one, other = InPlace(True), InPlace(False)
    other.load_state_dict(one.state_dict())
    made = [
        picture(flt.from_torch(each, SIDE, preprocess="0..1"), "conv", VISUALIZATION_METHODS[0])
        for each in (one, other)
    ]
    np.testing.assert_array_equal(made[0].pixels, made[1].pixels)
    # A filter that answers nowhere finds its way all the same.
    with torch.no_grad():
        one.conv.bias.fill_(-3)
    (silent,) = visualize(
        flt.from_torch(one, SIDE, preprocess="0..1"), "conv", [0], methods=VISUALIZATION_METHODS[:1], steps=3
    )
    assert silent.grey == 0
    assert silent.pixels.std() > 10


@pytest.mark.parametrize("framework", ["keras", "torch"])
@pytest.mark.parametrize("method", VISUALIZATION_METHODS)
def test_a_grey_network_has_grey_pictures(framework: str, method: str) -> None:
    of_keras = model(1)
    network = (
        flt.from_keras(of_keras, preprocess="0..1")
        if framework == "keras"
        else flt.from_torch(to_torch(of_keras), SIDE, channels=1, preprocess="0..1")
    )
    made = picture(network, "second", method)
    assert made.pixels.shape == (SIDE, SIDE, 1)
    assert made.pixels.std() > 1


def test_no_picture_shows_six_channels() -> None:
    network = flt.from_keras(model(6), name="satellite", preprocess="0..1")
    with pytest.raises(flt.FiltagError) as error:
        picture(network, "first", VISUALIZATION_METHODS[0])
    assert str(error.value) == "satellite takes 6 channels, which no picture shows: visualize needs 1 or 3"


def test_onnx_has_no_gradients(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
    pytest.importorskip("onnxscript", reason="it exports to ONNX")
    torch = import_torch()
    path = tmp_path / "model.onnx"
    torch.onnx.export(to_torch(model()), (torch.zeros(1, 3, SIDE, SIDE),), path, dynamo=True, verbose=False)
    network = flt.load_network(str(path), preprocess="0..1")
    with pytest.raises(flt.FiltagError) as error:
        picture(network, "first", VISUALIZATION_METHODS[0])
    assert str(error.value) == (
        f"{path} runs in onnxruntime, which computes no gradients, and pictures of what a filter looks for need them: "
        "visualize the Keras or PyTorch network that it was exported from"
    )
