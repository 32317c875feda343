"""Files that Keras 2 wrote: ``keras2/make_files.py`` made them, and recorded what it computed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import load_network
from filtag_kg.network.keras.keras2.operations import apply_function
from filtag_kg.network.keras.keras_file import read_keras_file
from filtag_kg.network.network import weights_sha256

FILES = Path(__file__).parent / "keras2" / "files.zip"
with zipfile.ZipFile(FILES) as archive:
    NAMES = [name for name in archive.namelist() if not name.endswith(".npz")]
REFUSED = ("code", "custom", "unknown")


@pytest.fixture
def saved(tmp_path):
    def save(name):
        with zipfile.ZipFile(FILES) as archive:
            return Path(archive.extract(name, tmp_path))

    return save


def recorded(name):
    with zipfile.ZipFile(FILES) as archive, np.load(io.BytesIO(archive.read(name + ".npz"))) as arrays:
        return arrays["pixels"], arrays["outputs"]


def with_config(path, change):
    """Change the configuration in an ``.h5`` file, given as a dict."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def refusal(path):
    with pytest.raises(FiltagError) as error:
        load_network(str(path), preprocess="none")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", [name for name in NAMES if name.partition(".")[0] not in REFUSED])
def test_it_computes_what_keras_2_did(keras, saved, name):
    pixels, expected = recorded(name.partition(".")[0])
    model = read_keras_file(saved(name))
    # Keras 2 computed this one in float16.
    tolerance = 2e-3 if name.startswith("mixed") else 1e-5
    np.testing.assert_allclose(model(pixels.astype(np.float32)), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["convolutions", "activations", "functions", "transferred"])
def test_the_whole_network_computes_the_same(keras, saved, name):
    pixels, expected = recorded(name)
    network = load_network(str(saved(f"{name}.h5")), preprocess="none", outputs="none", layers="all")
    np.testing.assert_allclose(network.compile(4, scores=True)(pixels).scores, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["convolutions", "mixed", "transferred", "normalised"])
def test_both_formats_have_one_hash_and_so_has_a_copy_of_keras_3(keras, saved, tmp_path, name):
    paths = [saved(f"{name}.h5"), saved(f"{name}.keras"), tmp_path / "again.keras"]
    model = read_keras_file(paths[0])
    model.save(paths[2])
    hashes = {weights_sha256(read_keras_file(path).get_weights()) for path in paths}
    assert len(hashes) == 1


def test_names_have_no_slashes_and_stay_unique(keras, saved):
    network = load_network(str(saved("convolutions.h5")), preprocess="none", layers="all")
    # `block1_conv` was taken by a layer of the file.
    assert [layer.name for layer in network.layers] == ["block1_conv_1", "block1_depthwise", "block1_conv"]
    assert network.layers[0].taken_after == "Conv2D with relu6"


def test_operations_take_no_name_of_a_layer(keras, saved):
    model = read_keras_file(saved("functions.h5"))
    names = [operation.name for operation in model.operations]
    assert len(set(names)) == len(names)
    assert {"add", "tf.math.truediv", "tf.__operators__.getitem"} <= set(names)


def test_activations_are_part_of_the_feature_map(keras, saved):
    network = load_network(str(saved("functions.h5")), preprocess="none")
    assert [layer.taken_after for layer in network.layers] == ["Conv2D", "Conv2D"]
    network = load_network(str(saved("activations.h5")), preprocess="none")
    assert [layer.taken_after for layer in network.layers] == [
        "Conv2D with silu",
        "Conv2D with hard_sigmoid_of_keras2",
        "Conv2D with relu",
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (
            "code.h5",
            "its layer scale is a Lambda, which is code: rebuild that part of Keras' own layers and save it again",
        ),
        (
            "code.keras",
            "its layer scale is a Lambda, which is code: rebuild that part of Keras' own layers and save it again",
        ),
        (
            "custom.h5",
            "needs the class SqueezeExcite, which is code and not in the file: rebuild that part of Keras' own layers "
            "and save it again",
        ),
        (
            "unknown.keras",
            "its operation tf.image.rgb_to_hsv (tf.image.rgb_to_hsv) is not known here: rebuild that part of Keras' "
            "own layers and save it again",
        ),
    ],
)
def test_what_cannot_be_mended_is_one_line(keras, saved, name, what):
    path = saved(name)
    assert re.sub(r"Keras 2\.\d+\.\d+", "Keras 2", refusal(path)) == f"{path} was saved by Keras 2 and {what}"


