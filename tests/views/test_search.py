"""Search by what people type."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, build_kg
from filtag_kg.views import SearchIndex, load_kg, search_index, statement_text


@pytest.fixture(scope="module")
def index(kg: KG) -> SearchIndex:
    return search_index(load_kg(kg))


def called(index: SearchIndex, text: str, most: int = 20) -> list[tuple[str, str]]:
    return [(found.kind, found.label) for found in index.find(text, most)]


def test_whole_names_come_before_beginnings_and_these_before_what_is_within(index: SearchIndex) -> None:
    labels = [label for _, label in called(index, "cat")]
    assert labels[0] == "cat"
    assert labels.index("cat") < labels.index("Egyptian cat")
    assert called(index, "dog")[0] == ("concept", "dog")
    assert set(called(index, "Minivan")[:2]) == {("class", "minivan"), ("concept", "minivan")}
    assert called(index, "bone")[-1][1] == "redbone"
    assert set(called(index, "MINI  VAN")[:2]) == {("class", "minivan"), ("concept", "minivan")}
    assert called(index, "Rhodesian   RIDGE")[0][1] == "Rhodesian ridgeback"


def test_a_class_is_found_by_its_id_and_a_concept_by_another_name(index: SearchIndex) -> None:
    assert called(index, "n02123045") == [("class", "tabby")]
    assert ("concept", "dog") in called(index, "canis familiaris")
    (found,) = index.find("n02123045")
    assert (found.detail, found.iri) == ("n02123045", index.loaded.class_("n02123045").iri)


def test_a_feature_is_found_by_what_is_said_of_things(index: SearchIndex) -> None:
    features = [feature for of in index.loaded.concepts.features.values() for feature in of]
    feature = next(each for each in features if each.concept not in index.loaded.concepts.classes_below)
    said = statement_text(feature.relation, feature.label)
    found = index.find(said)[0]
    assert (found.kind, found.label, found.iri) == ("concept", feature.label, feature.concept)
    assert said in found.detail.split(", ")


@pytest.mark.parametrize("text", ["deep 3", "deep/3", "DEEP:3", " deep#3 ", "deep filter 3", "filter deep/3"])
def test_a_number_names_a_filter(index: SearchIndex, text: str) -> None:
    first = index.find(text)[0]
    assert (first.kind, first.label) == ("filter", "deep 3")
    assert first.iri == index.loaded.filter(index.loaded.network_named(), "deep", 3).iri


def test_a_number_alone_names_filters_of_all_layers_the_last_first(index: SearchIndex) -> None:
    assert called(index, "1")[:2] == [("filter", "deep 1"), ("filter", "shallow 1")]
    assert ("filter", "deep 4") not in called(index, "4")
    assert all(match.is_near for match in index.find("shallow 3"))


def test_a_class_whose_id_is_a_number_comes_before_filters(profile: Profile, tmp_path: Path) -> None:
    digits = replace(profile, class_ids=tuple("01234567"), class_labels=tuple("01234567"))
    tags = tag_filters(digits, [Rule("k", 1)], network="digits")
    kg = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(digits))
    index = search_index(load_kg(kg))
    assert called(index, "7")[0] == ("class", "7")
    assert called(index, "1")[-2:] == [("filter", "deep 1"), ("filter", "shallow 1")]


def test_names_that_begin_alike_come_shortest_first_and_are_cut(index: SearchIndex) -> None:
    all_ = index.find("a", 1000)
    assert len(all_) > 5
    assert index.find("a", 5) == all_[:5]
    assert index.find("") == index.find(" \t\n") == []


@given(st.one_of(st.text(max_size=40), st.from_regex(r"(deep|shallow|cat|n0|)[ /:#]*[0-9]{0,12}", fullmatch=True)))
def test_any_text_is_answered_and_each_thing_comes_once(index: SearchIndex, text: str) -> None:
    found = index.find(text)
    assert len(found) <= 20
    assert len({(each.kind, each.iri) for each in found}) == len(found)


@given(st.data())
def test_every_name_finds_what_it_names_first_or_among_its_equals(index: SearchIndex, data: st.DataObject) -> None:
    name, _, named = data.draw(st.sampled_from(index.names))
    equals = {found for other, _, found in index.names if other == name}
    assert named.iri in [match.iri for match in index.find(name, 200)[: len(equals)]]


def test_few_letters_within_a_word_count_only_where_nothing_else_matches(index: SearchIndex) -> None:
    found = [match.label for match in index.find("red", most=50)]
    assert found
    assert not [label for label in found if "red" in label and not any(w.startswith("red") for w in label.split())]
    assert called(index, "edb")[0][1] == "redbone"
