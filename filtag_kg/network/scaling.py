"""How pixels become the numbers that a network takes: each channel shifted and divided, perhaps in another order."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError


@dataclass(frozen=True, slots=True)
class Scaling:
    """The scaling of pixels, the same for all of them: (channels in `order` − `mean`) / `std`.

    Parameters
    ----------
    mean, std : tuple of float, of length n_channels
        Of the network's channels, for pixels in [0, 255].
    order : tuple of int, of length n_channels
        The channel of the image that each of the network's channels takes: (2, 1, 0) for BGR.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    order: tuple[int, ...]

    @property
    def matrix(self) -> list[list[float]]:
        """A row for each of the network's channels: the weight of each of the image's, and the constant.

        Rounded to six significant digits.
        """
        rows = np.column_stack([np.eye(len(self.order))[list(self.order)], np.zeros(len(self.order))])
        rows[:, -1] = np.negative(self.mean)
        rows /= np.array(self.std)[:, None]
        # Adding 0 turns -0 into 0.
        return [[float(f"{value:.6g}") + 0.0 for value in row] for row in rows.round(9)]

    def inverse(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the pixels, shape (…, n_channels), that become `scaled`."""
        pixels = np.empty_like(scaled)
        pixels[..., list(self.order)] = scaled * np.array(self.std, np.float32) + np.array(self.mean, np.float32)
        return pixels


# The three ways of keras.applications, for pixels in [0, 255], and that of EfficientNet-Lite0.
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_AS_THEY_ARE = Scaling((0.0,) * 3, (1.0,) * 3, (0, 1, 2))
_SYMMETRIC = Scaling((127.5,) * 3, (127.5,) * 3, (0, 1, 2))
_CAFFE = Scaling((103.939, 116.779, 123.68), (1.0,) * 3, (2, 1, 0))
IMAGENET = Scaling(tuple(255 * mean for mean in _IMAGENET_MEAN), tuple(255 * std for std in _IMAGENET_STD), (0, 1, 2))
"""The mean and standard deviation of ImageNet's pixels, which most networks for PyTorch expect."""
_RANGES = {
    "none": _AS_THEY_ARE,
    "0..1": Scaling((0.0,) * 3, (255.0,) * 3, (0, 1, 2)),
    "-1..1": _SYMMETRIC,
}
_NAMED = {
    **_RANGES,
    "imagenet": IMAGENET,
    "efficientnet-lite0": Scaling((127.0,) * 3, (128.0,) * 3, (0, 1, 2)),
    "convnext": _AS_THEY_ARE,
    "densenet": IMAGENET,
    "efficientnet": _AS_THEY_ARE,
    "efficientnet_v2": _AS_THEY_ARE,
    "inception_resnet_v2": _SYMMETRIC,
    "inception_v3": _SYMMETRIC,
    "mobilenet": _SYMMETRIC,
    "mobilenet_v2": _SYMMETRIC,
    "mobilenet_v3": _AS_THEY_ARE,
    "nasnet": _SYMMETRIC,
    "resnet": _CAFFE,
    "resnet50": _CAFFE,
    "resnet_v2": _SYMMETRIC,
    "vgg16": _CAFFE,
    "vgg19": _CAFFE,
    "xception": _SYMMETRIC,
}


def named_scaling(name: str, channels: int = 3) -> Scaling:
    """Return the scaling of a family of ``keras.applications``, or to a range.

    Parameters
    ----------
    name : str
        A module of ``keras.applications`` such as ``vgg16`` or ``mobilenet_v2``; or the range that the network
        expects: ``none`` ([0, 255], as they are), ``0..1`` or ``-1..1``; or ``imagenet``, mean 0 and standard
        deviation 1 over ImageNet; or ``efficientnet-lite0``.
    channels : int
        Of the network. Only ranges fit any number of them.

    Raises
    ------
    FiltagError
        If there is none with that name, or it is for another number of channels.
    """
    keys = {letters_and_digits(known): known for known in _NAMED if known not in _RANGES}
    known = name if name in _RANGES else keys.get(letters_and_digits(name))
    if known is None:
        near = difflib.get_close_matches(letters_and_digits(name), keys, n=1, cutoff=0.5)
        raise FiltagError(
            f"no preprocessing {name!r}"
            + (f" (did you mean {keys[near[0]]}?)" if near else "")
            + f": choose from {', '.join(_NAMED)}",
            options=("preprocess",),
        )
    scaling = _NAMED[known]
    if channels == 3:
        return scaling
    if known not in _RANGES:
        raise FiltagError(
            f"preprocessing {known} is for three colours, and the network takes {channels} channels: choose from "
            + ", ".join(_RANGES),
            options=("preprocess",),
        )
    return Scaling(scaling.mean[:1] * channels, scaling.std[:1] * channels, tuple(range(channels)))


def letters_and_digits(name: str) -> str:
    """Return a name in lower case without separators: how names of networks are compared."""
    return "".join(character for character in name.lower() if character.isalnum())
