"""Store pictures of what filters look for in the KG of their network, each as soon as it is made."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import MissingExtraError
from filtag_kg.explain.active_filters import other_network
from filtag_kg.explain.visualize import FilterPicture
from filtag_kg.kg import KG, Visualization, runs_of, write_visualizations
from filtag_kg.network import Network


def add_visualizations(kg: KG, network: Network, pictures: Iterable[FilterPicture]) -> Iterator[Visualization]:
    """Store pictures one by one, so an interruption keeps those made before it.

    Parameters
    ----------
    network : Network
        The one that the pictures were made with.
    pictures : iterable of FilterPicture
        The first is made after the KG's network has been checked.

    Yields
    ------
    Visualization
        As soon as it is stored.

    Raises
    ------
    FiltagError
        If the KG is of another network, or cannot be written.
    """
    known = sorted({run.network for run in runs_of(kg)})
    if network.identifier not in known:
        raise other_network(kg.path, ", ".join(known), network)
    for picture in pictures:
        row = Visualization(
            network.identifier,
            picture.layer,
            picture.filter,
            picture.method,
            picture.seed,
            picture.steps,
            # Further digits depend on the machine.
            float(f"{picture.activation:.6g}"),
        )
        yield from write_visualizations(kg, [row], [_png(picture.pixels)])


def _png(pixels: NDArray[np.uint8]) -> bytes:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtraError("Pillow") from None
    content = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(content, "PNG", optimize=True)
    return content.getvalue()
