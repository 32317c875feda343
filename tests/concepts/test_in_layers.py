from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import Profile, Rule, tag_filters, wordnet
from filtag_kg.concepts import (
    COHERENT_Q,
    CommonConcept,
    ConceptInLayer,
    Hierarchy,
    build_hierarchy,
    common_concepts,
    concepts_in_layers,
    link_classes,
    separation,
)
from filtag_kg.kg import CONCEPTS
from filtag_kg.tags import TagTable, contrast_over_classes

DOG, CAT, ANIMAL = (f"http://wordnet-rdf.princeton.edu/pwn30/{n}-n" for n in ("02084071", "02121620", "00015388"))


@pytest.fixture(scope="module")
def tags(profile: Profile) -> TagTable:
    return tag_filters(profile, [Rule("k", 1), Rule("q", 0.5)], network="toy")


@pytest.fixture(scope="module")
def isa(profile: Profile) -> Hierarchy:
    return build_hierarchy(link_classes(profile.class_ids, profile.class_labels, wordnet()), wordnet())


@pytest.fixture(scope="module")
def common(tags: TagTable, isa: Hierarchy, profile: Profile) -> list[CommonConcept]:
    return common_concepts(tags, link_classes(profile.class_ids, profile.class_labels, wordnet()), isa)


@pytest.fixture(scope="module")
def rows(tags: TagTable, isa: Hierarchy, common: list[CommonConcept], profile: Profile) -> list[ConceptInLayer]:
    return concepts_in_layers(tags, isa, common, contrast=contrast_over_classes(profile.mean))


def test_columns_are_those_of_concepts_csv() -> None:
    names = "rule layer concept label classes filters concentration separation low high"
    assert [field.name for field in fields(ConceptInLayer)] == names.split()


def test_every_concept_of_two_classes_has_a_row_for_each_rule_and_layer(
    rows: list[ConceptInLayer], isa: Hierarchy, tags: TagTable
) -> None:
    sizes = dict(zip((concept.id for concept in isa.concepts), isa.below.sum(axis=0).tolist(), strict=True))
    expected = [
        (rule, concept, layer)
        for rule in tags.rules
        for concept in sorted(sizes)
        if sizes[concept] >= 2
        for layer in tags.layer_names
    ]
    assert [(row.rule, row.concept, row.layer) for row in rows] == expected
    assert all(row.classes == sizes[row.concept] for row in rows)


def test_separation_is_of_the_layer_alone_and_the_same_for_every_rule(
    rows: list[ConceptInLayer], isa: Hierarchy, profile: Profile
) -> None:
    contrast = contrast_over_classes(profile.mean)
    column = [concept.id for concept in isa.concepts].index(DOG)
    order = [isa.class_ids.index(class_id) for class_id in profile.class_ids]
    for index, layer in enumerate(profile.layer_names):
        start, stop = profile.layer_offsets[index : index + 2]
        ((value, _, _),) = separation(contrast[:, start:stop], isa.below[order][:, [column]], draws=500)
        dogs = [row for row in rows if (row.concept, row.layer) == (DOG, layer)]
        assert [row.separation for row in dogs] == [pytest.approx(value, abs=1e-6)] * 2
        assert {(row.low, row.high) for row in dogs} == {(None, None)}  # three dogs are too few
    assert {row.separation for row in rows if (row.concept, row.layer) == (DOG, "deep")} == {1.0}


def test_concentration_counts_pairs_of_tags_on_one_filter(
    rows: list[ConceptInLayer], tags: TagTable, isa: Hierarchy
) -> None:
    def share(of: set[tuple[int, str]]) -> float | None:
        pairs = [(a, b) for a, b in combinations(sorted(of), 2) if a[1] != b[1]]
        return sum(a[0] == b[0] for a, b in pairs) / len(pairs) if pairs else None

    below = dict(zip(isa.class_ids, isa.below, strict=True))
    column = {concept.id: place for place, concept in enumerate(isa.concepts)}
    for row in rows:
        of_layer = (tags.rule == tags.rules.index(row.rule)) & (tags.layer == tags.layer_names.index(row.layer))
        all_ = {(f, tags.class_ids[c]) for f, c in zip(tags.filter[of_layer], tags.class_[of_layer], strict=True)}
        of_concept = {(f, c) for f, c in all_ if below[c][column[row.concept]]}
        chance, mine = share(all_), share(of_concept)
        assert row.concentration == pytest.approx(mine / chance if chance and mine is not None else None, abs=1e-6)
    assert {row.concentration for row in rows if row.classes == len(isa.class_ids)} == {1.0}


def test_tags_shuffled_over_classes_concentrate_once_on_average(tags: TagTable, isa: Hierarchy) -> None:
    rng = np.random.default_rng(0)
    of_rule = tags.of_rule("q=0.5")
    found = []
    for _ in range(400):
        shuffled = replace(of_rule, class_=rng.permutation(8)[of_rule.class_])
        (dogs,) = (row for row in concepts_in_layers(shuffled, isa, []) if (row.concept, row.layer) == (DOG, "deep"))
        found.append(dogs.concentration)
    assert np.mean(found) == pytest.approx(1, abs=4 * np.std(found) / 20)


def test_filters_that_stand_for_a_kind_of_it_count(tags: TagTable, isa: Hierarchy, common: list[CommonConcept]) -> None:
    # Eight classes make nothing coherent: here every first concept is, all others are not.
    sure = [replace(row, q_value=COHERENT_Q / 2 if row.rank == 1 else None) for row in common]
    counted = {(r.rule, r.layer, r.concept): r.filters for r in concepts_in_layers(tags, isa, sure)}
    first = Counter((row.rule, row.layer, row.concept) for row in sure if row.rank == 1 and row.relation == "IsA")
    below = {concept.id: {concept.id, *isa.ancestors(concept.id)} for concept in isa.concepts}
    for (rule, layer, concept), filters in counted.items():
        expected = sum(n for (r, m, c), n in first.items() if (r, m) == (rule, layer) and concept in below[c])
        assert filters == expected
    assert counted["k=1", "deep", ANIMAL] == counted["k=1", "deep", DOG] + counted["k=1", "deep", CAT] == 2
    level = [replace(row, q_value=COHERENT_Q if row.rank == 1 else None) for row in common]
    assert {row.filters for row in concepts_in_layers(tags, isa, level)} == {0}


def test_without_a_profile_separation_alone_is_missing(
    tags: TagTable, isa: Hierarchy, common: list[CommonConcept], rows: list[ConceptInLayer]
) -> None:
    bare = concepts_in_layers(tags, isa, common)
    assert bare == [replace(row, separation=None, low=None, high=None) for row in rows]


def test_a_table_is_read_back(rows: list[ConceptInLayer], tmp_path: Path) -> None:
    path = tmp_path / "concepts.csv"
    path.write_text(CONCEPTS.text(rows), encoding="utf-8")
    assert list(CONCEPTS.read(path)) == rows
    assert list(CONCEPTS.read(path, where={"rule": ("k=1",)})) == [row for row in rows if row.rule == "k=1"]


def test_contrast_must_be_of_the_tags(tags: TagTable, isa: Hierarchy) -> None:
    with pytest.raises(ValueError, match=r"contrast must have the classes and filters of the tags, got shape \(8, 5\)"):
        concepts_in_layers(tags, isa, [], contrast=np.zeros((8, 5)))
