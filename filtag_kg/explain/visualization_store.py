"""Pictures of what filters look for, put into the KG of their network as soon as they are made."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.explain.visualize import FilterPicture
from filtag_kg.kg import KG, Visualization, runs_of, write_visualizations
from filtag_kg.network import Network

__all__ = ["add_visualizations"]


def add_visualizations(kg: KG, network: Network, pictures: Iterable[FilterPicture]) -> Iterator[Visualization]:
    """Store pictures one by one, so that what was made stays when the rest is interrupted.

    Parameters
    ----------
    kg : KG
    network : Network
        The one that the pictures were made with.
    pictures : iterable of FilterPicture
        Nothing is made before the KG is known to be of that network.

    Yields
    ------
    Visualization
        When it is stored.

    Raises
    ------
    FiltagError
        If the KG is of another network, or cannot be written.
    """
    known = sorted({run.network for run in runs_of(kg)})
    if network.identifier not in known:
        raise FiltagError(
            f"{kg.path} was made of {', '.join(known)}, not of {network.identifier}: name the right --network"
        )
    for picture in pictures:
        row = Visualization(
            network.identifier,
            picture.layer,
            picture.filter,
            picture.method,
            picture.seed,
            picture.steps,
            # Six digits: what is behind them depends on the machine.
            float(f"{picture.activation:.6g}"),
        )
        yield from write_visualizations(kg, [row], [_png(picture.pixels)])


def _png(pixels: NDArray[np.uint8]) -> bytes:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtraError("Pillow") from None
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return content.getvalue()
