"""The evidence that a KG's profile gives for an image: for classes, for one of two classes, and for concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.explain.class_evidence import LEAST_REFERENCES, ClassEvidence, EvidenceModel, evidence_model
from filtag_kg.explain.concept_counts import ConceptCounts, CountedConcept, concept_counts
from filtag_kg.explain.evidence import Evidence, most_layers
from filtag_kg.explain.supporters import Supporters, WeightedFilter, weighted_filters
from filtag_kg.kg import KG
from filtag_kg.profile import load_profile
from filtag_kg.query import LocalEndpoint
from filtag_kg.views import read_concepts

_RIVAL = 0.1


@dataclass(frozen=True, slots=True)
class ImageEvidence:
    """What the filters of the last layers say of one image.

    Parameters
    ----------
    layers : tuple of str
        The layers that are used, in forward order.
    filters : int
        Filters that are used.
    references : int
        Images of the profile that this one is compared with.
    predicted : ClassEvidence or None
        That of the predicted class; None if the KG does not have it.
    first : tuple of ClassEvidence
        The classes that the filters speak for most, the best first.
    """

    layers: tuple[str, ...]
    filters: int
    references: int
    predicted: ClassEvidence | None
    first: tuple[ClassEvidence, ...]

    @property
    def rivals(self) -> tuple[ClassEvidence, ...]:
        """The other classes of `first` that look convincing enough to be right in one of ten cases or more."""
        shown = self.first[0] if self.predicted is None else self.predicted
        return tuple(
            each
            for each in self.first
            if each.class_id != shown.class_id and each.confidence is not None and each.confidence >= _RIVAL
        )


@dataclass(frozen=True, slots=True)
class DecidingConcept:
    """A concept of one of two classes, and what its filters add in favour of that class, in nats."""

    concept: str
    label: str
    weight: float


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """What the filters say for class A and against class B.

    Parameters
    ----------
    log_ratio : float
        Difference of the log-likelihoods in nats, positive for A: the sum of the weights of all filters.
    for_why, for_why_not : tuple of WeightedFilter
        The filters that speak most for A and for B. Weights are in nats, and positive.
    why_concepts, why_not_concepts : tuple of DecidingConcept
        Of the concepts of A that B is not of, and the other way round, those whose filters decide most.
    """

    log_ratio: float
    for_why: tuple[WeightedFilter, ...]
    for_why_not: tuple[WeightedFilter, ...]
    why_concepts: tuple[DecidingConcept, ...]
    why_not_concepts: tuple[DecidingConcept, ...]


@dataclass(frozen=True, slots=True, eq=False)
class KgEvidence:
    """What a KG's profile and concepts say, ready for any number of images.

    Parameters
    ----------
    layer_names : tuple of str
    layer_offsets : int64 array of shape (n_layers + 1,)
    """

    model: EvidenceModel
    concepts: ConceptCounts
    layer_names: tuple[str, ...]
    layer_offsets: NDArray[np.int64]

    def labels(self, names: Mapping[str, str]) -> list[str]:
        """Return the labels of the model's classes, by id where `names` has it."""
        given = zip(self.model.class_ids, self.model.class_labels, strict=True)
        return [names.get(class_id, label) for class_id, label in given]

    def of_image(
        self, activation: NDArray[np.float64], predicted: str | None, names: Mapping[str, str], most: int
    ) -> ImageEvidence:
        """Return the evidence for the predicted class, if the profile has it, and for the classes that come first."""
        model = self.model
        likelihoods = model.log_likelihoods(activation[None])[0]
        index = model.class_ids.index(predicted) if predicted in model.class_ids else None
        first = np.argsort(-likelihoods, kind="stable")[:most].tolist()
        judged = model.judged(likelihoods, [*first, *([] if index is None else [index])], self.labels(names))
        return ImageEvidence(
            layers=model.layers,
            filters=len(model.columns),
            references=model.n_references,
            predicted=None if index is None else judged[-1],
            first=tuple(judged[: len(first)]),
        )

    def of_pair(self, activation: NDArray[np.float64], why: str, not_: str, most: int) -> PairEvidence:
        """Return what speaks for one class of the profile and against another."""
        model = self.model
        by_filter = model.by_filter(activation)
        first, second = model.class_ids.index(why), model.class_ids.index(not_)
        difference = by_filter[first] - by_filter[second]
        filters = self._filters(model.columns)
        for_first, for_second = np.maximum(difference, 0), np.maximum(-difference, 0)
        chosen_first, chosen_second = (np.flatnonzero(weights) for weights in (for_first, for_second))
        return PairEvidence(
            log_ratio=float(difference.sum()),
            for_why=weighted_filters([filters[i] for i in chosen_first], for_first[chosen_first]),
            for_why_not=weighted_filters([filters[i] for i in chosen_second], for_second[chosen_second]),
            why_concepts=self._deciding(for_first, first, second, most),
            why_not_concepts=self._deciding(for_second, second, first, most),
        )

    def supporters_of_class(self, activation: NDArray[np.float64], class_: ClassEvidence) -> Supporters:
        """Return the filters that respond to the image and speak for a class rather than the average other one."""
        by_filter = self.model.by_filter(activation)
        index = self.model.class_ids.index(class_.class_id)
        others = (by_filter.sum(axis=0) - by_filter[index]) / max(len(by_filter) - 1, 1)
        # A filter may speak for a class by being silent; but then it responds nowhere in the image.
        responds = self.model.units(activation) > 0
        weights = np.where(responds, np.maximum(by_filter[index] - others, 0), 0)
        chosen = np.flatnonzero(weights)
        filters = self._filters(self.model.columns[chosen])
        weighted = weighted_filters(filters, weights[chosen], total=float(weights.sum()))
        return Supporters("class", class_.class_id, class_.label, weighted)

    def of_concepts(
        self, activation: NDArray[np.float64], most: int
    ) -> tuple[tuple[Evidence, ...], tuple[Supporters, ...]]:
        """Return the concepts that the image's distinctive filters speak for, and which filters those are."""
        counted = self.concepts.of_image(activation, most)
        supporters = [self._supporters_of_concept(each) for each in counted]
        return (
            tuple(
                self._evidence(each, each_supporters) for each, each_supporters in zip(counted, supporters, strict=True)
            ),
            tuple(supporters),
        )

    def _supporters_of_concept(self, counted: CountedConcept) -> Supporters:
        filters = self._filters(counted.columns + self.concepts.first)
        weighted = weighted_filters(filters, counted.more, total=float(counted.more.sum()))
        index = counted.index
        return Supporters("concept", self.concepts.concepts[index], self.concepts.labels[index], weighted)

    def _evidence(self, counted: CountedConcept, supporters: Supporters) -> Evidence:
        layers = [layer for layer, _ in self._filters(counted.columns + self.concepts.first)]
        return Evidence(
            id=supporters.id,
            label=supporters.label,
            filters=len(layers),
            layers=most_layers(layers),
            basis="filters",
            observed=counted.observed,
            expected=counted.expected,
            score=counted.score,
        )

    def _deciding(self, weights: NDArray[np.float64], of: int, other: int, most: int) -> tuple[DecidingConcept, ...]:
        """Return the concepts of one class that the other is not of, by what their filters add."""
        concepts = self.concepts
        every = np.zeros(len(concepts.centre))
        every[self.model.columns - concepts.first] = weights
        only = np.flatnonzero(concepts.below[of] & ~concepts.below[other]).tolist()
        added = {index: float(every @ np.maximum(concepts.more(index), 0)) for index in only}
        ranked = sorted((index for index in only if added[index] > 0), key=lambda index: -added[index])[:most]
        return tuple(DecidingConcept(concepts.concepts[i], concepts.labels[i], added[i]) for i in ranked)

    def _filters(self, columns: NDArray[np.int64]) -> list[tuple[str, int]]:
        layers = np.searchsorted(self.layer_offsets, columns, side="right") - 1
        names = [self.layer_names[layer] for layer in layers]
        return list(zip(names, (columns - self.layer_offsets[layers]).tolist(), strict=True))


