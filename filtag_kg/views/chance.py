"""How sure it is that tags share a concept, in the same words on pages, in terminals and in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filtag_kg.concepts import COHERENT_Q

if TYPE_CHECKING:
    from filtag_kg.concepts import CommonConcept

__all__ = ["NOT_BEYOND_CHANCE", "chance_text", "probability_text"]

_LEAST_SHOWN = 0.001

NOT_BEYOND_CHANCE = "not beyond chance"


def chance_text(row: CommonConcept, q: float = COHERENT_Q, *, few: bool = False) -> str:
    """Return the filter's q-value for its first concept and the adjusted p of any other, and whether it is chance.

    Parameters
    ----------
    row : CommonConcept
    q : float
        Filters with a q-value below this are coherent.
    few : bool
        There are too few classes to tell, so that it is not said to be chance.
    """
    if row.q_value is None:
        figure = f"adjusted p {probability_text(row.p_adjusted)}"
    else:
        figure = f"q {probability_text(row.q_value)}"
    return figure if few or row.beyond_chance(q) else f"{figure}, {NOT_BEYOND_CHANCE}"


def probability_text(probability: float) -> str:
    """Write a probability: two digits, and no row of noughts."""
    return f"{probability:.2g}" if probability >= _LEAST_SHOWN else f"{probability:.0e}".replace("e-0", "e-")
