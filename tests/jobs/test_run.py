"""Whole jobs from Python: every way to give a network and images makes the same profile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.explain import evaluate, find_misclassifications
from filtag_kg.images import open_images
from filtag_kg.kg import open_kg
from filtag_kg.network import import_keras

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="the cpu extra is not installed")

CLASSES = ("n02087394", "n02123045", "n03770679")
SIZE = (12, 10)


@pytest.fixture(scope="module")
def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Four images of each class, each of its own colour with noise."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 80, (12, *SIZE, 3), np.uint8)
    labels = np.repeat(np.arange(3), 4)
    pixels[np.arange(12), :, :, labels] += 150
    return pixels, labels


@pytest.fixture(scope="module")
def folder(arrays: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images")
    for number, (pixels, label) in enumerate(zip(*arrays, strict=True)):
        (path / CLASSES[label]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path / CLASSES[label] / f"{number:02}.png")
    return path


@pytest.fixture(scope="module")
def model() -> object:
    layers = import_keras().layers
    image = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="first")(image)
    x = layers.Conv2D(6, 3, activation="relu", name="second")(x)
    model = keras.Model(image, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)), name="Toy")
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.3, weight.shape) for weight in model.weights])
    return model


@pytest.fixture(scope="module")
def expected(model: object, folder: Path) -> flt.Profile:
    return flt.profile(model, folder, preprocess="0..1", class_ids=CLASSES)


def same(profile: flt.Profile, expected: flt.Profile, way: str = "") -> None:
    assert profile.class_ids == expected.class_ids == CLASSES, way
    assert profile.class_labels == expected.class_labels
    assert profile.layer_names == expected.layer_names
    assert profile.metadata["identifier"] == expected.metadata["identifier"]
    np.testing.assert_array_equal(profile.count, expected.count)
    np.testing.assert_allclose(profile.mean, expected.mean, atol=1e-6, err_msg=way)
    np.testing.assert_allclose(profile.variance, expected.variance, atol=1e-6)


def test_a_keras_model_in_memory(expected: flt.Profile) -> None:
    assert expected.metadata["network"] == "toy"
    assert expected.metadata["outputs"] == list(CLASSES)
    assert expected.class_labels == ("Rhodesian ridgeback", "tabby", "minivan")
    assert "network_file" not in expected.metadata


def test_every_way_to_give_images(model: object, arrays: tuple[np.ndarray, np.ndarray], folder: Path, expected) -> None:
    import tensorflow as tf

    pixels, labels = arrays
    network = flt.from_keras(model, preprocess="0..1", class_ids=CLASSES)
    ways = {
        "a path as text": str(folder),
        "two arrays": arrays,
        "pairs": [(image, CLASSES[label]) for image, label in zip(pixels, labels, strict=True)],
        "a generator": ((image, int(label)) for image, label in zip(pixels, labels, strict=True)),
        "files": [(folder / CLASSES[label] / f"{number:02}.png", int(label)) for number, label in enumerate(labels)],
        "tf.data": tf.data.Dataset.from_tensor_slices(arrays).batch(5),
        "what the network takes": ((pixels / np.float32(255)).astype(np.float32), labels),
    }
    for way, images in ways.items():
        same(flt.profile(network, images), expected, way)
    with open_images(folder) as images:
        same(flt.profile(network, images), expected)


def test_a_data_loader(model: object, arrays: tuple[np.ndarray, np.ndarray], expected: flt.Profile) -> None:
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    from torch.utils.data import DataLoader, TensorDataset

    pixels, labels = arrays
    channels_first = torch.from_numpy(pixels.transpose(0, 3, 1, 2) / np.float32(255))
    loader = DataLoader(TensorDataset(channels_first, torch.from_numpy(labels)), batch_size=5)
    network = flt.from_keras(model, preprocess="0..1", class_ids=CLASSES)
    same(flt.profile(network, loader), expected)


class Loader:
    """A data set that names its classes, as those of torchvision and Keras do."""

    def __init__(self, arrays: tuple[np.ndarray, np.ndarray], classes: list[str]) -> None:
        self.arrays, self.classes = arrays, classes

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        return zip(*self.arrays, strict=True)


def test_what_numbers_count(model: object, arrays: tuple[np.ndarray, np.ndarray], caplog) -> None:
    network = flt.from_keras(model, preprocess="0..1", class_ids=CLASSES)
    for names, ids, note in (
        (["a", "b", "c", "d"], ("a", "b", "c"), None),  # other classes than the network's
        ([*reversed(CLASSES)], CLASSES, None),  # the network's in another order
        (["dog", "cat", "van"], CLASSES, f"in its order: dog is {CLASSES[0]}"),  # the network's under other names
    ):
        caplog.clear()
        profile = flt.profile(network, Loader(arrays, names))
        assert profile.class_ids == ids
        assert [message.partition(", ")[2] for message in caplog.messages] == ([note] if note else [])
    assert flt.profile(network, Loader(arrays, [*reversed(CLASSES)])).mean[0] == pytest.approx(profile.mean[2])


def test_numbers_in_files_count_the_networks_classes(
    model: object, arrays: tuple[np.ndarray, np.ndarray], expected, tmp_path: Path, caplog
) -> None:
    network = flt.from_keras(model, preprocess="0..1", class_ids=CLASSES)
    np.savez(tmp_path / "a.npz", images=arrays[0], labels=arrays[1])
    profile = flt.profile(network, tmp_path / "a.npz")
    same(profile, expected)
    assert caplog.messages == [f"the labels in {tmp_path}/a.npz count the network's classes: 0 is {CLASSES[0]}"]
    named = flt.profile(network, tmp_path / "a.npz", class_names={"0": "dog", "1": "cat", "2": "van"})
    assert (named.class_ids, named.class_labels) == (("0", "1", "2"), ("dog", "cat", "van"))
    with open_images(tmp_path / "a.npz") as images:
        evaluation = evaluate(profile, network, images, [flt.Rule("k", 1)], [1])
        assert evaluation.class_ids == CLASSES
        assert evaluation.top1 is not None
        assert evaluate(named, network, images, [flt.Rule("k", 1)], [1]).top1 is None
    kg = flt.run(network, tmp_path / "a.npz", tmp_path / "kg")
    with open_images(tmp_path / "a.npz") as images:
        analysis = find_misclassifications(open_kg(tmp_path / "kg"), network, images)
    assert analysis.n_images == 12
    assert kg.class_("minivan").class_id == CLASSES[2]


def test_labels_in_the_file_of_the_networks_classes(model: object, folder: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "toy.keras")
    (tmp_path / "classes.txt").write_text(f"{CLASSES[0]}, dog\n{CLASSES[1]}\n{CLASSES[2]}, van\n", "utf-8")
    options = {"preprocess": "0..1", "classes": tmp_path / "classes.txt", "class_names": {CLASSES[2]: "car"}}
    assert flt.profile(tmp_path / "toy.keras", folder, **options).class_labels == ("dog", "tabby", "car")
    kg = flt.run(tmp_path / "toy.keras", folder, tmp_path / "kg", **options)
    assert kg.class_("dog").class_id == CLASSES[0]


def test_numbered_folders_stay_as_they_are(
    model: object, arrays: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    for number, (pixels, label) in enumerate(zip(*arrays, strict=True)):
        (tmp_path / str(label)).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / str(label) / f"{number}.png")
    assert flt.profile(model, tmp_path, preprocess="0..1", class_ids=CLASSES).class_ids == ("0", "1", "2")


def test_a_torch_module(arrays: tuple[np.ndarray, np.ndarray], folder: Path) -> None:
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    from torch import nn

    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    options = {"input_size": SIZE, "mean": (0.5,), "std": (0.25,), "class_ids": CLASSES}
    profile = flt.profile(module, folder, **options)
    assert profile.layer_names == ("0",)
    with torch.inference_mode():
        inputs = (torch.from_numpy(arrays[0].transpose(0, 3, 1, 2).astype(np.float32)) / 255 - 0.5) / 0.25
        maps = torch.relu(module[0](inputs)).double().numpy()
    low, high = maps.min(axis=(1, 2, 3)), maps.max(axis=(1, 2, 3))
    activations = (maps.mean(axis=(2, 3)) - low[:, None]) / (high - low)[:, None]
    means = np.stack([activations[arrays[1] == label].mean(axis=0) for label in range(3)])
    np.testing.assert_allclose(profile.mean, means, atol=1e-6)
    ready = (inputs.numpy(), arrays[1])
    np.testing.assert_allclose(flt.profile(module, ready, **options).mean, means, atol=1e-6)


def test_the_whole_job(model: object, arrays: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    kg = flt.run(
        model,
        arrays,
        tmp_path / "kg",
        rules=[flt.Rule("k", 2)],
        class_names={"n02123045": "cat"},
        preprocess="0..1",
        class_ids=CLASSES,
    )
    assert isinstance(kg, flt.KnowledgeGraph)
    dogs = kg.query("filters-by-concept", concept="dog").records()
    assert {row["layer"] for row in dogs} == {"first", "second"}
    assert (tmp_path / "kg" / "exemplars").is_dir()
    text = (tmp_path / "kg" / "tags.csv").read_text("utf-8")
    assert "n02123045,cat," in text
    assert len(text.splitlines()) == 1 + 3 * 2 * 2
    with pytest.raises(flt.FiltagError, match="already holds a KG: choose another output, or replace it"):
        flt.run(model, arrays, tmp_path / "kg", preprocess="0..1", class_ids=CLASSES)


def test_a_profile_is_saved_and_a_pass_goes_on(model: object, folder: Path, expected, tmp_path: Path) -> None:
    seen = []

    def interrupted(done: int, _total: int) -> None:
        seen.append(done)
        if done == 8:
            raise KeyboardInterrupt

    options = flt.PassOptions(batch_size=4)
    network = flt.from_keras(model, preprocess="0..1", class_ids=CLASSES)
    with pytest.raises(KeyboardInterrupt):
        flt.profile(network, folder, output=tmp_path / "p.npz", options=options, progress=interrupted)
    assert not (tmp_path / "p.npz").exists()
    same(flt.profile(network, folder, output=tmp_path / "p.npz", options=options), expected)
    same(flt.load_profile(tmp_path / "p.npz"), expected)
    assert list(tmp_path.iterdir()) == [tmp_path / "p.npz"]


def test_a_split_holds_images_out(model: object, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    options = flt.PassOptions(split=0.5)
    profile = flt.profile(model, arrays, options=options, preprocess="0..1", class_ids=CLASSES)
    assert profile.count.tolist() == [2, 2, 2]
    assert len(profile.held_out) == 6


def test_what_is_no_network(arrays: tuple[np.ndarray, np.ndarray], model: object) -> None:
    with pytest.raises(TypeError, match="a dict is no network: give a name, a file, a Keras model or a torch module"):
        flt.profile({}, arrays)
    network = flt.from_keras(model, preprocess="0..1")
    with pytest.raises(TypeError, match="a network that is loaded takes no options, got layers"):
        flt.profile(network, arrays, layers="all")
    with pytest.raises(flt.FiltagError, match="no network 'vgg15'"):
        flt.profile("vgg15", arrays)
    with pytest.raises(flt.FiltagError, match="the class names are of n9 and others, none of them a class"):
        flt.profile(network, arrays, class_names={"n9": "nine"})
    with pytest.raises(flt.FiltagError, match="memory has 12 images and 5 labels: give as many"):
        flt.profile(network, (arrays[0], arrays[1][:5]))
    assert repr(flt.profile(network, arrays)) == "<Profile of 3 classes on 10 filters of 2 layers>"


def test_the_folder_is_the_function_too() -> None:
    code = (
        "import filtag_kg as flt; from filtag_kg.profile import load_profile; import filtag_kg.profile;"
        "assert callable(flt.profile) and flt.profile.load_profile is load_profile;"
        "\ntry: flt.profile({}, [])\nexcept TypeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("a dict is no network")
    without = subprocess.run(
        [
            sys.executable,
            "-c",
            code.replace("from filtag_kg.profile import load_profile; import filtag_kg.profile;", "").replace(
                "and flt.profile.load_profile is load_profile", ""
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert without.stdout == done.stdout
