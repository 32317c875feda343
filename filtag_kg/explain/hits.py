"""Hits@n: how often the tags of the filters that an image activates name its class (paper, sections 2.2 and 3.3).

A rule selects the most active filters of a layer for each class, and in the same way for a test image. In letters::

    A       the filters that the rule selects for the image, over all layers or in the last alone
    s_c     how many filters of A are tagged with class c
    above   how many classes have a larger s than the image's own class
    tied    how many classes have the same s, the own class among them
    hit     P(the own class is among the first n), the tied classes in random order:
            min(1, max(0, (n − above) / tied)), and 0 if its s is 0: a class that tags no filter of A is not ranked

Ties are many: with k = 1 and the last layer alone, all tags of the one filter are tied. The expectation over their
orders follows McSherry & Najork (2008), "Computing information retrieval performance measures efficiently in the
presence of tied scores".

The null permutes the images' labels and keeps everything else: how often do the tags of the filters that an image
activates name the class of another image? A filter that is active for every image is active for that one, too, so its
tags hit by the same chance. Moving tag sets to other filters would destroy that chance, and report it as a finding.
The mean over all permutations is exact and needs no draw::

    null    1/N² · the sum over images d and e of the hit of d if its class were e's
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile
from filtag_kg.tags import Rule, TagTable, contrast_to, tag_filters

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    TagMatrix: TypeAlias = csr_array | NDArray[np.integer]

SCOPES = ("all", "last")
"""Which filters count: those of all layers together, or of the last alone."""

# Bounds the memory of a block of images: a few arrays of 32 MB, however large a batch is.
_NUMBERS_AT_ONCE = 2**22
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
    by_label : float64 array of shape (n_rules, n_scopes, n_n, n_classes), in [0, 1]
        The mean hit over all images if all were of that class.
    null : float64 array of shape (n_permutations, n_rules, n_scopes, n_n), in [0, 1]
        The mean hit over all images, for each random permutation of their labels.
    by_image : float64 array of shape (n_images, n_rules, n_scopes, n_n), in [0, 1]
        The hit of each image, in the order in which they came; one with several labels has a row for each.
    """

    rules: tuple[Rule, ...]
    n: tuple[int, ...]
    images: NDArray[np.int64]
    by_class: NDArray[np.float64]
    by_label: NDArray[np.float64]
    null: NDArray[np.float64]
    by_image: NDArray[np.float64]

    @property
    def overall(self) -> NDArray[np.float64]:
        """The mean hit over all images: float64 array of shape (n_rules, n_scopes, n_n)."""
        tested = self.images > 0
        return np.asarray(self.by_class[..., tested] @ self.images[tested] / self.images.sum())

    @property
    def expected(self) -> NDArray[np.float64]:
        """The mean of `null` over all possible permutations: float64 array of shape (n_rules, n_scopes, n_n)."""
        return np.asarray(self.by_label @ self.images / self.images.sum())


