"""What an ablation shows, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from filtag_kg.kg import AblatedClass, Ablation, Change, Scope
from filtag_kg.views import Conclusion, ablation_text, change_text, conclusion

RANDOM = tuple([0.0] * 19)


def change(scope: Scope, value: float, low: float, high: float, **others: Any) -> Change:
    return Change(scope, "confidence", 0.5, value, low, high, **{"random": RANDOM, "p_value": 0.05, **others})


def ablation(first: Change, second: Change, third: Change, **fields: Any) -> Ablation:
    row = AblatedClass("n1", "beagle", "concept", 5, 0.5, 0.4, 0.5, 0.5, 0.4, 0.5)
    rows = (row, replace(row, class_id="n2"), replace(row, class_id="n3", scope="others"))
    made: dict[str, Any] = {
        "ablation_id": 16 * "a", "run_id": 16 * "b", "network": "net", "concept": "urn:dog", "label": "dog",
        "chosen_by": "common", "replacement": "zero", "filters": (("a", 0), ("a", 2), ("b", 1)),
        "random_sets": len(third.random), "seed": 0,
        "images": {"source": "test.tar", "sha256": 64 * "0", "read": 15}, "kg_classes": False, "software": (),
        "changes": (first, second, third), "classes": rows,
    }  # fmt: skip
    return Ablation(**{**made, **fields})


CONCEPT = change("concept", -0.2, -0.3, -0.1)
OTHERS = change("others", -0.01, -0.02, 0.0)
DIFFERENCE = change("difference", -0.19, -0.29, -0.09)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ((CONCEPT, OTHERS, DIFFERENCE), "specific"),
        ((CONCEPT, change("others", -0.05, -0.07, -0.03), DIFFERENCE), "specific"),
        ((CONCEPT, change("others", -0.06, -0.07, -0.05), DIFFERENCE), "mostly"),
        # To gain is not to be spared.
        ((CONCEPT, change("others", 0.06, 0.05, 0.07), DIFFERENCE), "mostly"),
        ((CONCEPT, OTHERS, replace(DIFFERENCE, p_value=0.1)), "chance"),
        ((CONCEPT, replace(CONCEPT, scope="others"), change("difference", 0.0, -0.1, 0.1)), "everywhere"),
        ((CONCEPT, replace(CONCEPT, scope="others"), change("difference", -0.1, -0.3, 0.1)), "unclear"),
        ((change("concept", 0.0, -0.01, 0.01), OTHERS, DIFFERENCE), "none"),
        ((change("concept", 0.1, 0.05, 0.2), OTHERS, DIFFERENCE), "none"),
        ((change("concept", -0.1, -0.3, 0.1), OTHERS, DIFFERENCE), "unclear"),
        # Too few sets to tell them from chance, however large the effect.
        ((CONCEPT, OTHERS, replace(DIFFERENCE, random=(0.0,) * 18, p_value=1 / 19)), "unclear"),
        ((CONCEPT, OTHERS, replace(DIFFERENCE, random=(), p_value=1.0)), "unclear"),
    ],
)
def test_conclusions(changes: tuple[Change, Change, Change], expected: Conclusion) -> None:
    assert conclusion(ablation(*changes)) == expected


def test_the_whole_text() -> None:
    assert ablation_text(ablation(CONCEPT, OTHERS, DIFFERENCE)) == (
        "Setting the 3 filters that stand for dog beyond chance to zero hits the classes at or below dog and spares "
        "the others. For the 2 classes at or below dog, mean confidence in the true class goes from 50.0% to 30.0% "
        "(−20.0 points, 95 % interval −30.0 to −10.0); for the 1 other, from 50.0% to 49.0% (−1.0 points, 95 % "
        "interval −2.0 to 0.0). Of 19 random sets of as many filters of the same layers, none does as much to these "
        "classes in particular (p = 0.05)."
    )


def test_other_wordings() -> None:
    one = (("a", 0),)
    texts = [
        ablation_text(ablation(CONCEPT, OTHERS, DIFFERENCE, **fields))
        for fields in (
            {"filters": one},
            {"filters": one, "replacement": "mean"},
            {"replacement": "mean", "chosen_by": "tagged"},
            {"chosen_by": "given"},
        )
    ]
    assert [text.partition(" hits ")[0] for text in texts] == [
        "Setting the filter that stands for dog beyond chance to zero",
        "Setting the filter that stands for dog beyond chance to its mean",
        "Setting the 3 filters whose tags are mostly at or below dog to their means",
        "Setting the chosen 3 filters to zero",
    ]
    alone = ablation_text(ablation(CONCEPT, OTHERS, replace(DIFFERENCE, random=(), p_value=1.0)))
    assert alone.startswith(
        "Setting the 3 filters that stand for dog beyond chance to zero: too little to tell whether"
    )
    assert "random" not in alone


def test_points_have_a_sign() -> None:
    assert change_text(change("concept", 0.0123, -0.0004, 0.02)) == "+1.2 points, 95 % interval 0.0 to +2.0"
