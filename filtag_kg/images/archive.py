"""Where labelled images lie: a folder, a tar or a zip with a folder per class.

Nothing is extracted, and nothing outside is reached: links are left alone.
"""

from __future__ import annotations

import os
import posixpath
import sys
import tarfile
import threading
import zipfile
from pathlib import Path, PurePosixPath

from filtag_kg.errors import FiltagError
from filtag_kg.files import sha256_of
from filtag_kg.images.image_set import DAMAGE, ImageRef, ImageSet, reason

__all__ = ["IMAGE_SUFFIXES", "open_archive"]

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_ADVICE = "give a folder, .tar or .zip with a folder of images per class"


def open_archive(path: Path) -> ImageSet:
    """List the labelled images in one folder, tar (compressed or not) or zip.

    See :func:`~filtag_kg.images.open_images`.
    """
    try:
        if path.is_dir():
            opened = _open_folder(path)
        elif not path.exists():
            raise FiltagError(f"no images at {path}: check the path")
        elif zipfile.is_zipfile(path):
            opened = _open_zip(path)
        elif tarfile.is_tarfile(path):
            opened = _open_tar(path)
        else:
            raise FiltagError(f"{path} is neither a folder nor a readable tar or zip: {_ADVICE}")
    except DAMAGE as error:
        raise FiltagError(f"{path} cannot be read ({reason(error)}): copy it again, or {_ADVICE}") from None
    if not opened.images:
        opened.close()
        raise FiltagError(f"no images in {path}: {_ADVICE}")
    loose = next((image.name for image in opened.images if not image.class_id), None)
    if loose is not None:
        opened.close()
        raise FiltagError(f"{loose} in {path} lies in no class folder: {_ADVICE}")
    return opened


def _open_folder(path: Path) -> ImageSet:
    sizes: dict[str, int] = {}
    for folder, folders, files in os.walk(path, onerror=_raise):
        # os.walk follows no links to folders, and looks at this list for where to go next.
        folders[:] = [name for name in folders if not _hidden(name)]
        for name in files:
            file = Path(folder, name)
            inside = file.relative_to(path).as_posix()
            if _is_image(inside) and not file.is_symlink() and file.is_file():
                sizes[inside] = file.stat().st_size

    opened = ImageSet(
        path,
        [_ref(name) for name in sizes],
        sizes=sizes,
        read=lambda name: (path / name).read_bytes(),
        close=lambda: None,
        digest=lambda: opened.listing_sha256(),
    )
    return opened


def _open_zip(path: Path) -> ImageSet:
    archive = zipfile.ZipFile(path)
    members = {
        member.filename: member
        for member in archive.infolist()
        if not member.is_dir() and _is_image(member.filename) and not _is_zip_link(member)
    }
    return ImageSet(
        path,
        [_ref(name) for name in members],
        sizes={name: member.file_size for name, member in members.items()},
        read=lambda name: archive.read(members[name]),
        close=archive.close,
        digest=lambda: sha256_of(path),
    )


def _is_zip_link(member: zipfile.ZipInfo) -> bool:
    # The upper half of the attributes is the Unix mode; 0o12 is a symbolic link (APPNOTE 4.4.15).
    return member.external_attr >> 28 == 0o12


def _open_tar(path: Path) -> ImageSet:
    """Index a tar in one pass, and read from it by position.

    In a compressed tar, going back means unpacking from the start again. Its images are therefore to be read
    in the order of the archive, for which memory holds one image.
    """
    try:
        archive = tarfile.open(path, mode="r:")  # noqa: SIM115
        compressed = False
    except tarfile.ReadError:
        archive = tarfile.open(path, mode="r:*")  # noqa: SIM115
        compressed = True
    lock = threading.Lock()
    file = archive.fileobj
    assert file is not None
    try:
        # Where a name occurs twice the last one counts, as it would on extraction.
        spans = {member.name: (member.offset_data, member.size) for member in archive if _is_tar_image(member)}
        _check_end(archive)
    except BaseException:
        archive.close()
        raise

    def read(name: str) -> bytes:
        offset, size = spans[name]
        with lock:
            file.seek(offset)
            content = file.read(size)
        if len(content) != size:
            raise EOFError("the archive is cut off")
        return content

    refs = [_ref(name) for name in sorted(spans, key=lambda name: spans[name])]
    return ImageSet(
        path,
        refs,
        sizes={name: size for name, (_, size) in spans.items()},
        read=read,
        close=archive.close,
        digest=lambda: sha256_of(path),
        reading_order=refs if compressed else None,
    )


def _check_end(archive: tarfile.TarFile) -> None:
    # tarfile takes a damaged header for the end of the archive; the true end is a block of zeros (POSIX pax,
    # ustar format), or of the file.
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise tarfile.ReadError(f"damaged at byte {archive.offset}")


def _is_tar_image(member: tarfile.TarInfo) -> bool:
    return member.isreg() and not member.issparse() and _is_image(member.name)


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not any(_hidden(part) for part in path.parts)


def _hidden(part: str) -> bool:
    return part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))


def _ref(name: str) -> ImageRef:
    # Millions of images share few classes: one string for each class.
    return ImageRef(sys.intern(posixpath.basename(posixpath.dirname(posixpath.normpath(name)))), name)


def _raise(error: OSError) -> None:
    raise error
