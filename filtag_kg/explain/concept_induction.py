"""The protocol of concept induction for one label: how many of its images activate the filter, and how many others do.

::

    activates   more than halfway from the filter's lowest to its highest activation for any of the images
    target      share of the label's images that activate the filter; other: of the other images
    U test      Mann and Whitney's: the chance of ranks as high as those of the label's images, if they were
                ranks of random images; by the normal approximation, with ties and continuity corrected, one-sided

Dalal et al. [1]_ [2]_ collect images for a label from the web, call it confirmed if 80 % of them activate the neuron,
and compare target and other images with a Mann-Whitney test. They take images as activating a neuron from half of its
highest activation when they look for labels, and from any activation above 0 when they confirm them. After the
scaling of a layer, the mean over a feature map is hardly ever 0, so here half is the line for both; the lowest
activation stands for their 0, which a filter without ReLU does not have.

The images of a class are not independent, so p is far too small as evidence about a label. It is there to compare with
the papers; what decides is `filtag_kg.explain.label_tests`.

References
----------
.. [1] Dalal et al. 2023, Understanding CNN Hidden Neuron Activations Using Structured Background Knowledge and
       Deductive Reasoning
.. [2] Dalal et al. 2024, On the Value of Labeled Data and Symbolic Methods for Hidden Neuron Activation Analysis
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def activating(activations: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which images activate which filter: bool array of shape (n_filters, n_images), as the activations."""
    lowest, highest = activations.min(axis=1, keepdims=True), activations.max(axis=1, keepdims=True)
    return np.asarray(activations > (lowest + highest) / 2)


def tie_sums(activations: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the sum of t³ − t over the sets of t tied images of each filter, of shape (n_filters,)."""
    ordered = np.sort(activations, axis=1)
    sums = np.zeros(len(ordered))
    for row, rises in enumerate(ordered[:, 1:] != ordered[:, :-1]):
        ends = np.flatnonzero(np.concatenate([[True], rises, [True]]))
        ties = np.diff(ends).astype(np.float64)
        sums[row] = (ties**3 - ties).sum()
    return sums


def mann_whitney_p(
    auc: NDArray[np.float64], n_positives: NDArray[np.int64], n_images: int, ties: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the one-sided p-value of U tests that were computed as areas under ROC curves.

    Parameters
    ----------
    auc, n_positives, ties : array of shape (n_labels,)
        `ties` as `tie_sums` returns them, of the filter that each label is about.
    """
    from scipy.special import ndtr

    n_others = n_images - n_positives
    products = n_positives * n_others
    variance = products / 12 * (n_images + 1 - ties / (n_images * max(n_images - 1, 1)))
    excess = products * (auc - 0.5) - 0.5
    # All images tied: there is nothing to test.
    z = np.divide(excess, np.sqrt(variance), out=np.full(auc.shape, -np.inf), where=variance > 1e-9)
    return np.asarray(ndtr(-z))
