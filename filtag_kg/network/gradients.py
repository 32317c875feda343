"""What a framework needs to follow a filter's gradient to a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Of the framework; they have another class in each.
Tensor: TypeAlias = Any
Ops: TypeAlias = Any

Gradient = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
"""Takes a function with a number as its value, and a tensor; returns the function's gradient there."""

Step = Callable[..., tuple[Tensor, ...]]
"""A pure function of a :data:`Gradient` and then tensors; it returns tensors."""

CompiledStep = Callable[..., tuple[Tensor, ...]]
"""A step without its first argument: it takes arrays or tensors, always of the same shapes and dtypes."""


class Differentiable(Protocol):
    """A layer of a network as a function of pixels, with its gradient."""

    @property
    def ops(self) -> Ops:
        """Functions on the framework's tensors by their names in NumPy, which take arrays, too.

        ``clip``, ``equal``, ``matmul``, ``maximum``, ``mean``, ``multiply``, ``reshape``, ``sigmoid``, ``sqrt``,
        ``square``, ``sum``, ``take``, ``transpose`` and ``where``.
        """

    def maps(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the feature maps of pixels, and their values before the final activation.

        Parameters
        ----------
        pixels : tensor of shape (n_images, height, width, channels)
            Floating point, in [0, 255].

        Returns
        -------
        maps, before : tensors of shape (n_images, height, width, n_filters)
            float32; the same where no activation belongs to the feature maps.
        """

    def compile(self, step: Step) -> CompiledStep:
        """Compile a step, or leave it as it is where the framework compiles nothing."""

    def to_numpy(self, tensor: Tensor) -> NDArray[np.float32]:
        """Return a tensor as an array."""
