"""Choose the meanings of ambiguous labels by how well they fit the other classes of the network.

In letters, for a sense s of the label of one class, the others' senses t being held by chances P(t)::

    score      the sum of the terms below, each times its weight
    P(s)       exp(score), normalised over the senses of the label; iterated, starting without what needs the others

of the word
    count      ln(how often the corpus uses the word in this sense + 1)
    size       ln(concepts at or below s)
    compounds  ln(nouns that end with the word and mean s or a kind of it + 1), six at most: *fire hose* for the tube
    spelled    1 if the sense is spelled as the label is; whatever the case if most labels begin with a capital
    hint       how close s is to what the label says in brackets or as other names, in [-1, 1]
    modifier   how close s is to the other words of the label
    preferred  ln((n + 6) / (m - n + 2)) if the word is the preferred label of s; of the network's m labels that mean
               one thing only, n are preferred ones
of the others
    fit        ln(1/m sum_{a at or above s, ic(a) >= ln 4} n'(a) / size(a)  +  1 / N)
    file       ln((n(f) + 20 q(f)) / (m - 1 + 20)) for the lexicographer file f (*animal*) of s
    nested     ln(r + 0.02) x the other classes that mean a kind of s or what s is a kind of; a share r of all do so
    same       ln(r + 0.02) x the other classes that mean s itself; a share r of all do so

    m, n(f)    the classes; the number of other classes expected in file f
    n'(a)      the sum of P(t)^2 over the senses at or below concept a of other classes: about their number, without
               senses that are merely possible
    size(a)    concepts of the source at or below a, N of them in all; ic(a) = ln(N / size(a))
    q(f)       a usual share of the file: 0.55 for *artifact*, 0.15 for *animal* and *food*, less for others

The fit is the density of the other classes at s: the chance to draw s by taking another class, going up from it to some
concept, and taking anything below. What is more general than a quarter of all concepts does not count, as for common
concepts. *Preferred*, *file*, *nested* and *same* are habits of a network, learned from its own labels: whether it uses
the names that the source prefers, whether its classes are things or dishes or animals, whether one of them is a kind of
another (*kettle* and *teakettle*; in ImageNet none is), and whether two of them mean the same.

The weights make the known senses most probable (multinomial logistic regression) for one half of the labels of
ImageNet, COCO, LVIS and iGibson; ``benchmarks/linking.py`` fits them, and measures them on the other half too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.hints import Hints
from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.concepts.words import base_forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.source import ConceptSource, Sense

WEIGHTS = {
    "count": 0.39,
    "size": 0.32,
    "compounds": 0.69,
    "spelled": 2.6,
    "hint": 5.0,
    "modifier": 3.8,
    "preferred": 1.22,
    "fit": 0.77,
    "file": 0.33,
    "nested": 0.81,
    "same": 1.4,
}
"""The weight of each term, those of the word first."""
_OF_THE_WORD = ("count", "size", "compounds", "spelled", "hint", "modifier", "preferred")
_OF_THE_NETWORK = ("fit", "file", "nested", "same")
_MIN_IC = log(4)
_SWEEPS = 10
# About the shares of lexicographer files among the known senses, with a little for what those data sets leave out.
_FILES = {"artifact": 0.55, "animal": 0.15, "food": 0.15, "plant": 0.05} | dict.fromkeys(
    ("body", "communication", "object", "person"), 0.02
)
_OTHER_FILE = 0.02 / 18
_FILE_CLASSES = 20
# Of a network of which nothing is known, three of four names are preferred ones.
_PREFERRED, _NOT_PREFERRED = 6, 2
_LEAST_SHARE = 0.02
_MOST_COMPOUNDS = 6


@dataclass(frozen=True, slots=True)
class Word:
    """What is known of a label.

    Parameters
    ----------
    text : str
        The word or words that are looked up, as the label spells them.
    senses : tuple of Sense
        What it may mean; empty for a word that the source does not know.
    exact : bool
        Whether the class is what the word means, not only a kind of that.
    hints : tuple of str
        What the label says to explain the word.
    modifiers : tuple of str
        The other words of the label.
    """

    text: str
    senses: tuple[Sense, ...] = ()
    exact: bool = True
    hints: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()


def sense_probabilities(words: Sequence[Word], source: ConceptSource) -> list[NDArray[np.float64]]:
    """Return how probable each sense of each word is, given that all words name classes of one network.

    Parameters
    ----------
    words : sequence of Word, of length n_classes
        The labels.
    source : ConceptSource
        The source of the senses.

    Returns
    -------
    list of float64 arrays of shape (senses of the word,)
        Each sums to 1, where there are senses.
    """
    n_senses = [len(word.senses) for word in words]
    if max(n_senses, default=0) <= 1:
        return [np.ones(n) for n in n_senses]
    return np.split(SenseTerms(words, source).probabilities(), np.cumsum(n_senses)[:-1])


class SenseTerms:
    """The terms of all senses of a network's labels.

    A pair is a sense and a concept at or above it; `_sense` and `_concept` are their indices. `_bucket` numbers the
    pairs of a text and a concept: what the senses of a text have there is subtracted, so it is no company to itself,
    nor are *prime rib* and *baby back ribs* to each other if both are looked up as *rib*.

    Attributes
    ----------
    word : int64 array of shape (n_senses,)
        The index of the word that has the sense, ascending.
    of_the_word : float64 array of shape (n_senses, 7)
        The terms of each sense that do not depend on other classes, in the order of `WEIGHTS`.
    """

    def __init__(self, words: Sequence[Word], source: ConceptSource) -> None:
        n_senses = [len(word.senses) for word in words]
        concepts = [sense.concept for word in words for sense in word.senses]
        above = all_above(concepts, source)
        index_of = {concept: index for index, concept in enumerate(sorted(above))}
        size = np.array([source.size(concept) for concept in index_of], dtype=np.float64)
        self.word = np.repeat(np.arange(len(words)), n_senses)
        self._n_words = sum(map(bool, n_senses))
        self._is_exact = np.repeat([word.exact for word in words], n_senses)
        self.of_the_word = _terms_of_words(words, source, int(size.max()))

        self._sense = np.repeat(np.arange(len(concepts)), [len(above[concept]) for concept in concepts])
        self._concept = np.array([index_of[reached] for concept in concepts for reached in above[concept]])
        own = np.array([index_of[concept] for concept in concepts])
        self._at = self._concept == own[self._sense]
        # *Shoe* and *shoes* are one.
        texts = [min((word.text, *base_forms(word.text, "n")), key=len).casefold() for word in words]
        text_index = {text: index for index, text in enumerate(dict.fromkeys(texts))}
        self._text = np.array([text_index[text] for text in texts])[self.word]
        _, self._bucket = np.unique(self._text[self._sense] * len(size) + self._concept, return_inverse=True)
        specific = np.log(size.max() / size) >= _MIN_IC - 1e-12
        self._weight = np.where(specific, 1 / size, 0)[self._concept] / len(words)
        self._nowhere = 1 / size.max()
        self._n_concepts = len(size)

        files = [_file(concept, source) for concept in concepts]
        names = sorted(set(files))
        self._file = np.array([names.index(file) for file in files])
        self._file_share = np.array([_FILES.get(file, _OTHER_FILE) for file in files])

    def probabilities(self) -> NDArray[np.float64]:
        """Return how probable each sense is, after sweeps over all classes."""
        score = of_the_word = self.of_the_word @ [WEIGHTS[term] for term in _OF_THE_WORD]
        for _ in range(_SWEEPS):
            terms = self.of_the_network(normalised(score, self.word))
            score = of_the_word + terms @ [WEIGHTS[term] for term in _OF_THE_NETWORK]
        return normalised(score, self.word)

    def of_the_network(self, probable: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the terms that depend on the other classes, given how probable each sense is.

        Returns
        -------
        float64 array of shape (n_senses, 4)
            In the order of `WEIGHTS`.
        """
        # A kind of what a label means (*puppy* for *golden retriever puppy*) is no class of its own.
        exact = np.where(self._is_exact, probable, 0)
        # Squares: senses that are merely possible, many for each word, are not company.
        below = self._others(probable[self._sense] ** 2)
        exact_below = self._others(exact[self._sense])
        exactly = self._others(np.where(self._at, exact[self._sense], 0))
        fit = np.bincount(self._sense, below * self._weight) + self._nowhere
        same = np.where(self._is_exact, np.bincount(self._sense, np.where(self._at, exactly, 0)), 0)
        around = np.bincount(self._sense, np.where(self._at, exact_below - exactly, exactly))
        nested = np.where(self._is_exact, np.minimum(around, 1), 0)
        n_exact = max(float(exact.sum()), 1)
        return np.stack(
            [
                np.log(fit),
                np.log(
                    (self._in_file(probable) + _FILE_CLASSES * self._file_share) / (self._n_words - 1 + _FILE_CLASSES)
                ),
                nested * log((probable * nested).sum() / n_exact + _LEAST_SHARE),
                np.minimum(same, 1) * log((probable * np.minimum(same, 1)).sum() / n_exact + _LEAST_SHARE),
            ],
            axis=1,
        )

    def _in_file(self, probable: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each sense how many other classes are expected in its lexicographer file."""
        text_and_file = self._text * (self._file.max() + 1) + self._file
        everyone = np.bincount(self._file, probable)[self._file]
        return np.asarray(np.maximum(everyone - np.bincount(text_and_file, probable)[text_and_file], 0))

    def _others(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each pair the share that the senses of other classes have at its concept."""
        everyone = np.bincount(self._concept, share, self._n_concepts)[self._concept]
        return np.asarray(np.maximum(everyone - np.bincount(self._bucket, share)[self._bucket], 0))


def all_above(concepts: Iterable[str], source: ConceptSource) -> dict[str, list[str]]:
    """Return all that lies at or above each concept and above those, sorted.

    Where a kind of a kind is no kind, only what is stated of the concepts themselves lies above them.
    """
    if not source.climbs:
        kinds = {
            concept: sorted({concept, *(edge.end for edge in source.edges(concept, "IsA"))}) for concept in concepts
        }
        return {kind: [kind] for at_or_above in kinds.values() for kind in at_or_above} | kinds
    parents: dict[str, list[str]] = {}
    waiting = list(concepts)
    while waiting:
        concept = waiting.pop()
        if concept not in parents:
            parents[concept] = sorted({edge.end for edge in source.edges(concept, "IsA")})
            waiting.extend(parents[concept])
    above = {}
    for concept in parents:
        reached, waiting = {concept}, [concept]
        while waiting:
            new = set(parents[waiting.pop()]) - reached
            reached |= new
            waiting.extend(new)
        above[concept] = sorted(reached)
    return above


def _terms_of_words(words: Sequence[Word], source: ConceptSource, size: int) -> NDArray[np.float64]:
    hints = Hints(source, size)
    compounds = _compounds(words)
    # Where labels begin with capitals as a rule, these say nothing: *Caterpillar* is not the tractor's maker.
    are_capitalised = 2 * sum(word.text[:1].isupper() for word in words) > len(words)
    written = str.casefold if are_capitalised else str
    terms = np.array(
        [
            (
                log(sense.count + 1),
                log(source.size(sense.concept)),
                log(min(compounds.get((word.text, sense.concept), 0), _MOST_COMPOUNDS) + 1),
                written(sense.lemma) == written(word.text),
                hints.closeness(sense, word.hints),
                hints.closeness(sense, word.modifiers),
                source.concept(sense.concept).label.casefold() == word.text.casefold(),
            )
            for word in words
            for sense in word.senses
        ]
    )
    is_sure = np.array([len(word.senses) == 1 for word in words for _ in word.senses])
    n_preferred = terms[is_sure, -1].sum()
    terms[:, -1] *= max(log((n_preferred + _PREFERRED) / (is_sure.sum() - n_preferred + _NOT_PREFERRED)), 0)
    return terms


def _compounds(words: Sequence[Word]) -> dict[tuple[str, str], int]:
    """Return how many nouns end with a word and mean a synset or a kind of it, by the word and the synset."""
    ambiguous = {word.text: {sense.concept for sense in word.senses} for word in words if len(word.senses) > 1}
    meanings = {
        (text, compound): [sense.concept for sense in wordnet().senses(compound)]
        for text in ambiguous
        for compound in wordnet().compounds(text)
    }
    above = all_above({concept for concepts in meanings.values() for concept in concepts}, wordnet())
    found: dict[tuple[str, str], int] = {}
    for (text, _), concepts in meanings.items():
        reached = {concept for meaning in concepts for concept in above[meaning]}
        for concept in ambiguous[text] & reached:
            found[text, concept] = found.get((text, concept), 0) + 1
    return found


def _file(concept: str, source: ConceptSource) -> str:
    """Return the lexicographer file of a concept, of WordNet or in a ConceptNet term; empty where there is none."""
    known = wordnet().lexicographer_file(concept)
    terms = () if known else source.concept(concept).terms
    return known or next((term.partition("/n/wn/")[2] for term in terms if "/n/wn/" in term), "")


def normalised(score: NDArray[np.float64], word: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the exponentials of scores, normalised to sum to 1 for each word."""
    highest = np.full(word[-1] + 1, -np.inf)
    np.maximum.at(highest, word, score)
    weight = np.exp(score - highest[word])
    return np.asarray(weight / np.bincount(word, weight)[word])
