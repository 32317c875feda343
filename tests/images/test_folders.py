"""Which class a folder is: nested folders, layouts that people have, parts of data sets."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from filtag_kg.images.folders import class_of_each, classes_of_folders, parts_of_data

KINDS = ["folder", "images.tar", "images.tar.gz", "images.zip"]


def write(path, names):
    """Write empty files into a folder, a tar or a zip."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
    elif ".tar" in path.name:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = 1
                archive.addfile(member, io.BytesIO(b"x"))
    else:
        for name in names:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(b"x")
    return path


def classes(path):
    with open_images(path) as images:
        return {image.name: image.class_id for image in images.images}


def refusal(path):
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert "\n" not in str(error.value)
    return str(error.value)


LAYOUTS = {
    "leaf folders": {"animals/dog/a.jpg": "dog", "animals/cat/b.jpg": "cat", "car/c.jpg": "car"},
    "one name under two parents": {
        "c/church/indoor/a.jpg": "church/indoor",
        "l/library/indoor/b.jpg": "library/indoor",
        "c/church/outdoor/c.jpg": "outdoor",
        "b/bar/d.jpg": "bar",
    },
    "one name at two depths": {"indoor/a.jpg": "indoor", "library/indoor/b.jpg": "library/indoor", "x/c.jpg": "x"},
    "two names alike": {"a/x/in/1.jpg": "a/x/in", "b/x/in/1.jpg": "b/x/in", "c/in/1.jpg": "c/in", "d/1.jpg": "d"},
    "Tiny ImageNet": {"train/n01/images/a.jpg": "n01", "train/n02/images/b.jpg": "n02"},
    "a class called as a part": {"train/a.jpg": "train", "bus/b.jpg": "bus", "train_station/c.jpg": "train_station"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path, kind, layout):
    path = write(tmp_path / kind, LAYOUTS[layout])
    assert classes(path) == LAYOUTS[layout]


FOLDERS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), min_size=1, max_size=9)


@given(FOLDERS)
def test_two_folders_are_never_one_class_and_names_are_as_short_as_that_allows(folders):
    found = class_of_each(folders)
    assert found.keys() == set(folders)
    assert len(set(found.values())) == len(found)
    for folder, class_id in found.items():
        assert class_id
        assert f"/{class_id}/" in f"/{'/'.join(folder)}/"
    lasts = [folder[-1] for folder in found]
    if len(set(lasts)) == len(lasts):
        assert all(class_id == folder[-1] for folder, class_id in found.items())


PARTS = {
    "at the top": (["train/dog/a.jpg", "val/dog/b.jpg", "test/dog/c.jpg"], ["test", "train", "val"]),
    "below": (["data/Train/dog/a.jpg", "data/Test/dog/b.jpg"], ["data/Test", "data/Train"]),
    "in each class": (["dog/train/a.jpg", "dog/valid/b.jpg", "cat/train/c.jpg"], ["dog/train", "dog/valid"]),
    "with a year": (["train2017/dog/a.jpg", "val2017/dog/b.jpg"], ["train2017", "val2017"]),
    "flat": (["train/a.jpg", "val/b.jpg"], ["train", "val"]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", PARTS)
def test_parts_of_data_are_never_mixed(tmp_path, kind, layout):
    names, parts = PARTS[layout]
    path = write(tmp_path / kind, names)
    *others, last = parts
    training = next((part for part in parts if "train" in part.lower()), parts[0])
    assert refusal(path) == (
        f"{path} holds {', '.join(others)} and {last}, parts of a data set that must not be mixed: give one of them, "
        f"such as {path / training}, or a list of images with their labels"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_goes_on_inside(tmp_path, kind):
    names = [f"{part}/{class_id}/{part}.jpg" for part in ("train", "val") for class_id in ("dog", "cat")]
    path = write(tmp_path / kind, names)
    digests = set()
    for part in ("train", "val"):
        with open_images(path / part) as images:
            assert images.classes == ("cat", "dog")
            assert [image.name.rpartition("/")[2] for image in images.images] == [f"{part}.jpg"] * 2
            assert [images.read(image) for image in images.images] == [b"x", b"x"]
            digests.add(images.sha256())
    assert len(digests) == 2, "one part of an archive is not the other"
    assert refusal(path / "test") == (
        f"no images at {path / 'test'}: check the path"
        if kind == "folder"
        else f"no images in {path / 'test'}: give a folder, .tar or .zip with a folder of images per class, or a list "
        "of images with their labels"
    )


def test_shards_are_labelled_together(tmp_path):
    write(tmp_path / "0.tar", ["c/church/indoor/a.jpg", "b/bar/x.jpg"])
    write(tmp_path / "1.tar", ["l/library/indoor/a.jpg", "b/bar/y.jpg"])
    assert classes(tmp_path / "{0..1}.tar") == {
        "0.tar/c/church/indoor/a.jpg": "church/indoor",
        "0.tar/b/bar/x.jpg": "bar",
        "1.tar/l/library/indoor/a.jpg": "library/indoor",
        "1.tar/b/bar/y.jpg": "bar",
    }


def test_the_only_folder_of_a_shard_says_nothing_if_it_is_called_as_the_shard(tmp_path):
    for number in range(2):
        write(tmp_path / f"train-{number}.tar", [f"train-{number}/{class_id}/a.jpg" for class_id in ("n01", "n02")])
    assert sorted(classes(tmp_path / "train-{0..1}.tar").values()) == ["n01", "n01", "n02", "n02"]
    # A shard for each class, in which all folders have one name: there it is all that tells them apart.
    for name in ("n01", "n02"):
        write(tmp_path / f"{name}.tar", [f"{name}/images/a.jpg"])
    assert sorted(classes(tmp_path / "{n01,n02}.tar").values()) == ["n01", "n02"]


def test_each_class_records_its_folder_where_its_name_is_shorter():
    _, paths = classes_of_folders([("x", [("c", "church", "indoor"), ("l", "library", "indoor"), ("bar",)])])
    assert paths == {"church/indoor": "c/church/indoor", "library/indoor": "l/library/indoor"}
    assert parts_of_data([("val",), ("x", "train")]) == []


def test_what_holds_images_itself_is_said(tmp_path):
    path = write(tmp_path / "train.zip", ["n01440764.tar", "n01443537.tar", "data/0.parquet"])
    assert refusal(path) == (
        f"no images in {path} (left out: archives, to be unpacked into a folder each: 2 (such as 'n01440764.tar'); "
        "Parquet files, to be given themselves or by their folder: 1 ('data/0.parquet')): give a folder, .tar or .zip "
        "with a folder of images per class, or a list of images with their labels"
    )


def test_a_note_says_that_folders_of_one_name_are_several_classes(tmp_path, caplog):
    path = write(tmp_path / "x", [f"{year}/{name}/a.jpg" for year in (2019, 2020) for name in ("cat", "dog")])
    open_images(path)
    assert caplog.messages == [
        "folders of one name are classes of their own: 2019/cat, 2019/dog, 2020/cat …; to join them, give a list"
    ]
    caplog.clear()
    open_images(write(tmp_path / "y", ["2019/cat/a.jpg", "2020/dog/a.jpg"]))
    assert not caplog.messages
