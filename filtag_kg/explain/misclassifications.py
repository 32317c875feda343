"""A network's misclassifications, through the tags of the filters that the images activate (paper, section 3.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import concept_source, preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import TaggedFilters, tagged_filters
from filtag_kg.explain.nearest_concept import ClassConcepts, Group
from filtag_kg.images import ImageRef, ImageSet, with_similar_names
from filtag_kg.kg import KG, read_common_concepts
from filtag_kg.network import Network
from filtag_kg.profile import Observation, load_profile, observations

__all__ = ["Misclassification", "MisclassificationAnalysis", "find_misclassifications"]

_MOST_CONCEPTS = 3
_MOST_UNREADABLE = 0.01
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Misclassification:
    """One misclassified image; the fields are the columns of ``errors.csv``, in order.

    Parameters
    ----------
    image : str
        Its name in the folder or archive.
    true_id, true_label, predicted_id, predicted_label : str
        The class of its folder, and the network's answer.
    confidence, true_confidence : float, in [0, 1]
        The network's, in its answer and in the true class.
    active : int
        Filters that the image activates most.
    true_filters, predicted_filters : int or None
        How many of those have the tag; None for a class that the KG does not have.
    true_share, predicted_share : float or None
        The same, divided by `active`.
    shared : int or None
        Active filters that have both tags: the features that both classes share.
    shared_filters : tuple of (layer, filter)
    shared_concepts : tuple of str
        Labels of the concepts that most of those have as a common concept, at most three.
    concept, concept_label : str or None
        The nearest concept of both classes; None where there is none.
    ic : float or None
        Its information content, in nats.
    agree : bool
        Whether the misclassification is near by meaning: at most a quarter of the KG's classes lie below that concept.
    true_group, predicted_group : Group
        What kind of thing both are.
    """

    image: str
    true_id: str
    true_label: str
    predicted_id: str
    predicted_label: str
    confidence: float
    true_confidence: float
    active: int
    true_filters: int | None
    true_share: float | None
    predicted_filters: int | None
    predicted_share: float | None
    shared: int | None
    shared_filters: tuple[tuple[str, int], ...]
    shared_concepts: tuple[str, ...]
    concept: str | None
    concept_label: str | None
    ic: float | None
    agree: bool
    true_group: Group
    predicted_group: Group


@dataclass(frozen=True, slots=True)
class MisclassificationAnalysis:
    """What became of all images.

    Parameters
    ----------
    network, rule : str
    source : str
        File or folder name of the images.
    n_images : int
        Images read and classified.
    n_classes : int
        Classes of those.
    misclassified : tuple of Misclassification
        Sorted by class and name of the image.
    notes : tuple of str
        What was left out, and why.
    """

    network: str
    rule: str
    source: str
    n_images: int
    n_classes: int
    misclassified: tuple[Misclassification, ...]
    notes: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float:
        """Share of the images whose class is the network's first answer."""
        return 1 - len(self.misclassified) / self.n_images if self.n_images else 0.0


@dataclass(slots=True)
class _Case:
    """What is needed to judge an image."""

    network: Network
    filters: TaggedFilters
    concepts: ClassConcepts
    labels: dict[str, str]
    concepts_of: dict[tuple[str, int], tuple[str, ...]]
    place: dict[str, int]
    open_to: NDArray[np.bool_]
    weights: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        # Counts stay exact in float32 below 2²⁴, and matrix products of floats are fast.
        self.weights = self.filters.tagged.astype(np.float32)


