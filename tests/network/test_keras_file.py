"""Network files of strangers: refused in one line, whatever is in them."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.keras_file import read_keras_file


@pytest.fixture(scope="module")
def saved(keras, tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
    path = tmp_path_factory.mktemp("net") / "net.keras"
    model.save(path)
    return path


def with_members(saved, path, **changed):
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = changed.get(name.partition(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"config": "[" * 100_000}, "it is nested too deeply"),
        ({"config": "[" * 150 + "]" * 150}, "it is nested too deeply"),
        ({"config": '{"module": NaN}'}, "NaN is not JSON"),
        ({"config": "[]"}, "its config.json is no JSON object"),
        ({"config": None}, "There is no item named 'config.json' in the archive"),
        ({"config": b"\xff"}, "utf-8"),
        ({"config": "{}"}, ""),
        ({"model": b"\0" * 300 * 2**20}, "unpack to"),
        ({"model": b"nonsense"}, ""),
    ],
)
def test_a_damaged_file_is_one_line(saved, tmp_path, changed, what):
    path = with_members(saved, tmp_path / "net.keras", **changed)
    with pytest.raises(FiltagError) as error:
        read_keras_file(path)
    said = str(error.value)
    assert said.startswith(f"{path} cannot be loaded as a Keras network in safe mode (")
    assert what in said
    assert "\n" not in said


@pytest.mark.parametrize("changes", [{"filters": "many"}, {"kernel_size": -1}, {"strides": [0, 0]}, {"filters": None}])
def test_a_layer_that_cannot_be_is_one_line(saved, tmp_path, changes):
    with zipfile.ZipFile(saved) as archive:
        config = json.loads(archive.read("config.json"))
    layers = config["config"]["layers"]
    next(layer for layer in layers if layer["class_name"] == "Conv2D")["config"].update(changes)
    with pytest.raises(FiltagError, match=r"^[^\n]* cannot be loaded as a Keras network in safe mode \([^\n]*$"):
        read_keras_file(with_members(saved, tmp_path / "net.keras", config=json.dumps(config)))


def test_weights_that_are_no_numbers_are_refused(saved, keras, tmp_path):
    model = keras.saving.load_model(saved)
    model.layers[0].bias.assign(np.array([np.nan, 0]))
    model.save(tmp_path / "nan.keras")
    with pytest.raises(FiltagError, match=r"nan\.keras has weights that are not finite numbers: save the trained"):
        read_keras_file(tmp_path / "nan.keras")


def test_a_damaged_hdf5_file_is_one_line_however_the_library_takes_it(saved, keras, tmp_path):
    path = tmp_path / "net.h5"
    keras.saving.load_model(saved).save(path)
    content = path.read_bytes()
    assert read_keras_file(path).count_params() == 56
    # The global heap holds the model's configuration: an object of size 0 there is followed by itself, without end.
    heap = content.index(b"GCOL")
    for size in (0, 2**62):
        path.write_bytes(content[: heap + 24] + size.to_bytes(8, "little") + content[heap + 32 :])
        with pytest.raises(FiltagError, match=r"^[^\n]*net\.h5 cannot be loaded [^\n]*its HDF5 [^\n]*$"):
            read_keras_file(path)
