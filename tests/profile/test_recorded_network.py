"""The network that a profile was made with is found again, and nothing else is taken for it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, load_network
from filtag_kg.network.scaling import named_scaling
from filtag_kg.profile import recorded_network, recorded_network_file
from filtag_kg.profile.metadata import network_file, network_metadata, same_scaling
from tests.keras_network import model_of

CLASSES = ("tench", "goldfish")


def save(keras: Any, path: Path, *, size: int = 8, outputs: int = 2, bias: float = 0.0) -> Path:
    image = keras.Input((size, size, 3))
    maps = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    scores = keras.layers.Dense(outputs, name="scores")(keras.layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(image, scores)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(bias, 0.1, weight.shape) for weight in model.weights])
    model.save(path)
    return path


@pytest.fixture
def own(keras, tmp_path) -> Path:
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    return save(keras, tmp_path / "own.keras")


@pytest.fixture
def facts(own) -> dict[str, Any]:
    """What a profile of it says, as it comes back from JSON."""
    return facts_of(load_network(str(own), preprocess="0..1", classes=own.with_name("classes.txt"), layers="conv"))


def facts_of(network: Network) -> dict[str, Any]:
    return json.loads(json.dumps({**network_metadata(network), **network_file(network)}))


def refusal(*args, **kwargs) -> str:
    with pytest.raises(FiltagError) as error:
        recorded_network(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_nothing_need_be_said_again(facts, own, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    network = recorded_network(facts, "my-kg")
    assert facts_of(network) == facts
    assert network.class_ids == CLASSES
    assert network.preparation.scaling == named_scaling("0..1")


def test_a_relative_path_is_found_from_anywhere(keras, tmp_path, monkeypatch):
    save(keras, tmp_path / "own.keras")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    facts = facts_of(load_network("own.keras", preprocess="none"))
    assert facts["network_file"] == {"given": "own.keras", "absolute": str(tmp_path / "own.keras")}
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert recorded_network(facts, "my-kg").identifier == facts["identifier"]
    # Moved together with the folder that it was given from.
    (tmp_path / "own.keras").rename("own.keras")
    assert recorded_network(facts, "my-kg").identifier == facts["identifier"]


def test_a_file_that_moved_is_asked_for(facts, own):
    moved = own.rename(own.with_name("Renamed.keras"))
    message = f"the network {own} is not at {own} any more: name it"
    assert refusal(facts, "my-kg") == message
    with pytest.raises(FiltagError) as error:
        recorded_network_file(facts, "my-kg")
    assert str(error.value) == message
    network = recorded_network(facts, "my-kg", str(moved))
    assert network.identifier == facts["identifier"], "its weights say which it is, not its file's name"
    assert (network.class_ids, network.preparation.name) == (CLASSES, "0..1")


def test_other_weights_are_refused(keras, facts, own):
    before = facts["weights_sha256"][:12]
    save(keras, own, bias=1.0)
    now = load_network(str(own), preprocess="none").weights_sha256[:12]
    expected = f"my-kg was made with own of weights {before}, and {own} has {now}: name the right one"
    assert refusal(facts, "my-kg") == expected
    save(keras, own, outputs=3)
    assert refusal(facts, "my-kg").startswith(f"my-kg was made with own of weights {before}, and {own} has ")


def test_another_preparation_is_refused(keras, facts, own):
    assert refusal(facts, "my-kg", preprocess="none") == (
        "my-kg was made with preprocessing 0..1, not none: leave it out"
    )
    assert recorded_network(facts, "my-kg", preprocess="0..1").preparation.name == "0..1"
    assert refusal({**facts, "resizing": "nearest"}, "my-kg").startswith(
        "my-kg was made with images resized otherwise (nearest; now bilinear, "
    )
    larger = save(keras, own.with_name("larger.keras"), size=16)
    assert refusal(facts, "my-kg", str(larger)) == (
        f"my-kg was made with images of 8 × 8 pixels, and {larger} takes images of 16 × 16 pixels, not 8 × 8: name the "
        "right one"
    )


def test_what_a_preprocessing_does_counts_not_its_name(keras, own):
    facts = facts_of(load_network(str(own), preprocess="mobilenet_v2"))
    assert recorded_network(facts, "my-kg", preprocess="-1..1").class_ids == ()
    assert refusal(facts, "my-kg", preprocess="vgg16") == (
        "my-kg was made with preprocessing mobilenet_v2, not vgg16: leave it out"
    )


def test_other_classes_are_refused(facts, own):
    (own.parent / "other.txt").write_text("goldfish\ntench\n")
    assert refusal(facts, "my-kg", classes=own.parent / "other.txt") == (
        f"my-kg was made with the classes tench, goldfish, and {own.parent}/other.txt has goldfish, tench: leave "
        "them out"
    )
    assert recorded_network(facts, "my-kg", classes=own.parent / "classes.txt").class_ids == CLASSES
    unnamed = {**facts, "outputs": []}
    assert recorded_network(unnamed, "my-kg").class_ids == ()
    assert recorded_network(unnamed, "my-kg", classes=own.parent / "classes.txt").class_ids == CLASSES
    assert refusal({**facts, "outputs": ["tench"]}, "my-kg") == (
        f"my-kg names 1 classes, and {own} has other outputs: make it anew"
    )


def test_profiles_that_do_not_remember_go_on_with_what_is_given(facts, own):
    old = {name: facts[name] for name in ("network", "identifier", "weights_sha256", "input_size", "layers_option")}
    assert refusal(old, "my-kg") == "my-kg does not say where its network own is: name it"
    network = recorded_network(old, "my-kg", str(own), preprocess="-1..1", classes=own.with_name("classes.txt"))
    assert (network.preparation.name, network.class_ids) == ("-1..1", CLASSES)
    assert refusal({}, "my-kg") == "my-kg does not say which network it was made with: name it"
    assert recorded_network({}, "my-kg", str(own), preprocess="none").name == "own"


def test_a_file_of_a_named_network_is_prepared_as_the_name_says(keras, tmp_path):
    named = load_network("mobilenet", weights=None)
    saved = keras.applications.MobileNet(weights=None)
    saved.set_weights(model_of(named).get_weights())
    saved.save(tmp_path / "mine.keras")
    facts = facts_of(named)
    assert "network_file" not in facts
    network = recorded_network(facts, "my-kg", str(tmp_path / "mine.keras"))
    assert (network.identifier, network.preparation.name) == (named.identifier, "mobilenet")


def test_random_weights_are_found_again(own):
    named = load_network("mobilenet", weights="random:2", name="untrained")
    found = recorded_network(facts_of(named), "my-kg")
    assert (found.identifier, found.name, found.weights) == (named.identifier, "untrained", "random:2")
    file = load_network(own, preprocess="-1..1", weights="random")
    found = recorded_network(facts_of(file), "my-kg")
    assert (found.identifier, found.name) == (file.identifier, "own-random")


def test_nothing_of_a_stranger_s_profile_is_run(keras, facts, own):
    image = keras.Input((8, 8, 3))
    code = keras.Model(image, keras.layers.Conv2D(2, 3)(keras.layers.Lambda(lambda x: x * 2)(image)))
    code.save(own)
    assert refusal(facts, "my-kg").startswith(f"{own} cannot be loaded as a Keras network in safe mode (")
    shutil.copy(__file__, own)
    assert refusal(facts, "my-kg").startswith(f"{own} cannot be loaded as a Keras network in safe mode (")
    save(keras, own)
    older = {name: fact for name, fact in facts.items() if name != "preparation"}
    for name in ("os:system", "imagenet_utils", "__class__", str(Path(__file__))):
        assert refusal({**older, "preprocess": name}, "my-kg").startswith(f"no preprocessing {name!r}")
    unnamed = {name: fact for name, fact in facts.items() if name != "network_file"}
    assert refusal({**unnamed, "network": str(own)}, "my-kg") == (
        f"my-kg does not say where its network {own} is: name it"
    )


def test_a_file_whose_name_is_no_text_is_asked_for(facts, own):
    path = os.fsdecode(os.fsencode(own.parent) + b"/own-\xff.keras")
    own.rename(path)
    network = load_network(path, preprocess="0..1")
    assert network.name == "own-\\udcff"
    again = facts_of(network)
    assert again["network_file"]["given"] == f"{own.parent}/own-\\udcff.keras"
    assert refusal(again, "my-kg").startswith(f"the network {own.parent}/own-\\udcff.keras is not at ")
    assert recorded_network(again, "my-kg", path).identifier == network.identifier


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("none", [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]),
        ("vgg16", [[0, 0, 1, -103.939], [0, 1, 0, -116.779], [1, 0, 0, -123.68]]),
        ("efficientnet-lite0", [[1 / 128, 0, 0, -127 / 128], [0, 1 / 128, 0, -127 / 128], [0, 0, 1 / 128, -127 / 128]]),
    ],
)
def test_the_scaling_says_the_order_of_colours_too(name, rows):
    np.testing.assert_allclose(named_scaling(name).matrix, rows, rtol=1e-5)


def test_unknown_scalings_are_equal_to_each_other_alone():
    assert same_scaling({}, {})
    assert not same_scaling({"scaling": [[1.0]]}, {})
    assert same_scaling({"scaling": [[1.0]]}, {"scaling": [[1.000001]]})


def test_other_channels_are_not_the_network_s(facts):
    facts["preparation"] |= {"mean": [0], "std": [1], "order": [0]}
    assert "was made with images of 1 channels, and " in refusal(facts, "my-kg")