def test_older_ways_to_write_a_configuration(keras, saved):
    """Before 2.2.3 a Sequential was a list; Policy had other names; a functional model was called Model."""

    def sequential(config):
        config["config"] = [x for x in config["config"]["layers"] if x["class_name"] != "InputLayer"]
        config["config"][0]["config"]["batch_input_shape"] = [None, 12, 12, 3]

    def functional(config):
        config["class_name"] = "Model"
        for layer in config["config"]["layers"]:
            if isinstance(layer["config"]["dtype"], dict):
                layer["config"]["dtype"] = {"class_name": "PolicyV1", "config": {"name": "mixed_float16"}}
            if layer["class_name"] == "BatchNormalization":
                layer["class_name"] = "BatchNormalizationV1"
                layer["config"] |= {"fused": True, "renorm": False, "virtual_batch_size": None}

    for name, change in (("sequential", sequential), ("mixed", functional)):
        pixels, expected = recorded(name)
        model = read_keras_file(with_config(saved(f"{name}.h5"), change))
        np.testing.assert_allclose(model(pixels.astype(np.float32)), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("renorm", True, "renorm=True of its layer batch_normalization (BatchNormalization) cannot be mended: "),
        ("dtype", {"config": {"name": "float128"}}, "cannot be rebuilt in Keras 3 ("),
    ],
)
def test_arguments_that_keras_3_lacks(keras, saved, key, value, what):
    def change(config):
        layer = next(x for x in config["config"]["layers"] if x["class_name"] == "BatchNormalization")
        layer["config"][key] = value

    assert what in refusal(with_config(saved("mixed.h5"), change))


def test_a_function_that_may_be_anybodys_is_refused(keras, saved):
    for name in ("hard_sigmoid", "my_function", "serialize", "__import__"):

        def change(config, name=name):
            config["config"]["layers"][1]["config"]["activation"] = {"class_name": "function", "config": name}

        assert "which is code and not in the file" in refusal(with_config(saved("mixed.h5"), change))


@pytest.mark.parametrize("damage", ["shape", "missing", "unknown", "cycle"])
def test_a_file_that_contradicts_itself_is_one_line(keras, saved, damage):
    path = saved("mixed.h5")
    if damage == "cycle":

        def change(config):
            config["config"]["layers"][1]["inbound_nodes"][0][0][0] = "dense"

        with_config(path, change)
    else:
        with h5py.File(path, "r+") as file:
            group = file["model_weights"]
            if damage == "shape":
                del group["dense"]["dense"]["bias:0"]
                group["dense"]["dense"]["bias:0"] = np.zeros(7, np.float32)
            else:
                group.attrs["layer_names"] = [b"nothing" if x == b"dense" else x for x in _bytes(group)]
                if damage == "unknown":
                    group.move("dense", "nothing")
    assert refusal(path).startswith(f"{path} was saved by Keras 2.")


def _bytes(group):
    return [name if isinstance(name, bytes) else name.encode() for name in group.attrs["layer_names"]]


@pytest.mark.parametrize(
    ("function", "first", "arguments", "expected"),
    [
        ("nn.leaky_relu", [-1.0, 2.0], {"alpha": 0.5}, [-0.5, 2.0]),
        ("nn.leaky_relu", [-1.0, 2.0], {"name": None}, [-0.2, 2.0]),
        ("nn.silu", [1.0], {"beta": 2.0}, [1 / (1 + np.exp(-2))]),
        ("math.reduce_max", [[1.0, 3.0], [2.0, 0.0]], {"axis": [1]}, [3.0, 2.0]),
        ("reverse", [[1.0, 2.0]], {"axis": [1]}, [[2.0, 1.0]]),
        ("nn.bias_add", [[[[1.0]], [[2.0]]]], {"bias": [10.0, 20.0], "data_format": "NCHW"}, [[[[11.0]], [[22.0]]]]),
        ("__operators__.getitem", [[1.0, 2.0, 3.0]], {"slice_spec": [{"class_name": "__ellipsis__"}, 1]}, [2.0]),
    ],
)
def test_functions_of_tensorflow(keras, function, first, arguments, expected):
    tensor = keras.ops.convert_to_tensor(np.array(first, np.float32))
    np.testing.assert_allclose(apply_function(function, "x", tensor, arguments), expected, rtol=1e-6)


def test_a_function_with_unknown_arguments_is_refused(keras):
    with pytest.raises(
        FiltagError, match=r"^its operation x \(tf\.nn\.relu\) is not known here with threshold: rebuild"
    ):
        apply_function("nn.relu", "x", keras.ops.zeros(3), {"threshold": 1})


def test_keras_3_too_remembers_what_it_normalises_by(keras, tmp_path):
    """Reading an ``.h5`` file, Keras leaves the mean at 0 and the variance at 1."""
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).random((8, 6, 6, 3)).astype(np.float32))
    model = keras.Sequential([keras.Input((6, 6, 3)), layer, keras.layers.Conv2D(2, 3)])
    model.save(tmp_path / "net.h5")
    pixels = np.random.default_rng(1).random((2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(read_keras_file(tmp_path / "net.h5")(pixels), model(pixels), rtol=1e-6)


def test_channels_first(keras, saved):
    """Computed by Keras 2 with oneDNN, which can; here with the channels last, which every machine can."""
    pixels, expected = recorded("channels_first")
    network = load_network(str(saved("channels_first.h5")), preprocess="none")
    assert (network.input_size, network.preparation.channels) == ((12, 12), 3)
    assert network.layers[0].taken_after == "Conv2D → BatchNormalization → relu"
    scores = network.compile(2, scores=True)(pixels.transpose(0, 2, 3, 1)).scores
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-3)
