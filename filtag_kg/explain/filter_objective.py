"""What is maximised: the mean of a filter's feature map, changed so that there is a gradient everywhere."""

from __future__ import annotations

from collections.abc import Callable

from filtag_kg.network import Differentiable, Tensor

_LEAK = 0.1

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From images and chosen filters to the values to maximise, and the activations."""


def filter_objective(layer: Differentiable) -> Objective:
    """Return the objective for filters of a layer.

    An activation such as ReLU6 is flat below and above. Where a filter is silent, no gradient leads to where it
    answers; at the ceiling, a first hint of what it looks for is as good as its best example. With y the feature map
    and x its values *before* the activation, the objective is 0.9·mean(max(y, x)) + 0.1·mean(x): for ReLU and ReLU6 a
    leaky ReLU without a ceiling. Without an activation at the end it is mean(y).

    Returns
    -------
    callable
        From images, float32 in [0, 1] of shape (n_images, height, width, channels), and chosen filters, float32 of
        shape (n_images, n_filters) with a single 1 in each row, to the values to maximise and the means of the feature
        maps, both of shape (n_images,).
    """
    ops = layer.ops

    def mean(maps: Tensor, chosen: Tensor) -> Tensor:
        return ops.sum(ops.mean(maps, axis=(1, 2)) * chosen, axis=1)

    def objective(images: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        maps, before = layer.maps(images * 255.0)
        without_ceiling = mean(ops.maximum(maps, before), chosen)
        return (1 - _LEAK) * without_ceiling + _LEAK * mean(before, chosen), mean(maps, chosen)

    return objective
