"""What a filter responds to, in a few words: by its tags, its pictures, or what else there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import comb, log10
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg import Profile, Rule
from filtag_kg.kg import KG
from filtag_kg.views import Exemplar, LoadedKg, count_clear, filter_name, load_kg, surest_first
from filtag_kg.views.exemplar_themes import exemplar_themes
from tests.conftest import CLASSES
from tests.views.test_certainty import built, cifar, few, many

__all__ = ["cifar", "few", "many"]

TABBY, EGYPTIAN, MINIVAN = "n02123045", "n02124075", "n03770679"


def with_pictures(loaded: LoadedKg, shown: dict[int, Sequence[str]]) -> LoadedKg:
    """The KG with exemplars of these classes on filters, by column."""
    network = loaded.network_named().network
    labels = dict(zip(loaded.concepts.class_ids, loaded.concepts.class_labels, strict=True))
    exemplars = {
        (network, column): tuple(
            Exemplar(f"{class_id}/{place}.png", class_id, labels[class_id], 0.5, f"exemplars/{place}.jpg")
            for place, class_id in enumerate(classes)
        )
        for column, classes in shown.items()
    }
    return replace(loaded, exemplars=exemplars)


def test_nine_pictures_of_one_class_name_a_filter(kg: KG) -> None:
    loaded = with_pictures(load_kg(kg), {0: [TABBY] * 9, 1: list(CLASSES)})
    network = loaded.network_named()
    name = filter_name(loaded, network, 0)
    assert (name.text, name.clear) == ("tabby", True)
    assert name.sentence == "Responds to tabby: all of the 9 pictures that activate it most show it."
    assert name.figures.startswith("9 of 9 pictures, q ")
    assert "pictures" not in filter_name(loaded, network, 1).figures
    assert surest_first(loaded, network)[0] == 0
    assert count_clear(loaded, network) == sum(filter_name(loaded, network, c).clear for c in range(network.n_filters))


def test_pictures_of_two_kinds_of_cat_are_of_cats(kg: KG) -> None:
    loaded = with_pictures(
        load_kg(kg), {0: [TABBY, EGYPTIAN, TABBY, EGYPTIAN, TABBY, EGYPTIAN, TABBY, EGYPTIAN, MINIVAN]}
    )
    name = filter_name(loaded, loaded.network_named(), 0)
    assert name.text == "cat: tabby, Egyptian cat"
    assert name.sentence == "Responds to kinds of cat: 8 of the 9 pictures that activate it most show them."


def test_the_p_value_of_pictures_is_the_binomial_one_times_the_number_of_tests(kg: KG) -> None:
    loaded = with_pictures(load_kg(kg), {0: [TABBY] * 5 + [MINIVAN] * 4})
    network = loaded.network_named()
    counts = loaded.activations.image_counts(network.network)
    share = counts[TABBY] / sum(counts.values())
    (theme,) = exemplar_themes(loaded, network).values()
    p = sum(comb(9, k) * share**k * (1 - share) ** (9 - k) for k in range(5, 10))
    graph = loaded.concepts
    members = {frozenset(below) for below in graph.classes_below.values() if 2 <= len(below) < len(graph.class_ids)}
    assert (theme.label, theme.shown, theme.exemplars) == ("tabby", 5, 9)
    assert theme.p_value == pytest.approx(min(1.0, p * (len(graph.class_ids) + len(members))))
    # One filter was tested.
    assert theme.q_value == theme.p_value


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from(sorted(CLASSES)), min_size=1, max_size=9), min_size=1, max_size=5))
def test_what_most_pictures_show_is_what_a_slow_count_finds(kg: KG, shown: list[list[str]]) -> None:
    loaded = with_pictures(load_kg_once(kg), dict(enumerate(shown)))
    graph = loaded.concepts
    themes = exemplar_themes(loaded, loaded.network_named())
    for column, classes in enumerate(shown):
        most = [class_id for class_id in set(classes) if 2 * classes.count(class_id) > len(classes)]
        theme = themes.get(column)
        if theme is None:
            assert not most
        elif theme.class_id is not None:
            assert [theme.class_id] == most
            assert theme.shown == classes.count(theme.class_id)
        else:
            assert theme.concept is not None
            below = {graph.class_ids[c] for c in graph.classes_below[theme.concept]}
            assert theme.shown == sum(class_id in below for class_id in classes)
            assert 3 * theme.shown >= 2 * len(classes)


_LOADED: dict[Path, LoadedKg] = {}


def load_kg_once(kg: KG) -> LoadedKg:
    return _LOADED.setdefault(kg.path, load_kg(kg))


def test_a_coherent_filter_is_called_by_its_kind_with_examples_of_it(many: KG) -> None:
    loaded = load_kg(many)
    network = loaded.network_named()
    (table,) = loaded.runs_of(network.network)
    coherent = dict(table.concepts_of_layer(range(network.n_filters)))
    assert coherent
    for column, row in coherent.items():
        name = filter_name(loaded, network, column)
        assert name.clear
        assert name.run == table.run
        assert name.surprise == pytest.approx(-log10(row.p_adjusted))
        kind, _, examples = name.text.partition(": ")
        assert kind == row.label
        below = {loaded.concepts.class_labels[c] for c in loaded.concepts.classes_below[row.concept]}
        # Only what is such a thing: no seashore among motor vehicles.
        assert set(examples.split(", ")) <= below
        assert f"{row.support} of {row.tags} tags" in name.figures


def test_the_rule_that_says_most_names_a_filter_not_the_first(many: KG) -> None:
    loaded = load_kg(many)
    network = loaded.network_named()
    (table,) = loaded.runs_of(network.network)
    column = next(iter(dict(table.concepts_of_layer(range(network.n_filters)))))
    silent = replace(table, run=replace(table.run, run_id="0" * 16, rule="k=1"), common={})
    both = replace(loaded, runs={"0" * 16: silent, **loaded.runs})
    assert filter_name(both, network, column) == filter_name(loaded, network, column)


def test_pictures_that_are_surer_than_tags_name_the_filter(many: KG) -> None:
    loaded = load_kg(many)
    network = loaded.network_named()
    (table,) = loaded.runs_of(network.network)
    column, row = max(table.concepts_of_layer(range(network.n_filters)), key=lambda item: item[1].p_adjusted)
    other = next(
        c for c in range(len(loaded.concepts.class_ids)) if c not in loaded.concepts.classes_below[row.concept]
    )
    shown = with_pictures(loaded, {column: [loaded.concepts.class_ids[other]] * 9})
    assert filter_name(shown, network, column).text == loaded.concepts.class_labels[other]


def test_a_name_by_tags_that_few_pictures_bear_out_says_so_and_is_less_sure(many: KG) -> None:
    loaded = load_kg(many)
    network = loaded.network_named()
    (table,) = loaded.runs_of(network.network)
    column, row = min(table.concepts_of_layer(range(network.n_filters)), key=lambda item: item[1].p_adjusted)
    class_ids, below = loaded.concepts.class_ids, loaded.concepts.classes_below[row.concept]
    inside = class_ids[below[0]]
    outside = [class_ids[c] for c in range(len(class_ids)) if c not in below]
    # Pictures of as many classes as there are: by themselves they have no theme.
    others = [outside[i % len(outside)] for i in range(8)]
    plain = filter_name(loaded, network, column)
    few = filter_name(with_pictures(loaded, {column: [inside, *others]}), network, column)
    half = filter_name(with_pictures(loaded, {column: [inside, others[0]]}), network, column)
    assert few.text == half.text == plain.text
    assert half == plain
    assert few.sentence == f"{plain.sentence} Few of its strongest pictures show one: 1 of 9."
    assert few.surprise == pytest.approx(1 + (plain.surprise - 1) * 2 / 10)
    assert few.clear


def test_a_filter_with_one_tag_may_be_for_that_class(profile: Profile, tmp_path: Path) -> None:
    own_filter = replace(profile, mean=np.eye(8), variance=None, layer_names=("own",), layer_offsets=np.array([0, 8]))
    loaded = load_kg(built(own_filter, [Rule("k", 1)], tmp_path / "kg"))
    network = loaded.network_named()
    for column, label in enumerate(own_filter.class_labels):
        name = filter_name(loaded, network, column)
        assert name.text == f"perhaps {label}"
        assert (name.clear, name.surprise) == (False, 0.4)
        assert name.figures == "1 tag, by k=1"


def test_a_filter_without_tags_or_theme_says_so(kg: KG) -> None:
    loaded = load_kg(kg)
    network = loaded.network_named()
    tables = loaded.runs_of(network.network)
    for column in range(network.n_filters):
        name = filter_name(loaded, network, column)
        if not any(table.n_tags(column) for table in tables):
            assert (name.text, name.sentence, name.run) == ("no clear theme", "No class marks it.", None)
        elif not name.clear and not name.text.startswith("perhaps"):
            assert name.text == "no clear theme"
            assert "too few classes to tell" in name.sentence


def test_where_classes_are_too_few_for_tags_images_tell(few: KG) -> None:
    loaded = load_kg(few)
    network = loaded.network_named()
    name = filter_name(loaded, network, 0)
    assert name.clear
    assert name.sentence.startswith("Responds more to pictures of ")
    assert "standard deviations more" in name.figures


def test_sorting_some_filters_keeps_to_them(many: KG) -> None:
    loaded = load_kg(many)
    network = loaded.network_named()
    columns = list(range(10, 30))
    order = surest_first(loaded, network, columns)
    assert sorted(order) == columns
    surprise = [filter_name(loaded, network, column).surprise for column in order]
    assert surprise == sorted(surprise, reverse=True)
