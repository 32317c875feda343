"""A network's misclassifications, through the filters that the images activate (paper, section 3.4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import concept_source, preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import TaggedFilters, tagged_filters
from filtag_kg.explain.class_evidence import EvidenceModel
from filtag_kg.explain.evaluation import unreadable_notes
from filtag_kg.explain.kg_evidence import KgEvidence, kg_evidence
from filtag_kg.explain.nearest_concept import ClassConcepts, Group
from filtag_kg.images import ImageRef, ImageSet, with_similar_names
from filtag_kg.kg import KG, read_common_concepts
from filtag_kg.network import Network
from filtag_kg.profile import Observation, load_profile, observations

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
        The image's class, and the network's answer. Of several classes of the image, the one that the network is most
        confident of.
    confidence, true_confidence : float, in [0, 1]
        The network's confidence in its answer and in the true class.
    active : int
        Filters that the image activates most.
    true_filters, predicted_filters : int or None
        How many of those the class tags; None for a class that the KG does not have.
    true_share, predicted_share : float or None
        The same, divided by `active`.
    shared : int or None
        Active filters that both classes tag: the features that they share.
    shared_filters : tuple of (layer, filter)
    shared_concepts : tuple of str
        Labels of the three most frequent common concepts of those.
    concept, concept_label : str or None
        The nearest concept of both classes, if any.
    ic : float or None
        Its information content, in nats.
    agree : bool
        Whether both classes are near by meaning: at most a quarter of the KG's classes lie below that concept.
    true_group, predicted_group : Group
        The kind of thing that each class is.
    true_rank, predicted_rank : float or None
        Rank of the class by the evidence of the last layers' filters; None without a profile, or for a class that it
        does not have.
    true_p, predicted_p : float or None
        How often a class that an image is not looks as convincing.
    log_ratio : float or None
        Difference of the log-likelihoods in nats: positive where the filters speak for the predicted class rather than
        the true one.
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
    true_rank: float | None = None
    predicted_rank: float | None = None
    true_p: float | None = None
    predicted_p: float | None = None
    log_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class MisclassificationAnalysis:
    """The outcome of classifying images.

    Parameters
    ----------
    source : str
        File or folder name of the images.
    n_images : int
        Images read and classified.
    n_classes : int
        Classes of those images.
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


@dataclass(frozen=True, slots=True)
class _Context:
    """What judging an image needs.

    Parameters
    ----------
    labels : dict of class id to label
        Of all classes of the network, the KG and the images.
    common_concepts : dict of (layer, filter) to list of str
        Labels of the common concepts of each filter's tags.
    allowed : bool array of shape (n_outputs,)
        The outputs that may be the network's answer.
    tag_weights : float32 array of shape (n_filters, n_classes)
        1 where the class tags the filter, else 0. Counts below 2²⁴ stay exact in float32, and its products are fast.
    evidence : KgEvidence or None
        What the profile says of activations.
    """

    network: Network
    filters: TaggedFilters
    concepts: ClassConcepts
    labels: dict[str, str]
    common_concepts: dict[tuple[str, int], list[str]]
    allowed: NDArray[np.bool_]
    tag_weights: NDArray[np.float32]
    evidence: KgEvidence | None


