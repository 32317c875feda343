"""From an image file's bytes to pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import MissingExtraError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["UnreadableImageError", "decode", "thumbnail"]


class UnreadableImageError(ValueError):
    """The bytes are no image, a damaged one, or one far too large."""


def decode(content: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode an image to RGB pixels of a given size.

    The orientation that a camera noted is applied; grey, palette and CMYK images become RGB, and of
    transparent ones the colours count. The first frame of an animation counts. Resizing is bilinear,
    with Pillow's antialiasing, and does not keep the aspect.

    Parameters
    ----------
    content : bytes
        A file in any format that Pillow reads.
    size : tuple of int
        (height, width).

    Returns
    -------
    uint8 array of shape (height, width, 3), RGB in [0, 255]

    Raises
    ------
    UnreadableImageError
        If it cannot be decoded, or has more pixels than Pillow deems safe.
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
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ModuleNotFoundError:
        raise MissingExtraError("Pillow") from None
    try:
        image: Image.Image = Image.open(io.BytesIO(content))
        _refuse_bomb(image)
        image.draft(None, (draft, draft))
        yield _to_rgb(ImageOps.exif_transpose(image))
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


def _refuse_bomb(image: Image.Image) -> None:
    from PIL import Image

    # Pillow itself only warns up to twice its limit.
    if Image.MAX_IMAGE_PIXELS is not None and image.width * image.height > Image.MAX_IMAGE_PIXELS:
        raise ValueError(f"{image.width} × {image.height} pixels are too many")


def _to_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        # Pillow would cut 16-bit grey off at 255.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are of an unknown range (Pillow's mode {image.mode})")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")
