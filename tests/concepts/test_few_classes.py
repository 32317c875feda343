"""Whether classes are enough for a filter to be coherent: by hand, and against every filter that there can be."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, count
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.concepts import (
    CHANCE_P,
    Hierarchy,
    Links,
    adjusted_p_values,
    build_hierarchy,
    classes_needed,
    common_concepts,
    families,
    link_classes,
    p_values,
    runs_of_few_classes,
    too_few_classes,
    wordnet,
)
from filtag_kg.demo import demo_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def of_words(words: Sequence[str]) -> tuple[Links, Hierarchy]:
    links = link_classes(words, words, wordnet())
    return links, build_hierarchy(links, wordnet())


def test_ten_classes_of_cifar_are_too_few(make_table: Callable) -> None:
    links, isa = of_words(CIFAR)
    assert classes_needed(isa.below, [2]) == 14
    # No filter of up to five tags, which of them it may be, is ever coherent: all 627 of them say so.
    for n in range(2, 6):
        filters = list(combinations(CIFAR, n))
        tags = [(0, place, name) for place, names in enumerate(filters) for name in names]
        rows = common_concepts(make_table(tags, CIFAR, (len(filters),)), links, replace(isa, features=()))
        assert min(row.p_adjusted for row in rows) >= CHANCE_P
        assert classes_needed(isa.below, [n]) is not None
    assert too_few_classes(14) == "too few classes to tell: at least 14 are needed"


def test_with_as_many_as_needed_a_filter_can_be_coherent(make_table: Callable) -> None:
    """Fourteen are enough where the four added have nothing in common with any: a lower bound that is reached."""
    _, isa = of_words(CIFAR)
    for more, enough in ((3, False), (4, True)):
        below = np.vstack([isa.below, np.zeros((more, isa.below.shape[1]), dtype=np.bool_)])
        tested = below[:, families.tested_concepts(below, np.log(4))]
        best = np.array([p_values(2, 2, 10 + more)[2]])
        assert (adjusted_p_values(best, 2, tested)[0] < CHANCE_P) == enough


def test_runs_in_which_nothing_is_tested() -> None:
    # One concept of two of eight classes is the least that can be found: 1 / 28.
    for words in (("cat",), ("cat", "dog"), ("cat", "truck"), ("cat", "dog", "horse")):
        _, isa = of_words(words)
        assert not families.tested_concepts(isa.below, np.log(4)).size
        assert classes_needed(isa.below, [2]) == classes_needed(isa.below, []) == 8
    # Of classes without a link nothing is known: one more could be of a kind with another.
    nothing = np.zeros((30, 0), dtype=np.bool_)
    assert classes_needed(nothing, [2, 3]) == 31
    assert classes_needed(np.zeros((0, 0), dtype=np.bool_), []) == 8


def test_enough_classes() -> None:
    profile = demo_profile()
    links = link_classes(profile.class_ids, profile.class_labels, wordnet())
    isa = build_hierarchy(links, wordnet())
    assert classes_needed(isa.below, [2]) is None
    assert classes_needed(isa.below, []) is None
    # A filter that every class tags is not surprising by any concept, however many classes there are.
    assert classes_needed(isa.below, [200]) == 216


def test_what_filters_of_a_rule_have_counts(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    _, isa = make_hierarchy(classes)
    # cats: 1 of 28 pairs. Filters with two tags can be coherent, those with four cannot; a class counts once.
    two = make_table([(0, 0, "beagle"), (0, 0, "bus"), (0, 0, "bus")])
    four = make_table([(0, 0, name) for name in ("beagle", "bus", "car", "tram")])
    assert "IsA" not in runs_of_few_classes(two, isa)["k=1"]
    assert runs_of_few_classes(four, isa)["k=1"]["IsA"] > 8
    assert "IsA" not in runs_of_few_classes(make_table([]), isa)["k=1"], "any number of tags is possible"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(0, 6), st.integers(2, 9))
def test_the_number_needed_is_the_first_that_is_enough(seed: int, n_classes: int, n_concepts: int, tags: int) -> None:
    random = np.random.default_rng(seed)
    below = random.random((n_classes, n_concepts)) < 0.4
    n = min(tags, n_classes)
    needed = classes_needed(below, [n], draws=500)

    def least(more: int) -> float:
        wide = np.vstack([below, np.zeros((more, n_concepts), dtype=np.bool_)])
        tested = wide[:, families.tested_concepts(wide, np.log(4))]
        p = [p_values(int(size), n, len(wide))[min(size, n)] for size in tested.sum(axis=0)]
        return float(adjusted_p_values(np.array([min(p)]), n, tested, draws=500)[0]) if p else 1.0

    if needed is None:
        assert least(0) < CHANCE_P
    elif not (below.sum(axis=0) >= 2).any():
        assert needed == max(8, n_classes + 1)
    else:
        assert needed == n_classes + next(more for more in count() if least(more) < CHANCE_P)


def test_every_relation_is_decided_alone(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    _, isa = make_hierarchy(classes)
    needed = runs_of_few_classes(make_table([(0, 0, "beagle"), (0, 0, "bus")]), isa)["k=1"]
    # What the dogs and the vehicles have is tested from twelve classes on; two sets of three are 6 of 136 pairs of 17.
    assert needed == {"HasA": 17}
