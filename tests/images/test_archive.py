from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, open_images

FILES = {
    "n02/b.JPEG": b"second",
    "n02/a.png": b"first",
    "n01/deep/x.jpg": b"deeper: its class is the folder it lies in",
    "n01/x.jpg": b"one",
    "n01/notes.txt": b"not an image",
    "n01/.hidden.jpg": b"hidden",
    "__MACOSX/n01/x.jpg": b"a Mac's",
}
REFS = (
    ImageRef("deep", "n01/deep/x.jpg"),
    ImageRef("n01", "n01/x.jpg"),
    ImageRef("n02", "n02/a.png"),
    ImageRef("n02", "n02/b.JPEG"),
)
KINDS = ["folder", "images.tar", "images.tar.gz", "images.tar.bz2", "images.tar.xz", "images.zip"]


def write_tar(path, files, *, mode="w", links=()):
    with tarfile.open(path, mode) as archive:
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write(kind, folder, files=FILES):
    path = folder / kind
    if kind == "folder":
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    elif kind.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        write_tar(path, files.items(), mode="w:" + kind.partition("tar.")[2])
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lists_and_reads_the_same(tmp_path, kind):
    with open_images(write(kind, tmp_path)) as images:
        assert images.images == REFS
        assert images.classes == ("deep", "n01", "n02")
        assert sorted(images.reading_order) == list(REFS)
        for image in images.images:
            assert images.read(image) == FILES[image.name]


@pytest.mark.parametrize("kind", KINDS)
def test_reading_from_many_threads(tmp_path, kind):
    files = {f"c{i % 3}/{i}.jpg": bytes([i]) * (1000 + i) for i in range(60)}
    with open_images(write(kind, tmp_path, files)) as images, ThreadPoolExecutor(8) as pool:
        contents = pool.map(images.read, images.images)
        assert list(contents) == [files[image.name] for image in images.images]


def test_a_compressed_tar_is_read_in_its_own_order(tmp_path):
    files = {f"c{i % 3}/{i:02}.jpg": bytes(i) for i in range(10)}
    with open_images(write("x.tar.gz", tmp_path, files)) as images:
        assert images.sequential
        assert [image.name for image in images.reading_order] == list(files)
    with open_images(write("x.tar", tmp_path, files)) as images:
        assert not images.sequential
        assert images.reading_order == images.images


def test_in_a_tar_the_last_of_a_name_counts(tmp_path):
    write_tar(tmp_path / "x.tar", [("a/x.jpg", b"old"), ("a/x.jpg", b"new")])
    with open_images(tmp_path / "x.tar") as images:
        assert [images.read(image) for image in images.images] == [b"new"]


def test_links_are_left_alone(tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    folder = write("folder", tmp_path)
    (folder / "n01" / "link.jpg").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    write_tar(tmp_path / "x.tar", FILES.items(), links=[("n01/link.jpg", str(secret)), ("n01/up.jpg", "../../x")])
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo("n01/link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(secret))
    for path in (folder, tmp_path / "x.tar", tmp_path / "x.zip"):
        with open_images(path) as images:
            assert images.images == REFS


def test_the_hash_is_the_archive_s_or_the_listing_s(tmp_path):
    archive = write("images.tar", tmp_path)
    with open_images(archive) as images:
        assert images.sha256() == hashlib.sha256(archive.read_bytes()).hexdigest()
    hashes = set()
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        with open_images(write("folder", tmp_path / place)) as images:
            hashes.add(images.sha256())
    assert len(hashes) == 1
    (tmp_path / "b" / "folder" / "n01" / "x.jpg").write_bytes(b"longer")
    with open_images(tmp_path / "b" / "folder") as images:
        assert images.sha256() not in hashes


def refusal(path) -> str:
    with pytest.raises(FiltagError) as error:
        open_images(path)
    message = str(error.value)
    assert "\n" not in message
    return message


ADVICE = "give a folder, .tar or .zip with a folder of images per class, or a list of images with their labels"


def test_mistakes_end_in_one_line(tmp_path):
    assert refusal(tmp_path / "none") == f"no images at {tmp_path / 'none'}: check the path"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refusal(empty) == f"no images in {empty}: {ADVICE}"
    (empty / "x.jpg").write_bytes(b"")
    assert refusal(empty) == f"x.jpg in {empty} is not in a class folder: {ADVICE}"
    write_tar(tmp_path / "loose.tar", [("./x.jpg", b"x")])
    assert refusal(tmp_path / "loose.tar") == f"./x.jpg in {tmp_path / 'loose.tar'} is not in a class folder: {ADVICE}"
    text = tmp_path / "text.tar"
    text.write_text("no archive at all")
    assert refusal(text) == f"{text} is neither a folder nor a readable tar or zip: {ADVICE}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "folder"])
def test_an_archive_that_is_cut_off(tmp_path, kind):
    files = {f"c{i % 3}/{i}.jpg": hashlib.sha512(bytes([i])).digest() * 40 for i in range(60)}
    path = write(kind, tmp_path, files)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    message = refusal(path)
    assert message.startswith(str(path))
    assert ADVICE in message


def test_a_damaged_header_inside_a_tar(tmp_path):
    path = tmp_path / "x.tar"
    write_tar(path, [(f"a/{i}.jpg", b"x" * 512) for i in range(9)])
    content = bytearray(path.read_bytes())
    content[4096:4196] = b"\xff" * 100
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path} cannot be read (damaged at byte 4096)")


def test_a_damaged_file_inside_a_zip(tmp_path):
    path = write("x.zip", tmp_path, {"a/x.jpg": b"x" * 100, "b/y.jpg": b"y" * 100})
    content = bytearray(path.read_bytes())
    at = content.index(b"x" * 100)
    content[at : at + 10] = b"z" * 10
    path.write_bytes(content)
    with open_images(path) as images:
        with pytest.raises(FiltagError, match=r"^cannot read a/x\.jpg in x\.zip "):
            images.read(images.images[0])
        assert images.read(images.images[1]) == b"y" * 100
