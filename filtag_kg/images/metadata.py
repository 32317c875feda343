"""The metadata of image files: the orientation is read, the rest is removed before decoding.

Decoders fail on a comment with a wrong checksum, a truncated colour profile or a rational number with denominator 0,
though none of these affects a pixel. Only the parts of a JPEG, PNG or TIFF that decoding needs are kept.
"""

from __future__ import annotations

import zlib
from typing import Literal

_UPRIGHT = 1
_ORIENTATION = 0x0112
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Markers of JPEG (ITU-T T.81, table B.1).
_START, _END, _SCAN, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_ALONE = {0x00, 0x01, *range(0xD0, 0xD8)}
_BESIDES = {*range(0xE0, 0xF0), 0xFE}
# Two application segments define the colour space, if they are whole: (marker, name, shortest length).
_COLOURS = ((0xE0, b"JFIF\0", 16), (0xEE, b"Adobe", 14))
# Tags of TIFF 6.0 and its supplements that define how the pixels are stored: all others are removed.
_STORAGE = {
    *(254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332),
    *(338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 559),
}
_SHORT = 3
# No real directory has more; BigTIFF could count to 2 ** 64.
_MOST_ENTRIES = 2**16


def strip_metadata(content: bytes) -> tuple[bytes, int]:
    """Return an image file without the metadata that does not affect its pixels, and its orientation.

    Parameters
    ----------
    content : bytes
        A file of any kind, perhaps damaged: whatever is not understood is kept.

    Returns
    -------
    content : bytes
        A TIFF keeps only its first image.
    orientation : int
        1 to 8 as in EXIF; 1, which is upright, if none can be read.
    """
    if content.startswith(_JPEG):
        return _stripped_jpeg(content)
    if content.startswith(_PNG):
        return _stripped_png(content)
    if content.startswith(_TIFF):
        return _stripped_tiff(content), exif_orientation(content)
    return content, _UPRIGHT


def exif_orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, from 1 to 8; 1 if there is none, or it is of another type.

    EXIF data is a TIFF without pixels; programs put one prefix ``Exif`` before it, or two.
    """
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    directory = _Directory(exif)
    for offset in directory.entries():
        tag, kind, count = directory.entry(offset)
        if tag == _ORIENTATION:
            value = directory.number(offset + directory.value, 2)
            return value if (kind, count) == (_SHORT, 1) and 1 <= value <= 8 else _UPRIGHT
    return _UPRIGHT


class _Directory:
    """The first directory of a TIFF, classic (42) or BigTIFF (43); empty if there is none.

    Attributes
    ----------
    start, counted, count : int
        Offset of the directory, bytes of its count of entries, and that count.
    length, value : int
        Bytes of an entry, and the offset of the value in it.
    next : int
        Bytes of the offset of the next directory, which follows the entries.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"
        big = content[2:4] in (b"+\0", b"\0+")
        self.counted, self.length, self.value, self.next = (8, 20, 12, 8) if big else (2, 12, 8, 4)
        # The offset of the first directory follows a header of as many bytes as it has itself.
        self.start = self.number(self.next, self.next) if content[:4] in _TIFF else len(content)
        self.count = min(self.number(self.start, self.counted), _MOST_ENTRIES)

    def number(self, offset: int, length: int) -> int:
        """Return the number at an offset; bytes beyond the file's end are ignored."""
        return int.from_bytes(self._content[offset : offset + length], self.order)

    def entries(self) -> range:
        """Return the offsets of the entries that are within the file."""
        first = self.start + self.counted
        last = min(first + self.count * self.length, len(self._content) - self.length + 1)
        return range(first, last, self.length)

    def entry(self, offset: int) -> tuple[int, int, int]:
        """Return tag, type and count of the entry at an offset."""
        return self.number(offset, 2), self.number(offset + 2, 2), self.number(offset + 4, self.value - 4)


def _stripped_jpeg(content: bytes) -> tuple[bytes, int]:
    """Remove the application segments and comments before the first scan."""
    kept = [content[:2]]
    orientation: int | None = None
    end = 2
    while True:
        # Decoders tolerate stray bytes between segments.
        start = content.find(b"\xff", end)
        if start < 0:
            break
        marker = content[start + 1 : start + 2]
        if marker == b"\xff" or (marker and marker[0] in _ALONE):
            end = start + 1
            continue
        if not marker or marker[0] in (_START, _END, _SCAN):
            kept.append(content[start:])
            break
        end = start + 2 + max(2, int.from_bytes(content[start + 2 : start + 4], "big"))
        segment = content[start:end]
        if marker[0] == _APP1 and orientation is None and segment[4:10] == b"Exif\0\0":
            orientation = exif_orientation(segment[4:])
        if marker[0] not in _BESIDES or any(
            marker[0] == colour and segment[4:].startswith(name) and len(segment) >= 2 + shortest
            for colour, name, shortest in _COLOURS
        ):
            kept.append(segment)
    return b"".join(kept), orientation or _UPRIGHT


def _stripped_png(content: bytes) -> tuple[bytes, int]:
    """Remove the chunks whose names begin with a small letter, which decoders do not need (PNG, section 5.4)."""
    kept = [_PNG]
    orientation = _UPRIGHT
    start = len(_PNG)
    while start < len(content):
        length = int.from_bytes(content[start : start + 4], "big")
        name = content[start + 4 : start + 8]
        end = start + 12 + length
        if end > len(content) or not name.isalpha():
            # Cut off, or not a chunk: the decoder decides, if it needs it at all.
            kept.append(b"" if name[:1].islower() else content[start:])
            break
        checksum = int.from_bytes(content[end - 4 : end], "big")
        if name == b"eXIf" and zlib.crc32(content[start + 4 : end - 4]) == checksum:
            orientation = exif_orientation(content[start + 8 : end - 4])
        if name[:1].isupper():
            kept.append(content[start:end])
        start = end
    return b"".join(kept), orientation


def _stripped_tiff(content: bytes) -> bytes:
    """Remove all entries of the first directory that do not define how pixels are stored, and all other directories."""
    directory = _Directory(content)
    entries = [
        content[offset : offset + directory.length]
        for offset in directory.entries()
        if directory.entry(offset)[0] in _STORAGE
    ]
    if not entries:
        return content
    changed = len(entries).to_bytes(directory.counted, directory.order) + b"".join(entries) + bytes(directory.next)
    return content[: directory.start] + changed + content[directory.start + len(changed) :]
