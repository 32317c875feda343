"""The nouns of WordNet 3.0, embedded in the package.

The data file has three tables of tab-separated lines with empty lines between them; lists within a field are
separated by spaces. It is made by ``scripts/make_wordnet_data.py``.

=======  ================================================================================================
synsets  offset, lexicographer file, domain category, lemmas, hypernyms, instance hypernyms, part meronyms,
         substance meronyms, number of synsets at or below it (nothing where that is 1)
index    lemma in lower case, senses by falling frequency: ``offset:count``, or ``offset`` if the count is 0
plurals  plural in lower case, its singular: where no rule gives it
=======  ================================================================================================

Hypernyms and instance hypernyms are *IsA* here, as in ConceptNet, part meronyms *PartOf* and substance meronyms
*MadeOf*.

A count is how often the lemma was tagged with the sense in the semantic concordances [1]_.

References
----------
.. [1] Fellbaum (ed.) 1998, WordNet: An Electronic Lexical Database; file formats: wndb(5WN), senseidx(5WN)
"""

from __future__ import annotations

import bisect
import functools
import gzip
import re
from importlib import resources
from typing import TYPE_CHECKING

from filtag_kg.concepts.source import Concept, Edge, Sense
from filtag_kg.concepts.terms import noun_term

if TYPE_CHECKING:
    from collections.abc import Iterator

_IRI = "http://wordnet-rdf.princeton.edu/pwn30/"
_CLASS_ID = re.compile(r"n(\d{8})(?:[\s_.-].*)?", re.DOTALL)
_LEXFILE, _CATEGORY, _LEMMAS, _HYPERNYMS, _INSTANCE_HYPERNYMS, _PARTS, _SUBSTANCES, _SIZE = range(8)
# Fields with the ends of a relation's edges, and those with the starts.
_ENDS = {"IsA": (_HYPERNYMS, _INSTANCE_HYPERNYMS), "MadeOf": (_SUBSTANCES,)}
_STARTS = {"PartOf": (_PARTS,)}
# ConceptNet's weight for edges from WordNet.
_WEIGHT = 2.0


