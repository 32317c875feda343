"""What is maximised: the mean of a filter's feature map, changed so that there is a gradient everywhere."""

from __future__ import annotations

from collections.abc import Callable

from filtag_kg.errors import FiltagError
from filtag_kg.network import KerasEngine, KerasModel, Layer, Network, OnnxEngine, Tensor, import_keras, scaled

_LEAK = 0.1

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From images and chosen filters to the values to maximise, and the activations."""


def filter_objective(network: Network, layer: Layer) -> tuple[KerasModel, Objective]:
    """Return the objective for filters of a layer, and the part of the network that computes it.

    An activation such as ReLU6 is flat below and above. Where a filter is silent, no gradient leads to where it
    answers; at the ceiling, a first hint of what it looks for is as good as its best example. With y the feature map
    and x its values *before* the activation, the objective is 0.9·mean(max(y, x)) + 0.1·mean(x): for ReLU and ReLU6 a
    leaky ReLU without a ceiling. Without an activation at the end it is mean(y).

    Returns
    -------
    model : keras.Model
    objective : callable
        From images, float32 RGB in [0, 1] of shape (n_images, height, width, 3), and chosen filters, float32 of shape
        (n_images, n_filters) with a single 1 in each row, to the values to maximise and the means of the feature maps,
        both of shape (n_images,).
    """
    engine = network.engine
    if isinstance(engine, OnnxEngine):
        raise FiltagError(
            f"{network.name} runs in onnxruntime, which computes no gradients, and pictures of what a filter looks for "
            "need them: visualise the network that the file was exported from"
        )
    keras = import_keras()
    if not isinstance(engine, KerasEngine):
        raise FiltagError(f"{network.name} does not run in Keras: its filters cannot be visualised yet")
    feature_map = engine.tensors[layer.feature_map]
    before = _before_activation(layer, feature_map)
    outputs = [feature_map] if before is None else [feature_map, before]
    model = keras.Model(engine.model.inputs[0], outputs)
    ops = keras.ops

    def mean(maps: Tensor, chosen: Tensor) -> Tensor:
        return ops.sum(ops.mean(ops.cast(maps, "float32"), axis=(1, 2)) * chosen, axis=1)

    def objective(images: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        answer = model(scaled(network.preparation.scaling, images * 255.0), training=False)
        maps, *rest = answer if isinstance(answer, list | tuple) else [answer]
        activation = mean(maps, chosen)
        if not rest:
            return activation, activation
        (before,) = rest
        without_ceiling = mean(ops.maximum(maps, before), chosen)
        return (1 - _LEAK) * without_ceiling + _LEAK * mean(before, chosen), activation

    return model, objective


def _before_activation(layer: Layer, feature_map: Tensor) -> Tensor | None:
    """Return the feature maps before their final activation; None if there is no activation."""
    keras = import_keras()
    history = feature_map._keras_history
    operation = history.operation
    operation_input = operation._inbound_nodes[history.node_index].input_tensors[0]
    if operation.name != layer.name:
        return None if isinstance(operation, keras.layers.BatchNormalization) else operation_input
    if operation.activation is keras.activations.linear:
        return None
    # The layer applies its activation itself: copy it without the activation.
    config = operation.get_config() | {"activation": "linear", "name": f"{operation.name}_before_activation"}
    linear = type(operation).from_config(config)
    before = linear(operation_input)
    linear.set_weights(operation.get_weights())
    return before
