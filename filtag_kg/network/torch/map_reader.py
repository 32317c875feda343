"""Single feature maps of a PyTorch network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.map_reader import WantedMaps
from filtag_kg.network.torch.backend import GraphModule, Tensor, import_torch
from filtag_kg.network.torch.output import erase_after, measured_copy
from filtag_kg.network.torch.running import Running


@dataclass(frozen=True, slots=True, eq=False)
class TorchMapReader:
    """A PyTorch network: see :class:`~filtag_kg.network.map_reader.MapReader`.

    Parameters
    ----------
    module : torch.fx.GraphModule
        See :func:`choosing`.
    running : Running
    scaled : callable
        From pixels to what the network takes.
    batch_size : int
    """

    module: GraphModule
    running: Running
    scaled: Callable[[Tensor], Tensor]
    batch_size: int

    def maps(self, pixels: NDArray[Any], wanted: Sequence[WantedMaps]) -> list[NDArray[np.float32]]:
        """Return feature maps: see :meth:`~filtag_kg.network.map_reader.MapReader.maps`."""
        torch = import_torch()
        maps: list[NDArray[np.float32]] = []
        start = 0
        for part in self.running.parts(pixels, self.scaled, self.batch_size):
            inside = [(start <= each.images) & (each.images < start + part.n_images) for each in wanted]
            chosen = [
                (torch.from_numpy(each.images[here] - start), torch.from_numpy(each.filters[here]))
                for each, here in zip(wanted, inside, strict=True)
            ]
            with self.running.computing(len(part.images)):
                arrays = [one.cpu().numpy() for one in self.module(part.images, chosen)]
            if not maps:
                maps = [
                    np.empty((len(here), *array.shape[1:]), np.float32)
                    for here, array in zip(inside, arrays, strict=True)
                ]
            for whole, here, array in zip(maps, inside, arrays, strict=True):
                whole[here] = array
            start += part.n_images
        return maps


def choosing(module: GraphModule, feature_maps: Sequence[str]) -> GraphModule:
    """Return a graph from images, and for each layer the chosen images and filters, to the chosen feature maps.

    Parameters
    ----------
    feature_maps : sequence of str
        The names of their nodes. Nothing after the last of them is computed.
    """
    torch = import_torch()
    nodes, _, measured = measured_copy(module, feature_maps, _chosen, argument="chosen")
    erase_after(nodes, set(measured))
    nodes.output(tuple(measured))
    nodes.eliminate_dead_code()
    return torch.fx.GraphModule(module, nodes)


def _chosen(maps: Tensor, chosen: tuple[Tensor, Tensor]) -> Tensor:
    images, filters = chosen
    return maps[images.to(maps.device), filters.to(maps.device)].float()
