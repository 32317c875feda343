"""Mixed filters: what is found, against slow loops, and how often where there is nothing to find."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from filtag_kg.concepts import (
    CLEAR_CONTRAST,
    MixedFilters,
    MixedPart,
    mixed_filters,
    mixedness,
    p_values,
    q_values,
)
from filtag_kg.concepts.families import families_of
from filtag_kg.concepts.mixed import _draws_as_surprising
from filtag_kg.concepts.random_tags import smallest_p_values
from filtag_kg.tags import contrast_over_classes
from tests.concepts.conftest import hierarchy_of
from tests.mixed_filters import MIXED, demo_hierarchy, mixed_profile

PROFILE = mixed_profile()


def found_in(contrast: NDArray[np.float64], seed: int = 0, draws: int = 10_000) -> MixedFilters:
    return mixed_filters(
        contrast,
        PROFILE.layer_names,
        PROFILE.layer_offsets,
        PROFILE.class_ids,
        demo_hierarchy(),
        seed=seed,
        draws=draws,
    )


def rows_of(found: MixedFilters) -> dict[tuple[str, int], tuple[MixedPart, MixedPart]]:
    pairs = zip(found.parts[::2], found.parts[1::2], strict=True)
    return {(first.layer, first.filter): (first, second) for first, second in pairs}


def by_loops(contrast: NDArray[np.float64], column: int) -> tuple[str, str, float] | None:
    """Return both concepts and the second one's p, not adjusted, of a filter with a theme: the slow, obvious way."""
    isa = demo_hierarchy()
    classes = [isa.class_ids.index(class_id) for class_id in PROFILE.class_ids]
    kinds = {
        concept.id: {c for c, row in enumerate(classes) if isa.below[row, i]} for i, concept in enumerate(isa.concepts)
    }
    n_classes = len(classes)
    tested = {concept: below for concept, below in kinds.items() if 2 <= len(below) <= n_classes / 4}
    start, stop = next(pair for pair in pairwise(PROFILE.layer_offsets.tolist()) if pair[0] <= column < pair[1])
    layer = contrast[:, [other for other in range(start, stop) if other != column]]

    def cosine(a: int, b: int) -> float:
        return float(layer[a] @ layer[b] / (np.linalg.norm(layer[a]) * np.linalg.norm(layer[b])))

    def best(clear: set[int], among: set[int]) -> tuple[float, int, str]:
        def p(below: set[int]) -> float:
            size, n, k = len(below & among), len(clear), len(below & clear)
            ways = (math.comb(size, i) * math.comb(len(among) - size, n - i) for i in range(k, min(size, n) + 1))
            return sum(ways) / math.comb(len(among), n)

        candidates = {concept: below for concept, below in tested.items() if len(below & clear) > 1}
        order = [concept.id for concept in families_of(isa)[0].concepts]
        return min((p(below), order.index(concept), concept) for concept, below in candidates.items())

    clear = {c for c in range(n_classes) if contrast[c, column] >= CLEAR_CONTRAST}
    everything = set(range(n_classes))
    first = best(clear, everything)[2]
    shared = {c for below in tested.values() if below & kinds[first] for c in below}
    unlike = {c for c in everything if np.mean([cosine(c, member) for member in kinds[first]]) <= 0}
    unrelated = (everything - shared) & unlike
    if len(clear & unrelated) < 2:
        return None
    p, _, second = best(clear & unrelated, unrelated)
    return first, second, p


