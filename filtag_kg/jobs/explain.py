"""One classification explained, from Python."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.explain import By, Explanation, ImagePixels, explain_pixels
from filtag_kg.explain import explain_image as explain_file
from filtag_kg.images import batches, images_from
from filtag_kg.jobs.given import NetworkLike, as_network
from filtag_kg.kg import KG, open_kg
from filtag_kg.network import Network
from filtag_kg.profile import recorded_network
from filtag_kg.views import KnowledgeGraph


def explain_image(
    kg: KnowledgeGraph | KG | Path | str,
    image: Any,  # noqa: ANN401 - of any library
    network: NetworkLike | None = None,
    *,
    by: By | None = None,
    rule: str | None = None,
    most: int = 8,
    why: str | None = None,
    not_: str | None = None,
    class_names: Mapping[str, str] | None = None,
    **network_options: Any,  # noqa: ANN401 - those of the function that loads it
) -> Explanation:
    """Explain how a network classifies one image, through the filters that the image activates.

    Parameters
    ----------
    kg : KnowledgeGraph, Path or str
        A KG on this machine.
    image : path, array, PIL image, torch tensor, or the bytes of a file
        Floating point arrays are ready made: what the network takes.
    network : Network, str, Path, keras.Model or torch.nn.Module, optional
        The one that the KG was made of; by default loaded from where it was. One that was given in Python must be given
        again.
    by : {"evidence", "tags"}, optional
        What the explanation goes by: the activations of the last layers, compared with those of each class's images, or
        the tags of the filters that the image activates most. By default evidence, if the KG has a profile and no rule
        is named.
    rule : str, optional
        The rule or run whose tags are counted; by default the KG's first.
    most : int
        How many classes and concepts to return.
    why, not_ : str, optional
        Two classes to contrast, by id or label: why the first and not the second? `why` alone is contrasted with the
        network's answer.
    class_names : mapping of class id to label, optional
        Labels that replace the KG's.
    **network_options
        How to load a model in memory, as for :func:`~filtag_kg.jobs.profile`: the same as when the KG was made.

    Returns
    -------
    Explanation
        ``predictions``, the classes and concepts that the filters speak for, and the filters. In a notebook it shows
        itself.

    Raises
    ------
    FiltagError
        If there is no KG, the network is another one or cannot be loaded, the KG has no such rule or class, or the
        image cannot be read.

    Examples
    --------
    >>> explain_image("my-kg", "cat.jpg", why="tabby").predictions           # doctest: +SKIP
    >>> explain_image(kg, pixels, network).labels                            # doctest: +SKIP
    >>> explain_image(kg, "cat.jpg", model, preprocess="0..1", class_ids=classes).verdict   # doctest: +SKIP
    """
    location = kg.location if isinstance(kg, KnowledgeGraph) else kg
    opened = location if isinstance(location, KG) else open_kg(Path(location))
    if network is None or isinstance(network, str | PathLike):
        made_of = opened.manifest["inputs"].get("profile", {})
        spec = None if network is None else str(network)
        loaded = recorded_network(made_of, str(opened.path), spec, **network_options)
    else:
        loaded = as_network(network, **network_options)
    if isinstance(image, str | PathLike):
        return explain_file(
            opened, loaded, Path(image), by=by, rule=rule, most=most, why=why, not_=not_, class_names=class_names
        )
    pixels = _pixels(image, loaded)
    return explain_pixels(
        opened, loaded, pixels, by=by, rule=rule, most=most, why=why, not_=not_, class_names=class_names
    )


def _pixels(image: Any, network: Network) -> ImagePixels:  # noqa: ANN401
    with images_from([(image, "image")]) as images:
        (batch,) = batches(images, network.preparation, 1)
        if batch.unreadable:
            raise FiltagError(f"the image cannot be used ({batch.unreadable[0][1]}): give another")
        sha256 = hashlib.sha256(images.read(images.images[0])).hexdigest()
    return ImagePixels("image", sha256, batch.pixels[0])
