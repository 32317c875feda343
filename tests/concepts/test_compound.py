"""Labels that are formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.concepts.compound import And, Atom, Formula, Not, Or, atoms, evaluate, parse_compound

A, B, C = Atom("a"), Atom("b"), Atom("c")


@pytest.mark.parametrize(
    ("label", "formula"),
    [
        ("a AND NOT b", And((A, Not(B)))),
        ("(a OR b) AND NOT c", And((Or((A, B)), Not(C)))),
        ("a OR b AND c", Or((A, And((B, C))))),
        ("((a OR b) AND (NOT c))", And((Or((A, B)), Not(C)))),
        ("NOT (a)", Not(A)),
        ("NOT NOT a", Not(Not(A))),
        ("a | b", Or((A, B))),
        ("(a | b) & ~c", And((Or((A, B)), Not(C)))),
        ("a && !b || c", Or((And((A, Not(B))), C))),
        ("a ∧ ¬(b ∨ c)", And((A, Not(Or((B, C)))))),
        ("crane (bird) AND NOT crane (machine)", And((Atom("crane (bird)"), Not(Atom("crane (machine)"))))),
        ("cab, taxi AND dog", And((Atom("cab, taxi"), Atom("dog")))),
        ("  a  AND  b ", And((A, B))),
    ],
)
def test_formulas(label: str, formula: Formula) -> None:
    assert parse_compound(label) == formula


@pytest.mark.parametrize(
    "label",
    [
        *("dog", "dogs and birds", "salt & pepper", "cab|taxi", "AT&T", "R & B (MUSIC)", "salmon (food)", "wow!", ""),
        *("AND", "a AND", "OR b", "a NOT b", "a AND OR b", "(a AND b", "a) AND b", "a AND ()", "NOT", "(a) b AND c"),
        *("DOG AND CAT", "(" * 200 + "a AND b" + ")" * 200, "NOT " * 200 + "a"),
    ],
)
def test_ordinary_text(label: str) -> None:
    assert parse_compound(label) is None


def written(formula: Formula) -> str:
    match formula:
        case Atom(text):
            return text
        case Not(of):
            return f"NOT ({written(of)})"
        case And(parts):
            return " AND ".join(f"({written(part)})" for part in parts)
        case Or(parts):
            return " OR ".join(f"({written(part)})" for part in parts)


FORMULAS = st.recursive(
    st.sampled_from([A, B, C]),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=6,
)
THINGS = np.array([[bool(thing & bit) for thing in range(8)] for bit in (1, 2, 4)])


@given(FORMULAS)
def test_what_is_written_is_read_back(formula: Formula) -> None:
    if not isinstance(formula, Atom):
        assert parse_compound(written(formula)) == formula


@given(FORMULAS)
def test_a_formula_means_what_python_says(formula: Formula) -> None:
    code = written(formula).replace("NOT", "not").replace("AND", "and").replace("OR", "or")
    expected = [eval(code, {}, dict(zip("abc", thing, strict=True))) for thing in THINGS.T.tolist()]
    assert evaluate(formula, lambda text: THINGS["abc".index(text)]).tolist() == expected


def test_atoms_and_their_signs() -> None:
    formula = parse_compound("a AND NOT (b OR NOT c)")
    assert formula is not None
    assert list(atoms(formula)) == [("a", False), ("b", True), ("c", False)]