def test_what_is_mixed_is_found_and_nothing_else() -> None:
    contrast = contrast_over_classes(PROFILE.mean)
    found = found_in(contrast)
    mixed = {filter_: both for filter_, both in rows_of(found).items() if both[1].q_value < 0.05}
    assert {("deep", column) for column in MIXED} == set(mixed)
    for (_, column), (first, second) in mixed.items():
        assert {first.label, second.label} == set(MIXED[column])
        assert (first.part, second.part, first.clear) == (1, 2, second.clear)
        assert not set(first.classes) & set(second.classes)
        assert len(first.classes) + len(second.classes) <= first.clear
        rows = [PROFILE.class_ids.index(class_id) for class_id in second.classes]
        of_part = contrast[rows, int(PROFILE.layer_offsets[1]) + column]
        assert (np.diff(of_part) <= 0).all()
        assert (of_part >= CLEAR_CONTRAST).all()
        assert 0 < mixedness(first, second) == 2 * min(first.share, second.share) <= 1
    # Filters for one thing are tested, and those for nothing are not.
    assert {int(PROFILE.layer_offsets[1]) + column for column in range(8, 42)} <= set(found.columns.tolist())
    assert not {6 + column for column in range(8)} & set(found.columns.tolist())


def test_loops_give_the_same_parts() -> None:
    contrast = contrast_over_classes(PROFILE.mean)
    rows = rows_of(found_in(contrast))
    assert len(rows) >= len(MIXED)
    for (layer, filter_), (first, second) in rows.items():
        column = int(PROFILE.layer_offsets[PROFILE.layer_names.index(layer)]) + filter_
        slow = by_loops(contrast, column)
        assert slow is not None
        assert (first.concept, second.concept) == slow[:2]
        assert slow[2] <= second.p_adjusted * (1 + 1e-9)


def test_the_q_value_is_over_the_filters_with_a_theme() -> None:
    found = found_in(contrast_over_classes(PROFILE.mean))
    of_column = dict(zip(found.columns.tolist(), q_values(found.p).tolist(), strict=True))
    for (layer, filter_), (_, second) in rows_of(found).items():
        assert second.q_value == of_column[int(PROFILE.layer_offsets[PROFILE.layer_names.index(layer)]) + filter_]
    assert (found.p > 0).all()
    assert (found.p <= 1).all()


def planted(make: str, n_filters: int, seed: int, members: int = 4) -> NDArray[np.float64]:
    """Return the contrast of filters that take the place of as many in the layer *deep*, of structured layers."""
    rng = np.random.default_rng(seed)
    base = np.tile(PROFILE.mean[:, 14:46], (1, 10))
    isa = demo_hierarchy()
    rows = [isa.class_ids.index(class_id) for class_id in PROFILE.class_ids]
    column_of = {concept.label: column for column, concept in enumerate(isa.concepts)}
    made = rng.uniform(0, 0.1, (len(rows), n_filters))
    for filter_ in range(n_filters):
        themes = {"none": (), "one": ("dog",), "two": ("dog", "motor vehicle")}[make]
        for theme in themes:
            below = np.flatnonzero(isa.below[rows, column_of[theme]])
            made[rng.choice(below, members, replace=False), filter_] = rng.uniform(0.4, 0.5, members)
        # What else activates it is chosen at random.
        made[rng.choice(len(rows), 8, replace=False), filter_] = rng.uniform(0.3, 0.4, 8)
    return contrast_over_classes(np.hstack([base, made]))


def p_of(contrast: NDArray[np.float64], n_filters: int) -> tuple[NDArray[np.float64], int]:
    """Return the p-values of the filters planted that were tested, and how many are mixed."""
    n = contrast.shape[1]
    found = mixed_filters(contrast, ("layer",), np.array([0, n]), PROFILE.class_ids, demo_hierarchy(), draws=2000)
    last = found.columns >= n - n_filters
    return found.p[last], int((q_values(found.p)[last] < 0.05).sum())


@pytest.mark.parametrize("make", ["none", "one"])
def test_the_level_holds_where_nothing_is_mixed(make: str) -> None:
    n_filters = 600
    p, n_mixed = p_of(planted(make, n_filters, seed=1), n_filters)
    assert len(p) > (0.6 * n_filters if make == "one" else 0)
    for level in (0.05, 0.01):
        # Four standard errors of a share of so many.
        assert (p < level).mean() <= level + 4 * np.sqrt(level * (1 - level) / max(len(p), 1))
    assert n_mixed <= 1


