from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg import FiltagError
from filtag_kg.kg import KG, read_common_concepts
from filtag_kg.report import AUTHORS, Proportion, draw_sheet, rate_sheet, write_sheet
from filtag_kg.views import LoadedKg, load_kg


@pytest.fixture(scope="module")
def loaded(vgg: KG) -> LoadedKg:
    return load_kg(vgg)


def test_a_sheet_says_nothing_of_the_statistics(vgg: KG, loaded: LoadedKg) -> None:
    rows = draw_sheet(loaded)
    assert len(rows) == len({row[3] for row in rows}) == 100
    assert [int(row[3]) for row in rows] == sorted(int(row[3]) for row in rows)
    assert all(row[0] == vgg.manifest["id"] and "; " in row[4] and row[5] == "" for row in rows)
    assert draw_sheet(loaded) == rows
    assert draw_sheet(loaded, seed=1) != rows
    assert len(draw_sheet(loaded, filters=500)) == 219


def test_all_filters_are_as_likely(loaded: LoadedKg) -> None:
    drawn = [int(row[3]) for seed in range(60) for row in draw_sheet(loaded, filters=73, seed=seed)]
    counts = [drawn.count(filter_) for filter_ in set(drawn)]
    assert len(counts) == 219  # each of them has a chance of 1 - (2/3)^60 to be among these
    assert 5 < min(counts) <= 20 <= max(counts) < 38


def filled(kg: LoadedKg, folder: Path, answers: list[str], columns: str = ",") -> Path:
    path = folder / "sheet.csv"
    write_sheet(draw_sheet(kg, filters=len(answers)), path)
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(line + answer for line, answer in zip(lines, answers, strict=True))]) + "\n")
    return path


def test_ratings_stand_beside_the_automatic_figure(vgg: KG, loaded: LoadedKg, tmp_path: Path) -> None:
    coherent = {row.filter for row in read_common_concepts(vgg.common_path, kinds_of="wordnet") if row.coherent()}
    automatic = [int(row[3]) in coherent for row in draw_sheet(loaded, filters=40)]
    answers = ["Yes" if coherent else " no " for coherent in automatic]
    answers[0], answers[1], answers[2] = "", "y", "n"
    conformance = rate_sheet(vgg, filled(loaded, tmp_path, answers))
    yes = [answer.strip().lower() in ("yes", "y") for answer in answers[1:]]
    agreed = sum(one == other for one, other in zip(yes, automatic[1:], strict=True))
    assert (conformance.drawn, conformance.rated, conformance.coherent) == (
        40,
        Proportion(sum(yes), 39),
        Proportion(sum(automatic[1:]), 39),
    )
    assert conformance.agreement == Proportion(agreed, 39)
    p, q = sum(yes) / 39, sum(automatic[1:]) / 39
    chance = p * q + (1 - p) * (1 - q)
    assert conformance.kappa == pytest.approx((agreed / 39 - chance) / (1 - chance))


def test_like_is_compared_with_like(vgg: KG, loaded: LoadedKg, tmp_path: Path) -> None:
    """As in the authors' sheet: filters without tags or with one conform, and three quarters of the others."""
    rows = draw_sheet(loaded, filters=512, least_tags=0)
    assert len(rows) == 512
    n_tags = [len(row[4].split("; ")) if row[4] else 0 for row in rows]
    assert [sum(n > least for n in n_tags) for least in (0, 1)] == [342, 219]
    several = [row for row, n in zip(rows, n_tags, strict=True) if n > 1][:51]
    one = [row for row, n in zip(rows, n_tags, strict=True) if n == 1][:22]
    none = [row for row, n in zip(rows, n_tags, strict=True) if n == 0][:27]
    answered = [(*row[:5], "no" if index < 12 else "yes") for index, row in enumerate([*several, *one, *none])]
    write_sheet(answered, tmp_path / "authors.csv")
    conformance = rate_sheet(vgg, tmp_path / "authors.csv")
    assert (conformance.rated, conformance.tagged, conformance.several) == (
        Proportion(88, 100),
        Proportion(61, 73),
        Proportion(39, 51),
    )
    assert (conformance.tagged, conformance.several) == (AUTHORS["tagged"], AUTHORS["several"])
    assert conformance.coherent.total == conformance.agreement.total == 51
    write_sheet([(*row[:5], "yes") for row in none], tmp_path / "none.csv")
    nothing = rate_sheet(vgg, tmp_path / "none.csv")
    assert (nothing.rated, nothing.several, nothing.kappa) == (Proportion(27, 27), Proportion(0, 0), None)
    assert len(draw_sheet(loaded, filters=512, least_tags=1)) == 342
    assert len(draw_sheet(loaded, filters=512)) == 219


def test_there_is_no_kappa_where_both_say_the_same_of_all(vgg: KG, loaded: LoadedKg, tmp_path: Path) -> None:
    assert rate_sheet(vgg, filled(loaded, tmp_path, ["no"] * 5), q=1e-9).kappa is None


def test_spreadsheets_write_as_they_like(vgg: KG, loaded: LoadedKg, tmp_path: Path) -> None:
    path = filled(loaded, tmp_path, ["yes", "no", "yes"])
    plain = rate_sheet(vgg, path)
    lines = [line.replace("; ", " + ").replace(",", ";") for line in path.read_text().splitlines()]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert rate_sheet(vgg, path) == plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(",yes", ",perhaps"), r"line 2 of .* says 'perhaps': answer yes or no"),
        (lambda text: text.replace(",yes", ","), r"no filter of .* is rated: write yes or no into the column conforms"),
        (lambda text: text.replace("conv5_3", "conv9"), r"line 2 of .* is no filter of the KG: was it drawn from it\?"),
        (
            lambda _: "id,label\n",
            r"is no drawn sheet: it needs the columns kg,rule,layer,filter,tags,conforms",
        ),
        (lambda _: "", r"is no drawn sheet"),
        (lambda text: text + text.split("\n")[1], r"line 3 of .* rates conv5_3 \d+ again: leave one"),
        (lambda text: text.replace("k=1", "k=2"), r"no rule 'k=2'"),
        (lambda text: text.split("\n")[0] + "\n", r"has rows of 0 rules"),
    ],
)
def test_wrong_sheets(vgg: KG, loaded: LoadedKg, tmp_path: Path, change: object, message: str) -> None:
    path = filled(loaded, tmp_path, ["yes"])
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    with pytest.raises(FiltagError, match=message):
        rate_sheet(vgg, path)


def test_ratings_are_never_overwritten(vgg: KG, loaded: LoadedKg, tmp_path: Path) -> None:
    path = filled(loaded, tmp_path, ["yes"])
    with pytest.raises(FiltagError, match="exists, and may hold ratings: choose another output"):
        write_sheet(draw_sheet(loaded), path)
    with pytest.raises(FiltagError, match="0 filters cannot be drawn: give a number from 1"):
        draw_sheet(loaded, filters=0)
    with pytest.raises(FiltagError, match="-1 is no number of tags: give a whole number from 0"):
        draw_sheet(loaded, least_tags=-1)
    with pytest.raises(FiltagError, match="no filter has 99 or more tags by rule k=1: there is nothing to judge"):
        draw_sheet(loaded, least_tags=99)
    with pytest.raises(FiltagError, match=r"cannot read .*nothing"):
        rate_sheet(vgg, tmp_path / "nothing.csv")
