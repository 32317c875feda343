"""What an image file says besides its pixels: the orientation is read, all else is left out before decoding.

Decoders give up over a comment with a wrong checksum, a colour profile that is cut off or a rational number that
divides by zero. None of that changes a pixel. Of a JPEG, PNG or TIFF only those parts are kept that decoding needs.
"""

from __future__ import annotations

import zlib
from typing import Literal

__all__ = ["exif_orientation", "strip_metadata"]

_UPRIGHT = 1
_ORIENTATION = 0x0112
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Markers of JPEG (ITU-T T.81, table B.1).
_START, _END, _SCAN, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_ALONE = {0x00, 0x01, *range(0xD0, 0xD8)}
_BESIDES = {*range(0xE0, 0xF0), 0xFE}
# Of application segments two say which colours the numbers stand for, if they are whole: (marker, name, shortest).
_COLOURS = ((0xE0, b"JFIF\0", 16), (0xEE, b"Adobe", 14))
# Tags of TIFF 6.0 and its supplements that say how the pixels are stored: all others are left out.
_STORAGE = {
    *(254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332),
    *(338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 559),
}
_SHORT = 3
# No honest directory has more; BigTIFF could count to 2 ** 64.
_MOST_ENTRIES = 2**16


def strip_metadata(content: bytes) -> tuple[bytes, int]:
    """Return an image file without what does not change its pixels, and the orientation that it notes.

    Parameters
    ----------
    content : bytes
        A file of any kind, perhaps damaged: what is not understood stays.

    Returns
    -------
    content : bytes
        Of a TIFF only the first image is left.
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
    """Return the orientation that EXIF data notes, from 1 to 8; 1 if there is none, or it is of another type.

    EXIF data is a TIFF without pixels, which some programs put behind one prefix ``Exif`` or two.
    """
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    directory = _Directory(exif)
    for place in directory.entries():
        tag, kind, count = directory.entry(place)
        if tag == _ORIENTATION:
            value = directory.number(place + directory.value, 2)
            return value if (kind, count) == (_SHORT, 1) and 1 <= value <= 8 else _UPRIGHT
    return _UPRIGHT


class _Directory:
    """The first directory of a TIFF, classic (42) or BigTIFF (43); without entries if there is none."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"
        big = content[2:4] in (b"+\0", b"\0+")
        self.counted, self.length, self.value, offset = (8, 20, 12, 8) if big else (2, 12, 8, 4)
        self.next = offset  # as many bytes lead to the next directory as stand before those that lead to the first
        self.place = self.number(offset, offset) if content[:4] in _TIFF else len(content)
        self.count = min(self.number(self.place, self.counted), _MOST_ENTRIES)

    def number(self, place: int, length: int) -> int:
        """Return the number at a place; bytes beyond the file's end do not count."""
        return int.from_bytes(self._content[place : place + length], self.order)

    def entries(self) -> range:
        """Return the places of the entries that lie within the file."""
        first = self.place + self.counted
        last = min(first + self.count * self.length, len(self._content) - self.length + 1)
        return range(first, last, self.length)

    def entry(self, place: int) -> tuple[int, int, int]:
        """Return tag, type and count of the entry at a place."""
        return self.number(place, 2), self.number(place + 2, 2), self.number(place + 4, self.value - 4)


def _stripped_jpeg(content: bytes) -> tuple[bytes, int]:
    """Leave out the application segments and comments before the first scan."""
    kept = [content[:2]]
    orientation: int | None = None
    place = 2
    while True:
        # Between segments there may be bytes that belong to none, as decoders tolerate them.
        start = content.find(b"\xff", place)
        if start < 0:
            break
        marker = content[start + 1 : start + 2]
        if marker == b"\xff" or (marker and marker[0] in _ALONE):
            place = start + 1
            continue
        if not marker or marker[0] in (_START, _END, _SCAN):
            kept.append(content[start:])
            break
        place = start + 2 + max(2, int.from_bytes(content[start + 2 : start + 4], "big"))
        segment = content[start:place]
        if marker[0] == _APP1 and orientation is None and segment[4:10] == b"Exif\0\0":
            orientation = exif_orientation(segment[4:])
        if marker[0] not in _BESIDES or any(
            marker[0] == colour and segment[4:].startswith(name) and len(segment) >= 2 + shortest
            for colour, name, shortest in _COLOURS
        ):
            kept.append(segment)
    return b"".join(kept), orientation or _UPRIGHT


def _stripped_png(content: bytes) -> tuple[bytes, int]:
    """Leave out the chunks whose names begin with a small letter: decoders can do without them (PNG, section 5.4)."""
    kept = [_PNG]
    orientation = _UPRIGHT
    place = len(_PNG)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        name = content[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(content) or not name.isalpha():
            # Cut off, or no chunk: the decoder is to judge, unless it can do without.
            kept.append(b"" if name[:1].islower() else content[place:])
            break
        if name == b"eXIf" and zlib.crc32(content[place + 4 : end - 4]) == int.from_bytes(
            content[end - 4 : end], "big"
        ):
            orientation = exif_orientation(content[place + 8 : end - 4])
        if name[:1].isupper():
            kept.append(content[place:end])
        place = end
    return b"".join(kept), orientation


def _stripped_tiff(content: bytes) -> bytes:
    """Leave out the entries of the first directory that do not say how pixels are stored, and all other directories."""
    directory = _Directory(content)
    entries = [
        content[place : place + directory.length]
        for place in directory.entries()
        if directory.entry(place)[0] in _STORAGE
    ]
    if not entries:
        return content
    changed = len(entries).to_bytes(directory.counted, directory.order) + b"".join(entries) + bytes(directory.next)
    return content[: directory.place] + changed + content[directory.place + len(changed) :]
