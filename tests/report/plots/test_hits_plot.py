from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import pytest

from filtag_kg.explain import HitsRow
from filtag_kg.report.plots import NARROW, WIDE, Plot, hits_plot
from filtag_kg.report.plots.hits import _mark
from filtag_kg.tags import Rule
from tests.report.plots.reading import SVG, boxes, circles, parsed, texts

N = (1, 5, 10, 50, 100)
RULES = {"k=1": 0.5, "k=5": 0.9, "q=0.05": 0.9, "q=0.25": 0.89}


def rows(rules: dict[str, float] = RULES, *, null: bool = True, intervals: bool = False) -> list[HitsRow]:
    return [
        HitsRow(
            rule=rule,
            layers=layers,
            n=n,
            images=100,
            hits=top * step / len(N) * (1 if layers == "all" else 0.5),
            hits_low=0.9 * top * step / len(N) * (1 if layers == "all" else 0.5) if intervals else None,
            hits_high=top * step / len(N) if intervals else None,
            null=n / 1000 if null else None,
            null_sd=0.01 if null else None,
            rho=None,
            rho_low=None,
            rho_high=None,
            classes=10,
        )
        for rule, top in rules.items()
        for layers in ("all", "last")
        for step, n in enumerate(N, start=1)
    ]


def dashed(svg: Plot | str | None) -> list[ET.Element]:
    return [path for path in parsed(svg).iter(f"{SVG}path") if path.get("stroke-dasharray")]


def test_every_hit_is_a_mark_of_its_rule() -> None:
    svg = hits_plot(rows())
    round_, others = circles(svg), boxes(svg)
    assert {f"k=1: {10 * step:.1f} % at n = {n}, null {n / 10:.1f} %" for step, n in enumerate(N, 1)} <= set(round_)
    assert {name.partition(":")[0] for name in round_} == {"k=1"}
    assert {name.partition(":")[0] for name in others} == {"k=5", "q=0.05", "q=0.25"}
    points = [round_[f"k=1: {10 * step:.1f} % at n = {n}, null {n / 10:.1f} %"] for step, n in enumerate(N, 1)]
    assert [x for x, _, _ in points] == sorted({x for x, _, _ in points})
    steps = [above[1] - below[1] for below, above in itertools.pairwise(points)]
    assert steps == pytest.approx([steps[0]] * 4, abs=0.03)
    assert steps[0] < 0


def test_rules_are_told_apart_without_colour() -> None:
    """No two rules of `filtag evaluate` have the same mark."""
    amounts = {"k": (1, 2, 5, 10, 25), "q": (0.05, 0.1, 0.25)}
    rules = [Rule(kind, amount) for kind, of_kind in amounts.items() for amount in of_kind]
    marks = [tuple((round(x, 6), round(y, 6)) for x, y in _mark(rule, rules)) for rule in rules]
    assert len(set(marks)) == len(rules)


def test_intervals_are_upright_strokes() -> None:
    plain, with_intervals = hits_plot(rows()), hits_plot(rows(intervals=True))
    n_strokes = len(list(parsed(with_intervals).iter(f"{SVG}path"))) - len(list(parsed(plain).iter(f"{SVG}path")))
    assert n_strokes == 2 * len(RULES) * len(N) + 1
    assert "k=1: 10.0 % at n = 1 (95 % interval 9.0 to 10.0 %), null 0.1 %" in circles(with_intervals)
    assert "Hits@n with 95 % interval" in texts(with_intervals)
    narrow = parsed(hits_plot(rows(intervals=True), width=NARROW))
    assert all(float(text.get("x", "")) < NARROW for text in narrow.iter(f"{SVG}text"))


def test_the_null_is_dashed_and_has_a_band() -> None:
    # A line for each rule in either panel, and one in the key.
    assert len(dashed(hits_plot(rows()))) == 2 * len(RULES) + 1
    without = hits_plot(rows(null=False))
    assert dashed(without) == []
    assert "images' labels permuted, with 95 % band" in texts(hits_plot(rows()))
    assert not [text for text in texts(without) if "permuted" in text]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_names_at_the_ends_do_not_overlap(width: int) -> None:
    root = parsed(hits_plot(rows(), width=width))
    for x in {text.get("x") for text in root.iter(f"{SVG}text") if text.text in RULES}:
        names = [t for t in root.iter(f"{SVG}text") if t.text in RULES and t.get("x") == x]
        ys = sorted(float(name.get("y", "")) for name in names)
        assert all(below - above > 14.9 for above, below in itertools.pairwise(ys))
    assert sum(text.text in RULES for text in root.iter(f"{SVG}text")) == 2 * len(RULES)


def test_each_score_has_its_panels() -> None:
    assert {"all layers", "last layer alone"} <= set(texts(hits_plot(rows())))
    both = texts(hits_plot(rows({"k=1": 0.5, "k=1:contrast": 0.7})))
    assert {"all layers, by activation", "last layer alone, by contrast"} <= set(both)
    # The colon and score are in the panel's title.
    assert both.count("k=1") == 4


def test_no_rows() -> None:
    assert hits_plot([]) is None
