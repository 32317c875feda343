"""What a profile records about the pass that made it, and the notes for whoever ran it."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from filtag_kg.json_values import Shape, named, whole_number
from filtag_kg.network import Network

MOST_NAMED = 100


def timestamp(value: Any) -> str | None:  # noqa: ANN401
    """Return what is wrong with a JSON value that should be a time in ISO 8601."""
    try:
        # Some merged profiles have an empty one.
        datetime.fromisoformat("2026-01-01" if value == "" else value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return "is not a time in ISO 8601"
    return None


METADATA: Mapping[str, Shape] = {
    "network?": named,
    "identifier?": named,
    "weights_sha256?": str,
    "weights?": str,
    "source_name?": named,
    "network_file?": {"given": named, "absolute": named},
    "in_memory?": bool,
    "input_size?": (whole_number(1), whole_number(1)),
    "preprocess?": named,
    "scaling?": [[float]],
    "resizing?": str,
    "preparation?": {
        "resize": str,
        "crop_share": float,
        "interpolation": str,
        "mean": [float],
        "std": [float],
        "order": [whole_number()],
    },
    "outputs?": [named],
    "output_is?": str,
    "output_name?": named,
    "class_names?": {str: str},
    "layers_option?": str,
    "precision?": str,
    "layer_kinds?": [str],
    "versions?": {str: str},
    "batch_size?": whole_number(1),
    "references?": whole_number(),
    "split?": float,
    "seed?": whole_number(),
    "images?": {
        "source?": str,
        "sha256?": str,
        "read?": whole_number(),
        "unreadable?": whole_number(),
        "folders?": {str: str},
        "shards?": [{"source": str, "sha256": str}],
    },
    "unreadable?": [(str, str)],
    "constant?": {str: whole_number()},
    "few?": {str: whole_number()},
    "started?": timestamp,
    "ended?": timestamp,
    "notes?": [str],
}
"""The shape of a profile's metadata: everything that is ever read from it."""


def network_metadata(network: Network) -> dict[str, Any]:
    """Return what a pass's numbers depend on besides the images: JSON values."""
    return {
        "network": network.name,
        "weights_sha256": network.weights_sha256,
        **({} if network.weights == "trained" else {"weights": network.weights}),
        **({} if network.source_name in (None, network.name) else {"source_name": network.source_name}),
        **network.preparation.metadata(),
        "identifier": network.identifier,
        "outputs": list(network.class_ids),
        "output_is": network.output.outputs,
        **({} if network.output_name is None else {"output_name": network.output_name}),
        "layers_option": network.layers_option,
        "precision": network.precision,
        "layer_kinds": [layer.kind for layer in network.layers],
        "versions": software_versions(network),
    }


def network_file(network: Network) -> dict[str, Any]:
    """Return where a network was loaded from: JSON values.

    The path of its file; for one that was given in Python, that it was in memory; for a named network, nothing.
    """
    if network.file is None:
        return {"in_memory": True} if network.own_preparation is None else {}
    # A path need not be Unicode, but JSON is: such a file must be named again each time.
    given, absolute = (
        str(path).encode("utf-8", "backslashreplace").decode() for path in (network.file, network.file.absolute())
    )
    return {"network_file": {"given": given, "absolute": absolute}}


def same_scaling(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two passes scaled pixels alike, whatever they call it."""
    if "scaling" not in one or "scaling" not in other:
        return one.get("scaling") is other.get("scaling")
    return bool(np.allclose(one["scaling"], other["scaling"], rtol=1e-5, atol=1e-5))


def notes_from(metadata: Mapping[str, Any]) -> list[str]:
    """Return a line for each unusual thing.

    Parameters
    ----------
    metadata : mapping of str to JSON values
        Of a profile: ``unreadable``, the first images that could not be read, with reasons; ``constant``, for each
        layer the number of images for which all its outputs are equal; ``few``, the classes with fewer than two
        readable images, and how many they have; ``images``.
    """
    unreadable: Sequence[Sequence[str]] = metadata["unreadable"][:MOST_NAMED]
    notes = [f"unreadable: {name} ({reason})" for name, reason in unreadable]
    if (more := metadata["images"]["unreadable"] - len(unreadable)) > 0:
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


def software_versions(network: Network) -> dict[str, str]:
    """Return the versions of the software that a pass through a network depends on."""
    versions = {"python": platform.python_version(), **network.engine.versions()}
    for name in ("filtag-kg", "numpy", "pillow"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            # A checkout that was not installed.
            continue
    return versions
