"""From an image file's bytes to pixels."""

from __future__ import annotations

import ctypes
import io
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import MissingExtraError
from filtag_kg.images.metadata import exif_orientation, strip_metadata

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["FORMATS", "MOST_BYTES", "RESIZING", "UnreadableImageError", "decode", "read_file", "thumbnail"]

RESIZING = "bilinear, antialiased, to the network's size whatever the aspect"
"""How :func:`decode` resizes, as a profile remembers it: change one with the other."""
# The formats that photographs come in, as Pillow calls them. Pillow has forty decoders: some start programs (EPS starts
# Ghostscript), and others are rarely tried by anybody. A file's first bytes decide, never its name.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
# Of an image's file: ninety million pixels, the most that Pillow deems safe, take as much without any compression.
MOST_BYTES = 256 * 2**20
MOST_PIXELS = 89_478_485
# Of a side: what a JPEG can have. An animated WebP of 8,388,628 × 10 pixels takes its decoder 13 s, 9,000 × 9,000 1 s.
MOST_SIDE = 65_535
# Every scan of a JPEG goes over all pixels again. Encoders make a dozen; the fuzzers of libjpeg-turbo stop at 500.
_MOST_SCANS = 100
_SCAN = b"\xff\xda"

_opening = threading.Lock()


class UnreadableImageError(ValueError):
    """The bytes are no image, a damaged one, or one far too large."""


def read_file(path: Path) -> bytes:
    """Return the bytes of an image's file.

    Raises
    ------
    OSError
        If it cannot be read.
    UnreadableImageError
        If it is no regular file, or larger than `MOST_BYTES`.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UnreadableImageError("no regular file")
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    _refuse_large(len(content))
    return content


def _refuse_large(size: int) -> None:
    if size > MOST_BYTES:
        raise UnreadableImageError(f"its file has more than {MOST_BYTES // 2**20} MiB")


def decode(content: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode an image to RGB pixels of a given size.

    The orientation that the file's EXIF data notes is applied; if there is none from 1 to 8 the image stays as it
    is. All else that a file says besides its pixels is passed over, and need not be well-formed. Grey, palette and CMYK
    images become RGB, and of transparent ones the colours count. The first frame of an animation counts. Resizing is
    bilinear, with Pillow's antialiasing, and does not keep the aspect.

    Parameters
    ----------
    content : bytes
        A file in one of the `FORMATS`.
    size : tuple of int
        (height, width).

    Returns
    -------
    uint8 array of shape (height, width, 3), RGB in [0, 255]

    Raises
    ------
    UnreadableImageError
        If it is in another format or damaged, if pixels are missing at its end, or if it is too large.
    MissingExtraError
        If Pillow is not installed.
    """
    height, width = size
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; here never below twice what is asked for, in both
    # directions since a rotation may exchange the sides.
    with _opened(content, 2 * max(height, width)) as image:
        from PIL import Image

        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def thumbnail(content: bytes, side: int = 96) -> bytes:
    """Return a JPEG of an image that is `side` pixels wide or high at most, and keeps the aspect.

    Raises
    ------
    UnreadableImageError
        As :func:`decode`.
    """
    with _opened(content, 2 * side) as image:
        image.thumbnail((side, side))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80, optimize=True)
        return file.getvalue()


@contextmanager
def _opened(content: bytes, draft: int) -> Iterator[Image.Image]:
    """Yield an image in RGB and the right way up; sides that are longer than `draft` may be reduced to it."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise MissingExtraError("Pillow") from None
    try:
        _refuse_large(len(content))
        pixels, orientation = strip_metadata(content)
        image = _open(pixels)
        if image.format in ("WEBP", "AVIF"):
            orientation = exif_orientation(image.info.get("exif", b""))
        image.draft(None, (draft, draft))
        yield _upright(_to_rgb(image), orientation)
    except UnreadableImageError:
        raise
    except MemoryError:
        raise UnreadableImageError("too large for the memory") from None
    except UnidentifiedImageError:
        # Pillow's own text has an address in it, and would be another each time.
        raise UnreadableImageError("empty" if not content else "not in a known image format") from None
    except Image.DecompressionBombError as error:
        # Its own text is long, and speaks of an attack.
        found = re.search(r"[0-9]+ pixels", str(error))
        raise UnreadableImageError(f"{found[0] if found else 'its pixels'} are too many") from None
    except Exception as error:  # noqa: BLE001
        # Pillow's decoders raise whatever a damaged file makes of them: OSError, SyntaxError, struct.error,
        # ValueError, IndexError, zlib.error. All say the same of the file.
        raise UnreadableImageError(str(error).partition("\n")[0] or type(error).__name__) from None


def _open(content: bytes) -> Image.Image:
    """Open an image by the decoder of one of the `FORMATS`, without decoding it yet, and refuse bombs."""
    from PIL import Image

    # What is left to warn of is the image's, and is said with the image. Filters belong to the whole process: only
    # Pillow's warnings are held back, while one thread alone opens an image.
    with _opening, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        image = Image.open(io.BytesIO(content), formats=_decoders())
        # Pillow itself only warns up to twice its limit, and other code may have taken the limit away.
        most_pixels = min(MOST_PIXELS, Image.MAX_IMAGE_PIXELS or MOST_PIXELS)
        if image.width * image.height > most_pixels or max(image.size) > MOST_SIDE:
            raise UnreadableImageError(f"{image.width} × {image.height} pixels are too many")
        if image.format == "TIFF":
            image.load()  # Pillow reads a TIFF's tags once more then, and warns once more.
    if image.format == "JPEG" and content.count(_SCAN) > _MOST_SCANS:
        raise UnreadableImageError(f"{content.count(_SCAN):,} scans are too many")
    return image


@cache
def _decoders() -> tuple[str, ...]:
    from PIL import Image, _imaging

    # The handler keeps Python from writing Pillow's messages to stderr where nobody asked for them.
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    # libtiff prints to stderr by itself what Pillow raises anyway; Windows' Pillow hides it.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(str(_imaging.__file__)).TIFFSetErrorHandler(None)
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn an image by its orientation as EXIF numbers it (CIPA DC-008, section 4.6.5)."""
    from PIL.Image import Transpose

    turns = (
        None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
    )  # fmt: skip
    turn = turns[orientation - 1]
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        # Pillow would cut 16-bit grey off at 255; it has 32 bits of these two formats, of which 16 are used.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are of an unknown range (Pillow's mode {image.mode})")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")
