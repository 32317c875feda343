"""Read untrusted ``.npz`` files: the one place where NumPy gets bytes that somebody else wrote.

A file states the size of an array three times: in the zip's directory, in the array's header, and by what unpacks. The
first must be sensible, the second must agree with it, and no more than that is unpacked.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Collection
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import reason_of

# Arrays may unpack to this many bytes whatever the file's size: 1,000 classes and 16,000 filters, mean and variance ...
UNPACKED_ALWAYS = 256 * 2**20
# ... and to this many times its size. Deflate packs zeros 1,030 times, padded names 30 times, means hardly at all.
UNPACKED_RATIO = 100
# A profile has eleven arrays, a checkpoint fewer than twenty. The directory takes about 100 bytes per array.
_MOST_ARRAYS = 1_000
_MOST_DIRECTORY = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK = 2**18

# The header as NumPy writes it (numpy.lib.format, version 1.0), for booleans, numbers and text alone.
_PREFIX = 10
_LONGEST_HEADER = 1_000
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<dtype>[<>|][biufU]\d{1,9})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:\d{1,18}(?:,|, )?)*)\), \} *\n",
    re.DOTALL,
)


class NpzError(ValueError):
    """A file is not an ``.npz`` of plain arrays, is damaged, or unpacks to far too much; one line says which."""


def read_npz(file: BinaryIO, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays of booleans, numbers or text.

    Parameters
    ----------
    file : binary file
        Open and seekable.
    names : collection of str, optional
        The arrays to read, as far as the file has them; by default all.

    Returns
    -------
    dict of str to ndarray
        In the file's order. The caller checks what each array holds.

    Raises
    ------
    NpzError
        For any defect of the file.
    """
    try:
        size = file.seek(0, io.SEEK_END)
        with zipfile.ZipFile(ShortReads(file, _MOST_DIRECTORY)) as archive:
            entries = _entries(archive, size)
            return {
                name: _read_array(archive, name, entry)
                for name, entry in entries.items()
                if names is None or name in names
            }
    except NpzError:
        raise
    except MemoryError:
        raise NpzError("too large for the memory") from None
    except Exception as error:  # noqa: BLE001
        # Broad on purpose: a damaged or hostile file makes zipfile raise BadZipFile, zlib.error, struct.error,
        # EOFError, OSError, ValueError, TypeError, IndexError, RuntimeError, NotImplementedError and more.
        raise NpzError(reason_of(error)) from None


def npz_names(file: BinaryIO) -> list[str]:
    """Return the names of the arrays in a file, without reading any.

    Raises
    ------
    NpzError
        For any defect of the file's directory.
    """
    try:
        size = file.seek(0, io.SEEK_END)
        with zipfile.ZipFile(ShortReads(file, _MOST_DIRECTORY)) as archive:
            return list(_entries(archive, size))
    except NpzError:
        raise
    except Exception as error:  # noqa: BLE001
        # Broad on purpose, as in `read_npz`.
        raise NpzError(reason_of(error)) from None


def _entries(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    listed = archive.infolist()
    entries = {entry.filename.removesuffix(".npy"): entry for entry in listed}
    if len(entries) != len(listed):
        raise NpzError("it has two arrays of one name")
    if len(listed) > _MOST_ARRAYS:
        raise NpzError(f"it has {len(listed):,} arrays")
    unpacked = sum(entry.file_size for entry in listed)
    if unpacked > max(UNPACKED_ALWAYS, UNPACKED_RATIO * size):
        raise NpzError(f"its {size:,} bytes unpack to {unpacked:,}")
    return entries


def _read_array(archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type not in _METHODS:
        raise NpzError(f"its array {name!r} is packed in a way that NumPy does not write")
    with archive.open(entry) as stream:
        header = _HEADER.fullmatch(stream.read(_PREFIX) + stream.readline(_LONGEST_HEADER))
        if header is None:
            raise NpzError(f"its array {name!r} holds neither numbers nor text")
        dtype = np.dtype(header["dtype"].decode())
        shape = tuple(int(length) for length in re.findall(rb"\d+", header["shape"]))
        size = math.prod(shape) * dtype.itemsize
        if not dtype.itemsize or size != entry.file_size - stream.tell():
            raise NpzError(f"its array {name!r} is not as large as it says")
        content = bytearray()
        while chunk := stream.read(_CHUNK):
            content += chunk
    if len(content) != size:
        raise NpzError(f"its array {name!r} is cut off")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if header["fortran"] == b"True" else "C")


class ShortReads(io.RawIOBase):
    """A file that refuses to read much at once: `zipfile` reads a directory of any length in one piece."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes of the file."""
        content = self._file.read(self._most + 1 if size is None or size < 0 else min(size, self._most + 1))
        if len(content) > self._most:
            raise NpzError("it has too many entries")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to an offset in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset in the file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True."""
        return True
