"""From pictures to what a network expects, in ``keras.ops`` alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from filtag_kg.errors import FiltagError
from filtag_kg.network.backend import Tensor, import_keras

__all__ = ["Preprocess", "preprocessing", "scaling"]

Preprocess = Callable[[Tensor], Tensor]

_RANGES = {"none": (0.0, 1.0), "0..1": (0.0, 255.0), "-1..1": (127.5, 127.5)}


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
        network expects: ``none`` ([0, 255], as they come), ``0..1`` or ``-1..1``.

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


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
