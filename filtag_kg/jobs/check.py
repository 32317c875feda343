"""The labels of a KG checked, from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from filtag_kg.explain import LabelCheck, add_label_check, check_labels
from filtag_kg.jobs.given import Images, NetworkLike, as_images, as_network
from filtag_kg.kg import KG, open_kg
from filtag_kg.network import Network
from filtag_kg.profile import recorded_network
from filtag_kg.views import KnowledgeGraph


def check(
    kg: KnowledgeGraph | KG | Path | str,
    images: Images,
    network: NetworkLike | None = None,
    *,
    rules: Sequence[str] = (),
    class_names: Mapping[str, str] | None = None,
    seed: int = 0,
    keep: bool = True,
    progress: Callable[[int, int], None] | None = None,
    **network_options: Any,  # noqa: ANN401 - those of the function that loads it
) -> LabelCheck:
    """Check whether the labels of a KG's filters are true, on images that made none of them.

    Parameters
    ----------
    kg : KnowledgeGraph, Path or str
        A KG on this machine.
    images : folder, archive, list of images, data set or array
        As for :func:`~filtag_kg.jobs.profile`.
    network : Network, str, Path, keras.Model or torch.nn.Module, optional
        One that the KG is about; by default the one that it was made of, loaded from where it was.
    rules : sequence of str
        Rules or ids of the runs to check; by default all runs about the network.
    class_names : mapping of class id to label, optional
        Labels of classes that the KG does not have, which link them to concepts.
    seed : int
        Of the random labels that the labels are compared with.
    progress : callable, optional
        Called after each batch with the number of images done and of all images.
    keep : bool
        Whether to add the check to the KG.
    **network_options
        How to load a model in memory, as for :func:`~filtag_kg.jobs.profile`.

    Returns
    -------
    LabelCheck
        ``runs`` has a row for each label of each run: its status, AUC and q-value.

    Raises
    ------
    FiltagError
        If there is no KG, no run is about the network or it cannot be loaded, the labels were made from these images,
        or no image can be read.

    Examples
    --------
    >>> checked = check("my-kg", "test.tar")                                  # doctest: +SKIP
    >>> [row.label for rows in checked.runs.values() for row in rows if row.status == "confirmed"]  # doctest: +SKIP
    """
    location = kg.location if isinstance(kg, KnowledgeGraph) else kg
    opened = location if isinstance(location, KG) else open_kg(Path(location))
    loaded = _network_of(opened, network, network_options)
    with as_images(images, loaded.class_ids) as image_set:
        checked = check_labels(
            opened, loaded, image_set, rules=rules, class_names=class_names, seed=seed, progress=progress
        )
    if keep:
        add_label_check(opened, checked)
    return checked


def _network_of(kg: KG, network: NetworkLike | None, options: Mapping[str, Any]) -> Network:
    if network is None or isinstance(network, str | PathLike):
        made_of = kg.manifest["inputs"].get("profile", {})
        return recorded_network(made_of, str(kg.path), None if network is None else str(network), **options)
    return as_network(network, **options)
