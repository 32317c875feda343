"""The networks that Keras has, and EfficientNet-Lite0: built by name, with the weights of ImageNet or random ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from filtag_kg.errors import FiltagError
from filtag_kg.network.imagenet import imagenet_class_ids
from filtag_kg.network.keras.backend import KerasModel, import_keras
from filtag_kg.network.keras.efficientnet_lite0 import build_efficientnet_lite0, checkpoint_path, load_checkpoint
from filtag_kg.network.keras.legacy_checkpoint import read_legacy_checkpoint
from filtag_kg.network.keras.random_weights import randomise_keras
from filtag_kg.network.keras.source import KerasSource, keras_source
from filtag_kg.network.scaling import letters_and_digits

_LITE0 = "efficientnet-lite0"
_T = TypeVar("_T")


def keras_names() -> list[str]:
    """Return the names of the networks that Keras builds."""
    return [_LITE0, *_constructors()]


def named_keras_source(name: str, seed: int | None) -> KerasSource:
    """Return one of :func:`keras_names` as a source.

    Parameters
    ----------
    seed : int or None
        Of random weights, the same in every process; None for those of ImageNet.
    """
    weights = "imagenet" if seed is None else None
    model = build_model(name, weights)
    if seed is not None:
        randomise_keras(model, seed)
    preprocess = name if name == _LITE0 else _constructors()[name].__module__.rpartition(".")[2]
    class_ids = imagenet_class_ids() if weights and model.output_shape[-1] == 1000 else ()
    return keras_source(model, name, name, preprocess=preprocess, class_ids=class_ids, named=True)


def build_model(name: str, weights: str | None) -> KerasModel:
    """Return one of :func:`keras_names` as a Keras model, with layer names as in a fresh process.

    Parameters
    ----------
    name : str
        As :func:`keras_names` spells it.
    weights : str or None
        ``imagenet``, or None for Keras' random ones, which differ from process to process.

    Raises
    ------
    FiltagError
        If the weights are neither cached nor downloadable.
    """
    if name == _LITE0:
        model = build_efficientnet_lite0()
        if weights is not None:
            load_checkpoint(model, read_legacy_checkpoint(checkpoint_path()))
        return model
    constructor = _constructors()[name]
    try:
        model = _with_fresh_names(lambda: constructor(weights=weights))
        if None in model.input_shape[1:3]:
            # MobileNetV3 takes any size; it was trained with 224.
            model = _with_fresh_names(lambda: constructor(weights=weights, input_shape=(224, 224, 3)))
    except Exception as error:
        # Broad, since Keras wraps urllib's errors in a bare Exception that only its text identifies.
        if not isinstance(error, OSError) and "URL fetch failure" not in str(error):
            raise
        raise FiltagError(
            f"the weights of {name} are not in Keras' cache and could not be downloaded: connect to the "
            "network once, or give a saved .keras file"
        ) from None
    return model


def _constructors() -> Mapping[str, Callable[..., KerasModel]]:
    applications = import_keras().applications
    return {
        letters_and_digits(name): getattr(applications, name)
        for name in dir(applications)
        if name[0].isupper() and callable(getattr(applications, name))
    }


def _with_fresh_names(build: Callable[[], _T]) -> _T:
    """Call `build` in a thread in which Keras has named no layer yet.

    Keras numbers unnamed layers (InceptionV3's ``conv2d_93``) per thread. In a new thread a network gets the same names
    every time, and the caller's numbering is left alone.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(build).result()
