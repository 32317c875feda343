"""The excerpt of ConceptNet that comes with the package, as a concept source.

The data file has a line for each word that something is stated about, and for each relation of it: the word, the
relation, and what it leads to, between tabs. An end is followed by ``:`` and the letters of the data sets that state
it. It is made by ``scripts/make_conceptnet_data.py``, which tells where the statements are from; ConceptNet's data is
under CC BY-SA 4.0, as ``data/LICENSE-CONCEPTNET`` says.

A concept is a term without a sense: ``/c/en/dog``. The excerpt knows no weights: each statement counts as that of one
contributor, once for each data set.
"""

from __future__ import annotations

import functools
import hashlib
import lzma
from importlib import resources
from typing import TYPE_CHECKING

from filtag_kg.concepts.conceptnet.assertions import CITATION, LICENCE
from filtag_kg.concepts.source import Concept, Edge, Sense
from filtag_kg.concepts.terms import CONCEPTNET, term_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

DATASETS = {"a": "/d/conceptnet/5.7", "b": "/d/conceptnet/5", "c": "/d/conceptnet/4/en"}
"""The data sets by their letters: what is stated around ImageNet's classes, around household things, and by OMCS."""


class ConceptNetExcerpt:
    """The embedded excerpt of ConceptNet as a concept source.

    Parameters
    ----------
    lines : list of str
        The lines of the data file.
    version : str
        Of the data.
    """

    name = "conceptnet"
    licence = LICENCE
    citation = CITATION
    climbs = False

    def __init__(self, lines: list[str], version: str) -> None:
        self.version = version
        self._lines: dict[str, list[str]] = {}
        for line in lines:
            word, _, rest = line.partition("\t")
            self._lines.setdefault(word, []).append(rest)

    @property
    def members(self) -> tuple[ConceptNetExcerpt, ...]:
        """The excerpt itself."""
        return (self,)

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if the excerpt has none."""
        word = self._word(concept_id)
        if word is None:
            raise KeyError(concept_id)
        return Concept(concept_id, word.replace("_", " "), (), (term_uri(word),), self.name)

    def of_class(self, class_id: str) -> str | None:
        """Return the concept that a term's path or IRI names, if the excerpt has it."""
        path = class_id.removeprefix(CONCEPTNET)
        iri = CONCEPTNET + path
        return iri if path.startswith("/c/") and self._word(iri) is not None else None

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the word itself, with the number of its statements, if the excerpt has it."""
        iri = CONCEPTNET + term_uri(term)
        word = self._word(iri)
        if word is None:
            return ()
        count = len(self._from(word)) + len(self._to.get(word, ()))
        return (Sense(iri, word.replace("_", " "), count),)

    def size(self, concept_id: str) -> int:
        """Return one more than the words that are directly stated to be a kind of a word."""
        word = self._word(concept_id)
        if word is None:
            raise KeyError(concept_id)
        return 1 + len({start for relation, start, _ in self._to.get(word, ()) if relation == "IsA"})

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of a word, by the other end and data set."""
        word = self._word(concept_id)
        if word is None:
            return
        for other_relation, other, datasets in sorted(self._to.get(word, ()) if incoming else self._from(word)):
            if other_relation == relation:
                neighbour = CONCEPTNET + term_uri(other)
                start, end = (neighbour, concept_id) if incoming else (concept_id, neighbour)
                for letter in datasets:
                    yield Edge(relation, start, end, 1.0, self.name, DATASETS[letter], self.licence)

    def _word(self, concept_id: str) -> str | None:
        """Return the word of an IRI, if it is at an end of any statement."""
        word = concept_id.removeprefix(CONCEPTNET + "/c/en/")
        return word if word != concept_id and (word in self._lines or word in self._to) else None

    def _from(self, word: str) -> list[tuple[str, str, str]]:
        """Return relation, end and data sets of what is stated about a word."""
        return [statement for line in self._lines.get(word, ()) for statement in _statements(line)]

    @functools.cached_property
    def _to(self) -> dict[str, list[tuple[str, str, str]]]:
        """Relation, start and data sets of what leads to each word."""
        to: dict[str, list[tuple[str, str, str]]] = {}
        for word, lines in self._lines.items():
            for line in lines:
                for relation, end, datasets in _statements(line):
                    to.setdefault(end, []).append((relation, word, datasets))
        return to


def _statements(line: str) -> Iterator[tuple[str, str, str]]:
    relation, _, ends = line.partition("\t")
    for text in ends.split(" "):
        end, _, datasets = text.rpartition(":")
        yield relation, end, datasets


@functools.cache
def conceptnet_excerpt() -> ConceptNetExcerpt:
    """Return the embedded excerpt of ConceptNet; the first call reads it."""
    packed = resources.files("filtag_kg.concepts").joinpath("data/conceptnet-english.tsv.xz").read_bytes()
    version = f"5.7, excerpt {hashlib.sha256(packed).hexdigest()[:16]}"
    return ConceptNetExcerpt(lzma.decompress(packed).decode("utf-8").splitlines(), version)
