"""How much the filters of the last layers speak for each class, and how often that is so by chance.

::

    l_c         log-likelihood of the image's activations under class c (`likelihoods`)
    log_ratio   l_c - ln mean_{c' != c} exp(l_c'): for class c against the mix of the others, in nats
    score       log_ratio / standard deviation of l over the image's classes. An image may activate everything more than
                others do; what it does to all classes alike cancels. Fewer than ten classes have no spread to
                speak of: then score = log_ratio
    rank        expected rank of c by l, ties in random order
    p_value     (1 + reference images of other classes with as high a score for c) / (1 + reference images of other
                classes): how often a class that an image is not looks as convincing. Exact, if an image is as any other
                of the classes that it may be of                                                       [1]_
    confidence  of the 100 pairs of a reference image and a class whose score is nearest, the share in which the image
                is of the class

Reference images are in the profile, so each is judged by its own classes as if it had not been in them.

Which layers are used is tried on the reference images: the last one, the last two, and so on, as far as the profile
keeps their activations and until two more in a row have not helped. Those are taken that put the class of most images
first; of equals, the fewest.

References
----------
.. [1] Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World, section 2.2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.explain.likelihoods import ClassLikelihoods, class_likelihoods
from filtag_kg.explain.support import expected_ranks
from filtag_kg.profile import Profile

LEVEL = 0.05
LEAST_REFERENCES = 100
_NEAREST = LEAST_REFERENCES
_LEAST_CLASSES = 10
_PATIENCE = 2


@dataclass(frozen=True, slots=True)
class ClassEvidence:
    """How much the filters speak for a class.

    Parameters
    ----------
    log_ratio : float
        Log-likelihood ratio of the class against the mix of the others, in nats.
    score : float
        The same in standard deviations over the classes.
    rank : float
        Among all classes, ties in random order.
    classes : int
        Classes of the profile.
    p_value : float, in (0, 1], or None
        How often a class that an image is not looks as convincing; None with fewer than 19 reference images of other
        classes, of which no p-value is as low as 0.05.
    confidence : float, in [0, 1], or None
        How often a class that looks so convincing is right; None with fewer than 100 reference images.
    """

    class_id: str
    label: str
    log_ratio: float
    score: float
    rank: float
    classes: int
    p_value: float | None
    confidence: float | None

    @property
    def supported(self) -> bool:
        """Whether it is more convincing than 95 % of the classes that an image is not; without references, if first."""
        return self.rank == 1 if self.p_value is None else self.p_value <= LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceModel:
    """What the evidence of a profile's filters is computed from.

    Parameters
    ----------
    class_ids, class_labels : tuple of str, of length n_classes
    layers : tuple of str
        The last layers, which are used, in forward order.
    hits : tuple of float
        How many of the reference images have their class first by the last layer, the last two layers and so on.
    likelihoods : tuple of ClassLikelihoods
        Of those layers.
    reference_classes : bool array of shape (n_references, n_classes)
    reference_scores : float64 array of shape (n_references, n_classes)
    has_variances : bool
        Whether the profile tells how much the images of a class differ.
    """

    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    layers: tuple[str, ...]
    hits: tuple[float, ...]
    likelihoods: tuple[ClassLikelihoods, ...]
    reference_classes: NDArray[np.bool_]
    reference_scores: NDArray[np.float64]
    has_variances: bool
    _pairs: list[tuple[NDArray[np.float64], NDArray[np.bool_]]] = field(default_factory=list)

    @property
    def n_references(self) -> int:
        """Images that others are compared with."""
        return len(self.reference_scores)

    @property
    def columns(self) -> NDArray[np.int64]:
        """The filters that are used, by their column in the profile."""
        return np.concatenate([layer.columns for layer in self.likelihoods])

    def log_likelihoods(self, activations: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return l_c of images: float64 array of shape (n_images, n_classes)."""
        parts = [layer.log_likelihoods(layer.units(activations)) for layer in self.likelihoods]
        return np.asarray(np.sum(parts, axis=0))

    def by_filter(self, activation: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return l_ci of one image: float64 array of shape (n_classes, n_used)."""
        return np.hstack([layer.by_filter(layer.units(activation[None])) for layer in self.likelihoods])

    def units(self, activation: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return how far one image's activations are from the centre, in standard deviations: of shape (n_used,)."""
        return np.hstack([layer.units(activation[None])[0] for layer in self.likelihoods])

    def judged(
        self, log_likelihoods: NDArray[np.float64], class_indices: Sequence[int], labels: Sequence[str] | None = None
    ) -> list[ClassEvidence]:
        """Return the evidence for some classes.

        Parameters
        ----------
        log_likelihoods : float64 array of shape (n_classes,)
            Of one image.
        labels : sequence of str, of length n_classes, optional
            Instead of the profile's.
        """
        ratios = log_ratios(log_likelihoods[None])[0]
        scores = standardised(log_likelihoods[None])[0]
        ranks = expected_ranks(log_likelihoods)
        labels = labels or self.class_labels
        return [
            ClassEvidence(
                class_id=self.class_ids[index],
                label=labels[index],
                log_ratio=float(ratios[index]),
                score=float(scores[index]),
                rank=float(ranks[index]),
                classes=len(ranks),
                p_value=self.p_value(index, float(scores[index])),
                confidence=self._confidence(float(scores[index])),
            )
            for index in class_indices
        ]

    def p_value(self, class_index: int, score: float) -> float | None:
        """Return how often a class that an image is not looks as convincing; None if too few images tell."""
        others = self.reference_scores[~self.reference_classes[:, class_index], class_index]
        if (1 + len(others)) * LEVEL < 1:
            return None
        return float((1 + (others >= score).sum()) / (1 + len(others)))

    def _confidence(self, score: float) -> float | None:
        if self.n_references < _NEAREST:
            return None
        if not self._pairs:
            order = np.argsort(self.reference_scores, axis=None, kind="stable")
            self._pairs.append((self.reference_scores.ravel()[order], self.reference_classes.ravel()[order]))
        scores, right = self._pairs[0]
        # The nearest are neighbours: of a window of twice as many around the score, take the nearest.
        middle = int(np.searchsorted(scores, score))
        window = slice(max(0, middle - _NEAREST), middle + _NEAREST)
        nearest = np.argsort(np.abs(scores[window] - score), kind="stable")[:_NEAREST]
        return float(right[window][nearest].mean())


def evidence_model(profile: Profile) -> EvidenceModel | None:
    """Return what the evidence of a profile's filters is computed from; None if it says nothing of classes.

    Parameters
    ----------
    profile : Profile
        With variances and references, as far as it has them.
    """
    if len(profile.class_ids) < 2:
        return None
    references, offsets = profile.references, profile.layer_offsets.tolist()
    if references is not None and not len(references.names):
        references = None
    first_kept = offsets[-2] if references is None else offsets[-1] - references.activations.shape[1]
    layers: list[ClassLikelihoods] = []
    names: list[str] = []
    chosen, best, hits = 1, -1.0, []
    sums = np.zeros((0 if references is None else len(references.names), len(profile.class_ids)), np.float64)
    scores = sums
    for layer in range(len(offsets) - 2, -1, -1):
        if offsets[layer] < first_kept or len(layers) >= chosen + _PATIENCE:
            break
        likelihoods = class_likelihoods(profile, slice(offsets[layer], offsets[layer + 1]))
        layers.insert(0, likelihoods)
        names.insert(0, profile.layer_names[layer])
        if references is None:
            continue
        units = likelihoods.units(references.activations, first=first_kept)
        sums = sums + likelihoods.left_out(units, references.classes, likelihoods.log_likelihoods(units))
        hits.append(float(np.take_along_axis(references.classes, sums.argmax(axis=1)[:, None], axis=1).mean()))
        if hits[-1] > best:
            chosen, best, scores = len(layers), hits[-1], standardised(sums)
    layers, names = layers[len(layers) - chosen :], names[len(names) - chosen :]
    if not any(len(layer.columns) for layer in layers):
        return None
    return EvidenceModel(
        class_ids=profile.class_ids,
        class_labels=profile.class_labels,
        layers=tuple(names),
        hits=tuple(hits),
        likelihoods=tuple(layers),
        reference_classes=np.zeros(sums.shape, np.bool_) if references is None else references.classes,
        reference_scores=scores,
        has_variances=profile.variance is not None,
    )


def log_ratios(log_likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of each class against the mix of the others.

    Parameters
    ----------
    log_likelihoods : float64 array of shape (n_images, n_classes)
        Of two classes or more.

    Returns
    -------
    float64 array of the same shape

    >>> log_ratios(np.array([[0.0, -2.0], [5.0, 5.0]]))
    array([[ 2., -2.],
           [ 0.,  0.]])
    """
    best = log_likelihoods.argmax(axis=1)[:, None]
    largest = np.take_along_axis(log_likelihoods, best, axis=1)
    shares = np.exp(log_likelihoods - largest)
    np.put_along_axis(shares, best, 0, axis=1)
    # Of the best class, the others are summed without it; subtracting it from the sum would leave rounding.
    rest = log_likelihoods.copy()
    np.put_along_axis(rest, best, -np.inf, axis=1)
    second = rest.max(axis=1, keepdims=True)
    of_best = second + np.log(np.exp(rest - second).sum(axis=1, keepdims=True))
    of_others = largest + np.log1p(shares.sum(axis=1, keepdims=True) - shares)
    np.put_along_axis(of_others, best, of_best, axis=1)
    return np.asarray(log_likelihoods - of_others + np.log(log_likelihoods.shape[1] - 1))


def standardised(log_likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores: the log ratios in standard deviations over the image's classes, if there are ten or more."""
    ratios = log_ratios(log_likelihoods)
    if log_likelihoods.shape[1] < _LEAST_CLASSES:
        return ratios
    spread = log_likelihoods.std(axis=1, keepdims=True)
    return np.asarray(np.divide(ratios, spread, out=np.zeros_like(ratios), where=spread > 0))
