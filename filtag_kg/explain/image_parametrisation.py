"""A picture as a Fourier spectrum in decorrelated colours: gradient ascent on it changes all frequencies equally.

Olah, Mordvintsev and Schubert (2017), section *Preconditioning and Parameterization*: high frequencies dominate the
gradient of the pixels far more than they do photographs. Both spaces hold every picture, but the same steps lead to
other pictures in a space where natural images are decorrelated and have equal power at all frequencies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network import Ops, Tensor

COLOUR_ROOT = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
"""A square root of the covariance of ImageNet's colours, whose rows are R, G and B in [0, 1]: Lucid's numbers.

Its columns are the principal colours light–dark, warm–cold and green–magenta, as long as their standard deviations.
"""

COLOUR_MATRIX = COLOUR_ROOT / np.linalg.norm(COLOUR_ROOT, axis=0).max()
"""The same, scaled so that its longest column has length 1."""


def spectrum_shape(height: int, width: int, channels: int = 3) -> tuple[int, int, int, int]:
    """Return the shape of a picture's spectrum: (channels, 2, height, width // 2 + 1).

    The decorrelated colours, real and imaginary part, the frequencies as `numpy.fft.rfft2` orders them.
    """
    return channels, 2, height, width // 2 + 1


def frequency_scale(height: int, width: int) -> NDArray[np.float64]:
    """Return the weight of each frequency, 1/f as in photographs.

    √(h·w) / max(f, 1 / max(h, w)), f in cycles per pixel. The lower bound gives the mean colour (f = 0) the weight of
    the lowest frequency.

    Returns
    -------
    float64 array of shape (height, width // 2 + 1)
    """
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale: NDArray[np.float64] = np.sqrt(height * width) / np.maximum(f, 1 / max(height, width))
    return scale


def image_of_spectrum(ops: Ops, height: int, width: int) -> Callable[[Tensor], Tensor]:
    """Return the inverse real Fourier transform as matrix products, which every backend can differentiate.

    Keras has no two-dimensional inverse for real images. Products with cosines and sines are exact, and fast for
    pictures of a few hundred pixels.

    Parameters
    ----------
    ops
        See :class:`~filtag_kg.network.Differentiable`.

    Returns
    -------
    callable
        From spectra of shape (n_images, n_colours, 2, height, width // 2 + 1) to images of shape
        (n_images, height, width, n_colours), as `numpy.fft.irfft2` computes them.
    """
    down, across = _waves(height, width)
    frequencies = width // 2 + 1

    def transform(spectra: Tensor) -> Tensor:
        n_colours = spectra.shape[1]
        # Σ_k Σ_l (a + ib)·e^{2πi(ky/h + lx/w)}: first over k, for real and imaginary parts at once …
        columns = ops.matmul(down, ops.reshape(spectra, (-1, 2 * height, frequencies)))
        # … then over l, for the real part alone.
        columns = ops.transpose(ops.reshape(columns, (-1, 2, height, frequencies)), (0, 2, 1, 3))
        images = ops.matmul(ops.reshape(columns, (-1, 2 * frequencies)), across)
        return ops.transpose(ops.reshape(images, (-1, n_colours, height, width)), (0, 2, 3, 1))

    return transform


def decorrelated_colour(ops: Ops, images: Tensor) -> Tensor:
    """Return the RGB of pictures in decorrelated colours: x ↦ sigmoid(C·x), C the colour matrix; grey as sigmoid(x).

    Parameters
    ----------
    ops
        See :class:`~filtag_kg.network.Differentiable`.
    images : tensor of shape (..., 3), or (..., 1) for grey

    Returns
    -------
    tensor of the same shape, in (0, 1)
    """
    if images.shape[-1] == 1:
        return ops.sigmoid(images)
    return ops.sigmoid(ops.matmul(images, COLOUR_MATRIX.T.astype(np.float32)))


@cache
def _waves(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the matrices for rows, (2 · height, 2 · height), and for columns, (2 · (width // 2 + 1), width)."""
    down = 2 * np.pi * np.outer(np.arange(height), np.arange(height)) / height
    across = 2 * np.pi * np.outer(np.arange(width // 2 + 1), np.arange(width)) / width
    # Each frequency also stands for its negative, except 0 and, for an even width, the last.
    weight = np.full((width // 2 + 1, 1), 2.0)
    weight[0] = 1
    if width % 2 == 0:
        weight[-1] = 1
    weight /= height * width
    rows = np.block([[np.cos(down), -np.sin(down)], [np.sin(down), np.cos(down)]])
    columns = np.concatenate([np.cos(across) * weight, -np.sin(across) * weight])
    return rows.astype(np.float32), columns.astype(np.float32)
