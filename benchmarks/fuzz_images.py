"""The images and archives of images that `fuzz.py` damages, and how the pass reads them."""

from __future__ import annotations

import gzip
import io
import json
import logging
import random
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from damage import arrays, cells, recoded
from fuzz_kinds import Kind

from filtag_kg.errors import FiltagError
from filtag_kg.network import Preparation
from filtag_kg.network.scaling import named_scaling

if TYPE_CHECKING:
    from PIL import Image

IMAGE_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "jpeg": {"progressive": True, "comment": b"x", "icc_profile": b"none"}, "png": {}, "gif": {"save_all": True},
    "bmp": {}, "webp": {"save_all": True}, "ppm": {}, "tiff": {"compression": "tiff_lzw"}, "avif": {},
}  # fmt: skip
"""Pillow's options of each, to bring in as many parts of the format as there are."""
# Of a tar's header: where a field starts, how long it is, and odd values for it (POSIX.1-1988, ustar).
_TAR_FIELDS = ((0, 100), (124, 12), (136, 12), (156, 1), (157, 100), (345, 155))
_TAR_CHECKSUM = slice(148, 156)
_TAR_VALUES = (
    b"\xff" * 12,
    b"\x80" + b"\0" * 3 + b"\xff" * 8,
    b"77777777777\0",
    b"-0000000100\0",
    b"\xff" * 11 + b"\0",
)


PREPARATION = Preparation((5, 6), named_scaling("none"))


def picture() -> Image.Image:
    """Return a picture of noise, 10 by 20 pixels."""
    from PIL import Image

    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8))


def image_file(format_: str) -> Callable[[Path], bytes]:
    """Return what makes a picture of a format, turned by its EXIF data where the format has that."""

    def make(_folder: Path) -> bytes:
        from PIL import Image

        exif = Image.Exif()
        exif[0x0112] = 6
        more = {"append_images": [picture().rotate(180)]} if "save_all" in IMAGE_FORMATS[format_] else {}
        if format_ not in ("gif", "bmp", "ppm"):
            more["exif"] = exif
        file = io.BytesIO()
        picture().save(file, format_, **IMAGE_FORMATS[format_], **more)
        return file.getvalue()

    return make


def read_image(path: Path) -> str | None:
    """Decode an image as the pass and the explorer do."""
    from filtag_kg.images import UnreadableImageError, decode, read_file, thumbnail

    try:
        content = read_file(path)
        pixels = decode(content, PREPARATION)
        thumbnail(content)
    except UnreadableImageError as error:
        raise FiltagError(str(error)) from None
    return None if (pixels.shape, pixels.dtype) == ((5, 6, 3), np.uint8) else f"{pixels.shape} of {pixels.dtype}"


def tar_file(format_: int) -> Callable[[Path], bytes]:
    """Return what makes a tar of two classes with long names and links."""

    def make(folder: Path) -> bytes:
        content = image_file("png")(folder)
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=format_) as archive:
            for name in ("a/1.png", "é/2.png", f"a/{'x' * 120}.png"):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            for name, kind, target in (
                ("a/l.png", tarfile.SYMTYPE, "../é/2.png"),
                ("a/h.png", tarfile.LNKTYPE, "a/1.png"),
            ):
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, target
                archive.addfile(member)
        return file.getvalue()

    return make


