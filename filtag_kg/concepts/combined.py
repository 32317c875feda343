"""Several concept sources as one.

The first source has precedence: a class is linked to one of its concepts if it knows any, and the edges of other
sources are moved to its concepts where these are the same. Two concepts are the same

- if the ConceptNet terms of one name the other: WordNet's *dog* is ``/c/en/dog/n/wn/animal``;
- or if one is a word without a sense, ``/c/en/dog``, and the other is the first sense of that word, which people mostly
  mean.

The second rule holds for ends that are things. The ends of *UsedFor* and *HasProperty* are mostly verbs and adjectives
that happen to be spelled like a noun: *cold* is not an illness there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filtag_kg.concepts.terms import term_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filtag_kg.concepts.source import Concept, ConceptSource, Edge, Sense

_NOT_OF_THINGS = ("UsedFor", "HasProperty")
_PARTS_OF_A_WORD = 4


class CombinedSource:
    """Concept sources in an order of preference.

    Parameters
    ----------
    members : sequence of ConceptSource
        Two or more.
    """

    def __init__(self, members: Sequence[ConceptSource]) -> None:
        self.members = tuple(members)
        self.name = ",".join(member.name for member in members)
        self.version = ", ".join(f"{member.name} {member.version}" for member in members)
        self._owners: dict[str, ConceptSource] = {}
        self._same: dict[tuple[str, str, bool], tuple[str, ...]] = {}

    @property
    def licence(self) -> str:
        """The licence of the first source; each of the `members` has its own."""
        return self.members[0].licence

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if no source has it."""
        return self._owner(concept_id).concept(concept_id)

    def of_class(self, class_id: str) -> str | None:
        """Return the concept that a class id names by itself in the first source that knows it."""
        concepts = (member.of_class(class_id) for member in self.members)
        return next((self._preferred(concept, things=True) for concept in concepts if concept is not None), None)

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the meanings of a word in the first source that knows it."""
        return next((senses for member in self.members if (senses := member.senses(term))), ())

    def size(self, concept_id: str) -> int:
        """Return about how many concepts lie at or below a concept, in its own source."""
        return self._owner(concept_id).size(concept_id)

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of all sources, the first source's first."""
        seen = set()
        things = incoming or relation not in _NOT_OF_THINGS
        for member in self.members:
            for same in self._in(member, concept_id, things=True):
                for edge in member.edges(same, relation, incoming=incoming):
                    other = self._preferred(edge.start if incoming else edge.end, things=things)
                    start, end = (other, concept_id) if incoming else (concept_id, other)
                    moved = replace(edge, start=start, end=end)
                    # Edges between different words may become equal, or lead from the concept to itself.
                    key = (moved.start, moved.end, moved.source, moved.dataset, moved.licence)
                    if other != concept_id and key not in seen:
                        seen.add(key)
                        yield moved

    def _owner(self, concept_id: str) -> ConceptSource:
        if concept_id not in self._owners:
            owners = [member for member in self.members if _has(member, concept_id)]
            if not owners:
                raise KeyError(concept_id)
            self._owners[concept_id] = owners[0]
        return self._owners[concept_id]

    def _preferred(self, concept_id: str, *, things: bool) -> str:
        """Return the same concept in the first source; the given one if there is none."""
        if _has(self.members[0], concept_id):
            return concept_id
        return next(iter(self._in(self.members[0], concept_id, things=things)), concept_id)

    def _in(self, member: ConceptSource, concept_id: str, *, things: bool) -> tuple[str, ...]:
        """Return the concepts of a source that are the same as a concept of any source."""
        key = (member.name, concept_id, things)
        if key not in self._same:
            own = self._owner(concept_id) is member
            self._same[key] = (concept_id,) if own else tuple(dict.fromkeys(self._search(member, concept_id, things)))
        return self._same[key]

    def _search(self, member: ConceptSource, concept_id: str, things: bool) -> Iterator[str]:
        owner = self._owner(concept_id)
        concept = owner.concept(concept_id)
        names = (concept.label, *concept.alt_labels)
        terms = set(concept.terms)
        for name in names if things else ():
            senses = owner.senses(name)
            if senses and senses[0].concept == concept_id:
                terms |= {term_uri(name), term_uri(name, "n")}
        by_term = [same for term in sorted(terms) if (same := member.of_class(term)) is not None]
        yield from by_term
        if by_term:
            return
        for name in names:
            senses = member.senses(name)
            for index, sense in enumerate(senses):
                is_first_sense = things and index == 0 and any(map(_is_word, concept.terms))
                if is_first_sense or not terms.isdisjoint(member.concept(sense.concept).terms):
                    yield sense.concept


def _has(member: ConceptSource, concept_id: str) -> bool:
    try:
        member.concept(concept_id)
    except KeyError:
        return False
    return True


def _is_word(term: str) -> bool:
    """Return whether a term of ConceptNet is a word without a sense, of any part of speech or a noun."""
    parts = term.split("/")
    return len(parts) == _PARTS_OF_A_WORD or (len(parts) == _PARTS_OF_A_WORD + 1 and parts[-1] == "n")
