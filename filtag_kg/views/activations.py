"""Which kinds of images activate a filter more than others: what can be said if classes are too few to test tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import COHERENT_Q, activation_test
from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.npz import read_npz
from filtag_kg.profile import Profile, load_profile
from filtag_kg.views.concept_graph import ConceptGraph

ABOUT_HIGHER = (
    "By Welch's test on the activations of the profile's images, with the effect in standard deviations; q over all "
    "filters and concepts of the layer. It speaks of these images and classes, not of classes that the network has not "
    "been shown."
)
"""The note below such concepts, wherever they are shown."""

_MOST = 5
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Higher:
    """A concept whose images activate a filter more than the other images do.

    Parameters
    ----------
    concept, label : str
        The most specific of the concepts with the same classes below them.
    same : tuple of str
        Labels of the others, the most specific first.
    classes, images : int
        At or below it.
    mean, others : float, in [0, 1]
        The mean activation over those images, and over the others.
    effect : float
        The difference in standard deviations.
    p_value, q_value : float
        Welch's test, and Benjamini–Hochberg over all filters and concepts of the layer.
    """

    concept: str
    label: str
    same: tuple[str, ...]
    classes: int
    images: int
    mean: float
    others: float
    effect: float
    p_value: float
    q_value: float

    @property
    def name(self) -> str:
        """The label, with the next ones of the same classes: of the run's classes, vertebrates may be all animals."""
        if not self.same:
            return self.label
        return f"{self.label} ({', '.join(self.same[:_MOST_NAMES])}{', …' if len(self.same) > _MOST_NAMES else ''})"


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """The profiles of a KG's networks, read at their first use.

    Parameters
    ----------
    profiles : mapping of network to Path
        Of the networks that have one.
    """

    profiles: Mapping[str, Path]
    concepts: ConceptGraph

    def profile(self, network: str) -> Profile | None:
        """Return the profile of a network; None if it has none.

        Raises
        ------
        FiltagError
            If it is damaged.
        """
        path = self.profiles.get(network)
        return None if path is None or not path.exists() else _profile(path)

    def image_counts(self, network: str) -> Mapping[str, int]:
        """Return how many images of each class made the profile; empty where there is none.

        Raises
        ------
        FiltagError
            If the profile is damaged.
        """
        path = self.profiles.get(network)
        return {} if path is None or not path.exists() else _image_counts(path)

    def of_layer(self, network: str, layer: str) -> tuple[tuple[Higher, ...], ...]:
        """Return for each filter the concepts whose images activate it more, q < 0.05: the largest effect first.

        At most five of each filter; nothing where there is no profile, or one without variances.

        Raises
        ------
        FiltagError
            If the profile is damaged.
        """
        path = self.profiles.get(network)
        return () if path is None or not path.exists() else _of_layer(path, layer, self.concepts)


@lru_cache(maxsize=1)
def _profile(path: Path) -> Profile:
    return load_profile(path)


@lru_cache(maxsize=16)
def _image_counts(path: Path) -> Mapping[str, int]:
    # The counts alone: means and variances take a hundred times as long to read.
    try:
        with path.open("rb") as file:
            arrays = read_npz(file, ("class_ids", "count"))
        return dict(zip(arrays["class_ids"].tolist(), arrays["count"].tolist(), strict=True))
    except (OSError, KeyError, ValueError) as error:
        raise FiltagError(f"cannot read {path}: {reason_of(error)}") from None


@lru_cache(maxsize=64)
def _of_layer(path: Path, layer: str, graph: ConceptGraph) -> tuple[tuple[Higher, ...], ...]:
    profile = _profile(path)
    if profile.variance is None or layer not in profile.layer_names:
        return ()
    index = profile.layer_names.index(layer)
    columns = slice(int(profile.layer_offsets[index]), int(profile.layer_offsets[index + 1]))
    groups = concept_groups(graph, profile.class_ids)
    if not groups:
        return ((),) * (columns.stop - columns.start)
    below = np.array([members for _, members in groups]).T
    tests = activation_test(profile.mean[:, columns], profile.variance[:, columns], profile.count, below)
    return tuple(
        tuple(
            Higher(
                concept=groups[at][0][0],
                label=graph.label(groups[at][0][0]),
                same=tuple(graph.label(iri) for iri in groups[at][0][1:]),
                classes=int(below[:, at].sum()),
                images=int(tests.images[at]),
                mean=float(tests.mean[at, filter_]),
                others=float(tests.others[at, filter_]),
                effect=float(tests.effect[at, filter_]),
                p_value=float(tests.p[at, filter_]),
                q_value=float(tests.q[at, filter_]),
            )
            for at in _best(tests.effect[:, filter_], tests.q[:, filter_])
        )
        for filter_ in range(tests.q.shape[1])
    )


def _best(effect: NDArray[np.float64], q: NDArray[np.float64]) -> list[int]:
    order = np.argsort(-effect, kind="stable")
    return [at for at in order.tolist() if q[at] < COHERENT_Q][:_MOST]


def concept_groups(graph: ConceptGraph, class_ids: Sequence[str]) -> list[tuple[list[str], NDArray[np.bool_]]]:
    """Return the concepts above two classes and not all, those of the same classes together, and which these are.

    The more specific concept first, as everywhere.
    """
    row_of = {graph.class_ids.index(class_id): row for row, class_id in enumerate(class_ids)}
    same: dict[bytes, tuple[list[str], NDArray[np.bool_]]] = {}
    for iri in sorted(graph.classes_below, key=lambda iri: (-len(graph.above[iri]), iri)):
        members = np.zeros(len(class_ids), dtype=np.bool_)
        members[[row_of[index] for index in graph.classes_below[iri] if index in row_of]] = True
        if 2 <= members.sum() < len(class_ids):
            same.setdefault(members.tobytes(), ([], members))[0].append(iri)
    return list(same.values())
