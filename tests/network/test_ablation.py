"""Networks without some of their filters: the same numbers as a module whose feature maps are overwritten by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, import_keras
from filtag_kg.network.keras.named import build_model
from filtag_kg.network.torch.ablation import SplitGraph
from filtag_kg.network.torch.backend import import_torch
from tests.network.keras_to_torch import to_torch
from tests.network.test_frameworks import toy
from tests.torch_network import pixels_of, randomised

pytest.importorskip("keras", reason="the cpu extra is not installed")
pytest.importorskip("torch", reason="the torch extra is not installed")

FRAMEWORKS = ("keras", "torch")


def ablated_by_hand(module: Any, pixels: Any, maps: dict[str, tuple[Any, Any]]) -> Any:
    """Scores of a torch module for pixels in [0, 1] where the outputs of submodules are overwritten.

    `maps` has, for each path, which channels stay and what the others become.
    """
    torch = import_torch()

    def overwrite(kept: Any, values: Any) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> Any:
            output = output.clone()
            for channel in np.flatnonzero(~kept):
                output[:, channel] = float(values[channel])
            return output

        return hook

    hooks = [module.get_submodule(path).register_forward_hook(overwrite(*each)) for path, each in maps.items()]
    with torch.no_grad():
        scores = module(torch.from_numpy(pixels).float().div(255).permute(0, 3, 1, 2).contiguous())
    for hook in hooks:
        hook.remove()
    return scores.numpy()


def smooth_pixels(n_images: int, height: int, width: int) -> Any:
    small = np.random.default_rng(3).integers(0, 256, (n_images, 5, 5, 3))
    return np.kron(small, np.ones((1, -(-height // 5), -(-width // 5), 1)))[:, :height, :width].astype(np.uint8)


def random_sets(network: Network, layers: list[str], n_sets: int) -> tuple[list[Any], Any, Any, dict[str, Any]]:
    """Chosen layers, sets of filters that stay, values for the others, and both by layer for each set."""
    random = np.random.default_rng(5)
    chosen = [layer for layer in network.layers if layer.name in layers]
    n_filters = sum(layer.n_filters for layer in chosen)
    kept = random.random((n_sets, n_filters)) < np.linspace(1, 0, n_sets)[:, None]
    values = random.uniform(0, 2, n_filters).astype(np.float32)
    ends = np.cumsum([layer.n_filters for layer in chosen])
    columns = {layer.name: slice(end - layer.n_filters, end) for layer, end in zip(chosen, ends, strict=True)}
    return chosen, kept, values, columns


def loaded(framework: str, model: Any, **options: Any) -> Network:
    if framework == "keras":
        return flt.from_keras(model, preprocess="0..1", **options)
    return flt.from_torch(to_torch(model), model.input_shape[1:3], preprocess="0..1", **options)


# Of each layer, the module whose output its feature maps are, but for a function that leaves numbers above 0 alone.
MAP_OF = {
    "stem": "stem_relu",
    "depthwise": "depthwise_relu",
    "left": "left",
    "right": "right",
    "last": "last",
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("layers", [list(MAP_OF), ["left", "depthwise"], ["last"], ["right"]])
def test_any_layers_of_a_network_with_every_trap(framework: str, layers: list[str]) -> None:
    model = toy()
    network = loaded(framework, model, layers="all")
    pixels = smooth_pixels(7, 34, 26)
    chosen, kept, values, columns = random_sets(network, layers, 4)
    ablatable = network.ablatable(chosen, 3)
    module = to_torch(model)
    expected = [
        ablated_by_hand(
            module, pixels, {MAP_OF[name]: (one_set[column], values[column]) for name, column in columns.items()}
        )
        for one_set in kept
    ]
    parts = [ablatable.ablated(pixels[start : start + 3], kept, values) for start in (0, 3, 6)]
    scores = np.concatenate(parts, axis=1)
    assert scores.shape == (4, 7, 5)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    # The first set takes nothing out, the last all.
    np.testing.assert_allclose(scores[0], network.compute(pixels).scores, atol=1e-5)
    assert np.abs(scores[0] - scores[1:]).max(axis=(1, 2)).min() > 1e-3
    assert np.ptp(scores[-1], axis=0).max() < (1e-5 if layers == ["last"] else 1)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_feature_maps_are_measured_in_their_own_units(framework: str) -> None:
    model = toy()
    keras = import_keras()
    network = loaded(framework, model, layers="all")
    names = [layer.name for layer in network.layers]
    pixels = smooth_pixels(5, 34, 26)
    layers = [model.get_layer({"stem": "stem_relu", "depthwise": "depthwise_relu"}.get(name, name)) for name in names]
    maps = keras.Model(model.inputs[0], [layer.output for layer in layers]).predict(pixels / 255, verbose=0)
    scores, means = network.ablatable(network.layers, 4).measured(pixels[:4])
    np.testing.assert_allclose(means, np.hstack([one[:4].mean(axis=(1, 2)) for one in maps]), atol=1e-4)
    np.testing.assert_allclose(scores, network.compute(pixels[:4]).scores, atol=1e-5)
    assert means.min() < 0 < means.max()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_many_sets_need_one_compilation(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = loaded(framework, toy(), layers="last")
    pixels = smooth_pixels(6, 34, 26)
    ablatable = network.ablatable(network.layers, 2)
    traced = []
    if framework == "keras":
        operation = network.engine.model.get_layer("pool")  # type: ignore[attr-defined]
        call = type(operation).call
        monkeypatch.setattr(type(operation), "call", lambda *a, **k: traced.append(1) or call(*a, **k))
    for n_sets in (1, 5, 40):
        for start in (0, 2, 4):
            ablatable.ablated(pixels[start : start + 2], np.zeros((n_sets, 12), bool), np.zeros(12, np.float32))
    assert len(traced) == (framework == "keras")


def test_against_numpy() -> None:
    """Two convolutions of one pixel, with batch normalisation and an activation, written out in NumPy."""
    keras = import_keras()
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((4, 4, 3)),
        layers.Conv2D(6, 1, use_bias=False, name="first"), layers.BatchNormalization(name="norm"), layers.ReLU(),
        layers.Conv2D(5, 1, activation="relu", name="second"),
        layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax", name="classes"),
    ])  # fmt: skip
    random = np.random.default_rng(0)
    model.set_weights(
        [random.uniform(0.5, 1.5, w.shape) if "var" in w.path else random.normal(size=w.shape) for w in model.weights]
    )
    pixels = random.integers(0, 256, (4, 4, 4, 3), dtype=np.uint8)
    kernel, gamma, beta, mean, variance, second, bias, dense, dense_bias = (
        w.astype(np.float64) for w in model.get_weights()
    )
    kept = np.array([True, False, True, True, False, True, True, True, False, True, True])
    values = random.normal(size=11)
    x = pixels / 255 @ kernel[0, 0]
    first = np.maximum((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)
    x = np.where(kept[:6], first, values[:6])
    x = np.where(kept[6:], np.maximum(x @ second[0, 0] + bias, 0), values[6:])
    logits = x.mean(axis=(1, 2)) @ dense + dense_bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for framework in FRAMEWORKS:
        functional = keras.Model(model.inputs[0], model.outputs[0])
        network = loaded(framework, functional)
        ablatable = network.ablatable(network.layers, 8)
        scores = ablatable.ablated(pixels, kept[None], values.astype(np.float32))
        np.testing.assert_allclose(scores[0], expected, atol=1e-5)
        _, means = ablatable.measured(pixels)
        np.testing.assert_allclose(means[:, :6], first.mean(axis=(1, 2)), atol=1e-4)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_is_replaced_may_be_infinite(framework: str) -> None:
    model = toy()
    layer = model.get_layer("right")
    kernel, bias = layer.get_weights()
    bias[2] = np.inf
    layer.set_weights([kernel, bias])
    if framework == "torch":
        # from_torch refuses weights that are not finite; these overflow.
        kernel[..., 3], bias[2] = 3e38, 0
        layer.set_weights([kernel, bias])
    network = loaded(framework, model)
    right = [layer for layer in network.layers if layer.name == "right"]
    pixels = smooth_pixels(2, 34, 26)
    kept = np.ones((2, 8), dtype=bool)
    kept[1, [2, 3]] = False
    scores = network.ablatable(right, 2).ablated(pixels, kept, np.zeros(8, np.float32))
    assert np.isfinite(scores[1]).all()
    assert not np.isfinite(scores[0]).all()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_half_precision(framework: str) -> None:
    full, half = (loaded(framework, toy(), precision=precision) for precision in ("float32", "bfloat16"))
    pixels = smooth_pixels(4, 34, 26)
    chosen, kept, values, _ = random_sets(full, ["stem", "right"], 3)
    expected = full.ablatable(chosen, 4).ablated(pixels, kept, values)
    scores = half.ablatable([layer for layer in half.layers if layer.name in ("stem", "right")], 4)
    found = scores.ablated(pixels, kept, values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.1)
    _, means = scores.measured(pixels)
    np.testing.assert_allclose(means, full.ablatable(chosen, 4).measured(pixels)[1], rtol=0.1, atol=0.05)


def test_channels_first_in_keras() -> None:
    keras = import_keras()
    layers = keras.layers
    image = keras.Input((3, 8, 8))
    x = layers.Conv2D(4, 3, data_format="channels_first", name="first")(image)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.Conv2D(4, 3, data_format="channels_first", name="second")(x)
    x = layers.GlobalAveragePooling2D(data_format="channels_first")(x)
    network = flt.from_keras(keras.Model(image, layers.Dense(3)(x)), preprocess="0..1")
    pixels = pixels_of(3, 8)
    kept = np.array([[False] * 4 + [True] * 4, [True] * 4 + [False] * 4])
    scores = network.ablatable(network.layers, 3).ablated(pixels, kept, np.zeros(8, np.float32))
    # Without its filters, a layer passes nothing of the image on.
    assert np.ptp(scores, axis=1).max() < 1e-6
    assert np.ptp(network.compute(pixels).scores, axis=0).max() > 1e-3


def test_one_activation_layer_at_several_places() -> None:
    keras = import_keras()
    layers = keras.layers
    relu = layers.ReLU(name="shared")
    image = keras.Input((8, 8, 3))
    x = relu(layers.Conv2D(4, 3, name="first")(image))
    y = relu(layers.Conv2D(4, 3, name="second")(x))
    pooled = layers.GlobalAveragePooling2D()(y)
    network = flt.from_keras(keras.Model(image, layers.Dense(3)(pooled)), preprocess="0..1", layers="first")
    pixels = pixels_of(3, 8)
    ablatable = network.ablatable(network.layers, 3)
    scores = ablatable.ablated(pixels, np.array([[True] * 4, [False] * 4]), np.zeros(4, np.float32))
    np.testing.assert_allclose(scores[0], network.compute(pixels).scores, atol=1e-5)
    assert np.ptp(scores[1], axis=0).max() < 1e-6


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_chosen_output(framework: str) -> None:
    keras, torch = import_keras(), import_torch()
    pixels = pixels_of(3, 8)
    if framework == "keras":
        layers = keras.layers
        image = keras.Input((8, 8, 3))
        stem = layers.Conv2D(4, 3, activation="relu", name="stem")(image)
        pooled = layers.GlobalAveragePooling2D()(stem)
        other = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="side")(image))
        outputs = [layers.Dense(2, name="a")(pooled), layers.Dense(3, name="b")(other)]
        networks = {
            name: flt.from_keras(keras.Model(image, outputs), preprocess="0..1", layers="stem", output_name=name)
            for name in ("a", "b")
        }
    else:

        class Two(torch.nn.Module):  # type: ignore[name-defined,misc]
            def __init__(self) -> None:
                super().__init__()
                self.stem, self.side = torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(3, 4, 3)
                self.a, self.b = torch.nn.Linear(4, 2), torch.nn.Linear(4, 3)

            def forward(self, x: Any) -> Any:
                stem = torch.relu_(self.stem(x))
                return {"a": self.a(stem.mean((2, 3))), "b": self.b(self.side(x).mean((2, 3)))}

        networks = {
            name: flt.from_torch(Two(), 8, preprocess="0..1", layers="stem", output_name=name) for name in ("a", "b")
        }
    for name, network in networks.items():
        ablatable = network.ablatable(network.layers, 3)
        scores = ablatable.ablated(pixels, np.array([[True] * 4, [False] * 4]), np.zeros(4, np.float32))
        own = network.compute(pixels).scores
        np.testing.assert_allclose(scores[0], own, atol=1e-5)
        # Output b does not depend on the layer.
        assert (np.abs(scores[1] - own).max() < 1e-5) == (name == "b")


@pytest.mark.parametrize("kind", ["skip", "image", "view"])
def test_what_pytorch_changes_in_place_is_computed_anew(kind: str) -> None:
    torch = import_torch()

    class Changing(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.block = torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.Conv2d(6, 6, 3, padding=1)
            self.norm = torch.nn.BatchNorm2d(6)
            self.relu = torch.nn.ReLU(inplace=True)
            self.head = torch.nn.Linear(6, 4)

        def forward(self, x: Any) -> Any:
            skip = self.stem(x)
            out = self.relu(self.norm(self.block(skip)))
            if kind == "skip":
                # The sum of several runs, if it were not computed anew.
                skip += out
                out = skip
            elif kind == "view":
                skip[:, :3] += out[:, :3]
                out = out + skip
            else:
                x += out.mean(1, keepdim=True)
                out = out + self.stem(x)
            return self.head(self.relu(out).mean((2, 3)))

    module = randomised(Changing())
    network = flt.from_torch(module, 10, preprocess="0..1", layers="block")
    pixels = pixels_of(9, 10)
    _, kept, values, _ = random_sets(network, ["block"], 5)
    ablatable = network.ablatable(network.layers, 9)
    scores = ablatable.ablated(pixels, kept, values)
    assert not any("conv" in str(node.target) for node in ablatable.split.begin.graph.nodes)  # type: ignore[attr-defined]
    expected = [_with_relu(module, pixels, one_set, values) for one_set in kept]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def _with_relu(module: Any, pixels: Any, kept: Any, values: Any) -> Any:
    """The shared activation is called twice: its first call is the feature map."""
    torch = import_torch()
    calls = []

    def hook(_module: Any, _inputs: Any, output: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            return None
        output = output.clone()
        output[:, ~torch.from_numpy(kept)] = torch.from_numpy(values[~kept])[:, None, None]
        return output

    handle = module.relu.register_forward_hook(hook)
    with torch.no_grad():
        scores = module(torch.from_numpy(pixels).float().div(255).permute(0, 3, 1, 2).contiguous())
    handle.remove()
    return scores.numpy()


def test_what_comes_before_is_computed_once() -> None:
    network = loaded("torch", toy(), layers="last")
    split: SplitGraph = network.ablatable(network.layers, 4).split  # type: ignore[attr-defined]
    convolutions = [sum("conv" in str(node.target) for node in part.graph.nodes) for part in (split.begin, split.end)]
    assert convolutions == [5, 0]
    keras_network = loaded("keras", toy(), layers="last")
    before, after, crossing = keras_network.ablatable(keras_network.layers, 4)._parts  # type: ignore[attr-defined]
    assert [node.operation.name for node in after] == ["flat", "dense", "softmax"]
    assert len(before) == 11
    assert len(crossing) == 1


def test_onnx_says_why_not(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
    torch = import_torch()
    path = tmp_path / "small.onnx"
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    torch.onnx.export(module, (torch.zeros(1, 3, 8, 8),), path, dynamo=True, verbose=False)
    network = flt.load_network(path, quiet=True)
    with pytest.raises(FiltagError) as error:
        network.ablatable(network.layers, 4)
    assert str(error.value) == (
        f"{path} runs in onnxruntime, which computes a network as a whole, so no filter can be taken out: ablate the "
        "Keras or PyTorch network that it was exported from"
    )


@pytest.mark.slow
def test_efficientnet_lite0_in_both_frameworks() -> None:
    model = build_model("efficientnet-lite0", "imagenet")
    keras_network = flt.from_keras(model, preprocess="efficientnet-lite0")
    torch_network = flt.from_torch(to_torch(model), 224, preprocess="efficientnet-lite0")
    pixels = smooth_pixels(3, 224, 224)
    late = [layer.name for layer in keras_network.layers[-6:-1]]
    chosen, kept, values, _ = random_sets(keras_network, late, 3)
    theirs = [layer for layer in torch_network.layers if layer.name in late]
    scores = keras_network.ablatable(chosen, 3).ablated(pixels, kept, values)
    np.testing.assert_allclose(torch_network.ablatable(theirs, 3).ablated(pixels, kept, values), scores, atol=1e-4)
    np.testing.assert_allclose(scores[0], keras_network.compute(pixels).scores, atol=1e-5)
    assert np.abs(scores[1:] - scores[0]).max() > 0.01
