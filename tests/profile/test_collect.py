from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import decode, open_images
from filtag_kg.network import load_network
from filtag_kg.profile import PassOptions, collect, load_profile, save_profile
from tests.keras_network import input_of, maps_model

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")
SIZE = (12, 16)


def png(random, shape=(10, 14)) -> bytes:
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (*shape, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def write_tar(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(scope="module")
def files():
    random = np.random.default_rng(0)
    return {f"n0{index % 3}/{index:02}.png": png(random) for index in range(23)}


@pytest.fixture(scope="module")
def archive(files, tmp_path_factory):
    return write_tar(tmp_path_factory.mktemp("images") / "images.tar", files)


@pytest.fixture(scope="module")
def network(keras, tmp_path_factory):
    """A branched network with three convolutions, a normalisation and no linear path to the output."""
    layers = keras.layers
    image = keras.Input((*SIZE, 3))
    x = layers.Conv2D(5, 3, padding="same", name="first", bias_initializer="random_normal")(image)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.ReLU(name="relu")(x)
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh", name="left")(x)
    z = layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise")(x)
    z = layers.Conv2D(4, 1, name="right")(z)
    x = layers.GlobalAveragePooling2D()(layers.Add()([y, z]))
    model = keras.Model(image, layers.Dense(3)(x))
    random = np.random.default_rng(1)
    model.set_weights(
        [random.normal(0, 0.3, weight.shape) ** (2 if "var" in weight.path else 1) for weight in model.weights]
    )
    path = tmp_path_factory.mktemp("network") / "toy.keras"
    model.save(path)
    return load_network(str(path), preprocess="-1..1", layers="all")


def slow_activations(keras, network, content):
    """Do what the paper says, one image and one filter at a time."""
    pixels = decode(content, network.preparation).astype(np.float32)
    maps = maps_model(network)
    activations = []
    for feature_maps in maps.predict(input_of(network, pixels[None]), verbose=0):
        layer = feature_maps[0].astype(np.float64)
        scaled = (layer - layer.min()) / (layer.max() - layer.min())
        activations += [scaled[:, :, filter_].mean() for filter_ in range(scaled.shape[-1])]
    return np.array(activations)


def test_the_pass_equals_the_slow_loop(keras, network, files, archive):
    with open_images(archive) as images:
        profile = collect(network, images, PassOptions(batch_size=4), labels={"n01": "tench"})
    assert profile.class_ids == ("n00", "n01", "n02")
    assert profile.class_labels == ("n00", "tench", "n02")
    assert profile.layer_names == ("first", "depthwise", "left", "right")
    assert profile.layer_offsets.tolist() == [0, 5, 10, 14, 18]
    for row, class_id in enumerate(profile.class_ids):
        of_class = [
            slow_activations(keras, network, files[name]) for name in sorted(files) if name.startswith(class_id)
        ]
        assert profile.count[row] == len(of_class)
        np.testing.assert_allclose(profile.mean[row], np.mean(of_class, axis=0), atol=1e-6)
        np.testing.assert_allclose(profile.variance[row], np.var(of_class, axis=0), atol=1e-6)


def test_batch_size_threads_and_container_make_no_difference(network, files, archive, tmp_path):
    compressed = write_tar(tmp_path / "images.tgz", dict(reversed(files.items())), "w:gz")
    variants = [(archive, 1, 1), (archive, 7, 3), (archive, 64, 2), (compressed, 5, 2)]
    profiles = []
    for path, batch_size, workers in variants:
        with open_images(path) as images:
            profiles.append(collect(network, images, PassOptions(batch_size, workers)))
    for profile in profiles[1:]:
        assert np.abs(profile.mean - profiles[0].mean).max() < 1e-6
        assert np.abs(profile.variance - profiles[0].variance).max() < 1e-6
        np.testing.assert_array_equal(profile.count, profiles[0].count)


def test_the_profile_says_how_it_was_made(network, archive, tmp_path):
    ticks = []
    with open_images(archive) as images:
        options = PassOptions(batch_size=10)
        profile = collect(network, images, options, progress=lambda done, total: ticks.append((done, total)))
    assert ticks == [(10, 23), (20, 23), (23, 23)]
    facts = profile.metadata
    assert (facts["network"], facts["identifier"]) == ("toy", network.identifier)
    assert facts["images"]["source"] == "images.tar"
    assert (facts["images"]["read"], facts["images"]["unreadable"], facts["notes"]) == (23, 0, [])
    assert facts["layer_kinds"] == ["Conv2D", "DepthwiseConv2D", "Conv2D", "Conv2D"]
    assert {"python", "numpy", "pillow", "keras", "backend", "backend_version"} <= set(facts["versions"])
    assert facts["started"] <= facts["ended"]
    assert facts["network_file"] == {"given": str(network.file), "absolute": str(network.file)}
    assert (facts["preprocess"], facts["outputs"], facts["input_size"]) == ("-1..1", [], list(SIZE))
    assert facts["scaling"] == [[0.00784314, 0, 0, -1], [0, 0.00784314, 0, -1], [0, 0, 0.00784314, -1]]
    others = {name: fact for name, fact in facts.items() if name != "network_file"}
    assert str(tmp_path.parent) not in json.dumps(others), "of the images no path is kept"
    save_profile(profile, tmp_path / "p.npz")
    again = load_profile(tmp_path / "p.npz")
    np.testing.assert_array_equal(again.mean, profile.mean)
    assert again.metadata == facts


def test_a_layer_without_contrast_scales_to_zero_and_is_counted(keras, archive, tmp_path):
    image = keras.Input((*SIZE, 3))
    x = keras.layers.Conv2D(2, 3, name="dead", kernel_initializer="zeros", bias_initializer="ones")(image)
    path = tmp_path / "dead.keras"
    keras.Model(image, keras.layers.Conv2D(2, 3, name="alive")(x)).save(path)
    with open_images(archive) as images:
        profile = collect(load_network(str(path), preprocess="none", layers="dead"), images)
    assert not profile.mean.any()
    assert profile.metadata["notes"] == ["layer dead: all outputs equal for 23 images, scaled to 0"]


def test_activations_lie_in_the_unit_interval(network):
    run = network.compile(5)
    outputs = run(np.random.default_rng(2).integers(0, 256, (5, *SIZE, 3), np.uint8))
    assert (outputs.activations.shape, outputs.constant.shape) == ((5, network.n_filters), (5, 4))
    assert outputs.activations.min() > -1e-6
    assert outputs.activations.max() < 1 + 1e-6
    assert not outputs.constant.any()


def test_what_is_not_a_number_is_found(keras, archive, tmp_path):
    image = keras.Input((*SIZE, 3))
    x = keras.layers.Conv2D(2, 3, name="sound")(image)
    model = keras.Model(image, keras.layers.Conv2D(2, 3, name="broken")(x))
    kernel, bias = model.get_layer("broken").get_weights()
    # Finite weights, whose products are infinite and of opposite signs.
    kernel[0, 0, :2, 0] = 3e38, -3e38
    model.get_layer("broken").set_weights([kernel, bias])
    path = tmp_path / "broken.keras"
    model.save(path)
    with open_images(archive) as images, pytest.raises(FiltagError) as error:
        collect(load_network(str(path), preprocess="none"), images)
    assert str(error.value) == (
        "layer broken of broken has outputs that are not finite for n00/00.png: check the network's weights and its "
        "preprocessing"
    )


@pytest.mark.parametrize(
    ("kernel", "bias"),
    # Finite weights, whose products with the pixels are not.
    [([3e38, 0], [0, 0]), ([-3e38, 0], [0, 0]), ([3e38, 3e38], [3e38, 3e38]), ([0, -3e38], [0, -3e38])],
)
def test_what_is_infinite_is_found(keras, archive, tmp_path, kernel, bias):
    image = keras.Input((*SIZE, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 1, name="broken")(image))
    kernels = np.zeros((1, 1, 3, 2), np.float32)
    kernels[0, 0, 0] = kernel
    model.get_layer("broken").set_weights([kernels, np.array(bias, np.float32)])
    model.save(tmp_path / "broken.keras")
    network = load_network(str(tmp_path / "broken.keras"), preprocess="none")
    assert refusal(network, archive).startswith(
        "layer broken of broken has outputs that are not finite for n00/00.png: "
    )


def test_a_layer_that_is_constant_for_one_image_only(keras, tmp_path):
    image = keras.Input((*SIZE, 3))
    x = keras.layers.Conv2D(2, 1, name="first", activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(2, 1, name="second")(x))
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[0, 0, 0] = 1, 2
    # Nothing of a picture without red is left.
    model.get_layer("first").set_weights([kernel, np.zeros(2, np.float32)])
    model.save(tmp_path / "red.keras")
    network = load_network(str(tmp_path / "red.keras"), preprocess="none", layers="first")
    pixels = np.random.default_rng(4).integers(0, 256, (3, *SIZE, 3), np.uint8)
    pixels[1, :, :, 0] = 0
    outputs = network.compile(3)(pixels)
    assert outputs.constant[:, 0].tolist() == [False, True, False]
    assert not outputs.activations[1].any()
    assert outputs.activations[[0, 2]].all()


def refusal(network, path, **options) -> str:
    with open_images(path) as images, pytest.raises(FiltagError) as error:
        collect(network, images, PassOptions(**options))
    message = str(error.value)
    assert "\n" not in message
    return message


def test_unreadable_images(network, files, tmp_path):
    damaged = files | {"n00/damaged.png": b"damaged", "n01/empty.png": b""}
    path = write_tar(tmp_path / "x.tar", damaged)
    assert refusal(network, path).startswith(
        f"more than 1 % of the images in {path} are unreadable, first n00/damaged.png ("
    )
    with open_images(path) as images:
        profile = collect(network, images, PassOptions(keep_going=True, batch_size=4))
    assert profile.metadata["images"]["unreadable"] == 2
    assert [note.partition(" (")[0] for note in profile.metadata["notes"]] == [
        "unreadable: n00/damaged.png",
        "unreadable: n01/empty.png",
    ]
    whole = write_tar(tmp_path / "whole.tar", files)
    with open_images(whole) as images:
        np.testing.assert_allclose(profile.mean, collect(network, images).mean, atol=1e-6)


def test_up_to_one_percent_is_skipped(network, files, tmp_path):
    content = next(iter(files.values()))
    many = {f"n0{index % 2}/{index:03}.png": content for index in range(99)} | {"n00/damaged.png": b"damaged"}
    with open_images(write_tar(tmp_path / "x.tar", many)) as images:
        profile = collect(network, images)
    assert profile.count.sum() == 99


def test_too_few_images_or_classes(network, files, tmp_path):
    alone = write_tar(tmp_path / "alone.tar", {name: x for name, x in files.items() if name.startswith("n00")})
    assert refusal(network, alone).startswith(f"{alone} has one class only, n00: ")
    single = write_tar(tmp_path / "single.tar", files | {"n09/only.png": next(iter(files.values()))})
    assert refusal(network, single) == (
        f"class n09 in {single} has fewer than two images, too few for a variance: "
        "add images, remove the class, or go on regardless"
    )
    with open_images(single) as images:
        profile = collect(network, images, PassOptions(keep_going=True))
    assert profile.class_ids[-1] == "n09"
    assert not profile.variance[-1].any()
    assert profile.metadata["notes"] == ["class n09: one image, variance 0"]
    empty = write_tar(tmp_path / "empty.tar", files | {"n09/a.png": b"", "n09/b.png": b""})
    with open_images(empty) as images:
        profile = collect(network, images, PassOptions(keep_going=True))
    assert profile.class_ids == ("n00", "n01", "n02")
    assert profile.metadata["notes"][-1] == "class n09: no readable image, left out"
    nothing = write_tar(tmp_path / "nothing.tar", {"a/x.png": b"", "b/x.png": b""})
    assert "fewer than two classes" in refusal(network, nothing, keep_going=True)
