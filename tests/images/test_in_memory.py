"""Images from Python: arrays, lists and iterables."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageSet, batches, images_from, split_images
from filtag_kg.images.pixels import viewable
from tests.preparations import to

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


@pytest.fixture
def pixels():
    """Six RGB images, 5 pixels high and 6 wide."""
    return np.random.default_rng(0).integers(0, 256, (6, 5, 6, 3), np.uint8)


LABELS = [1, 0, 1, 2, 2, 0]


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def seen(images: ImageSet):
    """Name, classes and decoded pixels of every image, in reading order."""
    found = []
    for batch in batches(images, to(5, 6), 4):
        assert not batch.unreadable
        found += [(x.name, x.class_ids, y) for x, y in zip(batch.images, batch.pixels, strict=True)]
    return sorted(found, key=lambda each: each[0])


def check(images: ImageSet, pixels, labels=("1", "0", "1", "2", "2", "0")):
    with images:
        found = seen(images)
        assert [name for name, _, _ in found] == [str(index) for index in range(len(pixels))]
        assert [class_ids for _, class_ids, _ in found] == [(label,) for label in labels]
        np.testing.assert_array_equal(np.stack([each for _, _, each in found]), pixels)
        assert not images.ready_made


def one_hot(labels):
    return np.eye(3)[labels]


SOURCES = {
    "arrays": lambda x, y: images_from(x, y),
    "a pair of arrays": lambda x, y: images_from((x, np.array(y))),
    "labels as a column": lambda x, y: images_from(x, np.array(y)[:, None]),
    "one-hot labels": lambda x, y: images_from(x, one_hot(y)),
    "channels first": lambda x, y: images_from(np.moveaxis(x, -1, 1), y),
    "larger whole numbers": lambda x, y: images_from(x.astype(np.int64), y),
    "a list of images and labels": lambda x, y: images_from(list(x), y),
    "pairs": lambda x, y: images_from(list(zip(x, y, strict=True))),
    "a tuple of pairs": lambda x, y: images_from(tuple(zip(x, y, strict=True))),
    "an iterator of pairs": lambda x, y: images_from(zip(x, y, strict=True)),
    "batches": lambda x, y: images_from((x[i : i + 4], y[i : i + 4]) for i in (0, 4)),
    "weighted batches": lambda x, y: images_from((x[i : i + 4], one_hot(y[i : i + 4]), [1] * 4) for i in (0, 4)),
    "lists as batches": lambda x, y: images_from((list(x[i : i + 4]), y[i : i + 4]) for i in (0, 4)),
    "rows": lambda x, y: images_from({"image": a, "label": b} for a, b in zip(x, y, strict=True)),
    "rows of bytes": lambda x, y: images_from(
        [{"img": {"bytes": png(a), "path": "x"}, "label": b} for a, b in zip(x, y, strict=True)]
    ),
    "pictures": lambda x, y: images_from(zip(map(Image.fromarray, x), y, strict=True)),
    "files' bytes": lambda x, y: images_from(zip(map(png, x), y, strict=True)),
}


@pytest.mark.parametrize("source", SOURCES)
def test_sources(pixels, source):
    check(SOURCES[source](pixels, LABELS), pixels)


def test_grey_images(pixels):
    grey = pixels[..., 0]
    for images in (
        images_from(grey, LABELS),
        images_from(list(zip(grey, LABELS, strict=True))),
        images_from((grey[i : i + 2], np.array(LABELS[i : i + 2])) for i in (0, 2, 4)),
        images_from(grey[..., None], LABELS),
        images_from(zip((Image.fromarray(each) for each in grey), LABELS, strict=True)),
    ):
        with images:
            (first, *_) = images.images
            assert images.pixels(first).shape == (5, 6, 1)
            assert images.read(first).startswith(b"P5\n6 5\n255\n")
            found = np.concatenate([batch.pixels for batch in batches(images, to(5, 6, 1), 4)])
            order = [int(image.name) for image in images.images]
            np.testing.assert_array_equal(found[..., 0], grey[order])


def test_black_and_white():
    with images_from(np.array([[[True, False]]]), ["a"]) as images:
        assert images.pixels(images.images[0]).ravel().tolist() == [255, 0]


def test_paths_are_called_as_in_a_list(pixels, tmp_path, monkeypatch):
    for index, each in enumerate(pixels):
        (tmp_path / "some").mkdir(exist_ok=True)
        (tmp_path / "some" / f"{index}.png").write_bytes(png(each))
    paths = [tmp_path / "some" / f"{index}.png" for index in range(6)]
    with images_from(paths, LABELS) as images:
        assert [image.name for image in images.images] == ["1.png", "5.png", "0.png", "2.png", "3.png", "4.png"]
        assert [name for name, _, _ in seen(images)] == [f"{index}.png" for index in range(6)]
    monkeypatch.chdir(tmp_path)
    with images_from([(f"some/{index}.png", "a") for index in range(6)]) as images:
        assert images.images[0].name == "some/0.png"
    with images_from(str(tmp_path)) as images:
        assert images.classes == ("some",), "one path is opened"
    with images_from([(paths[0], "a"), (pixels[1], "b"), (png(pixels[2]), "b")]) as images:
        np.testing.assert_array_equal([each for _, _, each in seen(images)], pixels[:3])


def test_several_labels(pixels):
    hot = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 0, 0], [0, 1, 1]])
    expected = [("a", "c"), ("b",), ("c",), ("a", "b", "c"), ("a",), ("b", "c")]
    names = ["a", "b", "c"]
    for images in (
        images_from(pixels, hot, class_names=names),
        images_from(zip(pixels, hot, strict=True), class_names=names),
        images_from(pixels, expected),
        images_from([(x, set(y)) if len(y) == 1 else (x, y) for x, y in zip(pixels, expected, strict=True)]),
        images_from(zip(pixels, [[names.index(each) for each in y] for y in expected], strict=True), class_names=names),
    ):
        with images:
            assert [x.class_ids for x in sorted(images.images, key=lambda image: image.name)] == expected


def test_two_classes_of_one_name_stay_two(pixels):
    with images_from(pixels, LABELS, class_names=["dog", "crane", "crane"]) as images:
        assert images.classes == ("crane (1)", "crane (2)", "dog")
        assert images.labels == {"crane (1)": "crane", "crane (2)": "crane"}


@given(arrays(np.float32, (3, 5, 4, 3), elements=st.floats(-3, 3, width=32)))
def test_ready_made_images_stay_what_they_are(values):
    given = list(values)
    for images in (images_from(values, "aab"), images_from(zip(given, "aab", strict=True)), images_from(given, "aab")):
        with images:
            assert images.ready_made
            for image in images.images:
                found = images.pixels(image)
                assert found.dtype == np.float32
                np.testing.assert_array_equal(found, values[int(image.name)])
                shown = np.asarray(Image.open(io.BytesIO(images.read(image))))
                low, high = found.min(), found.max()
                np.testing.assert_allclose(shown, (found - low) / ((high - low) or 1) * 255, atol=0.51)


def test_ready_made_images_reach_the_network_as_they_are(pixels):
    """What the network's own scaling makes of the pixels is what was given."""
    from filtag_kg.network import Preparation
    from filtag_kg.network.scaling import Scaling

    scaling = Scaling((100.0, 110.0, 120.0), (50.0, 60.0, 70.0), (2, 1, 0))
    preparation = Preparation((5, 6), scaling, crop_share=0.5, resize="crop")
    values = np.random.default_rng(0).normal(0, 1, pixels.shape)
    with images_from(values, LABELS) as images:
        (batch,) = batches(images, preparation, 8)
        order = [int(image.name) for image in batch.images]
    assert batch.pixels.dtype == np.float32
    taken = (batch.pixels[..., [2, 1, 0]] - scaling.mean) / scaling.std
    np.testing.assert_allclose(taken, values[order], atol=1e-5)


