"""Common concepts: by hand, by property, against slow loops, and on FILTAG's own tags."""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from filtag_kg.class_names import class_names
from filtag_kg.concepts import (
    COHERENT_Q,
    CommonConcept,
    Concept,
    Edge,
    adjusted_p_values,
    build_hierarchy,
    common_concepts,
    link_classes,
    p_values,
    q_values,
    wordnet,
)
from filtag_kg.concepts.features import features_of
from filtag_kg.concepts.random_tags import smallest_p_values
from filtag_kg.demo import demo_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from filtag_kg.concepts import Hierarchy, Links
    from filtag_kg.tags import TagTable

VGG16 = Path(__file__).parents[3] / "shared" / "data" / "filtag-vgg16"


def kinds(tags: TagTable, links: Links, isa: Hierarchy, **parameters: float) -> list[CommonConcept]:
    """Return the common concepts of the hierarchy's own kinds."""
    rows = common_concepts(tags, links, replace(isa, features=()), **parameters)
    assert all(row.is_kind(isa.source) for row in rows)
    return rows


def test_columns_are_those_of_common_csv() -> None:
    assert ",".join(field.name for field in fields(CommonConcept)) == (
        "rule,layer,filter,concept,label,relation,source,coverage,support,tags,ic,p_value,p_adjusted,q_value,rank"
    )


def test_three_dogs(classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable) -> None:
    links, isa = make_hierarchy(classes)
    tags = make_table([(0, 2, "beagle"), (0, 2, "collie"), (0, 2, "husky")])
    (row,) = kinds(tags, links, isa, min_ic=0, draws=2000)
    assert (row.rule, row.layer, row.filter) == ("k=1", "conv0", 2)
    assert (row.concept, row.label, row.relation, row.source, row.rank) == ("dog", "dog", "IsA", "small", 1)
    assert (row.coverage, row.support, row.tags) == (1.0, 3, 3)
    assert row.ic == pytest.approx(math.log(8 / 3), abs=1e-15)
    assert row.p_value == 1 / 56
    # Two of the 56 sets of three classes are as surprising: the dogs and the vehicles.
    assert row.p_adjusted == row.q_value == pytest.approx(2 / 56, abs=0.01)
    # animal: 10 of the 56 sets; a concept above all is no surprise
    assert p_values(5, 3, 8)[3] == 10 / 56
    assert p_values(8, 3, 8).tolist() == [1, 1, 1, 1]


