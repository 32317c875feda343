"""The pass in PyTorch: pixels in, one number per filter out."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.feature_map import Layer
from filtag_kg.network.network import CompiledPass, Computed
from filtag_kg.network.scaling import Scaling
from filtag_kg.network.torch.ablation import TorchAblatable, measuring_means, split_at
from filtag_kg.network.torch.backend import GraphModule, Tensor, import_torch
from filtag_kg.network.torch.gradients import TorchDifferentiable, differentiable
from filtag_kg.network.torch.map_reader import TorchMapReader, choosing
from filtag_kg.network.torch.output import erase_after, in_float32, means, measured_copy
from filtag_kg.network.torch.running import Running, scaling_on


@dataclass(frozen=True, slots=True)
class TorchEngine:
    """PyTorch: see :class:`~filtag_kg.network.network.Engine`.

    Parameters
    ----------
    module : torch.fx.GraphModule
        Prepared: see :func:`~filtag_kg.network.torch.prepared.prepared`.
    output : int
        Which of its outputs counts.
    device : torch.device
    precision : str
        What its layers compute in.
    fewest, most : int
        Images at a time that it takes; `most` is 0 if there is no limit.
    packages : tuple of str
        Distributions that the network comes from.
    """

    module: GraphModule
    output: int
    device: Any
    precision: str
    fewest: int
    most: int
    packages: tuple[str, ...] = ()

    def versions(self) -> Mapping[str, str]:
        """Return the backend, its device, and the versions of PyTorch and of the packages that made the network."""
        return {
            "backend": "torch",
            "device": self.device.type,
            **{name: importlib.metadata.version(name) for name in ("torch", *self.packages)},
        }

    def compile(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool, once: bool
    ) -> CompiledPass:
        """Return the pass: see :meth:`~filtag_kg.network.network.Engine.compile`."""
        del once  # Nothing takes long to prepare.
        scaled = scaling_on(scaling, self.device)
        module = measuring(self.module, [layer.feature_map for layer in layers], self.output if scores else None)

        def run(pixels: NDArray[Any]) -> Computed:
            parts = []
            for part in self.running.parts(pixels, scaled, batch_size):
                with self.running.computing(len(part.images)):
                    parts.append([tensor[: part.n_images].cpu().numpy() for tensor in module(part.images)])
            return Computed(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

        return run

    @property
    def running(self) -> Running:
        """What its graphs run under."""
        return Running(self.device, self.precision, self.fewest, self.most)

    def differentiable(self, layer: Layer, scaling: Scaling) -> TorchDifferentiable:
        """Return a layer with its gradient: see :meth:`~filtag_kg.network.network.Engine.differentiable`."""
        return differentiable(self.module, layer, scaling_on(scaling, self.device), self.device)

    def ablatable(self, layers: Sequence[Layer], scaling: Scaling, batch_size: int) -> TorchAblatable:
        """Return the network without some filters: see :meth:`~filtag_kg.network.network.Engine.ablatable`."""
        feature_maps = [layer.feature_map for layer in layers]
        return TorchAblatable(
            measuring_means(self.module, feature_maps, self.output),
            split_at(self.module, [(layer.feature_map, layer.n_filters) for layer in layers], self.output),
            self.running,
            scaling_on(scaling, self.device),
            batch_size,
        )

    def map_reader(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, once: bool = False
    ) -> TorchMapReader:
        """Return what gives away feature maps: see :meth:`~filtag_kg.network.network.Engine.map_reader`."""
        del once  # Nothing takes long to prepare.
        module = choosing(self.module, [layer.feature_map for layer in layers])
        return TorchMapReader(module, self.running, scaling_on(scaling, self.device), batch_size)


def measuring(module: GraphModule, feature_maps: Sequence[str], output: int | None) -> GraphModule:
    """Return a graph that computes the activation ā(m,i,d) of each feature map right after it is there.

    Parameters
    ----------
    feature_maps : sequence of str
        The names of their nodes.
    output : int, optional
        Which of the network's outputs is wanted too. Without it, nothing after the last feature map is computed.

    Returns
    -------
    torch.fx.GraphModule
        From images to the tensors of :class:`~filtag_kg.network.network.Computed`; it shares its weights.
    """
    torch = import_torch()
    nodes, outputs, measured = measured_copy(module, feature_maps, reduced)
    scores = None
    if output is None:
        erase_after(nodes, set(measured))
    else:
        in_float32(outputs[output])
        scores = nodes.call_function(means, (outputs[output],))
    nodes.output(nodes.call_function(_together, (measured, scores)))
    nodes.eliminate_dead_code()
    return torch.fx.GraphModule(module, nodes)


def reduced(feature_maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the means of one layer's feature maps, and the lowest and the highest number of all of them.

    Returns
    -------
    mean : float32 tensor of shape (n_images, n_filters)
    low, high : float32 tensors of shape (n_images,)
    """
    torch = import_torch()
    mean = feature_maps.mean((2, 3), dtype=torch.float32)
    return mean, feature_maps.amin((1, 2, 3)).float(), feature_maps.amax((1, 2, 3)).float()


def _together(measured: Sequence[tuple[Tensor, Tensor, Tensor]], scores: Tensor | None) -> tuple[Tensor, ...]:
    """Scale the means: mean((x − min) / (max − min)) = (mean(x) − min) / (max − min), since scaling is linear."""
    torch = import_torch()
    mean, low, high = zip(*measured, strict=True)
    sizes = torch.tensor([each.shape[1] for each in mean], device=mean[0].device)
    lowest, highest = torch.stack(low, 1), torch.stack(high, 1)
    constant = highest == lowest
    # Multiplied, not selected: NaN stays NaN, and is noticed.
    factor = torch.where(constant, 0.0, 1.0 / torch.where(constant, 1.0, highest - lowest))
    lowest, factor = lowest.repeat_interleave(sizes, 1), factor.repeat_interleave(sizes, 1)
    activations = (torch.cat(mean, 1) - lowest) * factor
    return activations, constant, activations[:, :0] if scores is None else scores