def test_arrays_that_the_network_does_not_take_are_unreadable(pixels):
    with images_from(pixels / 255, LABELS) as images:
        (batch,) = batches(images, to(8, 6), 8)
        assert not batch.images
        assert batch.unreadable[0][1] == "its shape is 5 × 6 × 3, and the network takes 8 × 6 × 3"
    bands = np.concatenate([pixels, pixels], axis=-1)
    with images_from(bands, LABELS) as images:
        (batch,) = batches(images, to(5, 6, 6), 8)
        np.testing.assert_array_equal(batch.pixels, bands[[int(image.name) for image in batch.images]])
        assert images.read(images.images[0]).startswith(b"P6\n6 5\n255\n"), "the first three are shown"


def test_an_iterable_is_in_a_temporary_file_until_it_is_closed(pixels, tmp_path, monkeypatch):
    taken = []

    def elements():
        for each in zip(pixels, LABELS, strict=True):
            taken.append(each)
            yield each

    files = []
    make = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: files.append(make(**options)) or files[-1])
    with images_from(elements()) as images:
        assert len(taken) == 6, "once"
        (file,) = files
        assert file.tell() or file.seek(0, io.SEEK_END) == pixels.nbytes
        chosen, held_out = split_images(images.images, 0.5, 0)
        assert len(chosen) == 6
        assert not held_out
        assert not file.closed
    assert file.closed


def test_no_room_for_an_iterable(pixels, monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: Full())
    assert refusal(zip(pixels, LABELS, strict=True)) == (
        f"the images do not fit into {tempfile.gettempdir()} (No space left on device): let TMPDIR name a folder with "
        "more room, or save them as files"
    )


def test_the_hashes_are_those_of_the_images_and_labels(pixels):
    def hashes(x, y, **options):
        with images_from(x, y, **options) as images:
            return images.sha256(), images.listing_sha256()

    assert hashes(pixels, LABELS) == hashes(pixels.copy(), LABELS) == hashes(list(pixels), LABELS)
    with images_from(zip(pixels, LABELS, strict=True)) as images:
        assert (images.sha256(), images.listing_sha256()) == hashes(pixels, LABELS)
        subset = images.only(images.images[:3])
        assert subset.listing_sha256() != images.listing_sha256()
        assert subset.sha256() == images.sha256()
    other = pixels.copy()
    other[3, 2, 1, 0] ^= 1
    for changed in (hashes(other, LABELS), hashes(pixels, LABELS[::-1]), hashes(pixels.astype(float), LABELS)):
        assert not set(changed) & set(hashes(pixels, LABELS))