def test_what_the_first_concept_leaves(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    links, isa = make_hierarchy(classes)
    tags = make_table([(0, 0, name) for name in ("beagle", "collie", "husky", "tabby", "bus")])
    rows = kinds(tags, links, isa, min_ic=0, draws=500)
    # thing would cover the bus but says nothing: ic 0
    assert [(row.label, row.support, row.rank) for row in rows] == [("dog", 3, 1), ("animal", 4, 2)]
    # The q-value is the filter's: the first concept, which was tested, has it; the other has its own adjusted p.
    dog, animal = rows
    assert dog.q_value == dog.p_adjusted < animal.p_adjusted
    assert animal.q_value is None
    assert len(kinds(tags, links, isa, min_ic=0, most=1, draws=500)) == 1
    # default min_ic leaves out all that is above more than a quarter of these few classes
    assert kinds(tags, links, isa, draws=500) == []


def test_what_things_have_is_inherited(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    links, isa = make_hierarchy(classes)
    tags = make_table([(0, 0, name) for name in ("car", "bus", "tram", "tabby")])
    rows = common_concepts(tags, links, isa, min_ic=0, draws=2000)
    assert {row.relation for row in rows} == {"IsA", "HasA"}
    (part,) = (row for row in rows if row.relation == "HasA")
    # Of brake and wheel, which the same classes have, the lower IRI.
    assert (part.label, part.support, part.tags, part.coverage, part.rank) == ("brake", 3, 4, 0.75, 1)
    assert part.ic == pytest.approx(math.log(8 / 3))
    assert part.p_value == p_values(3, 4, 8)[3] == 5 / 70
    # The dogs' tail and the vehicles' parts: two sets of three classes, of which four random ones hold one in 10 of 70.
    assert part.p_adjusted == part.q_value == pytest.approx(10 / 70, abs=0.02)
    # A family is tested alone: others beside it change nothing.
    assert [row for row in rows if row.relation == "IsA"] == kinds(tags, links, isa, min_ic=0, draws=2000)


def test_kinds_of_another_source_are_a_family_of_their_own_and_not_inherited(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    links, isa = make_hierarchy(classes)
    stated = [Edge("IsA", start, "pet", 1.0, "people", "/d/people", "") for start in ("beagle", "husky", "cat", "dog")]
    pet = features_of("IsA", "people", stated, {"pet": Concept("pet", "pet", (), (), "people")})
    tags = make_table([(0, 0, name) for name in ("beagle", "husky", "collie", "tabby")])
    rows = common_concepts(tags, links, replace(isa, features=(pet,)), min_ic=0, draws=500)
    *own, row = rows
    assert own == kinds(tags, links, isa, min_ic=0, draws=500)
    # What is said of dog and cat is said of no class here: only two classes are pets.
    assert (row.concept, row.relation, row.source, row.support, row.rank) == ("pet", "IsA", "people", 2, 1)
    assert row.p_value == p_values(2, 4, 8)[2]
    assert not row.is_kind(isa.source)
    assert row.q_value == row.p_adjusted


def test_of_features_of_the_same_classes_the_one_with_more_evidence_is_reported(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    links, isa = make_hierarchy(classes)
    weights = {"brake": 2.0, "horn": 5.0, "wheel": 5.0}
    edges = [Edge("HasA", "vehicle", end, weight, "people", "/d/people", "") for end, weight in weights.items()]
    has = features_of("HasA", "people", edges, {end: Concept(end, end, (), (), "people") for end in weights})
    tags = make_table([(0, 0, "car"), (0, 0, "bus")])
    rows = common_concepts(tags, links, replace(isa, features=(has,)), min_ic=0, draws=100)
    assert [row.concept for row in rows if row.relation == "HasA"] == ["horn"]


def test_a_quarter_of_the_classes_is_not_too_many(make_hierarchy: Callable, make_table: Callable) -> None:
    broader = {**{f"c{i}": ("pair",) if i < 2 else () for i in range(8)}, "pair": ()}
    names = [f"c{i}" for i in range(8)]
    links, isa = make_hierarchy(names, broader)
    rows = kinds(make_table([(0, 0, "c0"), (0, 0, "c1")], names), links, isa, draws=500)
    assert [(row.label, row.ic) for row in rows] == [("pair", pytest.approx(math.log(4)))]


def test_ties(make_hierarchy: Callable, make_table: Callable) -> None:
    # b and z hold the same two classes, as do y above z and, beside them, a.
    broader = {
        "1": ("z", "b", "a"),
        "2": ("z", "b", "a"),
        "3": (),
        "z": ("y",),
        "y": (),
        "b": ("y",),
        "a": (),
    }
    links, isa = make_hierarchy("123", broader)
    rows = kinds(make_table([(0, 0, "1"), (0, 0, "2")], "123"), links, isa, min_ic=0, draws=100)
    assert [row.concept for row in rows] == ["b"]


def test_filters_that_share_nothing_count_as_tests(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    links, isa = make_hierarchy(classes)
    dogs = [(1, 3, "beagle"), (1, 3, "collie"), (1, 3, "husky")]
    alone = kinds(make_table(dogs), links, isa, min_ic=0.5, draws=500)
    # a filter with one tag is no test, one with two tags is, though they have nothing in common
    one = kinds(make_table([*dogs, (0, 0, "bus")]), links, isa, min_ic=0.5, draws=500)
    two = kinds(make_table([*dogs, (0, 0, "bus"), (0, 0, "tabby")]), links, isa, min_ic=0.5, draws=500)
    assert [row.q_value for row in one] == [row.q_value for row in alone]
    assert [row.q_value for row in two] == [2 * row.q_value for row in alone]
    assert [row.p_adjusted for row in two] == [row.p_adjusted for row in alone]


def test_classes_without_a_link_count(make_hierarchy: Callable, make_table: Callable) -> None:
    names = ["beagle", "collie", "unheard", "unseen", "bus"]
    links, isa = make_hierarchy(names)
    tags = make_table([(0, 0, "beagle"), (0, 0, "collie"), (0, 0, "unheard")], names)
    (row,) = kinds(tags, links, isa, min_ic=0.1, draws=200)
    assert (row.tags, row.coverage, row.ic) == (3, 2 / 3, pytest.approx(math.log(5 / 2)))
    assert row.p_value == p_values(2, 3, 5)[2] == 3 / 10


def test_nothing_to_compare(classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable) -> None:
    links, isa = make_hierarchy(classes)
    assert kinds(make_table([]), links, isa) == []
    assert kinds(make_table([(0, 0, "bus")]), links, isa, min_ic=0) == []
    # the same class twice is one tag
    assert kinds(make_table([(0, 0, "bus"), (0, 0, "bus")]), links, isa, min_ic=0) == []
    # no concept is rare enough to be tested
    assert kinds(make_table([(0, 0, "bus"), (0, 0, "beagle")]), links, isa, min_ic=10) == []
    other, other_isa = make_hierarchy(["beagle"])
    with pytest.raises(ValueError, match="same classes"):
        kinds(make_table([]), other, other_isa)


def test_two_classes_of_one_label_stay_two() -> None:
    ids, labels = ["n02012849", "n03126707", "n02006656"], ["crane", "crane", "spoonbill"]
    links = link_classes(ids, labels, wordnet())
    isa = build_hierarchy(links, wordnet())
    bird = [concept.label for concept in isa.concepts].index("bird")
    assert isa.below[:, bird].tolist() == [True, False, True]


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int, int]:
    classes = draw(st.integers(1, 300))
    return draw(st.integers(0, classes)), draw(st.integers(0, classes)), classes


@given(sizes())
def test_p_is_the_hypergeometric_tail(size: tuple[int, int, int]) -> None:
    below, tags, classes = size
    p = p_values(below, tags, classes)
    assert p.shape == (min(below, tags) + 1,)
    assert p[0] == 1
    assert (np.diff(p) <= 0).all()
    k = np.arange(len(p))
    assert p == pytest.approx(hypergeom.sf(k - 1, classes, below, tags), rel=1e-8, abs=1e-290)


def test_p_is_exact() -> None:
    for below, tags in ((4, 5), (9, 8), (3, 10), (0, 4), (4, 0)):
        p = p_values(below, tags, 10)
        for k, value in enumerate(p):
            ways = sum(math.comb(below, i) * math.comb(10 - below, tags - i) for i in range(k, len(p)))
            assert value == float(Fraction(ways, math.comb(10, tags)))


def test_p_refuses_the_impossible() -> None:
    for size in ((4, 1, 3), (1, 4, 3), (-1, 1, 3)):
        with pytest.raises(ValueError, match="between 0 and N"):
            p_values(*size)


def slow_q_values(p: list[float]) -> list[float]:
    m, rising = len(p), sorted(p)
    return [min(1, *(m * rising[j] / (j + 1) for j in range(rising.index(value), m))) for value in p]


@given(st.lists(st.floats(0, 1), max_size=30))
def test_q_values(p: list[float]) -> None:
    q = q_values(np.array(p))
    assert q == pytest.approx(slow_q_values(p), rel=1e-12, abs=1e-300)
    assert (q >= np.array(p)).all()
    assert (q <= 1).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(q[order]) >= 0).all()


def slow_smallest(below: np.ndarray, drawn: np.ndarray) -> float:
    support = below[drawn].sum(axis=0)
    tails = [
        p_values(int(size), len(drawn), len(below))[k]
        for size, k in zip(below.sum(axis=0), support, strict=True)
        if k >= 2
    ]
    return min(tails, default=1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(0, 8))
def test_the_sweep_equals_the_slow_loop(seed: int, n_classes: int, n_concepts: int) -> None:
    random = np.random.default_rng(seed)
    below = random.random((n_classes, n_concepts)) < 0.4
    n_tags = sorted({1, 2, n_classes})
    swept = smallest_p_values(below, n_tags, p_values, draws=30, seed=seed)
    orders = np.random.default_rng(seed).permuted(np.tile(np.arange(n_classes, dtype=np.int32), (30, 1)), axis=1)
    for n, smallest in zip(n_tags, swept, strict=True):
        assert smallest.tolist() == sorted(slow_smallest(below, order[:n]) for order in orders)


def test_adjusted_p_values_are_those_of_all_sets(classes: tuple[str, ...], make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(classes)
    every = [slow_smallest(isa.below, np.array(chosen)) for chosen in combinations(range(8), 3)]
    p = np.unique(every)
    adjusted = adjusted_p_values(p, 3, isa.below, draws=20_000)
    assert adjusted == pytest.approx([np.mean(np.array(every) <= value) for value in p], abs=0.015)
    # No draw is as surprising, and the bound of 5 concepts, of which no two have the same classes, is smaller.
    assert adjusted_p_values(np.array([1e-9]), 3, isa.below, draws=99).tolist() == [5e-9]
    assert adjusted_p_values(np.array([1e-9]), 3, np.repeat(isa.below, 2, axis=1), draws=99).tolist() == [5e-9]
    assert (adjusted == adjusted_p_values(p, 3, isa.below, draws=20_000)).all()
    with pytest.raises(ValueError, match="cannot draw 9 of 8 classes"):
        adjusted_p_values(p, 9, isa.below)


tag_lists = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 7)), max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tags=tag_lists, order=st.permutations(range(8)))
def test_rows_do_not_depend_on_any_order(
    tags: list[tuple[int, int, int]],
    order: list[int],
    classes: tuple[str, ...],
    make_hierarchy: Callable,
    make_table: Callable,
) -> None:
    named = [(layer, filter_, classes[class_]) for layer, filter_, class_ in tags]
    rows = kinds(make_table(named), *make_hierarchy(classes), min_ic=0.1, draws=100)
    shuffled = [classes[place] for place in order]
    again = kinds(make_table(named[::-1], shuffled), *make_hierarchy(classes), min_ic=0.1, draws=100)
    moved = kinds(make_table(named), *make_hierarchy(shuffled), min_ic=0.1, draws=100)
    assert rows == again == moved
    assert rows == sorted(rows, key=lambda row: (row.layer, row.filter, row.rank))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tags=tag_lists)
