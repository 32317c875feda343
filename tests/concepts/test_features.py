"""What the things of a kind have: whose statements are about which concept, and what their ends are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.concepts.combined import CombinedSource
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump
from filtag_kg.concepts.conceptnet.excerpt import ConceptNetExcerpt
from filtag_kg.concepts.evidence import EvidenceRules
from filtag_kg.concepts.families import families_of
from filtag_kg.concepts.features import stated_features, terms_meaning, wordnet_features
from filtag_kg.concepts.source import FEATURES
from tests.concepts.conceptnet.conftest import line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filtag_kg.concepts import ConceptSource, Edge
    from filtag_kg.concepts.features import Features

CN = "http://api.conceptnet.io/c/en/"
ALL = EvidenceRules(general=False, echo=False, least={}, agreement=False, growing=False)


def synset(word: str, sense: int = 0) -> str:
    return wordnet().senses(word)[sense].concept


DOG, BEAGLE = synset("dog"), synset("beagle")
FRANK = next(
    sense.concept for sense in wordnet().senses("dog") if wordnet().lexicographer_file(sense.concept) == "food"
)


def features_in(
    source: ConceptSource, concepts: Sequence[str], removed: Counter[tuple[str, str]] | None = None
) -> dict[str, Features]:
    """Return the stated features of concepts by relation, whatever the evidence."""
    above = {concept: sorted(wordnet().at_or_above(concept) - {concept}) for concept in concepts}
    combined = CombinedSource([wordnet(), source])
    found = stated_features(above, combined, source, rules=ALL, removed=removed)
    assert all(features.source == source.name for features in found)
    return {features.relation: features for features in found}


def of_lines(*lines: str) -> ConceptNetExcerpt:
    return ConceptNetExcerpt([line.replace(" > ", "\t", 2) for line in lines], "1")


def ends(features: Features, concept: str) -> list[str]:
    return sorted(end.label for end in features.of.get(concept, ()))


def test_a_word_is_about_its_first_sense_alone() -> None:
    # Dog is another word for the frankfurter, but means the animal first.
    source = of_lines("dog > HasA > tail:a", "frank > HasA > skin:a", "hot_dog > HasA > bun:a")
    assert FRANK in {sense.concept for sense in wordnet().senses("dog")}
    features = features_in(source, [DOG, FRANK])["HasA"]
    assert ends(features, DOG) == ["tail"]
    assert "tail" not in ends(features, FRANK)
    assert terms_meaning(wordnet().concept(DOG), source) == [f"{CN}dog"]
    assert f"{CN}dog" not in terms_meaning(wordnet().concept(FRANK), source)


def test_what_all_animals_have_is_said_of_no_animal() -> None:
    source = of_lines("dog > HasA > four_legs:a tail:a", "chair > HasA > four_legs:a")
    features = features_in(source, [DOG, synset("chair")])["HasA"]
    assert ends(features, DOG) == ["tail"]
    assert ends(features, synset("chair")) == ["leg"]


def test_all_words_for_a_concept_count_together() -> None:
    source = of_lines("car > HasA > wheel:a", "automobile > HasA > four_wheels:ab")
    features = features_in(source, [synset("car")])["HasA"]
    assert ends(features, synset("car")) == ["wheel"]
    weights = {edge.dataset: edge.weight for edge in features.edges}
    assert weights == {"/d/conceptnet/5.7": 2.0, "/d/conceptnet/5": 1.0}


def test_a_part_of_something_is_what_it_has() -> None:
    source = of_lines("tail > PartOf > dog:a", "dog > HasA > two_tails:a", "dog > PartOf > pack:a")
    features = features_in(source, [DOG])
    assert set(features) == {"HasA"}
    (edge,) = features["HasA"].edges
    assert (edge.relation, edge.start, edge.end, edge.weight) == ("HasA", DOG, features["HasA"].of[DOG][0].id, 2.0)


def test_nothing_is_a_part_material_or_place_of_itself() -> None:
    source = of_lines("paper > MadeOf > paper:ab wood:a", "paper > HasA > papers:ab", "paper > UsedFor > write:a")
    above = {f"{CN}paper": []}
    for features in (
        features_in(source, [synset("paper")]),
        {of.relation: of for of in stated_features(above, source, source, rules=ALL)},
    ):
        assert sorted(features) == ["MadeOf", "UsedFor"]
        assert [end.label for of in features["MadeOf"].of.values() for end in of] == ["wood"]


def test_ends_that_are_things_are_synsets_and_others_terms() -> None:
    source = of_lines(
        "dog > HasA > tail:a wing:a",
        "dog > AtLocation > kennel:a",
        "dog > UsedFor > guarding_houses:a",
        "dog > CapableOf > bark:a",
        "dog > HasProperty > very_loyal:a",
    )
    features = features_in(source, [DOG])
    assert features["AtLocation"].of[DOG] == (wordnet().concept(synset("kennel")),)
    assert [
        (end.id, end.label)
        for relation in ("UsedFor", "CapableOf", "HasProperty")
        for end in features[relation].of[DOG]
    ] == [
        (f"{CN}guard_house", "guard houses"),
        (f"{CN}bark", "bark"),
        (f"{CN}loyal", "loyal"),
    ]
    for relation, of in features.items():
        for end in of.of[DOG]:
            assert end.source == ("wordnet" if end.id.startswith("http://wordnet") else "conceptnet")
            assert relation in ("HasA", "AtLocation") or end.source == "conceptnet"


def test_without_wordnet_all_ends_are_terms() -> None:
    source = of_lines("dog > HasA > two_tails:a", "dog > AtLocation > in_kennel:a", "dog > HasProperty > loyal:a")
    (*found,) = stated_features({f"{CN}dog": []}, source, source, rules=ALL)
    assert {features.relation: [end.id for end in features.of[f"{CN}dog"]] for features in found} == {
        "HasA": [f"{CN}tail"],
        "AtLocation": [f"{CN}kennel"],
        "HasProperty": [f"{CN}loyal"],
    }
    assert {edge.start for features in found for edge in features.edges} == {f"{CN}dog"}


def test_what_is_refused_is_counted() -> None:
    source = of_lines(
        "dog > HasA > no_wings:a owner:b part:a tail:a",
        "dog > HasProperty > good:a big_and_very_loud:a",
        "dog > UsedFor > dog:a",
    )
    removed: Counter[tuple[str, str]] = Counter()
    features = features_in(source, [DOG], removed)
    assert set(features) == {"HasA"}
    assert ends(features["HasA"], DOG) == ["tail"]
    assert removed == {
        ("HasA", "phrase"): 1,
        ("HasA", "type"): 1,
        ("HasA", "everything"): 1,
        ("HasProperty", "everything"): 1,
        ("HasProperty", "phrase"): 1,
        ("UsedFor", "type"): 1,
    }


def test_terms_of_senses_are_about_these(tmp_path: Path) -> None:
    animal = next(term for term in wordnet().concept(DOG).terms if "/dog/" in term)
    food = next(term for term in wordnet().concept(FRANK).terms if "/dog/" in term)
    assert (animal, food) == ("/c/en/dog/n/wn/animal", "/c/en/dog/n/wn/food")
    stated = [
        ("HasA", animal, "tail", 2.0),
        ("HasA", "/c/en/dog", "tail", 1.5),
        ("HasA", "/c/en/dog/n", "snout", 1.0),
        ("HasA", food, "skin", 1.0),
        ("HasA", "/c/en/dog/v", "horn", 1.0),
    ]
    dump = tmp_path / "dump.csv"
    dump.write_text(
        "".join(
            line(relation, start.removeprefix("/c/"), f"en/{end}", weight, "/d/conceptnet/4/en", "cc:by/4.0")
            for relation, start, end, weight in stated
        ),
        encoding="utf-8",
    )
    import_dump(dump, tmp_path / "index")
    features = features_in(ConceptNetIndex(tmp_path / "index"), [DOG, FRANK])["HasA"]
    assert ends(features, DOG) == ["snout", "tail"]
    assert features.source == "conceptnet-dump"
    # Statements of one data set are one edge, with the sum of their weights.
    weights = {edge.end: edge.weight for edge in features.edges if edge.start == DOG}
    assert sorted(weights.values()) == [1.0, 3.5]
    assert "horn" not in {*ends(features, DOG), *ends(features, FRANK)}


def test_what_is_above_a_class_is_inherited() -> None:
    source = CombinedSource(
        [wordnet(), of_lines("dog > HasA > snout:abc", "beagle > HasA > big_paws:abc", "cat > HasA > whisker:abc")]
    )
    class_ids = ["n02088364", "n02099601", "n02124075"]
    isa = build_hierarchy(link_classes(class_ids, ["beagle", "golden retriever", "Egyptian cat"], source), source)
    (has,) = (of for of in isa.features if (of.relation, of.source) == ("HasA", "conceptnet"))
    # Each is stated where it is said, and not repeated below.
    assert {concept: [end.label for end in of] for concept, of in has.of.items()} == {
        DOG: ["snout"],
        BEAGLE: ["paw"],
        synset("cat"): [has.of[synset("cat")][0].label],
    }
    (family,) = (of for of in families_of(isa) if (of.relation, of.source) == ("HasA", "conceptnet"))
    who = {
        concept.label: [isa.class_ids[row] for row in np.flatnonzero(family.below[:, column])]
        for column, concept in enumerate(family.concepts)
    }
    assert who["snout"] == ["n02088364", "n02099601"]
    assert who["paw"] == ["n02088364"]
    trace = isa.trace(BEAGLE, has.of[DOG][0].id, has)
    # Hound, hunting dog, dog.
    assert len(trace) == 3 + 3
    assert [(edge.relation, edge.source) for edge in trace] == [("IsA", "wordnet")] * (len(trace) - 3) + [
        ("HasA", "conceptnet")
    ] * 3


def test_wordnet_says_what_things_have_and_are_made_of() -> None:
    has, made = wordnet_features([synset("car"), DOG, synset("bread")], wordnet())
    assert (has.relation, made.relation) == ("HasA", "MadeOf")
    assert [end.label for end in made.of[synset("bread")]] == ["flour"]
    assert "accelerator" in {end.label for end in has.of[synset("car")]}
    assert {edge.start for edge in has.edges} == set(has.of)
    assert wordnet_features([synset("entity")], wordnet()) == []


@pytest.mark.parametrize("order", [1, -1])
def test_features_are_sorted_whatever_the_order_of_the_concepts(order: int) -> None:
    source = of_lines("dog > HasA > tail:ab snout:ba", "beagle > HasA > whisker:c", "cat > HasA > tail:a")
    found = features_in(source, [DOG, BEAGLE, synset("cat")][::order])
    assert list(found) == [relation for relation in FEATURES if relation in found]
    for features in found.values():
        assert list(features.of) == sorted(features.of)
        assert list(features.edges) == sorted(features.edges, key=key)
        assert all([end.id for end in of] == sorted(end.id for end in of) for of in features.of.values())
        assert features.inherited


def key(edge: Edge) -> tuple[str, str, str, str]:
    return edge.start, edge.end, edge.dataset, edge.licence
