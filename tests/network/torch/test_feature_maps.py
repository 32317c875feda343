"""Which operations belong to a filter, however a module writes them."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.network import from_torch
from tests.torch_network import activations_of, pixels_of

SIZE = 9


@pytest.fixture(scope="module")
def modules(torch):  # noqa: C901 - many small ones
    """Modules by name: one convolution `c` (and sometimes more), then something, then a mean and a dense layer."""
    nn, functional = torch.nn, torch.nn.functional

    class Then(nn.Module):
        def __init__(self, then, **parts):
            super().__init__()
            self.c = nn.Conv2d(3, 6, 3)
            self.b = nn.BatchNorm2d(6)
            self.act = nn.ReLU(inplace=True)
            self.fc = nn.Linear(6, 2)
            for name, part in parts.items():
                setattr(self, name, part)
            self.then = then

        def forward(self, x):
            return self.fc(self.then(self, self.c(x)).mean((2, 3)))

    def squeeze(self, x):
        return x * torch.sigmoid(self.se(x.mean((2, 3), keepdim=True)))

    def in_place_fork(self, x):
        # The tensor that is added is the one that was changed.
        functional.relu_(x)
        return x + self.se(x)

    def shared(self, x):
        return self.act(self.d(self.act(self.b(x))))

    def written_gelu(_self, x):
        return 0.5 * x * (1 + torch.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    def without_gradient(self, x):
        with torch.no_grad():
            x = self.b(x)
        with torch.autocast("cpu", enabled=False):
            return torch.relu(x.float())

    def frozen():
        from torchvision.ops import FrozenBatchNorm2d

        norm = FrozenBatchNorm2d(6)
        norm.weight.uniform_(0.5, 1.5)
        norm.running_mean.normal_()
        return norm

    built = {
        "relu": Then(lambda s, x: s.act(s.b(x))),
        "relu6": Then(lambda s, x: functional.relu6(s.b(x))),
        "hardtanh as relu6": Then(lambda s, x: functional.hardtanh(x, 0.0, 6.0, inplace=True)),
        "clamp": Then(lambda s, x: x.clamp(min=0)),
        "activation first": Then(lambda s, x: s.b(s.act(x))),
        "norm alone": Then(lambda s, x: s.b(x) + s.c.weight.sum()),
        "silu by hand": Then(lambda s, x: x * torch.sigmoid(x)),
        "hard swish by hand": Then(lambda s, x: s.b(x).mul(functional.relu6(x.shape[0] * 0 + s.b(x) + 3)) / 6),
        "hard swish": Then(lambda s, x: (y := s.b(x)) * functional.relu6(y + 3) / 6),
        "mish by hand": Then(lambda s, x: x * torch.tanh(functional.softplus(x))),
        "gelu by hand": Then(written_gelu),
        "softsign": Then(lambda s, x: functional.softsign(s.b(x))),
        "prelu": Then(lambda s, x: s.p(x), p=nn.PReLU(6)),
        "leaky, elu": Then(lambda s, x: functional.elu(functional.leaky_relu(s.b(x)))),
        "squeeze-and-excitation": Then(squeeze, se=nn.Conv2d(6, 6, 1)),
        "residual": Then(lambda s, x: s.act(s.b(x) + s.d(x)), d=nn.Conv2d(6, 6, 1)),
        "pooled": Then(lambda s, x: s.act(functional.max_pool2d(s.b(x), 2))),
        "dropout": Then(lambda s, x: s.act(functional.dropout(x, training=s.training))),
        "in place, then forked": Then(in_place_fork, se=nn.Conv2d(6, 6, 1)),
        "shared activation": Then(shared, d=nn.Conv2d(6, 6, 1)),
        "scaled and added": Then(lambda s, x: x * 0.17 + s.d(x), d=nn.Conv2d(6, 6, 1)),
        "scaled, then activated": Then(lambda s, x: functional.relu(x * 0.17)),
        "layer scale": Then(lambda s, x: x * s.gamma + 1, gamma=nn.Parameter(torch.rand(6, 1, 1))),
        "frozen": Then(lambda s, x: s.f(x), f=frozen()),
        "frozen and activated": Then(lambda s, x: s.act(s.f(x)), f=frozen()),
        "group norm": Then(lambda s, x: s.act(s.g(x)), g=nn.GroupNorm(2, 6)),
        "without gradient": Then(without_gradient),
        "two activations": Then(lambda s, x: torch.tanh(torch.relu(x))),
    }
    for module in built.values():
        module.b.running_mean.normal_(0, 0.3)
        module.b.running_var.uniform_(0.5, 2)
    return built


CB, CBR = "Conv2D → BatchNormalization", "Conv2D → BatchNormalization → relu"


@pytest.mark.parametrize(
    ("name", "chain"),
    [
        ("relu", CBR),
        ("relu6", "Conv2D → BatchNormalization → relu6"),
        ("hardtanh as relu6", "Conv2D → relu6"),
        ("clamp", "Conv2D → relu"),
        ("activation first", "Conv2D → relu → BatchNormalization"),
        ("norm alone", CB),
        ("silu by hand", "Conv2D → silu"),
        # Normalised twice.
        ("hard swish by hand", "Conv2D"),
        ("hard swish", "Conv2D → BatchNormalization → hard_silu"),
        ("mish by hand", "Conv2D → mish"),
        ("gelu by hand", "Conv2D → gelu"),
        ("softsign", "Conv2D → BatchNormalization → softsign"),
        ("prelu", "Conv2D → prelu"),
        ("leaky, elu", "Conv2D → BatchNormalization → leakyrelu"),
        ("squeeze-and-excitation", "Conv2D"),
        ("residual", "Conv2D"),
        ("pooled", CB),
        ("dropout", "Conv2D"),
        ("in place, then forked", "Conv2D → relu"),
        ("shared activation", CBR),
        ("scaled and added", "Conv2D"),
        ("scaled, then activated", "Conv2D → relu"),
        ("layer scale", "Conv2D"),
        ("frozen", CB),
        ("frozen and activated", CBR),
        ("group norm", "Conv2D"),
        ("without gradient", CBR),
        ("two activations", "Conv2D → relu"),
    ],
)
def test_chains(torch, modules, name, chain):
    module = modules[name].eval()
    network = from_torch(module, SIZE, preprocess="0..1")
    layer = network.layers[0]
    assert (layer.name, layer.taken_after) == ("c", chain)

    # The chain by hand, and the network itself.
    pixels = pixels_of(4, SIZE)
    images = torch.from_numpy(pixels).float().div(255).permute(0, 3, 1, 2)
    functions = {"hard_silu": "hardswish", "leakyrelu": "leaky_relu"}
    with torch.no_grad():
        maps = module.c(images)
        for step in layer.chain[1:]:
            if step == "BatchNormalization":
                maps = (module.f if "frozen" in name else module.b)(maps)
            elif step == "prelu":
                maps = module.p(maps)
            elif step == "gelu":
                maps = torch.nn.functional.gelu(maps, approximate="tanh")
            else:
                maps = getattr(torch.nn.functional, functions.get(step, step))(maps)
        scores = module(images)
    computed = network.compute(pixels)
    np.testing.assert_allclose(computed.activations[:, :6], activations_of(maps), atol=1e-5)
    np.testing.assert_allclose(computed.scores, scores, atol=1e-5)


def test_names(torch):
    from torch.nn.utils import prune

    nn, functional = torch.nn, torch.nn.functional

    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = functional.batch_norm(self.weight.reshape(1, 4, -1), None, None, training=True, momentum=0.0)
            return self._conv_forward(x, weight.reshape_as(self.weight), self.bias)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = nn.Parameter(torch.randn(4, 3, 3, 3))
            self.weight = nn.Parameter(torch.randn(4, 4, 1, 1))
            self.deep = nn.ModuleDict({"a": nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))})
            self.standard = Standardised(4, 4, 1)
            self.normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1))
            self.pruned = prune.random_unstructured(nn.Conv2d(4, 4, 1), "weight", 0.5)
            self.split = nn.Conv2d(4, 8, 3, groups=4)
            self.up = nn.ConvTranspose2d(8, 2, 2)

        def forward(self, x):
            x = functional.conv2d(functional.conv2d(x, self.kernel), self.weight)
            x = torch.relu(self.standard(self.deep["a"](x)))
            return self.up(self.split(self.pruned(self.normed(x)))).mean((2, 3))

    network = from_torch(Net(), 16, preprocess="none", layers="all")
    assert [(layer.name, layer.kind, layer.n_filters, layer.taken_after) for layer in network.layers] == [
        ("kernel", "Conv2D", 4, "Conv2D"),
        ("weight", "Conv2D", 4, "Conv2D"),
        ("deep.a.0", "Conv2D", 4, "Conv2D → BatchNormalization"),
        # A batch normalisation of weights is no follower.
        ("standard", "Conv2D", 4, "Conv2D → relu"),
        ("normed", "Conv2D", 4, "Conv2D"),
        ("pruned", "Conv2D", 4, "Conv2D"),
        ("split", "DepthwiseConv2D", 8, "DepthwiseConv2D"),
    ]
    assert network.layers[2].feature_map_of == "deep.a.1"


def test_what_nothing_uses_is_no_part_of_the_network(torch):
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.unused = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)

        def forward(self, x):
            x = self.conv(x)
            self.unused(x)
            return torch.relu(x).mean((2, 3))

    (layer,) = from_torch(Net(), 16, preprocess="none").layers
    assert (layer.name, layer.taken_after) == ("conv", "Conv2D → relu")
