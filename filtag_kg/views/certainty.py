"""How sure it is that tags share a concept, in words: the same on pages, in terminals and in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filtag_kg.concepts import COHERENT_Q

if TYPE_CHECKING:
    from filtag_kg.concepts import CommonConcept

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
