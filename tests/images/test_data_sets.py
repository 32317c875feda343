"""Data sets of TensorFlow, Keras, PyTorch and torchvision, as their users have them."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import images_from

X = np.random.default_rng(0).integers(0, 256, (7, 6, 8, 3), np.uint8)
Y = np.array([1, 0, 1, 2, 2, 0, 1])
FLOATS = X.astype(np.float32) / 127.5 - 1


def check(images, expected=X, labels=tuple(map(str, Y))):  # noqa: B008
    with images:
        assert [x.class_id for x in sorted(images.images, key=lambda image: image.name)] == list(labels)
        for image in images.images:
            np.testing.assert_array_equal(images.pixels(image), expected[int(image.name)])
        assert images.ready_made == (expected.dtype == np.float32)


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras", reason="the cpu extra is not installed")


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow", reason="the cpu extra is not installed")


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the torch extra is not installed")


def save_png(folder, name, pixels):
    from PIL import Image

    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


def test_tf_data(tf):
    dataset = tf.data.Dataset.from_tensor_slices((X, Y))
    check(images_from(dataset))
    check(images_from(dataset.batch(3)))
    check(images_from(dataset.batch(3).prefetch(2)))
    check(images_from(dataset.repeat().take(7)))
    check(images_from(tf.data.Dataset.from_tensor_slices((FLOATS, tf.one_hot(Y, 3))).batch(4)), FLOATS)
    check(images_from(dataset.map(lambda x, y: (x, tf.as_string(y))).batch(2)))
    check(images_from(dataset.map(lambda x, y: {"image": x, "label": y})))
    check(images_from(tf.constant(X), tf.constant(Y)))
    with pytest.raises(FiltagError) as error:
        images_from(dataset.repeat())
    assert str(error.value) == "the data set repeats its images without end: leave repeat() out, or take(n) of it"


def test_tf_data_of_encoded_files(tf):
    dataset = tf.data.Dataset.from_tensor_slices([tf.io.encode_png(x) for x in X])
    labelled = tf.data.Dataset.zip((dataset, tf.data.Dataset.from_tensor_slices(Y)))
    with images_from(labelled) as images:
        for image in images.images:
            assert images.read(image).startswith(b"\x89PNG")
            assert images.pixels(image) is None


def test_a_folder_as_keras_reads_it(keras, tmp_path):
    for index, (x, y) in enumerate(zip(X, Y, strict=True)):
        save_png(tmp_path, f"class{y}/{index}.png", x)
    options = {"image_size": (6, 8), "batch_size": 3, "shuffle": False}
    dataset = keras.utils.image_dataset_from_directory(tmp_path, verbose=False, **options)
    with images_from(dataset) as images:
        assert images.classes == ("class0", "class1", "class2"), "the names that the data set has"
        assert images.ready_made, "Keras makes them floating-point"
        for image in images.images:
            expected = np.concatenate([X[y == Y] for y in range(3)])[int(image.name)]
            np.testing.assert_array_equal(images.pixels(image), expected)


def test_a_sequence_of_keras_ends(keras):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[3 * index : 3 * index + 3], Y[3 * index : 3 * index + 3]

    check(images_from(Batches()))


def test_data_loaders(torch):
    from torch.utils.data import DataLoader, Subset, TensorDataset

    first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(FLOATS, -1, 1)))
    whole = torch.from_numpy(np.ascontiguousarray(np.moveaxis(X, -1, 1)))
    labels = torch.from_numpy(Y)
    check(images_from(DataLoader(TensorDataset(first, labels), batch_size=3)), FLOATS)
    check(images_from(DataLoader(TensorDataset(whole, labels), batch_size=3)))
    check(images_from(DataLoader(TensorDataset(first, labels), batch_size=None)), FLOATS)
    check(images_from(DataLoader(TensorDataset(first, torch.eye(3)[labels]), batch_size=4)), FLOATS)
    check(images_from(DataLoader(Subset(TensorDataset(whole, labels), range(7)), batch_size=7)))
    check(images_from(TensorDataset(whole, labels)))
    check(images_from(whole, labels))
    check(images_from((first, labels)), FLOATS)
    check(images_from(list(zip(whole, labels, strict=True))))
    check(images_from([(list(whole[:4]), labels[:4]), (list(whole[4:]), labels[4:])]))
    half = first.to(torch.bfloat16)
    check(images_from(half.requires_grad_(), labels), np.moveaxis(half.detach().float().numpy(), 1, -1))


def test_square_grey_and_ambiguous_axes(torch):
    from torch.utils.data import DataLoader, TensorDataset

    grey = torch.from_numpy(X[..., :1].copy()).permute(0, 3, 1, 2)
    check(images_from(DataLoader(TensorDataset(grey, torch.from_numpy(Y)), batch_size=3)), X[..., :1])
    without_axis = torch.from_numpy(X[..., 0].copy())
    check(images_from(DataLoader(TensorDataset(without_axis, torch.from_numpy(Y)), batch_size=5)), X[..., :1])
    with pytest.raises(FiltagError) as error:
        images_from(DataLoader(TensorDataset(without_axis, torch.from_numpy(Y)), batch_size=3))
    assert str(error.value) == (
        "image 0 has shape (3, 6, 8) and 3 labels: give images of shape (height, width, channels)"
    )
    # Three channels and three pixels wide: PyTorch writes channels first, others last.
    narrow = X[:, :3, :3]
    check(images_from(torch.from_numpy(narrow.copy()), Y), np.moveaxis(narrow, 1, -1))
    check(images_from(narrow, Y), narrow)


def test_torchvision(torch, tmp_path):
    datasets = pytest.importorskip("torchvision.datasets", reason="the torch extra is not installed")
    from torch.utils.data import DataLoader, random_split
    from torchvision import transforms

    for index, (x, y) in enumerate(zip(X, Y, strict=True)):
        save_png(tmp_path, f"class{y}/{index}.png", x)
    pictures = datasets.ImageFolder(str(tmp_path))
    order = np.concatenate([X[y == Y] for y in range(3)])
    names = tuple(f"class{y}" for y in sorted(Y))
    check(images_from(pictures), order, names)
    tensors = datasets.ImageFolder(str(tmp_path), transforms.ToTensor())
    check(images_from(DataLoader(tensors, batch_size=2)), order.astype(np.float32) / 255, names)
    part, _ = random_split(tensors, [4, 3])
    with images_from(DataLoader(part, batch_size=2)) as images:
        assert len(images.images) == 4
        assert set(images.classes) <= set(names), "a subset has the names of the whole"


def test_names_that_data_sets_bring():
    from filtag_kg.images.elements import names_in

    class Named:
        pass

    whole, loader, table = Named(), Named(), Named()
    whole.wnids, whole.classes = ["n01", "n02"], [("tench", "Tinca tinca"), ("goldfish",)]
    loader.dataset = Named()
    loader.dataset.dataset = whole
    assert names_in(loader) == ["n01", "n02"]
    del whole.wnids
    assert names_in(loader) == ["tench, Tinca tinca", "goldfish"]
    label = Named()
    label.names = ["cat", "dog"]
    table.features = {"image": None, "label": label}
    assert names_in(table) == ["cat", "dog"]
    assert names_in([]) == ()