def test_rows_equal_the_slow_loop(
    tags: list[tuple[int, int, int]],
    classes: tuple[str, ...],
    make_hierarchy: Callable,
    make_table: Callable,
) -> None:
    named = [(layer, filter_, classes[class_]) for layer, filter_, class_ in tags]
    _, isa = make_hierarchy(classes)
    rows = kinds(make_table(named), *make_hierarchy(classes), min_ic=0.1, draws=100)
    expected = []
    for layer, filter_ in sorted({tag[:2] for tag in named}):
        own = {name for *place, name in named if place == [layer, filter_]}
        under = {
            concept: {name for name in classes if name == concept or concept in isa.ancestors(name)}
            for concept in ("dog", "cat", "animal", "vehicle")
        }
        common = {concept: names for concept, names in under.items() if len(names & own) >= 2}
        p = {concept: p_values(len(names), len(own), 8)[len(names & own)] for concept, names in common.items()}
        left, rank = set(own), 0
        while any(left & names for names in common.values()):
            gain = {concept: math.log(8 / len(names)) * len(left & names) for concept, names in common.items()}
            # dogs and cats have more above them than animals and vehicles
            ties = {concept: (concept not in ("dog", "cat"), concept) for concept in common}
            key = {concept: (-gain[concept] if rank else p[concept], *ties[concept]) for concept in common}
            best = min(common, key=key.__getitem__)
            left, rank = left - common[best], rank + 1
            expected.append((f"conv{layer}", filter_, best, len(common[best] & own), len(own), p[best], rank))
    assert [
        (row.layer, row.filter, row.concept, row.support, row.tags, row.p_value, row.rank) for row in rows
    ] == expected


