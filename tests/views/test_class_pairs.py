from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind

from filtag_kg import FiltagError, Provenance, Rule, tag_filters, wordnet
from filtag_kg.concepts import q_values
from filtag_kg.kg import KG, add_runs, build_kg, remove_run, runs_of
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.tags import contrast_over_classes
from filtag_kg.views import LoadedKg, alike_classes, class_pair, load_kg, unusual_filters
from tests.kg.test_runs import own
from tests.profile.test_filter_states import made_from

CLASSES = ("tabby", "lion", "tiger", "car", "truck", "oak", "rose", "violin", "piano", "boat", "plane")


@pytest.fixture(scope="module")
def seen() -> dict[str, np.ndarray]:
    """Activations of 40 images a class: filters for cats, for one class each, for nothing; one dead and two alike."""
    random = np.random.default_rng(5)
    images = {}
    for index, name in enumerate(CLASSES):
        noise = random.random((40, 16)) / 4
        noise[:, 0] += 0.7 * (index < 3)
        noise[:, 1] += 0.7 * (index == 0)
        noise[:, 2] += 0.7 * (index == 1)
        noise[:, 3] = 0
        noise[:, 4:8] = 0.1 + index / 20 + noise[:, 4:8] / 100
        noise[:, 8] += 0.4 * (index < 2)
        images[name] = noise
    return images


@pytest.fixture(scope="module")
def loaded(seen: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> LoadedKg:
    made = made_from(seen, [0, 8, 16])
    tags = tag_filters(made, [Rule("k", 1)], network="net")
    provenance = Provenance.of_profile(made)
    return load_kg(build_kg(tmp_path_factory.mktemp("pairs") / "kg", tags, wordnet(), provenance, profile=made))


def test_which_filters_respond_to_both_and_to_one_alone(loaded: LoadedKg, seen: dict[str, np.ndarray]) -> None:
    network = loaded.network_named()
    pair = class_pair(loaded, network, "tabby", "lion")
    contrast = contrast_over_classes(np.array([each.mean(axis=0) for each in seen.values()]))
    q = q_values(np.nan_to_num(ttest_ind(seen["tabby"], seen["lion"], equal_var=False).pvalue, nan=1.0))
    a, b = contrast[0] >= 1, contrast[1] >= 1
    assert (pair.n_both, pair.n_only_a, pair.n_only_b) == (
        (a & b).sum(),
        (a & ~b & (q < 0.05)).sum(),
        (b & ~a & (q < 0.05)).sum(),
    )
    assert (pair.both[0].layer, pair.both[0].filter) in {("layer0", 0), ("layer1", 0)}
    assert (pair.only_a[0].layer, pair.only_a[0].filter) == ("layer0", 1)
    assert (pair.only_b[0].layer, pair.only_b[0].filter) == ("layer0", 2)
    first = pair.only_a[0]
    assert (first.contrast_a, first.contrast_b) == (pytest.approx(contrast[0, 1]), pytest.approx(contrast[1, 1]))
    pooled = np.sqrt((seen["tabby"][:, 1].var(ddof=1) + seen["lion"][:, 1].var(ddof=1)) / 2)
    assert first.effect == pytest.approx((seen["tabby"][:, 1].mean() - seen["lion"][:, 1].mean()) / pooled)
    turned = class_pair(loaded, network, "lion", "tabby")
    assert (turned.n_only_a, turned.n_only_b, turned.likeness) == (
        pair.n_only_b,
        pair.n_only_a,
        pytest.approx(pair.likeness),
    )


def test_the_pair_that_the_last_layer_sees_alike(loaded: LoadedKg) -> None:
    network = loaded.network_named()
    pairs = alike_classes(loaded, network, 3)
    assert pairs[0] == ("tabby", "lion")
    likeness = [class_pair(loaded, network, *pair).likeness for pair in pairs]
    assert likeness == sorted(likeness, reverse=True)


def test_mistakes(loaded: LoadedKg) -> None:
    network = loaded.network_named()
    with pytest.raises(FiltagError, match="both classes are tabby: name two"):
        class_pair(loaded, network, "tabby", "tabby")
    with pytest.raises(FiltagError, match="no class 'wolf': name one that it was made with"):
        class_pair(loaded, network, "tabby", "wolf")


def test_a_kg_without_a_profile_knows_nothing_of_it(vgg: KG) -> None:
    imported = load_kg(vgg)
    assert unusual_filters(imported, imported.network_named()) is None
    with pytest.raises(FiltagError, match="has no profile of vgg16"):
        class_pair(imported, imported.network_named(), *imported.concepts.class_ids[:2])


def test_unusual_filters(loaded: LoadedKg) -> None:
    found = unusual_filters(loaded, loaded.network_named())
    assert found is not None
    assert (found.images, found.classes) == (440, 11)
    assert [row[:2] for row in found.inactive] == [("layer0", 3)]
    assert found.duplicates == (("layer0", (4, 5, 6, 7)),)
    assert {layer for layer, *_ in found.unexplained} == {"layer1"}
    shares = [share for *_, share in found.unexplained]
    assert shares == sorted(shares)
    assert max(shares) < 0.05
    first, second = found.layers
    assert (first.never, first.hardly, first.duplicates, first.unexplained) == (1, 0, 4, 0)
    assert second.unexplained == len(found.unexplained) >= 5


def test_the_store_says_the_same(loaded: LoadedKg) -> None:
    endpoint = LocalEndpoint(loaded.kg)
    found = unusual_filters(loaded, loaded.network_named())
    assert found is not None

    def asked(name: str, **parameters: str) -> list[dict[str, object]]:
        return named_query(endpoint, find_query(name), parameters).records()

    assert [(row["layer"], row["filter"]) for row in asked("inactive-filters")] == [("layer0", 3)]
    assert [(row["filter"], row["duplicate"]) for row in asked("duplicate-filters")] == [
        (a, b) for a in range(4, 8) for b in range(a + 1, 8)
    ]
    unexplained = asked("unexplained-filters")
    assert [(row["layer"], row["filter"]) for row in unexplained] == [row[:2] for row in found.unexplained]
    assert len(asked("unexplained-filters", max_share="1")) == 15
    confusing = asked("confusing-filters", class_a="tabby", class_b="lion")
    assert {row["responds_to"] for row in confusing} <= {"both", "class_a", "class_b"}
    assert all((row["responds_to"] == "both") == (None not in (row["rank_a"], row["rank_b"])) for row in confusing)


def test_a_removed_run_takes_the_profile_s_statements_along(loaded: LoadedKg, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    made = made_from({name: random.random((5, 16)) for name in CLASSES}, [0, 8, 16])
    tags = tag_filters(made, [Rule("k", 2)], network="net")
    added = build_kg(tmp_path / "added", tags, wordnet(), Provenance.of_profile(made), profile=made, first_rule=1)
    tags = tag_filters(made, [Rule("k", 1)], network="net")
    first = build_kg(tmp_path / "first", tags, wordnet(), Provenance("network"))
    before = own(first)
    both = add_runs(first, added)
    assert any("meanActivation" in line for line in own(both))
    left = remove_run(both, runs_of(both)[1].run_id)
    assert own(left) == before