def test_a_mixture_is_found_beside_random_classes() -> None:
    # Few at a time: a layer in which many filters respond to both would find them alike.
    by_seed = [p_of(planted("two", 5, seed, members=5), 5) for seed in range(8)]
    assert (np.concatenate([p for p, _ in by_seed]) < 0.05).mean() > 0.8
    by_seed = [p_of(planted("two", 5, seed, members=6), 5) for seed in range(8)]
    assert sum(n_mixed for _, n_mixed in by_seed) >= 38


def test_the_order_of_the_classes_does_not_matter() -> None:
    contrast = contrast_over_classes(PROFILE.mean)
    order = np.random.default_rng(3).permutation(len(contrast))
    ids = [PROFILE.class_ids[row] for row in order]
    shuffled = mixed_filters(contrast[order], PROFILE.layer_names, PROFILE.layer_offsets, ids, demo_hierarchy())
    assert shuffled.parts == found_in(contrast).parts


def test_the_seed_decides_the_draws_alone() -> None:
    contrast = contrast_over_classes(PROFILE.mean)
    one, again, other = (found_in(contrast, seed) for seed in (0, 0, 1))
    assert one.parts == again.parts
    assert [(part.concept, part.class_ids) for part in one.parts] == [
        (part.concept, part.class_ids) for part in other.parts
    ]
    assert one.p == pytest.approx(other.p, abs=0.01)


def test_constant_and_tied_filters_have_no_theme() -> None:
    mean = PROFILE.mean.copy()
    mean[:, 14] = 0.3
    mean[:, 15] = np.arange(len(mean)) % 2
    found = found_in(contrast_over_classes(mean))
    assert not {14, 15} & set(found.columns.tolist())


def test_a_layer_of_one_filter_tells_nothing_apart() -> None:
    contrast = contrast_over_classes(PROFILE.mean[:, [46]])
    found = mixed_filters(contrast, ("one",), np.array([0, 1]), PROFILE.class_ids, demo_hierarchy())
    assert found.columns.tolist() == [0]
    assert not found.parts


def test_few_classes_are_too_few() -> None:
    _, isa = hierarchy_of(["beagle", "bus", "collie", "tabby"])
    contrast = contrast_over_classes(np.eye(4))
    found = mixed_filters(contrast, ("layer",), np.array([0, 4]), isa.class_ids, isa)
    assert found.classes_needed is not None
    assert found.classes_needed > 4
    assert (found.parts, found.columns.size, found.p.size) == ((), 0, 0)


def test_classes_of_another_hierarchy_are_a_bug() -> None:
    with pytest.raises(ValueError, match="the same classes"):
        mixed_filters(np.zeros((1, 1)), ("layer",), np.array([0, 1]), ["dog"], demo_hierarchy())


def test_ids_with_spaces_stay_apart() -> None:
    part = MixedPart("layer", 0, 1, "dog", "dog", "a%20b c%2Fd", 4, 0.5, 0.1, 0.1)
    assert part.classes == ("a b", "c/d")


def test_the_null_is_that_of_common_concepts() -> None:
    """Both have draws of their own: the smallest p-values have the same distribution."""
    rng = np.random.default_rng(5)
    below, draws = rng.random((30, 12)) < 0.2, 20_000
    n_drawn = [2, 5, 9]
    nulls = smallest_p_values(np.unique(below, axis=1), n_drawn, p_values, draws=draws, seed=2)
    for n, null in zip(n_drawn, nulls, strict=True):
        for p in np.quantile(null, (0.02, 0.1, 0.3)).tolist():
            share = _draws_as_surprising(below, n, p, draws, 1) / draws
            assert share == pytest.approx(float((null <= p).mean()), abs=5 * np.sqrt(0.25 / draws))
    assert _draws_as_surprising(below, 5, 0.0, draws, 1) == 0
