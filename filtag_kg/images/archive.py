"""Where labelled images lie: a folder, a tar or a zip with a folder per class.

Nothing is extracted, and nothing outside is reached: links are left alone.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from filtag_kg.errors import FiltagError
from filtag_kg.files import sha256_of

__all__ = ["IMAGE_SUFFIXES", "ImageRef", "ImageSet", "open_images"]

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_ADVICE = "give a folder, .tar or .zip with a folder of images per class"
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, order=True)
class ImageRef:
    """An image that has not been read: images are ordered by class id, then name.

    Parameters
    ----------
    class_id : str
        The name of the folder that the image lies in.
    name : str
        Its path in the folder or archive, with ``/``.
    """

    class_id: str
    name: str


class ImageSet:
    """Labelled images, opened by :func:`open_images`.

    Parameters
    ----------
    path : Path
    images : sequence of ImageRef
        In any order.
    read : callable
        From an image's name to its bytes; from several threads at once.
    close : callable
    digest : callable
        The SHA-256 of what the images lie in.
    reading_order : sequence of ImageRef, optional
        Every image, in the order in which to read them where any other would be slow; else the list's.

    Attributes
    ----------
    images : tuple of ImageRef
        Sorted.
    classes : tuple of str
        The class ids, sorted.
    sequential : bool
        Whether the images are to be read in `reading_order`, one after the other.
    """

    def __init__(
        self,
        path: Path,
        images: Sequence[ImageRef],
        *,
        read: Callable[[str], bytes],
        close: Callable[[], None],
        digest: Callable[[], str],
        reading_order: Sequence[ImageRef] | None = None,
    ) -> None:
        self.path = path
        self.sequential = reading_order is not None
        self.images = tuple(sorted(images))
        self.classes = tuple(sorted({image.class_id for image in images}))
        self.reading_order = self.images if reading_order is None else tuple(reading_order)
        self._read = read
        self._close = close
        self._digest = digest

    def read(self, image: ImageRef) -> bytes:
        """Return the bytes of an image's file; safe from several threads at once.

        Raises
        ------
        FiltagError
            If the archive is damaged there, or the file is gone.
        """
        try:
            return self._read(image.name)
        except _DAMAGE as error:
            raise FiltagError(f"cannot read {image.name} in {self.path.name} ({_reason(error)})") from None

    def sha256(self) -> str:
        """Return the SHA-256 of the archive, or of a folder's list of images with their sizes."""
        return self._digest()

    def __enter__(self) -> Self:
        """Return the images themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the archive."""
        self._close()


def open_images(path: Path) -> ImageSet:
    """List the labelled images in a folder, a tar (compressed or not) or a zip.

    An image is a file whose suffix is among :data:`IMAGE_SUFFIXES`; its class is the folder that it lies in.
    Hidden files, ``__MACOSX`` and links are left out.

    Raises
    ------
    FiltagError
        If there is nothing at `path`, it is damaged or of another kind, or holds no image in a class folder.
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
    except _DAMAGE as error:
        raise FiltagError(f"{path} cannot be read ({_reason(error)}): copy it again, or {_ADVICE}") from None
    if not opened.images:
        opened.__exit__(None, None, None)
        raise FiltagError(f"no images in {path}: {_ADVICE}")
    loose = next((image.name for image in opened.images if not image.class_id), None)
    if loose is not None:
        opened.__exit__(None, None, None)
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

    def digest() -> str:
        listing = "".join(f"{name}\t{sizes[name]}\n" for name in sorted(sizes))
        return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()

    return ImageSet(
        path,
        [_ref(name) for name in sizes],
        read=lambda name: (path / name).read_bytes(),
        close=lambda: None,
        digest=digest,
    )


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
    return ImageRef(PurePosixPath(name).parent.name, name)


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__


def _raise(error: OSError) -> None:
    raise error
