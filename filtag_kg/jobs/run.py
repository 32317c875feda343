"""The pass, or everything from the pass to the KG, in one call."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from filtag_kg.class_names import classes_in_order
from filtag_kg.concepts import DEFAULT_CONCEPTS, ConceptSource, CuratedLink, concept_source, read_curated_links
from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageSet
from filtag_kg.jobs.given import Images, NetworkLike, as_images, as_network
from filtag_kg.jobs.labels import labels_of, with_names
from filtag_kg.kg import KG, BuildParameters, Provenance, build_kg, check_output, reserved_output, runs_of
from filtag_kg.network import Network
from filtag_kg.profile import PassOptions, Profile, checkpointing, collect, save_profile
from filtag_kg.tags import Rule, tag_filters
from filtag_kg.views import KnowledgeGraph

_CLASSES = """SELECT ?id (MIN(?label_) AS ?label) WHERE {
  ?class a flt:ClassLabel ; skos:notation ?id ; skos:prefLabel ?label_
} GROUP BY ?id ORDER BY ?id"""


def profile(
    network: NetworkLike,
    images: Images,
    *,
    output: Path | str | None = None,
    class_names: Mapping[str, str] | None = None,
    options: PassOptions = PassOptions(),  # noqa: B008 - it is frozen
    restart: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **network_options: Any,  # noqa: ANN401 - those of the function that loads it
) -> Profile:
    """Pass images through a network once, and return how strongly each class activates each filter.

    Parameters
    ----------
    network : Network, str, Path, keras.Model or torch.nn.Module
        A name or a file as :func:`~filtag_kg.load_network` takes it, or a model in memory.
    images : ImageSet, str, Path, or images in memory
        A path; an array of images and one of labels; pairs of an image and its label; a ``tf.data.Dataset``, a torch
        ``DataLoader`` … Labels that are whole numbers count the network's classes.
    output : Path or str, optional
        Where to save the profile, as soon as it is made. Only with it can an interrupted pass go on where it stopped.
    class_names : mapping of str to str, optional
        Labels of class ids; by default those in the file of the network's ``classes``, or WordNet's, where ids are its.
    options : PassOptions
        How to go over the images: batch size, split, exemplars …
    restart : bool
        Whether to start over instead of resuming an interrupted pass.
    progress : callable, optional
        Called after each batch with the number of images done and of all images.
    **network_options
        How to load the network, as for :func:`~filtag_kg.load_network`, :func:`~filtag_kg.from_keras` or
        :func:`~filtag_kg.from_torch`: ``preprocess="vgg16"``, ``layers="all"``, ``input_size=224``.

    Raises
    ------
    FiltagError
        If network or images cannot be loaded, more than 1 % of the images are unreadable, there are fewer than two
        classes, a class has fewer than two images, or an output of the network is not finite.

    Examples
    --------
    >>> profile("efficientnet-lite0", "train.tar")                                   # doctest: +SKIP
    >>> profile(module, DataLoader(data_set, 32), input_size=224, mean=(0.5,), std=(0.25,))  # doctest: +SKIP
    """
    loaded = as_network(network, **network_options)
    names = _names(class_names, network_options)
    with (
        as_images(images, loaded.class_ids) as opened,
        nullcontext() if output is None else checkpointing(Path(output), restart=restart) as checkpoint,
    ):
        class_ids = tuple(dict.fromkeys((*opened.classes, *loaded.class_ids)))
        labels = labels_of(class_ids, names, str(opened.path), of_images=opened.labels)
        made = collect(loaded, opened, options, labels=labels, checkpoint=checkpoint, progress=progress)
        made = with_names(made, names)
        if output is not None:
            # The checkpoint is removed only once the profile is there.
            save_profile(made, Path(output))
    return made


def run(
    network: NetworkLike,
    images: Images,
    output: Path | str,
    *,
    rules: Sequence[Rule] = (Rule("k", 1),),
    concepts: str = DEFAULT_CONCEPTS,
    links: Path | None = None,
    parameters: BuildParameters = BuildParameters(),  # noqa: B008 - it is frozen
    class_names: Mapping[str, str] | None = None,
    options: PassOptions = PassOptions(),  # noqa: B008 - it is frozen
    maps: bool = True,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **network_options: Any,  # noqa: ANN401 - those of the function that loads it
) -> KnowledgeGraph:
    """Do the whole job: pass, tags, links, common concepts and KG.

    Parameters
    ----------
    network, images, class_names, options, progress, **network_options
        As for :func:`~filtag_kg.jobs.profile`.
    output : Path or str
        The KG's directory, which must not hold a KG yet.
    rules : sequence of Rule
        Which filters each class tags; by default the most active one of each layer.
    concepts : str
        Sources of concepts, as :func:`~filtag_kg.concept_source` takes them; by default ``wordnet,conceptnet``.
    links : Path, optional
        A corrected ``links.sssom.tsv``.
    parameters : BuildParameters
        How to build the KG: title, creators, licence …
    maps : bool
        Whether to look at the exemplars once more and keep where in them each filter responds.
    force : bool
        Whether to replace a KG that is there.

    Returns
    -------
    KnowledgeGraph
        To query and to look things up in.

    Raises
    ------
    FiltagError
        As :func:`~filtag_kg.jobs.profile`, or if the output exists, or there is no such source of concepts.

    Examples
    --------
    >>> kg = run("efficientnet-lite0", "train.tar", "my-kg", rules=[Rule("q", 0.05)])  # doctest: +SKIP
    >>> kg.query("filters-by-concept", concept="dog")                                  # doctest: +SKIP
    """
    path = Path(output)
    check_output(path, force=force)
    # Whatever can be refused is refused now, not after hours of a pass.
    source = concept_source(concepts)
    if links is not None:
        read_curated_links(links, (), source)
    loaded = as_network(network, **network_options)
    with reserved_output(path, force=force), as_images(images, loaded.class_ids) as opened:
        names = _names(class_names, network_options)
        made = profile(loaded, opened, class_names=names, options=options, progress=progress)
        build_from_profile(
            made,
            rules,
            path,
            images=opened,
            network=loaded if maps else None,
            concepts=concepts,
            links=links,
            parameters=parameters,
            force=force,
            progress=progress,
        )
    return KnowledgeGraph(path)


def _names(class_names: Mapping[str, str] | None, network_options: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that the user gives, also in the file of the network's classes."""
    file = network_options.get("classes")
    in_file = {} if file is None else {id_: label for id_, label in classes_in_order(file).items() if label}
    return in_file | dict(class_names or {})


