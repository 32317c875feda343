"""Filters that respond to two unrelated things, in words: what each of the two parts is, with its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from filtag_kg.concepts import COHERENT_Q, MixedPart, mixedness, too_few_classes
from filtag_kg.kg import KG, MixedTest, read_mixed

if TYPE_CHECKING:
    from filtag_kg.views.results import NetworkLayers

_NO_PROFILE = (
    "Which filters are mixed is not known: that follows from how strongly every class activates a filter, and the "
    "labels of another method do not say."
)
_EARLIER = "Which filters are mixed is not known, because an earlier version built the KG: build it anew."


@dataclass(frozen=True, slots=True)
class PartOfFilter:
    """One of two unrelated things that a filter responds to.

    Parameters
    ----------
    concept, label : str
        The concept that its classes share.
    classes : tuple of (class id, label)
        The highest contrast first.
    share : float, in (0, 1]
        Of the contrast of all classes that activate the filter clearly.
    p_adjusted : float
        The chance that the best concept of as many random classes is as surprising.
    """

    concept: str
    label: str
    classes: tuple[tuple[str, str], ...]
    share: float
    p_adjusted: float


@dataclass(frozen=True, slots=True)
class MixedFilter:
    """A filter that responds to two unrelated things.

    Parameters
    ----------
    parts : tuple of two PartOfFilter
    clear : int
        Classes that activate the filter clearly, in the parts and outside them.
    mixedness : float, in [0, 1]
        Twice the smaller share of the parts.
    q_value : float
        The filter's, for the second part.
    """

    layer: str
    filter: int
    parts: tuple[PartOfFilter, PartOfFilter]
    clear: int
    mixedness: float
    q_value: float

    @property
    def name(self) -> str:
        """Both things: "cat / car"."""
        return " / ".join(part.label for part in self.parts)

    @property
    def others(self) -> int:
        """The number of classes that activate the filter clearly and belong to neither part."""
        return self.clear - sum(len(part.classes) for part in self.parts)

    @property
    def sentence(self) -> str:
        """What it responds to, without figures."""
        first, second = (f"{part.label} ({_some([label for _, label in part.classes])})" for part in self.parts)
        return f"Responds to two unrelated things: {first} and {second}."

    @property
    def figures(self) -> str:
        """The figures behind it, for a hover."""
        first, second = self.parts
        return (
            f"mixedness {self.mixedness:.2f}, q {self.q_value:.2g}; {len(first.classes)} and {len(second.classes)} of "
            f"{self.clear} classes that activate it clearly"
        )


@dataclass(frozen=True, slots=True, eq=False)
class MixedResults:
    """The mixed filters of a network.

    Parameters
    ----------
    filters : mapping of (layer, filter) to MixedFilter
        The surest first; of equals the most mixed, then the first.
    tested : int
        Filters with a theme, which were tested for a second one.
    too_few : str
        What to say where there are too few classes to tell; else empty.
    """

    filters: Mapping[tuple[str, int], MixedFilter] = field(default_factory=lambda: MappingProxyType({}))
    tested: int = 0
    too_few: str = ""


def read_mixed_filters(
    kg: KG, folders: Mapping[str, NetworkLayers], labels: Mapping[str, str], q: float = COHERENT_Q
) -> dict[str, MixedResults]:
    """Read the mixed filters of a KG, by network; where several builds know of some, those of the first.

    Parameters
    ----------
    folders : mapping of str to NetworkLayers
        The builds' folders, from the KG's directory, and their networks.
    labels : mapping of class id to label
    q : float
        Filters with a q-value below this are mixed.

    Raises
    ------
    FiltagError
        If a table is damaged.
    """
    results: dict[str, MixedResults] = {}
    for folder, network in folders.items():
        if network.network in results:
            continue
        test = read_mixed(kg, folder, layers=network.filters_of_layers, classes=labels)
        if test is not None:
            results[network.network] = _results(test, network, labels, q)
    return results


def why_unknown(*, from_profile: bool) -> str:
    """Return why a KG does not say which filters of a network are mixed.

    Parameters
    ----------
    from_profile : bool
        Whether it has a profile of the network.
    """
    return _EARLIER if from_profile else _NO_PROFILE


def _results(test: MixedTest, network: NetworkLayers, labels: Mapping[str, str], q: float) -> MixedResults:
    first_columns = network.first_columns
    mixed = [_filter(first, second, labels) for first, second in test.parts if second.q_value < q]
    mixed.sort(key=lambda each: (each.q_value, -each.mixedness, first_columns[each.layer] + each.filter))
    needed = test.classes_needed
    return MixedResults(
        {(each.layer, each.filter): each for each in mixed},
        test.tested,
        "" if needed is None else too_few_classes(needed),
    )


def _filter(first: MixedPart, second: MixedPart, labels: Mapping[str, str]) -> MixedFilter:
    parts = tuple(
        PartOfFilter(
            part.concept,
            part.label,
            tuple((class_id, labels[class_id]) for class_id in part.classes),
            part.share,
            part.p_adjusted,
        )
        for part in (first, second)
    )
    return MixedFilter(
        first.layer, first.filter, (parts[0], parts[1]), first.clear, mixedness(first, second), second.q_value
    )


def _some(labels: Sequence[str], most: int = 3) -> str:
    """Return a few labels: "tabby, Persian cat, …"."""
    return ", ".join(labels[:most]) + (", …" if len(labels) > most else "")
