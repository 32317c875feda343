"""Networks of torchvision and timm by name."""

from __future__ import annotations

import urllib.error

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import imagenet_class_ids, load_network
from filtag_kg.network.scaling import IMAGENET
from filtag_kg.network.torch import named
from filtag_kg.profile import recorded_network
from filtag_kg.profile.metadata import network_file, network_metadata


def refusal(*args, **kwargs):
    with pytest.raises(FiltagError) as error:
        load_network(*args, **kwargs)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_preparation_of_torchvision(torch):
    network = load_network("torchvision:ShuffleNet-V2-x0.5", weights=None)
    own = network.preparation
    assert (network.name, own.size, own.scaling, own.name) == (
        "torchvision:shufflenet_v2_x0_5", (224, 224), IMAGENET, "imagenet",
    )  # fmt: skip
    assert (own.resize, own.crop_share, own.interpolation) == ("crop", 0.875, "bilinear")
    # Random weights tell no classes apart.
    assert (network.class_ids, network.output.outputs, network.output.size) == ((), "logits", 1000)
    assert network.file is None
    assert network.identifier == f"{network.name}-{network.weights_sha256[:12]}"
    assert load_network("torchvision:shufflenet_v2_x0_5", weights=None).weights_sha256 == network.weights_sha256
    assert network.engine.versions().keys() == {"backend", "device", "torch", "torchvision"}


def test_preparation_of_timm(torch):
    network = load_network("timm:resnet10t.c3_in1k", weights=None, layers="conv1.*")
    own = network.preparation
    assert (network.name, own.size, own.scaling) == ("timm:resnet10t.c3_in1k", (176, 176), IMAGENET)
    assert (own.resize, own.crop_share, own.interpolation) == ("crop", 0.875, "bicubic")
    assert [layer.name for layer in network.layers] == ["conv1.0", "conv1.3", "conv1.6"]
    assert network.engine.versions().keys() == {"backend", "device", "torch", "timm"}


@pytest.mark.parametrize(
    ("spec", "first", "number"),
    [
        ("torchvision:shufflenet_v2_x0_5", "n01440764", 1000),
        ("torchvision:lraspp_mobilenet_v3_large", "__background__", 21),
        ("timm:resnet10t.c3_in1k", "n01440764", 1000),
        ("timm:mobilenetv3_small_050.lamb_in1k", "n01440764", 1000),
        ("timm:convnext_nano.in12k", "n00005787", 11821),
    ],
)
def test_classes(torch, monkeypatch, spec, first, number):
    """As if the weights were there: what the library says of them."""
    import timm
    import torchvision

    random = {}
    monkeypatch.setattr(
        torchvision.models._api.WeightsEnum, "get_state_dict", lambda self, **_: random[self.url], raising=True
    )
    monkeypatch.setattr(timm.models._builder, "load_pretrained", lambda *args, **kwargs: None)
    library, _, name = spec.partition(":")
    if library == "torchvision":
        declared = torchvision.models.get_model_weights(name).DEFAULT
        options = {"weights_backbone": None} if "raspp" in name else {}
        random[declared.url] = torchvision.models.get_model(name, weights=None, **options).state_dict()
    source = named.named_torch_source(spec, None)
    assert (source.class_ids[0], len(source.class_ids), source.output_size) == (first, number, number)
    if number == 1000:
        assert source.class_ids == imagenet_class_ids()


def test_mistakes_end_in_one_line(torch, monkeypatch):
    assert refusal("torchvision:resnet17").startswith(
        "no network 'torchvision:resnet17' in torchvision: did you mean torchvision:resnet1"
    )
    assert refusal("timm:convnext_tini.fb_in1k", weights=None).startswith(
        "no network 'timm:convnext_tini.fb_in1k' in timm: did you mean timm:convnext_tiny.fb_in1k"
    )
    assert refusal("timm:zzzzzz") == "no network 'timm:zzzzzz' in timm: timm.list_models() has all names"
    assert refusal("torchvision:fasterrcnn_resnet50_fpn") == (
        "torchvision:fasterrcnn_resnet50_fpn finds objects, takes videos or is quantised: give a network that "
        "classifies an image"
    )
    assert refusal("torchvision:resnet18", preprocess="none").startswith(
        "torchvision:resnet18 brings its own preprocess"
    )
    assert refusal("timm:resnet10t", weights=None, layers="none").startswith("no convolutional layer 'none' in timm:")

    import torchvision

    def offline(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torchvision.models._api.WeightsEnum, "get_state_dict", offline)
    assert refusal("torchvision:resnet18") == (
        "the weights of torchvision:resnet18 are not in the library's cache and could not be downloaded: connect to "
        "the network once, or load the network in Python and give it to filtag_kg.from_torch"
    )


def test_found_again_by_its_name(torch, monkeypatch):
    network = load_network("torchvision:shufflenet_v2_x0_5", weights=None, layers="conv1.0")
    metadata = {**network_metadata(network), **network_file(network)}
    original = named.named_torch_source
    monkeypatch.setattr(
        "filtag_kg.network.load.named_torch_source", lambda spec, _seed, **options: original(spec, 0, **options)
    )
    found = recorded_network(metadata, "my-kg")
    assert (found.identifier, found.layers) == (network.identifier, network.layers)
