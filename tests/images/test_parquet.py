"""Parquet files with image bytes, written as Hugging Face's `datasets` writes them."""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.images import open_images

pa = pytest.importorskip("pyarrow", reason="the tables extra is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="the tables extra is not installed")

IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
NAMES = {"_type": "ClassLabel", "names": ["cat", "dog", "crane", "crane"]}


def contents(n):
    return [b"image %d" % row * (row + 1) for row in range(n)]


def write(path, labels, *, feature=None, type_=None, image=None, column="label", group=3, extra=None):
    """Write rows with an image and a label each."""
    n = len(labels)
    images = pa.array([{"bytes": content, "path": f"dir/{row}.png"} for row, content in enumerate(contents(n))], IMAGE)
    columns = {"image": images if image is None else image, column: pa.array(labels, type_), **(extra or {})}
    table = pa.table(columns)
    features = {"image": {"_type": "Image"}, **({column: feature} if feature else {})}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=group)
    return path


def labels(path):
    with open_images(path) as images:
        return {image.name: image.class_ids for image in images.reading_order}


@pytest.mark.parametrize("suffix", ["parquet", "pq"])
def test_class_labels_and_bytes(tmp_path, suffix):
    path = write(tmp_path / f"x.{suffix}", [1, 0, 1, 2, 3, 1, 0], feature=NAMES)
    with open_images(path) as images:
        assert images.classes == ("cat", "crane (2)", "crane (3)", "dog")
        assert images.labels == {"crane (2)": "crane", "crane (3)": "crane"}, "two classes are never one"
        assert [image.name for image in images.reading_order] == [f"{row}-{row}.png" for row in range(7)]
        assert images.sequential
        assert [images.read(image) for image in images.reading_order] == contents(7)
        assert images.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
        for row in (6, 0, 4, 4, 3, 5, 1):
            assert images.read(images.reading_order[row]) == contents(7)[row]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(images.read, images.reading_order)) == contents(7)


