"""Explain one classification: by the evidence of the last layers' filters, or by counting tags (paper, section 2.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import TaggedFilters, tagged_filters
from filtag_kg.explain.evidence import Evidence, concept_evidence, tag_evidence
from filtag_kg.explain.kg_evidence import ImageEvidence, KgEvidence, kg_evidence, notes_of
from filtag_kg.explain.support import Support, support_of
from filtag_kg.explain.supporters import Supporters, weighted_filters
from filtag_kg.explain.why_not import WhyNot, why_not
from filtag_kg.images import UnreadableImageError, decode, read_file
from filtag_kg.kg import KG, read_common_concepts
from filtag_kg.network import Network, Preparation
from filtag_kg.profile import observe
from filtag_kg.views import class_named

_MOST_PREDICTIONS = 3

By = Literal["evidence", "tags"]
BASES: tuple[By, ...] = get_args(By)
"""What an explanation goes by: the evidence of the profile's activations, or the count of tags as in the paper."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One of the network's answers.

    Parameters
    ----------
    class_id : str or None
        None where the network does not say what its outputs stand for.
    label : str
        Without a class id, the output's number.
    confidence : float, in [0, 1]
    """

    class_id: str | None
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter that the image activates, and what it stands for.

    Parameters
    ----------
    activation : float, in [0, 1]
        ā(m,i,d) of the image.
    tags : tuple of (class id, label)
        The classes that tag it.
    concepts : tuple of (IRI, label)
        What those have in common, the best first.
    """

    layer_index: int
    layer: str
    filter: int
    activation: float
    tags: tuple[tuple[str, str], ...]
    concepts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a network made of one image, and what the filters that it activates stand for.

    Parameters
    ----------
    image : str
        Name of the file.
    image_sha256 : str
        Of the file's bytes.
    network : str
        Identifier.
    rule, run_id : str
        The rule whose tags are used, which also selects the filters that the image activates; and its run.
    predictions : tuple of Prediction
        The network's best three.
    active : tuple of ActiveFilter
        The filters that the image activates most in each layer, in forward order.
    labels, concepts : tuple of Evidence
        Tags of those filters, the most frequent first; and concepts. By tags, these are their common concepts, the most
        frequent first; by evidence, what the image's filters are distinctive of, the clearest first.
    support : Support or None
        How much the tags support the predicted class; None if the KG does not have it.
    why_not : WhyNot or None
        Two classes contrasted, on request.
    by : {"evidence", "tags"}
        What the explanation goes by.
    evidence : ImageEvidence or None
        What the activations in the last layers say; None by tags.
    regions_of : tuple of Supporters
        For the predicted class, the one that comes first by evidence if it is another, and each of `concepts`: the
        filters that support it. Their activation maps show where in the image that is seen.
    notes : tuple of str
        What the KG lacks, and what is done instead.
    """

    image: str
    image_sha256: str
    network: str
    rule: str
    run_id: str
    predictions: tuple[Prediction, ...]
    active: tuple[ActiveFilter, ...]
    labels: tuple[Evidence, ...]
    concepts: tuple[Evidence, ...]
    support: Support | None
    why_not: WhyNot | None = None
    by: By = "tags"
    evidence: ImageEvidence | None = None
    regions_of: tuple[Supporters, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_active(self) -> int:
        """How many filters the image activates most."""
        return len(self.active)

    @property
    def n_tagged(self) -> int:
        """How many of them have tags."""
        return sum(bool(filter_.tags) for filter_ in self.active)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG002 - IPython's protocol
        printer.text(str(self))

    def __str__(self) -> str:
        """Return the network's answers and, by evidence, whether its filters agree; `repr` has all of it."""
        from filtag_kg.explain.verdict import verdict

        best = ", ".join(f"{best.label} {best.confidence:.1%}" for best in self.predictions)
        lines = [f"predicted: {best or 'nothing: the network tells no classes apart'}", *verdict(self)]
        if self.evidence is None and self.support is not None:
            count = f"{self.support.filters:,} of its {self.n_active:,} most active filters"
            lines.append(f"{count} are tagged with {self.support.label}.")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, eq=False)
class ImagePixels:
    """A decoded image.

    Parameters
    ----------
    sha256 : str
        Of the file's bytes.
    pixels : uint8 array of shape (height, width, channels)
        In the network's input size; float32 if it is ready made.
    """

    name: str
    sha256: str
    pixels: NDArray[np.uint8] | NDArray[np.float32]