def build_from_profile(
    made: Profile,
    rules: Sequence[Rule],
    output: Path,
    *,
    images: ImageSet | None = None,
    network: Network | None = None,
    concepts: str = DEFAULT_CONCEPTS,
    links: Path | None = None,
    parameters: BuildParameters = BuildParameters(),  # noqa: B008 - it is frozen
    force: bool = False,
    beside: KG | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> KG:
    """Tag by the rules and build the KG, with thumbnails where there are images, and maps where there is the network.

    Beside a KG that it is to be added to, it takes over that one's base, its links of classes, and counts its rules on.
    """
    tags = tag_filters(made, rules, network=made.metadata.get("identifier", "network"))
    source = concept_source(concepts)
    if beside is not None:
        parameters = replace(parameters, base=beside.manifest["parameters"]["base"])
    curated: Mapping[str, Sequence[CuratedLink]]
    if links is not None:
        curated = read_curated_links(links, tags.class_ids, source)
    else:
        curated = links_of(beside, classes_of(beside), tags.class_ids, source) if beside is not None else {}
    return build_kg(
        output,
        tags,
        source,
        Provenance.of_profile(made),
        profile=made,
        images=images,
        network=network,
        parameters=parameters,
        curated=curated,
        first_rule=len(runs_of(beside)) if beside is not None else 0,
        force=force,
        progress=progress,
    )


def classes_of(kg: KG) -> dict[str, str]:
    """Return the label of each class of a KG, by id."""
    return {row[0]: row[1] for row in kg.store_process().rows(_CLASSES)}


def links_of(
    kg: KG, known: Container[str], class_ids: Sequence[str], source: ConceptSource
) -> Mapping[str, Sequence[CuratedLink]]:
    """Return the links of a KG's classes, for more runs in it; of a class in several builds, that of the first.

    Parameters
    ----------
    known : container of str
        The classes of the KG; one without a link gets none.
    class_ids : sequence of str
        Those of the run to be added.

    Raises
    ------
    FiltagError
        If the source lacks concepts of the KG.
    """
    folders = dict.fromkeys(run.folder for run in runs_of(kg))
    unlinked = {class_id: (CuratedLink(None),) for class_id in class_ids if class_id in known}
    try:
        links = [read_curated_links(kg.path / folder / "links.sssom.tsv", class_ids, source) for folder in folders]
        return unlinked | {class_id: link for of_build in reversed(links) for class_id, link in of_build.items()}
    except FiltagError:
        if kg.kinds_of in {member.name for member in source.members}:
            raise
        raise FiltagError(
            f"the classes of {kg.path} are linked to concepts of {kg.kinds_of}, which {source.name} lacks: "
            "choose the concept sources of the KG",
            options=("concepts",),
        ) from None
