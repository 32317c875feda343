"""Explanations by evidence, of a network that tells colours apart and a KG of a pass over coloured images."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, Provenance, Rule, load_profile, save_profile, tag_filters, wordnet
from filtag_kg.concepts import preferred_labels
from filtag_kg.explain import Explanation, explain_image, limits, verdict
from filtag_kg.explain.kg_evidence import kg_evidence
from filtag_kg.explain.verdict import one_in
from filtag_kg.images import images_from
from filtag_kg.kg import KG, build_kg, open_kg
from filtag_kg.network import Network
from filtag_kg.profile import PassOptions, collect

pytest.importorskip("keras", reason="the cpu extra is not installed")

Painter = Callable[[tuple[int, int, int]], Path]
# Two reddish dogs that are hard to tell apart, a green cat and five kinds of blue cars.
COLOURS = {
    "n02087394": (220, 60, 40),
    "n02088466": (220, 70, 40),
    "n02123045": (40, 220, 60),
    "n03770679": (40, 60, 220),
    "n02814533": (50, 90, 220),
    "n02930766": (90, 60, 220),
    "n03100240": (90, 90, 220),
    "n04285008": (10, 10, 220),
}
RED, GREEN, BLUE = (220, 65, 40), (40, 220, 60), (40, 60, 220)


@pytest.fixture(scope="module")
def painted(network: Network, tmp_path_factory: pytest.TempPathFactory) -> KG:
    rng = np.random.default_rng(0)
    images = []
    for class_id, colour in COLOURS.items():
        for _ in range(25):
            pixels = np.clip(np.array(colour) + rng.normal(0, 12, (8, 8, 3)) + rng.normal(0, 12, 3), 0, 255)
            images.append((pixels.astype(np.uint8), class_id))
    with images_from(images) as opened:
        profile = collect(network, opened, PassOptions(keep_going=True))
    profile = replace(profile, class_labels=preferred_labels(profile.class_ids, wordnet()))
    tags = tag_filters(profile, [Rule("k", 1), Rule("k", 1, "contrast")], network=network.identifier)
    provenance = Provenance.of_profile(profile)
    return build_kg(tmp_path_factory.mktemp("kg") / "kg", tags, wordnet(), provenance, profile=profile)


def changed(kg: KG, path: Path, **changes: object) -> KG:
    """Return a copy of a KG whose profile has changed."""
    shutil.copytree(kg.path, path)
    save_profile(replace(load_profile(kg.path / "profile.npz"), **changes), path / "profile.npz")
    return open_kg(path)


@pytest.fixture
def red(painted: KG, network: Network, picture: Painter) -> Explanation:
    return explain_image(painted, network, picture(RED), why="n02087394", not_="n02123045")


def test_the_filters_agree_with_a_right_answer(red: Explanation) -> None:
    assert (red.by, red.notes) == ("evidence", ())
    assert red.evidence is not None
    assert red.evidence.references == 200
    assert red.predictions[0].class_id == "n02087394"
    predicted = red.evidence.predicted
    assert predicted is not None
    assert predicted.rank <= 2, "of two dogs that look alike"
    assert predicted.p_value is not None
    assert predicted.p_value <= 0.05
    assert predicted.supported
    assert {class_.class_id for class_ in red.evidence.first[:2]} == {"n02087394", "n02088466"}
    assert [class_.rank for class_ in red.evidence.first] == sorted(class_.rank for class_ in red.evidence.first)
    first, second, *_ = verdict(red)
    assert first.endswith(f"; a wrong class would look as convincing in {one_in(predicted.p_value)}.")
    assert first.startswith(
        ("The filters agree: Rhodesian ridgeback comes first of 8 classes", "The filters rather say")
    )
    assert second.startswith("Nearly the same evidence supports ")
    assert "Only the 8 classes of the KG are compared" in limits(red.evidence)


def test_the_supporting_filters_are_those_of_the_colour(red: Explanation) -> None:
    of_class = red.regions_of[0]
    assert (of_class.kind, of_class.id, of_class.label) == ("class", "n02087394", "Rhodesian ridgeback")
    assert {each.layer for each in of_class.filters} <= set(red.evidence.layers if red.evidence else ())
    assert ("last", 0) in {(each.layer, each.filter) for each in of_class.filters}
    for supporters in red.regions_of:
        weights = [each.weight for each in supporters.filters]
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) == pytest.approx(1)
    assert [each.id for each in red.regions_of[-len(red.concepts) :]] == [each.id for each in red.concepts]


def test_what_decides_between_two_classes_adds_up(
    painted: KG, network: Network, picture: Painter, red: Explanation
) -> None:
    assert red.why_not is not None
    pair = red.why_not.evidence
    assert pair is not None
    assert pair.log_ratio > 0
    added = sum(each.weight for each in pair.for_why) - sum(each.weight for each in pair.for_why_not)
    assert pair.log_ratio == pytest.approx(added), "five filters are all shown"
    assert (pair.for_why[0].layer, pair.for_why[0].filter) in {("last", 0), ("last", 1), ("first", 0)}
    turned = explain_image(painted, network, picture(RED), why="n02123045", not_="n02087394").why_not
    assert turned is not None
    assert turned.evidence is not None
    assert turned.evidence.log_ratio == pytest.approx(-pair.log_ratio)
    assert turned.evidence.for_why == pair.for_why_not


def test_filters_contradict_an_answer_that_is_wrong(painted: KG, network: Network, picture: Painter) -> None:
    found = explain_image(painted, network, picture(BLUE))
    assert found.predictions[0].class_id == "n02123045", "the network takes what is blue for a cat"
    assert found.evidence is not None
    assert found.evidence.predicted is not None
    assert not found.evidence.predicted.supported
    assert verdict(found)[0].startswith("The filters do not agree: tabby is number ")
    cat, first, *_ = found.regions_of
    assert (cat.id, first.id) == ("n02123045", found.evidence.first[0].class_id)
    assert ("last", 2) in {(each.layer, each.filter) for each in first.filters}


def test_an_answer_outside_the_kg_is_compared_with_nothing(painted: KG, network: Network, picture: Painter) -> None:
    other = replace(network, class_ids=("n09999999", "n02123045"))
    found = explain_image(painted, other, picture(RED))
    assert found.evidence is not None
    assert found.evidence.predicted is None
    unknown, looks, *_ = verdict(found)
    assert unknown.endswith(" is not a class of the KG.")
    assert looks.startswith("Of the KG's 8 classes, its filters look most like ")
    nameless = explain_image(painted, replace(network, class_ids=()), picture(RED))
    assert verdict(nameless)[0] == "The network's outputs have no names to compare with the classes of the KG."
    assert nameless.regions_of[0].id == found.regions_of[0].id


def test_naming_a_rule_asks_for_tags(painted: KG, network: Network, picture: Painter, red: Explanation) -> None:
    by_tags = explain_image(painted, network, picture(RED), by="tags")
    assert (by_tags.by, by_tags.evidence, verdict(by_tags)) == ("tags", None, ())
    assert explain_image(painted, network, picture(RED), rule="k=1") == by_tags
    assert by_tags.active == red.active
    assert by_tags.support == red.support
    with_rule = explain_image(painted, network, picture(RED), by="evidence", rule="k=1:contrast")
    assert with_rule.evidence == red.evidence
    assert with_rule.rule == "k=1:contrast"
    for supporters in by_tags.regions_of:
        assert sum(each.weight for each in supporters.filters) == pytest.approx(1)
    with pytest.raises(FiltagError, match="an image cannot be explained by 'guess': choose evidence or tags"):
        explain_image(painted, network, picture(RED), by="guess")  # type: ignore[arg-type]


def test_what_a_profile_lacks_is_said(painted: KG, network: Network, picture: Painter, tmp_path: Path) -> None:
    without = explain_image(changed(painted, tmp_path / "a", references=None), network, picture(RED))
    assert without.evidence is not None
    assert (without.evidence.layers, without.evidence.references) == (("last",), 0)
    (note,) = without.notes
    assert note.startswith("the profile has no reference images, so only the last layer, last, is used")
    means = explain_image(changed(painted, tmp_path / "b", references=None, variance=None), network, picture(RED))
    assert means.notes[0].startswith("the profile has no variances, so how much the images of a class differ is taken")
    assert means.evidence is not None
    assert means.evidence.first[0].class_id in ("n02087394", "n02088466")


def test_a_kg_without_a_profile_is_explained_by_tags(
    painted: KG, network: Network, picture: Painter, tmp_path: Path
) -> None:
    shutil.copytree(painted.path, tmp_path / "kg")
    (tmp_path / "kg" / "profile.npz").unlink()
    kg = open_kg(tmp_path / "kg")
    found = explain_image(kg, network, picture(RED))
    assert found.by == "tags"
    (note,) = found.notes
    assert note.endswith("has no profile that tells classes apart, so the image is explained by counting tags")
    with pytest.raises(FiltagError, match="has no profile that tells classes apart: explain by tags"):
        explain_image(kg, network, picture(RED), by="evidence")


def test_a_profile_is_read_again_when_it_changes(painted: KG, network: Network, tmp_path: Path) -> None:
    kg = changed(painted, tmp_path / "kg")
    first = kg_evidence(kg, network.n_filters)
    assert kg_evidence(kg, network.n_filters) is first
    profile = load_profile(kg.path / "profile.npz")
    save_profile(replace(profile, references=None), kg.path / "profile.npz")
    again = kg_evidence(kg, network.n_filters)
    assert again is not None
    assert again.model.n_references == 0
    with pytest.raises(FiltagError, match="is about other layers than were loaded: build the KG anew"):
        kg_evidence(kg, network.n_filters + 1)
