from __future__ import annotations

import numpy as np
from scipy.stats import mannwhitneyu

from filtag_kg.explain.concept_induction import activating, mann_whitney_p, tie_sums
from filtag_kg.explain.label_scores import label_scores


def test_an_image_activates_a_filter_from_halfway_up() -> None:
    activations = np.array([[0.0, 0.5, 0.51, 1.0], [0.4, 0.5, 0.6, 0.5], [0.3, 0.3, 0.3, 0.3]])
    assert activating(activations).tolist() == [
        [False, False, True, True],
        [False, False, True, False],
        [False, False, False, False],
    ]


def test_the_u_test_is_scipys() -> None:
    rng = np.random.default_rng(0)
    activations = rng.random((6, 50))
    activations[1:4] = activations[1:4].round(1)
    positives = rng.random((4, 50)) < 0.3
    auc = label_scores(activations, positives).auc
    ties = tie_sums(activations)
    for f, a in enumerate(activations):
        for label, y in enumerate(positives):
            found = mann_whitney_p(auc[f, [label]], y.sum(keepdims=True), 50, ties[[f]])
            expected = mannwhitneyu(a[y], a[~y], alternative="greater", method="asymptotic").pvalue
            np.testing.assert_allclose(found[0], expected, rtol=1e-9)


def test_all_images_tied_is_no_evidence() -> None:
    same = np.full((1, 10), 0.5)
    assert mann_whitney_p(np.array([0.5]), np.array([3]), 10, tie_sums(same)).tolist() == [1.0]