def explain_image(
    kg: KG,
    network: Network,
    image: Path,
    *,
    by: By | None = None,
    rule: str | None = None,
    most: int = 8,
    why: str | None = None,
    not_: str | None = None,
    class_names: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain one classification.

    By evidence, the activations in the last layers are compared with what the profile says of each class and with those
    of reference images. By tags, the rule that selects each class's most active filters of a layer also selects the
    image's: their tags and common concepts, counted over all layers, say what the network saw.

    Parameters
    ----------
    network : Network
        The one that the KG was made of.
    by : {"evidence", "tags"}, optional
        By default evidence, if the KG has a profile and no rule is named.
    rule : str, optional
        Whose tags are counted; the KG's first, if left out. A contrast rule ranks the image's filters by how much more
        it activates them than the classes of the profile do.
    most : int
        Labels and concepts to return.
    why, not_ : str, optional
        Contrast these two classes of the KG, given by id or label; `why` alone is contrasted with the prediction.
    class_names : mapping of class id to label, optional
        Labels that replace the KG's.

    Raises
    ------
    FiltagError
        If the network is another one, the KG has no such rule or class or no profile that is needed, or the image
        cannot be read.
    """
    content = _content(image)
    pixels = read_pixels(content, str(image), network.preparation)
    decoded = ImagePixels(image.name, hashlib.sha256(content).hexdigest(), pixels)
    return explain_pixels(
        kg, network, decoded, by=by, rule=rule, most=most, why=why, not_=not_, class_names=class_names
    )


def explain_pixels(
    kg: KG,
    network: Network,
    image: ImagePixels,
    *,
    by: By | None = None,
    rule: str | None = None,
    most: int = 8,
    why: str | None = None,
    not_: str | None = None,
    class_names: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain the classification of an image that was decoded elsewhere, as `explain_image` does.

    Raises
    ------
    FiltagError
        If the network is another one, or the KG has no such rule or class or no profile that is needed.
    """
    if not_ is not None and why is None:
        raise FiltagError(
            "a class to contrast with is named, but not the class to explain: name both", options=("why", "not_")
        )
    if by is not None and by not in BASES:
        raise FiltagError(f"an image cannot be explained by {by!r}: choose {' or '.join(BASES)}", options=("by",))
    filters = tagged_filters(kg, network, rule, class_names)
    why_id, not_id = (
        None if name is None else class_named(name, filters.class_ids, filters.class_labels) for name in (why, not_)
    )
    # The profile is read while the network runs.
    with ThreadPoolExecutor(1, thread_name_prefix="evidence") as thread:
        reading = thread.submit(_evidence, kg, network, by, rule)
        activations, confidences = observe(network, image.pixels[None])
        evidence, notes = reading.result()
    active = filters.active(activations)[0]
    common = read_common_concepts(
        kg.common_path,
        rule=str(filters.rule),
        filters=set(filters.layers_and_filters(active)),
        kinds_of=kg.kinds_of,
    )
    predictions = _predictions(network, confidences[0], filters)
    best = predictions[0].class_id if predictions else None
    contrasted = None
    if why_id is not None:
        not_id = not_id or _predicted_class(predictions, filters)
        confidence_of = dict(zip(network.class_ids, confidences[0].tolist(), strict=False))
        contrasted = why_not(filters, active, why_id, not_id, common=common, confidence_of=confidence_of, most=most)
        if evidence is not None and {why_id, not_id} <= set(evidence.model.class_ids):
            contrasted = replace(contrasted, evidence=evidence.of_pair(activations[0], why_id, not_id, most))
    explanation = Explanation(
        image=image.name,
        image_sha256=image.sha256,
        network=network.identifier,
        rule=str(filters.rule),
        run_id=filters.run_id,
        predictions=predictions,
        active=_active_filters(filters, active, activations[0], common),
        labels=tag_evidence(filters, active, most),
        concepts=concept_evidence(common, most),
        support=support_of(filters, active, filters.class_ids.index(best)) if best in filters.class_ids else None,
        why_not=contrasted,
        notes=notes,
    )
    if evidence is None:
        return replace(explanation, regions_of=_supporters_by_tags(explanation))
    return _by_evidence(explanation, evidence, activations[0], filters, most)


def _evidence(kg: KG, network: Network, by: By | None, rule: str | None) -> tuple[KgEvidence | None, tuple[str, ...]]:
    """Return what the explanation goes by, None for tags; and what the KG lacks."""
    if by == "tags" or (by is None and rule is not None):
        return None, ()
    evidence = kg_evidence(kg, network.n_filters)
    if evidence is not None:
        return evidence, notes_of(evidence)
    lacking = f"{kg.path} has no profile that tells classes apart"
    if by == "evidence":
        raise FiltagError(f"{lacking}: explain by tags", options=("by",))
    return None, (f"{lacking}, so the image is explained by counting tags",)


def _by_evidence(
    explanation: Explanation,
    evidence: KgEvidence,
    activation: NDArray[np.float64],
    filters: TaggedFilters,
    most: int,
) -> Explanation:
    best = explanation.predictions[0].class_id if explanation.predictions else None
    judged = evidence.of_image(activation, best, filters.labels(evidence.model.class_ids), most)
    concepts, supporters = evidence.of_concepts(activation, most)
    shown = [each for each in (judged.predicted, judged.first[0]) if each is not None]
    if shown[0].class_id == shown[-1].class_id:
        shown = shown[:1]
    return replace(
        explanation,
        by="evidence",
        evidence=judged,
        concepts=concepts,
        regions_of=(*(evidence.supporters_of_class(activation, each) for each in shown), *supporters),
    )


def _supporters_by_tags(explanation: Explanation) -> tuple[Supporters, ...]:
    """Return the active filters with the tag of the predicted class, and those with each concept, all alike."""
    found: list[Supporters] = []
    things: list[tuple[Literal["class", "concept"], str, str]] = []
    if explanation.support is not None:
        things.append(("class", explanation.support.class_id, explanation.support.label))
    things += [("concept", row.id, row.label) for row in explanation.concepts]
    for kind, identity, label in things:
        of_thing = [
            (filter_.layer, filter_.filter)
            for filter_ in explanation.active
            if identity in dict(filter_.tags if kind == "class" else filter_.concepts)
        ]
        # The last filters first, since later layers see more.
        last = of_thing[::-1]
        weights = np.ones(len(last))
        found.append(Supporters(kind, identity, label, weighted_filters(last, weights, total=max(len(last), 1))))
    return tuple(found)


def _content(image: Path) -> bytes:
    try:
        return read_file(image)
    except OSError as error:
        raise FiltagError(f"cannot read {image} ({error.strerror}): check the path") from None
    except UnreadableImageError as error:
        raise _not_readable(image, error) from None


def read_pixels(content: bytes, name: str, preparation: Preparation) -> NDArray[np.uint8]:
    """Return the pixels of an image's file, as a network takes them.

    Raises
    ------
    FiltagError
        If the image cannot be read.
    """
    try:
        return decode(content, preparation)
    except UnreadableImageError as error:
        raise _not_readable(name, error) from None


def _not_readable(name: Path | str, error: UnreadableImageError) -> FiltagError:
    return FiltagError(f"{name} is not a readable image ({error}): give a JPEG, PNG or the like")


def _predictions(network: Network, confidence: NDArray[np.float64], filters: TaggedFilters) -> tuple[Prediction, ...]:
    """Return the best, labelled as in the KG, else by WordNet, else by the number of the output."""
    best_outputs = np.argsort(-confidence, kind="stable")[:_MOST_PREDICTIONS].tolist()
    if not network.class_ids:
        return tuple(Prediction(None, f"output {output}", float(confidence[output])) for output in best_outputs)
    ids = [network.class_ids[output] for output in best_outputs]
    labels = filters.labels(ids)
    return tuple(
        Prediction(class_id, labels[class_id], float(confidence[output]))
        for class_id, output in zip(ids, best_outputs, strict=True)
    )


def _predicted_class(predictions: tuple[Prediction, ...], filters: TaggedFilters) -> str:
    if not predictions:
        raise FiltagError(
            "the network tells no classes apart, so it predicts none: name a class of the KG to contrast with",
            options=("not_",),
        )
    best = predictions[0]
    if best.class_id is None or best.class_id not in filters.class_ids:
        raise FiltagError(
            f"the network says {best.label}, which is not a class of the KG: name one of its classes to contrast with",
            options=("not_",),
        )
    return best.class_id


def _active_filters(
    filters: TaggedFilters,
    active: NDArray[np.bool_],
    activation: NDArray[np.float64],
    common: list[CommonConcept],
) -> tuple[ActiveFilter, ...]:
    concepts: dict[tuple[str, int], list[tuple[int, str, str]]] = {}
    for row in common:
        concepts.setdefault((row.layer, row.filter), []).append((row.rank, row.concept, row.label))
    layer_index = {layer: index for index, layer in enumerate(filters.layer_names)}
    return tuple(
        ActiveFilter(
            layer_index=layer_index[layer],
            layer=layer,
            filter=index,
            activation=float(activation[column]),
            tags=tuple(
                (filters.class_ids[class_], filters.class_labels[class_])
                for class_ in np.flatnonzero(filters.tagged[column]).tolist()
            ),
            concepts=tuple((concept, label) for _, concept, label in sorted(concepts.get((layer, index), []))),
        )
        for column, (layer, index) in zip(
            np.flatnonzero(active).tolist(), filters.layers_and_filters(active), strict=True
        )
    )
