"""A layer of a PyTorch network with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.feature_map import Layer
from filtag_kg.network.gradients import CompiledStep, Step
from filtag_kg.network.torch.backend import GraphModule, Node, Tensor, import_torch
from filtag_kg.network.torch.graph import tensor_inputs


@dataclass(frozen=True, slots=True)
class TorchDifferentiable:
    """A layer of a PyTorch network: see :class:`~filtag_kg.network.gradients.Differentiable`.

    Parameters
    ----------
    module : torch.fx.GraphModule
        From what the network takes to the feature maps and their values before the final activation, channels first.
    scaled : callable
        From pixels to what the network takes.
    device : torch.device
    """

    module: GraphModule
    scaled: Callable[[Tensor], Tensor]
    device: Any

    @property
    def ops(self) -> TorchOps:
        """PyTorch's functions by NumPy's names."""
        return TorchOps(self.device)

    def maps(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the feature maps, and their values before the final activation."""
        maps, before = self.module(self.scaled(pixels))
        return maps.permute(0, 2, 3, 1), before.permute(0, 2, 3, 1)

    def compile(self, step: Step) -> CompiledStep:
        """Return the step with PyTorch's gradient."""
        torch = import_torch()

        def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
            with torch.enable_grad():
                at = at.detach().requires_grad_(True)
                return torch.autograd.grad(function(at), at)[0]

        def run(*arguments: NDArray[Any] | Tensor) -> tuple[Tensor, ...]:
            with torch.no_grad():
                return tuple(step(gradient, *(torch.as_tensor(each, device=self.device) for each in arguments)))

        return run

    def to_numpy(self, tensor: Tensor) -> NDArray[np.float32]:
        """Return a tensor as an array."""
        array: NDArray[np.float32] = tensor.detach().cpu().numpy()
        return array


def differentiable(
    module: GraphModule,
    layer: Layer,
    scaled: Callable[[Tensor], Tensor],
    device: Any,  # noqa: ANN401
) -> TorchDifferentiable:
    """Return the part of a prepared graph that computes a layer's feature maps."""
    torch = import_torch()
    nodes = torch.fx.Graph()
    copies: dict[Node, Node] = {}
    nodes.graph_copy(module.graph, copies)
    maps = next(copy for node, copy in copies.items() if node.name == layer.feature_map)
    before = maps
    if layer.feature_map_of != layer.name and layer.chain[-1] != "BatchNormalization":
        # A copy, since an activation may work in place.
        with nodes.inserting_before(maps):
            before = nodes.call_function(torch.ops.aten.clone.default, (tensor_inputs(maps)[0],))
    for node in reversed(list(nodes.nodes)):
        if node is maps:
            break
        nodes.erase_node(node)
    nodes.output((maps, before))
    nodes.eliminate_dead_code()
    return TorchDifferentiable(torch.fx.GraphModule(module, nodes), scaled, device)


class TorchOps:
    """PyTorch's functions by their names and parameters in NumPy; arrays become tensors of a device."""

    def __init__(self, device: Any) -> None:  # noqa: ANN401
        self._torch = import_torch()
        self._device = device

    def _tensor(self, value: Any) -> Tensor:  # noqa: ANN401 - a tensor, an array or a number
        return self._torch.as_tensor(value, device=self._device)

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """Return each number, or the nearest bound."""
        return self._tensor(x).clamp(low, high)

    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        """Return where two tensors are equal."""
        return self._tensor(x) == self._tensor(y)

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the product of matrices."""
        return self._tensor(x) @ self._tensor(y)

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the larger of each two numbers."""
        return self._torch.maximum(self._tensor(x), self._tensor(y))

    def mean(self, x: Tensor, axis: tuple[int, ...]) -> Tensor:
        """Return the mean over axes."""
        return self._tensor(x).mean(axis)

    def multiply(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the product of each two numbers."""
        return self._tensor(x) * self._tensor(y)

    def reshape(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Return the numbers in another shape."""
        return self._tensor(x).reshape(tuple(shape))

    def sigmoid(self, x: Tensor) -> Tensor:
        """Return 1 / (1 + e⁻ˣ)."""
        return self._tensor(x).sigmoid()

    def sqrt(self, x: Tensor) -> Tensor:
        """Return the square root."""
        return self._tensor(x).sqrt()

    def square(self, x: Tensor) -> Tensor:
        """Return the square."""
        return self._tensor(x).square()

    def sum(self, x: Tensor, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> Tensor:
        """Return the sum, of everything or over axes."""
        x = self._tensor(x)
        return x.sum() if axis is None else x.sum(axis, keepdim=keepdims)

    def take(self, x: Tensor, indices: Tensor, axis: int) -> Tensor:
        """Return the slices at some indices of an axis."""
        return self._tensor(x).index_select(axis, self._tensor(indices))

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """Return the axes in another order."""
        return self._tensor(x).permute(tuple(axes))

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return numbers of `x` where the condition holds, and of `y` elsewhere."""
        return self._torch.where(condition, self._tensor(x).to(self._device), self._tensor(y))
