"""A network and images, in whichever way Python has them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any, TypeAlias

from filtag_kg.images import ImageSet, images_from, names_in
from filtag_kg.network import Network, from_keras, from_torch, load_network

_LOGGER = logging.getLogger(__name__)

# Keras and PyTorch are installed for those who use them, so their types cannot be named here.
NetworkLike: TypeAlias = Any
"""A :class:`~filtag_kg.network.Network`; a name or a file for `load_network`; a Keras model; a torch module."""
Images: TypeAlias = Any
"""What :func:`~filtag_kg.images.images_from` takes: an image set, a path, arrays, pairs, a data set."""


def as_network(given: NetworkLike, **options: Any) -> Network:  # noqa: ANN401 - those of the function it is for
    """Return a network, however it is given.

    Parameters
    ----------
    given : Network, str, Path, keras.Model or torch.nn.Module
    **options
        Of :func:`~filtag_kg.network.load_network`, :func:`~filtag_kg.network.from_keras` or
        :func:`~filtag_kg.network.from_torch`.

    Raises
    ------
    FiltagError
        If it cannot be loaded.
    TypeError
        If it is nothing of these, or there is no such option.
    """
    if isinstance(given, Network):
        if options:
            raise TypeError(f"a network that is loaded takes no options, got {', '.join(options)}")
        return given
    if isinstance(given, str | PathLike):
        return load_network(str(given), **options)
    # What was not imported cannot have made it.
    if (keras := sys.modules.get("keras")) is not None and isinstance(given, keras.Model):
        return from_keras(given, **options)
    if (torch := sys.modules.get("torch")) is not None and isinstance(given, torch.nn.Module):
        return from_torch(given, **options)
    raise TypeError(f"a {type(given).__name__} is no network: give a name, a file, a Keras model or a torch module")


@contextmanager
def as_images(given: Images, class_ids: tuple[str, ...] = ()) -> Iterator[ImageSet]:
    """Yield images, however they are given; those that are opened here are closed at the end.

    Parameters
    ----------
    class_ids : tuple of str
        The network's classes: what labels that are whole numbers count, unless the data set has classes of its own.
        Empty where they are unknown.
    """
    if isinstance(given, ImageSet):
        yield given
        return
    with images_from(given, class_names=_counted(names_in(given), class_ids) or None) as images:
        yield images


def _counted(names: Sequence[str], class_ids: Sequence[str]) -> Sequence[str]:
    """Return what the numbers in a data set count: its own classes, or the network's.

    They are the same classes under other names if they are as many and no name is alike.
    """
    if not names or not class_ids:
        return names or class_ids
    if len(names) != len(class_ids) or not set(names).isdisjoint(class_ids):
        return names
    _LOGGER.warning("the classes of the images are the network's, in its order: %s is %s", names[0], class_ids[0])
    return class_ids
