"""What is maximised: the mean of a filter's feature map, made such that there is a way up from everywhere."""

from __future__ import annotations

from collections.abc import Callable

from filtag_kg.network import KerasModel, Layer, Network, Tensor, import_keras

__all__ = ["Objective", "filter_objective"]

_LEAK = 0.1

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From images and chosen filters to what to maximise and to the activations."""


def filter_objective(network: Network, layer: Layer) -> tuple[KerasModel, Objective]:
    """Return the objective for filters of a layer, and the part of the network that computes it.

    An activation such as ReLU6 is flat below and above: a filter that is silent, at a place of its map or all over, has
    no gradient that leads to where it answers, and once it is at the ceiling a first hint of what it looks for is as
    good as its best example. With y the map and x what it was *before* the activation, what is maximised is
    0.9·mean(max(y, x)) + 0.1·mean(x). For ReLU and ReLU6 that is a leaky ReLU without a ceiling. Where no activation
    ends the map, it is mean(y).

    Returns
    -------
    model : keras.Model
    objective : callable
        From images, float32 RGB in [0, 1] of shape (n_images, height, width, 3), and chosen filters, float32 of shape
        (n_images, n_filters) with a single 1 in each row, to what is to be maximised and to the mean of the feature
        map, both of shape (n_images,).
    """
    keras = import_keras()
    before = _before_activation(layer)
    outputs = [layer.feature_map] if before is None else [layer.feature_map, before]
    model = keras.Model(network.model.inputs[0], outputs)
    ops = keras.ops

    def mean(maps: Tensor, chosen: Tensor) -> Tensor:
        return ops.sum(ops.mean(ops.cast(maps, "float32"), axis=(1, 2)) * chosen, axis=1)

    def objective(images: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        found = model(network.preprocess(images * 255.0), training=False)
        maps, *rest = found if isinstance(found, list | tuple) else [found]
        activation = mean(maps, chosen)
        if not rest:
            return activation, activation
        (before,) = rest
        without_ceiling = mean(ops.maximum(maps, before), chosen)
        return (1 - _LEAK) * without_ceiling + _LEAK * mean(before, chosen), activation

    return model, objective


def _before_activation(layer: Layer) -> Tensor | None:
    """Return the feature maps before the activation that ends them; None if none does."""
    keras = import_keras()
    history = layer.feature_map._keras_history
    operation = history.operation
    (taken,) = operation._inbound_nodes[history.node_index].input_tensors[:1]
    if operation.name != layer.name:
        return None if isinstance(operation, keras.layers.BatchNormalization) else taken
    if operation.activation is keras.activations.linear:
        return None
    # The layer applies its activation itself: a copy of it does not.
    config = operation.get_config() | {"activation": "linear", "name": f"{operation.name}_before_activation"}
    linear = type(operation).from_config(config)
    before = linear(taken)
    linear.set_weights(operation.get_weights())
    return before
