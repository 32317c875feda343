"""One trained CNN with fixed weights, whatever framework runs it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.ablation import Ablatable
from filtag_kg.network.feature_map import Layer, Step
from filtag_kg.network.gradients import Differentiable
from filtag_kg.network.map_reader import MapReader
from filtag_kg.network.outputs import OutputLayer
from filtag_kg.network.preparation import Preparation
from filtag_kg.network.scaling import Scaling


@dataclass(frozen=True, slots=True)
class Computed:
    """What a network computes for a batch of images.

    Parameters
    ----------
    activations : float32 array of shape (n_images, n_filters)
        ā(m,i,d), layers side by side: of each feature map the mean, after scaling its layer to [0, 1] for that
        image; not finite where the network's output is not.
    constant : bool array of shape (n_images, n_layers)
        Whether all of the layer's outputs are equal; then there is nothing to scale, and its activations are 0.
    scores : float32 array of shape (n_images, n_outputs)
        The network's own outputs, of a map the means; n_outputs is 0 where they were not asked for.
    """

    activations: NDArray[np.float32]
    constant: NDArray[np.bool_]
    scores: NDArray[np.float32]


CompiledPass = Callable[[NDArray[Any]], Computed]
"""From pixels, uint8 or float32 in [0, 255] of shape (n_images, height, width, channels), to what is computed."""


class Engine(Protocol):
    """A framework that holds a network's graph and weights, and runs it."""

    def versions(self) -> Mapping[str, str]:
        """Return what computes, as ``backend``, and the versions of the packages that its results depend on."""

    def compile(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool, once: bool
    ) -> CompiledPass:
        """Return the computation of the activation ā(m,i,d) (paper, section 2.1).

        Parameters
        ----------
        scaling : Scaling
            From pixels to the network's input.
        batch_size : int
            Images at a time; there may be fewer.
        scores : bool
            Whether the network's own outputs are wanted too.
        once : bool
            Whether there will be one batch only: then what takes long to prepare does not pay.
        """

    def differentiable(self, layer: Layer, scaling: Scaling) -> Differentiable:
        """Return a layer with its gradient.

        Raises
        ------
        FiltagError
            If the framework computes no gradients.
        """

    def ablatable(self, layers: Sequence[Layer], scaling: Scaling, batch_size: int) -> Ablatable:
        """Return the network with feature maps that can be replaced.

        Parameters
        ----------
        layers : sequence of Layer
            Those whose filters may be.
        batch_size : int
            Images at a time; there may be fewer.

        Raises
        ------
        FiltagError
            If the framework lets nobody into the network.
        """

    def map_reader(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, once: bool = False
    ) -> MapReader:
        """Return the network with feature maps that can be looked at.

        Parameters
        ----------
        layers : sequence of Layer
            Those whose maps may be wanted.
        batch_size : int
            Images at a time; there may be fewer.
        once : bool
            Whether there will be one batch only: then what takes long to prepare does not pay.
        """


