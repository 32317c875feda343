"""Receptive fields: measured with passes alone, and the same as follow by hand from kernels, strides and padding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.network import Network, ReceptiveFields, import_keras, receptive_fields
from filtag_kg.network.torch.backend import import_torch

pytest.importorskip("keras", reason="the cpu extra is not installed")

SIDE = 40


def fields_of(network: Network) -> dict[str, ReceptiveFields]:
    pixels = np.random.default_rng(0).integers(0, 256, (4, *network.input_size, 3)).astype(np.uint8)
    fields = receptive_fields(network, network.map_reader(8), pixels, batch_size=8)
    return {layer.name: each for layer, each in zip(network.layers, fields, strict=True)}


class Axis:
    """The field of each place of an axis, by hand: every operation widens it by its kernel, in pixels of the input."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.fields = [(place, place + 1) for place in range(side)]

    def then(self, kernel: int, stride: int = 1, dilation: int = 1, padding: tuple[int, int] = (0, 0)) -> Axis:
        before, after = padding
        padded: list[tuple[int, int] | None] = [None] * before + list(self.fields) + [None] * after
        span = (kernel - 1) * dilation + 1
        widened = Axis(self.side)
        widened.fields = []
        for start in range(0, len(padded) - span + 1, stride):
            seen = [field for field in padded[start : start + span : dilation] if field is not None]
            widened.fields.append((min(begin for begin, _ in seen), max(end for _, end in seen)))
        return widened


