from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from filtag_kg import KG, FiltagError, Profile, Provenance, Rule, build_kg, tag_filters, wordnet
from filtag_kg.concepts import preferred_labels
from filtag_kg.explain import explain_image

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")

from filtag_kg.network import Network, load_network  # noqa: E402
from filtag_kg.profile import observe  # noqa: E402


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Two layers of which the last has one filter for red, one for green and one for blue."""
    folder = tmp_path_factory.mktemp("network")
    image = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(2, 1, name="first", activation="relu")(image)
    last = keras.layers.Conv2D(3, 1, name="last", use_bias=False)(image)
    scores = keras.layers.GlobalAveragePooling2D()(keras.layers.Concatenate()([first, last]))
    model = keras.Model(image, keras.layers.Dense(2, name="scores")(scores))
    model.get_layer("last").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.save(folder / "colours.keras")
    (folder / "classes.txt").write_text("n02087394\nn02123045\n")
    return load_network(str(folder / "colours.keras"), preprocess="0..1", classes=folder / "classes.txt")


@pytest.fixture(scope="module")
def colours(network: Network, tmp_path_factory: pytest.TempPathFactory) -> KG:
    """The red filter is tagged with two dogs, the green one with a cat, the blue one with cars."""
    classes = {"n02087394": 2, "n02088466": 2, "n02123045": 3, "n03770679": 4}
    # Of eight classes, two dogs are as few as a common concept must be to say something.
    classes |= {"n02814533": 4, "n02930766": 4, "n03100240": 4, "n04285008": 4}
    mean = np.full((8, 5), 0.1)
    for row, column in enumerate(classes.values()):
        mean[row, column] = 0.9
    profile = Profile(
        mean=mean,
        variance=None,
        count=np.ones(8, dtype=np.int64),
        class_ids=tuple(classes),
        class_labels=preferred_labels(list(classes), wordnet()),
        layer_names=tuple(layer.name for layer in network.layers),
        layer_offsets=np.array([0, 2, 5]),
        metadata={"network": network.name, "identifier": network.identifier},
    )
    tags = tag_filters(profile, [Rule("k", 1), Rule("k", 1, "contrast")], network=network.identifier)
    output = tmp_path_factory.mktemp("kg") / "kg"
    return build_kg(output, tags, wordnet(), Provenance.of_profile(profile), profile=profile)


def picture(folder: Path, colour: tuple[int, int, int]) -> Path:
    from PIL import Image

    Image.new("RGB", (20, 10), colour).save(folder / "picture.png")
    return folder / "picture.png"


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_a_red_image_is_explained_by_the_dogs_of_the_red_filter(
    colours: KG, network: Network, tmp_path: Path, rule: str
) -> None:
    found = explain_image(colours, network, picture(tmp_path, (250, 10, 20)), rule=rule)
    labels = {evidence.label: evidence.layers for evidence in found.labels}
    assert labels["Rhodesian ridgeback"][-1] == labels["bloodhound"][-1] == "last"
    assert "hunting dog" in {evidence.label for evidence in found.concepts}
    assert (found.n_active, found.rule, found.image) == (2, rule, "picture.png")
    assert {label for label, _ in found.predictions} == {"Rhodesian ridgeback", "tabby"}
    assert sum(confidence for _, confidence in found.predictions) == pytest.approx(1)


def test_a_blue_image_is_explained_by_the_car(colours: KG, network: Network, tmp_path: Path) -> None:
    found = explain_image(colours, network, picture(tmp_path, (10, 20, 250)))
    assert "minivan" in {evidence.label for evidence in found.labels}


def test_observed_activations_are_those_of_the_maps(network: Network) -> None:
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pixels[..., 0] = 255
    pixels[:, :4, :, 1] = 255
    activations, confidences = observe(network, pixels)
    np.testing.assert_allclose(activations[0, 2:], [1, 0.5, 0], atol=1e-6)
    assert confidences.sum() == pytest.approx(1)


def test_mistakes(colours: KG, kg: KG, network: Network, tmp_path: Path) -> None:
    red = picture(tmp_path, (250, 0, 0))
    with pytest.raises(FiltagError, match=r"was made of toy-0123456789ab, not of colours-[0-9a-f]{12}: name the right"):
        explain_image(kg, network, red)
    with pytest.raises(FiltagError, match=r"no rule 'k=9' in .*: it has k=1, k=1:contrast"):
        explain_image(colours, network, red, rule="k=9")
    with pytest.raises(FiltagError, match=r"cannot read .*none.png \(No such file or directory\): check the path"):
        explain_image(colours, network, tmp_path / "none.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(FiltagError, match=r"text.png is no readable image \(.*\): give a JPEG, PNG or the like"):
        explain_image(colours, network, tmp_path / "text.png")
