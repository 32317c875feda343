"""The pass with Keras networks of every kind of input: profiles by the textbook, and thumbnails."""

from __future__ import annotations

import io

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import images_from, open_images
from filtag_kg.kg.exemplar_pass import write_exemplars
from filtag_kg.network import load_network
from filtag_kg.profile import PassOptions, collect

Image = pytest.importorskip("PIL.Image", reason="the cpu extra is not installed")

SIZE = (10, 8)
KERNEL = np.random.default_rng(2).standard_normal((3, 3, 6, 4)).astype(np.float32)


def saved(keras, path, channels, *, first=False, any_size=False):
    """A network of one convolution with stride 2, its Dense after a Flatten if the size is known."""
    options = {"data_format": "channels_first"} if first else {}
    size = (None, None) if any_size else SIZE
    image = keras.Input((channels, *size) if first else (*size, channels))
    conv = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv", use_bias=False, **options)
    maps = conv(image)
    conv.set_weights([KERNEL[:, :, :channels]])
    flat = keras.layers.GlobalAveragePooling2D(**options)(maps) if any_size else keras.layers.Flatten()(maps)
    keras.Model(image, keras.layers.Dense(2)(flat)).save(path)
    return str(path)


def activations(pixels):
    """ā of the convolution's filters for images of shape (n, height, width, channels), in [0, 255]."""
    kernel = KERNEL[:, :, : pixels.shape[-1]].astype(np.float64)
    rows, columns = range(0, pixels.shape[1] - 2, 2), range(0, pixels.shape[2] - 2, 2)
    maps = np.array([[np.tensordot(pixels[:, y : y + 3, x : x + 3] / 255, kernel, 3) for x in columns] for y in rows])
    maps = np.maximum(maps, 0).transpose(2, 0, 1, 3).reshape(len(pixels), -1, 4)
    low, high = maps.min((1, 2), keepdims=True), maps.max((1, 2), keepdims=True)
    return ((maps - low) / (high - low)).mean(axis=1)


def means(pixels):
    """What a profile has of images whose classes take turns."""
    values = activations(np.asarray(pixels, np.float64))
    return np.stack([values[::2].mean(axis=0), values[1::2].mean(axis=0)])


def files(folder, mode):
    """Eight images of two classes, their sizes the network's, and their pixels in a mode."""
    random = np.random.default_rng(3)
    pixels = []
    for index in range(8):
        image = Image.fromarray(random.integers(0, 256, (*SIZE, 4), np.uint8), "RGBA")
        path = folder / f"{index % 2}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        converted = np.asarray(image.convert(mode))
        pixels.append(converted.reshape(*SIZE, -1))
    return np.stack(pixels)


def thumbnails_of(profile, images, folder):
    folder.mkdir()
    write_exemplars(profile, images, folder)
    pictures = [Image.open(io.BytesIO(path.read_bytes())) for path in sorted(folder.glob("*.jpg"))]
    assert len(pictures) > 1
    return pictures


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_files(keras, tmp_path, channels, mode, first):
    network = load_network(saved(keras, tmp_path / "net.keras", channels, first=first), preprocess="0..1")
    pixels = files(tmp_path / "images", mode)
    with open_images(tmp_path / "images") as images:
        profile = collect(network, images, PassOptions(batch_size=3))
        thumbnails_of(profile, images, tmp_path / "thumbnails")
    np.testing.assert_allclose(profile.mean, means(pixels), atol=1e-5)
    assert (network.preparation.channels, network.input_size) == (channels, SIZE)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 6])
def test_arrays(keras, tmp_path, channels, first):
    network = load_network(saved(keras, tmp_path / "net.keras", channels, first=first), preprocess="none")
    taken = np.random.default_rng(4).random((8, *SIZE, channels))
    with images_from(taken, np.arange(8) % 2) as images:
        profile = collect(network, images, PassOptions(batch_size=3))
        thumbnails_of(profile, images, tmp_path / "thumbnails")
    np.testing.assert_allclose(profile.mean, means(taken * 255), atol=1e-5)


@pytest.mark.parametrize("first", [False, True])
def test_images_of_any_size_are_given_one(keras, tmp_path, first):
    path = saved(keras, tmp_path / "net.keras", 3, first=first, any_size=True)
    pixels = files(tmp_path / "images", "RGB")
    with pytest.raises(FiltagError, match=r"takes images of any size, \(.*None.*\): say which size to give it$"):
        load_network(path, preprocess="0..1")
    network = load_network(path, preprocess="0..1", input_size=SIZE)
    with open_images(tmp_path / "images") as images:
        profile = collect(network, images, PassOptions(batch_size=3))
    np.testing.assert_allclose(profile.mean, means(pixels), atol=1e-5)
    assert profile.metadata["input_size"] == list(SIZE)
    other = load_network(path, preprocess="0..1", input_size=(12, 12))
    assert other.identifier != network.identifier
    assert other.weights_sha256 == network.weights_sha256


def test_one_side_may_be_known(keras, tmp_path):
    image = keras.Input((None, 8, 3))
    path = str(tmp_path / "net.keras")
    keras.Model(image, keras.layers.Conv2D(2, 3)(image)).save(path)
    assert load_network(path, preprocess="none", input_size=(20, 8)).input_size == (20, 8)
    with pytest.raises(FiltagError, match=r"takes images of 20 × 8 pixels, not 20 × 9$") as error:
        load_network(path, preprocess="none", input_size=(20, 9))
    assert error.value.options == ("input_size",)


def test_a_size_that_is_too_small_for_the_network_is_one_line(keras, tmp_path):
    path = saved(keras, tmp_path / "net.keras", 3, any_size=True)
    with pytest.raises(FiltagError, match=r"net\.keras cannot take images of 2 × 2 pixels: give larger ones$"):
        load_network(path, preprocess="none", input_size=(2, 2))


@pytest.mark.parametrize("channels", [2, 6])
def test_files_do_not_have_so_many_channels(keras, tmp_path, channels):
    network = load_network(saved(keras, tmp_path / "net.keras", channels), preprocess="none")
    files(tmp_path / "images", "RGB")
    with open_images(tmp_path / "images") as images, pytest.raises(FiltagError) as error:
        collect(network, images)
    assert str(error.value) == (f"the network takes {channels} channels, which image files do not have: give arrays")


@pytest.mark.parametrize("sequential", [False, True])
def test_grey_images_without_an_axis_of_channels(keras, tmp_path, sequential):
    layers = [
        keras.layers.Reshape((*SIZE, 1)),
        keras.layers.Conv2D(4, 3, strides=2, activation="relu", use_bias=False),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
    model = keras.Sequential([keras.Input(SIZE), *layers])
    if not sequential:
        image = keras.Input(SIZE)
        model = keras.Model(image, model(image))
    layers[1].set_weights([KERNEL[:, :, :1]])
    model.save(tmp_path / "net.keras")
    network = load_network(str(tmp_path / "net.keras"), preprocess="0..1")
    assert (network.preparation.channels, network.input_size, network.output.outputs) == (1, SIZE, "logits")
    pixels = files(tmp_path / "images", "L")
    with open_images(tmp_path / "images") as images:
        profile = collect(network, images, PassOptions(batch_size=3))
    np.testing.assert_allclose(profile.mean, means(pixels), atol=1e-5)
