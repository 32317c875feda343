"""Explain one classification through the tags of the filters that the image activates (paper, section 2.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept, preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import TaggedFilters, tagged_filters
from filtag_kg.explain.evidence import Evidence, concept_evidence, tag_evidence
from filtag_kg.explain.support import Support, support_of
from filtag_kg.explain.why_not import WhyNot, why_not
from filtag_kg.images import UnreadableImageError, decode, read_file
from filtag_kg.kg import KG, read_common_concepts
from filtag_kg.network import Network
from filtag_kg.profile import observe
from filtag_kg.views import class_named

__all__ = ["ActiveFilter", "Explanation", "ImagePixels", "Prediction", "explain_image", "explain_pixels", "read_pixels"]

_MOST_PREDICTIONS = 3


@dataclass(frozen=True, slots=True)
class Prediction:
    """One of the network's answers.

    Parameters
    ----------
    class_id : str or None
        None where the network does not say what its outputs stand for.
    label : str
        Then the place of the output.
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
    layer_index : int
    layer : str
    filter : int
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
        The rule whose tags are used, and by which the image's own filters are chosen in each layer; and its run.
    predictions : tuple of Prediction
        The network's best three.
    active : tuple of ActiveFilter
        The filters that the image activates most in each layer, in forward order.
    labels, concepts : tuple of Evidence
        Tags and common concepts of those filters, those of most filters first.
    support : Support or None
        What the tags say for the predicted class; None if it is none of the KG's classes.
    why_not : WhyNot or None
        Two classes contrasted, if that was asked for.
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

    @property
    def n_active(self) -> int:
        """Filters that the image activates most."""
        return len(self.active)

    @property
    def n_tagged(self) -> int:
        """Those of them that have tags."""
        return sum(bool(filter_.tags) for filter_ in self.active)


@dataclass(frozen=True, slots=True, eq=False)
class ImagePixels:
    """An image, decoded.

    Parameters
    ----------
    name : str
    sha256 : str
        Of the file's bytes.
    pixels : uint8 array of shape (height, width, 3)
        Of the size that the network takes.
    """

    name: str
    sha256: str
    pixels: NDArray[np.uint8]


def explain_image(
    kg: KG,
    network: Network,
    image: Path,
    *,
    rule: str | None = None,
    most: int = 8,
    why: str | None = None,
    not_: str | None = None,
) -> Explanation:
    """Explain one classification.

    As the rule gives each class its most active filters of a layer, it gives the image its own: their tags and
    common concepts, counted over all layers, say what the network saw.

    Parameters
    ----------
    kg : KG
    network : Network
        The one that the KG was made of.
    image : Path
    rule : str, optional
        The KG's first, if left out. By a contrast rule the image's filters are ranked by how much more it
        activates them than the classes of the profile do.
    most : int
        Labels and concepts to return.
    why, not_ : str, optional
        Contrast these two classes of the KG, given by id or label; `why` alone is contrasted with the prediction.

    Raises
    ------
    FiltagError
        If the network is another one, the KG has no such rule or class or no profile that the rule needs, or the
        image cannot be read.
    """
    content = _content(image)
    pixels = read_pixels(content, str(image), network.input_size)
    decoded = ImagePixels(image.name, hashlib.sha256(content).hexdigest(), pixels)
    return explain_pixels(kg, network, decoded, rule=rule, most=most, why=why, not_=not_)


def explain_pixels(
    kg: KG,
    network: Network,
    image: ImagePixels,
    *,
    rule: str | None = None,
    most: int = 8,
    why: str | None = None,
    not_: str | None = None,
) -> Explanation:
    """Explain the classification of an image that was decoded elsewhere, as `explain_image` does.

    Raises
    ------
    FiltagError
        If the network is another one, or the KG has no such rule or class or no profile that the rule needs.
    """
    if not_ is not None and why is None:
        raise FiltagError("--not says what a class is contrasted with: name that class with --why")
    filters = tagged_filters(kg, network, rule)
    asked = [
        None if name is None else class_named(name, filters.class_ids, filters.class_labels) for name in (why, not_)
    ]
    activations, confidences = observe(network, image.pixels[None])
    active = filters.active(activations)[0]
    places = filters.places(active)
    common = read_common_concepts(kg.common_path, rule=str(filters.rule), filters=set(places))
    predictions = _predictions(network, confidences[0], filters)
    best = predictions[0].class_id if predictions else None
    contrasted = None
    if asked[0] is not None:
        against = asked[1] or _predicted(best, predictions, filters)
        confidence_of = dict(zip(network.class_ids, confidences[0].tolist(), strict=False))
        contrasted = why_not(filters, active, asked[0], against, common=common, confidence_of=confidence_of, most=most)
    return Explanation(
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
    )


def _content(image: Path) -> bytes:
    try:
        return read_file(image)
    except OSError as error:
        raise FiltagError(f"cannot read {image} ({error.strerror}): check the path") from None
    except UnreadableImageError as error:
        raise _not_readable(image, error) from None


def read_pixels(content: bytes, name: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the pixels of an image's file, of a size.

    Raises
    ------
    FiltagError
        If it is no image that can be read.
    """
    try:
        return decode(content, size)
    except UnreadableImageError as error:
        raise _not_readable(name, error) from None


def _not_readable(name: Path | str, error: UnreadableImageError) -> FiltagError:
    return FiltagError(f"{name} is no readable image ({error}): give a JPEG, PNG or the like")


def _predictions(network: Network, confidence: NDArray[np.float64], filters: TaggedFilters) -> tuple[Prediction, ...]:
    """Return the best, labelled as in the KG or else by WordNet; without class ids, by the place of the output."""
    order = np.argsort(-confidence, kind="stable")[:_MOST_PREDICTIONS].tolist()
    if not network.class_ids:
        return tuple(Prediction(None, f"output {place}", float(confidence[place])) for place in order)
    ids = [network.class_ids[place] for place in order]
    labels = dict(zip(ids, preferred_labels(ids, wordnet()), strict=True))
    labels.update(zip(filters.class_ids, filters.class_labels, strict=True))
    return tuple(
        Prediction(class_id, labels[class_id], float(confidence[place]))
        for class_id, place in zip(ids, order, strict=True)
    )


def _predicted(best: str | None, predictions: tuple[Prediction, ...], filters: TaggedFilters) -> str:
    if best is None or best not in filters.class_ids:
        label = predictions[0].label if predictions else "nothing"
        raise FiltagError(f"the network says {label}, which is no class of the KG: name one of its classes with --not")
    return best


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
        for column, (layer, index) in zip(np.flatnonzero(active).tolist(), filters.places(active), strict=True)
    )