def find_misclassifications(
    kg: KG,
    network: Network,
    images: ImageSet,
    *,
    rule: str | None = None,
    kg_classes: bool = False,
    class_names: Mapping[str, str] | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> MisclassificationAnalysis:
    """Classify images, and describe the misclassified ones by the tags of the filters that they activate.

    Of the images that made the KG's profile, only those that it held out are used. If an image has several labels, the
    network is right with any of them.

    Parameters
    ----------
    network : Network
        The one that the KG was made of; it must know the classes of its outputs.
    images : ImageSet
        Open; their classes are class ids of the network.
    rule : str, optional
        The KG's first, if left out.
    kg_classes : bool
        Take the network's answer among the classes of the KG alone, its confidences scaled to a sum of 1.
    class_names : mapping of class id to label, optional
        Labels that replace the KG's.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    keep_going : bool
        Leave out images of classes that the network does not know, and go on however many are unreadable.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Raises
    ------
    FiltagError
        If the network is another one or does not know its classes or those of the images, the KG has no such rule,
        or more than 1 % of the images are unreadable.
    """
    filters = tagged_filters(kg, network, rule, class_names)
    images = images.counting(network.class_ids, known=filters.class_ids)
    allowed = _allowed_outputs(network, filters, kg_classes=kg_classes)
    notes: list[str] = []
    chosen = _without_training_images(kg, images, notes)
    chosen = _of_known_classes(chosen, network, allowed, images, notes, keep_going=keep_going)
    context = _context(kg, network, filters, allowed, [id_ for image in chosen for id_ in image.class_ids])
    _check_tagged(chosen, context, images, kg, notes)
    misclassified: list[Misclassification] = []
    unreadable: list[tuple[ImageRef, str]] = []
    n_images = 0
    classes: set[str] = set()
    only = None if chosen == images.reading_order else chosen
    stream = observations(network, images, batch_size=batch_size, workers=workers, only=only, progress=progress)
    for batch in stream:
        misclassified += _misclassifications(batch, context)
        n_images += len(batch.images)
        classes.update(class_id for image in batch.images for class_id in image.class_ids)
        unreadable += batch.unreadable
        if not keep_going and len(unreadable) > _MOST_UNREADABLE * len(chosen):
            image, reason = unreadable[0]
            raise FiltagError(
                f"more than 1 % of the images in {images.path} are unreadable, first {image.name} ({reason}): "
                "mend, remove or skip them",
                options=("keep_going",),
            )
    notes += unreadable_notes(unreadable, most=_MOST_NAMED)
    return MisclassificationAnalysis(
        network=network.identifier,
        rule=str(filters.rule),
        source=images.path.resolve().name,
        n_images=n_images,
        n_classes=len(classes),
        misclassified=tuple(sorted(misclassified, key=lambda row: (row.true_id, row.image))),
        notes=tuple(notes),
    )


def _allowed_outputs(network: Network, filters: TaggedFilters, *, kg_classes: bool) -> NDArray[np.bool_]:
    """Return which outputs may be the answer: bool array of shape (n_outputs,)."""
    if not network.output.n_classes:
        raise FiltagError(f"{network.name} tells no classes apart, so no image can be misclassified: give a classifier")
    if not network.class_ids:
        raise FiltagError(
            f"{network.name} does not say what its outputs stand for: name its classes", options=("classes",)
        )
    known = set(filters.class_ids)
    return np.array([not kg_classes or class_id in known for class_id in network.class_ids])


def _without_training_images(kg: KG, images: ImageSet, notes: list[str]) -> tuple[ImageRef, ...]:
    """Return the images in reading order; if they made the profile, only those that it held out."""
    path = kg.path / "profile.npz"
    profile = load_profile(path, means_alone=True) if path.exists() else None
    if profile is None or not profile.held_out:
        return images.reading_order
    if images.sha256() != profile.metadata.get("images", {}).get("sha256"):
        return images.reading_order
    held_out = set(profile.held_out)
    chosen = tuple(image for image in images.reading_order if image.name in held_out)
    notes.append(
        f"the profile was made of {images.path.name}: only the {len(chosen):,} images that it held out are used"
    )
    return chosen


def _of_known_classes(
    chosen: tuple[ImageRef, ...],
    network: Network,
    allowed: NDArray[np.bool_],
    images: ImageSet,
    notes: list[str],
    *,
    keep_going: bool,
) -> tuple[ImageRef, ...]:
    """Return the images of classes that the network may answer with; refuse the others, or note them if to go on."""
    known = {class_id for class_id, may_answer in zip(network.class_ids, allowed.tolist(), strict=True) if may_answer}
    unknown = sorted({class_id for image in chosen for class_id in image.class_ids} - known)
    if not unknown:
        return chosen
    what, which = images.names_of_classes
    class_ids = sorted(known.union(unknown))
    labels = dict(zip(class_ids, preferred_labels(class_ids, wordnet()), strict=True))
    named = with_similar_names(unknown, sorted(known), labels)
    kept = tuple(image for image in chosen if not known.isdisjoint(image.class_ids))
    problem = f"{network.name} has no class {named}, {what} in {images.path}"
    if not keep_going:
        raise FiltagError(
            f"{problem}: name {which} by the network's class ids, or leave those out", options=("keep_going",)
        )
    if not kept:
        raise FiltagError(f"{problem}, and no image is left: name {which} by the network's class ids")
    notes.append(f"{problem}: {len(chosen) - len(kept):,} images left out")
    return kept


def _check_tagged(chosen: tuple[ImageRef, ...], context: _Context, images: ImageSet, kg: KG, notes: list[str]) -> None:
    """Refuse images if the tags know none of their classes, and note it if they do not know some."""
    classes = {class_id for image in chosen for class_id in image.class_ids}
    unknown = sorted(classes - set(context.filters.class_ids))
    if not unknown:
        return
    named = with_similar_names(unknown, context.filters.class_ids, context.labels)
    problem = f"{kg.path} has no class {named}, {images.names_of_classes[0]} in {images.path}"
    if len(unknown) == len(classes):
        raise FiltagError(f"{problem}, nor any other of them: give images of the classes of the KG")
    notes.append(f"{problem}: its tags say nothing about that")


def _context(
    kg: KG, network: Network, filters: TaggedFilters, allowed: NDArray[np.bool_], class_ids: Sequence[str]
) -> _Context:
    all_ids = sorted({*network.class_ids, *class_ids})
    labels = filters.labels(all_ids)
    # Groups are concepts of the source that the classes are linked to, which comes first.
    source = concept_source(kg.kinds_of)
    common_concepts: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in read_common_concepts(kg.common_path, rule=str(filters.rule), kinds_of=kg.kinds_of):
        common_concepts[row.layer, row.filter].append(row.label)
    return _Context(
        network=network,
        filters=filters,
        concepts=ClassConcepts(filters.class_ids, filters.class_labels, labels, source),
        labels=labels,
        common_concepts=dict(common_concepts),
        allowed=allowed,
        tag_weights=filters.tagged.astype(np.float32),
        evidence=kg_evidence(kg, network.n_filters),
    )


def _misclassifications(batch: Observation, context: _Context) -> list[Misclassification]:
    """Return the misclassifications of a batch."""
    class_ids = context.network.class_ids
    confidences = np.where(context.allowed, batch.confidences, 0)
    # A network may give all its confidence to outputs that are not allowed, which leaves nothing to scale.
    confidences = confidences / np.maximum(confidences.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    answers = [class_ids[output] for output in confidences.argmax(axis=1)]
    wrong = [index for index, image in enumerate(batch.images) if answers[index] not in image.class_ids]
    active = context.filters.active(batch.activations[wrong])
    tag_counts = (active.astype(np.float32) @ context.tag_weights).astype(np.int64)
    rows = [
        _misclassification(
            batch.images[index], answers[index], confidences[index], active[row], tag_counts[row], context
        )
        for row, index in enumerate(wrong)
    ]
    if context.evidence is None:
        return rows
    model = context.evidence.model
    return [
        _with_evidence(row, likelihoods, model)
        for row, likelihoods in zip(rows, model.log_likelihoods(batch.activations[wrong]), strict=True)
    ]


def _with_evidence(row: Misclassification, likelihoods: NDArray[np.float64], model: EvidenceModel) -> Misclassification:
    """Add what the filters of the last layers say of the true and the predicted class."""
    index_of = {class_id: index for index, class_id in enumerate(model.class_ids)}
    true, predicted = index_of.get(row.true_id), index_of.get(row.predicted_id)
    known = [index for index in (true, predicted) if index is not None]
    judged = dict(zip(known, model.judged(likelihoods, known), strict=True))
    both = true is not None and predicted is not None
    return replace(
        row,
        true_rank=None if true is None else judged[true].rank,
        predicted_rank=None if predicted is None else judged[predicted].rank,
        true_p=None if true is None else judged[true].p_value,
        predicted_p=None if predicted is None else judged[predicted].p_value,
        log_ratio=float(likelihoods[predicted] - likelihoods[true]) if both else None,
    )


def _misclassification(
    image: ImageRef,
    predicted: str,
    confidences: NDArray[np.float64],
    active: NDArray[np.bool_],
    tag_counts: NDArray[np.int64],
    context: _Context,
) -> Misclassification:
    """Describe one misclassified image by its active filters, and how many of them each class tags."""
    class_ids, tagged = context.filters.class_ids, context.filters.tagged
    outputs = context.network.class_ids
    true_id = max(
        (class_id for class_id in image.class_ids if class_id in outputs),
        key=lambda class_id: confidences[outputs.index(class_id)],
    )
    true_index, predicted_index = (
        class_ids.index(class_id) if class_id in class_ids else None for class_id in (true_id, predicted)
    )
    n_active = int(active.sum())
    true_filters = None if true_index is None else int(tag_counts[true_index])
    predicted_filters = None if predicted_index is None else int(tag_counts[predicted_index])
    shared: list[tuple[str, int]] | None = None
    if true_index is not None and predicted_index is not None:
        shared = context.filters.layers_and_filters(active & tagged[:, true_index] & tagged[:, predicted_index])
    concepts = Counter(label for filter_ in shared or () for label in context.common_concepts.get(filter_, ()))
    most_frequent = sorted(concepts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CONCEPTS]
    nearest = context.concepts.nearest(true_id, predicted)
    return Misclassification(
        image=image.name,
        true_id=true_id,
        true_label=context.labels[true_id],
        predicted_id=predicted,
        predicted_label=context.labels[predicted],
        confidence=float(confidences[outputs.index(predicted)]),
        true_confidence=float(confidences[outputs.index(true_id)]),
        active=n_active,
        true_filters=true_filters,
        true_share=None if true_filters is None else true_filters / n_active,
        predicted_filters=predicted_filters,
        predicted_share=None if predicted_filters is None else predicted_filters / n_active,
        shared=None if shared is None else len(shared),
        shared_filters=tuple(shared or ()),
        shared_concepts=tuple(label for label, _ in most_frequent),
        concept=None if nearest is None else nearest.concept.id,
        concept_label=None if nearest is None else nearest.concept.label,
        ic=None if nearest is None else nearest.ic,
        agree=nearest is not None and nearest.agree,
        true_group=context.concepts.group(true_id),
        predicted_group=context.concepts.group(predicted),
    )
