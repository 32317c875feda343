"""Hits@n: how often the tags of the filters that an image activates name its class (paper, sections 2.2 and 3.3).

As a rule gives each class its most active filters of a layer, it gives a test image its own. In letters::

    A       the filters that the rule gives to the image, over all layers or in the last alone
    s_c     how many filters of A are tagged with class c
    above   how many classes have s_c > s of the image's own class; tied: how many have as many, itself among them
    hit     P(the own class is among the first n), the tied classes in random order:
            min(1, max(0, (n − above) / tied)), and 0 if its s is 0: a class that no filter of A carries is not ranked

Ties are many: with k = 1 and the last layer alone, all tags of the one filter are tied. The expectation over their
orders is that of McSherry & Najork (2008), "Computing information retrieval performance measures efficiently in the
presence of tied scores".

The null keeps the active filters, and permutes the tag sets over the filters of each layer: how often a class is hit
by as many tags in sets of the same sizes that have nothing to do with what the filters react to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile
from filtag_kg.tags import Rule, TagTable, contrast_to, tag_filters

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    TagMatrix: TypeAlias = csr_array | NDArray[np.integer]

__all__ = ["SCOPES", "Hits", "active_filters", "class_places", "expected_hits", "hits_at_n", "permuted_filters"]

SCOPES = ("all", "last")
"""Whose filters count: those of all layers together, or of the last alone."""

# Bounds the memory of a block of images and their permutations: half a gigabyte, however many images a batch has.
_NUMBERS_AT_ONCE = 2**24
# Of the tag matrices of all rules together.
_DENSE_BYTES = 2**29


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits@n of every rule, scope and n.

    Parameters
    ----------
    rules : tuple of Rule, of length n_rules
    n : tuple of int, of length n_n
        Ascending.
    images : int64 array of shape (n_classes,)
        Test images of each class.
    by_class : float64 array of shape (n_rules, n_scopes, n_n, n_classes), in [0, 1]
        The mean hit over a class's images; NaN for a class without any. Scopes are those of :data:`SCOPES`.
    null : float64 array of shape (n_permutations, n_rules, n_scopes, n_n), in [0, 1]
        The mean hit over all images, for each permutation of the tag sets.
    """

    rules: tuple[Rule, ...]
    n: tuple[int, ...]
    images: NDArray[np.int64]
    by_class: NDArray[np.float64]
    null: NDArray[np.float64]

    @property
    def overall(self) -> NDArray[np.float64]:
        """The mean hit over all images: float64 array of shape (n_rules, n_scopes, n_n)."""
        seen = self.images > 0
        return np.asarray(self.by_class[..., seen] @ self.images[seen] / self.images.sum())


def hits_at_n(
    profile: Profile,
    rules: Sequence[Rule],
    n: Sequence[int],
    observed: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]],
    *,
    permutations: int = 20,
    seed: int = 0,
) -> Hits:
    """Take Hits@n for all rules, scopes and n, in one pass over the test images.

    Parameters
    ----------
    profile : Profile
        What the filters are tagged by.
    rules : sequence of Rule
        Each both tags the filters and chooses those of an image.
    n : sequence of int
        How many classes of the ranking count as a hit.
    observed : iterable of (activations, classes)
        Batches of test images: float64 of shape (n_images, n_filters), and int64 of shape (n_images,), the row of
        each image's own class in the profile.
    permutations : int
        Of the null; 0 for none.
    seed : int
        Of the permutations.

    Returns
    -------
    Hits

    Raises
    ------
    FiltagError
        If an n is below 1 or given twice, a rule is given twice, or there is no image.
    """
    if not n or min(n) < 1 or len(set(n)) != len(n):
        raise FiltagError(f"--n {', '.join(map(str, n)) or '(none)'}: give whole numbers from 1, each once")
    places = np.array(sorted(n), dtype=np.int64)
    tags = tag_filters(profile, rules, network="")
    last = int(profile.layer_offsets[-2])
    tagged = tag_matrices(tags, rules)
    tagged_last = [matrix[last:] for matrix in tagged]
    moved = permuted_filters(profile.layer_offsets, permutations, seed)
    n_classes = len(profile.class_ids)
    images = np.zeros(n_classes, dtype=np.int64)
    sums = np.zeros((n_classes, len(rules), len(SCOPES), len(places)))
    null = np.zeros((permutations, len(rules), len(SCOPES), len(places)))
    for activations, classes in _blocks(observed, moved.size):
        np.add.at(images, classes, 1)
        truth = np.tile(classes, len(moved))
        ranked = active_filters(profile, rules, activations)
        for place, rule in enumerate(rules):
            # The last layer's filters stand last among those of the image.
            n_last = rule.filters_kept(profile.mean.shape[1] - last)
            active = moved[:, ranked[place]].reshape(len(truth), -1)
            for scope, (chosen, matrix) in enumerate(
                ((active, tagged[place]), (active[:, -n_last:] - last, tagged_last[place]))
            ):
                hits = expected_hits(*class_places(_counts(chosen, matrix), truth), places)
                hits = hits.reshape(len(moved), len(classes), len(places))
                np.add.at(sums[:, place, scope], classes, hits[0])
                null[:, place, scope] += hits[1:].sum(axis=1)
    if not images.sum():
        raise FiltagError("no test image could be read: mend the images")
    seen = np.where(images > 0, images, np.nan)
    return Hits(
        rules=tuple(rules),
        n=tuple(places.tolist()),
        images=images,
        by_class=np.moveaxis(sums / seen[:, None, None, None], 0, -1),
        null=null / images.sum(),
    )


