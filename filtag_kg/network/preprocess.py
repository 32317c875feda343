"""From images to the input that a network expects, in ``keras.ops`` alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.network.backend import Tensor, import_keras

Preprocess = Callable[[Tensor], Tensor]

# Offset and scale. EfficientNet-Lite0 is not in keras.applications.
_RANGES = {
    "none": (0.0, 1.0),
    "0..1": (0.0, 255.0),
    "-1..1": (127.5, 127.5),
    "efficientnet-lite0": (127.0, 128.0),
}


def preprocessing(name: str) -> Preprocess:
    """Return the preprocessing of a family of ``keras.applications``, or of a range.

    Parameters
    ----------
    name : str
        A module of ``keras.applications`` such as ``vgg16`` or ``mobilenet_v2``; or the range that the
        network expects: ``none`` ([0, 255], as they are), ``0..1`` or ``-1..1``; or ``efficientnet-lite0``.

    Raises
    ------
    FiltagError
        If there is none with that name.
    """
    if name in _RANGES:
        offset, scale = _RANGES[name]
        return lambda images: (images - offset) / scale
    applications = import_keras().applications
    families = [
        family
        for family in dir(applications)
        if family != "imagenet_utils" and hasattr(getattr(applications, family), "preprocess_input")
    ]
    key = letters_and_digits(name)
    family = next((family for family in families if letters_and_digits(family) == key), None)
    if family is None:
        near = difflib.get_close_matches(key, families, n=1, cutoff=0.5)
        raise FiltagError(
            f"no preprocessing {name!r}"
            + (f" (did you mean {near[0]}?)" if near else "")
            + f": choose from {', '.join([*_RANGES, *families])}"
        )
    return partial(getattr(applications, family).preprocess_input, data_format="channels_last")


def pixel_scaling(preprocess: Preprocess) -> list[list[float]]:
    """Return what a preprocessing does to a pixel: the scaling and the order of the colours.

    Returns
    -------
    list of list of float, of shape (3, 4)
        A row for each channel of the network's input: the weights of red, green and blue, and the constant. Rounded to
        six significant digits, so all backends agree.
    """
    # Black, and each colour alone.
    pixels = np.vstack([np.zeros(3), 255 * np.eye(3)]).astype(np.float32).reshape(1, 1, 4, 3)
    ops = import_keras().ops
    black, *colours = ops.convert_to_numpy(preprocess(ops.convert_to_tensor(pixels)))[0, 0].astype(np.float64)
    rows = np.column_stack([*((colour - black) / 255 for colour in colours), black])
    # Adding 0 turns -0 into 0.
    return [[float(f"{value:.6g}") + 0.0 for value in row] for row in rows.round(9)]


def letters_and_digits(name: str) -> str:
    """Return a name in lower case without separators: how names of networks are compared."""
    return "".join(character for character in name.lower() if character.isalnum())
