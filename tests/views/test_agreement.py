"""LoadedKg against the named queries, which find the same in the store by SPARQL."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, add_runs, build_kg, runs_of
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.views import FilterRun, FilterView, LoadedKg, NetworkLayers, load_kg

Ask = Callable[..., list[dict[str, object]]]


@pytest.fixture(scope="module")
def two(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> KG:
    """A KG of one rule that another was added to."""
    room = tmp_path_factory.mktemp("two")

    def built(name: str, rule: Rule, first_rule: int) -> KG:
        tags = tag_filters(profile, [rule], network="toy-0123456789ab")
        provenance = Provenance.of_profile(profile)
        return build_kg(room / name, tags, wordnet(), provenance, profile=profile, first_rule=first_rule)

    return add_runs(built("kg", Rule("k", 1), 0), built("added", Rule("q", 0.5), 1))


@pytest.fixture(scope="module", params=["kg", "two", "vgg"])
def asked(request: pytest.FixtureRequest) -> tuple[LoadedKg, Ask]:
    """What a KG says, and how to ask its store."""
    kg: KG = request.getfixturevalue(request.param)
    endpoint = LocalEndpoint(kg)

    def ask(name: str, **parameters: object) -> list[dict[str, object]]:
        given = {key.removesuffix("_"): str(value) for key, value in parameters.items()}
        return named_query(endpoint, find_query(name), given).records()

    return load_kg(kg), ask


def each_filter(loaded: LoadedKg) -> list[tuple[str, FilterView, FilterRun]]:
    """Some filters of each layer, by each run: of a large layer those of most tags, and a few others."""
    found = []
    for network in loaded.networks.values():
        for index, layer in enumerate(network.layer_names):
            (first, *_) = loaded.layer(network, layer).runs
            by_tags = sorted(first.filters, key=lambda line: (-line.tags, line.filter))
            some = {line.filter for line in by_tags[:6]} | {
                *range(0, network.size(index), 1 + network.size(index) // 8)
            }
            for filter_ in sorted(some):
                of = loaded.filter(network, layer, filter_)
                found += [(run.run.run_id, of, run) for run in of.runs]
    return found


def only(loaded: LoadedKg) -> NetworkLayers:
    (network,) = loaded.networks.values()
    return network


def test_tags_of_filter(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    for rule, of, run in each_filter(loaded):
        mine = [
            {
                "class_id": tag.class_id,
                "label": tag.label,
                "rank": tag.rank,
                "activation": tag.activation,
                "contrast": tag.contrast,
                "concept": tag.concept,
                "score": tag.score,
            }
            for tag in run.tags
        ]
        assert mine == ask("tags-of-filter", layer=of.layer, filter=of.filter, rule=rule)


def test_parts_of_filter(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    checked = 0
    for rule, of, run in each_filter(loaded):
        theirs = ask("parts-of-filter", layer=of.layer, filter=of.filter, rule=rule)
        mine = [
            {"part": part.feature.concept, "label": part.feature.label, "tags": part.tags}
            for part in run.parts
            if part.feature.relation == "HasA"
        ]
        assert all(row["tags"] >= 2 for row in mine)
        several = [row for row in theirs if isinstance(row["tags"], int) and row["tags"] >= 2]
        assert all(row in several for row in mine)
        assert len(mine) == len(several) or len(run.parts) == 12
        checked += len(mine)
    assert checked


def test_similar_filters(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    checked = 0
    for rule, of, run in each_filter(loaded):
        theirs = {
            (row["other_layer"], row["other_filter"]): (row["shared"], row["similarity"])
            for row in ask("similar-filters", layer=of.layer, filter=of.filter, rule=rule)
        }
        mine = {(near.layer, near.filter): (near.shared, near.similarity) for near in run.neighbours}
        if len(theirs) < 200:
            assert list(mine) == list(theirs)[:8]
        # The query sees no more than the 200 that share most tags.
        for place in mine.keys() & theirs.keys():
            assert mine[place] == pytest.approx(theirs[place])
            checked += 1
    # Where each class tags one filter of one layer, no two have a tag in common.
    assert checked or len(only(loaded).layer_names) == 1


def test_filters_of_class(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    for class_id in loaded.concepts.class_ids[:12]:
        of = loaded.class_(class_id)
        for rule, filters in of.filters.items():
            mine = [(row.line.layer, row.line.filter, row.rank, row.activation) for row in filters]
            theirs = ask("filters-of-class", class_=class_id, rule=rule)
            assert mine == [tuple(row.values()) for row in theirs]


def test_layer_summary_and_purity(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    for rule, lines in loaded.network(only(loaded)).layers.items():
        mine = [(line.layer, line.filters, line.tagged, line.tags) for line in lines]
        theirs = ask("layer-summary", rule=rule)
        assert mine == [(row["layer"], row["filters"], row["tagged"], row["tags"]) for row in theirs]
        pure = {row["layer"]: (row["several_tags"], row["coherent"]) for row in ask("layers-by-purity", rule=rule)}
        assert {line.layer: (line.several, line.coherent) for line in lines if line.several} == pure


def test_coherent_filters(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    for rule in loaded.runs:
        mine = set()
        for layer in only(loaded).layer_names:
            (run,) = (run for run in loaded.layer(only(loaded), layer).runs if run.run.run_id == rule)
            for line in run.filters:
                if line.kind is not None:
                    kind = line.kind
                    mine.add((layer, line.filter, kind.concept, kind.label, kind.coverage, kind.support, kind.q_value))
        below_one = {row for row in mine if row[6] < 1}
        assert below_one == {tuple(row.values()) for row in ask("coherent-filters", max_q=1, rule=rule)}
        coherent = {row for row in mine if row[6] < 0.05}
        assert coherent == {tuple(row.values()) for row in ask("coherent-filters", rule=rule)}


def test_common_concepts_and_features(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    for rule, of, run in each_filter(loaded):
        names = ("concept", "label", "coverage", "support", "q_value", "p_adjusted")
        for query, rows in (("common-concepts", run.kinds), ("common-features", run.features)):
            mine = {tuple(getattr(each.row, name) for name in names) for each in rows}
            theirs = ask(query, layer=of.layer, rule=rule)
            assert mine == {tuple(row[n] for n in names) for row in theirs if row["filter"] == of.filter}


def test_each_step_of_a_path_is_an_edge_of_the_graph(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    checked = 0
    for rule, of, run in each_filter(loaded):
        theirs = ask("common-concept-paths", layer=of.layer, filter=of.filter, rule=rule)
        edges = {(row["concept"], row["tag"], row["narrower"], row["broader"]) for row in theirs}
        for common in run.kinds:
            assert len(common.paths) == common.row.support
            for _, tag, way in common.paths:
                assert way[-1].concept == common.row.concept
                for lower, upper in pairwise(way):
                    assert (common.row.label, tag, lower.label, upper.label) in edges
                    checked += 1
        for feature in run.features:
            assert len(feature.paths) == feature.row.support
    assert checked


def test_concepts_by_layer_and_by_filter(asked: tuple[LoadedKg, Ask]) -> None:
    loaded, ask = asked
    inner = [concept for concept, below in loaded.concepts.classes_below.items() if len(below) > 1]
    assert len(inner) > 3
    for concept in sorted(inner)[:: max(1, len(inner) // 12)]:
        of = loaded.concept(concept)
        for rule, layers in of.layers.items():
            names = ("layer", "filters", "separation", "low", "high", "concentration", "concept")
            theirs = ask("concept-by-layer", concept=concept, rule=rule)
            assert [tuple(getattr(row, name) for name in names) for row in layers] == [
                tuple(row[name] for name in names) for row in theirs
            ]
            by_filter = ask("filters-by-concept", concept=concept, rule=rule)
            below = {class_id for class_id, _ in of.classes}
            for row in by_filter[:20]:
                filter_ = loaded.filter(only(loaded), str(row["layer"]), int(str(row["filter"])))
                (run,) = (each for each in filter_.runs if each.run.run_id == rule)
                labels = sorted(tag.label for tag in run.tags if tag.class_id in below)
                assert (len(labels), len(run.tags)) == (row["matching"], row["tags"])
                assert ", ".join(labels) == row["labels"]


def test_runs_come_in_their_order(two: KG) -> None:
    loaded = load_kg(two)
    assert list(loaded.runs) == [run.run_id for run in runs_of(two)]
    assert [run.run.rule for run in loaded.filter(only(loaded), "deep", 0).runs] == ["k=1", "q=0.5"]
    alone = load_kg(two, rule="q=0.5")
    assert [run.run.rule for run in alone.filter(only(alone), "deep", 0).runs] == ["q=0.5"]


def test_the_folder_of_a_run_is_no_part_of_what_it_says(kg: KG, two: KG) -> None:
    once, twice = load_kg(kg), load_kg(two)
    for one, other in zip(each_filter(once), each_filter(twice), strict=True):
        for name in ("tags", "kinds", "features", "parts", "neighbours"):
            assert getattr(one[2], name) == getattr(other[2], name)


def test_what_tags_share_and_few_classes_have_comes_first(stated_vgg: KG) -> None:
    loaded = load_kg(stated_vgg)
    graph = loaded.concepts
    (run,) = loaded.filter(only(loaded), "conv5_3", 184).runs
    labels = [(part.feature.relation, part.feature.label) for part in run.parts]
    assert ("HasA", "roof") in labels[:3]
    assert ("HasA", "section") not in labels, "of any artifact"
    assert {part.feature.source for part in run.parts} == {"wordnet", "conceptnet"}
    for part in run.parts:
        tagged = {index for index, id_ in enumerate(graph.class_ids) if id_ in {tag.class_id for tag in run.tags}}
        assert part.tags == sum(part.feature in graph.features_of_class(c) for c in tagged)
