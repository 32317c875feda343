"""A Keras model in memory as a network."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from filtag_kg.network.keras import KerasModel, import_keras, keras_source
from filtag_kg.network.load import network_from
from filtag_kg.network.network import Network
from filtag_kg.network.preparation import PreparationOptions, height_and_width

_LOGGER = logging.getLogger(__name__)


def from_keras(
    model: KerasModel,
    *,
    name: str | None = None,
    class_ids: Sequence[str] | None = None,
    preprocess: str | None = None,
    mean: Sequence[float] | float | None = None,
    std: Sequence[float] | float | None = None,
    colours: str | None = None,
    resize: str | None = None,
    crop_share: float | None = None,
    interpolation: str | None = None,
    layers: str = "conv",
    input_size: int | tuple[int, int] | None = None,
    output_name: str | None = None,
    outputs: str | None = None,
    precision: str = "float32",
) -> Network:
    """Return a trained Keras CNN as a network; it shares the model's weights.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential. Its layers compute in `precision` from now on.
    name : str, optional
        By default the model's own, in lower case.
    class_ids : sequence of str, optional
        The classes of the outputs, in order.
    preprocess, mean, std, colours, resize, crop_share, interpolation
        What it expects of images, see :class:`~filtag_kg.network.preparation.PreparationOptions`; by default RGB in
        [0, 255], squashed to its size.
    layers, output_name, outputs, precision
        As for :func:`~filtag_kg.load_network`.
    input_size : int or tuple of int, optional
        The side of the images, or (height, width), for a model that takes images of any size.

    Raises
    ------
    FiltagError
        If the model is subclassed, has no convolutions, or an option does not fit it.
    """
    if not isinstance(model, import_keras().Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    name = (name or model.name).lower()
    where = f"the model {model.name}"
    preparation = PreparationOptions(preprocess, mean, std, colours, resize, crop_share, interpolation)
    size = None if input_size is None else height_and_width(input_size)
    source = keras_source(model, name, where, output_name=output_name, input_size=size)
    if not preparation.scales():
        _LOGGER.warning("no preprocessing given for %s: it gets pixels in [0, 255], unless images are ready made", name)
    return network_from(
        source,
        where,
        class_ids=class_ids,
        layers=layers,
        precision=precision,
        preparation=preparation,
        output_name=output_name,
        outputs=outputs,
    )
