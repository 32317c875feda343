"""Real images of Tiny ImageNet in every layout: the same classes and pixels come out of all."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.images import batches, decode, open_images
from tests.preparations import to

pytest.importorskip("PIL.Image", reason="decoding needs Pillow")

Images = dict[str, list[bytes]]
SIZE = to(64, 64)


@pytest.fixture(scope="module")
def files(shared_data: Path) -> Images:
    """Five images each of four classes."""
    found: Images = {}
    with tarfile.open(shared_data / "tiny-imagenet" / "test.tar") as archive:
        for member in archive:
            class_id = member.name.partition("/")[0]
            if len(found) < 4 or class_id in found:
                content = archive.extractfile(member)
                if content is not None and len(found.setdefault(class_id, [])) < 5:
                    found[class_id].append(content.read())
    assert [len(images) for images in found.values()] == [5] * 4
    return found


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def folders(files: Images, folder: Path) -> Path:
    for class_id, images in files.items():
        for index, content in enumerate(images):
            put(folder / "x", f"{class_id}/{index}.JPEG", content)
    return folder / "x"


def nested(files: Images, folder: Path) -> Path:
    for number, (class_id, images) in enumerate(files.items()):
        for index, content in enumerate(images):
            put(folder / "x", f"group{number % 2}/{class_id}/{index}.JPEG", content)
    return folder / "x"


def tiny_train(files: Images, folder: Path) -> Path:
    for class_id, images in files.items():
        put(folder, f"tiny/train/{class_id}/{class_id}_boxes.txt", b"")
        for index, content in enumerate(images):
            put(folder, f"tiny/train/{class_id}/images/{class_id}_{index}.JPEG", content)
    put(folder, "tiny/val/images/val_0.JPEG", b"")
    return folder / "tiny" / "train"


def tiny_val(files: Images, folder: Path) -> Path:
    lines = []
    for number, (class_id, content) in enumerate((c, x) for c, images in files.items() for x in images):
        put(folder, f"val/images/val_{number}.JPEG", content)
        lines.append(f"val_{number}.JPEG\t{class_id}\t0\t0\t62\t62\n")
    put(folder, "val/val_annotations.txt", "".join(lines).encode())
    return folder / "val"


def imagenet_val(files: Images, folder: Path) -> Path:
    rows = ["ImageId,PredictionString"]
    with tarfile.open(folder / "ILSVRC2012_img_val.tar", "w") as archive:
        for number, (class_id, content) in enumerate(((c, x) for c, images in files.items() for x in images), 1):
            member = tarfile.TarInfo(f"ILSVRC2012_val_{number:08}.JPEG")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
            rows.append(f"ILSVRC2012_val_{number:08},{class_id} 0 0 62 62 ")
    put(folder, "LOC_val_solution.csv", "\n".join(rows).encode())
    return folder / "ILSVRC2012_img_val.tar"


def zipped(files: Images, folder: Path) -> Path:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        for part in ("train", "val"):
            for class_id, images in files.items():
                for index, content in enumerate(images if part == "train" else [b""]):
                    archive.writestr(f"set/{part}/{class_id}/{index}.jpg", content)
    return folder / "x.zip" / "set" / "train"


def csv_list(files: Images, folder: Path) -> Path:
    rows = ["path,label"]
    for class_id, images in files.items():
        for index, content in enumerate(images):
            put(folder, f"pictures/{class_id[-3:]}{index}", content)
            rows.append(f"pictures/{class_id[-3:]}{index},{class_id}")
    put(folder, "list.csv", "\n".join(rows).encode())
    return folder / "list.csv"


def webdataset(files: Images, folder: Path) -> Path:
    for shard in range(2):
        with tarfile.open(folder / f"train-{shard}.tar", "w") as archive:
            for class_id, images in files.items():
                for index, content in enumerate(images):
                    if index % 2 == shard:
                        for kind, data in (("cls", class_id.encode()), ("jpg", content)):
                            member = tarfile.TarInfo(f"{class_id}-{index}.{kind}")
                            member.size = len(data)
                            archive.addfile(member, io.BytesIO(data))
    return folder / "train-{0..1}.tar"


def parquet(files: Images, folder: Path) -> Path:
    pa = pytest.importorskip("pyarrow", reason="the tables extra is not installed")
    from pyarrow.parquet import write_table

    names = sorted(files)
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": names}}
    (folder / "data").mkdir()
    for shard in range(2):
        rows = [
            (class_id, content)
            for class_id, images in files.items()
            for index, content in enumerate(images)
            if index % 2 == shard
        ]
        table = pa.table(
            {
                "image": pa.array([{"bytes": content, "path": None} for _, content in rows]),
                "label": pa.array([names.index(class_id) for class_id, _ in rows]),
            }
        )
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        path = folder / "data" / f"train-0000{shard}-of-00002.parquet"
        write_table(table.replace_schema_metadata(metadata), path, row_group_size=4)
    return folder


def npz(files: Images, folder: Path) -> Path:
    pixels = [(class_id, decode(content, SIZE)) for class_id, images in files.items() for content in images]
    images, labels = np.stack([x for _, x in pixels]), np.array([class_id for class_id, _ in pixels])
    np.savez_compressed(folder / "tiny.npz", x_train=images, y_train=labels)
    return folder / "tiny.npz"


LAYOUTS = [
    folders, nested, tiny_train, tiny_val, imagenet_val, zipped, csv_list, webdataset, parquet, npz,
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_same_classes_and_pixels(files: Images, tmp_path: Path, layout) -> None:
    expected = Counter((class_id, decode(x, SIZE).tobytes()) for class_id, images in files.items() for x in images)
    with open_images(layout(files, tmp_path)) as images:
        assert images.classes == tuple(sorted(files))
        found: Counter[tuple[str, bytes]] = Counter()
        for batch in batches(images, SIZE, 8):
            assert not batch.unreadable
            found.update(
                (image.class_id, np.asarray(x).tobytes()) for image, x in zip(batch.images, batch.pixels, strict=True)
            )
    assert found == expected


def test_what_is_odd_in_an_image_does_no_harm_in_a_list(shared_data: Path, tmp_path: Path) -> None:
    odd = shared_data.parent / "cases" / "images"
    names = sorted(path.name for path in odd.iterdir() if path.name not in ("garbage.jpg", "truncated.jpg"))
    shutil.copytree(odd, tmp_path / "odd")
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *(f"odd/{name},odd" for name in names)]))
    with open_images(tmp_path / "list.csv") as images:
        (batch,) = batches(images, SIZE, 32)
    assert (len(batch.images), batch.unreadable) == (len(names), ())
