from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import imagenet_class_ids, load_network, missing_extra, network_names
from filtag_kg.network.network import weights_sha256
from tests.keras_network import input_of, maps_model


@pytest.fixture(scope="module")
def saved(keras, tmp_path_factory):
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    path = tmp_path_factory.mktemp("network") / "Toy.keras"
    model.save(path)
    return path


def refusal(*args, **kwargs) -> str:
    with pytest.raises(FiltagError) as error:
        load_network(*args, **kwargs)
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("spec", ["MobileNetV2", "mobilenet-v2", "Mobilenet_v2"])
def test_case_and_separators_do_not_matter(keras, spec):
    network = load_network(spec, weights=None, layers="Conv_1")
    assert (network.name, network.input_size, network.n_filters) == ("mobilenetv2", (224, 224), 1280)


def test_random_weights_are_always_the_same(keras):
    first, second = (load_network("mobilenet", weights=None) for _ in range(2))
    assert first.identifier == second.identifier
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert first.class_ids == ()


def test_random_weights_have_a_seed_and_a_name_of_their_own(keras):
    plain, same, other = (load_network("mobilenet", weights=w) for w in (None, "random", "random:3"))
    assert (plain.name, same.name, other.name) == ("mobilenet", "mobilenet-random", "mobilenet-random-3")
    assert plain.weights_sha256 == same.weights_sha256 != other.weights_sha256
    assert load_network("mobilenet", weights="random", name="untrained").identifier.startswith("untrained-")
    for wrong in ("randon", "random:", "random:-1", "random:1.5", "random:99999999999", ""):
        assert refusal("mobilenet", weights=wrong) == (
            f"no weights {wrong!r}: choose trained, random, or random:3 for another seed"
        )


def test_a_file_with_random_weights_keeps_nothing_that_was_learnt(keras, tmp_path):
    image = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(image))
    x = keras.layers.DepthwiseConv2D(3)(x)
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    networks = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        model.set_weights([random.uniform(0.5, 2, weight.shape) for weight in model.get_weights()])
        model.save(tmp_path / f"{seed}.keras")
        networks.append(load_network(tmp_path / f"{seed}.keras", preprocess="none", weights="random"))
    assert networks[0].weights_sha256 == networks[1].weights_sha256
    assert networks[0].name == "0-random"
    assert networks[0].compute(np.zeros((1, 8, 8, 3), np.uint8)).scores.tolist() == [[0, 0]]


@pytest.mark.parametrize("name", ["mobilenetv2", "xception"])
def test_random_weights_neither_fade_nor_grow(keras, name):
    network = load_network(name, weights=None)
    pixels = np.random.default_rng(0).integers(0, 256, (1, *network.input_size, 3)).astype(np.float32)
    maps = np.asarray(maps_model(network)(input_of(network, pixels), training=False)[-1])
    assert 1e-2 < maps.std() < 1e3


def test_unnamed_layers_are_numbered_from_the_start_each_time(keras):
    names = [[layer.name for layer in load_network("inceptionv3", weights=None).layers] for _ in range(2)]
    assert names[0] == names[1]
    assert "conv2d" in names[0]


def test_a_network_from_a_file(saved, tmp_path):
    classes = tmp_path / "classes.txt"
    classes.write_text("n01, tench\nn02\tgoldfish\n\n", "utf-8")
    network = load_network(str(saved), preprocess="0..1", classes=classes)
    assert (network.name, network.input_size, network.class_ids) == ("toy", (8, 8), ("n01", "n02"))
    assert re.fullmatch("toy-[0-9a-f]{12}", network.identifier)
    np.testing.assert_allclose(input_of(network, np.full((1, 8, 8, 3), 51)), 0.2)


def test_h5_and_keras_files_of_one_network_have_one_hash(keras, saved):
    as_h5 = saved.with_suffix(".h5")
    keras.saving.load_model(saved).save(as_h5)
    hashes = {load_network(str(path), preprocess="none").weights_sha256 for path in (saved, as_h5)}
    assert len(hashes) == 1


def test_mistakes_end_in_one_line(saved, tmp_path):
    assert refusal("vgg15").startswith("no network 'vgg15': did you mean vgg")
    assert refusal(str(tmp_path / "none.keras")) == f"no network at {tmp_path / 'none.keras'}: check the path"
    assert refusal("vgg16", preprocess="vgg16").startswith("vgg16 brings its own preprocess")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"nonsense")
    assert refusal(str(broken)).startswith(f"{broken} cannot be loaded as a Keras network in safe mode (")
    assert refusal(str(saved), preprocess="vgg17").startswith("no preprocessing 'vgg17' (did you mean vgg")
    classes = tmp_path / "classes.txt"
    classes.write_text("a\nb\nc\n", "utf-8")
    assert refusal(str(saved), classes=classes) == (
        f"{saved} has 2 outputs, and 3 classes are given: they must be as many"
    )
    classes.write_text("a\na\n", "utf-8")
    assert "names 'a' twice" in refusal(str(saved), classes=classes)
    assert refusal(str(saved), classes=tmp_path / "no.txt").startswith(f"cannot read the classes in {tmp_path}")


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_code_in_a_file_is_never_run(keras, tmp_path, ending):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 3)(keras.layers.Lambda(lambda x: x * 2)(image)))
    path = tmp_path / f"code{ending}"
    model.save(path)
    assert refusal(str(path)).startswith(f"{path} cannot be loaded as a Keras network in safe mode (")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((None, None, 3), "takes images of any size, (None, None, 3): say which size to give it"),
        ((8, 3), "takes input of shape (8, 3): give a network for images, (height, width, channels)"),
    ],
)
def test_input_that_is_no_picture_of_known_size(keras, tmp_path, shape, message):
    image = keras.Input(shape)
    layer = keras.layers.Conv2D(2, 3) if len(shape) == 3 else keras.layers.Conv1D(2, 3)
    path = tmp_path / "odd.keras"
    keras.Model(image, layer(image)).save(path)
    assert refusal(str(path)) == f"{path} {message}"


