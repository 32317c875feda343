"""Each rule by hand, alone; and all together, by property."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.concepts.evidence import LEAST_EVIDENCE, RULES, EvidenceRules, Generality, Row, believed, is_general
from filtag_kg.concepts.source import FEATURES, Edge

NONE = EvidenceRules(general=False, echo=False, least={}, agreement=False, growing=False)
ABOVE = {"thing": "", "animal": "thing", "dog": "animal thing", "poodle": "dog animal thing", "cat": "animal thing"}
SIZES = {"thing": 80_000, "animal": 4_000, "dog": 190, "poodle": 4, "cat": 9}


def kinds(**sizes: int) -> dict[str, Generality]:
    """Return how general five kinds are, with other sizes."""
    return {
        kind: Generality(size=size, above=frozenset(ABOVE[kind].split()), living=False)
        for kind, size in (SIZES | sizes).items()
    }


def row(weight: float = 1.0, *more: float, word: str = "w", relation: str = "HasA") -> Row:
    """Return a row of statements that differ in their data sets."""
    return Row([Edge(relation, word, "end", each, "s", f"/d/{i}", "") for i, each in enumerate((weight, *more))])


def kept(
    rows: dict[str, Row], relation: str, rules: EvidenceRules, of: dict[str, Generality] | None = None
) -> tuple[set[str], dict[str, int]]:
    """Return the kinds whose row is believed, and how many each rule removes."""
    removed: Counter[tuple[str, str]] = Counter()
    found = believed(rows, relation, of or kinds(), rules, removed)
    assert found == {kind: rows[kind] for kind in found}
    assert {name for name, _ in removed} <= {relation}
    assert len(found) + removed.total() == len(rows)
    return set(found), {rule: number for (_, rule), number in removed.items()}


def test_without_rules_everything_is_believed() -> None:
    for relation in FEATURES:
        assert kept(dict.fromkeys(SIZES, row()), relation, NONE) == (set(SIZES), {})


def test_nothing_is_believed_of_general_kinds() -> None:
    rules = replace(NONE, general=True, most_synsets=1000, most_synsets_near_top=250, near_top=1)
    everything = dict.fromkeys(SIZES, row(100.0))
    assert kept(everything, "HasA", rules) == ({"dog", "poodle", "cat"}, {"general": 2})
    # A kind near the top may be less large; at the limit it is none too many.
    assert kept(everything, "HasA", rules, kinds(animal=251)) == ({"dog", "poodle", "cat"}, {"general": 2})
    assert kept(everything, "HasA", rules, kinds(animal=250))[0] == {"animal", "dog", "poodle", "cat"}
    assert kept(everything, "HasA", rules, kinds(dog=1000))[0] == {"dog", "poodle", "cat"}
    assert kept(everything, "HasA", rules, kinds(dog=1001))[0] == {"poodle", "cat"}
    assert is_general(kinds()["animal"], rules)


@pytest.mark.parametrize("relation", ["CapableOf", "HasProperty", "AtLocation"])
def test_what_is_said_of_a_large_kind_must_be_said_below_it(relation: str) -> None:
    rules = replace(NONE, echo=True, small=10)
    assert kept({"dog": row(100.0)}, relation, rules) == (set(), {"echo": 1})
    assert kept({"dog": row(), "poodle": row()}, relation, rules) == ({"dog", "poodle"}, {})
    # Said above or beside it is not said below it; and a small kind needs no echo.
    assert kept({"animal": row(), "dog": row(), "cat": row()}, relation, rules) == ({"animal", "cat"}, {"echo": 1})
    assert kept({"dog": row()}, relation, rules, kinds(dog=10)) == ({"dog"}, {})
    for other in ("HasA", "MadeOf"):
        assert kept({"dog": row()}, other, rules) == ({"dog"}, {})


def test_what_living_beings_are_used_for_must_be_said_below_them() -> None:
    rules = replace(NONE, echo=True, small=10)
    living = {kind: replace(of, living=True) for kind, of in kinds().items()}
    assert kept({"dog": row()}, "UsedFor", rules) == ({"dog"}, {})
    assert kept({"dog": row()}, "UsedFor", rules, living) == (set(), {"echo": 1})
    assert kept({"dog": row(), "poodle": row()}, "UsedFor", rules, living) == ({"dog", "poodle"}, {})


@pytest.mark.parametrize("relation", FEATURES)
def test_evidence_is_the_sum_of_the_weights(relation: str) -> None:
    rules = replace(NONE, least={relation: 4})
    assert kept({"poodle": row(4.0)}, relation, rules) == ({"poodle"}, {})
    assert kept({"poodle": row(3.9)}, relation, rules) == (set(), {"evidence": 1})
    assert kept({"poodle": row(1.0, 1.5, 1.5)}, relation, rules) == ({"poodle"}, {})
    assert row(1.0, 1.5, 1.5).evidence == 4


def test_every_relation_needs_some_evidence() -> None:
    assert set(LEAST_EVIDENCE) == set(FEATURES)
    assert min(LEAST_EVIDENCE.values()) > 1


@pytest.mark.parametrize("relation", FEATURES)
def test_where_statements_agree_half_of_it_is_enough(relation: str) -> None:
    rules = replace(NONE, least={relation: 5}, agreement=True)
    assert kept({"poodle": row(4.0)}, relation, rules)[0] == set()
    two_words = Row([*row(1.5, word="w", relation=relation).edges, *row(1.5, word="v", relation=relation).edges])
    assert kept({"poodle": two_words}, relation, rules) == ({"poodle"}, {})
    # Half is rounded up: 3 of 5.
    assert kept({"poodle": Row(two_words.edges[:1] + row(1.4, word="v").edges)}, relation, rules)[0] == set()
    # A kind above or below that has it agrees, too; one beside it does not.
    assert kept({"poodle": row(3.0), "dog": row(0.5)}, relation, rules)[0] == {"poodle"}
    assert kept({"dog": row(3.0), "poodle": row(0.5)}, relation, rules)[0] == {"dog"}
    assert kept({"dog": row(3.0), "cat": row(3.0)}, relation, rules)[0] == set()
    # One so general that nothing is believed of it does not agree.
    general = replace(rules, general=True, most_synsets=1000)
    assert kept({"poodle": row(3.0), "animal": row(3.0)}, relation, general)[0] == set()


def test_data_sets_agree_but_for_uses_which_they_copy() -> None:
    for relation in FEATURES:
        rules = replace(NONE, least={relation: 5}, agreement=True)
        assert kept({"poodle": row(2.0, 2.0)}, relation, rules)[0] == (set() if relation == "UsedFor" else {"poodle"})


@pytest.mark.parametrize("relation", FEATURES)
def test_evidence_must_grow_with_the_kind(relation: str) -> None:
    rules = replace(NONE, growing=True)
    needed = []
    for size in (1, 10, 100, 1_000, 10_000):
        weights = (w for w in range(1, 10) if kept({"cat": row(float(w))}, relation, rules, kinds(cat=size))[0])
        needed.append(next(weights))
    assert needed == sorted(needed)
    assert needed[0] == 1 < needed[-1]


def statements() -> st.SearchStrategy[list[tuple[str, float, str, str]]]:
    return st.lists(
        st.tuples(
            st.sampled_from(sorted(SIZES)),
            st.sampled_from([0.5, 1.0, 2.0, 4.0]),
            st.sampled_from(["w", "v"]),
            st.sampled_from(["/d/a", "/d/b"]),
        ),
        min_size=1,
        max_size=8,
    )


def rows_of(of: list[tuple[str, float, str, str]], relation: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for kind, weight, word, dataset in of:
        rows.setdefault(kind, Row()).edges.append(Edge(relation, word, "end", weight, "s", dataset, ""))
    return rows


SWITCHES = st.fixed_dictionaries(
    {name: st.booleans() for name in ("general", "echo", "agreement", "growing")},
)


@settings(max_examples=300)
@given(
    statements(),
    st.sampled_from(FEATURES),
    SWITCHES,
    st.lists(st.sampled_from([1, 5, 11, 200, 260, 900, 2000]), min_size=5, max_size=5),
    st.booleans(),
    st.data(),
)
def test_a_statement_less_is_never_a_belief_more(
    of: list[tuple[str, float, str, str]],
    relation: str,
    switches: dict[str, bool],
    sizes: list[int],
    living: bool,
    data: st.DataObject,
) -> None:
    rules = replace(RULES, **switches)
    general = {
        kind: replace(each, living=living) for kind, each in kinds(**dict(zip(SIZES, sizes, strict=True))).items()
    }
    before, _ = kept(rows_of(of, relation), relation, rules, general)
    left_out = data.draw(st.integers(0, len(of) - 1))
    after, _ = kept(rows_of(of[:left_out] + of[left_out + 1 :], relation), relation, rules, general)
    assert after <= before
    # Nor does the order matter.
    again, _ = kept(rows_of(of[::-1], relation), relation, rules, general)
    assert again == before


def test_any_rule_can_be_switched_off_and_only_adds() -> None:
    rows = {"dog": row(3.0), "poodle": row(1.0), "animal": row(9.0), "cat": row(2.0, 1.0)}
    for relation in FEATURES:
        all_rules, _ = kept(rows, relation, RULES)
        for field in fields(EvidenceRules):
            if field.type == "bool" and field.name not in ("agreement",):
                assert all_rules <= kept(rows, relation, replace(RULES, **{field.name: False}))[0], field.name