def test_rules_are_corrected_alone(classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable) -> None:
    links, isa = make_hierarchy(classes)
    first = make_table([(0, 0, "beagle"), (0, 0, "collie"), (0, 1, "bus"), (0, 1, "tabby")])
    second = make_table([(0, 0, "car"), (0, 0, "bus"), (1, 0, "tram"), (1, 0, "bus")])
    columns = ("layer", "filter", "class_", "rank", "activation", "contrast", "score")
    both = replace(
        first,
        rules=("k=1", "q=0.05"),
        rule=np.repeat(np.arange(2), [len(first), len(second)]),
        **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in columns},
    )
    alone = [kinds(one, links, isa, min_ic=0.5, draws=200) for one in (first, second)]
    assert kinds(both, links, isa, min_ic=0.5, draws=200) == [
        *alone[0],
        *(replace(row, rule="q=0.05") for row in alone[1]),
    ]


@pytest.fixture(scope="module")
def vgg16() -> tuple[dict[str, str], list[tuple[int, str]]]:
    """FILTAG's tags of VGG16's last layer: class names, and (filter, class id)."""
    if not VGG16.exists():
        pytest.skip("needs FILTAG's tags of VGG16 in ../shared")
    names = class_names(VGG16 / "wnid-names.txt")
    id_of = {label: class_id for class_id, label in reversed(names.items())}  # the lower id of a label's two
    tags = [
        (int(line.split(":")[0]), id_of[label])
        for line in (VGG16 / "tags-conv5_3-k1.txt").read_text(encoding="utf-8").splitlines()[1:]
        for label in re.findall(r"' (.+?) '", line)
    ]
    return names, tags