class WordNet:
    """Noun synsets of WordNet 3.0 as a concept source.

    The concept of a synset has the IRI ``http://wordnet-rdf.princeton.edu/pwn30/{offset}-n``.

    Parameters
    ----------
    synsets : dict of str to str
        The line of each synset, without the offset that is its key.
    index : dict of str to str
        The senses of each lemma.
    singulars : dict of str to str
        The singular of each irregular plural.
    """

    name = "wordnet"
    citation = "WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved."
    climbs = True
    version = "3.0"
    licence = "https://wordnet.princeton.edu/license-and-commercial-use"

    def __init__(self, synsets: dict[str, str], index: dict[str, str], singulars: dict[str, str]) -> None:
        # Lines are parsed when they are needed: a run touches some 2,000 of the 82,115 synsets.
        self._synsets = synsets
        self._index = index
        self._singulars = singulars
        self._concepts: dict[str, Concept] = {}
        self._at_or_above: dict[str, frozenset[str]] = {}
        self._inverses: dict[str, dict[str, tuple[str, ...]]] = {}
        # The index, read from behind: made when it is needed.
        self._backwards: list[str] = []

    def __len__(self) -> int:
        return len(self._synsets)

    @property
    def members(self) -> tuple[WordNet, ...]:
        """WordNet itself."""
        return (self,)

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if there is none."""
        known = self._concepts.get(concept_id)
        if known is None:
            known = self._concepts[concept_id] = self._read_concept(concept_id)
        return known

    def of_class(self, class_id: str) -> str | None:
        """Return the concept of a WordNet id (``n02084071``, ``n02084071-dog``), if it is a noun synset's."""
        match = _CLASS_ID.fullmatch(class_id)
        return synset_iri(match[1]) if match and match[1] in self._synsets else None

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the noun senses of a word, most frequent first, whatever its case, spaces and hyphens."""
        key = "_".join(term.replace("_", " ").split()).lower()
        key = key if key in self._index else key.replace("-", "_")
        entries = self._index.get(key, "").split()
        return tuple(self._sense(key, entry) for entry in entries)

    def singular(self, word: str) -> str | None:
        """Return the singular of an irregular plural in lower case; None for any other word."""
        return self._singulars.get(word)

    def at_or_above(self, concept_id: str) -> frozenset[str]:
        """Return a synset and all above it."""
        known = self._at_or_above.get(concept_id)
        if known is None:
            parents = (edge.end for edge in self.edges(concept_id, "IsA"))
            known = frozenset({concept_id}).union(*map(self.at_or_above, parents))
            self._at_or_above[concept_id] = known
        return known

    def size(self, concept_id: str) -> int:
        """Return how many synsets lie at or below a synset."""
        return int(self._fields(concept_id)[_SIZE] or 1)

    def lexicographer_file(self, concept_id: str) -> str:
        """Return which of WordNet's 26 files of nouns has a synset (``animal``); empty for what is no synset."""
        return self._synsets.get(concept_id.removeprefix(_IRI).removesuffix("-n"), "").partition("\t")[0]

    def compounds(self, word: str) -> tuple[str, ...]:
        """Return the nouns whose last word is a word: *fire hose* and *garden hose* for *hose*."""
        if not self._backwards:
            self._backwards = sorted(key.replace("-", "_")[::-1] for key in self._index)
        ending = f"_{word.lower().replace(' ', '_')}"[::-1]
        first = bisect.bisect_left(self._backwards, ending)
        last = bisect.bisect_right(self._backwards, ending + "\x7f", first)
        return tuple(key[::-1].replace("_", " ") for key in self._backwards[first:last])

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of a synset: hypernyms before instance hypernyms, else in the order of the database.

        An edge is listed at one end only; edges listed at the other ends are searched for in the whole database.
        """
        listed, elsewhere = (_STARTS, _ENDS) if incoming else (_ENDS, _STARTS)
        others = [iri for field in listed.get(relation, ()) for iri in self._related(concept_id, field)]
        if relation in elsewhere:
            self._fields(concept_id)
            others += self._inverse(relation).get(concept_id, ())
        for other in others:
            start, end = (other, concept_id) if incoming else (concept_id, other)
            yield Edge(relation, start, end, _WEIGHT, self.name, "/d/wordnet/3.0", self.licence)

    def _inverse(self, relation: str) -> dict[str, tuple[str, ...]]:
        known = self._inverses.get(relation)
        if known is None:
            inverse: dict[str, list[str]] = {}
            for offset in sorted(self._synsets):
                for field in (_ENDS | _STARTS)[relation]:
                    for other in self._related(synset_iri(offset), field):
                        inverse.setdefault(other, []).append(synset_iri(offset))
            known = self._inverses[relation] = {iri: tuple(others) for iri, others in inverse.items()}
        return known

    def _fields(self, concept_id: str) -> list[str]:
        try:
            return self._synsets[concept_id.removeprefix(_IRI).removesuffix("-n")].split("\t")
        except KeyError:
            raise KeyError(concept_id) from None

    def _related(self, concept_id: str, field: int) -> tuple[str, ...]:
        return tuple(map(synset_iri, self._fields(concept_id)[field].split()))

    def _lemmas(self, concept_id: str) -> list[str]:
        return [lemma.replace("_", " ") for lemma in self._fields(concept_id)[_LEMMAS].split(" ")]

    def _sense(self, key: str, entry: str) -> Sense:
        offset, _, count = entry.partition(":")
        plain = key.replace("_", " ")
        spelled = next((lemma for lemma in self._lemmas(synset_iri(offset)) if lemma.lower() == plain), plain)
        return Sense(synset_iri(offset), spelled, int(count or 0))

    def _read_concept(self, concept_id: str) -> Concept:
        fields = self._fields(concept_id)
        category = self._lemmas(synset_iri(fields[_CATEGORY]))[0] if fields[_CATEGORY] else fields[_LEXFILE]
        label, *alt_labels = self._lemmas(concept_id)
        terms = dict.fromkeys(noun_term(lemma, category) for lemma in (label, *alt_labels))
        return Concept(concept_id, label, tuple(alt_labels), tuple(terms), self.name)


@functools.cache
def wordnet() -> WordNet:
    """Return the embedded WordNet 3.0; the first call reads it."""
    packed = resources.files("filtag_kg.concepts").joinpath("data/wordnet-nouns.tsv.gz").read_bytes()
    synset_table, index_table, plural_table = gzip.decompress(packed).decode("ascii").split("\n\n")
    synsets = {line[:8]: line[9:] for line in synset_table.split("\n")}
    index = dict(line.split("\t") for line in index_table.split("\n"))
    singulars = dict(line.split("\t") for line in plural_table.rstrip("\n").split("\n"))
    return WordNet(synsets, index, singulars)


def synset_iri(offset: str) -> str:
    """Return the IRI of the noun synset at an offset of the database."""
    return f"{_IRI}{offset}-n"
