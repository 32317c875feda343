"""ImageNet's and Tiny ImageNet's flat validation folders, labelled by their solutions."""

from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.io import savemat

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from tests.images.test_archive import write

IDS = ["n02119789", "n02100735", "n02110185"]
IMAGES = {f"ILSVRC2012_val_0000000{number}.JPEG": str(number).encode() for number in range(1, 5)}
TRUTH = dict(zip(IMAGES, ["n02110185", "n02119789", "n02119789", "n02100735"], strict=True))


def meta():
    """The kit's table of classes, in its own order."""
    synsets = np.zeros(3, [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O")])
    for row, class_id in enumerate(IDS):
        synsets[row] = (float(row + 1), class_id, "a fox")
    file = io.BytesIO()
    savemat(file, {"synsets": synsets[:, None]})
    return file.getvalue()


KAGGLE = "ImageId,PredictionString\n" + "".join(
    f"{name[:-5]},{class_id} 1 2 3 4 {class_id} 5 6 7 8 \n" for name, class_id in reversed(TRUTH.items())
)
KIT = "".join(f"{IDS.index(class_id) + 1}\n" for class_id in TRUTH.values())
SOLUTIONS = {
    "Kaggle": {"LOC_val_solution.csv": KAGGLE.encode()},
    "kit": {"ILSVRC2012_validation_ground_truth.txt": KIT.encode(), "meta.mat": meta()},
    "TensorFlow": {"imagenet_2012_validation_synset_labels.txt": "\n".join(TRUTH.values()).encode()},
}


def truth(path):
    with open_images(path) as images:
        assert [images.read(image) for image in images.images] == [IMAGES[image.name[-28:]] for image in images.images]
        return {image.name[-28:]: image.class_id for image in images.images}


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("kind", ["folder", "images.tar", "images.tar.gz", "images.zip"])
@pytest.mark.parametrize("solution", SOLUTIONS)
def test_a_solution_among_the_images_or_beside_them(tmp_path, kind, solution, caplog):
    for name, images in (("in", IMAGES), ("below", {f"val/{name}": content for name, content in IMAGES.items()})):
        (tmp_path / name).mkdir()
        assert truth(write(kind, tmp_path / name, {**images, **SOLUTIONS[solution]})) == TRUTH
    assert not caplog.messages
    put(tmp_path / "beside", SOLUTIONS[solution])
    assert truth(write(kind, tmp_path / "beside", IMAGES)) == TRUTH
    source = tmp_path / "beside" / next(iter(SOLUTIONS[solution]))
    assert caplog.messages == [f"the labels of {kind} are those of {source}"]


def test_the_folders_of_the_kit_and_of_kaggle(tmp_path):
    put(tmp_path / "a" / "ILSVRC2012_devkit_t12" / "data", SOLUTIONS["kit"])
    assert truth(write("ILSVRC2012_img_val.tar", tmp_path / "a", IMAGES)) == TRUTH
    with open_images(tmp_path / "a" / "ILSVRC2012_img_val.tar") as images:
        digest = images.sha256()
    put(tmp_path / "a", {"LOC_val_solution.csv": KAGGLE.replace(IDS[0], IDS[1]).encode()})
    with open_images(tmp_path / "a" / "ILSVRC2012_img_val.tar") as images:
        assert images.sha256() != digest, "labels are part of it"
    put(tmp_path / "b", SOLUTIONS["Kaggle"])
    put(tmp_path / "b" / "ILSVRC" / "Data" / "CLS-LOC" / "val", IMAGES)
    assert truth(tmp_path / "b" / "ILSVRC" / "Data" / "CLS-LOC" / "val") == TRUTH


def test_tiny_imagenet(tmp_path):
    files = {"val_0.JPEG": IDS[0], "val_1.JPEG": IDS[1]}
    annotations = "".join(f"{name}\t{class_id}\t0\t32\t44\t62\n" for name, class_id in files.items())
    path = write(
        "tiny.zip",
        tmp_path,
        {**{f"tiny/val/images/{name}": b"x" for name in files}, "tiny/val/val_annotations.txt": annotations.encode()},
    )
    for given in (path, path / "tiny" / "val"):
        with open_images(given) as images:
            assert {image.name: image.class_id for image in images.images} == {
                f"tiny/val/images/{name}": class_id for name, class_id in files.items()
            }
            assert not images.left_out


def test_a_solution_of_other_images_says_nothing(tmp_path):
    put(tmp_path, SOLUTIONS["Kaggle"])
    put(tmp_path / "images" / "dog", {"x.jpg": b""})
    with open_images(tmp_path / "images") as images:
        assert images.classes == ("dog",)
    put(tmp_path / "images" / "cat", {f"{name}": b"" for name in IMAGES})
    with open_images(tmp_path / "images") as images:
        assert images.classes == ("cat", "dog"), "folders say the class"


def refusal(path):
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert "\n" not in str(error.value)
    return str(error.value)


KIT_NAME, META = SOLUTIONS["kit"]


def test_mistakes_end_in_one_line(tmp_path):
    put(tmp_path / "val", IMAGES)
    path, truth_file = tmp_path / "val", tmp_path / KIT_NAME
    advice = "put LOC_val_solution.csv, or ILSVRC2012_validation_ground_truth.txt with meta.mat, beside the images"
    assert refusal(path) == f"ILSVRC2012_val_00000001.JPEG in {path} is not in a class folder: {advice}"
    truth_file.write_text(KIT)
    assert refusal(path) == (
        f"{truth_file} numbers the classes in an order of its own, and meta.mat, which explains it, is not beside it: "
        "copy it there from the same kit, or take LOC_val_solution.csv"
    )
    (tmp_path / "meta.mat").write_bytes(b"nonsense")
    assert refusal(path).startswith(f"meta.mat beside {truth_file} cannot be read (")
    (tmp_path / "meta.mat").write_bytes(meta())
    truth_file.write_text("1\n2\n")
    assert refusal(path) == (
        f"{truth_file} has no label of ILSVRC2012_val_00000003.JPEG in {path}, and of 2 images in all: remove them, or "
        "give a list of images with their labels"
    )
    truth_file.write_text("1\n2\n3\n1001\n")
    assert refusal(path) == f"{truth_file} has a line '1001', which is no class of ImageNet: {advice}"
    truth_file.write_bytes(b"\xff")
    assert refusal(path).startswith(f"{truth_file} cannot be read (")
