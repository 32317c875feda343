"""A PyTorch network without some of its filters.

What runs before the first feature map that may be replaced is computed once for some images, the rest once for each set
of filters.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.torch.backend import GraphModule, Node, Tensor, import_torch
from filtag_kg.network.torch.graph import changed_by, is_view, tensor_inputs
from filtag_kg.network.torch.output import in_float32, means, measured_copy
from filtag_kg.network.torch.running import Running


@dataclass(frozen=True, slots=True, eq=False)
class SplitGraph:
    """A network in two parts.

    Parameters
    ----------
    begin : torch.fx.GraphModule
        From images to the tensors that the other part takes.
    end : torch.fx.GraphModule
        From what is kept, bool of shape (n_filters,), the values for what is not, float32 of that shape, and those
        tensors to the network's output.
    """

    begin: GraphModule
    end: GraphModule


@dataclass(frozen=True, slots=True, eq=False)
class TorchAblatable:
    """A PyTorch network: see :class:`~filtag_kg.network.ablation.Ablatable`.

    Parameters
    ----------
    whole : torch.fx.GraphModule
        See :func:`measuring_means`.
    split : SplitGraph
    running : Running
    scaled : callable
        From pixels to what the network takes.
    batch_size : int
    """

    whole: GraphModule
    split: SplitGraph
    running: Running
    scaled: Callable[[Tensor], Tensor]
    batch_size: int

    def measured(self, pixels: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network as it is: see :meth:`~filtag_kg.network.ablation.Ablatable.measured`."""
        parts = []
        for part in self.running.parts(pixels, self.scaled, self.batch_size):
            with self.running.computing(len(part.images)):
                parts.append([tensor[: part.n_images].cpu().numpy() for tensor in self.whole(part.images)])
        scores, map_means = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return scores, map_means

    def ablated(
        self, pixels: NDArray[Any], kept: NDArray[np.bool_], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Run it once for each set: see :meth:`~filtag_kg.network.ablation.Ablatable.ablated`."""
        torch = import_torch()
        sets = torch.from_numpy(np.ascontiguousarray(kept)).to(self.running.device)
        filled = torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.running.device)
        parts = []
        for part in self.running.parts(pixels, self.scaled, self.batch_size):
            with self.running.computing(len(part.images)):
                crossing = self.split.begin(part.images)
                scores = [self.split.end(one_set, filled, *crossing)[: part.n_images] for one_set in sets]
                parts.append(torch.stack(scores).cpu().numpy())
        return np.concatenate(parts, axis=1)


def measuring_means(module: GraphModule, feature_maps: Sequence[str], output: int) -> GraphModule:
    """Return a graph from images to a network's output and the mean of each feature map, in its own units."""
    torch = import_torch()
    nodes, outputs, measured = measured_copy(module, feature_maps, _map_means)
    in_float32(outputs[output])
    nodes.output((nodes.call_function(means, (outputs[output],)), nodes.call_function(torch.cat, (measured, 1))))
    nodes.eliminate_dead_code()
    return torch.fx.GraphModule(module, nodes)


def split_at(module: GraphModule, layers: Sequence[tuple[str, int]], output: int) -> SplitGraph:
    """Split a network before the first of the feature maps that may be replaced.

    Parameters
    ----------
    layers : sequence of (str, int)
        The names of the feature maps' nodes, and how many filters each has.
    output : int
        Which of the network's outputs is wanted.
    """
    torch = import_torch()
    order = [node for node in module.graph.nodes if node.op not in ("placeholder", "output")]
    wanted = module.graph.output_node().args[0][output]
    columns = _columns(layers)
    first = next(index for index, node in enumerate(order) if node.name in columns)
    before, after = order[: first + 1], order[first + 1 :]
    if anew := _changes(after, set(before), columns):
        # What is changed in place must be computed anew for each set.
        before, after = [], order
    images = next(node for node in module.graph.nodes if node.op == "placeholder")
    crossing = _crossing([images, *before], after, wanted)
    begin, copies = torch.fx.Graph(), {}
    copies[images] = begin.node_copy(images)
    for node in before:
        copies[node] = begin.node_copy(node, copies.__getitem__)
    begin.output(tuple(copies[node] for node in crossing))
    end, copies = torch.fx.Graph(), {}
    kept, filled = end.placeholder("kept"), end.placeholder("filled")
    copies |= {node: end.placeholder(f"crossing_{index}") for index, node in enumerate(crossing)}
    for node in crossing:
        if anew:
            copies[node] = end.call_function(torch.ops.aten.clone.default, (copies[node],))
        copies[node] = _replacing(end, node, copies[node], columns, kept, filled)
    for node in [*(each for each in before if each.op == "get_attr"), *after]:
        copies[node] = end.node_copy(node, copies.__getitem__)
        copies[node] = _replacing(end, node, copies[node], columns, kept, filled)
    in_float32(copies[wanted])
    end.output(end.call_function(means, (copies[wanted],)))
    for nodes in (begin, end):
        nodes.eliminate_dead_code()
    return SplitGraph(torch.fx.GraphModule(module, begin), torch.fx.GraphModule(module, end))


def _columns(layers: Sequence[tuple[str, int]]) -> dict[str, tuple[int, int]]:
    ends = np.cumsum([n_filters for _, n_filters in layers]).tolist()
    return {name: (end - n_filters, end) for (name, n_filters), end in zip(layers, ends, strict=True)}


def _crossing(before: Sequence[Node], after: Sequence[Node], wanted: Node) -> list[Node]:
    """Return what the second part takes from the first; weights are attributes of both."""
    used = dict.fromkeys([each for node in after for each in node.all_input_nodes] + [wanted])
    return [node for node in before if node in used and node.op != "get_attr"]


def _changes(after: Sequence[Node], before: set[Node], replaced: Container[str]) -> bool:
    """Return whether the second part changes in place what the first computed, or the images.

    A feature map of `replaced` is safe: what is changed is the tensor in its place.
    """
    for node in after:
        changed = changed_by(node)
        while changed is not None and is_view(changed):
            changed = tensor_inputs(changed)[0]
        if changed is None or changed.name in replaced:
            continue
        if changed in before or changed.op == "placeholder":
            return True
    return False


def _replacing(
    nodes: Any,  # noqa: ANN401
    original: Node,
    copy: Node,
    columns: dict[str, tuple[int, int]],
    kept: Node,
    filled: Node,
) -> Node:
    """Return a tensor, or what replaces filters in it where it holds feature maps that may be replaced."""
    if original.name not in columns:
        return copy
    return nodes.call_function(_replaced, (copy, kept, filled, *columns[original.name]))


def _replaced(maps: Tensor, kept: Tensor, filled: Tensor, first: int, end: int) -> Tensor:
    torch = import_torch()
    # Selected, not multiplied: what is replaced may be infinite.
    values = filled[first:end, None, None].to(maps.dtype)
    return torch.where(kept[first:end, None, None], maps, values)


def _map_means(maps: Tensor) -> Tensor:
    return maps.mean((2, 3), dtype=import_torch().float32)