def hits_at_n(
    profile: Profile,
    rules: Sequence[Rule],
    n: Sequence[int],
    observed: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]],
    *,
    labels: NDArray[np.int64] | None = None,
    permutations: int = 20,
    seed: int = 0,
) -> Hits:
    """Compute Hits@n for all rules, scopes and n, in one pass over the test images.

    Parameters
    ----------
    profile : Profile
        What the filters are tagged by.
    rules : sequence of Rule
        Each both tags the filters and selects those of an image.
    n : sequence of int
        How many classes of the ranking count as a hit.
    observed : iterable of (activations, classes)
        Batches of test images: float64 of shape (n_images, n_filters), and int64 of shape (n_images,), the row of
        each image's own class in the profile.
    labels : int64 array of shape (n_images,), optional
        The classes of all images, in any order; left out, all batches are kept in memory. Images that turn out to be
        unreadable may be among them.
    permutations : int
        Of the labels, for the spread of the null; 0 for no null.
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
        raise FiltagError(
            f"n={', '.join(map(str, n)) or '(none)'}: give whole numbers from 1, each once", options=("n",)
        )
    cutoffs = tuple(sorted(n))
    if labels is None:
        observed = list(observed)
        labels = np.concatenate([classes for _, classes in observed]) if observed else np.zeros(0, dtype=np.int64)
    tagged = tag_matrices(tag_filters(profile, rules, network=profile.metadata.get("identifier", "network")), rules)
    last = int(profile.layer_offsets[-2])
    n_classes = len(profile.class_ids)
    # The start of a random permutation is itself random, so it does not matter how many images are unreadable.
    permuted = np.random.default_rng(seed).permuted(np.tile(labels.astype(np.int32), (permutations, 1)), axis=1)
    images = np.zeros(n_classes, dtype=np.int64)
    shape = (len(rules), len(SCOPES), len(cutoffs))
    by_label = np.zeros((n_classes, *shape))
    by_image = np.zeros((len(labels), *shape))
    null = np.zeros((permutations, *shape))
    classes_of: list[NDArray[np.int64]] = []
    done = 0
    for activations, classes in _blocks(observed, n_classes):
        np.add.at(images, classes, 1)
        rows = np.arange(len(classes))
        block = slice(done, done + len(classes))
        permuted_classes = permuted[:, block]
        done = block.stop
        classes_of.append(classes)
        scores = {"activation": activations}
        if any(rule.score == "contrast" for rule in rules):
            scores["contrast"] = contrast_to(profile, activations)
        for rule_index, (rule, matrix) in enumerate(zip(rules, tagged, strict=True)):
            active = rule.select_by_layer(scores[rule.score], profile.layer_offsets)
            for scope_index, first in enumerate((0, last)):
                above, tied = class_ranks(_counts(active[:, first:], matrix[first:]))
                for n_index, cutoff in enumerate(cutoffs):
                    hits = expected_hits(above, tied, cutoff)
                    by_image[block, rule_index, scope_index, n_index] = hits[rows, classes]
                    by_label[:, rule_index, scope_index, n_index] += hits.sum(axis=0)
                    null[:, rule_index, scope_index, n_index] += hits[rows, permuted_classes].sum(axis=1)
    if not images.sum():
        raise FiltagError("no test image could be read: mend the images")
    by_class = np.zeros_like(by_label)
    np.add.at(by_class, np.concatenate(classes_of), by_image[:done])
    images_or_nan = np.where(images > 0, images, np.nan)
    return Hits(
        rules=tuple(rules),
        n=cutoffs,
        images=images,
        by_class=np.moveaxis(by_class / images_or_nan[:, None, None, None], 0, -1),
        by_label=np.moveaxis(by_label / images.sum(), 0, -1),
        null=null / images.sum(),
        by_image=by_image[:done],
    )


def tag_matrices(tags: TagTable, rules: Sequence[Rule]) -> list[TagMatrix]:
    """Return which classes tag which filters by each rule: whole numbers of shape (n_filters, n_classes), 1 or 0.

    The integers are small, so products are fast, yet large enough to count all filters. The matrices are dense where
    memory allows: a dense product costs the same however many tags the active filters have.
    """
    from scipy.sparse import csr_array

    offsets = np.cumsum([0, *tags.n_filters])
    shape = (int(offsets[-1]), len(tags.class_ids))
    number = np.dtype(np.int16 if shape[0] < 2**15 else np.int32)
    matrices = []
    for rule in rules:
        rule_tags = tags.of_rule(str(rule))
        ones = np.ones(len(rule_tags), dtype=number)
        columns = offsets[rule_tags.layer] + rule_tags.filter
        matrices.append(csr_array((ones, (columns, rule_tags.class_)), shape=shape))
    if shape[0] * shape[1] * number.itemsize * len(rules) > _DENSE_BYTES:
        return list(matrices)
    return [matrix.toarray() for matrix in matrices]


def class_ranks(counts: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank an image's classes by count.

    Parameters
    ----------
    counts : integer array of shape (n_images, n_classes)
        Active filters tagged with each class.

    Returns
    -------
    above, tied : int64 array of shape (n_images, n_classes)
        How many classes have a higher count, and the same, the class itself among them; `tied` is 0 for a count of 0.
    """
    n_images, n_classes = counts.shape
    # One sorted sequence for all images: the counts of each are raised above those of the one before.
    start = np.arange(n_images)[:, None] * (int(counts.max(initial=0)) + 1)
    raised = counts.astype(np.int64) + start
    in_order = np.sort(raised, axis=1).ravel()
    n_lower, n_up_to = (
        np.searchsorted(in_order, raised.ravel(), side).reshape(raised.shape) for side in ("left", "right")
    )
    above = np.arange(1, n_images + 1)[:, None] * n_classes - n_up_to
    return above, np.where(counts > 0, n_up_to - n_lower, 0)


def expected_hits(above: NDArray[np.int64], tied: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Return the expected hit in random order of ties.

    >>> [expected_hits(np.array([0, 3, 3]), np.array([1, 4, 0]), n).tolist() for n in (1, 5, 10)]
    [[1.0, 0.0, 0.0], [1.0, 0.5, 0.0], [1.0, 1.0, 0.0]]

    Parameters
    ----------
    above, tied : int64 array of any shape
        From :func:`class_ranks`.

    Returns
    -------
    float64 array of the same shape, in [0, 1]
    """
    return np.where(tied > 0, np.clip((n - above) / np.maximum(tied, 1), 0, 1), 0.0)


def _blocks(
    observed: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]], per_image: int
) -> Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Cut batches so that `per_image` numbers for each image fit into memory."""
    size = max(1, _NUMBERS_AT_ONCE // per_image)
    for activations, classes in observed:
        for start in range(0, len(classes), size):
            yield activations[start : start + size], classes[start : start + size]


def _counts(active: NDArray[np.bool_], tagged: TagMatrix) -> NDArray[np.integer]:
    """Count for each image the active filters that each class tags.

    Parameters
    ----------
    active : bool array of shape (n_images, n_filters)
    tagged : whole numbers of shape (n_filters, n_classes)

    Returns
    -------
    integer array of shape (n_images, n_classes)
    """
    from scipy.sparse import csr_array

    n_images, n_filters = active.shape
    filters = np.flatnonzero(active) % n_filters
    ends = np.cumsum([0, *np.count_nonzero(active, axis=1)])
    counts = csr_array((np.ones(len(filters), dtype=tagged.dtype), filters, ends), shape=(n_images, n_filters)) @ tagged
    return counts if isinstance(counts, np.ndarray) else np.asarray(counts.toarray())
