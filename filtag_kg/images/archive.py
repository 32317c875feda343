"""Open a folder, a tar or a zip that has a folder of images per class.

Nothing is extracted, and links are followed only where they stay inside.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.files import sha256_of
from filtag_kg.images.decode import read_file
from filtag_kg.images.file_labels import FileLabels, Files
from filtag_kg.images.folders import classes_of_folders, folder_of, parts_of_data, stem_of
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.listing import LeftOut, Listing, is_hidden
from filtag_kg.images.solutions import how_to_label, solution_labels
from filtag_kg.images.webdataset import webdataset_labels
from filtag_kg.npz import UNPACKED_RATIO, ShortReads

_ADVICE = "give a folder, .tar or .zip with a folder of images per class, or a list of images with their labels"
# A compressed tar of any size may unpack to this many bytes; to more only in proportion to its size.
_UNPACKED_ALWAYS = 2**30
# A zip's directory takes about 100 bytes per entry: enough for twice ImageNet.
_MOST_DIRECTORY = 2**28
# Longer than any path, with room for the attributes that systems record.
_MOST_EXTENSION = 2**16
_EXTENSIONS = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
}
# Bytes before an entry's name and content (APPNOTE 4.3.7).
_ENTRY_HEADER = 30
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
# Unpacked in pieces small enough that each fits the memory, whatever size an entry declares.
_CHUNK = 2**13

_Where = TypeVar("_Where")


def open_archive(path: Path) -> ImageSet:
    """List the labelled images in one folder, tar (compressed or not) or zip, or below a folder in such a file.

    See :func:`~filtag_kg.images.open_images`.
    """
    try:
        opened = _open(path)
    except FiltagError:
        raise
    except Exception as error:  # noqa: BLE001
        # Broad on purpose: tarfile, zipfile and the decompressors have no common error, and a damaged or hostile
        # archive makes them raise anything.
        raise FiltagError(f"{path} cannot be read ({reason_of(error)}): copy it again, or {_ADVICE}") from None
    if not opened.images:
        opened.close()
        left_out = f" (left out: {opened.left_out})" if opened.left_out else ""
        raise FiltagError(f"no images in {path}{left_out}: {_ADVICE}")
    return opened


def path_and_inside(path: Path) -> tuple[Path, str]:
    """Split ``images.tar/train`` into the file and the path inside it, which is empty for what is there itself."""
    if path.exists():
        return path, ""
    file = next((parent for parent in path.parents if parent.exists()), None)
    if file is None or not file.is_file():
        return path, ""
    return file, path.relative_to(file).as_posix()


def _open(path: Path) -> ImageSet:
    if path.is_dir():
        return _open_folder(path)
    file, inside = path_and_inside(path)
    if not file.exists():
        raise FiltagError(f"no images at {path}: check the path")
    if not file.is_file():
        raise FiltagError(f"{path} is neither a folder nor a file: {_ADVICE}")
    tar = _tar(file)
    if tar is not None:
        return _open_tar(file, inside, *tar)
    if zipfile.is_zipfile(file):
        return _open_zip(file, inside)
    raise FiltagError(f"{file} is neither a folder nor a readable tar or zip: {_ADVICE}")


def _open_folder(path: Path) -> ImageSet:
    listing: Listing[Path] = Listing()
    _walk(path.resolve(), "", listing, linked=False)
    return _image_set(path, "", listing, read_file, close=lambda: None)


def _walk(top: Path, inside: str, listing: Listing[Path], *, linked: bool) -> None:
    """List the folder `inside`; below a link to a folder, no further links to folders are followed."""
    for entry in sorted(os.scandir(top / inside), key=lambda entry: entry.name):
        name = posixpath.join(inside, entry.name)
        if entry.is_symlink():
            _walk_link(top, name, listing, linked=linked)
        elif entry.is_dir():
            if is_hidden(name):
                listing.left_out.add("hidden or system folders", name)
            else:
                listing.add_folder(name)
                _walk(top, name, listing, linked=linked)
        elif entry.is_file():
            listing.add_file(name, Path(entry.path), entry.stat().st_size)
        else:
            listing.left_out.add("pipes, sockets or devices", name)


def _walk_link(top: Path, name: str, listing: Listing[Path], *, linked: bool) -> None:
    link = top / name
    target = Path(os.path.realpath(link))
    if not target.is_relative_to(top):
        listing.left_out.add("links that lead outside", name)
    elif target.is_file():
        listing.add_file(name, link, target.stat().st_size)
    elif target.is_dir() and not linked and not is_hidden(name) and not link.is_relative_to(target):
        listing.add_folder(name)
        _walk(top, name, listing, linked=True)
    else:
        listing.left_out.add("links that lead nowhere or in a circle", name)


def _open_zip(path: Path, inside: str) -> ImageSet:
    file = path.open("rb")
    try:
        archive = zipfile.ZipFile(ShortReads(file, _MOST_DIRECTORY))
        _refuse_overlaps(archive)
        listing: Listing[zipfile.ZipInfo] = Listing()
        for member in archive.infolist():
            _list_entry(archive, member, listing)
        return _image_set(path, inside, listing, partial(_read_entry, archive), close=file.close)
    except BaseException:
        file.close()
        raise


def _list_entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo, listing: Listing[zipfile.ZipInfo]) -> None:
    name = _entry_name(member)
    # The upper half of the attributes is the Unix mode, if the zip was made by such a system (APPNOTE 4.4.15).
    kind = stat.S_IFMT(member.external_attr >> 16)
    if name.endswith("/"):
        listing.add_folder(name)
    elif member.flag_bits & 1:
        listing.left_out.add("encrypted files", name)
    elif member.compress_type not in _METHODS:
        listing.left_out.add(
            f"files packed by a method that Python does not know (number {member.compress_type})", name
        )
    elif kind == stat.S_IFLNK:
        target = _read_entry(archive, member) if member.file_size <= _MOST_EXTENSION else b"/"
        listing.add_link(name, target.decode("utf-8", "surrogateescape"))
    elif kind in (0, stat.S_IFREG):
        listing.add_file(name, member, member.file_size)
    else:
        listing.left_out.add("pipes, sockets or devices", name)


def _entry_name(member: zipfile.ZipInfo) -> str:
    r"""Return the path of an entry: some programs on Windows write ``\`` between folders, against APPNOTE 4.4.17."""
    name = member.filename
    if not member.flag_bits & 0x800:
        # Without this flag names are in code page 437; yet macOS and Info-ZIP write UTF-8 without setting it.
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    return name.replace("\\", "/")


def _refuse_overlaps(archive: zipfile.ZipFile) -> None:
    """Refuse overlapping entries, by which a small zip may unpack to any size (Fifield 2019)."""
    end = 0
    for member in sorted(archive.infolist(), key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise zipfile.BadZipFile("its entries overlap")
        end = member.header_offset + _ENTRY_HEADER + member.compress_size


def _read_entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # Read at once, zipfile would unpack everything first, and only then cut it to the declared size.
    with archive.open(member) as stream:
        content = b"".join(iter(lambda: stream.read(_CHUNK), b""))
    if len(content) != member.file_size:
        raise zipfile.BadZipFile("its size is not what the archive says")
    return content


class _Member(tarfile.TarInfo):
    """A tar header, with what makes tarfile hang or run out of memory left out: negative sizes, huge lists of holes."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Parse a header."""
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0 or (member.type in _EXTENSIONS and member.size > _MOST_EXTENSION):
            raise tarfile.HeaderError("a size in it makes no sense")
        return member

    def _proc_sparse(self, archive: tarfile.TarFile) -> Self:
        self.sparse = b""
        extended = self._sparse_structs[1]  # type: ignore[attr-defined]
        file = archive.fileobj
        assert file is not None
        while extended:
            extended = file.read(tarfile.BLOCKSIZE)[504]
        self.offset_data = file.tell()
        archive.offset = self.offset_data + self._block(self.size)  # type: ignore[attr-defined]
        return self

    def _proc_gnusparse_10(self, member: _Member, *_: object) -> None:
        member.sparse = b""


