"""The sections of the graph against the slow obvious way: triples, one by one, sorted as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.concepts import CommonConcept, MixedPart
from filtag_kg.graph import DataIris, RunDescription, emit_filters_in_run, emit_strongest, emit_tag_counts
from filtag_kg.graph.emit_bulk import assignment_section, filter_sections, in_order
from filtag_kg.graph.nquads import DEFAULT_GRAPH, Triple, double, integer, iri, literal, quads, t
from filtag_kg.tags import TagTable, tag_assignments

if TYPE_CHECKING:
    from collections.abc import Iterator

IRIS = DataIris("http://example.org/")
RUNS = {"k=1": "aaaa", "q=0.5": "bbbb"}
LAYERS = ("conv", "conv-2", "conv/3", "Über conv")
CLASSES = ("n01", "n1", "n10", "a b", "ä", 'x"<y>')


def triples_of_filters(tags: TagTable) -> Iterator[Triple]:
    for name, n_filters in zip(tags.layer_names, tags.n_filters, strict=True):
        for place in range(n_filters):
            filter_ = iri(IRIS.filter(tags.network, name, place))
            yield filter_, t("rdf:type"), t("flt:Filter")
            yield filter_, t("rdfs:label"), literal(f"{name} {place}")
            yield filter_, t("flt:filterIndex"), integer(place)
            yield filter_, t("flt:inLayer"), iri(IRIS.layer(tags.network, name))


def triples_of_tags(tags: TagTable) -> Iterator[Triple]:
    for row in tag_assignments(tags):
        filter_ = iri(IRIS.filter(row.network, row.layer, row.filter))
        yield filter_, t("flt:hasTag"), iri(IRIS.class_(row.class_id))


def triples_of_assignments(tags: TagTable, run_id: str) -> Iterator[Triple]:
    for row in tag_assignments(tags):
        filter_ = iri(IRIS.filter(row.network, row.layer, row.filter))
        class_ = iri(IRIS.class_(row.class_id))
        assignment = iri(IRIS.assignment(run_id, row.layer, row.filter, row.class_id))
        yield assignment, t("flt:filter"), filter_
        yield assignment, t("flt:tag"), class_
        yield assignment, t("prov:wasGeneratedBy"), iri(IRIS.run(run_id))
        if row.rank is not None:
            yield assignment, t("flt:rank"), integer(row.rank)
        if row.activation is not None:
            yield assignment, t("flt:activation"), double(row.activation)
        if row.contrast is not None:
            yield assignment, t("flt:contrast"), double(row.contrast)


def triples_of_common(rows: list[CommonConcept], network: str) -> Iterator[Triple]:
    for row in rows:
        filter_ = iri(IRIS.filter(network, row.layer, row.filter))
        yield filter_, t("flt:commonConcept"), iri(row.concept)
        node = iri(IRIS.common(RUNS[row.rule], row.layer, row.filter, row.rank))
        yield filter_, t("flt:hasCommonFeature"), node
        if row.rank == 1:
            yield filter_, t("flt:bestCommonConcept"), node


shares = st.one_of(st.just(float("nan")), st.integers(0, 2**20).map(lambda n: n / 2**20), st.floats(0, 1e-3))
numbers = st.one_of(shares, st.floats(-1e20, 1e20))
rows = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(0, 3), st.integers(0, 11), st.integers(0, 5), st.integers(0, 3), shares, numbers
    ),
    unique_by=lambda row: row[:4],
)


def table(of: list[tuple[int, int, int, int, int, float, float]]) -> TagTable:
    columns = list(zip(*of, strict=True)) or [()] * 7
    whole = [np.array(column, dtype=np.int64) for column in columns[:5]]
    return TagTable(
        "net", LAYERS, (12, 12, 12, 12), CLASSES, CLASSES, tuple(RUNS), *whole,
        np.array(columns[5], dtype=np.float64), np.array(columns[6], dtype=np.float64),
    )  # fmt: skip


def common(layer: str, filter_: int, concept: str, q: float, rule: str) -> CommonConcept:
    return CommonConcept(rule, layer, filter_, concept, "", "IsA", "wordnet", 1.0, 2, 2, 1.0, 0.1, 0.1, q, 1)


@settings(max_examples=60, deadline=None)
@given(
    rows,
    st.lists(st.tuples(st.sampled_from(LAYERS), st.integers(0, 11), st.sampled_from(["http://c/1", "http://c/2"]))),
)
def test_sections_hold_what_the_slow_loop_makes(
    of: list[tuple[int, int, int, int, int, float, float]], shared: list[tuple[str, int, str]]
) -> None:
    tags = table(of)
    found = [common(*one, 0.25, "k=1") for one in shared]
    expected: dict[str, set[str]] = {IRIS.network("net"): quads(triples_of_filters(tags), IRIS.network("net"))}
    for rule, run_id in RUNS.items():
        graph, of_rule = IRIS.run(run_id), tags.of_rule(rule)
        expected[graph] = quads(triples_of_tags(of_rule), graph)
        results = quads(triples_of_assignments(of_rule, run_id), DEFAULT_GRAPH)
        expected[DEFAULT_GRAPH] = expected.get(DEFAULT_GRAPH, set()) | results
    expected[IRIS.run("aaaa")] |= quads(triples_of_common(found, "net"), IRIS.run("aaaa"))
    rest = sorted(["<http://a> <http://b> <http://c> <http://d> .", "<http://example.org/network/net> <b> <c> <d> ."])
    sections = [assignment_section(tags.of_rule(rule), run_id, IRIS) for rule, run_id in RUNS.items()]
    sections += filter_sections(tags, RUNS, found, IRIS, kinds_of="wordnet")
    lines = "".join(in_order(rest, sections)).splitlines()
    assert lines == sorted({*rest, *set().union(*expected.values())})
    counts: Counter[str] = Counter()
    for section in sections:
        counts.update(section.counts)
    assert {graph: n for graph, n in counts.items() if n} == {graph: len(of) for graph, of in expected.items() if of}


def test_a_class_given_twice_is_one_assignment() -> None:
    tags = table([(0, 0, 3, 1, 2, 0.5, 1.0), (0, 0, 3, 1, 1, 0.75, 2.0)])
    section = assignment_section(tags.of_rule("k=1"), "aaaa", IRIS)
    text = "".join(section.blocks)
    assert text.count("\n") == sum(section.counts.values()) == 6
    assert '"0.75"' in text  # of the better rank


@settings(max_examples=60, deadline=None)
@given(rows)
def test_the_strongest_assignments_of_a_class_have_the_highest_activation_of_all_layers(
    of: list[tuple[int, int, int, int, int, float, float]],
) -> None:
    tags = table(of).of_rule("k=1")
    expected = []
    for class_id in CLASSES:
        given_to = {}
        for row in tag_assignments(tags):
            if row.class_id == class_id:
                given_to.setdefault((LAYERS.index(row.layer), row.filter), row.activation)
        strongest = sorted((-value, *where) for where, value in given_to.items() if value is not None)[:2]
        expected += [
            (iri(IRIS.class_(class_id)), iri(IRIS.assignment("aaaa", LAYERS[layer], filter_, class_id)))
            for _, layer, filter_ in strongest
        ]
    stated = list(emit_strongest(tags, "aaaa", IRIS, most=2))
    assert [(class_, assignment) for class_, _, assignment in stated] == expected
    assert {predicate for _, predicate, _ in stated} <= {t("flt:strongestAssignment")}


@settings(max_examples=60, deadline=None)
@given(rows, st.lists(st.tuples(st.sampled_from(LAYERS), st.integers(0, 11)), unique=True))
def test_a_run_says_of_each_filter_how_many_classes_tag_it(
    of: list[tuple[int, int, int, int, int, float, float]], coherent: list[tuple[str, int]]
) -> None:
    tags = table(of).of_rule("k=1")
    found = [common(layer, filter_, "http://c/1", 0.25, "k=1") for layer, filter_ in coherent]
    parts = [
        MixedPart("conv", 3, number, "http://c/1", "", "n01 n1", 6, share, 0.01, 0.02)
        for number, share in ((1, 0.5), (2, 0.25))
    ]
    run = RunDescription("aaaa", "k=1", 0, "activation", 1.0, 10, 0, ())
    tagged = {(row.layer, row.filter, row.class_id) for row in tag_assignments(tags)}
    expected, counted = set(), []
    for name, n_filters in zip(tags.layer_names, tags.n_filters, strict=True):
        for place in range(n_filters):
            node = iri(IRIS.filter_in_run("aaaa", name, place))
            n_tags = sum(pair[:2] == (name, place) for pair in tagged)
            counted.append((node, t("flt:filter"), iri(IRIS.filter("net", name, place))))
            counted.append((node, t("flt:tagCount"), integer(n_tags)))
            expected.add((node, t("rdf:type"), t("flt:FilterInRun")))
            expected.add((node, t("prov:wasGeneratedBy"), iri(IRIS.run("aaaa"))))
            expected.add((node, t("rdfs:label"), literal(f"{name} {place} by k=1", language="en")))
            if (name, place) in coherent:
                expected.add((node, t("flt:coherenceQValue"), double(0.25)))
            if (name, place) == ("conv", 3):
                expected |= {(node, t("flt:mixedness"), double(0.5)), (node, t("flt:mixedQValue"), double(0.02))}
    assert set(emit_filters_in_run(tags, found, parts, run, IRIS)) == expected
    assert list(emit_tag_counts(tags, "aaaa", IRIS)) == counted
