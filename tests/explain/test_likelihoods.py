from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from filtag_kg.explain.likelihoods import class_likelihoods
from tests.explain.synthetic import class_means, draw, profile_of


def slow(activations, profile, columns):
    """Compute log-likelihoods class by class and filter by filter, as the module says."""
    mean, variance, count = profile.mean[:, columns], profile.variance[:, columns], profile.count
    found = np.zeros((len(activations), len(mean)))
    for filter_ in range(mean.shape[1]):
        within = (count * variance[:, filter_]).sum() / count.sum()
        total = within + mean[:, filter_].var()
        if total == 0:
            continue
        centre = mean[:, filter_].mean()
        x = np.clip(activations[:, columns][:, filter_], centre - 4 * total**0.5, centre + 4 * total**0.5)
        for class_ in range(len(mean)):
            pooled = max(within, 0.01 * total)
            shrunk = (count[class_] * variance[class_, filter_] + 200 * pooled) / (count[class_] + 200)
            # In units of the total spread: this changes every class alike.
            found[:, class_] -= np.log(shrunk / total) / 2 + (x - mean[class_, filter_]) ** 2 / (2 * shrunk)
    return found


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    return draw(class_means(6, rng, informative=(1, 2)), 9, rng)


@pytest.mark.parametrize("columns", [slice(0, 12), slice(12, 32)])
def test_log_likelihoods_are_those_of_a_loop(images, columns):
    profile = profile_of(*images)
    model = class_likelihoods(profile, columns)
    found = model.log_likelihoods(model.units(images[0]))
    np.testing.assert_allclose(found, slow(images[0], profile, columns), atol=1e-8)
    # They are the sum over filters, so each filter's part is known.
    for image in range(3):
        parts = model.by_filter(model.units(images[0][image : image + 1]))
        np.testing.assert_allclose(parts.sum(axis=1), found[image], atol=1e-8)


def test_an_image_is_left_out_as_if_the_profile_had_been_made_without_it(images):
    activations, classes = images
    profile = profile_of(activations, classes)
    columns = slice(12, 32)
    model = class_likelihoods(profile, columns)
    units = model.units(activations)
    found = model.left_out(units, np.eye(6, dtype=bool)[classes], model.log_likelihoods(units))
    for image in range(0, len(classes), 7):
        rest = np.arange(len(classes)) != image
        without = profile_of(activations[rest], classes[rest])
        # The other classes, the centre and the pooled variance are taken from the whole profile.
        own = classes[image]
        changed = replace(
            profile,
            mean=np.where(np.arange(6)[:, None] == own, without.mean, profile.mean),
            variance=np.where(np.arange(6)[:, None] == own, without.variance, profile.variance),
            count=without.count,
        )
        expected = replace_likelihood(class_likelihoods(changed, columns), model, own)
        assert found[image, own] == pytest.approx(expected(activations[image]), rel=1e-6)
        others = np.arange(6) != own
        np.testing.assert_array_equal(found[image, others], model.log_likelihoods(units)[image, others])


def replace_likelihood(without, model, own):
    """Return the log-likelihood of a class by its moments in one model, in the units of another."""

    def of(activation):
        units = model.units(activation[None])[0]
        mean = (without.mean[own] * without.scale + without.centre - model.centre) / model.scale
        variance = without.variance[own] * (without.scale / model.scale) ** 2
        count = without.count[own]
        shrunk = (count * variance + 200 * model.within) / (count + 200)
        return -(np.log(shrunk) + (units - mean) ** 2 / shrunk).sum() / 2

    return of


def test_a_class_of_one_image_is_neither_likely_nor_unlikely_without_it():
    rng = np.random.default_rng(2)
    activations, classes = draw(class_means(3, rng), [1, 5, 5], rng)
    profile = profile_of(activations, classes)
    model = class_likelihoods(profile, slice(32, 62))
    units = model.units(activations)
    with_it = model.log_likelihoods(units)
    found = model.left_out(units, np.eye(3, dtype=bool)[classes], with_it)
    assert np.isfinite(found).all()
    assert found[0, 0] == pytest.approx(with_it[0, 1:].mean())


def test_means_alone_give_the_nearest_mean_by_the_spread_of_classes(images):
    activations, classes = images
    profile = replace(profile_of(activations, classes), variance=None)
    model = class_likelihoods(profile, slice(32, 62))
    mean = profile.mean[:, 32:]
    distance = ((activations[:, None, 32:] - mean) ** 2 / mean.var(axis=0)).sum(axis=2)
    found = model.log_likelihoods(model.units(activations)).argmax(axis=1)
    assert (found == distance.argmin(axis=1)).mean() > 0.95, "apart from winsorising"


def test_filters_that_never_differ_are_left_out_and_perfect_ones_do_not_decide_alone(images):
    activations, classes = images
    activations = activations.copy()
    activations[:, 40] = 0.25
    activations[:, 41] = classes / 10
    model = class_likelihoods(profile_of(activations, classes), slice(32, 62))
    assert 40 not in model.columns
    assert 41 in model.columns
    assert model.within[list(model.columns).index(41)] == 0.01
    assert np.isfinite(model.log_likelihoods(model.units(activations))).all()


def test_one_odd_activation_does_not_decide():
    rng = np.random.default_rng(3)
    means = class_means(5, rng)
    profile = profile_of(*draw(means, 20, rng, spread=0.02))
    model = class_likelihoods(profile, slice(32, 62))
    odd = means[:1].copy()
    odd[0, 33] = 1.0
    assert model.log_likelihoods(model.units(odd)).argmax() == 0
