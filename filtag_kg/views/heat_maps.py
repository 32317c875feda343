"""Activation maps as pictures: small ones for pages, and a thumbnail with its map on it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filtag_kg.views.records import Exemplar

_PNG = b"\x89PNG\r\n\x1a\n"
_GREY_WITH_ALPHA = 4


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