def _tar(path: Path) -> tuple[tarfile.TarFile, bool] | None:
    """Return an open tar, and whether it is compressed."""
    for mode in ("r:", "r:*"):
        try:
            return tarfile.open(path, mode, tarinfo=_Member), mode == "r:*"
        except tarfile.ReadError:
            continue
    return None


def _open_tar(path: Path, inside: str, archive: tarfile.TarFile, compressed: bool) -> ImageSet:
    """Index a tar in one pass, and read from it by position.

    In a compressed tar, going back means unpacking from the start again. Its images are therefore read in the order of
    the archive, with one image in memory.
    """
    lock = threading.Lock()
    file = archive.fileobj
    assert file is not None
    latest: tuple[tuple[int, int], bytes] = ((0, 0), b"")

    def read(where: tuple[int, int]) -> bytes:
        nonlocal latest
        offset, size = where
        with lock:
            # Links lead to the file that was just read.
            if latest[0] != where:
                file.seek(offset)
                latest = where, file.read(size)
            content = latest[1]
        if len(content) != size:
            raise EOFError("the archive is cut off")
        return content

    try:
        most = max(_UNPACKED_ALWAYS, UNPACKED_RATIO * path.stat().st_size) if compressed else None
        return _image_set(path, inside, _list_tar(archive, most), read, close=archive.close, in_order=compressed)
    except BaseException:
        archive.close()
        raise


