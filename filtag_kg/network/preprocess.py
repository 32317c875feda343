"""From pictures to what a network expects, in ``keras.ops`` alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.network.backend import Tensor, import_keras

__all__ = ["Preprocess", "pixel_scaling", "preprocessing", "scaling"]

Preprocess = Callable[[Tensor], Tensor]

# Offset and scale. EfficientNet-Lite0 is no family of keras.applications.
_RANGES = {
    "none": (0.0, 1.0),
    "0..1": (0.0, 255.0),
    "-1..1": (127.5, 127.5),
    "efficientnet-lite0": (127.0, 128.0),
}


def scaling(offset: float, scale: float) -> Preprocess:
    """Return x ↦ (x − offset) / scale."""

    def scale_images(images: Tensor) -> Tensor:
        return (images - offset) / scale

    return scale_images


def preprocessing(name: str) -> Preprocess:
    """Return the preprocessing of a family of ``keras.applications``, or of a range.

    Parameters
    ----------
    name : str
        A module of ``keras.applications`` such as ``vgg16`` or ``mobilenet_v2``; or the range that the
        network expects: ``none`` ([0, 255], as they come), ``0..1`` or ``-1..1``; or ``efficientnet-lite0``.

    Raises
    ------
    FiltagError
        If there is none of that name.
    """
    if name in _RANGES:
        return scaling(*_RANGES[name])
    applications = import_keras().applications
    families = [
        family
        for family in dir(applications)
        if family != "imagenet_utils" and hasattr(getattr(applications, family), "preprocess_input")
    ]
    key = _plain(name)
    family = next((family for family in families if _plain(family) == key), None)
    if family is None:
        near = difflib.get_close_matches(key, families, n=1, cutoff=0.5)
        raise FiltagError(
            f"no preprocessing {name!r}"
            + (f" (did you mean {near[0]}?)" if near else "")
            + f": choose from {', '.join([*_RANGES, *families])}"
        )
    preprocess_input = getattr(applications, family).preprocess_input

    def preprocess_family(images: Tensor) -> Tensor:
        return preprocess_input(images, data_format="channels_last")

    return preprocess_family


def pixel_scaling(preprocess: Preprocess) -> list[list[float]]:
    """Return what a preprocessing makes of a pixel: its scaling and the order of its colours, whatever it is called.

    Returns
    -------
    list of list of float, of shape (3, 4)
        A row for each channel that the network gets: the weights of red, green and blue, and what is added. Six
        significant digits, so that what two backends round differently is the same.
    """
    # Black, and each colour alone.
    pixels = np.vstack([np.zeros(3), 255 * np.eye(3)]).astype(np.float32).reshape(1, 1, 4, 3)
    ops = import_keras().ops
    black, *colours = ops.convert_to_numpy(preprocess(ops.convert_to_tensor(pixels)))[0, 0].astype(np.float64)
    rows = np.column_stack([*((colour - black) / 255 for colour in colours), black])
    # Adding 0 makes -0 to 0.
    return [[float(f"{value:.6g}") + 0.0 for value in row] for row in rows.round(9)]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
