"""What a network's outputs are, and the confidences that they give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.errors import FiltagError
from filtag_kg.network import OUTPUTS, OutputLayer
from filtag_kg.network.outputs import output_layer

SCORES = np.array([[0.0, 2.0, -1.0], [30.0, -800.0, 800.0]], np.float32)


@pytest.mark.parametrize(
    ("size", "last", "options", "expected"),
    [
        (3, "softmax", {}, ("softmax", 3)),
        (3, "softmax", {"is_map": True}, ("softmax", 3)),
        (3, "linear", {}, ("logits", 3)),
        (1, "sigmoid", {}, ("sigmoid", 2)),
        (1, "sigmoid", {"n_class_ids": 2}, ("sigmoid", 2)),
        (1, "linear", {}, ("logit", 2)),
        (3, "sigmoid", {}, ("sigmoids", 3)),
        (3, "linear", {"is_map": True}, ("none", 0)),
        (3, "linear", {"is_map": True, "n_class_ids": 3}, ("logits", 3)),
        (512, "relu", {}, ("none", 0)),
        (3, "relu", {"n_class_ids": 3}, ("logits", 3)),
        (3, "linear", {"chosen": "independent-logits"}, ("independent-logits", 3)),
        (3, "softmax", {"chosen": "none"}, ("none", 0)),
        (1, "relu", {"chosen": "none"}, ("none", 0)),
    ],
)
def test_what_the_network_shows(size, last, options, expected):
    layer = output_layer(size, last, where="net", **options)
    assert (layer.outputs, layer.n_classes) == expected
    assert layer.is_map == options.get("is_map", False)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        (3, {"n_class_ids": 2}, "net has 3 outputs, and 2 classes are given: they must be as many"),
        (1, {"n_class_ids": 1}, "net has 1 outputs, for 2 classes, and 1 classes are given: they must be as many"),
        (3, {"chosen": "sigmoid"}, "the outputs of net cannot be sigmoid: it has 3"),
        (1, {"chosen": "softmax"}, "the outputs of net cannot be softmax: it has 1, choose sigmoid, logit or none"),
        (
            3,
            {"chosen": "probabilities"},
            "no outputs 'probabilities': choose softmax, logits, sigmoid, logit, sigmoids, independent-logits or none",
        ),
    ],
)
def test_mistakes(size, options, message):
    with pytest.raises(FiltagError) as error:
        output_layer(size, "linear", where="net", **options)
    assert str(error.value) == message


def test_softmax_and_logits():
    probabilities = OutputLayer(3, "logits").confidences(SCORES)
    exponentials = np.exp(SCORES[0].astype(np.float64))
    np.testing.assert_allclose(probabilities[0], exponentials / exponentials.sum(), rtol=1e-12)
    np.testing.assert_array_equal(probabilities[1], [0, 0, 1])
    np.testing.assert_allclose(
        OutputLayer(3, "softmax").confidences(probabilities.astype(np.float32)), probabilities, atol=1e-7
    )


def test_one_sigmoid_is_two_classes():
    scores = np.array([[0.42], [0.9996]], np.float32)
    np.testing.assert_allclose(
        OutputLayer(1, "sigmoid").confidences(scores), [[0.58, 0.42], [0.0004, 0.9996]], atol=1e-7
    )
    np.testing.assert_allclose(
        OutputLayer(1, "logit").confidences(np.array([[0.0], [-800.0], [800.0]], np.float32)),
        [[0.5, 0.5], [1, 0], [0, 1]],
    )


def test_independent_classes_stay_as_they_are():
    scores = np.array([[0.9, 0.8, 0.0]], np.float32)
    np.testing.assert_allclose(OutputLayer(3, "sigmoids").confidences(scores), scores)
    np.testing.assert_allclose(
        OutputLayer(3, "independent-logits").confidences(SCORES)[0], 1 / (1 + np.exp(-SCORES[0].astype(np.float64)))
    )


def test_no_classes_have_no_confidences():
    assert OutputLayer(512, "none").confidences(np.zeros((4, 512), np.float32)).shape == (4, 0)


@given(st.sampled_from(OUTPUTS), st.lists(st.floats(-100, 100, width=32), min_size=6, max_size=6))
def test_an_image_has_the_same_confidences_in_any_batch(outputs, numbers):
    size = 1 if outputs in ("sigmoid", "logit") else 3
    scores = np.array(numbers, np.float32).reshape(-1, size)
    layer = OutputLayer(size, outputs)
    together = layer.confidences(scores)
    assert together.shape == (len(scores), layer.n_classes)
    assert ((together >= 0) & (together <= 1)).all()
    for alone, row in zip(scores, together, strict=True):
        np.testing.assert_array_equal(layer.confidences(alone[None])[0], row)
