"""Take the filters of a concept out of a network, and measure what it loses.

The images pass twice. The first time the network runs as it is, which also gives each filter's mean and tells which
filters react to the images at all. The second time it runs without the concept's filters, and without each of several
random sets of as many filters of the same layers. These are drawn from filters that react: to take out filters that do
nothing would make any others look important.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.explain.ablation_effects import Answers, changes
from filtag_kg.explain.ablation_filters import ConceptFilters, concept_filters, random_sets
from filtag_kg.explain.ablation_pass import AblationImages, FilterMeans, Measured, Progress, ablated, unablated
from filtag_kg.explain.active_filters import other_network
from filtag_kg.explain.evaluation import unreadable_notes
from filtag_kg.explain.unseen_images import unseen_images
from filtag_kg.images import ImageRef, ImageSet
from filtag_kg.kg import KG, MEASURES, REPLACEMENTS, AblatedClass, Ablation, Measure, Replacement, Scope
from filtag_kg.network import Layer, Network
from filtag_kg.profile import load_profile
from filtag_kg.views import LoadedKg

_MOST_NAMED = 20
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class AblationOptions:
    """Which filters are ablated, how, and on how many images.

    Parameters
    ----------
    rule : str, optional
        By which run the filters are chosen: its rule or id; the KG's first, if left out.
    choice : str
        ``common``: the filters that stand for the concept beyond chance; ``tagged``: those whose tags are mostly at or
        below it.
    layers : collection of str
        Choose among filters of these; of all by default.
    given : sequence of (layer, filter)
        Filters to ablate instead, whatever their tags are.
    by : str
        What feature maps become: ``zero``, or ``mean``, the filter's mean over the images.
    random_sets : int
        With n sets, the smallest p-value is 1 / (n + 1).
    seed : int
        Of the random sets, of the images that are chosen, and of the bootstrap.
    max_images : int, optional
        The most images of each class; chosen at random where there are more.
    kg_classes : bool
        Take the network's answer among the classes of the KG alone, its confidences scaled to a sum of 1.
    """

    rule: str | None = None
    choice: str = "common"
    layers: Collection[str] = ()
    given: Sequence[tuple[str, int]] = ()
    by: str = "zero"
    random_sets: int = 19
    seed: int = 0
    max_images: int | None = None
    kg_classes: bool = False


def ablate(
    loaded: LoadedKg,
    network: Network,
    images: ImageSet,
    concept: str,
    options: AblationOptions = AblationOptions(),
    *,
    batch_size: int = 32,
    workers: int | None = None,
    progress: Progress | None = None,
) -> tuple[Ablation, tuple[str, ...]]:
    """Measure what a network loses without the filters of a concept, by class.

    Of the images that made the KG's profile, only those that it held out are used. An image with several labels counts
    for each of them, and the network is right about it with any of them.

    Parameters
    ----------
    network : Network
        One that the KG is about; it must know the classes of its outputs.
    images : ImageSet
        Open. Those of classes that the network or the KG does not have are left out.
    concept : str
        A word, its IRI, or a ConceptNet term.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    progress : callable, optional
        Called after each batch with the number of images done and of all images; each counts once for every run.

    Returns
    -------
    Ablation
    notes : tuple of str
        What a reader must know: images that were left out, layers with few other filters.

    Raises
    ------
    FiltagError
        If the KG is about another network, or that tells no classes apart or cannot be run without some of its filters;
        the concept has no filters; or the images do not show both classes of the concept and others.
    """
    if options.random_sets < 0 or options.seed < 0:
        raise ValueError(f"random_sets and seed count from 0, got {options.random_sets} and {options.seed}")
    replacement = _replacement(options.by)
    if network.identifier not in loaded.networks:
        raise other_network(loaded.kg.path, ", ".join(loaded.networks), network)
    run = loaded.run_named(options.rule, network.identifier)
    chosen = concept_filters(loaded, run, concept, choice=options.choice, layers=options.layers, given=options.given)
    layers = _layers(network, chosen)
    notes: list[str] = []
    shown = _shown(loaded, network, images, chosen, options, notes, batch_size, workers)
    ablatable = network.ablatable(layers, batch_size)
    n_runs = 2 + options.random_sets
    total = n_runs * len(shown.only)
    report = progress or (lambda _done, _total: None)
    as_it_is, means = unablated(shown, ablatable, lambda done, _: report(done, total))
    others = _other_filters(layers, chosen, means, notes)
    sets = [list(chosen.filters), *random_sets(chosen.filters, others, options.random_sets, options.seed)]
    values = means.mean if replacement == "mean" else np.zeros_like(means.mean)
    without = ablated(
        shown,
        ablatable,
        _kept(layers, sets),
        values,
        lambda done, _: report(len(shown.only) + (n_runs - 1) * done, total),
    )
    notes += unreadable_notes(as_it_is.unreadable, most=_MOST_NAMED)
    class_ids, answers = _answers(network, as_it_is, without)
    of_concept = np.array([class_id in chosen.classes for class_id in class_ids])
    _check_shown(of_concept, chosen, images)
    labels = dict(zip(loaded.concepts.class_ids, loaded.concepts.class_labels, strict=True))
    ablation = Ablation(
        ablation_id="",
        run_id=run.run.run_id,
        network=network.identifier,
        concept=chosen.concept,
        label=chosen.label,
        chosen_by=chosen.chosen_by,
        replacement=replacement,
        filters=chosen.filters,
        random_sets=options.random_sets,
        seed=options.seed,
        images={
            "source": images.path.resolve().name,
            "sha256": images.sha256(),
            "read": as_it_is.n_images,
            "per_class": options.max_images,
        },
        kg_classes=options.kg_classes,
        software=_software(network),
        changes=tuple(
            change
            for measure in MEASURES
            for change in changes(measure, answers[measure], of_concept, seed=options.seed)
        ),
        classes=tuple(_rows(answers, class_ids, of_concept, labels)),
    )
    return replace(ablation, ablation_id=_ablation_id(ablation)), tuple(notes)


def _replacement(by: str) -> Replacement:
    for replacement in REPLACEMENTS:
        if replacement == by:
            return replacement
    raise FiltagError(f"filters cannot be set to {by!r}: choose {' or '.join(REPLACEMENTS)}", options=("by",))


def _layers(network: Network, chosen: ConceptFilters) -> list[Layer]:
    """Return the layers of the chosen filters, in forward order."""
    names = {name for name, _ in chosen.filters}
    layers = [layer for layer in network.layers if layer.name in names]
    sizes = {layer.name: layer.n_filters for layer in layers}
    for name, filter_ in chosen.filters:
        if filter_ >= sizes.get(name, 0):
            raise FiltagError(
                f"{network.name} was loaded without filter {filter_} of {name}: load it with the layers of the KG"
            )
    return layers


def _shown(
    loaded: LoadedKg,
    network: Network,
    images: ImageSet,
    chosen: ConceptFilters,
    options: AblationOptions,
    notes: list[str],
    batch_size: int,
    workers: int | None,
) -> AblationImages:
    """Return the images to show, and note which are left out."""
    if not network.output.n_classes:
        raise FiltagError(f"{network.name} tells no classes apart, so there is nothing to measure: give a classifier")
    if not network.class_ids:
        raise FiltagError(
            f"{network.name} does not say what its outputs stand for: name its classes", options=("classes",)
        )
    class_ids = loaded.concepts.class_ids
    images = images.counting(network.class_ids, known=class_ids)
    counted = frozenset(class_ids) & frozenset(network.class_ids)
    candidates = _candidates(loaded.kg, images, notes)
    known = [image for image in candidates if not counted.isdisjoint(image.class_ids)]
    _check_shown(np.array([id_ in chosen.classes for id_ in _counted(known, counted)]), chosen, images)
    if len(known) < len(candidates):
        unknown = sorted({id_ for image in candidates for id_ in image.class_ids} - counted)
        named = ", ".join(unknown[:3]) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else "")
        left_out = len(candidates) - len(known)
        notes.append(f"{left_out:,} images are left out: the network and the KG do not both have class {named}")
    only = known if options.max_images is None else _some(known, options.max_images, options.seed)
    allowed = class_ids if options.kg_classes else network.class_ids
    return AblationImages(network, images, only, counted, frozenset(allowed), batch_size, workers)


def _candidates(kg: KG, images: ImageSet, notes: list[str]) -> Sequence[ImageRef]:
    """Return the images that did not make the KG's profile, if there are any."""
    path = kg.path / "profile.npz"
    if not path.exists():
        return images.images
    unseen = unseen_images(load_profile(path, means_alone=True), images)
    if unseen is None:
        notes.append("the filters were tagged with these very images: on others, they may do less")
        return images.images
    notes += unseen[1]
    return unseen[0]