def find_misclassifications(
    kg: KG,
    network: Network,
    images: ImageSet,
    *,
    rule: str | None = None,
    kg_classes: bool = False,
    batch_size: int = 32,
    workers: int | None = None,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> MisclassificationAnalysis:
    """Classify images, and look at the misclassified ones through the tags of the filters that they activate.

    If the KG's profile kept some images for evaluation and these are the images it was made of, only those are
    looked at.

    Parameters
    ----------
    kg : KG
    network : Network
        The one that the KG was made of; it must know what its outputs stand for.
    images : ImageSet
        Open; their classes are class ids of the network.
    rule : str, optional
        The KG's first, if left out.
    kg_classes : bool
        Take the network's answer among the classes of the KG alone, its confidences scaled to a sum of 1.
    batch_size : int
    workers : int, optional
        Threads that decode images; by default one for each processor.
    keep_going : bool
        Leave out the images of classes that the network does not know, and go on however many are unreadable.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Raises
    ------
    FiltagError
        If the network is another one, it does not know its classes or those of the images, the KG has no such
        rule, or more than 1 % of the images are unreadable.
    """
    filters = tagged_filters(kg, network, rule)
    open_to = _open_to(network, filters, kg_classes=kg_classes)
    notes: list[str] = []
    only = _held_out(kg, images, notes)
    only = _known(only, network, open_to, images, notes, keep_going=keep_going)
    case = _case(kg, network, filters, open_to, [image.class_id for image in only])
    _check_tagged(only, case, images, kg, notes)
    misclassified: list[Misclassification] = []
    unreadable: list[tuple[ImageRef, str]] = []
    read: Counter[str] = Counter()
    stream = observations(
        network, images, batch_size=batch_size, workers=workers, only=None if only == images.reading_order else only,
        progress=progress,
    )  # fmt: skip
    for seen in stream:
        misclassified += _misclassifications(seen, case)
        read.update(image.class_id for image in seen.images)
        unreadable += seen.unreadable
        if not keep_going and len(unreadable) > _MOST_UNREADABLE * len(only):
            image, reason = unreadable[0]
            raise FiltagError(
                f"more than 1 % of the images in {images.path} are unreadable, first {image.name} ({reason}): "
                "mend or remove them, or skip them with --keep-going"
            )
    notes += [f"unreadable: {image.name} ({reason})" for image, reason in sorted(unreadable)[:_MOST_NAMED]]
    if len(unreadable) > _MOST_NAMED:
        notes.append(f"unreadable: {len(unreadable) - _MOST_NAMED} more")
    return MisclassificationAnalysis(
        network=network.identifier,
        rule=str(filters.rule),
        source=images.path.resolve().name,
        n_images=read.total(),
        n_classes=len(read),
        misclassified=tuple(sorted(misclassified, key=lambda row: (row.true_id, row.image))),
        notes=tuple(notes),
    )


def _open_to(network: Network, filters: TaggedFilters, *, kg_classes: bool) -> NDArray[np.bool_]:
    """Return which outputs may be the answer: bool array of shape (n_outputs,)."""
    if not network.class_ids:
        raise FiltagError(f"{network.name} does not say what its outputs stand for: name its classes with --classes")
    known = set(filters.class_ids)
    return np.array([not kg_classes or class_id in known for class_id in network.class_ids])


def _held_out(kg: KG, images: ImageSet, notes: list[str]) -> tuple[ImageRef, ...]:
    """Return the images in reading order: only those kept for evaluation, where the rest made the profile."""
    path = kg.path / "profile.npz"
    profile = load_profile(path, means_alone=True) if path.exists() else None
    if profile is None or not profile.held_out:
        return images.reading_order
    if images.sha256() != profile.metadata.get("images", {}).get("sha256"):
        return images.reading_order
    kept = set(profile.held_out)
    only = tuple(image for image in images.reading_order if image.name in kept)
    notes.append(
        f"the profile was made of {images.path.name}: only the {len(only):,} images that it held out are looked at"
    )
    return only


def _known(
    only: tuple[ImageRef, ...],
    network: Network,
    open_to: NDArray[np.bool_],
    images: ImageSet,
    notes: list[str],
    *,
    keep_going: bool,
) -> tuple[ImageRef, ...]:
    known = {class_id for class_id, is_open in zip(network.class_ids, open_to.tolist(), strict=True) if is_open}
    unknown = sorted({image.class_id for image in only} - known)
    if not unknown:
        return only
    every = sorted(known.union(unknown))
    named = with_similar_names(
        unknown, sorted(known), dict(zip(every, preferred_labels(every, wordnet()), strict=True))
    )
    kept = tuple(image for image in only if image.class_id in known)
    what = f"{network.name} has no class {named}, the name of a folder in {images.path}"
    if not keep_going:
        raise FiltagError(f"{what}: name folders by the network's class ids, or leave those out with --keep-going")
    if not kept:
        raise FiltagError(f"{what}, and no folder is left: name folders by the network's class ids")
    notes.append(f"{what}: {len(only) - len(kept):,} images left out")
    return kept


def _check_tagged(only: tuple[ImageRef, ...], case: _Case, images: ImageSet, kg: KG, notes: list[str]) -> None:
    """Refuse images of whose classes the tags say nothing, and note it where that holds for some of them."""
    classes = {image.class_id for image in only}
    unknown = sorted(classes - case.place.keys())
    if not unknown:
        return
    labels = {**case.labels, **dict(zip(case.filters.class_ids, case.filters.class_labels, strict=True))}
    named = with_similar_names(unknown, case.filters.class_ids, labels)
    what = f"{kg.path} has no class {named}, the name of a folder in {images.path}"
    if len(unknown) == len(classes):
        raise FiltagError(f"{what}, nor any other of them: give images of the classes of the KG")
    notes.append(f"{what}: its tags say nothing of that")


def _case(
    kg: KG, network: Network, filters: TaggedFilters, open_to: NDArray[np.bool_], class_ids: Sequence[str]
) -> _Case:
    every = sorted({*network.class_ids, *class_ids})
    labels = dict(zip(every, preferred_labels(every, wordnet()), strict=True))
    labels.update(zip(filters.class_ids, filters.class_labels, strict=True))
    # Kinds are those of the source that the classes are linked to.
    source = concept_source(kg.manifest["parameters"]["concepts"].split(",")[0])
    concepts_of: dict[tuple[str, int], list[str]] = {}
    for row in read_common_concepts(kg.common_path, rule=str(filters.rule)):
        concepts_of.setdefault((row.layer, row.filter), []).append(row.label)
    return _Case(
        network=network,
        filters=filters,
        concepts=ClassConcepts(filters.class_ids, filters.class_labels, labels, source),
        labels=labels,
        concepts_of={place: tuple(found) for place, found in concepts_of.items()},
        place={class_id: index for index, class_id in enumerate(filters.class_ids)},
        open_to=open_to,
    )


def _misclassifications(seen: Observation, case: _Case) -> list[Misclassification]:
    """Return the misclassifications of a batch."""
    confidences = np.where(case.open_to, seen.confidences, 0)
    # A network that gives an image to none of the classes it may choose from leaves nothing to scale.
    confidences = confidences / np.maximum(confidences.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    answers = confidences.argmax(axis=1).tolist()
    wrong = [row for row, image in enumerate(seen.images) if image.class_id != case.network.class_ids[answers[row]]]
    active = case.filters.active(seen.activations[wrong])
    counts = active.astype(np.float32) @ case.weights
    return [
        _misclassification(
            seen.images[row],
            case.network.class_ids[answers[row]],
            confidences[row],
            active[place],
            counts[place].astype(np.int64),
            case,
        )
        for place, row in enumerate(wrong)
    ]


def _misclassification(
    image: ImageRef,
    predicted: str,
    confidences: NDArray[np.float64],
    active: NDArray[np.bool_],
    counts: NDArray[np.int64],
    case: _Case,
) -> Misclassification:
    true_place, predicted_place = case.place.get(image.class_id), case.place.get(predicted)
    n_active = int(active.sum())
    true_filters = None if true_place is None else int(counts[true_place])
    predicted_filters = None if predicted_place is None else int(counts[predicted_place])
    shared: list[tuple[str, int]] | None = None
    if true_place is not None and predicted_place is not None:
        tagged = case.filters.tagged
        shared = case.filters.places(active & tagged[:, true_place] & tagged[:, predicted_place])
    frequent = Counter(label for place in shared or () for label in case.concepts_of.get(place, ()))
    nearest = case.concepts.nearest(image.class_id, predicted)
    outputs = case.network.class_ids
    return Misclassification(
        image=image.name,
        true_id=image.class_id,
        true_label=case.labels[image.class_id],
        predicted_id=predicted,
        predicted_label=case.labels[predicted],
        confidence=float(confidences[outputs.index(predicted)]),
        true_confidence=float(confidences[outputs.index(image.class_id)]),
        active=n_active,
        true_filters=true_filters,
        true_share=None if true_filters is None else true_filters / n_active,
        predicted_filters=predicted_filters,
        predicted_share=None if predicted_filters is None else predicted_filters / n_active,
        shared=None if shared is None else len(shared),
        shared_filters=tuple(shared or ()),
        shared_concepts=tuple(
            label for label, _ in sorted(frequent.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CONCEPTS]
        ),
        concept=None if nearest is None else nearest.concept.id,
        concept_label=None if nearest is None else nearest.concept.label,
        ic=None if nearest is None else nearest.ic,
        agree=nearest is not None and nearest.agree,
        true_group=case.concepts.group(image.class_id),
        predicted_group=case.concepts.group(predicted),
    )
