"""A PyTorch network as a source, and ``from_torch``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.network import Source, weights_sha256
from filtag_kg.network.preparation import Preparation
from filtag_kg.network.scaling import named_scaling
from filtag_kg.network.torch.backend import Node, import_torch
from filtag_kg.network.torch.engine import TorchEngine
from filtag_kg.network.torch.graph import TorchGraph, refuse_training
from filtag_kg.network.torch.prepared import prepared
from filtag_kg.network.torch.steps import last_function, steps_of

# What a file may ask for: a mistaken or malicious length would fill the memory.
_MOST_IMAGES, _MOST_CHANNELS = 4096, 4096


@dataclass(frozen=True, slots=True)
class TorchSource(Source):
    """A PyTorch network before layers are chosen."""

    graph: TorchGraph = field(repr=False)
    output: int
    device: Any
    packages: tuple[str, ...] = ()

    def engine(self, precision: str) -> TorchEngine:
        """Return what runs it, with a copy of its weights."""
        graph = self.graph
        module = prepared(graph, self.device)
        return TorchEngine(module, self.output, self.device, precision, graph.fewest, graph.most, self.packages)


def torch_source(
    graph: TorchGraph,
    name: str,
    where: str,
    *,
    preparation: Preparation | None = None,
    class_ids: tuple[str, ...] = (),
    named: bool = False,
    output_name: str | None = None,
    device: str | None = None,
    packages: tuple[str, ...] = (),
) -> TorchSource:
    """Return a graph as a source.

    Parameters
    ----------
    where : str
        The network as the user named it, for messages.
    preparation : Preparation, optional
        By default, pixels as they are.
    class_ids : tuple of str
        The classes of its outputs.
    named : bool
        Whether its maker gave it a name, weights and the preparation.
    output_name : str, optional
        Which of several outputs counts, by its name or number; by default the first.
    device : str, optional
        ``cpu``, ``cuda``, ``cuda:1``; by default a GPU if there is one.
    packages : tuple of str
        Distributions that the network comes from.

    Raises
    ------
    FiltagError
        If its numbers are not finite or depend on the batch, or there is no such output or device.
    """
    most = graph.most or _MOST_IMAGES
    if not (1 <= graph.channels <= _MOST_CHANNELS and 1 <= graph.fewest <= min(most, _MOST_IMAGES)):
        raise FiltagError(
            f"{where} takes {graph.fewest} images of {graph.channels} channels or more at a time, which nobody has: "
            "export it again"
        )
    refuse_training(graph, where)
    arrays = []
    for path, tensor in graph.weights():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise FiltagError(f"{where} has weights that are not finite ({path}): save the trained network again")
        arrays.append((tensor.float() if tensor.is_floating_point() else tensor).detach().cpu().numpy())
    index, node = _chosen_output(graph, output_name, where)
    shape = node.meta["shape"][1:]
    # One place is no map: some networks classify by a convolution.
    is_map = len(shape) > 1 and any(side != 1 for side in shape[1:])
    return TorchSource(
        name=name,
        steps=steps_of(graph),
        preparation=preparation or Preparation(graph.size, named_scaling("none", graph.channels)),
        class_ids=class_ids,
        output_size=shape[0] if shape else 1,
        output_is_map=is_map,
        last=last_function(node),
        weights_sha256=weights_sha256(arrays),
        named=named,
        graph=graph,
        output=index,
        device=_device(device),
        packages=packages,
    )


def _chosen_output(graph: TorchGraph, output_name: str | None, where: str) -> tuple[int, Node]:
    nodes = graph.nodes[-1].args[0]
    n_images = graph.images.meta["shape"][0]
    each = [index for index, node in enumerate(nodes) if node.meta["shape"][:1] == (n_images,)]
    if not each:
        raise FiltagError(f"{where} outputs no tensor with a row for each image: give a network that does")
    if output_name is None:
        return each[0], nodes[each[0]]
    for index in each:
        if output_name in (graph.outputs[index], str(index)):
            return index, nodes[index]
    names = ", ".join(graph.outputs[index] for index in each)
    raise FiltagError(f"{where} has no output {output_name!r}: choose from {names}", options=("output_name",))


def _device(name: str | None) -> Any:  # noqa: ANN401
    torch = import_torch()
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise FiltagError(f"no device {name!r} ({reason_of(error)}): choose cpu or cuda", options=("device",)) from None
    return device