@dataclass(frozen=True, slots=True)
class Network:
    """A network whose layers, outputs and preparation of images are known.

    Parameters
    ----------
    name : str
        In lower case: ``vgg16``, or the file's name without its ending.
    engine : Engine
        What runs it.
    layers : tuple of Layer
        The chosen layers, in forward order.
    preparation : Preparation
        How an image becomes its input.
    output : OutputLayer
    class_ids : tuple of str, of length n_classes
        The classes of the outputs, in order; empty where they are unknown.
    weights_sha256 : str
    layers_option : str
        How `layers` were chosen.
    output_name : str, optional
        Which of several outputs was chosen.
    precision : str
        What the layers compute in, ``float32``, ``float16`` or ``bfloat16``; the weights are the same.
    file : Path, optional
        The file it was loaded from, as the user gave it; None for a named network.
    own_preparation : Preparation, optional
        The one that its maker gave it with its name and weights; None for a network of the user's own.
    source_name : str, optional
        What `load_network` knows it by, or its file's name, if it was loaded there.
    weights : str
        ``trained``, or ``random`` and perhaps a seed, see :func:`~filtag_kg.network.load_network`.
    recorded_identifier : str, optional
        What a profile calls it that was made with the same weights and preparation.
    """

    name: str
    engine: Engine = field(repr=False)
    layers: tuple[Layer, ...]
    preparation: Preparation
    output: OutputLayer
    class_ids: tuple[str, ...] = field(repr=False)
    weights_sha256: str
    layers_option: str = "conv"
    output_name: str | None = None
    precision: str = "float32"
    file: Path | None = None
    own_preparation: Preparation | None = field(default=None, repr=False)
    source_name: str | None = None
    weights: str = "trained"
    recorded_identifier: str | None = None

    @property
    def identifier(self) -> str:
        """The name, and the hash of the weights and of how images are prepared.

        Of the weights alone where images are prepared as the network's maker says.
        """
        if self.recorded_identifier is not None:
            return self.recorded_identifier
        digest = self.weights_sha256
        if self.preparation != self.own_preparation:
            digest = hashlib.sha256(f"{digest} {self.preparation.sha256()}".encode()).hexdigest()
        return f"{self.name}-{digest[:12]}"

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the images it takes."""
        return self.preparation.size

    @property
    def n_filters(self) -> int:
        """The number of filters of all chosen layers."""
        return sum(layer.n_filters for layer in self.layers)

    def compile(self, batch_size: int, *, scores: bool = False) -> CompiledPass:
        """Return the pass for batches of images: see :meth:`Engine.compile`."""
        return self.engine.compile(self.layers, self.preparation.scaling, batch_size, scores=scores, once=False)

    def differentiable(self, layer: Layer) -> Differentiable:
        """Return a layer with its gradient: see :meth:`Engine.differentiable`."""
        return self.engine.differentiable(layer, self.preparation.scaling)

    def ablatable(self, layers: Sequence[Layer], batch_size: int) -> Ablatable:
        """Return the network with feature maps that can be replaced: see :meth:`Engine.ablatable`."""
        return self.engine.ablatable(layers, self.preparation.scaling, batch_size)

    def map_reader(self, batch_size: int, *, layers: Sequence[Layer] | None = None, once: bool = False) -> MapReader:
        """Return the network with feature maps of all layers, or some: see :meth:`Engine.map_reader`."""
        chosen = self.layers if layers is None else layers
        return self.engine.map_reader(chosen, self.preparation.scaling, batch_size, once=once)

    def compute(self, pixels: NDArray[Any]) -> Computed:
        """Return activations and scores for a few images, without preparing for more."""
        run = self.engine.compile(self.layers, self.preparation.scaling, len(pixels), scores=True, once=True)
        return run(pixels)


@dataclass(frozen=True, slots=True)
class Source(ABC):
    """A network as its framework holds it, before layers are chosen.

    Parameters
    ----------
    name : str
    steps : sequence of Step
        Its graph, in forward order.
    preparation : Preparation
        As its maker says; else the images as they are, squashed to its size.
    class_ids : tuple of str
        The classes of the outputs as its maker names them; else empty.
    output_size : int
        Numbers that it outputs for an image; of a map, its channels.
    output_is_map : bool
    weights_sha256 : str
    named : bool
        Whether its maker gave it a name, weights and the preparation; else it is the user's own.
    last : str
        What the last operation is: see :func:`~filtag_kg.network.outputs.output_layer`.
    """

    name: str
    steps: Sequence[Step]
    preparation: Preparation
    class_ids: tuple[str, ...]
    output_size: int
    output_is_map: bool
    last: str
    weights_sha256: str
    named: bool

    def computes_in(self, precision: str) -> str:
        """Return what the layers will compute in where `precision` is asked for."""
        return precision

    @abstractmethod
    def engine(self, precision: str) -> Engine:
        """Return what runs it."""


def weights_sha256(weights: Sequence[NDArray[Any]]) -> str:
    """Hash arrays in order: for each, its dtype and shape as text, then its little-endian bytes.

    >>> weights_sha256([np.zeros(2, np.float32)]) == weights_sha256([np.zeros((2, 1), np.float32)])
    False
    """
    digest = hashlib.sha256()
    for array in weights:
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{array.dtype.name}{array.shape}".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()