def active_filters(
    profile: Profile, rules: Sequence[Rule], activations: NDArray[np.float64]
) -> list[NDArray[np.int32]]:
    """Return the filters that each rule gives to each image, as it gives a class its own.

    Parameters
    ----------
    profile : Profile
    rules : sequence of Rule
    activations : float64 array of shape (n_images, n_filters)

    Returns
    -------
    list of int32 array of shape (n_images, n_active)
        For each rule, columns of the profile: layer by layer, of each the best first; of equal scores the lower
        filter index comes first. By a contrast rule, filters are ranked by their contrast to the profile.
    """
    found: dict[Rule, list[NDArray[np.int32]]] = {rule: [] for rule in rules}
    for score in sorted({rule.score for rule in rules}):
        values = activations if score == "activation" else contrast_to(profile, activations)
        for start, stop in pairwise(profile.layer_offsets.tolist()):
            order = np.argsort(-values[:, start:stop], axis=1, kind="stable").astype(np.int32) + np.int32(start)
            for rule, parts in found.items():
                if rule.score == score:
                    parts.append(order[:, : rule.filters_kept(stop - start)])
    return [np.concatenate(found[rule], axis=1) for rule in rules]


def tag_matrices(tags: TagTable, rules: Sequence[Rule]) -> list[TagMatrix]:
    """Return which classes tag which filters by each rule: whole numbers of shape (n_filters, n_classes), 1 or 0.

    Small numbers, so that products are fast, yet large enough to count all filters; dense where memory allows, since
    a dense product costs the same however many tags the active filters have.
    """
    from scipy.sparse import csr_array

    offsets = np.cumsum([0, *tags.n_filters])
    shape = (int(offsets[-1]), len(tags.class_ids))
    number = np.dtype(np.int16 if shape[0] < 2**15 else np.int32)
    found = []
    for rule in rules:
        of_rule = tags.of_rule(str(rule))
        ones = np.ones(len(of_rule), dtype=number)
        found.append(csr_array((ones, (offsets[of_rule.layer] + of_rule.filter, of_rule.class_)), shape=shape))
    if shape[0] * shape[1] * number.itemsize * len(rules) > _DENSE_BYTES:
        return list(found)
    return [matrix.toarray() for matrix in found]


def permuted_filters(layer_offsets: NDArray[np.int64], permutations: int, seed: int) -> NDArray[np.int32]:
    """Return the filter whose tags each filter gets: int32 array of shape (permutations + 1, n_filters).

    The first row leaves every filter its own; in the others the filters of each layer are shuffled.
    """
    generator = np.random.default_rng(seed)
    moved = np.tile(np.arange(layer_offsets[-1], dtype=np.int32), (permutations + 1, 1))
    for start, stop in pairwise(layer_offsets.tolist()):
        moved[1:, start:stop] = generator.permuted(moved[1:, start:stop], axis=1)
    return moved


def class_places(
    counts: NDArray[np.integer], classes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each image's class stands when classes are ranked by count.

    Parameters
    ----------
    counts : integer array of shape (n_images, n_classes)
        Active filters tagged with each class.
    classes : int64 array of shape (n_images,)

    Returns
    -------
    above, tied : int64 array of shape (n_images,)
        Classes with a higher count, and with the same, the class itself among them; 0 are tied where its count
        is 0.
    """
    own = counts[np.arange(len(classes)), classes][:, None]
    tied = np.where(own[:, 0] > 0, np.count_nonzero(counts == own, axis=1), 0)
    return np.count_nonzero(counts > own, axis=1), tied


def expected_hits(above: NDArray[np.int64], tied: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the expected hit of each image for each n.

    >>> expected_hits(np.array([0, 3, 3]), np.array([1, 4, 0]), np.array([1, 5, 10])).tolist()
    [[1.0, 1.0, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.0]]

    Parameters
    ----------
    above, tied : int64 array of shape (n_images,)
        From :func:`class_places`.
    n : int64 array of shape (n_n,)

    Returns
    -------
    float64 array of shape (n_images, n_n), in [0, 1]
    """
    hits = np.clip((n - above[:, None]) / np.maximum(tied, 1)[:, None], 0, 1)
    return np.where(tied[:, None] > 0, hits, 0.0)


def _blocks(
    observed: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]], per_image: int
) -> Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Cut batches so that `per_image` numbers for each image fit into memory at once."""
    most = max(1, _NUMBERS_AT_ONCE // per_image)
    for activations, classes in observed:
        for start in range(0, len(classes), most):
            yield activations[start : start + most], classes[start : start + most]


def _counts(active: NDArray[np.int32], tagged: TagMatrix) -> NDArray[np.integer]:
    """Count for each image the active filters that each class tags: whole numbers of shape (n_images, n_classes)."""
    from scipy.sparse import csr_array

    n_images, n_active = active.shape
    ones = np.ones(active.size, dtype=tagged.dtype)
    ends = np.arange(0, active.size + 1, n_active, dtype=np.int32)
    images = csr_array((ones, active.ravel(), ends), shape=(n_images, tagged.shape[0]))
    counts = images @ tagged
    return counts if isinstance(counts, np.ndarray) else np.asarray(counts.toarray())
