"""Ablations that a KG holds: what a network loses without the filters of a concept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from filtag_kg.csv_table import ANY_TEXT, TEXT, one_of, real, whole
from filtag_kg.errors import FiltagError
from filtag_kg.json_values import mismatch, named, whole_number
from filtag_kg.kg.experiments import RecordedExperiment, experiments_of
from filtag_kg.kg.kg import KG
from filtag_kg.kg.tables import Table

Scope = Literal["concept", "others", "difference"]
"""The classes at or below the concept, all other classes, or the first minus the second: the specific effect."""

Measure = Literal["accuracy", "confidence"]
"""The share of images that the network gets right, or its mean confidence in their class."""

Replacement = Literal["zero", "mean"]
"""What every number of an ablated feature map becomes: 0, or the filter's mean over the images and their places."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
MEASURES: tuple[Measure, ...] = get_args(Measure)
REPLACEMENTS: tuple[Replacement, ...] = get_args(Replacement)


@dataclass(frozen=True, slots=True)
class AblatedClass:
    """What an ablation does to one class; the fields are the columns of its table, in order.

    Parameters
    ----------
    scope : str
        ``concept`` or ``others``.
    images : int
    accuracy_before, accuracy_after, accuracy_random : float, in [0, 1]
        Of the network as it is, without the concept's filters, and the mean over random sets of as many filters.
    confidence_before, confidence_after, confidence_random : float, in [0, 1]
        Means over the class's images.
    """

    class_id: str
    label: str
    scope: Scope
    images: int
    accuracy_before: float
    accuracy_after: float
    accuracy_random: float
    confidence_before: float
    confidence_after: float
    confidence_random: float


ABLATED_CLASSES = Table(
    "ablations.csv",
    AblatedClass,
    {
        "class_id": TEXT,
        "label": ANY_TEXT,
        "scope": one_of(SCOPES[:2]),
        "images": whole(1),
        "accuracy_before": real(0, 1),
        "accuracy_after": real(0, 1),
        "accuracy_random": real(0, 1),
        "confidence_before": real(0, 1),
        "confidence_after": real(0, 1),
        "confidence_random": real(0, 1),
    },
    advice="ablate the filters again",
)


@dataclass(frozen=True, slots=True)
class Change:
    """How much a measure changes in some classes: the mean over the classes of the mean over their images.

    Parameters
    ----------
    before : float, in [0, 1]
        Of the network as it is. For the difference of two groups of classes, that of their means.
    change : float, in [-1, 1]
        What the ablation adds to it; below 0 where it does harm. Of the difference: 2 at most.
    low, high : float
        Its 95 % interval, by a bootstrap over classes and the images in them.
    random : tuple of float, of length n_sets
        The same change for each random set of as many filters.
    p_value : float
        The share of sets with a change as low, the ablated filters among them: (1 + as low) / (1 + random sets).
    """

    scope: Scope
    measure: Measure
    before: float
    change: float
    low: float
    high: float
    random: tuple[float, ...]
    p_value: float


@dataclass(frozen=True, slots=True)
class Ablation:
    """Filters set to zero or to their mean, and what the network loses.

    Parameters
    ----------
    ablation_id : str
        16 hexadecimal digits; the same inputs give the same id.
    run_id, network : str
        The tagging run that the filters were chosen by, and the network.
    concept, label : str
    chosen_by : str
        How the filters were chosen: ``common``, ``tagged`` or ``given``.
    filters : tuple of (layer, filter)
        Those that are ablated, by layer and index.
    random_sets, seed : int
    images : mapping of str to JSON values
        ``source``, ``sha256``, ``read`` and ``per_class``, the most of each class, or None.
    kg_classes : bool
        Whether the network had to answer with a class of the KG.
    software : tuple of str
        Name and version of each package that took part.
    classes : tuple of AblatedClass
        Those of the concept first, then the others, each by the change of confidence, the most harmed first.
    """

    ablation_id: str
    run_id: str
    network: str
    concept: str
    label: str
    chosen_by: str
    replacement: Replacement
    filters: tuple[tuple[str, int], ...]
    random_sets: int
    seed: int
    images: Mapping[str, Any] = field(hash=False)
    kg_classes: bool
    software: tuple[str, ...]
    changes: tuple[Change, ...]
    classes: tuple[AblatedClass, ...]

    def change(self, scope: Scope, measure: Measure = "confidence") -> Change:
        """Return the change of a measure in some classes."""
        return next(each for each in self.changes if (each.scope, each.measure) == (scope, measure))

    def n_classes(self, scope: Scope) -> int:
        """Return the number of classes of the concept, or of the others."""
        return sum(row.scope == scope for row in self.classes)

    @property
    def reach(self) -> float:
        """The largest size of any change, bound or change by random filters; above 0."""
        numbers = [number for each in self.changes for number in (each.change, each.low, each.high, *each.random)]
        return max(0.001, *map(abs, numbers))

    @property
    def layers(self) -> dict[str, int]:
        """How many filters of each layer are ablated, in forward order."""
        layers: dict[str, int] = {}
        for layer, _ in self.filters:
            layers[layer] = layers.get(layer, 0) + 1
        return layers

    def about(self) -> dict[str, Any]:
        """Return what a manifest records, which `read_ablations` reads: all but the table, the id and the run."""
        return {name: value for name, value in asdict(self).items() if name not in ("ablation_id", "run_id", "classes")}


_SHAPE = {
    "network": named,
    "concept": named,
    "label": str,
    "chosen_by": named,
    "replacement": lambda value: None if value in REPLACEMENTS else f"is not one of {', '.join(REPLACEMENTS)}",
    "filters": [(named, whole_number())],
    "random_sets": whole_number(),
    "seed": whole_number(),
    "images": {"source": str, "sha256": str, "read": whole_number()},
    "kg_classes": bool,
    "software": [str],
    "changes": [
        {
            "scope": lambda value: None if value in SCOPES else f"is not one of {', '.join(SCOPES)}",
            "measure": lambda value: None if value in MEASURES else f"is not one of {', '.join(MEASURES)}",
            **dict.fromkeys(("before", "change", "low", "high", "p_value"), float),
            "random": [float],
        }
    ],
}


def read_ablations(kg: KG) -> tuple[Ablation, ...]:
    """Return the ablations that a KG holds, in the order in which they were added.

    Raises
    ------
    FiltagError
        If one is damaged.
    """
    return tuple(map(_ablation, experiments_of(kg, "ablation")))


def _ablation(recorded: RecordedExperiment) -> Ablation:
    about = recorded.about
    problem = mismatch(about, _SHAPE)
    if problem is None:
        found = [(each["scope"], each["measure"]) for each in about["changes"]]
        if sorted(found) != sorted((scope, measure) for scope in SCOPES for measure in MEASURES):
            problem = "changes has not one of each scope and measure"
    if problem is not None:
        raise FiltagError(f"the ablation {recorded.experiment_id} is damaged ({problem}): ablate the filters again")
    return Ablation(
        ablation_id=recorded.experiment_id,
        run_id=recorded.run_id,
        **{name: about[name] for name in ("network", "concept", "label", "chosen_by", "replacement")},
        filters=tuple((layer, filter_) for layer, filter_ in about["filters"]),
        **{name: about[name] for name in ("random_sets", "seed", "images", "kg_classes")},
        software=tuple(about["software"]),
        changes=tuple(Change(**{**each, "random": tuple(each["random"])}) for each in about["changes"]),
        classes=tuple(ABLATED_CLASSES.read(recorded.path)),
    )