def _counted(images: Sequence[ImageRef], counted: Collection[str]) -> list[str]:
    return sorted({class_id for image in images for class_id in image.class_ids if class_id in counted})


def _some(images: Sequence[ImageRef], most: int, seed: int) -> list[ImageRef]:
    """Return at most so many images of each class, an image with several labels as one of its first; in order."""
    if most < 1:
        raise ValueError(f"max_images must be at least 1, got {most}")
    taken: Counter[str] = Counter()
    chosen = set()
    for index in np.random.default_rng(seed).permutation(len(images)).tolist():
        if taken[images[index].class_id] < most:
            taken[images[index].class_id] += 1
            chosen.add(index)
    return [images[index] for index in sorted(chosen)]


def _check_shown(of_concept: NDArray[np.bool_], chosen: ConceptFilters, images: ImageSet) -> None:
    if not of_concept.any():
        raise FiltagError(
            f"no image in {images.path} is of a class at or below {chosen.label}: give images of such classes",
            options=("images",),
        )
    if of_concept.all():
        raise FiltagError(
            f"every image in {images.path} is of a class at or below {chosen.label}: give images of other classes, too",
            options=("images",),
        )


def _other_filters(
    layers: Sequence[Layer], chosen: ConceptFilters, means: FilterMeans, notes: list[str]
) -> dict[str, NDArray[np.int64]]:
    """Return, for each layer, the other filters that react to the images; note where there are few of them."""
    others, first = {}, 0
    for layer in layers:
        reacts = means.reacts[first : first + layer.n_filters].copy()
        first += layer.n_filters
        of_layer = [filter_ for name, filter_ in chosen.filters if name == layer.name]
        reacts[of_layer] = False
        others[layer.name] = np.flatnonzero(reacts)
        if len(others[layer.name]) < len(of_layer):
            notes.append(
                f"{len(of_layer)} filters of {layer.name} are ablated, and {len(others[layer.name])} others react to "
                "the images: random sets have all of these"
            )
    return others


