"""What a framework needs to give away single feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class WantedMaps:
    """Which feature maps of a layer are wanted of a batch of images.

    Parameters
    ----------
    images, filters : int64 arrays of shape (n_maps,)
        For each map the image's position in the batch, and the filter.
    """

    images: NDArray[np.int64]
    filters: NDArray[np.int64]


class MapReader(Protocol):
    """A network that gives away feature maps of chosen layers.

    Only the maps that are asked for leave the framework: all those of an image may be millions of numbers.
    """

    def maps(self, pixels: NDArray[Any], wanted: Sequence[WantedMaps]) -> list[NDArray[np.float32]]:
        """Return feature maps, in their own units: neither scaled nor clipped.

        Parameters
        ----------
        pixels : uint8 or float32 array of shape (n_images, height, width, channels), in [0, 255]
        wanted : sequence of WantedMaps, of length n_layers

        Returns
        -------
        list of float32 arrays of shape (n_maps, height, width)
            One for each layer, also where no map of it is wanted.
        """
