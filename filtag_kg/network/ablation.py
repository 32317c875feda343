"""What a framework needs to run a network without some of its filters."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Ablatable(Protocol):
    """A network that can be run with feature maps of chosen layers replaced.

    Columns of filters are those of the chosen layers, side by side in forward order. What is replaced is data, not
    part of the computation: any number of ablations needs one compilation.
    """

    def measured(self, pixels: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network as it is.

        Parameters
        ----------
        pixels : uint8 or float32 array of shape (n_images, height, width, channels), in [0, 255]

        Returns
        -------
        scores : float32 array of shape (n_images, n_outputs)
            The network's outputs, as those of :class:`~filtag_kg.network.network.Computed`.
        means : float32 array of shape (n_images, n_filters)
            Of each feature map, in its own units: neither scaled nor clipped.
        """

    def ablated(
        self, pixels: NDArray[Any], kept: NDArray[np.bool_], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Run the network once for each set of filters, with the feature maps of that set replaced.

        Parameters
        ----------
        kept : bool array of shape (n_sets, n_filters)
            False where every number of a filter's feature map is replaced.
        values : float32 array of shape (n_filters,)
            By what: 0, or the filter's mean, for example.

        Returns
        -------
        float32 array of shape (n_sets, n_images, n_outputs)
        """
