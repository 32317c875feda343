"""Names that people know come before those of a database."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.concepts import (
    Concept,
    Hierarchy,
    Links,
    build_hierarchy,
    common_concepts,
    concept_source,
    link_classes,
    wordnet,
)
from filtag_kg.concepts.familiarity import is_familiar, plainly_named
from filtag_kg.tags import TagTable


def concept(word: str, sense: int = 0) -> Concept:
    return wordnet().concept(wordnet().senses(word)[sense].concept)


@pytest.mark.parametrize("word", ["dog", "mammal", "bird", "food", "vehicle", "vertebrate", "musical instrument"])
def test_names_that_people_know(word: str) -> None:
    assert is_familiar(concept(word))


@pytest.mark.parametrize("word", ["placental", "containerful", "nutriment", "instrumentality", "colubrid snake"])
def test_names_that_nobody_uses(word: str) -> None:
    assert not is_familiar(concept(word))


def test_a_word_that_means_something_else_first_is_no_familiar_name() -> None:
    matter = wordnet().concept("http://wordnet-rdf.princeton.edu/pwn30/00020827-n")
    assert wordnet().senses("matter")[0].concept != matter.id
    assert not is_familiar(matter)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("metal", "metal"),  # metallic element
        ("television set", "television set"),  # television receiver
        ("dog", "dog"),
        ("outlet", "mercantile establishment"),  # Few say either.
    ],
)
def test_a_concept_goes_by_the_name_that_people_use(name: str, plain: str) -> None:
    of = next(
        wordnet().concept(sense.concept)
        for sense in wordnet().senses(name)
        if wordnet().concept(sense.concept).label in {"metallic element", "television receiver", "dog", plain}
    )
    named = plainly_named(of)
    assert named.label == plain
    assert {named.label, *named.alt_labels} == {of.label, *of.alt_labels}
    assert (named.id, named.terms, named.source) == (of.id, of.terms, of.source)


def tags_of(*class_ids: str) -> TagTable:
    return TagTable(
        network="n",
        layer_names=("conv",),
        n_filters=(1,),
        class_ids=class_ids,
        class_labels=class_ids,
        rules=("k=1",),
        rule=np.zeros(3, dtype=np.int64),
        layer=np.zeros(3, dtype=np.int64),
        filter=np.zeros(3, dtype=np.int64),
        class_=np.arange(3),
        rank=np.ones(3, dtype=np.int64),
        activation=np.full(3, np.nan),
        contrast=np.full(3, np.nan),
    )


def first_kind(words: list[str], *, source: str = "wordnet") -> tuple[str, Hierarchy, Links]:
    """Return the first common kind of the first three of some classes."""
    ids = tuple(f"n{wordnet().senses(word)[0].concept[-10:-2]}" for word in words)
    tags = tags_of(*ids)
    opened = concept_source(source)
    links = link_classes(ids, words, opened)
    isa = build_hierarchy(links, opened)
    rows = common_concepts(tags, links, isa, draws=200)
    return next(row.label for row in rows if row.relation == "IsA" and row.rank == 1), isa, links


THINGS = ["hammer", "sofa", "lamp", "guitar", "bottle", "mountain", "bread", "car", "shirt", "cup", "violin", "tent"]


def test_mammal_is_said_for_placental_where_no_class_of_the_run_differs() -> None:
    label, isa, _ = first_kind(["horse", "bear", "hedgehog", *THINGS])
    assert label == "mammal"
    assert "placental" in {each.label for each in isa.concepts}


def test_a_known_name_with_many_more_classes_does_not_replace_the_better_concept() -> None:
    # Five of eight mammals are no placentals here.
    pouched = ["kangaroo", "koala", "wombat", "opossum", "echidna"]
    label, _, _ = first_kind(["horse", "bear", "hedgehog", *pouched, *THINGS])
    assert label == "placental"
