"""The pass in PyTorch: pixels in, one number per filter out."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.network import CompiledPass, Computed
from filtag_kg.network.scaling import Scaling
from filtag_kg.network.torch.backend import GraphModule, Node, Tensor, import_torch
from filtag_kg.network.torch.gradients import TorchDifferentiable, differentiable
from filtag_kg.network.torch.steps import output_maker

# On a processor. Feature maps of more images take more than the 32 MB of memory at a time that the C library keeps for
# the next ones; new memory from the system is filled with zeros first, which takes longer than all reductions.
IMAGES_AT_A_TIME = 8


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
        torch = import_torch()
        scaled = _scaling(scaling, self.device)
        module = measuring(self.module, [layer.feature_map for layer in layers], self.output if scores else None)
        precision = getattr(torch, self.precision)
        at_a_time = batch_size if self.device.type != "cpu" else min(batch_size, IMAGES_AT_A_TIME)
        at_a_time = max(self.fewest, min(at_a_time, self.most) if self.most else at_a_time)

        def run(pixels: NDArray[Any]) -> Computed:
            parts = []
            for start in range(0, len(pixels), at_a_time):
                part = np.ascontiguousarray(pixels[start : start + at_a_time])
                # A graph for several images, or for one number of them, gets copies of the last.
                padding = [part[-1:]] * max(0, self.fewest - len(part))
                images = scaled(torch.from_numpy(np.concatenate([part, *padding])))
                half = torch.autocast(self.device.type, precision, enabled=precision is not torch.float32)
                try:
                    with torch.inference_mode(), half:
                        arrays = [tensor[: len(part)].cpu().numpy() for tensor in module(images)]
                except (RuntimeError, MemoryError, ValueError, TypeError, IndexError) as error:
                    raise FiltagError(
                        f"PyTorch cannot run the network on {len(images)} images ({reason_of(error)}): check its input "
                        "size, or give fewer images at a time",
                        options=("input_size", "batch_size"),
                    ) from None
                parts.append(arrays)
            return Computed(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

        return run

    def differentiable(self, layer: Layer, scaling: Scaling) -> TorchDifferentiable:
        """Return a layer with its gradient: see :meth:`~filtag_kg.network.network.Engine.differentiable`."""
        return differentiable(self.module, layer, _scaling(scaling, self.device), self.device)


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
    nodes = torch.fx.Graph()
    copies: dict[Node, Node] = {}
    outputs = nodes.graph_copy(module.graph, copies)
    by_name = {node.name: copy for node, copy in copies.items()}
    measured = []
    for name in feature_maps:
        with nodes.inserting_after(by_name[name]):
            measured.append(nodes.call_function(reduced, (by_name[name],)))
    scores = None
    if output is None:
        wanted = set(measured)
        for node in reversed(list(nodes.nodes)):
            if node in wanted:
                break
            nodes.erase_node(node)
    else:
        _in_float32(outputs[output])
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


def means(output: Tensor) -> Tensor:
    """Return an output as one number for each image and channel: of a map, the mean over its places."""
    output = output.float()
    return output.flatten(2).mean(2) if output.dim() > 2 else output.reshape(len(output), -1)


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


def _in_float32(output: Node) -> None:
    """Let the operations that make an output compute in float32: a softmax over many classes has small numbers."""
    maker = output_maker(output)
    last = [maker]
    if str(maker.target).startswith(("aten.softmax", "aten._softmax", "aten.sigmoid", "aten.log_softmax")):
        last.append(output_maker(maker.args[0]))
    for node in last:
        if node.op == "call_function":
            node.target = _exactly(node.target)


def _exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        torch = import_torch()

        def to_float32(each: Any) -> Any:  # noqa: ANN401
            return each.float() if isinstance(each, torch.Tensor) and each.is_floating_point() else each

        args, kwargs = torch.utils._pytree.tree_map(to_float32, (args, kwargs))
        device = next((each.device.type for each in args if isinstance(each, torch.Tensor)), "cpu")
        with torch.autocast(device, enabled=False):
            return function(*args, **kwargs)

    return call


def _scaling(scaling: Scaling, device: Any) -> Callable[[Tensor], Tensor]:  # noqa: ANN401
    """Return the function from pixels, (n_images, height, width, channels), to what the network takes.

    That is a view of shape (n_images, channels, height, width), with channels last in memory.
    """
    torch = import_torch()
    mean, std = (torch.tensor(x, dtype=torch.float32, device=device) for x in (scaling.mean, scaling.std))
    order = list(scaling.order)

    def scaled(pixels: Tensor) -> Tensor:
        images = pixels.to(device).to(torch.float32)
        if order != sorted(order):
            images = images[..., order]
        if any(scaling.mean):
            images = images - mean
        if any(std != 1 for std in scaling.std):
            images = images / std
        return images.permute(0, 3, 1, 2)

    return scaled