def _kept(layers: Sequence[Layer], sets: Sequence[Sequence[tuple[str, int]]]) -> NDArray[np.bool_]:
    """Return what stays in the network without each set: bool array of shape (n_sets, n_filters)."""
    ends = np.cumsum([layer.n_filters for layer in layers]).tolist()
    first = {layer.name: end - layer.n_filters for layer, end in zip(layers, ends, strict=True)}
    kept = np.ones((len(sets), ends[-1]), dtype=np.bool_)
    for row, filters in zip(kept, sets, strict=True):
        row[[first[layer] + filter_ for layer, filter_ in filters]] = False
    return kept


def _answers(network: Network, as_it_is: Measured, without: Measured) -> tuple[list[str], dict[Measure, Answers]]:
    """Return the classes that were shown, by id, and what the network answered to them."""
    order = sorted(np.unique(as_it_is.output).tolist(), key=lambda output: network.class_ids[output])
    number = np.empty(len(network.class_ids), dtype=np.int64)
    number[order] = np.arange(len(order))
    class_ = number[as_it_is.output]
    correct = np.concatenate([as_it_is.correct, without.correct]).astype(np.float64)
    confidence = np.concatenate([as_it_is.confidence, without.confidence])
    answers: dict[Measure, Answers] = {
        "accuracy": Answers(class_, correct),
        "confidence": Answers(class_, confidence),
    }
    return [network.class_ids[output] for output in order], answers


def _rows(
    answers: Mapping[Measure, Answers],
    class_ids: Sequence[str],
    of_concept: NDArray[np.bool_],
    labels: Mapping[str, str],
) -> list[AblatedClass]:
    """Return a row for each class: those of the concept first, each by the change of confidence."""
    images = np.bincount(answers["confidence"].class_)
    accuracy, confidence = (answers[measure].class_means(len(class_ids)) for measure in MEASURES)
    rows: list[AblatedClass] = []
    for index, class_id in enumerate(class_ids):
        numbers = [
            round(float(value), _DECIMALS)
            for means in (accuracy[:, index], confidence[:, index])
            # Without random sets, there is nothing else to compare with.
            for value in (means[0], means[1], means[2:].mean() if len(means) > 2 else means[0])
        ]
        scope: Scope = "concept" if of_concept[index] else "others"
        rows.append(AblatedClass(class_id, labels[class_id], scope, int(images[index]), *numbers))
    return sorted(
        rows, key=lambda row: (row.scope, round(row.confidence_after - row.confidence_before, _DECIMALS), row.class_id)
    )


def _software(network: Network) -> tuple[str, ...]:
    versions = {
        **network.engine.versions(),
        "filtag-kg": importlib.metadata.version("filtag-kg"),
        "numpy": np.__version__,
    }
    return tuple(f"{name} {version}" for name, version in sorted(versions.items()))


def _ablation_id(ablation: Ablation) -> str:
    """Return the id of an ablation, from what it was made of and not from what it found."""
    about = ablation.about()
    made_of = {name: about[name] for name in about if name not in ("changes", "software", "label")}
    text = json.dumps({**made_of, "run": ablation.run_id}, sort_keys=True)
    return hashlib.sha256(f"ablation {text}".encode()).hexdigest()[:16]
