"""Archives and folders as other systems make them: links, names, and what lies beside the images."""

from __future__ import annotations

import io
import logging
import os
import stat
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.errors import FiltagError
from filtag_kg.images import batches, open_images
from filtag_kg.images.listing import LeftOut, is_hidden, readable_name
from tests.preparations import to

ARCHIVES = Path(__file__).with_name("archives")
FILES = {"n01/a.jpg": b"one", "n02/b.jpg": b"two"}
ADVICE = "give a folder, .tar or .zip with a folder of images per class, or a list of images with their labels"


def member(name, kind=tarfile.REGTYPE, *, link="", content=b""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def write_tar(path, *members, mode="w", **options):
    with tarfile.open(path, mode, **options) as archive:
        for info, content in [member(name, content=content) for name, content in FILES.items()] + list(members):
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(path, entries=(), files=FILES):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for entry, content in entries:
            archive.writestr(entry, content)
    return path


def write_folder(path, files=FILES):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zip_entry(name, mode):
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16
    return entry


def contents(path):
    with open_images(path) as images:
        return {(image.class_id, image.name): images.read(image) for image in images.reading_order}


def names(path):
    return sorted(name for _, name in contents(path))


def left_out(path):
    with open_images(path) as images:
        return str(images.left_out)


def refusal(path) -> str:
    with pytest.raises(FiltagError) as error:
        open_images(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_zip_from_windows():
    with open_images(ARCHIVES / "windows.zip") as images:
        assert images.classes == ("car", "cat", "dog")
        assert images.images[0].name == "car/0.png"
        (batch,) = batches(images, to(4, 4), 32)
        assert (len(batch.images), batch.unreadable) == (len(images.images), ())


@pytest.mark.parametrize("mode", ["", ".gz"])
def test_hard_links_in_a_tar(tmp_path, mode):
    path = tmp_path / f"x.tar{mode}"
    if mode:
        import gzip

        path.write_bytes(gzip.compress((ARCHIVES / "hard-links.tar").read_bytes()))
    else:
        path.write_bytes((ARCHIVES / "hard-links.tar").read_bytes())
    with open_images(path) as images:
        assert (len(images.images), images.classes) == (12, ("car", "cat", "dog"))
        assert not images.left_out
        (batch,) = batches(images, to(4, 4), 32)
        assert (len(batch.images), batch.unreadable) == (12, ())


LINKS = [
    ("n03/hard.jpg", tarfile.LNKTYPE, "n01/a.jpg"),
    ("n03/dotted.jpg", tarfile.LNKTYPE, "./n01/a.jpg"),
    ("n03/soft.jpg", tarfile.SYMTYPE, "../n02/b.jpg"),
    ("n03/chain.jpg", tarfile.SYMTYPE, "soft.jpg"),
    ("n03/later.jpg", tarfile.LNKTYPE, "n04/c.jpg"),
    ("n05", tarfile.SYMTYPE, "n01"),
    ("n03/missing.jpg", tarfile.LNKTYPE, "n09/none.jpg"),
    ("n03/itself.jpg", tarfile.SYMTYPE, "itself.jpg"),
    ("n03/first.jpg", tarfile.SYMTYPE, "second.jpg"),
    ("n03/second.jpg", tarfile.SYMTYPE, "first.jpg"),
    ("n03/up.jpg", tarfile.SYMTYPE, "../../x.jpg"),
    ("n03/absolute.jpg", tarfile.SYMTYPE, "/etc/passwd"),
    ("n01/circle", tarfile.SYMTYPE, ".."),
]
LINKED = {
    ("n01", "n01/a.jpg"): b"one",
    ("n02", "n02/b.jpg"): b"two",
    ("n03", "n03/hard.jpg"): b"one",
    ("n03", "n03/dotted.jpg"): b"one",
    ("n03", "n03/soft.jpg"): b"two",
    ("n03", "n03/chain.jpg"): b"two",
    ("n03", "n03/later.jpg"): b"three",
    ("n04", "n04/c.jpg"): b"three",
    ("n05", "n05/a.jpg"): b"one",
}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_links_in_a_tar_are_followed_inside(tmp_path, mode):
    links = [member(name, kind, link=target) for name, kind, target in LINKS]
    path = write_tar(tmp_path / "x.tar", *links, member("n04/c.jpg", content=b"three"), mode=mode)
    assert contents(path) == LINKED
    assert left_out(path) == (
        "links that lead nowhere or in a circle: 5 (such as 'n03/missing.jpg'); "
        "links that lead outside: 2 (such as 'n03/up.jpg')"
    )


def test_links_in_a_zip_are_followed_inside(tmp_path):
    links = [(zip_entry(name, 0o120777), target) for name, kind, target in LINKS if kind == tarfile.SYMTYPE]
    path = write_zip(tmp_path / "x.zip", links)
    expected = {"n03/soft.jpg", "n03/chain.jpg", "n05/a.jpg", *FILES}
    assert set(names(path)) == expected
    assert left_out(path) == (
        "links that lead nowhere or in a circle: 4 (such as 'n03/itself.jpg'); "
        "links that lead outside: 2 (such as 'n03/up.jpg')"
    )


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_in_a_folder_are_followed_inside(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    top = write_folder(tmp_path / "real", {**FILES, ".store/blob": b"four"})
    (top / "n03").mkdir()
    for name, target in {
        "n03/soft.jpg": "../n02/b.jpg",
        "n03/absolute.jpg": top / "n01" / "a.jpg",
        "n03/stored.jpg": "../.store/blob",
        "n05": "n01",
        "n03/outside.jpg": tmp_path / "secret.jpg",
        "n03/itself.jpg": "itself.jpg",
        "n03/missing.jpg": "none.jpg",
        "n01/circle": "..",
        "n06": tmp_path,
    }.items():
        (top / name).symlink_to(target)
    (tmp_path / "link").symlink_to(top)
    for path in (top, tmp_path / "link"):
        assert contents(path) == {
            ("n01", "n01/a.jpg"): b"one",
            ("n02", "n02/b.jpg"): b"two",
            ("n03", "n03/soft.jpg"): b"two",
            ("n03", "n03/absolute.jpg"): b"one",
            ("n03", "n03/stored.jpg"): b"four",
            ("n05", "n05/a.jpg"): b"one",
        }
        assert left_out(path) == (
            "hidden or system folders: 1 ('.store'); "
            "links that lead nowhere or in a circle: 4 (such as 'n01/circle'); "
            "links that lead outside: 2 (such as 'n03/outside.jpg')"
        )


def test_links_cannot_multiply_the_files(tmp_path):
    path = write_tar(tmp_path / "x.tar", *[member(f"l{place}", tarfile.SYMTYPE, link="n01") for place in range(50)])
    assert len(names(path)) == 2 + 20
    assert left_out(path) == "links that would repeat the files more than 10 times: 30 (such as 'l20')"


BESIDE = {
    **FILES,
    "n01/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg": b"",
    "__MACOSX/n01/._a.jpg": b"",
    "n01/._a.jpg": b"",
    "n01/.ipynb_checkpoints/a-checkpoint.jpg": b"",
    "n01/.DS_Store": b"",
    "n02/Thumbs.db": b"",
    "lost+found/x.jpg": b"",
    "n01/notes.txt": b"",
    "n01/x.heic": b"",
    "README": b"",
}


def test_what_systems_put_beside_images_is_counted(tmp_path):
    beside = [member(name) for name in BESIDE if name not in FILES]
    for path in (write_zip(tmp_path / "x.zip", files=BESIDE), write_tar(tmp_path / "x.tar", *beside)):
        assert names(path) == list(FILES)
        assert left_out(path) == (
            "hidden or system files: 7 (such as 'n01/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg'); "
            "files without the suffix of an image: 3 (such as 'n01/notes.txt')"
        )
    path = write_folder(tmp_path / "x", BESIDE)
    (path / "n03").mkdir()
    assert names(path) == list(FILES)
    assert left_out(path) == (
        "hidden or system folders: 4 (such as '__MACOSX'); "
        "files without the suffix of an image: 3 (such as 'README'); "
        "hidden or system files: 3 (such as 'n01/.DS_Store'); "
        "folders without images: 1 ('n03')"
    )


def test_a_note_says_what_is_left_out(tmp_path, caplog):
    for name in "ab":
        write_zip(tmp_path / f"{name}.zip", files={f"{name}/x.jpg": b"", f"{name}/x.txt": b""})
    with caplog.at_level(logging.INFO, "filtag_kg"):
        open_images(tmp_path / "{a,b}.zip").close()
        assert caplog.messages == ["left out of {a,b}.zip: files without the suffix of an image: 2 (such as 'a/x.txt')"]
        caplog.clear()
        with open_images(tmp_path / "a.zip", log=False), open_images(write_zip(tmp_path / "c.zip")):
            assert not caplog.messages


@pytest.mark.parametrize("suffix", [".JPG", ".jfif", ".jpe", ".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".webp", ".TIFF"])
def test_the_endings_of_images(tmp_path, suffix):
    assert names(write_zip(tmp_path / "x.zip", files={f"a/x{suffix}": b""})) == [f"a/x{suffix}"]


def test_pipes_and_devices_are_counted(tmp_path):
    kinds = (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE)
    path = write_tar(tmp_path / "x.tar", *[member(f"n01/{place}.jpg", kind) for place, kind in enumerate(kinds)])
    assert (names(path), left_out(path)) == (list(FILES), "pipes, sockets or devices: 3 (such as 'n01/0.jpg')")
    path = write_zip(tmp_path / "x.zip", [(zip_entry("n01/0.jpg", stat.S_IFIFO | 0o666), b"")])
    assert (names(path), left_out(path)) == (list(FILES), "pipes, sockets or devices: 1 ('n01/0.jpg')")
    if hasattr(os, "mkfifo"):
        path = write_folder(tmp_path / "x")
        os.mkfifo(path / "n01" / "0.jpg")
        assert (names(path), left_out(path)) == (list(FILES), "pipes, sockets or devices: 1 ('n01/0.jpg')")
        assert refusal(path / "n01" / "0.jpg") == f"{path / 'n01' / '0.jpg'} is neither a folder nor a file: {ADVICE}"


def patched(path, name, offset, value):
    """Change a field of the headers of an entry: two bytes at an offset from the flags."""
    content = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.index(name.encode(), content.index(magic))
        at = content.rindex(magic, 0, at)
        struct.pack_into("<H", content, at + flags + offset, value)
    path.write_bytes(content)
    return path


def test_entries_of_a_zip_that_python_cannot_read_are_counted(tmp_path):
    path = patched(write_zip(tmp_path / "x.zip"), "n01/a.jpg", 0, 1)
    assert (names(path), left_out(path)) == (["n02/b.jpg"], "encrypted files: 1 ('n01/a.jpg')")
    path = patched(write_zip(tmp_path / "x.zip"), "n01/a.jpg", 2, 9)
    assert left_out(path) == "files packed by a method that Python does not know (number 9): 1 ('n01/a.jpg')"
    path = patched(write_zip(tmp_path / "x.zip", files={"a/x.jpg": b"x"}), "a/x.jpg", 0, 1)
    assert refusal(path) == f"no images in {path} (left out: encrypted files: 1 ('a/x.jpg')): {ADVICE}"


def test_names_as_archives_write_them(tmp_path):
    odd = {"./a/x.jpg": b"1", "/data/b/x.jpg": b"2", "../../c/x.jpg": b"3", "d//e/../x.jpg": b"4", "A/x.jpg": b"5"}
    members = [member(name, content=content) for name, content in odd.items()]
    for path in (write_zip(tmp_path / "x.zip", files=odd), write_tar(tmp_path / "x.tar", *members)):
        found = {class_id: content for (class_id, _), content in contents(path).items() if len(class_id) == 1}
        assert found == {"a": b"1", "b": b"2", "c": b"3", "d": b"4", "A": b"5"}
    for name in ("../x.jpg", "/x.jpg", "a/../x.jpg"):
        path = write_zip(tmp_path / "x.zip", files={name: b""})
        assert refusal(path) == f"{name} in {path} is not in a class folder: {ADVICE}"
    path = write_tar(
        tmp_path / "x.tar", member("./n01/a.jpg", content=b"again"), member("n02//b.jpg", content=b"again")
    )
    assert list(contents(path).values()) == [b"again", b"again"]


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_in_a_tar(tmp_path, format_):
    name = f"{'f' * 150}/{'é' * 100}.jpg"
    path = write_tar(tmp_path / "x.tar", member(name, content=b"x"), format=format_)
    assert contents(path)["f" * 150, name] == b"x"


def test_names_in_other_code_pages(tmp_path):
    path = tmp_path / "x.tar"
    write_tar(path, member("Bär/x.jpg", content=b"x"), encoding="latin-1", format=tarfile.GNU_FORMAT)
    assert contents(path)["Bär", "Bär/x.jpg"] == b"x"
    if os.name == "posix":
        folder = write_folder(tmp_path / "x", {"a/x.jpg": b""})
        write_folder(folder, {os.fsdecode(b"B\xe4r/\xe4.jpg"): b"x"})
        assert contents(folder)["Bär", "Bär/ä.jpg"] == b"x"
        with open_images(folder) as images:
            assert len(images.sha256()) == 64
    # macOS writes UTF-8 without saying so; others code page 437.
    for raw, expected in (("Bär".encode(), "Bär"), ("Bär".encode("cp437"), "Bär")):
        content = write_zip(tmp_path / "x.zip", files={"B" + "q" * (len(raw) - 2) + "r/x.jpg": b"x"}).read_bytes()
        (tmp_path / "x.zip").write_bytes(content.replace(b"B" + b"q" * (len(raw) - 2) + b"r", raw))
        assert list(contents(tmp_path / "x.zip")) == [(expected, f"{expected}/x.jpg")]


def test_names_that_are_no_text():
    assert readable_name("Bär/x.jpg") == "Bär/x.jpg"
    assert readable_name("\udce4") == "ä"
    with pytest.raises(FiltagError, match=r"^the name '\\ud800' is not text: rename it$"):
        readable_name("\ud800")
    assert is_hidden("a/.b/c.jpg")
    assert not is_hidden("./a/../c.jpg")
    assert not LeftOut()


# Sizes that are not true, or not sensible.


def test_a_tar_with_a_size_below_zero(tmp_path):
    path = write_tar(tmp_path / "x.tar")
    content = bytearray(path.read_bytes())
    for start in (1024, 0):
        header = content[start : start + 512]
        header[124:136] = b"\xff" * 11 + b"\0"
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        path.write_bytes(content[:start] + header + content[start + 512 :])
        assert refusal(path) == f"{path} cannot be read (a size in it makes no sense): copy it again, or {ADVICE}"
    size = struct.pack(">512s", b"18 size=-1000000\n"[:17])
    extended = tarfile.TarInfo("pax")
    extended.type, extended.size = tarfile.XHDTYPE, 17
    path.write_bytes(extended.tobuf() + size + bytes(content))
    assert refusal(path) == f"{path} cannot be read (damaged at byte 0): copy it again, or {ADVICE}"


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_tar_whose_names_are_gigabytes(tmp_path, kind):
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 2**32
    for mode in ("w", "w:gz"):
        path = write_tar(tmp_path / "x.tar", mode=mode)
        with tarfile.open(path, mode) as archive:
            archive.fileobj.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(2**20))
        assert refusal(path).startswith(f"{path} cannot be read (a size in it makes no sense): copy it again")


def test_a_compressed_tar_that_unpacks_to_much(tmp_path, monkeypatch):
    monkeypatch.setattr("filtag_kg.images.archive._UNPACKED_ALWAYS", 2**20)
    path = write_tar(tmp_path / "x.tar.gz", member("a/x.jpg", content=bytes(2**21)), mode="w:gz")
    assert (
        refusal(path) == f"{path} cannot be read (it unpacks to more than 1,048,576 bytes): copy it again, or {ADVICE}"
    )
    names(write_tar(tmp_path / "x.tar", member("a/x.jpg", content=bytes(2**21))))


def test_files_of_more_than_the_most_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("filtag_kg.images.listing.MOST_BYTES", 2**20)
    large = {**FILES, "n01/large.jpg": bytes(2**20 + 1)}
    paths = [
        write_zip(tmp_path / "x.zip", files=large),
        write_tar(tmp_path / "x.tar.gz", member("n01/large.jpg", content=bytes(2**20 + 1)), mode="w:gz"),
        write_folder(tmp_path / "x", large),
    ]
    for path in paths:
        assert (names(path), left_out(path)) == (list(FILES), "files of more than 1 MiB: 1 ('n01/large.jpg')")


def test_sparse_files_are_counted(tmp_path):
    sparse = tarfile.TarInfo("n03/sparse.jpg")
    sparse.type = tarfile.GNUTYPE_SPARSE
    old = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    old[482] = 1  # a list of holes follows: two blocks of it
    old[148:156] = b" " * 8
    old[148:156] = f"{sum(old):06o}\0 ".encode()
    lists = bytes(504) + b"\1" + bytes(7) + bytes(512)
    path = tmp_path / "old.tar"
    path.write_bytes(bytes(old) + lists + write_tar(tmp_path / "x.tar").read_bytes())
    assert (names(path), left_out(path)) == (list(FILES), "sparse files: 1 ('n03/sparse.jpg')")
    new = tarfile.TarInfo("n03/sparse.jpg")
    new.size = 512
    new.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "n03/sparse.jpg",
                       "GNU.sparse.realsize": "1000000000000"}  # fmt: skip
    path = write_tar(tmp_path / "new.tar", (new, b"999999999999\n".ljust(512, b"\0")))
    assert (names(path), left_out(path)) == (list(FILES), "sparse files: 1 ('n03/sparse.jpg')")


def test_entries_of_a_zip_that_lie_over_each_other(tmp_path):
    content = write_zip(tmp_path / "x.zip").read_bytes()
    second = content.rindex(b"PK\1\2")
    (tmp_path / "x.zip").write_bytes(content[: second + 42] + bytes(4) + content[second + 46 :])
    assert refusal(tmp_path / "x.zip") == (
        f"{tmp_path / 'x.zip'} cannot be read (its entries overlap): copy it again, or {ADVICE}"
    )


def test_an_entry_of_a_zip_that_unpacks_to_more_than_it_declares(tmp_path):
    import resource

    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/x.jpg", bytes(300 * 2**20))
        archive.writestr("b/y.jpg", b"y")
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.index(b"PK\1\2") + 24, 100)
    path.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_images(path) as images:
        with pytest.raises(FiltagError, match=r"^cannot read a/x\.jpg in x\.zip \(Bad CRC-32 for file 'a/x\.jpg'\)$"):
            images.read(images.images[0])
        assert images.read(images.images[1]) == b"y"
    # In kilobytes on Linux, in bytes on macOS.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024 * (
        1024 if os.name != "posix" else 1
    )


def test_a_list_of_entries_that_is_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr("filtag_kg.images.archive._MOST_DIRECTORY", 2**12)
    path = write_zip(tmp_path / "x.zip", files={f"a/{place}.jpg": b"" for place in range(100)})
    assert refusal(path) == f"{path} cannot be read (it has too many entries): copy it again, or {ADVICE}"


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path):
    inner = write_zip(tmp_path / "x.zip", files={"other/x.jpg": b""}).read_bytes()
    assert names(write_tar(tmp_path / "x.tar", member("n01/inner.zip", content=inner))) == list(FILES)