def same(side: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """Return what TensorFlow pads for ``same``."""
    missing = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    return missing // 2, missing - missing // 2


def assert_fields(got: ReceptiveFields, rows: Axis, columns: Axis) -> None:
    for measured, axis in ((got.rows, rows), (got.columns, columns)):
        np.testing.assert_allclose(measured * axis.side, axis.fields, atol=1e-9)


def chain() -> Any:
    """A stride, a dilation, two kinds of pooling, and both ways to pad."""
    layers = import_keras().layers
    x = image = import_keras().Input((SIDE, SIDE - 6, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="stem")(x)
    x = layers.Conv2D(6, (3, 1), dilation_rate=(2, 1), name="dilated")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(6, (1, 3), padding="same", name="wide")(x)
    x = layers.AveragePooling2D(3, strides=1)(x)
    x = layers.Conv2D(6, 2, name="last")(x)
    return import_keras().Model(image, layers.Dense(4)(layers.Flatten()(x)))


def torch_chain() -> Any:
    """The same in PyTorch."""
    nn = import_torch().nn
    above_below, left_right = same(SIDE, 3, 2), same(SIDE - 6, 3, 2)
    module = nn.Sequential()
    module.add_module("pad", nn.ZeroPad2d((*left_right, *above_below)))
    module.add_module("stem", nn.Conv2d(3, 6, 3, stride=2))
    module.add_module("dilated", nn.Conv2d(6, 6, (3, 1), dilation=(2, 1)))
    module.add_module("pool", nn.MaxPool2d(2))
    module.add_module("wide", nn.Conv2d(6, 6, (1, 3), padding=(0, 1)))
    module.add_module("average", nn.AvgPool2d(3, stride=1))
    module.add_module("last", nn.Conv2d(6, 6, 2))
    module.add_module("mean", nn.AdaptiveAvgPool2d(1))
    module.add_module("flat", nn.Flatten())
    return module.eval()


def framed(framework: str, folder: Path) -> Network:
    if framework == "keras":
        return flt.from_keras(chain())
    pytest.importorskip("torch")
    module = torch_chain()
    if framework == "torch":
        return flt.from_torch(module, (SIDE, SIDE - 6))
    for package in ("onnxruntime", "onnxscript"):
        pytest.importorskip(package)
    torch = import_torch()
    path = folder / "chain.onnx"
    dynamic = ({0: torch.export.Dim.DYNAMIC},)
    image = torch.zeros(2, 3, SIDE, SIDE - 6)
    torch.onnx.export(module, (image,), path, dynamo=True, dynamic_shapes=dynamic, verbose=False)
    return flt.load_network(str(path), quiet=True)


@pytest.mark.parametrize("framework", ["keras", "torch", "onnx"])
def test_fields_are_those_that_follow_by_hand(framework: str, tmp_path: Path) -> None:
    network = framed(framework, tmp_path)
    got = fields_of(network)
    rows, columns = Axis(SIDE), Axis(SIDE - 6)
    rows, columns = rows.then(3, 2, 1, same(SIDE, 3, 2)), columns.then(3, 2, 1, same(SIDE - 6, 3, 2))
    assert_fields(got["stem"], rows, columns)
    rows = rows.then(3, 1, 2)
    assert_fields(got["dilated"], rows, columns)
    rows, columns = rows.then(2, 2), columns.then(2, 2)
    columns = columns.then(3, 1, 1, (1, 1))
    assert_fields(got["wide"], rows, columns)
    rows, columns = rows.then(3), columns.then(3)
    rows, columns = rows.then(2), columns.then(2)
    assert_fields(got["last"], rows, columns)


def test_behind_a_squeeze_and_excitation_every_place_sees_everything() -> None:
    layers = import_keras().layers
    x = image = import_keras().Input((SIDE, SIDE, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="stem")(x)
    gate = layers.Reshape((1, 1, 6))(layers.GlobalAveragePooling2D()(x))
    gate = layers.Conv2D(6, 1, activation="sigmoid", name="gate")(gate)
    x = layers.Conv2D(6, 1, name="gated")(layers.Multiply()([x, gate]))
    x = layers.Conv2D(6, 3, name="last")(x)
    model = import_keras().Model(image, layers.GlobalAveragePooling2D()(x))
    got = fields_of(flt.from_keras(model))
    assert (got["stem"].columns[20] * SIDE).tolist() == [19, 22]
    for name in ("gate", "gated", "last"):
        assert np.array_equal(got[name].rows, np.tile([0.0, 1.0], (len(got[name].rows), 1))), name
        assert got[name].of(0, 0) == (0, 0, 1, 1)


def test_the_branches_of_a_layer_are_seen_together() -> None:
    layers = import_keras().layers
    x = image = import_keras().Input((SIDE, SIDE, 3))
    near, far = layers.Conv2D(4, 1, name="near")(x), layers.Conv2D(4, 9, padding="same", name="far")(x)
    x = layers.Conv2D(6, 1, name="both")(layers.Concatenate()([near, far]))
    got = fields_of(flt.from_keras(import_keras().Model(image, layers.GlobalAveragePooling2D()(x))))
    assert_fields(got["near"], Axis(SIDE), Axis(SIDE))
    for name in ("far", "both"):
        assert_fields(got[name], Axis(SIDE).then(9, 1, 1, (4, 4)), Axis(SIDE).then(9, 1, 1, (4, 4)))


def test_a_map_without_padding_leaves_out_a_border() -> None:
    layers = import_keras().layers
    x = image = import_keras().Input((SIDE, SIDE, 3))
    padded = layers.Conv2D(4, 9, padding="same", name="padded")(x)
    x = layers.Conv2D(4, 9, name="valid")(padded)
    x = layers.Conv2D(4, 9, strides=3, name="strided")(x)
    got = fields_of(flt.from_keras(import_keras().Model(image, layers.GlobalAveragePooling2D()(x))))
    np.testing.assert_allclose(np.array(got["padded"].extent) * SIDE, [0, 0, SIDE, SIDE], atol=0.05)
    np.testing.assert_allclose(np.array(got["valid"].extent) * SIDE, [4, 4, SIDE - 4, SIDE - 4], atol=0.05)
    # 8 places, 3 pixels apart; the first has its middle at 8.5.
    np.testing.assert_allclose(np.array(got["strided"].extent) * SIDE, [7, 7, 31, 31], atol=0.05)


def test_where_nothing_is_reached_everything_may_be_seen() -> None:
    layers = import_keras().layers
    x = image = import_keras().Input((SIDE, SIDE, 3))
    dead = layers.Conv2D(
        4, 3, activation="relu", bias_initializer=import_keras().initializers.Constant(-1e6), name="dead"
    )
    got = fields_of(flt.from_keras(import_keras().Model(image, layers.GlobalAveragePooling2D()(dead(x)))))
    assert got["dead"].of(0, 3) == (0, 0, 1, 1)
