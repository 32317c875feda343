"""Which of the things that people told ConceptNet of a kind are believed.

What ConceptNet says of *dog* is inherited by every dog, so one careless statement about a kind is wrong of hundreds of
classes. A row is a concept, a relation and an end; its evidence is the sum of the weights of its statements, each once
for each data set. A row is kept if it passes these rules, in order; their figures are from one network's tags
(``benchmarks/features.py`` prints what each removes, and what comes out without it):

general   the concept has at most 1,000 synsets at or below it, and at most 250 with seven or fewer above it: whatever
          is said of *container* is said of some containers
echo      of a concept with more than ten, what it can do, is like or where it is counts only if something below it has
          the row, too (of one with more than 250, for what it is like, two things); and so what living beings are used
          for
evidence  at least 2 for HasA, 3 for MadeOf, CapableOf, HasProperty and UsedFor, 5 for AtLocation; half of it where two
          different statements, two data sets, or a concept above or below agree (of what something is used for,
          statements about two words, or such a concept: data sets repeat each other's); and never less than
          log10(synsets at or below), rounded, of parts rounded down: evidence must grow with the kind, least for parts,
          which are inherited most surely
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, log10
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filtag_kg.concepts.source import Edge

LEAST_EVIDENCE = MappingProxyType(
    {"HasA": 2, "MadeOf": 3, "CapableOf": 3, "HasProperty": 3, "UsedFor": 3, "AtLocation": 5}
)
_ECHOED = ("CapableOf", "HasProperty", "AtLocation")


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """The rules; any can be switched off to see what it does."""

    general: bool = True
    echo: bool = True
    least: Mapping[str, int] = field(default_factory=lambda: LEAST_EVIDENCE)
    agreement: bool = True
    growing: bool = True
    most_synsets: int = 1000
    most_synsets_near_top: int = 250
    near_top: int = 7
    small: int = 10


RULES = EvidenceRules()
"""All rules."""


@dataclass(frozen=True, slots=True)
class Generality:
    """How general a concept is.

    Parameters
    ----------
    size : int
        Concepts of its source at or below it.
    above : frozenset of str
        IRIs of the concepts above it.
    living : bool
        Whether its things are living beings.
    """

    size: int
    above: frozenset[str]
    living: bool


@dataclass(slots=True)
class Row:
    """The statements that a concept has a feature, each an edge as the source has it."""

    edges: list[Edge] = field(default_factory=list)

    @property
    def evidence(self) -> float:
        """The sum of the weights."""
        return sum(edge.weight for edge in self.edges)

    def agrees(self, relation: str) -> bool:
        """Return whether two different statements or two data sets say so; of uses, statements about two words."""
        if relation == "UsedFor":
            return len({edge.start for edge in self.edges}) > 1
        return (
            len({(edge.start, edge.end) for edge in self.edges}) > 1 or len({edge.dataset for edge in self.edges}) > 1
        )


def believed(
    rows: Mapping[str, Row],
    relation: str,
    generality: Mapping[str, Generality],
    rules: EvidenceRules,
    removed: Counter[tuple[str, str]],
) -> dict[str, Row]:
    """Return the rows of one relation and end that are kept, by concept.

    Parameters
    ----------
    rows : mapping of IRI to Row
        By concept.
    generality : mapping of IRI to Generality
        Of each of these concepts.
    removed : Counter of (relation, rule)
        Gets the number of rows that each rule removes.
    """
    kept = {}
    for concept, row in rows.items():
        of = generality[concept]
        below = sum(concept in generality[other].above for other in rows)
        above = any(
            other in of.above and not (rules.general and is_general(generality[other], rules)) for other in rows
        )
        least = float(rules.least.get(relation, 1))
        if rules.agreement and (row.agrees(relation) or below or above):
            least = ceil(least / 2)
        if rules.growing:
            least = max(least, int(log10(of.size) + (0 if relation == "HasA" else 0.5)))
        if rules.general and is_general(of, rules):
            removed[relation, "general"] += 1
        elif rules.echo and below < _echoes_needed(relation, of, rules):
            removed[relation, "echo"] += 1
        elif row.evidence < least:
            removed[relation, "evidence"] += 1
        else:
            kept[concept] = row
    return kept


def _echoes_needed(relation: str, of: Generality, rules: EvidenceRules) -> int:
    """Return how many concepts below a concept must have a row, too."""
    if not (relation in _ECHOED or (relation == "UsedFor" and of.living)):
        return 0
    varied = relation == "HasProperty" and of.size > rules.most_synsets_near_top
    return (of.size > rules.small) + varied


def is_general(of: Generality, rules: EvidenceRules) -> bool:
    """Return whether a concept is so general that nothing stated of it is believed."""
    return of.size > rules.most_synsets or (of.size > rules.most_synsets_near_top and len(of.above) <= rules.near_top)