def _list_tar(archive: tarfile.TarFile, most: int | None) -> Listing[tuple[int, int]]:
    listing: Listing[tuple[int, int]] = Listing()
    for member in archive:
        if member.size < 0:
            raise tarfile.ReadError(f"damaged at byte {member.offset}")
        if most is not None and archive.offset > most:
            raise tarfile.ReadError(f"it unpacks to more than {most:,} bytes")
        if member.isdir():
            listing.add_folder(member.name)
        elif member.issparse():
            listing.left_out.add("sparse files", member.name)
        elif member.isreg():
            listing.add_file(member.name, (member.offset_data, member.size), member.size)
        elif member.issym() or member.islnk():
            listing.add_link(member.name, member.linkname, hard=member.islnk())
        else:
            listing.left_out.add("pipes, sockets or devices", member.name)
    _check_end(archive)
    return listing


def _check_end(archive: tarfile.TarFile) -> None:
    # tarfile takes a damaged header for the end of the archive; the true end is a block of zeros (POSIX pax, ustar
    # format), or the end of the file.
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise tarfile.ReadError(f"damaged at byte {archive.offset}")


def _image_set(
    path: Path,
    inside: str,
    listing: Listing[_Where],
    read: Callable[[_Where], bytes],
    *,
    close: Callable[[], None],
    in_order: bool = False,
) -> ImageSet:
    """Return the images of a listing, to be read in the order of their `where` if any other would be slow.

    Parameters
    ----------
    inside : str
        The folder of the listing to be taken; empty for all.
    """
    where = path / inside if inside else path
    files = listing.all_files()
    if inside:
        files = {name: file for name, file in files.items() if name.startswith(f"{inside}/")}
        listing.folders = {name for name in listing.folders if name.startswith(f"{inside}/")}
    beside = Files(where, inside, files, read, in_order=in_order)
    labels = webdataset_labels(beside) or solution_labels(beside)
    images = {file.name: file for file in listing.images(files, labels.used if labels else ())}
    folders = None
    if labels is None:
        classes, folders = _classes_of_folders(where, inside, images)
    else:
        classes = _classes_beside(labels, images, listing.left_out)
        images = {name: file for name, file in images.items() if name in classes}
    names = sorted(images, key=lambda name: (images[name].where, name)) if in_order else list(images)
    refs = [ImageRef(classes[name][0], name, classes[name][1:]) for name in names]
    return ImageSet(
        where,
        refs,
        sizes={name: file.size for name, file in images.items()},
        read=lambda name: read(images[name].where),
        close=close,
        digest=None if path.is_dir() else partial(_digest, path, inside, labels.source if labels else None),
        reading_order=refs if in_order else None,
        left_out=listing.left_out,
        folders=folders,
        labels_from=labels.source if labels else None,
        keyed=labels is not None and labels.keyed,
    )


def _digest(path: Path, inside: str, source: Path | None) -> str:
    """Return the SHA-256 of an archive; of it and what else matters, if a part of it or a file of labels does."""
    digest = sha256_of(path)
    if not inside and source is None:
        return digest
    all_of_it = f"{digest}\t{inside}\t{'' if source is None else sha256_of(source)}"
    return hashlib.sha256(all_of_it.encode("utf-8", "surrogateescape")).hexdigest()


def _classes_beside(labels: FileLabels, images: Iterable[str], left_out: LeftOut) -> dict[str, tuple[str, ...]]:
    """Return the classes of each image that has any; count the others."""
    classes = {}
    for name in images:
        found = labels.class_ids.get(posixpath.normpath(name))
        if found is None:
            left_out.add(labels.without, name)
        else:
            classes[name] = found
    return classes


def _classes_of_folders(
    where: Path, inside: str, names: Iterable[str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return the class of each image's folder, and the folder of each class that is called otherwise."""
    above = len(folder_of(f"{inside}/x"))
    folder_of_image = {name: folder_of(name)[above:] for name in names}
    loose = next((name for name, folder in folder_of_image.items() if not folder), None)
    if loose is not None:
        raise FiltagError(f"{loose} in {where} is not in a class folder: {how_to_label(loose) or _ADVICE}")
    folders = dict.fromkeys(folder_of_image.values())
    parts = parts_of_data(folders)
    if parts:
        *others, last = parts
        raise FiltagError(
            f"{where} holds {', '.join(others)} and {last}, parts of a data set that must not be mixed: give one of "
            f"them, such as {where / _training(parts)}, or a list of images with their labels"
        )
    (class_of,), paths = classes_of_folders([(stem_of(where), folders)])
    return {name: (class_of[folder],) for name, folder in folder_of_image.items()}, paths


def _training(parts: list[str]) -> str:
    return next((part for part in parts if "train" in part.casefold()), parts[0])
