"""Where things lie in a picture, as styles: a crop of a thumbnail, a region of it, a map as a mask over it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from filtag_kg.kg import Region
from filtag_kg.views import Exemplar, map_strip

_MUCH = 0.5
"""The share of a picture's width or height from which on a filter may see a whole thing at once."""


def crop_style(exemplar: Exemplar) -> str:
    """Return what lets a square box show where a filter looks; empty to show the picture as it is.

    Shares of the picture's own size move it, so its aspect ratio need not be known: a crop is a square of pixels.
    """
    if exemplar.where is None:
        return ""
    crop = exemplar.where.crop
    width = crop.right - crop.left
    return f"width:{100 / width:.0f}%;transform:translate({-100 * crop.left:.0f}%,{-100 * crop.top:.0f}%)"


def box_style(region: Region) -> str:
    """Return the style of a box that covers a region of the box around it."""
    width, height = region.right - region.left, region.bottom - region.top
    shares = {"left": region.left, "top": region.top, "width": width, "height": height}
    return ";".join(f"{name}:{100 * share:.1f}%" for name, share in shares.items())


def sees_little(exemplars: Sequence[Exemplar]) -> bool:
    """Return whether a filter sees less than half of its pictures' width and height at once: hardly a thing."""
    fields = [exemplar.where.field for exemplar in exemplars if exemplar.where is not None]
    return bool(fields) and max(max(field.width, field.height) for field in fields) < _MUCH


def inset_style(region: Region) -> str:
    """Return the style that lets a picture, in a box over a region of it, lie exactly over the picture itself."""
    width, height = region.right - region.left, region.bottom - region.top
    shares = {"left": -region.left / width, "top": -region.top / height, "width": 1 / width}
    return ";".join(f"{name}:{100 * share + 0.0:.1f}%" for name, share in shares.items())


def map_url(exemplar: Exemplar) -> str:
    """Return the activation map of an exemplar as a data URL: a small PNG."""
    return f"data:image/png;base64,{b64encode(map_strip([exemplar])).decode()}"
