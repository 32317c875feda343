"""Labels of another method become a KG, or join the KG of the same network, in one call."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from filtag_kg.concepts import (
    DEFAULT_CONCEPTS,
    CuratedLink,
    concept_source,
    preferred_labels,
    read_curated_links,
    wordnet,
)
from filtag_kg.errors import FiltagError
from filtag_kg.files import sha256_of
from filtag_kg.jobs.run import classes_of, links_of
from filtag_kg.kg import KG, BuildParameters, Provenance, build_into, build_kg, reserved_output, runs_of
from filtag_kg.tags import ImportedLabels, Known, TagTable, read_labels
from filtag_kg.views import KnowledgeGraph, NetworkLayers, network_layers

_LOGGER = logging.getLogger(__name__)
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """Files of labels of one method, and how to read them; see :func:`import_labels`."""

    paths: tuple[Path, ...]
    format: str | None = None
    name: str | None = None
    layers: tuple[str, ...] = ()
    class_names: Mapping[str, str] | None = None
    strict: bool = False

    def read(self, network: str, known: Known | None = None) -> ImportedLabels:
        """Return their labels."""
        labels = read_labels(
            self.paths,
            self.format,
            class_names=self.class_names,
            known=known,
            layers=self.layers,
            network=network,
            name=self.name,
            strict=self.strict,
        )
        return replace(labels, tags=_with_labels(labels.tags))

    def sha256(self) -> str:
        """Return the SHA-256 of the file; of several, that of their digests in their order."""
        digests = [sha256_of(path) for path in self.paths]
        return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


def import_labels(
    files: Path | str | Sequence[Path | str],
    output: Path | str | None = None,
    *,
    into: Path | str | None = None,
    format: str | None = None,  # noqa: A002 - what it is called on the command line
    name: str | None = None,
    layer: str | Sequence[str] = (),
    network: str | None = None,
    class_names: Mapping[str, str] | None = None,
    strict: bool = False,
    concepts: str | None = None,
    links: Path | None = None,
    parameters: BuildParameters = BuildParameters(),  # noqa: B008 - it is frozen
    force: bool = False,
) -> KnowledgeGraph:
    """Make a KG of the labels that another method gave to filters, or add them to the KG of the same network.

    Parameters
    ----------
    files : Path, str or sequence of them
        The label files of one method; several files are several layers.
    output : Path or str, optional
        The directory of a KG to be made.
    into : Path or str, optional
        The KG to add them to, instead. Its layers, classes, links, base and concept sources count.
    format : str, optional
        ``netdissect``, ``clip-dissect``, ``milan``, ``invert``, ``falcon``, ``summit``, ``filtag`` or ``csv``; by
        default the files tell.
    name : str, optional
        The run's name, by which queries choose it; by default the method's.
    layer : str or sequence of str
        The name of the layer, where a file does not say it: one for all files or one for each.
    network : str, optional
        The network's name, or which of the networks of `into` the labels are about.
    class_names : mapping of class id to label, optional
        All classes that the method could have given, whether they label a filter or not.
    strict : bool
        Whether a row that cannot be read is an error; otherwise it is left out, and logged.
    concepts : str, optional
        Sources of concepts, as :func:`~filtag_kg.concept_source` takes them; by default the KG's, or
        ``wordnet,conceptnet``.
    links : Path, optional
        A corrected ``links.sssom.tsv``.
    parameters : BuildParameters
        How to build the KG: title, creators, licence …
    force : bool
        Whether to replace a KG at `output`.

    Returns
    -------
    KnowledgeGraph
        To query and to look things up in.

    Raises
    ------
    FiltagError
        If a file cannot be read, does not fit the KG, or is in it already.
    ValueError
        Unless exactly one of `output` and `into` is given.

    Examples
    --------
    >>> import_labels("tally.csv", into="my-kg", layer="layer4.1.conv2")           # doctest: +SKIP
    """
    if (output is None) == (into is None):
        raise ValueError("give either an output or a KG to import into")
    paths = [files] if isinstance(files, str | PathLike) else files
    labels = LabelFiles(
        paths=tuple(map(Path, paths)),
        format=format,
        name=name,
        layers=(layer,) if isinstance(layer, str) else tuple(layer),
        class_names=class_names,
        strict=strict,
    )
    if into is not None:
        return KnowledgeGraph(_import_into(Path(into), labels, network, concepts, links, parameters).path)
    assert output is not None
    path = Path(output)
    with reserved_output(path, force=force):
        read = labels.read(network or "imported")
        source = concept_source(concepts or DEFAULT_CONCEPTS)
        curated = read_curated_links(links, read.tags.class_ids, source) if links is not None else {}
        provenance = _provenance(labels, read, Provenance(network or "imported"))
        build_kg(path, read.tags, source, provenance, parameters=parameters, curated=curated, force=force)
    return KnowledgeGraph(path)


def _import_into(
    path: Path,
    labels: LabelFiles,
    network: str | None,
    concepts: str | None,
    links: Path | None,
    parameters: BuildParameters,
) -> KG:
    def build(kg: KG, room: Path) -> KG:
        layers = _network_of(kg, network)
        classes = classes_of(kg)
        read = labels.read(layers.network, Known(layers.filters_of_layers, classes, str(kg.path)))
        _check_new(kg, labels, read.tags)
        source = concept_source(concepts or kg.manifest["parameters"]["concepts"])
        curated: Mapping[str, Sequence[CuratedLink]]
        if links is not None:
            curated = read_curated_links(links, read.tags.class_ids, source)
        else:
            curated = links_of(kg, classes, read.tags.class_ids, source)
        known = Provenance(layers.label, layer_kinds=dict(zip(layers.layer_names, layers.layer_kinds, strict=True)))
        in_kg = kg.manifest["parameters"]
        built = build_kg(
            room,
            read.tags,
            source,
            _provenance(labels, read, known),
            parameters=replace(parameters, base=in_kg["base"], conceptnet=in_kg["conceptnet"]),
            curated=curated,
            first_rule=len(runs_of(kg)),
        )
        _note_unlinked(built)
        return built

    return build_into(path, build)


def _network_of(kg: KG, name: str | None) -> NetworkLayers:
    """Return the network that labels are about: the one that is named, or the only one."""
    networks = [network_layers(kg, each) for each in dict.fromkeys(run.network for run in runs_of(kg))]
    matches = [each for each in networks if name in (None, each.network, each.label)]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(each.network for each in networks)
    problem = f"{len(matches)} networks" if matches else f"no network {name!r}"
    raise FiltagError(f"{kg.path} has {problem}: name the one that the labels are about, {known}", options=("network",))


def _check_new(kg: KG, labels: LabelFiles, tags: TagTable) -> None:
    """Refuse labels that a KG has, and a name that another run about the network has."""
    digest, layers = labels.sha256(), _labelled_layers(tags)
    builds = [{**kg.manifest, "folder": ""}, *kg.manifest.get("added", ())]
    for build in builds:
        same_file = build["inputs"].get("tagsSha256") == digest and build["network"] == tags.network
        if same_file and build["inputs"].get("layers", layers) == layers:
            rule = next(run.rule for run in runs_of(kg) if run.folder == build["folder"])
            raise FiltagError(f"{kg.path} has the labels of {labels.paths[0]} already, as {rule}: nothing was added")
    (rule,) = tags.rules
    if any((run.rule, run.network) == (rule, tags.network) for run in runs_of(kg)):
        raise FiltagError(
            f"{kg.path} has a run {rule} of other labels: give this one another name; import the layers of one method "
            "together",
            options=("name",),
        )


def _provenance(labels: LabelFiles, read: ImportedLabels, known: Provenance) -> Provenance:
    return replace(
        known,
        hashes={"flt:tagsSha256": labels.sha256()},
        inputs={
            "tags": ", ".join(path.name for path in labels.paths),
            "format": read.method,
            "layers": _labelled_layers(read.tags),
        },
        method=read.method,
        score_meaning=read.score_meaning,
    )


def _labelled_layers(tags: TagTable) -> list[str]:
    return [tags.layer_names[index] for index in sorted(set(tags.layer.tolist()))]


def _with_labels(tags: TagTable) -> TagTable:
    """Return tags with WordNet's labels for classes that the file names by their ids alone."""
    labels = preferred_labels(tags.class_ids, wordnet())
    return replace(
        tags,
        class_labels=tuple(
            found if label == id_ else label
            for id_, label, found in zip(tags.class_ids, tags.class_labels, labels, strict=True)
        ),
    )


def _note_unlinked(kg: KG) -> None:
    unlinked = kg.manifest.get("unlinked_classes", ())
    if unlinked:
        named = ", ".join(unlinked[:_MOST_NAMED]) + (", …" if len(unlinked) > _MOST_NAMED else "")
        n_classes = kg.manifest["counts"]["classes"]
        _LOGGER.warning("linked to no concept, %d of %d labels: %s", len(unlinked), n_classes, named)
