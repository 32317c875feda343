from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import hypergeom

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.concepts import Closeness
from filtag_kg.kg import KG, add_runs, build_kg
from filtag_kg.report import Proportion, agreement_page, compare_runs, disagreements
from filtag_kg.report.agreement import coherent_difference
from filtag_kg.report.grouping import GroupedRun, group_run
from filtag_kg.report.label_agreement import biggest_disagreements, label_agreement, said_of_filters
from filtag_kg.views import LoadedKg, load_kg
from tests.concepts.test_similarity import above, share


@pytest.fixture(scope="module")
def two_methods(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedKg:
    """300 filters of two layers, tagged by two rules of which the second knows half of the first."""
    random = np.random.default_rng(3)
    class_ids = [
        line.split(",")[0].split("\t")[0].split(" ")[0]
        for line in (shared_data / "filtag-vgg16" / "wnid-names.txt").read_text().splitlines()
    ][::25]
    n_classes, n_filters = len(class_ids), 60
    mean = random.random((n_classes, n_filters))
    other = np.where(random.random((1, n_filters)) < 0.5, mean, random.random((n_classes, n_filters)))
    room = tmp_path_factory.mktemp("methods")
    kgs = []
    for index, scores in enumerate((mean, other)):
        made = Profile(
            mean=scores,
            variance=np.full_like(scores, 0.01),
            count=np.full(n_classes, 5),
            class_ids=tuple(class_ids),
            class_labels=tuple(class_ids),
            layer_names=("first", "second"),
            layer_offsets=np.array([0, 20, n_filters]),
            metadata={},
        )
        rule = Rule("k", 1 + index)
        kgs.append(
            build_kg(
                room / str(index),
                tag_filters(made, [rule], network="net"),
                wordnet(),
                Provenance("net"),
                first_rule=index,
            )
        )
    return load_kg(add_runs(*kgs))


def grouped(loaded: LoadedKg) -> tuple[GroupedRun, GroupedRun]:
    a, b = (group_run(loaded, table) for table in loaded.runs.values())
    return a, b


def lin(one: str, other: str) -> float:
    shared = max((-np.log(share(each)) for each in {*above(one)} & {*above(other)}), default=0.0)
    return 1.0 if one == other else 2 * shared / (-np.log(share(one)) - np.log(share(other)))


def similar(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    return (fmean(max(lin(x, y) for y in b) for x in a) + fmean(max(lin(x, y) for x in a) for y in b)) / 2


def test_against_a_slow_account(two_methods: LoadedKg) -> None:
    a, b = grouped(two_methods)
    rows, filters = label_agreement(a, b, draws=50)
    assert [row.layer for row in rows] == [None, "first", "second"]
    by_chance = []
    for row in rows[1:]:
        said_a, said_b = said_of_filters(a, row.layer), said_of_filters(b, row.layer)
        both = sorted(said_a.keys() & said_b.keys())
        assert row.filters == len(both) > 5
        pairs = {(i, j): similar(said_a[i], said_b[j]) for i, j in product(both, both)}
        assert row.similarity == pytest.approx(fmean(pairs[i, i] for i in both), abs=1e-6)
        expected = fmean(value for (i, j), value in pairs.items() if i != j)
        assert row.expected == pytest.approx(expected, abs=1e-6)
        by_chance += [expected] * len(both)
        equal = {(i, j): bool({*said_a[i]} & {*said_b[j]}) for i, j in product(both, both)}
        assert row.equal.share == Proportion(sum(equal[i, i] for i in both), len(both))
        assert row.equal.expected == pytest.approx(fmean(v for (i, j), v in equal.items() if i != j))
        assert row.equal.share.count <= row.same_kind.share.count <= row.near.share.count
        assert row.beyond is not None
        assert row.beyond.value == pytest.approx((row.similarity - expected) / (1 - expected), abs=1e-6)
        assert row.beyond.low <= row.beyond.value <= row.beyond.high
    total = rows[0]
    assert total.filters == sum(row.filters for row in rows[1:]) == len(filters)
    assert total.expected == pytest.approx(fmean(by_chance), abs=1e-6)


def test_one_that_knows_half_agrees_and_shuffled_filters_do_not(two_methods: LoadedKg) -> None:
    a, b = grouped(two_methods)
    (row, *_), _ = label_agreement(a, b, draws=200)
    assert row.beyond is not None
    assert (row.beyond.low > 0.1, row.beyond.p_value) == (True, pytest.approx(1 / 201))
    # The same filters under the numbers of others.
    table = b.table
    offsets = b.network.offsets
    random = np.random.default_rng(0)
    order = np.concatenate([start + random.permutation(stop - start) for start, stop in pairwise(offsets)])
    counts = np.diff(table.of_filter)[order]
    rows_of = [np.arange(table.of_filter[c], table.of_filter[c + 1]) for c in order]
    rows_in_order = np.concatenate(rows_of)
    shuffled = replace(
        table,
        class_=table.class_[rows_in_order],
        column=np.repeat(np.arange(len(order)), counts),
        of_filter=np.concatenate([[0], np.cumsum(counts)]),
        common={},
    )
    (row, *_), _ = label_agreement(a, replace(b, table=shuffled), draws=200)
    assert row.beyond is not None
    assert row.beyond.p_value > 0.01
    assert abs(row.beyond.value) < 0.15


def test_the_biggest_disagreements_come_first(two_methods: LoadedKg) -> None:
    _, filters = label_agreement(*grouped(two_methods), draws=1)
    worst = biggest_disagreements(filters, 5)
    assert len(worst) == 5
    assert all(row.closeness < Closeness.SAME_KIND for row in worst)
    assert [row.similarity for row in worst] == sorted(row.similarity for row in filters)[:5]


def test_layers_are_compared_by_their_shares_and_concepts(kg: KG, two_methods: LoadedKg) -> None:
    between = compare_runs(two_methods, two_methods, layer_a="first", layer_b="second")
    assert between.a == between.b
    (row,) = between.coherent
    shares = grouped(two_methods)[0].layers
    assert (row.layer, row.a, row.b) == ("first and second", shares[0].coherent, shares[1].coherent)
    assert between.labels == between.layers == ()
    loaded = load_kg(kg)
    assert compare_runs(loaded, loaded, layer_b="deep", rule_a="k=1", rule_b="q=0.5").coherent == ()
    with pytest.raises(FiltagError, match="both runs are the same"):
        compare_runs(loaded, loaded, rule_a="k=1", rule_b="k=1", layer_a="deep")
    with pytest.raises(FiltagError, match="no layer 'none'"):
        compare_runs(loaded, loaded, layer_a="none")


def test_the_difference_of_two_shares() -> None:
    # Newcombe 1998, Table II, (a) 56/70 and 48/80, method 10.
    row = coherent_difference("x", Proportion(56, 70), Proportion(48, 80))
    assert (row.low, row.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    as_likely = [hypergeom.pmf(k, 150, 104, 70) for k in range(24, 71)]
    observed = hypergeom.pmf(56, 150, 104, 70)
    assert row.p_value == pytest.approx(sum(p for p in as_likely if p <= observed * (1 + 1e-9)))
    nothing = coherent_difference("x", Proportion(0, 0), Proportion(1, 2))
    assert (nothing.low, nothing.p_value) == (None, None)


def test_networks_of_the_same_layers_are_compared_filter_by_filter(profile: Profile, tmp_path: Path, kg: KG) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="toy-random")
    other = build_kg(tmp_path / "other", tags, wordnet(), Provenance("toy-random"))
    agreed = compare_runs(load_kg(kg), load_kg(other))
    assert agreed.layers == ()
    assert [row.layer for row in agreed.labels] == [None, "shallow", "deep"]
    assert all(row.closeness == Closeness.EQUAL for row in agreed.filters)
    assert agreed.coherent == ()  # too few classes
    page = agreement_page(agreed, load_kg(kg))
    assert "toy-random" in page
    assert disagreements(agreed, load_kg(kg), str) == []
