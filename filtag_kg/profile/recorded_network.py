"""Load the network that a profile was made with, and prepare images for it as that pass did.

A profile may come from a stranger: nothing in it is run. A path in it is only opened as a Keras file in safe mode, and
the network must have the weights that the profile records.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, is_network_file, is_network_name, load_network, recorded_preparation
from filtag_kg.profile.metadata import network_metadata, same_scaling


def recorded_network_file(metadata: Mapping[str, Any], owner: str) -> str | None:
    """Return where the network's file is, or None if the network has a name instead.

    Parameters
    ----------
    metadata : mapping of str to JSON values
        The profile's.
    owner : str
        The profile or KG, for messages.

    Raises
    ------
    FiltagError
        If the file is not there any more, or the profile does not record a network, or one that was only in memory.
    """
    file = metadata.get("network_file")
    if file is None:
        if metadata.get("in_memory"):
            raise FiltagError(
                f"{owner} was made with the network {metadata['network']}, given in Python: give it to "
                "filtag_kg.explain_image and the like again, with the same preprocess and class_ids, or name a file of "
                "it",
                options=("network",),
            )
        if "network" not in metadata:
            raise FiltagError(f"{owner} does not say which network it was made with: name it", options=("network",))
        return None
    for path in (file["absolute"], file["given"]):
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises where a name is too long for a file
            return str(path)
    raise FiltagError(
        f"the network {file['given']} is not at {file['absolute']} any more: name it", options=("network",)
    )


def recorded_network(
    metadata: Mapping[str, Any],
    owner: str,
    spec: str | None = None,
    *,
    preprocess: str | None = None,
    classes: Path | None = None,
) -> Network:
    """Load the network that a profile was made with, with its layers, classes and preparation of images.

    Parameters
    ----------
    metadata : mapping of str to JSON values
        The profile's. Older ones do not record where the network is and how images were prepared: then what is given
        counts.
    owner : str
        The profile or KG, for messages.
    spec : str, optional
        The network as :func:`~filtag_kg.network.load_network` takes it, if it has moved.

    Returns
    -------
    Network
        Under the name that the profile records, whatever its file is called now.

    Raises
    ------
    FiltagError
        If it cannot be found or loaded, has other weights, another input size or other classes, or prepares images
        in another way.
    """
    source = spec or recorded_network_file(metadata, owner) or str(metadata.get("source_name", metadata["network"]))
    if spec is None and "network_file" not in metadata and not is_network_name(source):
        raise FiltagError(f"{owner} does not say where its network {source} is: name it", options=("network",))
    from_file = is_network_file(source)
    recorded = recorded_preparation(metadata)
    if recorded is None and preprocess is None and from_file:
        # An older profile names the scaling alone.
        preprocess = metadata.get("preprocess")
    network = _load(metadata, owner, source, preprocess, classes)
    weights = metadata.get("weights_sha256")
    if weights is None:
        return network
    if network.weights_sha256 != weights:
        raise FiltagError(
            f"{owner} was made with {metadata.get('network')} of weights {weights[:12]}, and {source} has "
            f"{network.weights_sha256[:12]}: name the right one",
            options=("network",),
        )
    if recorded is not None and recorded.channels != network.preparation.channels:
        raise FiltagError(
            f"{owner} was made with images of {recorded.channels} channels, and {source} takes "
            f"{network.preparation.channels}: name the right one",
            options=("network",),
        )
    if recorded is not None and preprocess is None:
        network = replace(network, preparation=replace(recorded, size=network.input_size))
    _check_preparation(metadata, network, owner)
    outputs = tuple(metadata.get("outputs", ()))
    if not from_file or not outputs:
        outputs = network.class_ids
    elif classes is not None and outputs != network.class_ids:
        raise FiltagError(
            f"{owner} was made with the classes {_first(outputs)}, and {classes} has {_first(network.class_ids)}: "
            "leave them out",
            options=("classes",),
        )
    elif len(outputs) != network.output.n_classes:
        raise FiltagError(f"{owner} names {len(outputs)} classes, and {source} has other outputs: make it anew")
    return replace(
        network,
        name=metadata.get("network", network.name),
        class_ids=outputs,
        recorded_identifier=metadata.get("identifier"),
    )


def _load(
    metadata: Mapping[str, Any], owner: str, source: str, preprocess: str | None, classes: Path | None
) -> Network:
    size = metadata.get("input_size")
    # A file of a named network has its random weights in it.
    saved = is_network_file(source) and "network_file" not in metadata
    try:
        return load_network(
            source,
            preprocess=preprocess,
            classes=classes,
            layers=metadata.get("layers_option", "conv"),
            input_size=None if size is None else (size[0], size[1]),
            weights="trained" if saved else metadata.get("weights", "trained"),
            output_name=metadata.get("output_name"),
            outputs=metadata.get("output_is"),
            quiet=True,
        )
    except FiltagError as error:
        if "input_size" not in error.options:
            raise
        given = " × ".join(map(str, metadata["input_size"]))
        message = f"{owner} was made with images of {given} pixels, and {error}: name the right one"
        raise FiltagError(message, options=("network",)) from None


def _check_preparation(metadata: Mapping[str, Any], network: Network, owner: str) -> None:
    now = network_metadata(network)
    if "scaling" in metadata and not same_scaling(metadata, now):
        raise FiltagError(
            f"{owner} was made with preprocessing {metadata.get('preprocess')}, not {now['preprocess']}: leave it out",
            options=("preprocess",),
        )
    resizing = metadata.get("resizing", now["resizing"])
    if resizing != now["resizing"]:
        raise FiltagError(
            f"{owner} was made with images resized otherwise ({resizing}; now {now['resizing']}): make the profile anew"
        )


def _first(class_ids: tuple[str, ...]) -> str:
    return ", ".join(class_ids[:3]) + (f" … ({len(class_ids)})" if len(class_ids) > 3 else "")