def kg_evidence(kg: KG, n_filters: int) -> KgEvidence | None:
    """Return what a KG's profile and concepts say of images; None if it has no profile, or that tells nothing.

    The last two KGs are kept in memory, until their files change.

    Parameters
    ----------
    n_filters : int
        Filters of the network that was loaded.

    Raises
    ------
    FiltagError
        If the profile or the store is damaged, or the profile is about other filters.
    """
    path = kg.path / "profile.npz"
    try:
        status = path.stat()
    except OSError:
        return None
    evidence = _read(kg.path.absolute(), kg.manifest["id"], status.st_mtime_ns, status.st_size)
    if evidence is not None and evidence.layer_offsets[-1] != n_filters:
        raise FiltagError(f"{path} is about other layers than were loaded: build the KG anew")
    return evidence


@lru_cache(maxsize=2)
def _read(path: Path, _manifest: str, _modified: int, _size: int) -> KgEvidence | None:
    from filtag_kg.kg import open_kg

    # The store answers in a process of its own.
    with ThreadPoolExecutor(1, thread_name_prefix="concepts") as thread:
        graph = thread.submit(read_concepts, LocalEndpoint(open_kg(path)))
        profile = load_profile(path / "profile.npz")
        model = evidence_model(profile)
        if model is None:
            return None
        concepts = concept_counts(profile, len(model.layers), graph.result())
    return KgEvidence(model, concepts, profile.layer_names, profile.layer_offsets)


def notes_of(evidence: KgEvidence) -> tuple[str, ...]:
    """Return what a KG's profile lacks, and what the evidence is taken from instead."""
    model = evidence.model
    notes: Sequence[str] = ()
    if not model.has_variances:
        notes = (
            *notes,
            "the profile has no variances, so how much the images of a class differ is taken to be how much classes do",
        )
    if not model.n_references:
        notes = (
            *notes,
            f"the profile has no reference images, so only the last layer, {model.layers[-1]}, is used, and nothing "
            "tells how convincing a wrong class would look: make the profile anew",
        )
    elif model.n_references < LEAST_REFERENCES:
        notes = (
            *notes,
            f"the profile has {model.n_references} reference images, too few to tell how often such evidence is right: "
            f"keep at least {LEAST_REFERENCES}",
        )
    return tuple(notes)
