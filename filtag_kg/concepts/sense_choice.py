"""Choose the meanings of ambiguous labels by how well they fit the other classes of the network.

In letters, for a sense s of the label of one class, the others' senses t being held by chances P(t)::

    prior      ((count + 1) x size) ^ 1/3: often used, and with many kinds below it;
               x e^2 if the word is the concept's preferred label, x e^2 if it is spelled as the label is
    fit        1/m sum_{a at or above s, ic(a) >= ln 4} n(a) / size(a)  +  1 / N
    apart      1 - the number of other classes that are expected to mean s itself, a kind of it or what it is a kind of
    P(s)       prior x fit x apart, normalised over the senses of the label; iterated, starting with the prior

    m, n(a)    the classes; the number of other classes expected at or below concept a
    size(a)    concepts of the source at or below a, N of them in all; ic(a) = ln(N / size(a))

The fit is the density of the other classes at s: the chance to draw s by taking another class, going up from it to some
concept, and taking anything below. Classes are apart because no image is to have two of them, so no class is a kind of
another. As for common concepts, what is more general than a quarter of all concepts does not count.

The powers and factors were set once, on the labels of ImageNet; ``benchmarks/concepts.py`` prints how little they
matter and how they do on other labels.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.source import ConceptSource, Sense

_PREVALENCE = 1 / 3
_PREFERRED = 2.0
_SPELLED = 2.0
_MIN_IC = log(4)
_SWEEPS = 10
# Even if another class surely means the same: that may be wrong, or the classes may overlap.
_LEAST_APART = 0.05


def sense_probabilities(
    words: Sequence[str], senses: Sequence[Sequence[Sense]], source: ConceptSource
) -> list[NDArray[np.float64]]:
    """Return how probable each sense of each word is, given that all words name classes of one network.

    Parameters
    ----------
    words : sequence of str, of length n_classes
        The labels, as their classes spell them.
    senses : sequence of sequence of Sense, of length n_classes
        What each may mean; empty for a word that the source does not know.
    source : ConceptSource
        The source of the senses.

    Returns
    -------
    list of float64 arrays of shape (senses of the word,)
        Each sums to 1, where there are senses.
    """
    flat = [sense for word_senses in senses for sense in word_senses]
    n_senses = list(map(len, senses))
    borders = np.cumsum(n_senses)[:-1]
    if not flat:
        return [np.zeros(0) for _ in words]
    word = np.repeat(np.arange(len(words)), n_senses)
    prior = np.array(
        [
            _PREVALENCE * log((sense.count + 1) * source.size(sense.concept))
            + _PREFERRED * (source.concept(sense.concept).label.casefold() == words[index].casefold())
            + _SPELLED * (sense.lemma == words[index])
            for sense, index in zip(flat, word.tolist(), strict=True)
        ]
    )
    company = _Company(word, [sense.concept for sense in flat], source)
    probable = _normalised(prior, word)
    if max(n_senses) > 1:
        for _ in range(_SWEEPS):
            fit, together = company.around(probable)
            apart = np.maximum(1 - together, _LEAST_APART)
            probable = _normalised(prior + np.log(fit) + np.log(apart), word)
    return np.split(probable, borders)


class _Company:
    """The other classes around each sense.

    A pair is a sense and a concept at or above it; `sense` and `concept` are their indices. `bucket` numbers the pairs
    of a class and a concept: the share of a class's own senses there is subtracted, so it is no company to itself.
    """

    def __init__(self, word: NDArray[np.int64], concepts: Sequence[str], source: ConceptSource) -> None:
        above = all_above(concepts, source)
        index_of = {concept: index for index, concept in enumerate(sorted(above))}
        size = np.array([source.size(concept) for concept in index_of], dtype=np.float64)
        self._sense = np.repeat(np.arange(len(concepts)), [len(above[concept]) for concept in concepts])
        self._concept = np.array([index_of[reached] for concept in concepts for reached in above[concept]])
        self._own = np.array([index_of[concept] for concept in concepts])
        self._at = self._concept == self._own[self._sense]
        _, self._bucket = np.unique(word[self._sense] * len(size) + self._concept, return_inverse=True)
        specific = np.log(size.max() / size) >= _MIN_IC - 1e-12
        self._weight = np.where(specific, 1 / size, 0)[self._concept] / (word[-1] + 1)
        self._nowhere = 1 / size.max()
        self._n_concepts = len(size)

    def around(self, probable: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the fit of each sense, and the other classes expected at, above or below it."""
        below = self._others(probable[self._sense])
        exactly = self._others(np.where(self._at, probable[self._sense], 0))
        fit = np.bincount(self._sense, below * self._weight) + self._nowhere
        together = np.bincount(self._sense, exactly + np.where(self._at, below - exactly, 0))
        return fit.astype(np.float64), together.astype(np.float64)

    def _others(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each pair the share that the senses of other classes have at its concept."""
        everyone = np.bincount(self._concept, share, self._n_concepts)[self._concept]
        return np.asarray(np.maximum(everyone - np.bincount(self._bucket, share)[self._bucket], 0))


def all_above(concepts: Sequence[str], source: ConceptSource) -> dict[str, list[str]]:
    """Return all that lies at or above each concept and above those, sorted."""
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


def _normalised(score: NDArray[np.float64], word: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the exponentials of scores, normalised to sum to 1 for each word."""
    highest = np.full(word[-1] + 1, -np.inf)
    np.maximum.at(highest, word, score)
    weight = np.exp(score - highest[word])
    return np.asarray(weight / np.bincount(word, weight)[word])
