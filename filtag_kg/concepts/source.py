"""What a concept is, and what a source of concepts can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Concept", "ConceptSource", "Sense"]


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
    """

    id: str
    label: str
    alt_labels: tuple[str, ...]
    terms: tuple[str, ...]


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


class ConceptSource(Protocol):
    """Where concepts and their relations come from. All answers are in a fixed order."""

    @property
    def name(self) -> str:
        """The source's name in commands and files: ``wordnet``."""

    @property
    def version(self) -> str:
        """Version of the data."""

    @property
    def licence(self) -> str:
        """IRI of the licence of the data."""

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if the source has none."""

    def of_class(self, class_id: str) -> str | None:
        """Return the IRI of the concept that a class id names by itself, if it names one."""

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the meanings of a word in any spelling of case and spaces, the most frequent first."""

    def broader(self, concept_id: str) -> tuple[str, ...]:
        """Return the IRIs of the concepts directly above: of which this is a kind or an instance."""

    def parts(self, concept_id: str) -> tuple[str, ...]:
        """Return the IRIs of the concepts that are parts of this one."""
