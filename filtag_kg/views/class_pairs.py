"""Filters that confuse two classes: which respond to both, and which to one alone.

A filter *responds* to a class if the class's contrast is 1 or more: it activates the filter a standard deviation more
than the classes do on average. To one of two classes *alone* it responds if it does not respond to the other, and
Welch's test of the two classes' images, Benjamini-Hochberg over all filters, gives q < 0.05.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import COHERENT_Q, q_values
from filtag_kg.errors import FiltagError
from filtag_kg.tags import contrast_over_classes
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.records import Exemplar
from filtag_kg.views.results import NetworkLayers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from filtag_kg.profile import Profile

RESPONDS = 1.0
_MOST_FILTERS = 12
_MOST_EXEMPLARS = 5


@dataclass(frozen=True, slots=True)
class FilterResponse:
    """How a filter responds to two classes.

    Parameters
    ----------
    contrast_a, contrast_b : float
        Standard deviations over the classes.
    effect : float or None
        The difference of the classes' means in standard deviations of their images (Cohen's d); None where the profile
        has no variances.
    """

    layer: str
    filter: int
    contrast_a: float
    contrast_b: float
    effect: float | None
    exemplars: tuple[Exemplar, ...]


@dataclass(frozen=True, slots=True)
class ClassPair:
    """The filters that respond to two classes, to the one alone and to the other alone.

    Parameters
    ----------
    a, b : (class id, label)
    likeness : float, in [-1, 1]
        The correlation of the classes' contrasts over the filters of the last layer.
    both, only_a, only_b : tuple of FilterResponse
        The strongest of them, at most 12.
    n_both, n_only_a, n_only_b : int
        All of them.
    """

    network: str
    a: tuple[str, str]
    b: tuple[str, str]
    likeness: float
    both: tuple[FilterResponse, ...]
    only_a: tuple[FilterResponse, ...]
    only_b: tuple[FilterResponse, ...]
    n_both: int
    n_only_a: int
    n_only_b: int


def class_pair(loaded: LoadedKg, network: NetworkLayers, class_a: str, class_b: str) -> ClassPair:
    """Compare two classes by the filters that respond to them.

    Parameters
    ----------
    class_a, class_b : str
        Class ids.

    Raises
    ------
    FiltagError
        If the KG has no profile of the network, the profile lacks a class, or both are one.
    """
    return class_pairs(loaded, network, [(class_a, class_b)])[0]


def class_pairs(loaded: LoadedKg, network: NetworkLayers, pairs: Sequence[tuple[str, str]]) -> list[ClassPair]:
    """Compare several pairs of classes, given by their ids, as :func:`class_pair` does."""
    profile = _profile_of(loaded, network)
    contrast, likeness = contrast_over_classes(profile.mean), _likeness(profile)
    index = {class_id: row for row, class_id in enumerate(profile.class_ids)}
    compared = []
    for pair in pairs:
        unknown = next((class_id for class_id in pair if class_id not in index), None)
        if unknown is not None:
            raise FiltagError(
                f"the profile of {network.label} has no class {unknown!r}: name one that it was made with"
            )
        if pair[0] == pair[1]:
            raise FiltagError(f"both classes are {pair[0]}: name two")
        a, b = index[pair[0]], index[pair[1]]
        compared.append(_compared(loaded, network, profile, a, b, contrast[[a, b]], float(likeness[a, b])))
    return compared


def _compared(
    loaded: LoadedKg,
    network: NetworkLayers,
    profile: Profile,
    a: int,
    b: int,
    contrast: NDArray[np.float64],
    likeness: float,
) -> ClassPair:
    effect, different = _effect(profile, a, b)
    responds = contrast >= RESPONDS
    groups: list[tuple[NDArray[np.bool_], NDArray[np.float64]]] = [
        (responds[0] & responds[1], contrast.min(axis=0)),
        (responds[0] & ~responds[1] & different, contrast[0] if effect is None else effect),
        (responds[1] & ~responds[0] & different, contrast[1] if effect is None else -effect),
    ]
    both, only_a, only_b = (
        tuple(_response(loaded, network, column, contrast[:, column], effect) for column in _strongest(*group))
        for group in groups
    )
    n_both, n_only_a, n_only_b = (int(which.sum()) for which, _ in groups)
    return ClassPair(
        network=network.network,
        a=(profile.class_ids[a], profile.class_labels[a]),
        b=(profile.class_ids[b], profile.class_labels[b]),
        likeness=likeness,
        both=both,
        only_a=only_a,
        only_b=only_b,
        n_both=n_both,
        n_only_a=n_only_a,
        n_only_b=n_only_b,
    )


def alike_classes(loaded: LoadedKg, network: NetworkLayers, most: int) -> list[tuple[str, str]]:
    """Return the pairs of classes that the last layer tells apart least, by their ids: the most alike first.

    Raises
    ------
    FiltagError
        If the KG has no profile of the network.
    """
    profile = _profile_of(loaded, network)
    likeness = _likeness(profile)
    first, second = np.triu_indices(len(likeness), k=1)
    order = np.argsort(-likeness[first, second], kind="stable")[:most]
    return [(profile.class_ids[i], profile.class_ids[j]) for i, j in zip(first[order], second[order], strict=True)]


def _profile_of(loaded: LoadedKg, network: NetworkLayers) -> Profile:
    profile = loaded.activations.profile(network.network)
    if profile is None:
        raise FiltagError(f"the KG has no profile of {network.label}, so it does not know how its filters respond")
    return profile


def _likeness(profile: Profile) -> NDArray[np.float64]:
    start, stop = profile.layer_offsets[-2:].tolist()
    of_layer = contrast_over_classes(profile.mean[:, start:stop])
    centred = of_layer - of_layer.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    likeness: NDArray[np.float64] = unit @ unit.T
    return likeness


def _effect(profile: Profile, a: int, b: int) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """Return Cohen's d of each filter, and whether the two classes differ beyond chance."""
    from scipy.stats import ttest_ind_from_stats

    n_filters = profile.mean.shape[1]
    count = profile.count[[a, b]]
    if profile.variance is None or count.min() < 2:
        return None, np.ones(n_filters, dtype=np.bool_)
    # The profile's variances are those of the images, not estimates of a population's.
    variance = profile.variance[[a, b]] * (count / (count - 1))[:, None]
    difference = profile.mean[a] - profile.mean[b]
    pooled = np.sqrt(variance.mean(axis=0))
    effect = np.divide(difference, pooled, out=np.zeros_like(difference), where=pooled > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        test = ttest_ind_from_stats(
            profile.mean[a],
            np.sqrt(variance[0]),
            count[0],
            profile.mean[b],
            np.sqrt(variance[1]),
            count[1],
            equal_var=False,
        )
    p_value = np.where(pooled > 0, np.nan_to_num(test.pvalue, nan=1.0), 1.0)
    return effect, q_values(p_value) < COHERENT_Q


def _strongest(which: NDArray[np.bool_], strength: NDArray[np.float64]) -> list[int]:
    columns = np.flatnonzero(which)
    order = np.argsort(-strength[columns], kind="stable")[:_MOST_FILTERS]
    return [int(column) for column in columns[order]]


def _response(
    loaded: LoadedKg,
    network: NetworkLayers,
    column: int,
    contrasts: NDArray[np.float64],
    effect: NDArray[np.float64] | None,
) -> FilterResponse:
    layer, filter_ = network.layer_and_filter(column)
    return FilterResponse(
        network.layer_names[layer],
        filter_,
        float(contrasts[0]),
        float(contrasts[1]),
        None if effect is None else float(effect[column]),
        loaded.exemplars.get((network.network, column), ())[:_MOST_EXEMPLARS],
    )
