from __future__ import annotations

import pytest

from filtag_kg.explain import Confusion, Group
from filtag_kg.report.plots import NARROW, ConfusedKind, confused_kinds, confusion_plot
from tests.report.plots.reading import SVG, boxes, parsed, texts


def confusion(true: str, taken: str, mistakes: int) -> Confusion:
    return Confusion(f"c:{true}", true, f"c:{taken}", taken, true == taken, mistakes, 0.5, 0.5)


CONFUSIONS = [
    confusion("dog", "dog", 150),
    confusion("dog", "cat", 49),
    confusion("dog", "owl", 1),
    confusion("cat", "dog", 10),
    confusion("car", "boat", 2),
]


def test_kinds_with_most_mistakes_first() -> None:
    assert confused_kinds(CONFUSIONS) == [
        ConfusedKind(Group("c:dog", "dog"), 200, (150, 49, 0)),
        ConfusedKind(Group("c:cat", "cat"), 10, (10, 0, 0)),
        ConfusedKind(Group("c:car", "car"), 2, (0, 0, 0)),
    ]
    assert [row.kind.label for row in confused_kinds(CONFUSIONS, most=2)] == ["dog", "cat"]


def test_a_cell_says_its_share_of_the_rows_mistakes() -> None:
    svg = confusion_plot(CONFUSIONS)
    cells = boxes(svg)
    assert set(cells) == {
        "dog taken for dog: 150 of 200 misclassified",
        "dog taken for cat: 49 of 200 misclassified",
        "dog taken for another kind: 1 of 200 misclassified",
        "cat taken for dog: 10 of 10 misclassified",
        "car taken for another kind: 2 of 2 misclassified",
    }
    # 0.5 % is left empty.
    assert sorted(text for text in texts(svg) if text.isdecimal()) == ["10", "100", "100", "2", "200", "24", "75"]
    dog, cat = cells["dog taken for dog: 150 of 200 misclassified"], cells["cat taken for dog: 10 of 10 misclassified"]
    assert dog[0] == cat[0]
    assert dog[3] < cat[1]
    assert texts(svg).count("dog") == 2
    fills = {
        group[0].text: (group[1].get("fill"), float(group[1].get("opacity", "1")))
        for group in parsed(svg).findall(f"{SVG}g")
    }
    assert fills["dog taken for dog: 150 of 200 misclassified"] == (
        "var(--same)",
        pytest.approx(0.08 + 0.47 * 0.75, abs=0.01),
    )
    assert fills["cat taken for dog: 10 of 10 misclassified"][0] == "var(--predicted)"


def test_fewer_kinds_where_it_is_narrow() -> None:
    many = [confusion(f"a kind of thing {index}", f"a kind of thing {index}", 99 - index) for index in range(40)]
    wide, narrow = boxes(confusion_plot(many)), boxes(confusion_plot(many, width=NARROW))
    assert len(wide) == 12
    assert 4 <= len(narrow) < 12
    assert all(right - left > 24 for left, _, right, _ in narrow.values())


def test_no_mistakes() -> None:
    assert confusion_plot([]) is None
