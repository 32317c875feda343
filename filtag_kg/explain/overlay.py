"""Where in an image the filters respond that support an explanation: a map for each class and concept, and a picture.

A filter's activation is the mean of its feature map. So each place of the map has a share in what the filter says: its
number by the sum of all. The map of a class or concept is the sum of these shares over its filters, each by its weight:
it says from where in the image the support comes, and adds up over filters, concepts and places.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.supporters import Supporters, WeightedFilter
from filtag_kg.images import thumbnail, upright_size, viewable
from filtag_kg.kg import WHOLE_PICTURE, Region
from filtag_kg.network import Layer, Network, WantedMaps
from filtag_kg.views import spotlight

OVERLAY_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
"""What a picture is saved as, by the ending of its file."""

_SIDE = 56
_TILE = 240
_GAP = 12
_LEAST_ACROSS = 160
_FONT = "fonts/ttf/DejaVuSans.ttf"
"""Among Matplotlib's files. The font that Pillow brings has no letters with accents."""
_TEXT = 14
_CAPTION = 30
_MOST_ACROSS = 5
_QUALITY = 90


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Where in an image the support for a class or a concept comes from.

    Parameters
    ----------
    kind : {"all", "class", "concept"}
        ``all`` is the sum of the others.
    id, label : str
        Empty for ``all``.
    map : float64 array of shape (side, side), in [0, 1]
        Over what the network saw of the image; 1 is the place that most of the support comes from.
    """

    kind: Literal["all", "class", "concept"]
    id: str
    label: str
    map: NDArray[np.float64]


def overlays(
    network: Network,
    pixels: NDArray[Any],
    regions_of: Sequence[Supporters],
    filled: Region = WHOLE_PICTURE,
) -> tuple[Overlay, ...]:
    """Return where the support comes from: of all classes and concepts together, then of each.

    Parameters
    ----------
    pixels : array of shape (height, width, channels)
        The image, as the network gets it.
    regions_of : sequence of Supporters
        Those of an explanation of this image.
    filled : Region
        Where in the pixels the image lies; the rest is padding.

    Returns
    -------
    tuple of Overlay
        Empty if no filter supports anything.
    """
    filters = sorted({(each.layer, each.filter) for one in regions_of for each in one.filters})
    if not filters:
        return ()
    maps = _shares(network, pixels, filters, filled)
    sums = [_weighted(one.filters, maps) for one in regions_of]
    parts = [Overlay(one.kind, one.id, one.label, _to_one(total)) for one, total in zip(regions_of, sums, strict=True)]
    return Overlay("all", "", "", _to_one(np.sum(sums, axis=0))), *parts


def _shares(
    network: Network, pixels: NDArray[Any], filters: Sequence[tuple[str, int]], filled: Region
) -> dict[tuple[str, int], NDArray[np.float64]]:
    """Return of each filter which share of its response comes from where; the sum is 1, or 0 without a response."""
    layers: list[Layer] = [layer for layer in network.layers if layer.name in {name for name, _ in filters}]
    chosen = [[filter_ for name, filter_ in filters if name == layer.name] for layer in layers]
    wanted = [WantedMaps(np.zeros(len(each), np.int64), np.array(each, np.int64)) for each in chosen]
    reader = network.map_reader(1, layers=layers, once=True)
    shares = {}
    for layer, numbers, maps in zip(layers, chosen, reader.maps(pixels[None], wanted), strict=True):
        for filter_, feature_map in zip(numbers, maps, strict=True):
            floor = 0.0 if feature_map.max() > 0 else float(feature_map.min())
            grid = _on_grid(np.maximum(feature_map, floor) - np.float32(floor), filled)
            shares[layer.name, filter_] = grid / (grid.sum() or 1.0)
    return shares


def _on_grid(feature_map: NDArray[np.float32], filled: Region) -> NDArray[np.float64]:
    from PIL import Image

    height, width = feature_map.shape
    box = (filled.left * width, filled.top * height, filled.right * width, filled.bottom * height)
    resized = Image.fromarray(feature_map).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=box)
    return np.asarray(resized, np.float64)


def _weighted(
    filters: Sequence[WeightedFilter], maps: dict[tuple[str, int], NDArray[np.float64]]
) -> NDArray[np.float64]:
    total = np.zeros((_SIDE, _SIDE))
    for each in filters:
        total += each.weight * maps[each.layer, each.filter]
    return total


def _to_one(total: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = float(total.max())
    return total / highest if highest > 0 else total


def overlay_format(path: Path) -> str:
    """Return what a picture is saved as in a file of this name.

    Raises
    ------
    FiltagError
        If its ending is another.
    """
    try:
        return OVERLAY_FORMATS[path.suffix.lower()]
    except KeyError:
        raise FiltagError(
            f"{path} names no format for a picture: let it end in {', '.join(OVERLAY_FORMATS)}", options=("overlay",)
        ) from None


def overlay_picture(
    network: Network, content: bytes, pixels: NDArray[Any], explanation: Explanation, format_: str = "PNG"
) -> bytes:
    """Return one picture of an image and of where in it the support for an explanation comes from.

    Parameters
    ----------
    content : bytes
        Of the image's file.
    pixels : array of shape (height, width, channels)
        The image, as the network gets it.
    format_ : str
        ``PNG`` or ``JPEG``.
    """
    from PIL import Image

    framing = network.preparation.framing(*upright_size(content))
    seen, filled = Region(*framing.seen()), Region(*framing.filled())
    with Image.open(io.BytesIO(thumbnail(content, _TILE))) as opened:
        picture = _fitted(opened.convert("RGB"))
    shown = overlays(network, pixels, explanation.regions_of, filled)
    lit = [(spotlight(picture, overlay.map, seen), caption(overlay)) for overlay in shown]
    sheet = _sheet([(picture, explanation.image), *lit])
    file = io.BytesIO()
    sheet.save(file, format_, **({"quality": _QUALITY} if format_ == "JPEG" else {}))
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class LitPicture:
    """An image, lit up where support comes from.

    Parameters
    ----------
    caption : str
    jpeg : bytes
    """

    caption: str
    jpeg: bytes


def lit_pictures(network: Network, pixels: NDArray[Any], explanation: Explanation) -> tuple[LitPicture, ...]:
    """Return what the network saw of an image, lit up where the support for an explanation comes from.

    Parameters
    ----------
    pixels : array of shape (height, width, channels)
        The image, as the network gets it: all that is shown.
    """
    from PIL import Image

    with Image.open(io.BytesIO(viewable(pixels))) as opened:
        picture = _fitted(opened.convert("RGB"))
    pictures = []
    for overlay in overlays(network, pixels, explanation.regions_of):
        file = io.BytesIO()
        spotlight(picture, overlay.map, WHOLE_PICTURE).save(file, "JPEG", quality=_QUALITY)
        pictures.append(LitPicture(caption(overlay), file.getvalue()))
    return tuple(pictures)


def caption(overlay: Overlay) -> str:
    """Return what stands below an overlay."""
    if overlay.kind == "all":
        return "all together"
    return f"{overlay.label} (the class)" if overlay.kind == "class" else overlay.label


def _fitted(picture: Any) -> Any:  # noqa: ANN401 - of Pillow
    """Return a picture whose longer side is that of a tile; small ones become larger."""
    from PIL import Image

    scale = _TILE / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _sheet(tiles: Sequence[tuple[Any, str]]) -> Any:  # noqa: ANN401 - of Pillow
    """Return pictures of one size side by side in rows, each with its caption below."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    width, height = tiles[0][0].size
    across = min(_MOST_ACROSS, len(tiles))
    rows = -(-len(tiles) // across)
    step = max(width, _LEAST_ACROSS) + _GAP, height + _CAPTION + _GAP
    sheet = Image.new("RGB", (across * step[0] + _GAP, rows * step[1] + _GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(Path(get_data_path()) / _FONT, _TEXT)
    for number, (picture, text) in enumerate(tiles):
        row, column = divmod(number, across)
        left, top = _GAP + column * step[0], _GAP + row * step[1]
        sheet.paste(picture, (left, top))
        # Labels and names of files may have line breaks, which Pillow does not measure.
        shown = " ".join(text.split())
        while len(shown) > 1 and draw.textlength(shown, font) > step[0] - _GAP:
            shown = f"{shown.removesuffix('…')[:-1]}…"
        draw.text((left, top + height + 4), shown, "black", font)
    return sheet
