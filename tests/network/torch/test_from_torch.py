"""A module in memory as a network: its outputs, its refusals, and that it stays as it is."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import filtag_kg
from filtag_kg.errors import FiltagError
from filtag_kg.network import from_torch
from filtag_kg.profile import recorded_network
from filtag_kg.profile.metadata import network_file, network_metadata
from tests.torch_network import pixels_of, randomised


@pytest.fixture
def conv(torch):
    return torch.nn.Conv2d(3, 4, 3)


def net(torch, forward, **parts):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

    Net.forward = forward
    return Net()


def refusal(*args, **kwargs):
    with pytest.raises(FiltagError) as error:
        from_torch(*args, **{"preprocess": "none", **kwargs})
    message = str(error.value)
    assert "\n" not in message
    return message


def test_what_is_decided(torch, conv):
    module = torch.nn.Sequential(conv, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 2))
    network = filtag_kg.from_torch(module, (8, 8), name="mine", class_ids=["a", "b"], preprocess="imagenet")
    assert (network.name, network.input_size, network.class_ids) == ("mine", (8, 8), ("a", "b"))
    assert network.output.outputs == "logits"
    assert network.file is None
    assert from_torch(module, 8, preprocess="none").name == "sequential"


def test_a_module_stays_as_it_is(torch, conv):
    module = torch.nn.Sequential(conv, torch.nn.BatchNorm2d(4), torch.nn.Dropout(0.5)).train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    network = from_torch(module, 8, preprocess="0..1")
    assert [each.training for each in module.modules()] == [True, True, False, True]
    assert all(value.equal(before[name]) for name, value in module.state_dict().items())
    # Nor does the network change with it.
    pixels = pixels_of(2, 8)
    computed = network.compute(pixels)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(1)
    np.testing.assert_array_equal(network.compute(pixels).activations, computed.activations)


def test_the_hash_is_of_the_weights_that_are_used(torch):
    def built(seed):
        return randomised(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.BatchNorm2d(4)), seed)

    first, second, other = built(0), built(0), built(1)
    second[1].num_batches_tracked += 5
    hashes = [from_torch(module, 8, preprocess="none").weights_sha256 for module in (first, second, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_kinds_of_outputs(torch, conv):
    functional, dense = torch.nn.functional, torch.nn.Linear(4, 3)

    def decided(forward, **options):
        module = net(torch, forward, c=conv, fc=options.pop("fc", dense))
        network = from_torch(module, 8, preprocess="none", **options)
        return network.output.size, network.output.outputs, network.output.is_map

    assert decided(lambda s, x: s.fc(s.c(x).mean((2, 3)))) == (3, "logits", False)
    assert decided(lambda s, x: s.fc(s.c(x).mean((2, 3))).softmax(-1)) == (3, "softmax", False)
    assert decided(lambda s, x: functional.log_softmax(s.fc(s.c(x).mean((2, 3))), 1)) == (3, "logits", False)
    assert decided(lambda s, x: s.fc(s.c(x).mean((2, 3))).sigmoid()) == (3, "sigmoids", False)
    one = torch.nn.Linear(4, 1)
    assert decided(lambda s, x: s.fc(s.c(x).mean((2, 3))), fc=one) == (1, "logit", False)
    assert decided(lambda s, x: torch.sigmoid(s.fc(s.c(x).mean((2, 3)))).squeeze(1), fc=one) == (1, "sigmoid", False)
    assert decided(lambda s, x: s.c(x)) == (4, "none", True)
    assert decided(lambda s, x: s.c(x), class_ids=list("abcd")) == (4, "logits", True)
    assert decided(lambda s, x: functional.interpolate(s.c(x), size=8).softmax(1)) == (4, "softmax", True)
    # Of one place: no map.
    assert decided(lambda s, x: functional.adaptive_avg_pool2d(s.c(x), 1)) == (4, "logits", False)
    assert decided(lambda s, x: s.c(x).relu().mean((2, 3))) == (4, "none", False)


def test_a_map_counts_by_its_means(torch, conv):
    network = from_torch(net(torch, lambda s, x: {"out": s.c(x), "aux": x}, c=conv), 8, preprocess="0..1")
    pixels = pixels_of(2, 8)
    with torch.no_grad():
        maps = conv(torch.from_numpy(pixels).float().div(255).permute(0, 3, 1, 2))
    np.testing.assert_allclose(network.compute(pixels).scores, maps.mean((2, 3)), atol=1e-6)


def test_several_outputs(torch, conv):
    def forward(self, x):
        y = self.c(x)
        return {"main": y.mean((2, 3)), "more": (y.amax((2, 3)), y.shape[1], None), "mean": y.mean()}

    module = net(torch, forward, c=conv)
    values = {
        output: from_torch(module, 8, preprocess="none", output_name=output).compute(pixels_of(2, 8)).scores
        for output in (None, "main", "more.0", "0", "1")
    }
    np.testing.assert_array_equal(values[None], values["main"])
    np.testing.assert_array_equal(values[None], values["0"])
    np.testing.assert_array_equal(values["more.0"], values["1"])
    assert (values["main"] < values["more.0"]).all()
    # What has no row for each image is no output.
    assert refusal(module, 8, output_name="mean") == "the module Net has no output 'mean': choose from main, more.0"


def test_refusals(torch, conv):
    assert refusal(torch.nn.Flatten(), 8) == "the module Flatten has no convolutional layer: give a CNN"
    assert refusal(net(torch, lambda s, x, y: s.c(x + y), c=conv), 8) == (
        "the module Net takes 2 inputs (x, y): give a network that takes one image"
    )
    branching = net(torch, lambda s, x: s.c(x) if x.sum() > 0 else s.c(-x), c=conv)
    message = refusal(branching, 8)
    assert message.startswith(
        "torch.export cannot follow the module Net: what it computes depends on the numbers in an"
    )
    assert refusal(conv, 2).startswith("the module Conv2d fails on images of shape (3, 2, 2): ")
    assert refusal(conv, 8, channels=1).startswith("the module Conv2d fails on images of shape (1, 8, 8): ")
    assert refusal(net(torch, lambda s, x: s.c(x).mean(), c=conv), 8) == (
        "the module Net outputs no tensor with a row for each image: give a network that does"
    )
    assert refusal(torch.jit.script(conv), 8).startswith("the module ")
    batch = torch.nn.Sequential(conv, torch.nn.BatchNorm2d(4, track_running_stats=False))
    assert refusal(batch, 8).startswith("the module Sequential normalises over the images of a batch (1), so its ")
    assert refusal(conv, 8, device="hal9000").startswith("no device 'hal9000' (")
    assert refusal(torch.nn.Sequential(conv, torch.nn.Conv2d(4, 2, 1)), 8, layers="2").startswith(
        "no convolutional layer '2' in the module Sequential: choose conv, all or from 0, 1"
    )
    shared = net(torch, lambda s, x: s.d(s.d(s.c(x))), c=conv, d=torch.nn.Conv2d(4, 4, 1))
    assert "layer d of the module Net is applied 2 times" in refusal(shared, 8)
    broken = torch.nn.Conv2d(3, 4, 3)
    torch.nn.init.constant_(broken.bias, float("nan"))
    assert refusal(broken, 8) == (
        "the module Conv2d has weights that are not finite (bias): save the trained network again"
    )
    with pytest.raises(TypeError, match=r"module must be a torch\.nn\.Module, got str"):
        from_torch("resnet18", 8)
    with pytest.raises(TypeError, match="got OrderedDict: build the module and give it these weights"):
        from_torch(conv.state_dict(), 8)
    for size in ((8,), "8", 0, (8, 8, 3)):
        with pytest.raises(ValueError, match="input_size must be a number of pixels or \\(height, width\\), got "):
            from_torch(conv, size)


def test_what_wraps_a_module_is_not_in_its_names(torch, conv):
    inside = torch.nn.Sequential(conv)
    for module in (torch.nn.DataParallel(inside), torch.compile(inside), torch.nn.DataParallel(torch.compile(inside))):
        network = from_torch(module, 8, preprocess="none")
        assert (network.name, [layer.name for layer in network.layers]) == ("sequential", ["0"])


def test_one_number_for_all_channels(conv):
    network = from_torch(conv, 8, mean=0.5, std=0.25)
    assert network.preparation.scaling == from_torch(conv, 8, mean=[0.5] * 3, std=[0.25] * 3).preparation.scaling


def test_class_ids_are_text_each_of_its_own(torch):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    assert from_torch(module, 8, preprocess="none", class_ids=range(4), outputs="logits").class_ids == tuple("0123")
    with pytest.raises(FiltagError, match="'a' names two classes of the module Sequential: give each output"):
        from_torch(module, 8, preprocess="none", class_ids="aabc", outputs="logits")


def test_no_scaling_is_worth_a_warning(conv, caplog):
    with caplog.at_level(logging.WARNING):
        from_torch(conv, 8)
    assert caplog.messages == [
        "no preprocessing given for conv2d: it gets pixels in [0, 255], unless images are ready made"
    ]


def test_a_network_given_in_python_is_not_found_again(conv):
    network = from_torch(conv, 8, preprocess="none")
    metadata = {**network_metadata(network), **network_file(network)}
    with pytest.raises(FiltagError) as error:
        recorded_network(metadata, "my-kg")
    assert str(error.value) == (
        "my-kg was made with the network conv2d, given in Python: give it to "
        "filtag_kg.explain_image and the like again, with the same preprocess and class_ids, or name a file of it"
    )
