"""Scores of labels: how well the images that a label stands for are those that activate a filter.

::

    a      activations of a filter for n images; y is 1 for the K images that the label stands for, else 0
    r      correlation: Pearson's of a and y
    cos    cosine: a . y / (|a| |y|)
    AUPRC  average precision: over the images with y = 1, the mean of (images with y = 1 that activate the filter at
           least as much) / (images that do). Ties count as one block
    F1     of "among the K images that activate the filter most" as a prediction of y: as many images are predicted as
           there are, so F1, precision and recall are one number. The expected one where order among ties is random
    IoU    of the same two sets of images: F1 / (2 - F1)
    AUC    the chance that an image with y = 1 activates the filter more than one with y = 0, ties counting half

Of 18 scores in use, Oikarinen et al. [1]_ find that five notice when half of a label's images are taken from it, or as
many wrong ones are added: correlation, cosine, AUPRC, F1 and IoU. AUC does not notice wrong ones if they are few among
many; it stands beside the five because people know how to read it. Their AUPRC swaps the roles: activations are
cut into 0 and 1, and the label is a probability that ranks the images. Where labels are 0 or 1 themselves, as
here, that would be a curve of two points, so the activations rank the images.

A filter that all images activate alike says nothing: its correlation is 0, its other scores are those of chance.

References
----------
.. [1] Oikarinen, Yan & Weng 2025, Evaluating Neuron Explanations: A Unified Framework with Sanity Checks, ICML
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

_MOST_VALUES = 4_000_000
"""Activations that are ranked at a time: a few hundred megabytes with all that is computed from them."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelScores:
    """The scores of labels on filters: float64 arrays of shape (n_filters, n_labels), all but `correlation` in [0, 1].

    The fields are in the order in which tables show them.
    """

    correlation: NDArray[np.float64]
    cosine: NDArray[np.float64]
    auprc: NDArray[np.float64]
    f1: NDArray[np.float64]
    iou: NDArray[np.float64]
    auc: NDArray[np.float64]


SCORES = tuple(field.name for field in fields(LabelScores))
"""Names of the scores."""


def label_scores(activations: NDArray[np.floating], positives: NDArray[np.bool_]) -> LabelScores:
    """Score every label on every filter.

    Parameters
    ----------
    activations : float array of shape (n_filters, n_images)
    positives : bool array of shape (n_labels, n_images)
        The images that each label stands for; neither none nor all of them.

    Raises
    ------
    ValueError
        If a label stands for no image, or for all.
    """
    counts = positives.sum(axis=1)
    n_filters, n_images = activations.shape
    if ((counts == 0) | (counts == n_images)).any():
        raise ValueError("a label can only be scored on images of both kinds")
    scores = LabelScores(*np.zeros((len(SCORES), n_filters, len(positives))))
    step = max(1, _MOST_VALUES // max(n_images, 1))
    for start in range(0, n_filters, step):
        rows = slice(start, start + step)
        _score(activations[rows].astype(np.float64), positives, counts, rows, scores)
    return scores


def _score(
    a: NDArray[np.float64],
    positives: NDArray[np.bool_],
    counts: NDArray[np.int64],
    rows: slice,
    scores: LabelScores,
) -> None:
    """Write the scores of some filters into their rows."""
    n_images = a.shape[1]
    y = positives.T.astype(np.float64)
    varied = a.min(axis=1) < a.max(axis=1)
    centred = np.where(varied[:, np.newaxis], a - a.mean(axis=1, keepdims=True), 0.0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    length = np.sqrt((a**2).sum(axis=1, keepdims=True))
    scores.correlation[rows] = _ratio(centred @ y, spread * np.sqrt(counts * (1 - counts / n_images)))
    scores.cosine[rows] = _ratio(a @ y, length * np.sqrt(counts))
    lowest, highest, ordered = _ranks(a)
    rank_sums = ((lowest + highest) / 2.0) @ y
    scores.auc[rows] = (rank_sums - counts * (counts + 1) / 2) / (counts * (n_images - counts))
    # The number of images that activate the filter at least as much as each image does.
    at_least = (n_images + 1 - lowest).astype(np.int32)
    for label, members in enumerate(positives):
        scores.auprc[rows, label] = _average_precision(at_least[:, members])
    for count in np.unique(counts).tolist():
        same = np.flatnonzero(counts == count)
        scores.f1[rows, same] = _share_of_top(a, ordered[:, n_images - count], y[:, same], count)
    scores.iou[rows] = scores.f1[rows] / (2 - scores.f1[rows])


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _ranks(a: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the first and last rank of each value among those of its row, from 1, and the rows in order."""
    order = np.argsort(a, axis=1, kind="stable")
    ordered = np.take_along_axis(a, order, axis=1)
    n = a.shape[1]
    ranks = np.arange(1, n + 1)
    rises = ordered[:, 1:] != ordered[:, :-1]
    edge = np.ones((len(a), 1), dtype=np.bool_)
    first = np.maximum.accumulate(np.where(np.hstack([edge, rises]), ranks, 0), axis=1)
    last = np.where(np.hstack([rises, edge]), ranks, n)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    lowest, highest = np.empty_like(order), np.empty_like(order)
    np.put_along_axis(lowest, order, first, axis=1)
    np.put_along_axis(highest, order, last, axis=1)
    return lowest, highest, ordered


def _average_precision(at_least: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the average precision of each filter.

    Parameters
    ----------
    at_least : int32 array of shape (n_filters, K)
        For each image of the label, how many images activate the filter as much or more.
    """
    at_least = np.sort(at_least, axis=1)
    n = at_least.shape[1]
    hits = np.arange(1, n + 1)
    last = np.hstack([at_least[:, 1:] != at_least[:, :-1], np.ones((len(at_least), 1), dtype=np.bool_)])
    if not last.all():
        hits = np.minimum.accumulate(np.where(last, hits, n)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((hits / at_least).mean(axis=1))


def _share_of_top(
    a: NDArray[np.float64], threshold: NDArray[np.float64], y: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return which share of the `count` images that activate a filter most are the labels', (n_filters, n_labels)."""
    above, level = a > threshold[:, np.newaxis], a == threshold[:, np.newaxis]
    # Of the images that are level with the last place, as many are in as there is room for.
    room = (count - above.sum(axis=1)) / level.sum(axis=1)
    # float32: counts below 2^24 stay exact, and its products are fast.
    ones = y.astype(np.float32)
    hits = (above.astype(np.float32) @ ones) + room[:, np.newaxis] * (level.astype(np.float32) @ ones)
    return np.asarray(hits / count)
