"""Which tensor is a filter's feature map, and which layers have filters: one rule for every framework.

A filter's feature map is what it contributes to the rest of the network: its layer's output *after* the batch
normalisation and the activation that directly follow. "Directly" means that nothing else uses the tensor in between:
where the path forks, or joins another (Add, Concatenate), the feature map ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc

Role = Literal["convolution", "normalisation", "activation", "other"]
DEPTHWISE = "DepthwiseConv2D"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a network's graph, as any framework describes it.

    Parameters
    ----------
    name : str
        The layer's name in the network; an operation without one goes by what its framework calls it.
    spelling : str
        How a chain of operations spells it: ``Conv2D``, ``BatchNormalization``, ``relu6``.
    role : str
        ``convolution``; ``normalisation``, a batch normalisation with constant statistics; ``activation``, any function
        of single numbers with constants alone; or ``other``.
    inputs, outputs : tuple of str
        The names of the tensors that it takes and makes. Constants and weights need not be among them.
    kind : str
        Of a convolution: ``Conv2D``, ``SeparableConv2D`` or ``DepthwiseConv2D``.
    n_filters : int
        Of a convolution: its output channels.
    activated : bool
        Whether a convolution applies an activation itself.
    """

    name: str
    spelling: str
    role: Role
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: str = ""
    n_filters: int = 0
    activated: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolutional layer of a network.

    Parameters
    ----------
    name : str
        Its name in the network.
    n_filters : int
        Output channels.
    kind : str
        ``Conv2D``, ``SeparableConv2D`` or ``DepthwiseConv2D``.
    feature_map : str
        The name, in the network's graph, of the tensor that holds the feature maps of all its filters.
    feature_map_of : str
        The name of the operation that outputs it: the layer, or the last normalisation or activation that belongs
        to it.
    chain : tuple of str
        The operations from the layer's input to its feature maps, in order. An activation is named by its function;
        one that the layer applies itself is named with the layer: ``("Conv2D with relu", "BatchNormalization")``.
    """

    name: str
    n_filters: int
    kind: str
    feature_map: str
    feature_map_of: str
    chain: tuple[str, ...]

    @property
    def taken_after(self) -> str:
        """The chain in one line: ``Conv2D → BatchNormalization → relu``."""
        return " → ".join(self.chain)


def select_layers(steps: Sequence[Step], choice: str, where: str) -> tuple[Layer, ...]:
    """Return the layers that `choice` names, in forward order.

    Parameters
    ----------
    steps : sequence of Step
        The network's graph, in forward order.
    choice : str
        ``conv``: all convolutions except depthwise ones, whose filters see one channel each. ``all``: those
        too. Else names or patterns of layers (``block5_conv3``, ``block5_*``), comma-separated.
    where : str
        The network as the user named it, for messages.

    Raises
    ------
    FiltagError
        If there is no such layer, or a layer is applied more than once, so it has several feature maps.
    """
    convolutions = [step for step in steps if step.role == "convolution"]
    if not convolutions:
        raise FiltagError(f"{where} has no convolutional layer: give a CNN")
    chosen = _chosen(convolutions, choice, where)
    names = [step.name for step in convolutions if step.name in chosen]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise FiltagError(
            f"layer {repeated} of {where} is applied {names.count(repeated)} times, so its filters have several "
            "feature maps: choose other layers",
            options=("layers",),
        )
    consumers: dict[str, list[Step]] = {}
    for step in steps:
        for tensor in step.inputs:
            consumers.setdefault(tensor, []).append(step)
    return tuple(_layer(step, consumers) for step in convolutions if step.name in chosen)


def _chosen(convolutions: Sequence[Step], choice: str, where: str) -> set[str]:
    if choice == "all":
        return {step.name for step in convolutions}
    if choice == "conv":
        names = {step.name for step in convolutions if step.kind != DEPTHWISE}
        if not names:
            raise FiltagError(f"{where} has depthwise convolutions only: choose all layers", options=("layers",))
        return names
    chosen: set[str] = set()
    for pattern in filter(None, (part.strip() for part in choice.split(","))):
        matching = {step.name for step in convolutions if fnmatchcase(nfc(step.name), nfc(pattern))}
        if not matching:
            raise FiltagError(
                f"no convolutional layer {pattern!r} in {where}: choose conv, all or from "
                + ", ".join(dict.fromkeys(step.name for step in convolutions))
            )
        chosen |= matching
    if not chosen:
        raise FiltagError("no layers: choose conv, all or names of layers, comma-separated", options=("layers",))
    return chosen


def _layer(convolution: Step, consumers: dict[str, list[Step]]) -> Layer:
    chain = [convolution, *_followers(convolution, consumers)]
    return Layer(
        convolution.name,
        convolution.n_filters,
        convolution.kind,
        chain[-1].outputs[0],
        chain[-1].name,
        tuple(step.spelling for step in chain),
    )


def _followers(convolution: Step, consumers: dict[str, list[Step]]) -> list[Step]:
    """Return the normalisation and the activation that directly follow a convolution, in order."""
    wanted: set[Role] = {"normalisation"} if convolution.activated else {"normalisation", "activation"}
    followers: list[Step] = []
    tensor = convolution.outputs[0]
    while len(using := consumers.get(tensor, [])) == 1 and (step := using[0]).role in wanted:
        wanted.remove(step.role)
        followers.append(step)
        tensor = step.outputs[0]
    return followers
