"""Lists of images with their labels."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import batches, open_images
from tests.preparations import to

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


def png(grey):
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (grey, grey, grey)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Four images in two folders."""
    for number, name in enumerate(("one/a.png", "one/b.png", "two/c.png", "two/d")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(number))
    return tmp_path


def write(folder, text, name="list.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def labels(path):
    with open_images(path) as images:
        return {image.name: image.class_ids for image in images.images}


EXPECTED = {"one/a.png": ("dog",), "two/c.png": ("cat",), "two/d": ("egyptian cat",)}
LISTS = {
    "commas": "path,label\none/a.png,dog\ntwo/c.png,cat\ntwo/d,egyptian cat\n",
    "tabs": "path\tlabel\none/a.png\tdog\ntwo/c.png\tcat\ntwo/d\tegyptian  cat\n",
    "semicolons": "path;label\none/a.png;dog\ntwo/c.png;cat\ntwo/d;egyptian cat\n",
    "a spreadsheet's": '\ufeff"path","label"\r\n"one/a.png","dog"\r\n\r\ntwo/c.png,cat\r\n"two/d","egyptian cat"\r\n',
    "other columns": ",Label,file_name,width\n0,dog,one/a.png,4\n1,cat,./two/c.png,4\n2, egyptian cat ,two/d,4\n",
    "from Windows": "path,label\none\\a.png,dog\ntwo\\c.png,cat\ntwo\\d,egyptian cat\n",
    "one split": "path,label,split\none/a.png,dog,train\ntwo/c.png,cat,train\ntwo/d,egyptian cat,train\n",
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_lists(folder, kind, suffix):
    assert labels(write(folder, LISTS[kind], f"list{suffix}")) == EXPECTED


def test_a_list_in_utf_16(folder):
    (folder / "list.txt").write_text(LISTS["tabs"].replace("dog", "Hündin"), encoding="utf-16")
    assert labels(folder / "list.txt")["one/a.png"] == ("Hündin",)


def test_its_images_are_read_and_decoded(folder):
    with open_images(write(folder, LISTS["commas"])) as images:
        assert images.classes == ("cat", "dog", "egyptian cat")
        (batch,) = batches(images, to(4, 4), 8)
        assert batch.pixels[:, 0, 0, 0].tolist() == [2, 0, 3]
        assert np.ptp(batch.pixels, axis=(1, 2, 3)).max() == 0


def test_several_labels_of_an_image(folder):
    rows = "one/a.png,dog\none/b.png,dog|cat\ntwo/c.png,cat;dog; cat\n./one/../one/a.png,cat\n"
    path = write(folder, f"path,label\n{rows}")
    assert labels(path) == {"one/a.png": ("dog", "cat"), "one/b.png": ("dog", "cat"), "two/c.png": ("cat", "dog")}
    with open_images(path) as images:
        assert images.classes == ("cat", "dog")
        assert len(images.images) == 3, "each image is there once"


def test_images_elsewhere_are_called_by_their_path_from_the_folder_of_all(folder):
    (folder / "lists").mkdir()
    path = write(folder / "lists", f"path,label\n../one/a.png,dog\n{folder / 'two' / 'c.png'},cat\n")
    assert labels(path) == {"one/a.png": ("dog",), "two/c.png": ("cat",)}
    path = write(folder / "lists", f"path,label\n{folder / 'two' / 'd'},dog\n{folder / 'two' / 'c.png'},cat\n")
    assert labels(path) == {"d": ("dog",), "c.png": ("cat",)}


def test_several_lists_as_one(folder):
    for name, rows in (("a", "one/a.png,dog\n"), ("b", "one/a.png,cat\n")):
        write(folder, f"path,label\n{rows}", f"{name}.csv")
    assert labels(folder / "{a,b}.csv") == {"a.csv/one/a.png": ("dog",), "b.csv/one/a.png": ("cat",)}


def test_the_labels_are_part_of_the_hash(folder):
    digests = []
    for text in (LISTS["commas"], LISTS["commas"].replace("dog", "cat"), LISTS["tabs"]):
        with open_images(write(folder, text)) as images:
            digests.append(images.sha256())
    assert digests[0] != digests[1]
    assert digests[0] == digests[2]


ADVICE = "the first line must name the columns path and label"
MISTAKES = {
    "no header": ("one/a.png,dog\n", f"{{0}} has no column path, but one/a.png, dog: {ADVICE}"),
    "no label column": ("path,breed\none/a.png,x\n", f"{{0}} has no column label, but path, breed: {ADVICE}"),
    "two label columns": ("path,label,label\none/a.png,x,y\n", f"{{0}} has two columns label: {ADVICE}"),
    "empty": ("", f"{{0}} has no column path, but nothing: {ADVICE}"),
    "a header alone": ("path,label\n", "{0} lists no images: name one a line, with its label"),
    "no label": ("path,label\n\none/a.png,\n", "{0}, line 3: one/a.png has no label, or an empty one: write it, or "
                 "remove the row"),
    "half a label": ("path,label\none/a.png,dog|\n", "{0}, line 2: one/a.png has no label, or an empty one: write it, "
                     "or remove the row"),
    "no path": ("path,label\n,dog\n", "{0}, line 2: ',dog' does not name an image and its label: write both"),
    "a short row": ("path,label\none/a.png\n", "{0}, line 2: 'one/a.png' does not name an image and its label: write "
                    "both"),
    "not there": ("path,label\none/a.png,dog\none/x.png,dog\none/y.png,dog\n", "{0}, line 3: there is no "
                  "{1}/one/x.png, and 1 more are missing: mend the paths, which are relative to the list's own folder"),
    "a line break": ('path,label\n"a\nb",dog\n', "{0}, line 3: there is no '{1}/a\\nb': mend the paths, which "
                     "are relative to the list's own folder"),
    "a folder": ("path,label\none,dog\n", "{0}, line 2: {1}/one is a folder: name each image in it"),
    "quotes": ('path,label\n"one/a.png"x,dog\n', f"{{0}} is not a table (',' expected after '\"'): {ADVICE}"),
    "parts": ("path,label,split\none/a.png,dog,train\ntwo/c.png,cat,test\n", "{0} lists images of test, train in its "
              "column split, parts of a data set that must not be mixed: keep the rows of one, or remove the column"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_end_in_one_line(folder, mistake):
    text, message = MISTAKES[mistake]
    path = write(folder, text)
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert str(error.value) == message.format(path, folder)


def test_what_is_no_text(folder):
    path = folder / "list.csv"
    path.write_bytes(b"path,label\n\xff,dog\n")
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert str(error.value) == f"{path} is not text in UTF-8: save the list as such"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_is_left_out(folder):
    os.mkfifo(folder / "pipe.png")
    with open_images(write(folder, "path,label\none/a.png,dog\npipe.png,dog\n")) as images:
        assert [image.name for image in images.images] == ["one/a.png"]
        assert "pipes, sockets or devices: 1" in str(images.left_out)
