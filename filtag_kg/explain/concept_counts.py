"""Which concepts the filters speak for that an image activates most in the last layers.

::

    distinctive   of an image or a class: the tenth of a layer's filters with the highest contrast, by q=0.1:contrast
    share_fK      of the classes that filter f is distinctive of, the share at or below concept K
    observed      sum of share_fK over the image's distinctive filters: as many filters as if each were of one kind
    expected      mean over the classes of the same sum over the class's distinctive filters
    score         +-sqrt(2 (observed ln(observed / expected) - (observed - expected))): the signed root of the
                  likelihood ratio of two Poisson rates, about a normal deviate if the image is as any class     [1]_

Counting alone would always name the largest concepts, *device* for every image: the expectation takes that out. Of
concepts that lie above one another the one with the highest score is shown, of those with the same classes the most
specific.

References
----------
.. [1] Dunning 1993, Accurate Methods for the Statistics of Surprise and Coincidence
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import MIN_IC
from filtag_kg.profile import Profile
from filtag_kg.tags import Rule, contrast_over_classes
from filtag_kg.views import ConceptGraph

_DISTINCTIVE = Rule("q", 0.1, "contrast")
_LEAST_SCORE = 1.0
"""A concept below it is left out: most images have several such by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class CountedConcept:
    """A concept that an image's distinctive filters speak for.

    Parameters
    ----------
    index : int
        Among the concepts of `ConceptCounts`.
    observed, expected : float
        Distinctive filters of the concept, of the image and of the mean class; each filter counts by its share.
    score : float
        The signed root of the likelihood ratio.
    columns : int64 array of shape (n_supporting,)
        The image's distinctive filters that are more of the concept than the mean filter is, among those counted.
    more : float64 array of shape (n_supporting,), in (0, 1]
        How much more.
    """

    index: int
    observed: float
    expected: float
    score: float
    columns: NDArray[np.int64]
    more: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ConceptCounts:
    """The concepts of the last layers' filters.

    Parameters
    ----------
    concepts, labels : tuple of str, of length n_concepts
        IRIs and labels of the concepts above two or more classes and at most a quarter of all.
    below : bool array of shape (n_classes, n_concepts)
    share : float64 array of shape (n_filters, n_concepts)
    expected : float64 array of shape (n_concepts,)
    centre, spread : float64 arrays of shape (n_filters,)
        Mean and standard deviation over the classes; the spread is 0 for filters that treat all classes alike.
    layer_offsets : int64 array
        Where the layers begin among the filters that are counted, and where the last one ends.
    first : int
        The first of these filters in the profile.
    """

    concepts: tuple[str, ...]
    labels: tuple[str, ...]
    below: NDArray[np.bool_]
    share: NDArray[np.float64]
    expected: NDArray[np.float64]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    layer_offsets: NDArray[np.int64]
    first: int

    def distinctive(self, activation: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return the image's distinctive filters, of those counted, given its activations of all filters."""
        contrast = np.zeros_like(self.centre)
        deviation = activation[self.first : self.first + len(self.centre)] - self.centre
        np.divide(deviation, self.spread, out=contrast, where=self.spread > 0)
        selected = _DISTINCTIVE.select_by_layer(contrast[None], self.layer_offsets)[0]
        return np.asarray(selected & (self.spread > 0))

    def of_image(self, activation: NDArray[np.float64], most: int) -> list[CountedConcept]:
        """Return the concepts that an image's distinctive filters speak for, the clearest first."""
        distinctive = np.flatnonzero(self.distinctive(activation))
        observed = self.share[distinctive].sum(axis=0)
        scores = signed_root(observed, self.expected)
        shown: list[CountedConcept] = []
        # Concepts come with the most specific first, which wins where two have the same classes.
        for index in np.argsort(-scores, kind="stable").tolist():
            if len(shown) == most or scores[index] < _LEAST_SCORE:
                break
            if any(self._nested(index, other.index) for other in shown):
                continue
            more = self.more(index)[distinctive]
            shown.append(
                CountedConcept(
                    index=index,
                    observed=float(observed[index]),
                    expected=float(self.expected[index]),
                    score=float(scores[index]),
                    columns=distinctive[more > 0],
                    more=more[more > 0],
                )
            )
        return shown

    def more(self, index: int) -> NDArray[np.float64]:
        """Return how much more each filter is of a concept than the mean filter is: of shape (n_filters,)."""
        return np.asarray(self.share[:, index] - self.share[:, index].mean())

    def _nested(self, one: int, other: int) -> bool:
        first, second = self.below[:, one], self.below[:, other]
        both = first & second
        return bool((both == first).all() or (both == second).all())


def concept_counts(
    profile: Profile, layers: int, graph: ConceptGraph, *, labels: Mapping[str, str] | None = None
) -> ConceptCounts:
    """Count the concepts of the last layers' filters.

    Parameters
    ----------
    layers : int
        How many of the last layers.
    graph : ConceptGraph
        Of the KG. Classes of the profile that it does not have are of no concept.
    labels : mapping of IRI to str, optional
        Labels that replace the graph's.
    """
    offsets = profile.layer_offsets[len(profile.layer_offsets) - layers - 1 :]
    first = int(offsets[0])
    mean = profile.mean[:, first:]
    row_of = {class_id: row for row, class_id in enumerate(profile.class_ids)}
    rows = [row_of.get(class_id) for class_id in graph.class_ids]
    n_classes = len(profile.class_ids)
    columns: dict[str, NDArray[np.bool_]] = {}
    for concept in sorted(graph.classes_below, key=lambda iri: (-len(graph.above.get(iri, ())), iri)):
        members = np.zeros(n_classes, np.bool_)
        members[[row for index in graph.classes_below[concept] if (row := rows[index]) is not None]] = True
        if members.sum() >= 2 and np.log(n_classes / members.sum()) >= MIN_IC - 1e-12:
            columns[concept] = members
    below = np.array(list(columns.values()), np.bool_).reshape(len(columns), n_classes).T
    contrast = contrast_over_classes(mean)
    # Where all classes are alike, the contrast is 0.
    spread = np.where(contrast.any(axis=0), mean.std(axis=0), 0)
    tagged = _DISTINCTIVE.select_by_layer(contrast, offsets - first) & (spread > 0)
    n_tags = tagged.sum(axis=0)[:, None]
    share = (tagged.T.astype(np.float64) @ below) / np.maximum(n_tags, 1)
    names = labels or {}
    return ConceptCounts(
        concepts=tuple(columns),
        labels=tuple(names.get(concept, graph.label(concept)) for concept in columns),
        below=below,
        share=share,
        expected=(tagged.astype(np.float64) @ share).mean(axis=0),
        centre=mean.mean(axis=0),
        spread=spread,
        layer_offsets=offsets - first,
        first=first,
    )


def signed_root(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the signed root of the likelihood ratio of two rates; 0 where nothing is expected.

    >>> signed_root(np.array([4.0, 1.0, 0.0]), np.array([1.0, 1.0, 2.0])).round(3)
    array([ 2.256,  0.   , -2.   ])
    """
    ratio = np.divide(observed, expected, out=np.ones_like(expected), where=(observed > 0) & (expected > 0))
    likelihood = 2 * (observed * np.log(ratio) - (observed - expected))
    root = np.sqrt(np.maximum(likelihood, 0))
    return np.where(expected > 0, np.sign(observed - expected) * root, 0.0)
