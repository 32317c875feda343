"""Images as arrays: what may be one, and how it is looked at.

Whole numbers are pixels in [0, 255] and are kept as uint8. Fractions are *ready made*: what a network takes, whatever
they mean to it; they are kept as float32. Either way an image is an array of shape (height, width, channels).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network import Preparation

Pixels = NDArray[np.uint8] | NDArray[np.float32]

# Grey, RGB, and RGB with transparency.
_USUAL_CHANNELS = (1, 3, 4)


def is_tensor(value: object) -> bool:
    """Return whether a value is an array of NumPy, PyTorch, TensorFlow, JAX or the like; a PIL image counts."""
    return (hasattr(value, "shape") and hasattr(value, "dtype")) or _is_picture(value)


def to_array(value: Any) -> NDArray[Any]:  # noqa: ANN401 - of any framework
    """Return the array of a tensor of any framework; none is imported for it."""
    if _is_picture(value):
        return np.asarray(value if value.mode in ("L", "RGB") else value.convert("L" if value.mode == "1" else "RGB"))
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has no bfloat16.
        value = value.float() if value.is_floating_point() else value
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def is_channels_first(value: Any) -> bool:  # noqa: ANN401 - of any framework
    """Return whether the last three axes of a tensor are (channels, height, width), as in PyTorch.

    So they are if that axis alone may be one of channels, or if both may and PyTorch made the tensor.
    """
    shape = tuple(value.shape) if hasattr(value, "shape") else ()
    if len(shape) < 3:
        return False
    first, last = shape[-3] in _USUAL_CHANNELS, shape[-1] in _USUAL_CHANNELS
    is_torch = hasattr(value, "detach")
    return first and (is_torch or not last) if first or last else is_torch


def as_pixels(array: NDArray[Any], *, channels_first: bool, where: str) -> Pixels:
    """Return an image as an array of shape (height, width, channels): uint8, or float32 if it is ready made.

    Parameters
    ----------
    array : array of shape (height, width), (height, width, channels) or (channels, height, width)
        Of numbers.
    where : str
        Which image it is, for messages.

    Raises
    ------
    FiltagError
        If it has another shape, or values that are no pixels.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    elif channels_first:
        array = np.moveaxis(array, -3, -1)
    if array.ndim != 3 or not array.size:
        raise FiltagError(
            f"{where} is an array of shape {tuple(array.shape)}: give images of shape (height, width), or (height, "
            "width, channels)"
        )
    if array.dtype == np.uint8:
        return cast(NDArray[np.uint8], array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.integer):
        if array.min() < 0 or array.max() > 255:
            raise FiltagError(f"{where} has values from {array.min()} to {array.max()}: give pixels from 0 to 255")
        return array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise FiltagError(f"{where} is an array of {array.dtype}: give numbers")
    with np.errstate(over="ignore"):
        floats = array.astype(np.float32, copy=False)
    if not np.isfinite(floats).all():
        raise FiltagError(f"{where} has values that are not finite: mend it, or leave it out")
    return floats


def viewable(pixels: Pixels) -> bytes:
    """Return an image as the bytes of an uncompressed PPM or PGM file, which Pillow decodes at once.

    Fractions are scaled so that the least is black and the largest white. Of more than three channels the first three
    are taken for red, green and blue; of two, the first for grey.
    """
    n_channels = 3 if pixels.shape[2] >= 3 else 1
    shown = pixels[:, :, :n_channels]
    if shown.dtype != np.uint8:
        least, largest = float(shown.min()), float(shown.max())
        shown = np.rint((shown.astype(np.float64) - least) * (255 / (largest - least or 1))).astype(np.uint8)
    height, width, _ = shown.shape
    return b"P%d\n%d %d\n255\n" % (6 if n_channels == 3 else 5, width, height) + np.ascontiguousarray(shown).tobytes()


def as_network_input(pixels: Pixels, preparation: Preparation) -> Pixels:
    """Return ready-made images as the pixels that the network's scaling turns back into them.

    Also returns whole numbers, as they are: those with other channels than image files have need not be resized.

    Raises
    ------
    FiltagError
        If they do not have the size and channels that the network takes.
    """
    expected = (*preparation.size, preparation.channels)
    if pixels.shape != expected:
        shapes = (" × ".join(map(str, shape)) for shape in (pixels.shape, expected))
        raise FiltagError("its shape is {}, and the network takes {}".format(*shapes))
    return pixels if pixels.dtype == np.uint8 else preparation.scaling.inverse(cast(NDArray[np.float32], pixels))


def _is_picture(value: object) -> bool:
    return hasattr(value, "convert") and hasattr(value, "mode") and hasattr(value, "getbands")
