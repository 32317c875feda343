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

from filtag_kg.errors import FiltagError, MissingExtraError, reason_of
from filtag_kg.images.metadata import exif_orientation, strip_metadata
from filtag_kg.network import MOST_PIXELS, Preparation

if TYPE_CHECKING:
    from PIL import Image

# The formats of photographs, by Pillow's names. Of its forty decoders some start programs (EPS starts Ghostscript), and
# others are hardly ever tested. A file's first bytes decide its format, never its name.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
# Of an image's file: `MOST_PIXELS` uncompressed.
MOST_BYTES = 256 * 2**20
# Of a side: JPEG's own limit. An animated WebP of 8,388,628 × 10 pixels takes 13 s to decode, 9,000 × 9,000 take 1 s.
_MOST_SIDE = 65_535
# Each scan of a JPEG goes over all pixels again. Encoders write a dozen; the fuzzers of libjpeg-turbo stop at 500.
_MOST_SCANS = 100
_SCAN = b"\xff\xda"

# EXIF orientations whose upright image is as wide as the file's is high.
_TURNED = (5, 6, 7, 8)
# Pillow's modes, by the number of a network's channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

_opening = threading.Lock()


class UnreadableImageError(ValueError):
    """The bytes are not an image, or one that is damaged or far too large."""


def read_file(path: Path) -> bytes:
    """Return the bytes of an image's file.

    Raises
    ------
    OSError
        If it cannot be read.
    UnreadableImageError
        If it is not a regular file, or larger than `MOST_BYTES`.
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


def file_mode(preparation: Preparation) -> str:
    """Return Pillow's mode for what a network takes.

    Raises
    ------
    FiltagError
        If it takes a number of channels that no image file has.
    """
    mode = _MODES.get(preparation.channels)
    if mode is None:
        raise FiltagError(
            f"the network takes {preparation.channels} channels, which image files do not have: give arrays"
        )
    return mode


def decode(content: bytes, preparation: Preparation) -> NDArray[np.uint8]:
    """Decode an image to the pixels that a network takes, before they are scaled.

    The orientation in the file's EXIF data is applied if it is from 1 to 8. All other metadata is ignored, and need not
    be well-formed. Grey, palette and CMYK images become RGB, or, for a network with one channel, all become grey.
    Transparency counts for a network with four channels only. Of an animation, the first frame is used.

    Parameters
    ----------
    content : bytes
        A file in one of the `_FORMATS`.

    Returns
    -------
    uint8 array of shape (height, width, channels), in [0, 255]

    Raises
    ------
    UnreadableImageError
        If it is in another format, damaged, cut off, or too large.
    FiltagError
        If the network takes a number of channels that no image file has.
    MissingExtraError
        If Pillow is not installed.
    """
    mode = file_mode(preparation)
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; here never below twice the size asked for, on both sides,
    # since a rotation may swap them.
    draft = int(np.ceil(2 * max(preparation.size) / preparation.crop_share))
    with _opened(content, draft, mode) as image:
        pixels = np.asarray(frame(image, preparation))
    return pixels.reshape(*preparation.size, preparation.channels)


def frame(image: Image.Image, preparation: Preparation) -> Image.Image:
    """Return an image at the size that a network takes.

    Raises
    ------
    UnreadableImageError
        If it would have to become far too large before it is cropped.
    """
    from PIL import Image

    framing = preparation.framing(*image.size)
    if framing.resized[0] * framing.resized[1] > MOST_PIXELS:
        raise UnreadableImageError(
            f"{image.width} × {image.height} pixels are too narrow to be cropped: they would become "
            f"{framing.resized[0]} × {framing.resized[1]}"
        )
    resized = image.resize(framing.resized, Image.Resampling[preparation.interpolation.upper()])
    height, width = preparation.size
    if preparation.resize == "squash":
        return resized
    if preparation.resize == "pad":
        framed = Image.new(image.mode, (width, height))
        framed.paste(resized, (framing.left, framing.top))
        return framed
    return resized.crop((-framing.left, -framing.top, width - framing.left, height - framing.top))


def upright_size(content: bytes) -> tuple[int, int]:
    """Return the width and height of an image the right way up, without decoding it.

    Raises
    ------
    UnreadableImageError
        As :func:`decode`.
    """
    with _recognised(content) as (image, orientation):
        width, height = image.size
    return (height, width) if orientation in _TURNED else (width, height)


def thumbnail(content: bytes, side: int = 96) -> bytes:
    """Return a JPEG of an image, at most `side` pixels wide and high, with its aspect ratio.

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
def _opened(content: bytes, draft: int, mode: str = "RGB") -> Iterator[Image.Image]:
    """Yield an image in a mode and the right way up; sides longer than `draft` may be reduced to it."""
    with _recognised(content) as (image, orientation):
        image.draft(None, (draft, draft))
        yield _upright(_in_mode(image, mode), orientation)


