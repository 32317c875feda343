"""Activation maps as pictures: small ones for pages, and a thumbnail with its map on it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import MissingExtraError
from filtag_kg.kg import Region

if TYPE_CHECKING:
    from filtag_kg.views.records import Exemplar, Where

# Of Pillow, which not everybody has installed.
Picture: TypeAlias = Any

_PNG = b"\x89PNG\r\n\x1a\n"
_GREY_WITH_ALPHA = 4
_DARKENED = 0.35
_HALF = 128
_QUALITY = 90


def map_strip(exemplars: Sequence[Exemplar]) -> bytes:
    """Return the activation maps of exemplars side by side, as an 8-bit PNG: white, with the map as its opacity.

    As a mask over a thumbnail it shows what the filter responds to; laid on one as it is, it brightens that. An
    exemplar without a map is transparent. With nine exemplars it is `9 * side` pixels wide, `side` high and takes about
    a kilobyte.

    Returns
    -------
    bytes
        Empty if no exemplar has a map.
    """
    maps = [None if exemplar.where is None else exemplar.where.map for exemplar in exemplars]
    side = next((len(one) for one in maps if one is not None), 0)
    if not side:
        return b""
    nothing = np.zeros((side, side), np.uint8)
    return _png(np.concatenate([nothing if one is None else one for one in maps], axis=1))


def _png(alpha: NDArray[np.uint8]) -> bytes:
    """Return a white picture with some opacity; Pillow is not needed for it, which a server may lack."""
    height, width = alpha.shape
    pixels = np.stack([np.full_like(alpha, 255), alpha], axis=-1)
    # Each line begins with how it is filtered: not at all.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, _GREY_WITH_ALPHA, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return _PNG + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def heat_map(thumbnail: bytes, where: Where, *, height: int = 192, format_: str = "PNG") -> bytes:
    """Return a thumbnail with a filter's response on it, as a picture for a terminal or a notebook.

    Where the filter responds the picture is as it is; elsewhere it is grey and dark. A line goes around what responds
    at least half as much as the most. No hue has a meaning, so it reads the same to everybody, on light and dark pages.

    Parameters
    ----------
    thumbnail : bytes
        Of its file.
    height : int
        Of the picture, in pixels.
    format_ : {"PNG", "JPEG"}
        JPEG takes a quarter of the bytes.

    Raises
    ------
    MissingExtraError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtraError("Pillow") from None
    with Image.open(io.BytesIO(thumbnail)) as opened:
        width = max(1, round(opened.width * height / opened.height))
        picture = opened.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    lit = spotlight(picture, where.map / np.float32(255), where.view)
    lit.save(file, format_, **({"quality": _QUALITY} if format_ == "JPEG" else {}))
    return file.getvalue()


def spotlight(picture: Picture, shares: NDArray[np.floating[Any]], view: Region) -> Picture:
    """Return a picture that is as it is where a map is 1, and grey and dark where it is 0.

    Parameters
    ----------
    picture : PIL.Image.Image
        In RGB.
    shares : array of shape (height, width), in [0, 1]
    view : Region
        The part of the picture that the map covers.
    """
    from PIL import Image, ImageChops, ImageFilter

    left, top = round(view.left * picture.width), round(view.top * picture.height)
    size = max(1, round(view.right * picture.width) - left), max(1, round(view.bottom * picture.height) - top)
    levels = Image.fromarray(np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8))
    opacity = Image.new("L", picture.size, 0)
    opacity.paste(levels.resize(size, Image.Resampling.BILINEAR), (left, top))
    dark = picture.convert("L").point(lambda level: round(level * _DARKENED)).convert("RGB")
    lit = Image.composite(picture, dark, opacity)
    active = opacity.point(lambda level: 255 if level >= _HALF else 0)
    for colour, outside in (("black", 5), ("white", 3)):
        ring = ImageChops.subtract(active.filter(ImageFilter.MaxFilter(outside)), active)
        lit.paste(colour, mask=ring)
    return lit
