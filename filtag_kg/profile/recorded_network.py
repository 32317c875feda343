"""Find the network that a profile was made of again, and prepare images for it as they were then.

What a profile says of its network may come from a stranger: nothing of it is run. A path is only opened as a Keras file
in safe mode, and the network must have the weights that the profile knows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, is_network_file, load_network, network_names
from filtag_kg.profile.metadata import network_metadata, same_scaling

__all__ = ["recorded_network", "recorded_network_file"]


def recorded_network_file(made_of: Mapping[str, Any], whose: str) -> str | None:
    """Return where the network's file is, or None if the network has a name instead.

    Parameters
    ----------
    made_of : mapping of str to JSON values
        What a profile says of its own making.
    whose : str
        What says so, for messages.

    Raises
    ------
    FiltagError
        If it is not there any more, or nothing says which network it was.
    """
    file = made_of.get("network_file")
    if file is None:
        if "network" not in made_of:
            raise FiltagError(f"{whose} does not say which network it was made of: name it with --network")
        return None
    for path in (file["absolute"], file["given"]):
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises where a name is too long for a file
            return str(path)
    raise FiltagError(f"the network {file['given']} is not at {file['absolute']} any more: name it with --network")


def recorded_network(
    made_of: Mapping[str, Any],
    whose: str,
    spec: str | None = None,
    *,
    preprocess: str | None = None,
    classes: Path | None = None,
) -> Network:
    """Load the network that a profile was made of, with its layers, classes and preparation of images.

    Parameters
    ----------
    made_of : mapping of str to JSON values
        What the profile says of its own making. Older ones do not say where the network is and how images were
        prepared: then what is given counts.
    whose : str
        The profile or KG, for messages.
    spec : str, optional
        The network as :func:`~filtag_kg.network.load_network` takes it, if it is not where it was.
    preprocess : str, optional
    classes : Path, optional

    Returns
    -------
    Network
        Under the name that the profile knows, whatever its file is called now.

    Raises
    ------
    FiltagError
        If it cannot be found or loaded, has other weights, another input size or other classes, or prepares images
        in another way.
    """
    found = spec or recorded_network_file(made_of, whose) or str(made_of["network"])
    if spec is None and "network_file" not in made_of and found not in network_names():
        raise FiltagError(f"{whose} does not say where its network {found} is: name it with --network")
    from_file = is_network_file(found)
    if preprocess is None and from_file:
        preprocess = made_of.get("preprocess")
    layers = made_of.get("layers_option", "conv")
    network = load_network(found, preprocess=preprocess, classes=classes, layers=layers)
    weights = made_of.get("weights_sha256")
    if weights is None:
        return network
    if network.weights_sha256 != weights:
        raise FiltagError(
            f"{whose} was made of {made_of.get('network')} with weights {weights[:12]}, and {found} has "
            f"{network.weights_sha256[:12]}: name the right one with --network"
        )
    _check_preparation(made_of, network, whose)
    outputs = tuple(made_of.get("outputs", ()))
    if not from_file or not outputs:
        outputs = network.class_ids
    elif classes is not None and outputs != network.class_ids:
        raise FiltagError(
            f"{whose} was made with the classes {_first(outputs)}, and {classes} has {_first(network.class_ids)}: "
            "leave --classes out"
        )
    elif len(outputs) != network.model.outputs[0].shape[-1]:
        raise FiltagError(f"{whose} names {len(outputs)} classes, and {found} has other outputs: make it anew")
    return replace(network, name=made_of.get("network", network.name), class_ids=outputs)


def _check_preparation(made_of: Mapping[str, Any], network: Network, whose: str) -> None:
    now = network_metadata(network)
    if "scaling" in made_of and not same_scaling(made_of, now):
        raise FiltagError(
            f"{whose} was made with --preprocess {made_of.get('preprocess')}, not {now['preprocess']}: leave "
            "--preprocess out"
        )
    sizes = (made_of.get("input_size", now["input_size"]), now["input_size"])
    size, size_now = (" × ".join(map(str, each)) for each in sizes)
    if size != size_now:
        raise FiltagError(
            f"{whose} was made of images of {size} pixels, and {network.file or network.name} takes {size_now}: name "
            "the right one with --network"
        )
    resizing = made_of.get("resizing", now["resizing"])
    if resizing != now["resizing"]:
        raise FiltagError(
            f"{whose} was made of images resized otherwise ({resizing}; now {now['resizing']}): make the profile anew"
        )


def _first(class_ids: tuple[str, ...]) -> str:
    return ", ".join(class_ids[:3]) + (f" … ({len(class_ids)})" if len(class_ids) > 3 else "")
