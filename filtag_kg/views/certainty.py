"""How sure it is that tags share a concept, in words: the same on pages, in terminals and in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filtag_kg.concepts import COHERENT_Q

if TYPE_CHECKING:
    from filtag_kg.concepts import CommonConcept
    from filtag_kg.kg import CheckedLabel

_LEAST_SHOWN = 0.001

NOT_BEYOND_CHANCE = "not beyond chance"


def chance_text(row: CommonConcept, q: float = COHERENT_Q, *, few: bool = False) -> str:
    """Return a concept's certainty: q-value (first concept) or adjusted p (others), and whether that may be chance.

    Parameters
    ----------
    q : float
        Filters with a q-value below this are coherent.
    few : bool
        There are too few classes to tell, so the text does not call it chance.
    """
    if row.q_value is None:
        figure = f"adjusted p {probability_text(row.p_adjusted)}"
    else:
        figure = f"q {probability_text(row.q_value)}"
    return figure if few or row.beyond_chance(q) else f"{figure}, {NOT_BEYOND_CHANCE}"


def probability_text(probability: float) -> str:
    """Return a probability with two digits, without a row of zeros."""
    return f"{probability:.2g}" if probability >= _LEAST_SHOWN else f"{probability:.0e}".replace("e-0", "e-")


def check_text(label: CheckedLabel) -> str:
    """Return what a check found of a label: why it is not testable, or how well it fits and better than what."""
    if label.q_value is None or label.correlation is None or label.auc is None:
        return f"Not testable on the images of the check: {label.reason}."
    others = " and ".join(
        f"{round(value, 2) + 0.0:.2f} {where}"
        for value, where in (
            (label.correlation_filters, "on the layer's other filters"),
            (label.correlation_labels, "of random labels on this filter"),
        )
        if value is not None
    )
    return (
        f"On {label.positives:,} images of it that made no label: q {probability_text(label.q_value)}, AUC "
        f"{label.auc:.2f}, correlation {round(label.correlation, 2) + 0.0:.2f} ({others})"
    )
