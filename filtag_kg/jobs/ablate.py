"""Take a concept's filters out of a network, and add what it loses to the KG."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from filtag_kg.explain import AblationOptions, add_ablation
from filtag_kg.explain import ablate as ablate_filters
from filtag_kg.jobs.given import Images, NetworkLike, as_images, as_network
from filtag_kg.kg import KG, Ablation, open_kg
from filtag_kg.profile import recorded_network
from filtag_kg.views import KnowledgeGraph, load_kg


def ablate(
    kg: KnowledgeGraph | Path | str,
    concept: str,
    images: Images,
    network: NetworkLike | None = None,
    *,
    options: AblationOptions = AblationOptions(),  # noqa: B008 - frozen
    batch_size: int = 32,
    workers: int | None = None,
    **network_options: Any,  # noqa: ANN401 - those of the function that loads it
) -> Ablation:
    """Test whether a concept's filters cause what a network knows of it; the result is added to the KG.

    Parameters
    ----------
    kg : KnowledgeGraph, Path or str
        A KG on this machine.
    concept : str
        A word such as ``dog``, a concept's IRI, or a ConceptNet term.
    images : ImageSet, path, arrays, pairs or a data set
        Labelled, as for :func:`~filtag_kg.jobs.profile`.
    network : Network, str, Path, keras.Model or torch.nn.Module, optional
        The one that the KG was made of; by default loaded from where it was.
    options : AblationOptions
        Which filters are ablated, how, and on how many images.
    batch_size : int
        Images at a time.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    **network_options
        How to load a model in memory, as for :func:`~filtag_kg.jobs.profile`.

    Returns
    -------
    Ablation
        Accuracy and confidence of each class before and after, and without as many random filters.

    Raises
    ------
    FiltagError
        If there is no KG or no such concept, no filter stands for it, the network is another one or cannot be loaded,
        or no image can be read.

    Examples
    --------
    >>> ablate("my-kg", "dog", "test.tar").change("difference")            # doctest: +SKIP
    """
    location = kg.location if isinstance(kg, KnowledgeGraph) else kg
    opened = location if isinstance(location, KG) else open_kg(Path(location))
    if network is None or isinstance(network, str | PathLike):
        made_of = opened.manifest["inputs"].get("profile", {})
        spec = None if network is None else str(network)
        loaded = recorded_network(made_of, str(opened.path), spec, **network_options)
    else:
        loaded = as_network(network, **network_options)
    with as_images(images, loaded.class_ids) as image_set:
        ablation, _ = ablate_filters(
            load_kg(opened), loaded, image_set, concept, options, batch_size=batch_size, workers=workers
        )
    add_ablation(opened, ablation)
    return ablation
