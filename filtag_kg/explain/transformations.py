"""Views of a picture a little moved, turned and scaled: what a filter must stand, to be looked for in earnest.

Olah, Mordvintsev and Schubert (2017), section *Transformation robustness*: a pattern that excites a filter only where
it stands, to the pixel, is of no interest; the picture is changed at random before each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network import Tensor, import_keras

__all__ = ["JITTER", "ROTATION_DEGREES", "SCALE", "View", "random_views", "seen", "view"]

JITTER = 0.05
"""How far a picture is moved each way at most, as a share of its side: Lucid's 6 of 128 pixels."""
SCALE = 0.1
"""By how much it grows or shrinks at most."""
ROTATION_DEGREES = 10.0
"""How far it is turned at most."""
_GREY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Where each pixel of a view is taken from: of four pixels around a place, bilinear.

    Parameters
    ----------
    places : int32 array of shape (4, height · width)
        Pixels of the picture, counted row by row.
    weights : float32 array of shape (4, height · width), in [0, 1]
        What each is worth; their sum is below 1 at the edge of the picture, and 0 outside.
    """

    places: NDArray[np.int32]
    weights: NDArray[np.float32]


def view(height: int, width: int, *, shift: tuple[float, float] = (0, 0), scale: float = 1, degrees: float = 0) -> View:
    """Return a view of pictures of a size, about their centre.

    Parameters
    ----------
    height, width : int
    shift : tuple of float
        By how many pixels the picture is moved, down and to the right.
    scale : float
        How much larger it is seen.
    degrees : float
        How far it is turned, clockwise.
    """
    angle = np.deg2rad(degrees)
    y = np.arange(height)[:, None] - (height - 1) / 2 - shift[0]
    x = np.arange(width)[None, :] - (width - 1) / 2 - shift[1]
    # Backwards: from a pixel of the view to its place in the picture.
    from_y = (np.cos(angle) * y - np.sin(angle) * x) / scale + (height - 1) / 2
    from_x = (np.sin(angle) * y + np.cos(angle) * x) / scale + (width - 1) / 2
    above, left = np.floor(from_y), np.floor(from_x)
    places = np.empty((4, height * width), np.int32)
    weights = np.empty((4, height * width), np.float32)
    for corner, (down, right) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        row, column = above + down, left + right
        weight = (1 - np.abs(from_y - row)) * (1 - np.abs(from_x - column))
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        places[corner] = np.where(inside, row * width + column, 0).ravel()
        weights[corner] = np.where(inside, weight, 0).ravel()
    return View(places, weights)


def random_views(height: int, width: int, seed: int) -> Iterator[View]:
    """Yield views without end, always the same of a seed: jitter, scale and rotation uniform in their ranges."""
    random = np.random.default_rng(seed)
    while True:
        down, right, larger, turn = random.uniform(-1, 1, 4)
        yield view(
            height,
            width,
            shift=(down * JITTER * height, right * JITTER * width),
            scale=1 + larger * SCALE,
            degrees=turn * ROTATION_DEGREES,
        )


def seen(images: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Return pictures as a view shows them, grey where there is no picture.

    Parameters
    ----------
    images : tensor of shape (n_images, height, width, 3), in [0, 1]
    places, weights : tensors
        Of a :class:`View`.

    Returns
    -------
    tensor of the same shape
    """
    ops = import_keras().ops
    _, height, width, colours = images.shape
    # Pixels first, so that one is taken in one go.
    flat = ops.reshape(ops.transpose(images, (1, 2, 0, 3)), (height * width, -1))
    taken = ops.take(flat, ops.reshape(places, (-1,)), axis=0)
    taken = ops.reshape(taken, (4, height * width, -1)) * weights[:, :, None]
    pixels = ops.sum(taken, axis=0) + (1 - ops.sum(weights, axis=0))[:, None] * _GREY
    return ops.transpose(ops.reshape(pixels, (height, width, -1, colours)), (2, 0, 1, 3))
