"""Views of a picture, slightly moved, turned and scaled: a pattern that a filter really looks for survives them.

Olah, Mordvintsev and Schubert (2017), section *Transformation robustness*: a pattern that excites a filter only at one
exact position is of no interest, so the picture is transformed at random before each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network import Ops, Tensor

JITTER = 0.05
"""The largest shift each way, as a share of the picture's side: Lucid's 6 of 128 pixels."""
SCALE = 0.1
"""The largest growth or shrinkage."""
ROTATION_DEGREES = 10.0
"""The largest rotation."""
_GREY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """How each pixel of a view is interpolated from four pixels of the picture (bilinear).

    Parameters
    ----------
    indices : int32 array of shape (4, height · width)
        The four pixels, counted row by row.
    weights : float32 array of shape (4, height · width), in [0, 1]
        Their weights; the sum is below 1 at the edge of the picture, and 0 outside.
    """

    indices: NDArray[np.int32]
    weights: NDArray[np.float32]


def make_view(
    height: int, width: int, *, shift: tuple[float, float] = (0, 0), scale: float = 1, degrees: float = 0
) -> View:
    """Return a view of pictures of a size, turned and scaled around their centre.

    Parameters
    ----------
    shift : tuple of float
        Pixels down and to the right.
    scale : float
        Above 1 enlarges the picture.
    degrees : float
        Clockwise rotation.
    """
    angle = np.deg2rad(degrees)
    y = np.arange(height)[:, None] - (height - 1) / 2 - shift[0]
    x = np.arange(width)[None, :] - (width - 1) / 2 - shift[1]
    # Backwards: from a pixel of the view to its position in the picture.
    from_y = (np.cos(angle) * y - np.sin(angle) * x) / scale + (height - 1) / 2
    from_x = (np.sin(angle) * y + np.cos(angle) * x) / scale + (width - 1) / 2
    above, left = np.floor(from_y), np.floor(from_x)
    indices = np.empty((4, height * width), np.int32)
    weights = np.empty((4, height * width), np.float32)
    for corner, (down, right) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        row, column = above + down, left + right
        weight = (1 - np.abs(from_y - row)) * (1 - np.abs(from_x - column))
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        indices[corner] = np.where(inside, row * width + column, 0).ravel()
        weights[corner] = np.where(inside, weight, 0).ravel()
    return View(indices, weights)


def random_views(height: int, width: int, seed: int) -> Iterator[View]:
    """Yield an endless sequence of views that the seed determines; shift, scale and rotation are uniform."""
    random = np.random.default_rng(seed)
    while True:
        down, right, larger, turn = random.uniform(-1, 1, 4)
        yield make_view(
            height,
            width,
            shift=(down * JITTER * height, right * JITTER * width),
            scale=1 + larger * SCALE,
            degrees=turn * ROTATION_DEGREES,
        )


def apply_view(ops: Ops, images: Tensor, indices: Tensor, weights: Tensor) -> Tensor:
    """Return pictures as a view shows them, grey outside the picture.

    Parameters
    ----------
    ops
        See :class:`~filtag_kg.network.Differentiable`.
    images : tensor of shape (n_images, height, width, channels), in [0, 1]
    indices, weights : tensors
        Of a :class:`View`.

    Returns
    -------
    tensor of the same shape
    """
    _, height, width, colours = images.shape
    # Pixels first: one index takes a pixel of all images and colours.
    flat = ops.reshape(ops.transpose(images, (1, 2, 0, 3)), (height * width, -1))
    taken = ops.take(flat, ops.reshape(indices, (-1,)), axis=0)
    taken = ops.reshape(taken, (4, height * width, -1)) * weights[:, :, None]
    pixels = ops.sum(taken, axis=0) + (1 - ops.sum(weights, axis=0))[:, None] * _GREY
    return ops.transpose(ops.reshape(pixels, (height, width, -1, colours)), (2, 0, 1, 3))
