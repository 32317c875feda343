from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp

from filtag_kg.explain.class_evidence import evidence_model, log_ratios, standardised
from tests.explain.synthetic import LAYERS, class_means, draw, profile_of, several_labels


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(2, 12)),
        elements=st.floats(-1e4, 1e4, allow_subnormal=False),
    )
)
def test_log_ratios_are_those_against_the_mean_likelihood_of_the_others(likelihoods):
    n_classes = likelihoods.shape[1]
    expected = np.array(
        [
            [row[c] - logsumexp(np.delete(row, c)) + np.log(n_classes - 1) for c in range(n_classes)]
            for row in likelihoods
        ]
    )
    np.testing.assert_allclose(log_ratios(likelihoods), expected, atol=1e-9)


def test_the_layers_that_tell_classes_apart_are_found_on_images_of_the_profile():
    rng = np.random.default_rng(0)
    for informative, layers in (((2,), 1), ((1,), 2), ((1, 2), 2), ((0,), 3)):
        activations, classes = draw(class_means(15, rng, informative=informative), 12, rng, spread=0.2)
        model = evidence_model(profile_of(activations, classes))
        assert model is not None
        assert model.layers == tuple(f"layer{index}" for index in range(3))[3 - layers :]
        assert len(model.hits) == len(LAYERS)
        assert max(model.hits) == model.hits[layers - 1]


def test_hits_of_the_references_are_as_on_new_images_not_better():
    """Judged with themselves in the means, few images of many filters would nearly always hit."""
    rng = np.random.default_rng(1)
    means = class_means(15, rng)
    means[:, 32:] = 0.5 + (means[:, 32:] - 0.5) / 4
    model = evidence_model(profile_of(*draw(means, 4, rng)))
    assert model is not None
    unseen, classes = draw(means, 100, rng)
    new = (model.log_likelihoods(unseen).argmax(axis=1) == classes).mean()
    assert model.hits[0] == pytest.approx(new, abs=0.15)


def test_p_values_hold_their_level_for_classes_that_the_image_is_not():
    rng = np.random.default_rng(2)
    means = class_means(12, rng)
    means[:, 32:] = 0.5 + (means[:, 32:] - 0.5) / 3
    model = evidence_model(profile_of(*draw(means, 80, rng)))
    assert model is not None
    unseen, classes = draw(means, 80, rng)
    scores = standardised(model.log_likelihoods(unseen))
    p_values = np.array([[model.p_value(c, score) for c, score in enumerate(row)] for row in scores])
    others = ~np.eye(12, dtype=bool)[classes]
    assert (p_values[others] <= 0.05).mean() == pytest.approx(0.05, abs=0.01)
    assert (p_values[others] <= 0.01).mean() == pytest.approx(0.01, abs=0.004)
    assert (p_values[~others] <= 0.05).mean() > 0.6


def test_confidence_is_how_often_such_a_class_is_right():
    rng = np.random.default_rng(3)
    means = class_means(12, rng)
    means[:, 32:] = 0.5 + (means[:, 32:] - 0.5) / 5
    model = evidence_model(profile_of(*draw(means, 80, rng)))
    assert model is not None
    unseen, classes = draw(means, 60, rng)
    likelihoods = model.log_likelihoods(unseen)
    first = likelihoods.argmax(axis=1)
    confidence = np.array(
        [model.judged(row, [index])[0].confidence for row, index in zip(likelihoods, first, strict=True)]
    )
    right = first == classes
    assert 0.3 < right.mean() < 0.95
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.06)
    sure = confidence > np.median(confidence)
    assert right[sure].mean() > right[~sure].mean()


def test_p_values_are_the_count_of_references_of_other_classes():
    rng = np.random.default_rng(4)
    profile = profile_of(*draw(class_means(4, rng), 10, rng))
    profile = replace(profile, references=several_labels(profile.references, 4, rng))
    model = evidence_model(profile)
    assert model is not None
    for class_ in range(4):
        others = [
            score
            for score, classes in zip(model.reference_scores[:, class_], profile.references.classes, strict=True)
            if not classes[class_]
        ]
        for score in (-1e9, 0.0, 3.0, 1e9):
            assert model.p_value(class_, score) == (1 + sum(x >= score for x in others)) / (1 + len(others))


def test_without_references_the_last_layer_counts_and_nothing_is_said_of_chance():
    rng = np.random.default_rng(5)
    activations, classes = draw(class_means(4, rng), 5, rng)
    for profile in (
        profile_of(activations, classes, most=0),
        replace(profile_of(activations, classes, most=0), variance=None),
        profile_of(activations, classes, most=10),
    ):
        model = evidence_model(profile)
        assert model is not None
        likelihoods = model.log_likelihoods(activations[:1])[0]
        (judged,) = model.judged(likelihoods, [classes[0]])
        assert (judged.rank, judged.p_value, judged.confidence, judged.supported) == (1, None, None, True)
        if profile.references is None:
            assert (model.layers, model.hits) == (("layer2",), ())


def test_a_profile_that_tells_nothing_gives_no_model():
    rng = np.random.default_rng(6)
    activations, classes = draw(class_means(3, rng), 4, rng)
    assert evidence_model(profile_of(activations[classes == 0], classes[classes == 0])) is None
    assert evidence_model(profile_of(np.full_like(activations, 0.5), classes)) is None


def test_two_classes_and_one_filter_are_judged():
    rng = np.random.default_rng(7)
    activations, classes = draw(np.array([[0.3], [0.6]]), 30, rng, spread=0.05)
    model = evidence_model(profile_of(activations, classes, layers=(1,)))
    assert model is not None
    (judged,) = model.judged(model.log_likelihoods(np.array([[0.6]]))[0], [1])
    assert judged.rank == 1
    assert judged.p_value is not None
    assert judged.p_value <= 0.05
    (other,) = model.judged(model.log_likelihoods(np.array([[0.6]]))[0], [0])
    assert other.log_ratio == pytest.approx(-judged.log_ratio)
    assert other.p_value is not None
    assert other.p_value > 0.3