@contextmanager
def _recognised(content: bytes) -> Iterator[tuple[Image.Image, int]]:
    """Yield an image that is not decoded yet, and its EXIF orientation; raise what is wrong with it, then or later."""
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
        yield image, orientation
    except (UnreadableImageError, FiltagError):
        raise
    except MemoryError:
        raise UnreadableImageError("too large for the memory") from None
    except UnidentifiedImageError:
        # Pillow's own text has a memory address in it, so it would differ each time.
        raise UnreadableImageError("empty" if not content else "not in a known image format") from None
    except Image.DecompressionBombError as error:
        # Its own text is long, and speaks of an attack.
        n_pixels = re.search(r"[0-9]+ pixels", str(error))
        raise UnreadableImageError(f"{n_pixels[0] if n_pixels else 'its pixels'} are too many") from None
    except Exception as error:  # noqa: BLE001
        # Broad on purpose: Pillow's decoders have no common error, and a damaged or hostile file makes them raise
        # OSError, SyntaxError, struct.error, ValueError, IndexError, zlib.error and more.
        raise UnreadableImageError(reason_of(error)) from None


def _open(content: bytes) -> Image.Image:
    """Open an image in one of the `_FORMATS`, without decoding it yet; refuse decompression bombs."""
    from PIL import Image

    # Pillow's warnings are about images that are reported anyway. Filters belong to the whole process, so one thread at
    # a time opens an image.
    with _opening, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        image = Image.open(io.BytesIO(content), formats=_decoders())
        # Below twice its limit Pillow only warns, and other code may have removed the limit.
        most_pixels = min(MOST_PIXELS, Image.MAX_IMAGE_PIXELS or MOST_PIXELS)
        if image.width * image.height > most_pixels or max(image.size) > _MOST_SIDE:
            raise UnreadableImageError(f"{image.width} × {image.height} pixels are too many")
        if image.format == "TIFF":
            image.load()  # Here Pillow reads a TIFF's tags again, and warns again.
    if image.format == "JPEG" and content.count(_SCAN) > _MOST_SCANS:
        raise UnreadableImageError(f"{content.count(_SCAN):,} scans are too many")
    return image


@cache
def _decoders() -> tuple[str, ...]:
    from PIL import Image, _imaging

    # Without a handler, Python would write Pillow's messages to stderr.
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    # libtiff also prints to stderr what Pillow raises; on Windows its symbols are hidden.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(str(_imaging.__file__)).TIFFSetErrorHandler(None)
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn an image upright, given its EXIF orientation (CIPA DC-008, section 4.6.5)."""
    from PIL.Image import Transpose

    turns = (
        None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
    )  # fmt: skip
    turn = turns[orientation - 1]
    return image if turn is None else image.transpose(turn)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    from PIL import Image

    if image.mode == mode:
        return image
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        # Pillow would clip 16-bit grey at 255; for these two formats it has 32 bits, of which 16 are used.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"its pixels are of an unknown range (Pillow's mode {image.mode})")
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert(mode)
