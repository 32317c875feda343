"""Ablation of a network whose filters are causal for one kind of thing each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.errors import FiltagError
from filtag_kg.explain import AblationOptions, ablate, add_ablation
from filtag_kg.explain.ablation_filters import concept_filters, random_sets
from filtag_kg.images import ImageSet, images_from
from filtag_kg.jobs import ablate as ablate_in_python
from filtag_kg.kg import KG, Ablation, open_kg, read_ablations, remove_run, validate_kg
from filtag_kg.network import Network
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.views import LoadedKg, conclusion, load_kg
from tests.explain.kinds_network import (
    BIRDS,
    CARS,
    CLASSES,
    DEAD,
    DOGS,
    UNUSED,
    by_hand,
    kinds_kg,
    kinds_network,
    pixels,
)

pytest.importorskip("keras", reason="the cpu extra is not installed")
pytest.importorskip("torch", reason="the torch extra is not installed")

DOG_CLASSES = CLASSES[5:10]


@pytest.fixture(scope="module", params=["keras", "torch"])
def network(request: pytest.FixtureRequest) -> Network:
    return kinds_network(request.param)


@pytest.fixture(scope="module")
def kg(network: Network, tmp_path_factory: pytest.TempPathFactory) -> KG:
    return kinds_kg(network, tmp_path_factory.mktemp("kinds") / "kg")


@pytest.fixture(scope="module")
def loaded(kg: KG) -> LoadedKg:
    return load_kg(kg)


@contextmanager
def shown(chosen: Any = None) -> Iterator[ImageSet]:
    images, labels = pixels()
    kept = np.ones(len(labels), bool) if chosen is None else np.isin(labels, chosen)
    with images_from((images[kept], [CLASSES[label] for label in labels[kept]])) as image_set:
        yield image_set


def ablated(loaded: LoadedKg, network: Network, concept: str = "dog", **options: Any) -> Ablation:
    with shown() as images:
        found, notes = ablate(loaded, network, images, concept, AblationOptions(**options), batch_size=7)
    assert notes == ()
    return found


def test_the_filter_of_a_kind_is_found_and_causal_for_it(loaded: LoadedKg, network: Network) -> None:
    found = ablated(loaded, network)
    assert found.filters == (("filters", DOGS),)
    assert (found.label, found.chosen_by, found.replacement) == ("dog", "common", "zero")
    assert conclusion(found) == "specific"
    assert found.change("concept", "accuracy").change == -1
    assert found.change("others", "accuracy").change == 0
    assert found.change("difference").p_value == 1 / 20
    assert [row.class_id for row in found.classes if row.scope == "concept"] == sorted(
        DOG_CLASSES,
        key=lambda class_id: next(
            row.confidence_after - row.confidence_before for row in found.classes if row.class_id == class_id
        ),
    )


@pytest.mark.parametrize("by", ["zero", "mean"])
def test_the_numbers_are_those_of_numpy(loaded: LoadedKg, network: Network, by: str) -> None:
    images, labels = pixels()
    found = ablated(loaded, network, by=by)
    before = by_hand(images)
    # The dog filter's mean over all images and places.
    value = 0 if by == "zero" else (images[..., 5:10] / 255).sum(axis=3).mean()
    after = by_hand(images, {DOGS: value})
    for row in found.classes:
        of_class = labels == CLASSES.index(row.class_id)
        true = CLASSES.index(row.class_id)
        assert row.images == of_class.sum() == 6
        assert row.confidence_before == pytest.approx(before[of_class, true].mean(), abs=1e-5)
        assert row.confidence_after == pytest.approx(after[of_class, true].mean(), abs=1e-5)
        assert row.accuracy_before == pytest.approx((before[of_class].argmax(axis=1) == true).mean(), abs=1e-6)
        assert row.accuracy_after == pytest.approx((after[of_class].argmax(axis=1) == true).mean(), abs=1e-6)


def test_both_frameworks_give_the_same_numbers(tmp_path: Path) -> None:
    found = []
    for framework in ("keras", "torch"):
        network = kinds_network(framework)
        found.append(ablated(load_kg(kinds_kg(network, tmp_path / framework)), network, random_sets=5))
    ours, theirs = found
    assert [row.class_id for row in ours.classes] == [row.class_id for row in theirs.classes]
    for a, b in zip(ours.changes, theirs.changes, strict=True):
        assert (a.scope, a.measure, a.p_value) == (b.scope, b.measure, b.p_value)
        np.testing.assert_allclose(
            (a.change, a.low, a.high, *a.random), (b.change, b.low, b.high, *b.random), atol=1e-5
        )


def test_random_sets_are_drawn_from_other_filters_that_react(loaded: LoadedKg, network: Network) -> None:
    images, labels = pixels()
    found = ablated(loaded, network, random_sets=60)
    before = by_hand(images)
    possible = set()
    for filter_ in set(range(13)) - {DOGS, DEAD}:
        change = by_hand(images, {filter_: 0}) - before
        means = [change[labels == class_, class_].mean() for class_ in range(20)]
        possible.add(round(float(np.mean(means[5:10])), 4))
    assert {round(value, 4) for value in found.change("concept").random} == possible


def test_batches_and_repetition_change_nothing(loaded: LoadedKg, network: Network) -> None:
    with shown() as images:
        options = AblationOptions(random_sets=3)
        first, _ = ablate(loaded, network, images, "dog", options, batch_size=7)
        second, _ = ablate(loaded, network, images, "dog", options, batch_size=120)
    assert first.ablation_id == second.ablation_id
    np.testing.assert_allclose(
        [each.change for each in first.changes], [each.change for each in second.changes], atol=1e-5
    )
    other = ablated(loaded, network, random_sets=4)
    assert other.ablation_id != first.ablation_id


def test_conclusions(loaded: LoadedKg, network: Network) -> None:
    assert conclusion(ablated(loaded, network, "bird")) == "specific"
    assert conclusion(ablated(loaded, network, given=[("filters", UNUSED[0])])) == "none"
    assert conclusion(ablated(loaded, network, given=[("filters", CARS)])) == "none"
    both = ablated(loaded, network, given=[("filters", DOGS), ("filters", BIRDS)])
    assert conclusion(both) == "mostly"
    assert both.chosen_by == "given"
    # All places of all kinds: nobody is spared.
    assert conclusion(ablated(loaded, network, given=[("filters", place) for place in range(4, 9)])) == "everywhere"
    assert conclusion(ablated(loaded, network, random_sets=9)) == "unclear"


def test_choices_of_filters(loaded: LoadedKg, network: Network) -> None:
    run = loaded.run_named("k=1", network.identifier)
    tagged = concept_filters(loaded, run, "dog", choice="tagged")
    assert tagged.filters == (("filters", DOGS),)
    assert tagged.classes == frozenset(DOG_CLASSES)
    # What is above all dogs has the filters of all below it.
    assert concept_filters(loaded, run, "animal").filters == (("filters", DOGS), ("filters", BIRDS))
    given = [("filters", 3), ("stem", 4), ("filters", 3)]
    assert concept_filters(loaded, run, "dog", given=given).filters == (("stem", 4), ("filters", 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"layers": ["stem"]},
            "no filter of stem stands for dog beyond chance by k=1: name another rule, or the filters",
        ),
        ({"layers": ["stem"], "choice": "tagged"}, "no filter of stem has mostly tags at or below dog by k=1: "),
        ({"layers": ["head"]}, "no layer 'head' in kinds: it has stem, filters"),
        ({"given": [("filters", 13)]}, "no filter 13 in filters: it has 0 to 12"),
        ({"choice": "best"}, "no choice of filters 'best': choose common or tagged"),
        ({"by": "one"}, "filters cannot be set to 'one': choose zero or mean"),
        ({"rule": "k=7"}, "no rule 'k=7' for "),
    ],
)
def test_what_cannot_be_chosen(loaded: LoadedKg, network: Network, options: dict[str, Any], message: str) -> None:
    with pytest.raises(FiltagError) as error:
        ablated(loaded, network, **options)
    assert str(error.value).startswith(message)


def test_a_misspelt_concept(loaded: LoadedKg, network: Network) -> None:
    with pytest.raises(FiltagError, match=r"^no concept 'dgo' in the KG"):
        ablated(loaded, network, "dgo")


def test_images_must_show_the_concept_and_others(loaded: LoadedKg, network: Network) -> None:
    for chosen, message in (
        ([0, 1, 12], "no image in memory is of a class at or below dog: give images of such classes"),
        ([5, 7], "every image in memory is of a class at or below dog: give images of other classes, too"),
    ):
        with shown(chosen) as images, pytest.raises(FiltagError) as error:
            ablate(loaded, network, images, "dog")
        assert str(error.value) == message


def test_images_of_unknown_classes_are_left_out(loaded: LoadedKg, network: Network) -> None:
    images, labels = pixels()
    names = [*CLASSES[:19], "n99999999"]
    with images_from((images, [names[label] for label in labels])) as image_set:
        found, notes = ablate(loaded, network, image_set, "dog", AblationOptions(random_sets=1))
    assert notes == ("6 images are left out: the network and the KG do not both have class n99999999",)
    assert found.images["read"] == 114
    assert len(found.classes) == 19


def test_images_that_made_the_tags_are_said_to_be(loaded: LoadedKg, network: Network) -> None:
    images, labels = pixels(seed=1)
    with images_from((images, [CLASSES[label] for label in labels])) as image_set:
        _, notes = ablate(loaded, network, image_set, "dog", AblationOptions(random_sets=1))
    assert notes == ("the filters were tagged with these very images: on others, they may do less",)


def test_some_images_of_each_class(loaded: LoadedKg, network: Network) -> None:
    found = ablated(loaded, network, random_sets=1, max_images=2)
    assert {row.images for row in found.classes} == {2}
    assert found.images["read"] == 40
    assert found.change("concept", "accuracy").change == -1
    assert found != ablated(loaded, network, random_sets=1, max_images=2, seed=1)


def test_few_other_filters(loaded: LoadedKg, network: Network) -> None:
    given = [("filters", filter_) for filter_ in (*range(8), *UNUSED)]
    with shown() as images:
        _, notes = ablate(loaded, network, images, "dog", AblationOptions(given=given, random_sets=2))
    assert notes == (
        "11 filters of filters are ablated, and 1 others react to the images: random sets have all of these",
    )


def test_random_sets_keep_to_the_layers_and_the_seed() -> None:
    filters = [("a", 0), ("a", 3), ("b", 1)]
    others = {"a": np.array([1, 2, 4, 5]), "b": np.array([0])}
    sets = random_sets(filters, others, 50, 0)
    assert sets == random_sets(filters, others, 50, 0)[:50]
    assert sets != random_sets(filters, others, 50, 1)
    for one_set in sets:
        assert [layer for layer, _ in one_set] == ["a", "a", "b"]
        assert one_set[-1] == ("b", 0)
        assert one_set[0][1] < one_set[1][1]
    assert {filter_ for one_set in sets for layer, filter_ in one_set if layer == "a"} == {1, 2, 4, 5}


def test_networks_that_cannot_be_measured(loaded: LoadedKg, network: Network) -> None:
    for changed, message in (
        (replace(network, class_ids=()), f"{network.name} does not say what its outputs stand for: name its classes"),
        (
            replace(network, output=replace(network.output, outputs="none")),
            f"{network.name} tells no classes apart, so there is nothing to measure: give a classifier",
        ),
    ):
        with shown() as images, pytest.raises(FiltagError) as error:
            ablate(loaded, changed, images, "dog")
        assert str(error.value) == message
    other = replace(network, recorded_identifier="other-0123")
    with shown() as images, pytest.raises(FiltagError, match="not of other-0123: name the right network"):
        ablate(loaded, other, images, "dog")


def test_answers_among_the_classes_of_the_kg(tmp_path: Path) -> None:
    """A class that the KG does not have takes confidence of others, unless it may not."""
    network = kinds_network("keras")
    images, labels = pixels(seed=1)
    names = [CLASSES[label] for label in labels]
    known = labels < 19
    profile = flt.profile(network, (images[known], [name for name, here in zip(names, known, strict=True) if here]))
    tags = flt.tag_filters(profile, [flt.Rule("k", 1)], network=network.identifier)
    kg = flt.build_kg(tmp_path / "kg", tags, flt.wordnet(), flt.Provenance.of_profile(profile), profile=profile)
    loaded = kg.loaded
    with shown(range(19)) as image_set:
        found = [
            ablate(loaded, network, image_set, "dog", AblationOptions(random_sets=1, kg_classes=kg_classes))[0]
            for kg_classes in (False, True)
        ]
    everything, among = (sum(row.confidence_before for row in each.classes) for each in found)
    assert among > everything
    test_images, test_labels = pixels()
    before = by_hand(test_images)[:, :19]
    before /= before.sum(axis=1, keepdims=True)
    for row in found[1].classes:
        class_ = CLASSES.index(row.class_id)
        assert row.confidence_before == pytest.approx(before[test_labels == class_, class_].mean(), abs=1e-5)


def test_an_ablation_joins_the_kg(kg: KG, loaded: LoadedKg, network: Network, tmp_path: Path) -> None:
    copy = tmp_path / "kg"
    shutil.copytree(kg.path, copy)
    found = ablated(loaded, network)
    changed = add_ablation(open_kg(copy), found)
    assert read_ablations(changed) == (found,)
    assert validate_kg(changed).findings == ()
    again = add_ablation(changed, ablated(loaded, network, "bird"))
    assert [each.label for each in read_ablations(again)] == ["dog", "bird"]
    assert validate_kg(again).findings == ()
    answer = named_query(LocalEndpoint(again), find_query("ablation-effects"), {"concept": "dog"}).records()
    assert [row["class_id"] for row in answer] == [row.class_id for row in found.classes]
    assert answer[0]["confidence_after"] == found.classes[0].confidence_after
    assert {row["concept"] for row in answer} == {found.concept}
    assert len(named_query(LocalEndpoint(again), find_query("ablation-effects"), {}).rows) == 40
    assert named_query(LocalEndpoint(again), find_query("ablation-effects"), {"rule": "k=2"}).rows == ()
    # It goes with the run that it is about.
    without = remove_run(again, "k=1")
    assert read_ablations(without) == ()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda about: about.pop("filters"), "filters is missing"),
        (lambda about: about["filters"].append(["stem"]), "filters[1] is not a list of 2"),
        (lambda about: about["changes"].pop(), "changes has not one of each scope and measure"),
        (
            lambda about: about["changes"][0].update(scope="all"),
            "changes[0].scope is not one of concept, others, difference",
        ),
        (lambda about: about.update(replacement="one"), "replacement is not one of zero, mean"),
    ],
)
def test_a_damaged_ablation(
    kg: KG, loaded: LoadedKg, network: Network, tmp_path: Path, damage: Any, message: str
) -> None:
    import json

    copy = tmp_path / "kg"
    shutil.copytree(kg.path, copy)
    found = ablated(loaded, network, random_sets=1)
    add_ablation(open_kg(copy), found)
    manifest = json.loads((copy / "filtag.json").read_text())
    damage(manifest["experiments"][0]["about"])
    (copy / "filtag.json").write_text(json.dumps(manifest))
    with pytest.raises(FiltagError) as error:
        read_ablations(open_kg(copy))
    assert str(error.value) == f"the ablation {found.ablation_id} is damaged ({message}): ablate the filters again"


def test_in_python(kg: KG, network: Network, tmp_path: Path) -> None:
    copy = tmp_path / "kg"
    shutil.copytree(kg.path, copy)
    images, labels = pixels()
    options = AblationOptions(random_sets=2)
    found = ablate_in_python(copy, "dog", (images, [CLASSES[label] for label in labels]), network, options=options)
    assert read_ablations(open_kg(copy)) == (found,)
