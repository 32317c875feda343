"""Images and labels that NumPy saved."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images

X = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), np.uint8)
Y = np.array([1, 0, 1, 2, 2, 0])
ADVICE = "save both in one file with np.savez(…, images=…, labels=…)"


def save(folder, *, compressed=False, **arrays):
    path = folder / "x.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def refusal(path):
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("image", "label"),
    [("images", "labels"), ("x", "y"), ("x_train", "y_train"), ("X_train", "y_train"), ("train_images", "train_labels"),
     ("image", "label"), ("data", "targets"), ("test_x", "test_y")],
)  # fmt: skip
def test_names_of_arrays(tmp_path, image, label, compressed):
    path = save(tmp_path, compressed=compressed, weights=np.zeros(3), **{image: X, label: Y[:, None]})
    with open_images(path) as images:
        assert images.classes == ("0", "1", "2")
        for each in images.images:
            assert each.class_id == str(Y[int(each.name)])
            np.testing.assert_array_equal(images.pixels(each), X[int(each.name)])


def test_text_names_floats_and_several_labels(tmp_path):
    with open_images(save(tmp_path, images=X, labels=np.array(["dog", "cat"] * 3))) as images:
        assert images.classes == ("cat", "dog")
    names = np.array(["dog", "crane", "crane"])
    hot = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 0, 0], [0, 1, 1]])
    with open_images(save(tmp_path, images=X / 255, labels=hot, class_names=names)) as images:
        assert images.classes == ("crane (1)", "crane (2)", "dog")
        assert ("dog", "crane (1)", "crane (2)") in {image.class_ids for image in images.images}
        assert images.ready_made
        assert images.pixels(images.images[0]).dtype == np.float32


def test_parts_are_asked_for(tmp_path):
    path = save(tmp_path, x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2])
    assert refusal(path) == (
        f"{path} holds test and train, parts of a data set that must not be mixed: give one of them, as "
        f"{path / 'train'}"
    )
    digests = set()
    for part, n in (("train", 6), ("test", 2), ("x_test", 2), ("y_train", 6)):
        with open_images(path / part) as images:
            assert len(images.images) == n
            digests.add(images.sha256())
    assert len(digests) == 2
    assert (
        refusal(path / "val") == f"{path} has no images and labels val, but x_train, y_train, x_test, y_test: {ADVICE}"
    )


def test_several_files_as_one(tmp_path):
    for name, part in (("a", slice(3)), ("b", slice(3, 6))):
        np.savez(tmp_path / f"{name}.npz", images=X[part], labels=Y[part])
    with open_images(tmp_path / "{a,b}.npz") as images:
        assert images.classes == ("0", "1", "2")
        for image in images.images:
            first = 0 if image.name.startswith("a.npz/") else 3
            np.testing.assert_array_equal(images.pixels(image), X[first + int(image.name[-1])])
    np.savez(tmp_path / "c.npz", images=X / 255, labels=Y)
    np.savez(tmp_path / "d.npz", images=X / 255, labels=Y)
    with open_images(tmp_path / "{c,d}.npz") as images:
        assert images.ready_made
    assert refusal(tmp_path / "{a,c}.npz") == (
        f"{tmp_path / 'a.npz'} and the other shards are pixels in part, and in part what a network takes: give those "
        "of one kind"
    )


def test_mistakes_end_in_one_line(tmp_path):
    assert refusal(save(tmp_path, a=X, b=Y)) == f"{tmp_path / 'x.npz'} has no array images, but a, b: {ADVICE}"
    assert refusal(save(tmp_path, x=X, b=Y)) == f"{tmp_path / 'x.npz'} has no array labels, but x, b: {ADVICE}"
    path = save(tmp_path, images=X, labels=Y[:5])
    assert refusal(path) == f"{path} has 6 images and 5 labels: give as many"
    path = save(tmp_path, images=X[0, 0], labels=Y[:7])
    assert refusal(path) == (
        f"the array of images in {path} has shape (7, 3): give (n_images, height, width, channels)"
    )
    path = save(tmp_path, images=X, labels=np.array([None] * 6))
    assert refusal(path) == (
        f"{path} cannot be read (its array 'labels' holds neither numbers nor text): {ADVICE}, of numbers or text"
    )
    path = save(tmp_path, images=np.zeros((2, 2, 2), complex), labels=Y[:2])
    assert refusal(path) == (
        f"{path} cannot be read (its array 'images' holds neither numbers nor text): {ADVICE}, of numbers or text"
    )
    path.write_bytes(path.read_bytes()[:-30])
    assert refusal(path).startswith(f"{path} cannot be read (")
    np.save(tmp_path / "x.npy", X)
    assert refusal(tmp_path / "x.npy") == (
        f"{tmp_path / 'x.npy'} has images without labels, or the other way round: {ADVICE}"
    )
