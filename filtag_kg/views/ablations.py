"""What an ablation shows, in words."""

from __future__ import annotations

from typing import Literal

from filtag_kg.kg import Ablation, Change
from filtag_kg.views.wording import probability_text

Conclusion = Literal["specific", "mostly", "chance", "everywhere", "none", "unclear"]
"""What taking a concept's filters out does, by the mean confidence in the true class.

==============  ====================================================================================================
``specific``    it hits the concept's classes and spares the others
``mostly``      it hits the concept's classes more than the others, and hits these, too
``chance``      it hits the concept's classes more, but so do as many random filters of the same layers
``everywhere``  it hits the others as much
``none``        it does the concept's classes no harm
``unclear``     too little to tell
==============  ====================================================================================================
"""

SPARED = 0.25
"""The others are spared if they change by at most this share of what the concept's classes lose."""
ALPHA = 0.05
"""Random sets as harmful as this share of all sets, or more, could be what the concept's filters are."""
SMALL = 0.02
"""An interval that ends above minus this, two points of confidence, shows that no harm to speak of is done."""


def conclusion(ablation: Ablation) -> Conclusion:
    """Return what an ablation shows."""
    concept, others, difference = (ablation.change(scope) for scope in ("concept", "others", "difference"))
    if concept.high >= 0:
        return "none" if concept.low > -SMALL else "unclear"
    if difference.high >= 0:
        return "everywhere" if difference.low > concept.change else "unclear"
    if 1 / (1 + ablation.random_sets) > ALPHA:
        return "unclear"
    if difference.p_value > ALPHA:
        return "chance"
    return "specific" if abs(others.change) <= SPARED * abs(concept.change) else "mostly"


def ablation_text(ablation: Ablation) -> str:
    """Return what was done and what it shows, in two or three sentences."""
    label = ablation.label
    n_filters, n_classes = len(ablation.filters), ablation.n_classes("concept")
    filters = "filter" if n_filters == 1 else f"{n_filters:,} filters"
    chosen = {
        "common": f"the {filters} that {'stands' if n_filters == 1 else 'stand'} for {label} beyond chance",
        "tagged": f"the {filters} whose tags are mostly at or below {label}",
    }.get(ablation.chosen_by, f"the chosen {filters}")
    mean = "its mean" if n_filters == 1 else "their means"
    did = f"Setting {chosen} to {'zero' if ablation.replacement == 'zero' else mean}"
    verdicts: dict[Conclusion, str] = {
        "specific": f"{did} hits the classes at or below {label} and spares the others",
        "mostly": f"{did} hits the classes at or below {label} more than the others, but hits these, too",
        "chance": f"{did} hits the classes at or below {label} more than the others, but so do some random filters",
        "everywhere": f"{did} hits the classes at or below {label} no more than the others",
        "none": f"{did} does the classes at or below {label} no harm to speak of",
        "unclear": f"{did}: too little to tell whether it hits the classes at or below {label} in particular",
    }
    concept, others, difference = (ablation.change(scope) for scope in ("concept", "others", "difference"))
    of_concept = (
        f"the class at or below {label}" if n_classes == 1 else f"the {n_classes:,} classes at or below {label}"
    )
    n_others = ablation.n_classes("others")
    of_others = f"the {n_others:,} other{'' if n_others == 1 else 's'}"
    text = (
        f"{verdicts[conclusion(ablation)]}. For {of_concept}, mean confidence in the true class goes from "
        f"{concept.before:.1%} to {concept.before + concept.change:.1%} ({change_text(concept)}); for "
        f"{of_others}, from {others.before:.1%} to {others.before + others.change:.1%} ({change_text(others)})."
    )
    if ablation.random_sets:
        as_low = sum(change <= difference.change for change in difference.random)
        random = "random set" if ablation.random_sets == 1 else "random sets"
        text += (
            f" Of {ablation.random_sets:,} {random} of as many filters of the same layers, {as_low or 'none'} "
            f"{'does' if as_low in (0, 1) else 'do'} as much to these classes in particular "
            f"(p = {probability_text(difference.p_value)})."
        )
    return text


def change_text(change: Change) -> str:
    """Return a change in percentage points with its interval: ``−12.3 points, 95 % interval −16.1 to −8.0``."""
    value, low, high = (points_text(each) for each in (change.change, change.low, change.high))
    return f"{value} points, 95 % interval {low} to {high}"


def points_text(change: float) -> str:
    """Return a change in percentage points: ``−12.3``."""
    rounded = round(100 * change, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"
