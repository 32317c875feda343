"""In which layers a concept appears, as pages and terminals say it."""

from __future__ import annotations

import pytest

from filtag_kg.kg import KG
from filtag_kg.views import LoadedKg, load_kg

DOG, DOMESTIC, CARNIVORE = (
    f"http://wordnet-rdf.princeton.edu/pwn30/{n}-n" for n in ("02084071", "01317541", "02075296")
)


@pytest.fixture(scope="module")
def loaded(kg: KG) -> LoadedKg:
    return load_kg(kg)


def test_a_concept_has_every_layer_and_one_class_alone_has_none(loaded: LoadedKg) -> None:
    for table_id, rows in loaded.concept(DOG).layers.items():
        assert [row.layer for row in rows] == ["shallow", "deep"]
        assert {row.rule for row in rows} == {loaded.runs[table_id].run.rule}
        assert (rows[0].separation, rows[1].separation) == (0.5, 1.0)
    (of_tabby,) = {
        concept
        for concepts in loaded.concepts.class_concepts
        for concept in concepts
        if loaded.concepts.label(concept) == "tabby"
    }
    assert set(loaded.concept(of_tabby).layers.values()) == {()}


def test_filters_are_counted_at_the_level_that_was_asked_for(kg: KG) -> None:
    (lax, strict) = (load_kg(kg, "q=0.5", q=q) for q in (1.1, 0.05))
    (of_lax,), (of_strict,) = (loaded.concept(CARNIVORE).layers.values() for loaded in (lax, strict))
    (table,) = lax.runs.values()
    kinds = [row.concept for _, row in table.concepts_of_layer(range(2, 6))]
    assert of_lax[1].filters == sum(CARNIVORE in lax.concepts.above[kind] for kind in kinds) > 0
    assert [row.filters for row in of_strict] == [0, 0]


def test_a_class_follows_its_nearest_kind_that_has_an_interval(loaded: LoadedKg) -> None:
    # Three dogs have no interval; five domestic animals have, and five carnivores above them.
    for rows in loaded.class_("n02087394").layers.values():
        assert [(row.concept, row.classes) for row in rows] == [(DOMESTIC, 5)] * 2
        assert all(row.low is not None for row in rows)


def test_without_a_profile_a_class_follows_none(vgg: KG) -> None:
    loaded = load_kg(vgg)
    assert set(loaded.class_(loaded.concepts.class_ids[0]).layers.values()) == {()}
