"""Check whether filters respond to what their labels say, on images that did not make the labels.

Every label of every run about a network is checked: tags, whatever method made them, and what the tags of a filter have
in common. `label_scores` says how well a label fits, `label_tests` whether better than chance, `concept_induction` how
many images of the label activate the filter.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filtag_kg.concepts import ConceptSource, concept_source
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import other_network
from filtag_kg.explain.checked_labels import CONFIRMED_Q, checked_labels
from filtag_kg.explain.evaluation import unreadable_notes
from filtag_kg.explain.label_classes import link_test_classes
from filtag_kg.explain.label_tests import DRAWS
from filtag_kg.explain.observed_images import observe_images
from filtag_kg.explain.unseen_images import unseen_images
from filtag_kg.images import ImageRef, ImageSet
from filtag_kg.kg import KG, CheckedLabel
from filtag_kg.names import nfc
from filtag_kg.network import Network
from filtag_kg.profile import load_profile
from filtag_kg.views import LoadedKg, NetworkLayers, RunResults, load_kg

_FEW_CLASSES = 20
_MOST_NAMED = 100


@dataclass(frozen=True, slots=True, eq=False)
class LabelCheck:
    """The outcome of checking the labels of a KG's runs about one network.

    Parameters
    ----------
    network : str
        Identifier of the network in the KG.
    runs : mapping of run id to tuple of CheckedLabel
        In the order of the KG.
    images, classes : int
        That the labels were checked on.
    images_sha256, source : str
        Of the images, and their file or folder name.
    notes : tuple of str
        What a reader must know.
    """

    network: str
    runs: Mapping[str, tuple[CheckedLabel, ...]]
    images: int
    classes: int
    images_sha256: str
    source: str
    draws: int
    seed: int
    notes: tuple[str, ...] = ()


def check_labels(
    kg: KG,
    network: Network,
    images: ImageSet,
    *,
    rules: Sequence[str] = (),
    class_names: Mapping[str, str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    batch_size: int = 32,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LabelCheck:
    """Check the labels of the filters of a network on images that did not make them.

    Of the images that made a profile of the KG, only those that it held out are used. The activations are kept in a
    temporary file: 4 bytes for each image and filter.

    Parameters
    ----------
    network : Network
        One that runs of the KG are about.
    images : ImageSet
        Open; their classes need not be those of the KG.
    rules : sequence of str
        Rules or ids of the runs to check; all runs about the network, if left out.
    class_names : mapping of class id to label, optional
        Labels of classes that the KG does not have: without a WordNet id, these link them to concepts.
    draws, seed
        Of the random sets of classes, see `filtag_kg.explain.label_tests`.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Raises
    ------
    FiltagError
        If no run is about the network, there is no such rule, the labels were made from these very images, or no
        image can be read.
    """
    loaded = load_kg(kg)
    layers, runs = runs_to_check(loaded, network, rules)
    images = images.counting(network.class_ids, known=loaded.concepts.class_ids)
    chosen, notes = _unseen(loaded.kg, runs, images)
    unreadable: list[tuple[ImageRef, str]] = []
    with tempfile.TemporaryDirectory(prefix="filtag-check-") as folder:
        observed = observe_images(
            network, images, chosen, layers, Path(folder), unreadable, batch_size, workers=workers, progress=progress
        )
        notes += unreadable_notes(unreadable, most=_MOST_NAMED)
        n_classes = len(observed.class_ids)
        if n_classes < _FEW_CLASSES:
            notes.append(
                f"{n_classes} classes are few: a random label is right about as often as one of {n_classes} is, so a "
                "label must fit much better than others to be confirmed"
            )
        classes = link_test_classes(observed.class_ids, loaded.concepts, _source(kg), names=class_names or {})
        checked = checked_labels(loaded, layers, runs, classes, observed, draws=draws, seed=seed)
        notes += [line for rows in checked.values() if (line := _many_tags(rows, layers, n_classes))]
        return LabelCheck(
            network=layers.network,
            runs=checked,
            images=len(observed.activations),
            classes=n_classes,
            images_sha256=images.sha256(),
            source=images.path.resolve().name,
            draws=draws,
            seed=seed,
            notes=tuple(notes),
        )


def _many_tags(rows: Sequence[CheckedLabel], layers: NetworkLayers, n_classes: int) -> str | None:
    """Return a note on a run with so many tags that their q-values cannot be small, if it is one.

    A tag's p-value is the share of all pairs of a filter and a class that come out at least as high. If a share s of
    all pairs are tags, they are at best the highest ones; then the j-th of m tags has the p-value s j / m, and the
    q-value of all is s.
    """
    tags = [row for row in rows if row.kind == "tag" and row.classes == 1 and row.status != "not testable"]
    tagged = {row.layer for row in tags}
    pairs = n_classes * sum(size for layer, size in layers.filters_of_layers.items() if layer in tagged)
    if not tags or len(tags) < pairs * CONFIRMED_Q / 2:
        return None
    return (
        f"{tags[0].rule} tags {len(tags) / pairs:.1%} of all pairs of a filter and a class, and one is confirmed only "
        "if it stands out from all pairs: hardly any of so many can be. Check a rule with fewer tags, by itself"
    )


def runs_to_check(
    loaded: LoadedKg, network: Network, rules: Sequence[str] = ()
) -> tuple[NetworkLayers, tuple[RunResults, ...]]:
    """Return the layers of a network in a KG, and the runs about it.

    Raises
    ------
    FiltagError
        If no run is about the network, it was loaded with other layers, or there is no such rule.
    """
    # What another program wrote about a network may name it without its weights.
    layers = loaded.networks.get(network.identifier) or loaded.networks.get(network.name)
    if layers is None:
        raise other_network(loaded.kg.path, ", ".join(loaded.networks), network)
    sizes = {nfc(layer.name): layer.n_filters for layer in network.layers}
    for layer, size in layers.filters_of_layers.items():
        if sizes.get(nfc(layer)) != size and (layer in _tagged_layers(loaded, layers) or nfc(layer) in sizes):
            raise FiltagError(
                f"{loaded.kg.path} is about {size} filters in a layer {layer!r} of {network.name}, which was loaded "
                f"with {sizes.get(nfc(layer), 'none')}: load it with the layers of the KG"
            )
    if not rules:
        return layers, loaded.runs_of(layers.network)
    chosen = [loaded.run_named(rule, layers.network) for rule in rules]
    return layers, tuple({table.run.run_id: table for table in chosen}.values())


def _tagged_layers(loaded: LoadedKg, layers: NetworkLayers) -> set[str]:
    columns = np.unique(np.concatenate([table.column for table in loaded.runs_of(layers.network)]))
    return {layers.layer_names[layers.layer_and_filter(int(column))[0]] for column in columns}


def _unseen(kg: KG, runs: Iterable[RunResults], images: ImageSet) -> tuple[Sequence[ImageRef], list[str]]:
    """Return the images that made none of the runs, and notes."""
    chosen, notes = list(images.images), []
    folders = dict.fromkeys(table.run.folder for table in runs)
    paths = [kg.path / folder / "profile.npz" for folder in folders]
    for path in filter(Path.exists, paths):
        unseen = unseen_images(load_profile(path, means_alone=True), images)
        if unseen is None:
            raise FiltagError(
                f"the labels were made from the images of {images.path.name}, which cannot tell whether they are true: "
                "give others, or hold images out when the profile is made",
                options=("images",),
            )
        names = {image.name for image in unseen[0]}
        chosen = [image for image in chosen if image.name in names]
        notes += [note for note in unseen[1] if note not in notes]
    if not all(path.exists() for path in paths):
        notes.append("imported labels do not say which images made them: they must be others than these")
    if not chosen:
        raise FiltagError(
            f"the profiles of {kg.path} held out no image in common: give images that made none of the labels",
            options=("images",),
        )
    return chosen, notes


def _source(kg: KG) -> ConceptSource:
    return concept_source(str(kg.manifest["parameters"]["concepts"]))
