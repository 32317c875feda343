"""A layer's configuration in Keras 2 as a layer of Keras 3 that computes the same at inference."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.backend import Operation, Tensor, import_keras

REBUILD = "rebuild that part of Keras' own layers and save it again"

_SAME_AS = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
}
# What changes images and features in training alone. `FixedDropout` is of the package efficientnet, `StochasticDepth`
# of Keras' ConvNeXt.
_IN_TRAINING_ALONE = frozenset(
    {
        "ActivityRegularization",
        "AlphaDropout",
        "Dropout",
        "FixedDropout",
        "GaussianDropout",
        "GaussianNoise",
        "RandomBrightness",
        "RandomContrast",
        "RandomFlip",
        "RandomHeight",
        "RandomRotation",
        "RandomTranslation",
        "RandomWidth",
        "RandomZoom",
        "SpatialDropout2D",
        "StochasticDepth",
    }
)
# Names under which Keras 2 and widespread code of its time know an activation of Keras 3.
_ACTIVATIONS = {
    "h_swish": "hard_silu",
    "hard_swish": "hard_silu",
    "hardswish": "hard_silu",
    "swish": "silu",
    "relu_6": "relu6",
}
# Classes of widespread code of its time that apply such a function.
_ACTIVATION_CLASSES = {
    "HSwish": "hard_silu",
    "HardSwish": "hard_silu",
    "Mish": "mish",
    "Relu6": "relu6",
    "Swish": "silu",
}
# Arguments that only count in training or for other kinds of data, or say how to compute and not what.
_WITHOUT_EFFECT = frozenset(
    {
        "batch_input_shape",
        "batch_size",
        "dynamic",
        "force_generator",
        "fused",
        "groups",
        "implementation",
        "input_shape",
        "renorm_clipping",
        "renorm_momentum",
        "rng_type",
        "synchronized",
        "virtual_batch_size",
    }
)
_TRAINING_SUFFIXES = ("_initializer", "_regularizer", "_constraint")
# What else is in Keras' module of activations.
_NO_ACTIVATIONS = ("deserialize", "get", "serialize")
# Keras 3 takes it, and computes something else.
_REFUSED = ("renorm",)
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}


# Classes that are not Keras' public ones, and known all the same.
_CUSTOM = frozenset({"CustomScaleLayer", "FixedDropout", "LayerScale", "StochasticDepth", *_ACTIVATION_CLASSES})


def make_layer(class_name: str, config: Mapping[str, Any], name: str) -> Operation:
    """Return a layer of Keras 3 for one of Keras 2; it is not built yet.

    Parameters
    ----------
    config : mapping of str to JSON values
        Its arguments in Keras 2.
    name : str
        Its name from now on.

    Raises
    ------
    FiltagError
        If there is no such layer, or it needs code that is not in the file.
    """
    layers = import_keras().layers
    known = known_class(class_name)
    if known in _IN_TRAINING_ALONE:
        return layers.Identity(name=name)
    if known in _ACTIVATION_CLASSES:
        return layers.Activation(_ACTIVATION_CLASSES[known], name=name)
    if known == "ThresholdedReLU":
        return layers.ReLU(threshold=config["theta"], name=name)
    if known == "LayerScale":
        # Of Keras' ConvNeXt: each channel times a weight.
        shape = (None, None, config["projection_dim"])
        return layers.EinsumDense("bhwc,c->bhwc", output_shape=shape, name=name)
    if known == "Lambda":
        raise FiltagError(f"its layer {name} is a Lambda, which is code: {REBUILD}")
    layer_class = getattr(layers, known, None)
    if not (inspect.isclass(layer_class) and issubclass(layer_class, layers.Layer)):
        raise FiltagError(f"needs the class {class_name}, which is code and not in the file: {REBUILD}")
    make: Callable[..., Operation] = layer_class
    return make(**_arguments(known, layer_class, config), name=name)


def known_class(class_name: str, module: str = "keras") -> str:
    """Return a class by the name that it is known under here.

    Parameters
    ----------
    class_name : str
        As the file spells it; a class that is not Keras' own may have a package before it: ``Custom>FixedDropout``.
    module : str
        Where the file says that it is from.

    Raises
    ------
    FiltagError
        If it is not known: a class of the user's may have the name of one of Keras'.
    """
    own = class_name.rpartition(">")[2]
    if own in _CUSTOM:
        return own
    if own != class_name or module.partition(".")[0] not in ("keras", "tf_keras"):
        raise FiltagError(f"needs the class {class_name}, which is code and not in the file: {REBUILD}")
    return _SAME_AS.get(class_name, class_name)


def _arguments(class_name: str, layer_class: type[Operation], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer of Keras 3 that say the same."""
    allowed = {*inspect.signature(layer_class.__init__).parameters, "trainable", "dtype"} - {"self", "kwargs", "name"}
    arguments: dict[str, Any] = {}
    for key, value in config.items():
        argument = _RENAMED.get((class_name, key), key)
        if key == "name" or key.endswith(_TRAINING_SUFFIXES):
            continue
        if key == "dtype":
            arguments[key] = _dtype(value)
        elif key in ("activation", "recurrent_activation"):
            arguments[key] = _activation(value)
        elif key == "layer" and isinstance(value, dict):
            arguments[key] = make_layer(value["class_name"], value["config"], value["config"]["name"])
        elif class_name == "BatchNormalization" and key == "axis" and isinstance(value, list):
            (arguments[key],) = value
        elif argument in allowed and key not in _REFUSED:
            arguments[argument] = value
        elif key not in _WITHOUT_EFFECT and value:
            raise FiltagError(
                f"{key}={value!r} of its layer {config.get('name')} ({class_name}) cannot be mended: {REBUILD}"
            )
    return arguments


def _dtype(value: object) -> str | None:
    """Return what the weights of a layer are in: what it computes in is chosen later, for all layers."""
    if isinstance(value, dict):
        value = value.get("config", {}).get("name")
    name = None if value is None else str(value)
    return "float32" if name is not None and name.startswith(("mixed_", "infer")) else name


def _activation(value: object) -> str | Operation | Callable[[Tensor], Tensor] | None:
    if isinstance(value, dict):
        if value.get("class_name") != "function":
            # A layer as activation.
            config = value.get("config", {})
            return make_layer(value["class_name"], config, config.get("name") or value["class_name"].lower())
        if value.get("config") == "hard_sigmoid":
            raise FiltagError(f"needs a function hard_sigmoid, which is code and not in the file: {REBUILD}")
        value = value.get("config")
    if value is None:
        return None
    if value == "hard_sigmoid":
        return _hard_sigmoid()
    name = _ACTIVATIONS.get(str(value), str(value))
    if name in _NO_ACTIVATIONS or not inspect.isfunction(getattr(import_keras().activations, name, None)):
        raise FiltagError(f"needs the function {value}, which is code and not in the file: {REBUILD}")
    return name


@cache
def _hard_sigmoid() -> Callable[[Tensor], Tensor]:
    """Return what Keras 2 calls hard sigmoid, max(0, min(1, x/5 + 1/2)): in Keras 3 the slope is 1/6."""
    keras = import_keras()

    def hard_sigmoid_of_keras2(x: Tensor) -> Tensor:
        return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)

    # A copy of the network, for another device, finds it by its name.
    keras.saving.register_keras_serializable(package="filtag_kg")(hard_sigmoid_of_keras2)
    return hard_sigmoid_of_keras2