def zip_file(folder: Path) -> bytes:
    """Return a zip of two classes, one picture packed and one not, and a link."""
    content = image_file("png")(folder)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.png", content, zipfile.ZIP_DEFLATED)
        archive.writestr("é/2.png", content)
        link = zipfile.ZipInfo("a/l.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "../é/2.png")
    return file.getvalue()


def tar_header(rng: random.Random, content: bytes) -> bytes:
    """Change a field of a header, and mend its checksum."""
    changed = bytearray(content)
    start = 512 * rng.randrange(len(content) // 512)
    header = changed[start : start + 512]
    at, length = rng.choice(_TAR_FIELDS)
    value = rng.choice((*_TAR_VALUES, rng.randbytes(1), rng.choice((b"K", b"L", b"S", b"g", b"x", b"1", b"2"))))[
        :length
    ]
    header[at : at + len(value)] = value
    header[_TAR_CHECKSUM] = b" " * 8
    header[_TAR_CHECKSUM] = b"%06o\0 " % sum(header)
    changed[start : start + 512] = header
    return bytes(changed)


def packed_tar_header(rng: random.Random, content: bytes) -> bytes:
    """Do that within a packed tar."""
    return gzip.compress(tar_header(rng, gzip.decompress(content)), 1)


def read_archive(path: Path) -> str | None:
    """List and decode an archive's images as the pass does."""
    from filtag_kg.images import UnreadableImageError, decode, open_images

    logging.getLogger("filtag_kg").setLevel(logging.ERROR)  # What is left out is said for every input.
    with open_images(path) as images:
        for image in images.reading_order:
            if not all(image.class_ids):
                return f"classes named {image.class_ids!r}"
            f"{image.class_ids}{image.name}".encode()
            try:
                decode(images.read(image), PREPARATION)
                images.pixels(image)
            except (FiltagError, UnreadableImageError):
                continue
    return None


def image_list(folder: Path) -> bytes:
    """Return a list of images, one with two labels, that lie beside it."""
    for name in "abc":
        (folder / f"{name}.png").write_bytes(image_file("png")(folder))
    return "path,label,width\na.png,dog,1\nb.png,cat|dog,2\nc.png,Bär,3\na.png,cat,1\n".encode()


def samples(folder: Path) -> bytes:
    """Return a tar of webdataset samples."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in (
            ("0.jpg", image_file("jpeg")(folder)), ("0.cls", b"7"), ("1.png", image_file("png")(folder)),
            ("1.json", b'{"label": ["dog", 3], "url": "x"}'), ("2.png", image_file("png")(folder)),
        ):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def parquet_file(folder: Path) -> bytes:
    """Return a Parquet file as Hugging Face's `datasets` writes it, of two groups of rows."""
    import pyarrow
    from pyarrow.parquet import write_table

    content = image_file("png")(folder)
    table = pyarrow.table(
        {
            "image": pyarrow.array([{"bytes": content, "path": f"{row}.png"} for row in range(4)]),
            "label": pyarrow.array([[0], [1, 0], [1], [0]]),
        }
    )
    label = {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    features = json.dumps({"info": {"features": {"image": {"_type": "Image"}, "label": label}}})
    file = io.BytesIO()
    write_table(table.replace_schema_metadata({"huggingface": features}), file, row_group_size=2)
    return file.getvalue()


def numpy_file(_folder: Path) -> bytes:
    """Return images and labels that NumPy saved."""
    file = io.BytesIO()
    images = np.stack([np.asarray(picture()), np.asarray(picture().rotate(180))])
    np.savez_compressed(file, images=images, labels=np.eye(2), class_names=np.array(["cat", "dog"]))
    return file.getvalue()


IMAGE_KINDS: Mapping[str, Kind] = {
    **{name: Kind(f"image.{name}", image_file(name), read_image) for name in IMAGE_FORMATS},
    "tar": Kind("images.tar", tar_file(tarfile.PAX_FORMAT), read_archive, [tar_header]),
    "gnu-tar": Kind("images.tar", tar_file(tarfile.GNU_FORMAT), read_archive, [tar_header]),
    "packed-tar": Kind(
        "images.tar.gz",
        lambda folder: gzip.compress(tar_file(tarfile.PAX_FORMAT)(folder)),
        read_archive,
        [packed_tar_header],
    ),
    "zip": Kind("images.zip", zip_file, read_archive),
    "image-list": Kind("images.csv", image_list, read_archive, [cells(","), recoded]),
    "webdataset": Kind("images.tar", samples, read_archive, [tar_header]),
    "parquet": Kind("images.parquet", parquet_file, read_archive),
    "image-arrays": Kind("images.npz", numpy_file, read_archive, [arrays]),
}