def test_filtags_own_result(vgg16: tuple[dict[str, str], list[tuple[int, str]]], make_table: Callable) -> None:
    names, tags = vgg16
    links = link_classes(list(names), list(names.values()), wordnet())
    isa = build_hierarchy(links, wordnet())
    rows = kinds(make_table([(0, *tag) for tag in tags], names, (512,)), links, isa)
    best = {row.filter: row for row in rows if row.rank == 1}
    labels = {437: "dog", 9: "footwear", 1: "brass", 41: "aquatic bird", 60: "spider", 462: "boa"}
    assert {filter_: best[filter_].label for filter_ in labels} == labels
    assert 120 <= sum(row.coherent() for row in best.values()) <= 140
    # What is tested first is what is reported first.
    assert all(row.p_value >= best[row.filter].p_value for row in rows)
    # The same tags over the filters at random have nothing in common.
    random = np.random.default_rng(0)
    for _ in range(3):
        class_ids = random.permutation([class_id for _, class_id in tags]).tolist()
        shuffled = [(0, filter_, class_id) for (filter_, _), class_id in zip(tags, class_ids, strict=True)]
        chance = kinds(make_table(shuffled, names, (512,)), links, isa)
        assert sum(row.coherent() for row in chance) <= 3


def test_beyond_chance_is_the_filters_q_or_the_concepts_own_p(
    classes: tuple[str, ...], make_hierarchy: Callable, make_table: Callable
) -> None:
    links, isa = make_hierarchy(classes)
    (row,) = kinds(make_table([(0, 0, "beagle"), (0, 0, "collie")]), links, isa, min_ic=0.5, most=1, draws=100)
    first = replace(row, p_adjusted=0.01, q_value=0.2)
    assert (first.coherent(), first.beyond_chance(), first.coherent(0.3), first.beyond_chance(0.3)) == (
        *(False, False),
        *(True, True),
    )
    # Below, not at: one definition of coherent.
    assert not replace(first, q_value=COHERENT_Q).coherent()
    other = replace(row, rank=2, q_value=None, p_adjusted=0.049)
    assert (other.coherent(1), other.beyond_chance()) == (False, True)
    assert not replace(other, p_adjusted=0.05).beyond_chance()


def test_one_planted_filter_is_found_among_12000(make_table: Callable) -> None:
    """Six dogs of six are p = 1e-11 among 200 classes: 10,000 draws alone could say no more than 1e-4."""
    profile = demo_profile()
    links = link_classes(profile.class_ids, profile.class_labels, wordnet())
    isa = build_hierarchy(links, wordnet())
    dog = [concept.label for concept in isa.concepts].index("dog")
    dogs = [profile.class_ids[at] for at in np.flatnonzero(isa.below[:, dog])]
    assert len(dogs) == 6
    random = np.random.default_rng(4)
    n_filters = 12_000
    drawn = random.permuted(np.tile(np.arange(200), (n_filters, 1)), axis=1)[:, :6]
    tags = [(0, i, profile.class_ids[at]) for i, row in enumerate(drawn.tolist()) for at in row if i]
    tags += [(0, 0, class_id) for class_id in dogs]
    rows = [row for row in kinds(make_table(tags, profile.class_ids, (n_filters,)), links, isa) if row.rank == 1]
    (planted,) = (row for row in rows if row.filter == 0)
    assert planted.label == "dog"
    assert planted.p_value == 1 / math.comb(200, 6)
    assert planted.q_value is not None
    assert planted.q_value < 1e-4
    # The rest is random: 5 % at a nominal 5 %, and next to nothing that is called coherent.
    assert np.mean([row.p_adjusted < 0.05 for row in rows]) * len(rows) / n_filters <= 0.05
    assert sum(row.coherent() for row in rows) <= 1 + 0.01 * n_filters
    # What the bound alone can say: 12 filters of 1e-3 would be expected of an exact test.
    assert sum(row.p_adjusted < 1e-3 for row in rows) <= 1 + 20
    assert sum(row.p_adjusted < 5e-5 for row in rows) <= 1 + 3


def test_p_adjusted_holds_its_level(classes: tuple[str, ...], make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(classes)
    random = np.random.default_rng(7)
    p = np.array([slow_smallest(isa.below, random.permutation(8)[:4]) for _ in range(2000)])
    adjusted = adjusted_p_values(p, 4, isa.below, draws=4000)
    for level in (0.05, 0.2, 0.5):
        assert np.mean(adjusted <= level) <= level + 0.03
