"""Networks as torch's two exporters write them, against the modules that they were."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.network import load_network
from tests.network.onnx.graphs import plain_activations, random_pixels

torch = pytest.importorskip("torch")
nn = torch.nn

ACTIVATIONS = {
    "relu6": lambda: nn.ReLU6(),
    "silu": lambda: nn.SiLU(),
    "hard_silu": lambda: nn.Hardswish(),
    "gelu": lambda: nn.GELU(),
    "mish": lambda: nn.Mish(),
    "prelu": lambda: nn.PReLU(6),
    "leakyrelu": lambda: nn.LeakyReLU(0.1),
    "elu": lambda: nn.ELU(),
}


def block(name: str, *, bias: bool):
    convolution = nn.Conv2d(6, 6, 3, padding=1, bias=bias)
    return nn.Sequential(convolution, nn.BatchNorm2d(6), ACTIVATIONS[name]())


class Gate(nn.Module):
    """Squeeze-and-excitation."""

    def __init__(self):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)

    def forward(self, x):
        squeezed = torch.nn.functional.silu(self.reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.expand(squeezed))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2)
        self.blocks = nn.ModuleList(block(name, bias=i % 2 > 0) for i, name in enumerate(ACTIVATIONS))
        self.gate = Gate()
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.stem(x)
        for each in self.blocks:
            x = x + each(x)
        return self.fc(self.gate(x).mean((2, 3))).softmax(1)


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    made = Net().eval()
    for each in made.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.running_mean.normal_(0, 0.3)
            each.running_var.uniform_(0.5, 2)
    return made


def check(path: str) -> None:
    network = load_network(path, preprocess="0..1")
    functions = {layer.name: layer.taken_after for layer in network.layers}
    assert functions == {
        "stem": "Conv2D",
        **{f"blocks.{i}.0": f"Conv2D → {name}" for i, name in enumerate(ACTIVATIONS)},
        "gate.reduce": "Conv2D → silu",
        "gate.expand": "Conv2D → sigmoid",
    }
    assert (network.output.outputs, network.output.size) == ("softmax", 3)
    pixels = random_pixels(3, (17, 15))
    ready = pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255
    expected = plain_activations(path, [layer.feature_map for layer in network.layers], ready)
    np.testing.assert_allclose(network.compute(pixels).activations, expected, atol=1e-5)


@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_exporter_that_traces(module, tmp_path, opset):
    path = str(tmp_path / "traced.onnx")
    torch.onnx.export(
        module, (torch.rand(1, 3, 17, 15),), path, dynamo=False, opset_version=opset, input_names=["image"]
    )
    check(path)


def test_the_exporter_of_graphs(module, tmp_path):
    pytest.importorskip("onnxscript")
    path = str(tmp_path / "exported.onnx")
    shapes = ({0: torch.export.Dim("batch")},)
    example = (torch.rand(2, 3, 17, 15),)
    torch.onnx.export(module, example, path, dynamo=True, dynamic_shapes=shapes, input_names=["image"], verbose=False)
    check(path)
