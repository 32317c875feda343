"""Samples of a webdataset: images whose classes are in files of the same name."""

from __future__ import annotations

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from tests.images.test_archive import write

KINDS = ["folder", "images.tar", "images.tar.gz", "images.zip"]


def labels(path):
    with open_images(path) as images:
        return {image.name: image.class_ids for image in images.images}


SAMPLES = {
    "000.jpg": b"zero",
    "000.cls": b"7",
    "001.png": b"one",
    "001.cls": b" egyptian  cat \n",
    "001.seg.png": b"not the image",
    "001.txt": b"a caption",
    "002.jpg": b"two",
    "002.json": b'{"caption": "x", "label": 3}',
    "003.jpg": b"three",
    "003.cls": b"7\n8\n",
    "004.jpg": b"four",
    "004.json": b'{"labels": ["dog", 8, "dog"]}',
    "005.v2.jpg": b"not an image of a sample",
    "006.jpg": b"without a label",
}


@pytest.mark.parametrize("kind", KINDS)
def test_samples(tmp_path, kind):
    path = write(kind, tmp_path, SAMPLES)
    with open_images(path) as images:
        assert {image.name: image.class_ids for image in images.images} == {
            "000.jpg": ("7",),
            "001.png": ("egyptian cat",),
            "002.jpg": ("3",),
            "003.jpg": ("7", "8"),
            "004.jpg": ("dog", "8"),
        }
        assert images.classes == ("3", "7", "8", "dog", "egyptian cat")
        assert [images.read(image) for image in images.reading_order] == [
            SAMPLES[image.name] for image in images.reading_order
        ]
        assert str(images.left_out) == (
            "files without the suffix of an image: 1 ('001.txt'); images without a class in a .cls or .json file of "
            "their name: 3 (such as '001.seg.png')"
        )


def test_json_beside_images_in_folders_of_classes_says_nothing(tmp_path):
    files = {"dog/x.jpg": b"x", "dog/x.json": b"{}", "cat/y.jpg": b"y"}
    assert labels(write("x.tar", tmp_path, files)) == {"dog/x.jpg": ("dog",), "cat/y.jpg": ("cat",)}
    files["dog/x.cls"] = b"1"
    files["cat/y.cls"] = b"2"
    assert labels(write("y.tar", tmp_path, files)) == {"dog/x.jpg": ("1",), "cat/y.jpg": ("2",)}


def test_shards(tmp_path):
    for shard in range(2):
        samples = {f"{shard}{index}.{kind}": b"x" for index in range(2) for kind in ("jpg", "cls")}
        write(f"train-{shard}.tar", tmp_path, samples)
    assert set(labels(tmp_path / "train-{0..1}.tar")) == {
        *(f"train-{shard}.tar/{shard}{index}.jpg" for shard in range(2) for index in range(2))
    }
    write("train-2.tar", tmp_path, {"00.jpg": b"x", "00.cls": b"x"})
    with pytest.raises(FiltagError) as error:
        open_images(tmp_path / "train-{0..2}.tar")
    assert str(error.value) == (
        "two shards, train-0.tar and train-2.tar, have a sample 00: a key names one sample, so leave out the shard "
        "that is there twice, or give the samples other keys"
    )


MISTAKES = {
    "empty": ({"0.cls": b"\n"}, "0.cls in {} names no class: write one into it, or remove the sample"),
    "not text": ({"0.cls": b"\xff"}, "0.cls in {} is not text in UTF-8: save its labels as such"),
    "large": ({"0.cls": bytes(2**20 + 1)}, "0.cls in {} is too large to hold labels: remove it"),
    "no label": (
        {"0.json": b'{"caption": "a dog", "url": ""}'},
        "0.json in {} names no class, but caption, url: give the class as label, or in a .cls file",
    ),
    "no JSON": ({"0.json": b"{"}, "0.json in {} is not JSON (Expecting property name enclosed in double quotes: line 1 "
                "column 2 (char 1)): mend it, or remove the sample"),
    "no class": (
        {"0.json": b'{"label": 0.5}'},
        "0.json in {} has a label that is neither text nor a whole number: write one",
    ),
    "null": ({"0.json": b'{"label": null}'}, "0.json in {} has a label that is neither text nor a whole number: write "
             "one"),
    "an empty list": ({"0.json": b'{"label": []}'}, "0.json in {} names no class: write one into it, or remove the "
                      "sample"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_end_in_one_line(tmp_path, mistake):
    files, message = MISTAKES[mistake]
    path = write("x.tar", tmp_path, {"0.jpg": b"", **files})
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert str(error.value) == message.format(path)
