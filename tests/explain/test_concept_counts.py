from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from filtag_kg import Profile
from filtag_kg.explain.concept_counts import concept_counts, signed_root
from filtag_kg.tags import Rule, tag_filters

N_CLASSES, N_FILTERS = 16, 80


@pytest.fixture(scope="module")
def profile() -> Profile:
    rng = np.random.default_rng(0)
    mean = rng.uniform(0.2, 0.4, (N_CLASSES, N_FILTERS))
    # The first four classes, the animals, share filters 60 to 67; the first two, the dogs, share 68 to 71, too.
    mean[:4, 60:68] += 0.3
    mean[:2, 68:72] += 0.4
    mean[:, 79] = 0.5
    ids = tuple(f"c{index:02}" for index in range(N_CLASSES))
    return Profile(
        mean=mean,
        variance=np.full_like(mean, 0.001),
        count=np.full(N_CLASSES, 9),
        class_ids=ids,
        class_labels=ids,
        layer_names=("first", "middle", "last"),
        layer_offsets=np.array([0, 20, 50, N_FILTERS]),
    )


def graph_of(profile: Profile, **below: list[int]) -> SimpleNamespace:
    """Return as much of a graph of concepts as is needed: which classes are below each, and how deep it lies."""
    depth = {"dog": 3, "animal": 2, "creature": 1, "thing": 0}
    return SimpleNamespace(
        classes_below={concept: tuple(classes) for concept, classes in below.items()},
        above={concept: ("",) * depth.get(concept, 1) for concept in below},
        class_ids=profile.class_ids,
        label=lambda concept: concept.upper(),
    )


@pytest.fixture(scope="module")
def graph(profile: Profile) -> SimpleNamespace:
    return graph_of(profile, dog=[0, 1], animal=[0, 1, 2, 3], creature=[0, 1, 2, 3], thing=list(range(16)), car=[8, 9])


def slow(profile: Profile, graph: SimpleNamespace, activation: np.ndarray, concept: str, layers: int):
    """Count the filters of a concept by the tags of the rule, as the module says."""
    tags = tag_filters(profile, [Rule("q", 0.1, "contrast")], network="n")
    names = profile.layer_names[3 - layers :]
    tagged: dict[tuple[str, int], set[int]] = {}
    for layer, filter_, class_ in zip(tags.layer, tags.filter, tags.class_, strict=True):
        if tags.layer_names[layer] in names:
            tagged.setdefault((tags.layer_names[layer], int(filter_)), set()).add(int(class_))
    members = set(graph.classes_below[concept])
    share = {key: len(classes & members) / len(classes) for key, classes in tagged.items()}
    expected = [sum(share[key] for key, classes in tagged.items() if c in classes) for c in range(N_CLASSES)]
    mean, spread = profile.mean.mean(axis=0), profile.mean.std(axis=0)
    observed = 0.0
    for index in range(3 - layers, 3):
        start, stop = profile.layer_offsets[index : index + 2]
        contrast = [(activation[i] - mean[i]) / spread[i] if spread[i] > 1e-12 else -np.inf for i in range(start, stop)]
        best = np.argsort(-np.array(contrast), kind="stable")[: round(0.1 * (stop - start))]
        observed += sum(share.get((profile.layer_names[index], int(i)), 0) for i in best)
    return observed, np.mean(expected)


@pytest.mark.parametrize("layers", [1, 2])
def test_counts_are_those_of_the_tags(profile: Profile, graph: SimpleNamespace, layers: int) -> None:
    counts = concept_counts(profile, layers, graph)
    rng = np.random.default_rng(1)
    seen = 0
    for _ in range(20):
        activation = np.clip(profile.mean[rng.integers(N_CLASSES)] + rng.normal(0, 0.05, N_FILTERS), 0, 1)
        for found in counts.of_image(activation, 9):
            concept = counts.concepts[found.index]
            observed, expected = slow(profile, graph, activation, concept, layers)
            assert found.observed == pytest.approx(observed)
            assert found.expected == pytest.approx(expected)
            assert found.score == pytest.approx(signed_root(np.array([observed]), np.array([expected]))[0])
            seen += 1
    assert seen > 4


def test_the_clearest_concept_comes_first_and_none_nested_in_it_follows(
    profile: Profile, graph: SimpleNamespace
) -> None:
    counts = concept_counts(profile, 1, graph)
    assert set(counts.concepts) == {"dog", "animal", "creature", "car"}, "not what nearly every class is"
    for class_ in (0, 2):
        first, *others = counts.of_image(profile.mean[class_], 9)
        label = counts.labels[first.index]
        assert label in (("DOG", "ANIMAL") if class_ == 0 else ("ANIMAL",))
        assert not {counts.labels[other.index] for other in others} & {"DOG", "ANIMAL", "CREATURE"}
        assert set(first.columns) <= set(range(30))
        assert (first.more > 0).all()
    assert "CREATURE" not in {counts.labels[each.index] for each in counts.of_image(profile.mean[2], 9)}, (
        "of concepts with the same classes the most specific"
    )


def test_an_image_like_all_others_speaks_for_nothing(profile: Profile, graph: SimpleNamespace) -> None:
    counts = concept_counts(profile, 1, graph)
    assert not counts.distinctive(profile.mean[0])[29], "a filter that treats all classes alike is not distinctive"
    assert concept_counts(profile, 1, graph_of(profile)).of_image(profile.mean[0], 9) == []
    alike = replace(profile, mean=np.full_like(profile.mean, 0.5))
    assert concept_counts(alike, 1, graph).of_image(alike.mean[0], 9) == []
