"""Several concept sources as one.

A class is linked in the first source that knows it. Each other source speaks for itself: its kinds and features are
attached to the concepts of the classes (`filtag_kg.concepts.features`, `filtag_kg.concepts.stated_kinds`), never mixed
into the first source's hierarchy. WordNet is the first source wherever it is one of them, because its kinds alone are a
hierarchy. A class that the first source lacks may hang below it: a term of ConceptNet, *oxpecker*, below what the
first source calls its kinds, *bird*.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filtag_kg.concepts.terms import term_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filtag_kg.concepts.source import Concept, ConceptSource, Edge, Sense


class CombinedSource:
    """Concept sources in an order of preference; those whose kinds are a hierarchy come first.

    Parameters
    ----------
    members : sequence of ConceptSource
        Two or more.
    """

    def __init__(self, members: Sequence[ConceptSource]) -> None:
        self.members = tuple(sorted(members, key=lambda member: not member.climbs))
        self.name = ",".join(member.name for member in self.members)
        self.version = ", ".join(f"{member.name} {member.version}" for member in self.members)
        self._owners: dict[str, ConceptSource] = {}

    @property
    def licence(self) -> str:
        """The licence of the first source; each of the `members` has its own."""
        return self.members[0].licence

    @property
    def citation(self) -> str:
        """That of the first source; each of the `members` has its own."""
        return self.members[0].citation

    @property
    def climbs(self) -> bool:
        """Whether a kind of a kind is a kind in the first source."""
        return self.members[0].climbs

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if no source has it."""
        return self._owner(concept_id).concept(concept_id)

    def of_class(self, class_id: str) -> str | None:
        """Return the concept that a class id names by itself in the first source that knows it.

        What a term of another source means, the first source may know, too: ``/c/en/dog`` is its *dog*.
        """
        first = self.members[0]
        concept = next((concept for member in self.members if (concept := member.of_class(class_id)) is not None), None)
        if concept is None or _has(first, concept):
            return concept
        named = self.concept(concept)
        senses = [sense.concept for sense in first.senses(named.label)]
        if {term_uri(named.label), term_uri(named.label, "n")}.issuperset(named.terms):
            return senses[0] if senses else concept
        # A term may name its sense, as /c/en/dog/n/wn/animal does.
        return next((sense for sense in senses if not set(named.terms).isdisjoint(first.concept(sense).terms)), concept)

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the meanings of a word in the first source that knows it."""
        return next((senses for member in self.members if (senses := member.senses(term))), ())

    def size(self, concept_id: str) -> int:
        """Return about how many concepts lie at or below a concept, in its own source."""
        return self._owner(concept_id).size(concept_id)

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of a concept in its own source.

        Kinds of a concept that the first source lacks are moved to that source: to the first senses of their words.
        """
        first, owner = self.members[0], self._owner(concept_id)
        for edge in owner.edges(concept_id, relation, incoming=incoming):
            if owner is first or relation != "IsA" or incoming:
                yield edge
            elif senses := first.senses(owner.concept(edge.end).label):
                yield replace(edge, end=senses[0].concept)

    def _owner(self, concept_id: str) -> ConceptSource:
        if concept_id not in self._owners:
            owner = next((member for member in self.members if _has(member, concept_id)), None)
            if owner is None:
                raise KeyError(concept_id)
            self._owners[concept_id] = owner
        return self._owners[concept_id]


def _has(member: ConceptSource, concept_id: str) -> bool:
    try:
        member.concept(concept_id)
    except KeyError:
        return False
    return True