def test_weights_that_cannot_be_downloaded(keras, monkeypatch):
    def offline(**kwargs):
        raise Exception("URL fetch failure on https://…: None -- [Errno -3] Temporary failure")  # noqa: TRY002

    offline.__module__ = "keras.src.applications.vgg16"
    monkeypatch.setattr(keras.applications, "VGG16", offline)
    assert refusal("vgg16").startswith("the weights of vgg16 are not in Keras' cache and could not be downloaded: ")


def test_names(keras):
    names = network_names()
    assert names[0] == "efficientnet-lite0"
    assert {"vgg16", "inceptionv3", "resnet50", "mobilenetv2"} <= set(names)


def test_imagenet_classes_are_sorted():
    class_ids = imagenet_class_ids()
    assert len(set(class_ids)) == 1000
    assert list(class_ids) == sorted(class_ids)
    assert class_ids[0] == "n01440764"


def test_the_hash_sees_shape_type_order_and_values():
    arrays = [np.arange(4, dtype=np.float32), np.ones((2, 2), np.float32)]
    variants = [
        arrays,
        arrays[::-1],
        [arrays[0].reshape(2, 2), arrays[1]],
        [arrays[0].astype(np.float64), arrays[1]],
        [arrays[0] + 1, arrays[1]],
    ]
    assert len({weights_sha256(variant) for variant in variants}) == len(variants)
    assert weights_sha256([arrays[0].astype(">f4")]) == weights_sha256([arrays[0]])


def test_importing_the_package_imports_no_keras():
    code = (
        "import sys, filtag_kg.network, filtag_kg.images, filtag_kg.profile.collect;"
        "assert not {'keras', 'tensorflow', 'PIL', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("net.tflite", "is a TensorFlow Lite file, whose layers were merged: open it where it was made and save the "),
        ("net.pb", "is a TensorFlow graph without Keras' layers: open it where it was made and save the network with "),
        (
            "net.ckpt",
            "is part of a TensorFlow checkpoint, which holds weights without the network: build the network in ",
        ),
        ("net.ckpt.index", "is part of a TensorFlow checkpoint, which holds weights without the network: build the "),
        ("net.ckpt.data-00000-of-00001", "is part of a TensorFlow checkpoint, which holds weights without the network"),
        ("net.json", "describes layers without their weights: build the network of it in Keras, load the weights, and"),
        ("net.pkl", "is a pickle, which is code and never run: save the network itself with model.save('name.keras')"),
    ],
)
def test_other_formats_say_what_they_are(tmp_path, name, what):
    path = tmp_path / name
    assert refusal(str(path)) == f"no network at {path}: check the path"
    path.write_bytes(b"{}")
    assert refusal(str(path)).startswith(f"{path} {what}")


def test_folders_say_what_they_are(keras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("saved", "folder", "mobilenet"):
        (tmp_path / name).mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    assert refusal("folder") == "folder is a folder: give the file of a network, or a name"
    for spec in ("saved", "saved/"):
        assert refusal(spec).startswith(
            f"{spec} is a TensorFlow SavedModel, which holds computations without Keras' layers: open it with the "
        )
    # A name comes first.
    assert load_network("mobilenet", weights=None).name == "mobilenet"


def test_weights_without_their_network(keras, saved, tmp_path):
    path = tmp_path / "net.weights.h5"
    keras.saving.load_model(saved).save_weights(path)
    assert refusal(str(path)) == (
        f"{path} holds weights without the network: build the network in Keras, model.load_weights(…), and save it "
        "with model.save('name.keras')"
    )


@pytest.mark.parametrize(
    ("spec", "package", "extra"),
    [
        ("a/model.onnx", "onnxruntime", "onnx"),
        ("model.pt2", "torch", "torch"),
        ("torchvision:resnet18", "torch", "torch"),
        ("vgg16", "keras", "cpu"),
        ("own.keras", "keras", "cpu"),
    ],
)
def test_what_must_be_installed(monkeypatch, spec, package, extra):
    assert missing_extra(spec) is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else name)
    assert str(missing_extra(spec)).endswith(f"which is not installed: pip install 'filtag-kg[{extra}]'")


def test_what_python_has_at_hand(keras, saved, tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    expected = load_network(str(saved), classes=tmp_path / "classes.txt", input_size=(8, 8), quiet=True)
    network = load_network(saved, class_ids=["cat", "dog"], input_size=8, quiet=True)
    assert (network.class_ids, network.identifier) == (expected.class_ids, expected.identifier)
    with pytest.raises(ValueError, match="classes and class_ids say the same"):
        load_network(saved, classes=tmp_path / "classes.txt", class_ids=["cat", "dog"])
    assert refusal("vgg16", weights=None, class_ids=["cat"]).startswith("vgg16 brings its own class_ids: leave")
