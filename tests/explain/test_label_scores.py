from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from filtag_kg.explain.label_scores import SCORES, label_scores

Floats = NDArray[np.float64]


def scored(activations: Floats, positives: NDArray[np.bool_]) -> dict[str, float]:
    scores = label_scores(activations[np.newaxis], positives[np.newaxis])
    return {name: float(getattr(scores, name)[0, 0]) for name in SCORES}


def slowly(a: Floats, y: NDArray[np.bool_]) -> dict[str, float]:
    """Each score from its definition, one pair at a time."""
    k, n = int(y.sum()), len(a)
    pairs = [(p > o) + (p == o) / 2 for p in a[y] for o in a[~y]]
    above = [((a >= each) & y).sum() / (a >= each).sum() for each in a[y]]
    threshold = np.sort(a)[::-1][k - 1]
    level = a == threshold
    share = (k - (a > threshold).sum()) / level.sum()
    f1 = (((a > threshold) & y).sum() + share * (level & y).sum()) / k
    constant = a.min() == a.max()
    return {
        "correlation": 0.0 if constant else float(np.corrcoef(a, y)[0, 1]),
        "cosine": float(a @ y / (np.linalg.norm(a) * np.sqrt(k))) if a.any() else 0.0,
        "auprc": float(np.mean(above)),
        "f1": float(f1),
        "iou": float(f1 / (2 - f1)),
        "auc": float(np.sum(pairs) / (k * (n - k))),
    }


def test_by_hand() -> None:
    """Two of four images are the label's, and activate the filter most and third most."""
    found = scored(np.array([0.9, 0.6, 0.3, 0.0]), np.array([True, False, True, False]))
    assert found["auc"] == 3 / 4
    assert found["auprc"] == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found["f1"] == 1 / 2
    assert found["iou"] == pytest.approx(1 / 3)
    assert found["cosine"] == pytest.approx(1.2 / (np.sqrt(1.26) * np.sqrt(2)))
    assert found["correlation"] == pytest.approx(0.3 / np.sqrt(0.45))


@given(
    arrays(np.float64, 9, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])),
    arrays(np.bool_, 9).filter(lambda y: 0 < y.sum() < 9),
)
def test_equal_to_the_definitions_with_ties(a: Floats, y: NDArray[np.bool_]) -> None:
    assert scored(a, y) == pytest.approx(slowly(a, y), abs=1e-12)


@given(arrays(np.float64, 8, elements=st.floats(0, 1, width=32), unique=True), arrays(np.bool_, 8))
def test_equal_to_scikit_learn(a: Floats, y: NDArray[np.bool_]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    if not 0 < y.sum() < 8:
        return
    found = scored(a, y)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(y, a))
    assert found["auprc"] == pytest.approx(metrics.average_precision_score(y, a))
    top = np.isin(a, np.sort(a)[-y.sum() :])
    assert found["f1"] == pytest.approx(metrics.f1_score(y, top))
    assert found["iou"] == pytest.approx(metrics.jaccard_score(y, top))


def test_all_pairs_are_the_pairs_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    activations = rng.random((7, 30)).round(1)
    positives = rng.random((5, 30)) < np.linspace(0.1, 0.8, 5)[:, np.newaxis]
    positives[:, 0], positives[:, 1] = True, False
    together = label_scores(activations, positives)
    monkeypatch.setattr(sys.modules[label_scores.__module__], "_MOST_VALUES", 60)
    in_blocks = label_scores(activations.astype(np.float32), positives)
    for name in SCORES:
        all_pairs = getattr(together, name)
        assert all_pairs.shape == (7, 5)
        one_by_one = [[scored(a, y)[name] for y in positives] for a in activations]
        np.testing.assert_allclose(all_pairs, one_by_one, atol=1e-12)
        np.testing.assert_allclose(getattr(in_blocks, name), all_pairs, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_filter_that_all_images_activate_alike_scores_chance(value: float) -> None:
    y = np.arange(10) < 3
    found = scored(np.full(10, value), y)
    assert found["correlation"] == 0
    assert found["auc"] == 0.5
    assert found["auprc"] == found["f1"] == pytest.approx(0.3)
    assert found["cosine"] == pytest.approx(np.sqrt(0.3) if value else 0)


def test_the_five_notice_missing_and_extra_labels_and_auc_does_not() -> None:
    """The sanity checks of Oikarinen et al.: half of a label's images are taken away, or as many are added."""
    n, k = 4_000, 40
    rng = np.random.default_rng(0)
    y = np.arange(n) < k
    a = np.where(y, rng.uniform(0.9, 1, n), rng.uniform(0, 0.1, n))
    missing, extra = np.arange(n) < k // 2, np.arange(n) < 2 * k
    right, fewer, more = scored(a, y), scored(a, missing), scored(a, extra)
    for name in ("correlation", "cosine", "auprc", "f1", "iou"):
        assert right[name] - fewer[name] > 0.05, name
        assert right[name] - more[name] > 0.05, name
    assert right["auc"] - fewer["auc"] < 0.01


def test_a_label_for_no_image_or_for_all_is_refused() -> None:
    for y in (np.zeros((1, 4), dtype=bool), np.ones((1, 4), dtype=bool)):
        with pytest.raises(ValueError, match="images of both kinds"):
            label_scores(np.zeros((1, 4)), y)
