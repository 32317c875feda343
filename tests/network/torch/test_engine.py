"""What the pass in PyTorch computes."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from filtag_kg.network import from_torch
from tests.torch_network import activations_of, outputs_of, pixels_of, randomised


@pytest.fixture(scope="module")
def small(torch):
    nn = torch.nn
    relu = nn.ReLU(inplace=True)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), relu, nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8, affine=False), nn.SiLU(),
        nn.Conv2d(8, 5, 1), relu, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3), nn.Softmax(1),
    )  # fmt: skip
    return randomised(module)


@pytest.fixture(scope="module")
def expected(torch, small):
    pixels = pixels_of(7, 12)
    found, scores = outputs_of(small, pixels, ["1", "5", "7"])
    functional = torch.nn.functional
    maps = functional.relu(found["1"]), functional.silu(found["5"]), functional.relu(found["7"])
    return pixels, np.hstack([activations_of(each) for each in maps]), scores.numpy()


@pytest.mark.parametrize("batch_size", [1, 3, 7, 16])
def test_any_batch_size(small, expected, batch_size):
    pixels, activations, scores = expected
    run = from_torch(small, 12, preprocess="0..1", layers="all").compile(batch_size, scores=True)
    parts = [run(pixels[start : start + batch_size]) for start in range(0, 7, batch_size)]
    np.testing.assert_allclose(np.concatenate([part.activations for part in parts]), activations, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([part.scores for part in parts]), scores, atol=1e-6)
    assert not any(part.constant.any() for part in parts)
    assert {part.activations.dtype.name for part in parts} == {"float32"}


def test_without_scores_only_what_the_layers_need_is_computed(small, expected):
    pixels, activations, _ = expected
    network = from_torch(small, 12, preprocess="0..1", layers="0,4")
    run = network.compile(7)
    computed = run(pixels)
    np.testing.assert_allclose(computed.activations, activations[:, :16], atol=1e-5)
    assert computed.scores.shape == (7, 0)
    from filtag_kg.network.torch.engine import measuring

    module = measuring(network.engine.module, [layer.feature_map for layer in network.layers], None)
    assert sum("conv2d" in str(node.target) for node in module.graph.nodes) == 2


def test_scaling_of_pixels(torch, small):
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pixels = pixels_of(2, 12)
    network = from_torch(small, 12, mean=mean, std=std, colours="bgr")
    scaled = (torch.from_numpy(pixels[..., ::-1].copy()).float() / 255 - torch.tensor(mean)) / torch.tensor(std)
    with torch.no_grad():
        scores = small(scaled.permute(0, 3, 1, 2))
    np.testing.assert_allclose(network.compute(pixels).scores, scores, atol=1e-5)
    # Floating point pixels are the same, without rounding.
    np.testing.assert_allclose(network.compute(pixels.astype(np.float32)).scores, scores, atol=1e-5)


def test_a_module_for_one_number_of_images(torch, small, expected):
    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = small

        def forward(self, x):
            # The number of images is a constant of the graph.
            return self.inner(x).reshape(int(x.shape[0]), 3)

    pixels, activations, scores = expected
    network = from_torch(Fixed(), 12, preprocess="0..1", layers="all")
    for n_images in (1, 5, 7):
        computed = network.compute(pixels[:n_images])
        np.testing.assert_allclose(computed.activations, activations[:n_images], atol=1e-5)
        np.testing.assert_allclose(computed.scores, scores[:n_images], atol=1e-5)


def test_a_module_for_a_few_images_only(torch, small, expected):
    class Branching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = small

        def forward(self, x):
            return self.inner(x) if x.shape[0] < 6 else self.inner(x) * 0

    pixels, activations, scores = expected
    network = from_torch(Branching(), 12, preprocess="0..1", layers="all")
    computed = network.compute(pixels)
    np.testing.assert_allclose(computed.activations, activations, atol=1e-5)
    np.testing.assert_allclose(computed.scores, scores, atol=1e-5)


def test_one_image_is_not_squeezed_away(torch):
    class Squeezing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.c = torch.nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.c(x).mean((2, 3), keepdim=True).squeeze()

    computed = from_torch(Squeezing(), 8, preprocess="none").compute(pixels_of(1, 8))
    assert computed.scores.shape == (1, 4)


def test_constant_layers_and_numbers_that_are_not_finite(torch):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 1))
    for weight in module[0].parameters():
        torch.nn.init.zeros_(weight)
    computed = from_torch(module, 6, preprocess="none").compute(pixels_of(2, 6))
    # The second layer's filters have a number each.
    assert computed.constant.tolist() == [[True, False], [True, False]]
    assert (computed.activations[:, :4] == 0).all()
    torch.nn.init.constant_(module[0].weight, 3e38)
    assert not np.isfinite(from_torch(module, 6, preprocess="none").compute(pixels_of(2, 6)).activations).all()


def test_tensors_that_are_laid_out_by_hand(torch):
    """Channels last in memory must not change what a module computes with strides, and views that it changes."""

    class Strides(torch.nn.Module):
        def __init__(self, how):
            super().__init__()
            self.c, self.d, self.how = torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(4, 4, 1), how

        def forward(self, x):
            return self.d(self.how(self.c(x)).contiguous()).mean((2, 3))

    def changed_view(x):
        x.view(x.shape[0], -1)[:, :7].mul_(-2)
        return x

    def strided(x):
        return torch.as_strided(x, (x.shape[0], 4, 6, 6), (144, 36, 1, 6))

    def shuffled(x):
        return x.view(x.shape[0], 2, 2, 6, 6).transpose(1, 2).contiguous().view(x.shape[0], -1, 6, 6)

    for how in (changed_view, strided, shuffled):
        module = randomised(Strides(how))
        pixels = pixels_of(3, 8)
        found, scores = outputs_of(module, pixels, ["c", "d"])
        computed = from_torch(module, 8, preprocess="0..1").compute(pixels)
        np.testing.assert_allclose(computed.scores, scores, atol=1e-5, err_msg=how.__name__)
        np.testing.assert_allclose(computed.activations[:, 4:], activations_of(found["d"]), atol=1e-5)


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 0.03), ("float16", 0.005)])
def test_half_precision(small, expected, precision, tolerance):
    pixels, activations, scores = expected
    network = from_torch(small, 12, preprocess="0..1", layers="all", precision=precision)
    computed = network.compute(pixels)
    assert network.precision == precision
    assert computed.activations.dtype == computed.scores.dtype == np.float32
    assert 0 < np.abs(computed.activations - activations).max() < tolerance
    np.testing.assert_allclose(computed.scores, scores, atol=tolerance)
    np.testing.assert_allclose(computed.scores.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_module_in_another_precision_is_computed_in_float32(torch, small, expected, dtype):
    import copy

    module = copy.deepcopy(small).to(getattr(torch, dtype))
    pixels, activations, _ = expected
    computed = from_torch(module, 12, preprocess="0..1", layers="all").compute(pixels)
    np.testing.assert_allclose(computed.activations, activations, atol={"bfloat16": 0.02}.get(dtype, 2e-3))


def test_grey_images(torch):
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3))
    pixels = pixels_of(3, 8, channels=1)
    found, scores = outputs_of(module, pixels, ["0"])
    computed = from_torch(module, 8, channels=1, preprocess="0..1").compute(pixels)
    np.testing.assert_allclose(computed.activations, activations_of(found["0"].relu()), atol=1e-5)
    np.testing.assert_allclose(computed.scores, scores, atol=1e-5)


def test_versions(torch, small):
    versions = from_torch(small, 12, preprocess="none", device="cpu").engine.versions()
    assert versions == {"backend": "torch", "device": "cpu", "torch": version("torch")}