LABELS = {
    "text": (["dog", " egyptian  cat", "dog"], {}, [("dog",), ("egyptian cat",), ("dog",)]),
    "numbers": ([5, 7, 5], {}, [("5",), ("7",), ("5",)]),
    "several": (
        [[0, 1], [1], [1, 1, 0]],
        {"feature": {"_type": "Sequence", "feature": NAMES}},
        [("cat", "dog"), ("dog",), ("dog", "cat")],
    ),
    "several, newer": ([[0, 1], [1], [1]], {"feature": [NAMES]}, [("cat", "dog"), ("dog",), ("dog",)]),
    "several texts": ([["a", "b"], ["a"], ["b"]], {}, [("a", "b"), ("a",), ("b",)]),
    "bytes as a number": ([1, 0, 1], {"feature": NAMES, "type_": pa.int8()}, [("dog",), ("cat",), ("dog",)]),
    "another name": ([1, 0, 1], {"feature": NAMES, "column": "breed"}, [("dog",), ("cat",), ("dog",)]),
    "no names": ([1, 0, 1], {"feature": {"_type": "ClassLabel", "num_classes": 2}}, [("1",), ("0",), ("1",)]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels(tmp_path, kind):
    values, options, expected = LABELS[kind]
    path = write(tmp_path / "x.parquet", values, **options)
    assert list(labels(path).values()) == expected


def test_images_as_bytes_alone(tmp_path):
    path = write(tmp_path / "x.parquet", ["a", "b"], image=pa.array(contents(2), pa.large_binary()))
    with open_images(path) as images:
        assert {image.name: images.read(image) for image in images.reading_order} == dict(
            zip("01", contents(2), strict=True)
        )


def test_many_rows_in_few_groups_are_read_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("filtag_kg.images.parquet._AT_ONCE", 1)
    path = write(tmp_path / "x.parquet", ["a"] * 50, group=50)
    with open_images(path) as images:
        assert [images.read(image) for image in images.reading_order] == contents(50)


def test_shards_by_pattern_or_folder(tmp_path):
    for shard in range(2):
        write(tmp_path / "set" / "data" / f"train-0000{shard}-of-00002.parquet", [shard, 1], feature=NAMES)
    expected = {
        f"train-0000{shard}-of-00002.parquet/{row}-{row}.png": ("dog",) if (shard or row) else ("cat",)
        for shard in range(2)
        for row in range(2)
    }
    for path in ("set/data/train-{00000..00001}-of-00002.parquet", "set/data", "set"):
        assert labels(tmp_path / path) == expected
    with open_images(tmp_path / "set") as images, open_images(tmp_path / "set" / "data") as again:
        assert images.sha256() == again.sha256()
    test = write(tmp_path / "set" / "data" / "test-00000-of-00001.parquet", [1], feature=NAMES)
    assert refusal(tmp_path / "set") == (
        f"{tmp_path / 'set' / 'data'} holds test and train, parts of a data set that must not be mixed: give the files "
        f"of one, such as {tmp_path / 'set' / 'data' / 'train-00000-of-00002.parquet'}, or several by a pattern with "
        "{00000..00001}"
    )
    assert list(labels(test)) == ["0-0.png"]


def refusal(path):
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_image_that_is_a_path_is_never_opened(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    images = pa.array([{"bytes": None, "path": str(tmp_path / "secret.png")}, {"bytes": b"x", "path": None}], IMAGE)
    path = write(tmp_path / "x.parquet", ["a", "b"], image=images)
    assert refusal(path) == (
        f"{path} has 1 rows with a path or nothing in place of an image: save the data set with the images themselves "
        "in it, or give a list of images with their labels"
    )
    pq.write_table(pq.read_table(path), path, write_statistics=False)
    with open_images(path) as opened:
        assert [opened.read(image) for image in opened.reading_order] == [b"", b"x"], "unreadable, as an empty file is"


def test_columns_that_are_missing_or_not_clear(tmp_path):
    path = tmp_path / "x.parquet"
    write(path, ["a"], image=pa.array([1]))
    assert refusal(path) == f"{path} has no column of images: name the one with the bytes of images image"
    write(path, ["a"], column="caption")
    assert refusal(path) == (f"{path} has no column of labels, among image, caption: name the one to use label")
    both = {name: pa.array([b"x"]) for name in ("left", "right")}
    write(path, ["a"], image=pa.array([1]), extra=both)
    assert refusal(path) == (
        f"{path} has several columns of bytes, left, right: name the one with the bytes of images image"
    )
    table = pa.table({"image": pa.array([b"x"]), "coarse": pa.array([0]), "fine": pa.array([1])})
    metadata = {"huggingface": json.dumps({"info": {"features": {"coarse": NAMES, "fine": NAMES}}})}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    assert refusal(path) == (
        f"{path} has several columns of classes, coarse, fine, among image, coarse, fine: name the one to use label"
    )
    pq.write_table(table.slice(0, 0).rename_columns(["image", "label", "fine"]), path)
    assert refusal(path) == f"{path} has no rows: give a file with images"


@pytest.mark.parametrize("value", [-1, 4, None])
def test_a_row_without_a_label(tmp_path, value):
    path = write(tmp_path / "x.parquet", [0, 1, value], feature=NAMES)
    assert refusal(path) == (
        f"{path}, row 2, column label has no label: give one, or leave the image out"
        if value is None
        else f"{path}, row 2, column label has the label {value}, and the classes have 4 names: leave the image out, "
        "or name more classes"
    )


def test_what_is_damaged_or_something_else(tmp_path):
    path = write(tmp_path / "x.parquet", ["a", "b"])
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    assert refusal(path).startswith(f"{path} cannot be read (")
    path.write_bytes(b"no Parquet")
    assert refusal(path) == f"{path} is not a Parquet file: give one, or a list of images with their labels"
    for metadata in (
        b"{",
        b"[]",
        b'{"info": {"features": 5}}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 5}}}}',
    ):
        table = pa.table({"image": pa.array([b"x"]), "label": pa.array([5])})
        pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), path)
        assert labels(path) == {"0": ("5",)}


def test_a_file_that_unpacks_to_much(tmp_path, monkeypatch):
    monkeypatch.setattr("filtag_kg.images.parquet._UNPACKED_ALWAYS", 2**10)
    image = pa.array([bytes([row]) + bytes(2**20) for row in range(4)])
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"image": image, "label": pa.array(["a"] * 4)}), path, compression="zstd")
    assert " unpacks to 4,1" in refusal(path)


def test_without_pyarrow(tmp_path, monkeypatch):
    path = write(tmp_path / "x.parquet", ["a", "b"])
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError) as error:
        open_images(path)
    assert str(error.value) == "this needs pyarrow, which is not installed: pip install 'filtag-kg[tables]'"


def test_labels_of_two_classes_of_one_name_reach_the_profile(tmp_path):
    keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
    image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")
    from filtag_kg import load_profile
    from tests.cli.terminal import answer

    inputs = keras.Input((4, 4, 3))
    keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs)).save(tmp_path / "x.keras")
    contents = []
    for grey in (1, 100, 150, 200):
        picture = image.new("RGB", (4, 4), (grey, 0, grey))
        picture.putpixel((1, 1), (grey, grey, 0))
        picture.save(tmp_path / "x.png")
        contents.append((tmp_path / "x.png").read_bytes())
    path = write(tmp_path / "x.parquet", [2, 3, 2, 3], feature=NAMES, image=pa.array(contents))
    answer("profile", "--network", tmp_path / "x.keras", "--images", path, "-o", tmp_path / "p.npz", "-q")
    profile = load_profile(tmp_path / "p.npz")
    assert (profile.class_ids, profile.class_labels) == (("crane (2)", "crane (3)"), ("crane", "crane"))
