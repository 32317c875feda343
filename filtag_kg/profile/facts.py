"""What a profile says of its own making, and what its maker should know."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from filtag_kg.network import Network, import_keras

__all__ = ["MOST_NAMED", "network_facts", "notes_of"]

MOST_NAMED = 100
_BACKENDS = ("tensorflow", "tensorflow-cpu", "jax", "torch")


def network_facts(network: Network) -> dict[str, Any]:
    """Return what decides a pass's numbers, besides the images: JSON values."""
    return {
        "network": network.name,
        "identifier": network.identifier,
        "weights_sha256": network.weights_sha256,
        "input_size": list(network.input_size),
        "layers_option": network.layers_option,
        "precision": network.precision,
        "layer_kinds": [layer.kind for layer in network.layers],
        "versions": _versions(),
    }


def notes_of(metadata: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing out of the ordinary.

    Parameters
    ----------
    metadata : mapping of str to JSON values
        Of a profile: ``unreadable``, the names of the first images that could not be read, with reasons;
        ``constant``, of each layer the images for which all its outputs are equal; ``few``, the classes with
        fewer than two readable images, and how many they have; ``images``.
    """
    named: Sequence[Sequence[str]] = metadata["unreadable"][:MOST_NAMED]
    notes = [f"unreadable: {name} ({reason})" for name, reason in named]
    if (more := metadata["images"]["unreadable"] - len(named)) > 0:
        notes.append(f"unreadable: {more} more")
    notes += [
        f"layer {name}: all outputs equal for {images} images, scaled to 0"
        for name, images in metadata["constant"].items()
    ]
    notes += [
        f"class {class_id}: " + ("one image, variance 0" if images else "no readable image, left out")
        for class_id, images in metadata["few"].items()
    ]
    return notes


def _versions() -> dict[str, str]:
    backend = import_keras().backend.backend()
    found = {"python": platform.python_version(), "backend": backend}
    for name in ("filtag-kg", "keras", *_BACKENDS, "numpy", "pillow"):
        if name in _BACKENDS and not name.startswith(backend):
            continue
        try:
            found["backend_version" if name in _BACKENDS else name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            # A checkout that was not installed, or the other of TensorFlow's two distributions.
            continue
    return found