def refusal(source, labels=None, **options):
    with pytest.raises(FiltagError) as error:
        images_from(source, labels, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


X = np.zeros((2, 5, 4, 3), np.uint8)
PAIRS = "give pairs of an image (pixels, a path or the bytes of a file) and its class, or batches of both"
MISTAKES = {
    "nothing": ((5,), "the images are of type int: give a path, arrays, or pairs to iterate over"),
    "no pairs": (([X[0]],), f"image 0 is of type ndarray alone, without a class: {PAIRS}"),
    "empty": (([],), "there are no images: give some"),
    "no images": ((X[:0], []), "memory has no images: give some"),
    "fewer labels": ((X, [1]), "memory has 2 images and 1 labels: give as many"),
    "a pair with fewer labels": (((X, [1]),), "memory has 2 images and 1 labels: give as many"),
    "fewer labels of a list": ((list(X), [1]), "there are not as many labels as images: give one label for each"),
    "a batch with fewer labels": (
        ([(X, [1])],), f"the batch from image 0 has 2 images and 1 labels: {PAIRS}"
    ),
    "a batch with one label": (([(X, 1)],), f"the batch from image 0 has 2 images and no labels: {PAIRS}"),
    "too many axes": (
        (X[None], [1]),
        "the array of images in memory has shape (1, 2, 5, 4, 3): give (n_images, height, width, channels)",
    ),
    "no axes": (
        ([(np.zeros(5), 1)],),
        "image 0 is an array of shape (5,): give images of shape (height, width), or (height, width, channels)",
    ),
    "large numbers": (
        (X.astype(int) + 300, [0, 1]),
        "image 0 in memory has values from 300 to 300: give pixels from 0 to 255",
    ),
    "not finite": (
        ([(X[0], 0), (np.full((5, 4, 3), np.nan), 0)],),
        "image 1 has values that are not finite: mend it, or leave it out",
    ),
    "too large for 32 bits": (
        (X + 1e300, [0, 1]),
        "image 0 in memory has values that are not finite: mend it, or leave it out",
    ),
    "objects": ((np.array([[[None]]]), [0]), "image 0 in memory is an array of object: give numbers"),
    "mixed": (
        ([(X[0], 0), (X[0] / 255, 0)],),
        "image 1 is another kind than those before: fractions are what the network takes, and cannot be mixed with "
        "pixels or files",
    ),
    "an empty label": ((X, ["a", " "]), "image 1 in memory has an empty label: give one, or leave the image out"),
    "no label": ((X, [[], [1]]), "image 0 in memory has no label: give one, or leave the image out"),
    "None": ((X, [None, 1]), "image 0 in memory has no label: give one, or leave the image out"),
    "a dictionary": ((X, [{"a": 1}, 1]), "image 0 in memory has a label of type dict: give text or a whole number"),
    "an image or a batch": (
        ([(np.zeros((3, 9, 9), np.uint8), np.array([0, 1, 0]))],),
        "image 0 has shape (3, 9, 9) and 3 labels: give images of shape (height, width, channels)",
    ),
    "half a class": ((X, [0.5, 1]), "image 0 in memory has the label 0.5: give a whole number or text"),
    "shares of classes": (
        (X, np.array([[0.5, 0.5], [1, 0]])),
        "image 0 in memory has an array of shape (2,) as its label: give a number, text, or zeros and ones",
    ),
    "two sets": (
        (((X, np.array([1, 0])), (X, np.array([1, 0]))),),
        "the images are several sets, as for training and test, which must not be mixed: give one of them",
    ),
    "a mapping": (
        ({"train": [], "test": []},),
        "the images are a mapping with train, test: give one of its values, or images and labels",
    ),
    "a row without a label": (
        ([{"image": X[0], "caption": "a dog"}],),
        "image 0 is a row with image, caption: name its columns image and label",
    ),
    "no image": (([(5, 1)],), f"image 0 is of type int: {PAIRS}"),
    "no file": (
        ([(Path("/none/x.png"), 1)],),
        "image 0: there is no /none/x.png: mend the paths, which are relative to the working directory",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_end_in_one_line(mistake):
    arguments, message = MISTAKES[mistake]
    assert refusal(*arguments) == message


def test_names_of_classes_are_names():
    assert refusal(X, [0, 1], class_names=["a", " "]) == "class 1 has an empty name: give each class one"


def test_a_number_without_a_name():
    assert refusal(X, [0, 3], class_names=["a", "b"]) == (
        "image 1 in memory has the label 3, and the classes have 2 names: leave the image out, or name more classes"
    )


def test_a_flat_image_is_black():
    assert viewable(np.full((1, 2, 1), 7, np.float32)) == b"P5\n2 1\n255\n\0\0"
