"""The methods text says what the manifest says, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from filtag_kg.explain import EvaluationRecord, HitsRow
from filtag_kg.kg import KG
from filtag_kg.network import imagenet_class_ids
from filtag_kg.paper.methods import methods
from filtag_kg.paper.references import ENTRIES, bibliography, network_key
from filtag_kg.report import semantic_report
from filtag_kg.views import LoadedKg, load_kg

Change = Callable[[dict[str, Any]], None]
HITS = HitsRow("k=1", "all", 1, 50, 0.5, None, None, None, None, None, None, None, 0)


@pytest.fixture(scope="module")
def loaded(kg: KG) -> LoadedKg:
    return load_kg(kg)


def text(loaded: LoadedKg, change: Change = lambda _: None, **options: Any) -> str:
    """The Markdown of a KG whose manifest is changed."""
    manifest = copy.deepcopy(dict(loaded.kg.manifest))
    change(manifest)
    changed = replace(loaded, kg=replace(loaded.kg, manifest=manifest))
    grouped = semantic_report([changed]).grouped
    return methods(changed, grouped, options.get("figures", ()), options.get("hits")).markdown()


def in_profile(**values: object) -> Change:
    def change(manifest: dict[str, Any]) -> None:
        manifest["inputs"]["profile"] |= values

    return change


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"split": 0.8, "seed": 3, "images": {"read": 9}}, "a share of 0.8 of the images of each class, chosen at"),
        ({"weights": "random:3"}, "its weights are not trained but random:3"),
        ({"layers_option": "all"}, "(layers: all)"),
        ({"network": "resnet50v2"}, "[@he2016identity]"),
        (
            {"outputs": list(imagenet_class_ids()), "images": {"read": 1}},
            "ImageNet challenge [@russakovsky2015imagenet]",
        ),
        ({"images": {"read": 1, "unreadable": 2}}, "1 image of 8 classes passed through it (2 images could"),
        ({"input_size": [8, 9], "resizing": "bilinear"}, "Images were resized to 8 × 9 pixels (bilinear)"),
        ({"reduced": "means alone"}, "What was kept: means alone."),
    ],
)
def test_what_the_profile_records_is_said_and_else_is_not(
    loaded: LoadedKg, values: dict[str, object], said: str
) -> None:
    assert said in text(loaded, in_profile(**values))
    assert said not in text(loaded)


def test_a_network_in_a_file_is_not_what_its_name_says(loaded: LoadedKg) -> None:
    file = {"network_file": {"given": "vgg16.keras", "absolute": "/x/vgg16.keras"}}
    assert "[@simonyan2015very]" in text(loaded, in_profile(network="vgg16"))
    assert "simonyan2015very" not in text(loaded, in_profile(network="vgg16", **file))
    assert "/x/" not in text(loaded, in_profile(network="vgg16", **file))


def test_only_the_concept_sources_that_were_used_are_named(loaded: LoadedKg) -> None:
    def only_wordnet(manifest: dict[str, Any]) -> None:
        manifest["parameters"]["concepts"] = "wordnet"

    def dump(manifest: dict[str, Any]) -> None:
        manifest["parameters"] |= {"concepts": "wordnet,conceptnet-dump:/data/x", "curated_links": 2}

    assert "ConceptNet" not in text(loaded, only_wordnet)
    assert "ConceptNet's official dump [@speer2017conceptnet]" in text(loaded, dump)
    assert "2 links were given by hand" in text(loaded, dump)


def test_an_evaluation_without_intervals_and_null_has_none(loaded: LoadedKg) -> None:
    plain = text(loaded, hits=([HITS], None))
    assert "It was computed on 50 images." in plain
    for word in ("bootstrap", "null", "Spearman", "SHA-256 ab"):
        assert word not in plain.rpartition("Hits")[2]
    record = EvaluationRecord("toy", "t.tar", "ab" * 32, 50, 5, None, 20, 100, 4, ("one note",), {})
    full = text(loaded, hits=([replace(HITS, hits_low=0.4, hits_high=0.6, null=0.1)], record))
    assert "(100 resamples, seed 4)" in full
    assert "20 random permutations (seed 4)" in full
    assert "Note: one note." in full
    assert "accuracy is" not in full


def test_keys() -> None:
    assert network_key("efficientnet-lite0") == "tan2019efficientnet"
    assert network_key("torchvision:resnet18") == "he2016deep"
    assert network_key("my-vgg16") is None
    everything = bibliography([*ENTRIES, "filtagkg"], "0.1.0")
    assert everything.count("\n@") == len(ENTRIES)
    assert everything.count("{") == everything.count("}")
    assert everything.isascii()
