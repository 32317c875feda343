"""What a concept is, how concepts are related, and what a source of concepts answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

RELATIONS = ("IsA", "PartOf", "HasA", "MadeOf", "UsedFor", "HasProperty", "AtLocation", "CapableOf")
"""The relations in use, by ConceptNet's names: *start* is a kind of, is a part of, has … *end*."""
FEATURES = ("HasA", "MadeOf", "UsedFor", "HasProperty", "AtLocation", "CapableOf")
"""Relations from things of a kind to what they have; *HasA* includes *PartOf*, reversed."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One meaning.

    Parameters
    ----------
    id : str
        Its IRI.
    label : str
        The preferred label, in plain spelling.
    alt_labels : tuple of str
        Its other labels.
    terms : tuple of str
        Paths of its ConceptNet terms (``/c/en/dog/n/wn/animal``), one for each label unless labels share one.
    source : str
        Name of the source that has it.
    """

    id: str
    label: str
    alt_labels: tuple[str, ...]
    terms: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a word.

    Parameters
    ----------
    concept : str
        IRI of the concept that the word means.
    lemma : str
        The word as the source spells it for this meaning, with spaces: ``Cardigan`` for the dog.
    count : int
        How often the source's corpus uses the word in this meaning; 0 where it is not counted.
    """

    concept: str
    lemma: str
    count: int


@dataclass(frozen=True, slots=True)
class Edge:
    """What a source states about two concepts.

    Parameters
    ----------
    relation : str
        One of `RELATIONS`.
    start, end : str
        IRIs of the concepts: *beagle* is the start and *dog* the end of an IsA edge.
    weight : float
        How strongly, on ConceptNet's scale: 1 for one contributor, 2 for WordNet.
    source : str
        Name of the source.
    dataset : str
        Where the source has it from, a path such as ConceptNet's ``/d/wordnet/3.1``.
    licence : str
        IRI of the licence of that data set.
    """

    relation: str
    start: str
    end: str
    weight: float
    source: str
    dataset: str
    licence: str


class ConceptSource(Protocol):
    """Where concepts and their relations come from. Every method answers in a fixed order."""

    @property
    def name(self) -> str:
        """The source's name in commands and files: ``wordnet``."""

    @property
    def version(self) -> str:
        """Version of the data."""

    @property
    def licence(self) -> str:
        """IRI of the licence of the data."""

    @property
    def citation(self) -> str:
        """Whom to name wherever facts of the source go."""

    @property
    def climbs(self) -> bool:
        """Whether a kind of a kind is a kind: so in WordNet, not in what people tell ConceptNet."""

    @property
    def members(self) -> tuple[ConceptSource, ...]:
        """The sources that it combines; else itself."""

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if the source has none."""

    def of_class(self, class_id: str) -> str | None:
        """Return the IRI of the concept that a class id names, if it names one."""

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the meanings of a word, the most frequent first, whatever its case and spaces."""

    def size(self, concept_id: str) -> int:
        """Return about how many concepts lie at or below a concept, itself included: how general it is."""

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of a relation that start at a concept, or with `incoming` end there, as they are needed.

        `concept_id` is the IRI of a concept of this source, and so are the edges' ends.
        """