def test_what_waits_to_be_decoded_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["filtag_kg.images.batches"], "_MOST_WAITING", 10)
    path = write_tar(tmp_path / "x.tar.gz", *[member(f"a/{i}.jpg", content=b"x" * 9) for i in range(20)], mode="w:gz")
    with open_images(path) as images:
        read = list(batches(images, to(4, 4), 4, workers=2))
    assert [len(batch.unreadable) for batch in read] == [4, 4, 4, 4, 4, 2]
    assert all(batch.pixels.shape == (0, 4, 4, 3) and batch.pixels.dtype == np.uint8 for batch in read)


def archive(kind):
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in FILES.items():
                packed.writestr(name, content)
            packed.writestr(zip_entry("n03/soft.jpg", 0o120777), "../n02/b.jpg")
    else:
        format_ = tarfile.GNU_FORMAT if kind == "gnu" else tarfile.PAX_FORMAT
        with tarfile.open(fileobj=file, mode="w:gz" if kind == "gz" else "w", format=format_) as packed:
            for info, content in [
                *(member(name, content=content) for name, content in FILES.items()),
                *(member(name, kind, link=target) for name, kind, target in LINKS),
                member(f"n06/{'é' * 200}.jpg", content=b"long"),
            ]:
                packed.addfile(info, io.BytesIO(content))
    return file.getvalue()


DAMAGED = {kind: archive(kind) for kind in ("zip", "pax", "gnu", "gz")}
SIZES = (b"\xff" * 12, b"\x80" + bytes(3) + b"\xff" * 8, b"77777777777\0", b"-0000000100\0")


@pytest.mark.parametrize("kind", DAMAGED)
@given(data=st.data())
def test_a_damaged_archive_ends_in_one_line_or_gives_what_it_lists(kind, data, tmp_path_factory):
    content = bytearray(DAMAGED[kind])
    if kind in ("pax", "gnu") and data.draw(st.booleans()):
        # A header with a size of another kind, whose checksum is right.
        start = 512 * data.draw(st.integers(0, len(content) // 512 - 1))
        header = content[start : start + 512]
        header[124:136] = data.draw(st.sampled_from(SIZES))
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        content[start : start + 512] = header
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path = tmp_path_factory.getbasetemp() / f"damaged-{kind}"
    path.write_bytes(content)
    try:
        images = open_images(path)
    except FiltagError:
        return
    with images:
        for image in images.reading_order:
            f"{image.class_id} {image.name}".encode()
            try:
                assert len(images.read(image)) == images.sizes[image.name]
            except FiltagError:
                continue
