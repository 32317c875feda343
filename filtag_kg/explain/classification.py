"""Explain one classification through the tags of the filters that the image activates (paper, section 2.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import preferred_labels, read_common_concepts, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.graph import KG
from filtag_kg.images import UnreadableImageError, decode
from filtag_kg.network import Network
from filtag_kg.profile import load_profile, observe
from filtag_kg.tags import Rule, contrast_to, parse_rule, read_tag_assignments

__all__ = ["Evidence", "Explanation", "explain_image"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A label or concept that several of the activated filters stand for.

    Parameters
    ----------
    label : str
    filters : int
        Activated filters that have it.
    layers : tuple of str
        The layers of those filters, the one with most of them first, at most three.
    """

    label: str
    filters: int
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a network made of one image, and what the filters that it activates stand for.

    Parameters
    ----------
    image : str
    rule : str
        The rule whose tags are used, and by which the image's own filters are chosen in each layer.
    predictions : tuple of (label, confidence)
        The network's best, confidence in [0, 1].
    n_active, n_tagged : int
        Filters that the image activates most, and those of them that have tags.
    labels, concepts : tuple of Evidence
        Tags and common concepts of those filters, those of most filters first.
    """

    image: str
    rule: str
    predictions: tuple[tuple[str, float], ...]
    n_active: int
    n_tagged: int
    labels: tuple[Evidence, ...]
    concepts: tuple[Evidence, ...]


def explain_image(kg: KG, network: Network, image: Path, *, rule: str | None = None, most: int = 8) -> Explanation:
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

    Raises
    ------
    FiltagError
        If the network is another one, the KG has no such rule or no profile, or the image cannot be read.
    """
    name = rule or kg.rules[0]
    if name not in kg.rules:
        raise FiltagError(f"no rule {name!r} in {kg.path}: it has {', '.join(kg.rules)}")
    if network.identifier != kg.manifest["network"]:
        raise FiltagError(
            f"{kg.path} was made of {kg.manifest['network']}, not of {network.identifier}: name the right --network"
        )
    activation, confidence = observe(network, _pixels(image, network)[None])
    active = _active_filters(kg, network, activation[0], parse_rule(name))
    tagged: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in read_tag_assignments(kg.tags_path):
        if row.rule == name and (row.layer, row.filter) in active:
            tagged[row.layer, row.filter].append(row.label)
    common: dict[tuple[str, int], list[str]] = defaultdict(list)
    for found in read_common_concepts(kg.common_path):
        if found.rule == name and (found.layer, found.filter) in active:
            common[found.layer, found.filter].append(found.label)
    return Explanation(
        image=image.name,
        rule=name,
        predictions=_predictions(network, confidence[0]),
        n_active=len(active),
        n_tagged=len(tagged),
        labels=_counted(tagged.items(), most),
        concepts=_counted(common.items(), most),
    )


def _pixels(image: Path, network: Network) -> NDArray[np.uint8]:
    try:
        return decode(image.read_bytes(), network.input_size)
    except OSError as error:
        raise FiltagError(f"cannot read {image} ({error.strerror}): check the path") from None
    except UnreadableImageError as error:
        raise FiltagError(f"{image} is no readable image ({error}): give a JPEG, PNG or the like") from None


def _active_filters(kg: KG, network: Network, activation: NDArray[np.float64], rule: Rule) -> set[tuple[str, int]]:
    """Return (layer, filter) of the filters that the rule gives to the image, as if it were a class."""
    scores = (
        activation if rule.score == "activation" else contrast_to(load_profile(kg.path / "profile.npz"), activation)
    )
    active: set[tuple[str, int]] = set()
    start = 0
    for layer in network.layers:
        of_layer = scores[start : start + layer.n_filters]
        order = np.argsort(-of_layer, kind="stable")
        active.update((layer.name, int(index)) for index in order[: rule.filters_kept(layer.n_filters)])
        start += layer.n_filters
    return active


def _predictions(network: Network, confidence: NDArray[np.float64]) -> tuple[tuple[str, float], ...]:
    """Return the three best, by label; without class ids, by the place of the output."""
    order = np.argsort(-confidence, kind="stable")[:3]
    ids = [network.class_ids[i] if network.class_ids else f"output {i}" for i in order]
    return tuple(zip(preferred_labels(ids, wordnet()), confidence[order].tolist(), strict=True))


def _counted(labels_of: Iterable[tuple[tuple[str, int], list[str]]], most: int) -> tuple[Evidence, ...]:
    """Count in how many filters each label occurs; equal counts are sorted by label."""
    layers: dict[str, Counter[str]] = defaultdict(Counter)
    for (layer, _), labels in labels_of:
        for label in set(labels):
            layers[label][layer] += 1
    ranked = sorted(layers.items(), key=lambda item: (-item[1].total(), item[0]))[:most]
    return tuple(
        Evidence(label, found.total(), tuple(sorted(found, key=lambda name: (-found[name], name))[:3]))
        for label, found in ranked
    )
