"""Whether people agree that the tags of a filter have something in common.

Filters are drawn at random into a sheet that shows their tags and nothing of what the statistics say of them; a person
answers *yes* or *no* for each; and the share of yes stands beside the share of the same filters that are coherent, each
with its interval, and how often the two agree.

FILTAG's authors looked at 100 filters and found 88 of them to conform (§3.2): the 27 that have no tags, all 22 with
one, and 39 of the 51 with two or more. With one tag or none there is nothing to judge, so the figure to compare is the
last, 76 %, and filters are drawn of those with two or more tags unless others are asked for.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filtag_kg.concepts import COHERENT_Q
from filtag_kg.csv_table import read_sheet, read_text
from filtag_kg.errors import FiltagError
from filtag_kg.files import writing
from filtag_kg.kg import KG
from filtag_kg.output_paths import check_file_output, is_stream
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.runs import LEAST_TAGS, Place, Run, read_runs
from filtag_kg.report.tables import csv_text

__all__ = ["AUTHORS", "SHEET_COLUMNS", "Conformance", "draw_sheet", "rate_sheet", "write_sheet"]

SHEET_COLUMNS = ("kg", "rule", "layer", "filter", "tags", "conforms")
_INDEX = re.compile("[0-9]{1,9}")
_ANSWERS = {"yes": True, "y": True, "1": True, "true": True, "no": False, "n": False, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a person found, beside what the statistics say of the same filters.

    Parameters
    ----------
    drawn : int
        Filters in the sheet.
    rated : Proportion
        Those that conform, of those rated.
    tagged, several : Proportion
        The same of those with a tag, and of those with two or more.
    coherent : Proportion or None
        Those that are coherent, of those rated with two or more tags; None where classes are too few for any to be.
    agreement : Proportion or None
        Those of which both say the same, of the same; None with `coherent`.
    kappa : float or None
        Cohen's kappa: agreement beyond what the two shares alone would give; None where there is no beyond, because
        one says the same of all.
    too_few : str
        What to say instead of the coherent ones, where classes are too few.
    """

    drawn: int
    rated: Proportion
    tagged: Proportion
    several: Proportion
    coherent: Proportion | None
    agreement: Proportion | None
    kappa: float | None
    too_few: str = ""


AUTHORS = {"tagged": Proportion(61, 73), "several": Proportion(39, 51)}
"""What FILTAG's authors found of the filters in their sheet with a tag, and of those with two or more."""


def draw_sheet(
    kg: KG, *, rule: str | None = None, filters: int = 100, least_tags: int = LEAST_TAGS, seed: int = 0
) -> list[tuple[str, ...]]:
    """Draw filters at random, without replacement, and return the rows of a sheet, by layer and filter.

    Parameters
    ----------
    kg : KG
    rule : str, optional
        The KG's first, if it is left out.
    filters : int
        How many; all that have enough tags, if there are fewer.
    least_tags : int
        How many tags a filter must have to be drawn; 0 for all filters, as FILTAG's authors drew.
    seed : int

    Raises
    ------
    FiltagError
        If the KG has no such rule or no filter with so many tags, `filters` is below 1, or `least_tags` or `seed`
        below 0.
    """
    if seed < 0:
        raise FiltagError(f"{seed} is no seed: give a whole number from 0")
    if filters < 1:
        raise FiltagError(f"{filters} filters cannot be drawn: give a number from 1")
    if least_tags < 0:
        raise FiltagError(f"{least_tags} is no number of tags: give a whole number from 0")
    run = _run(kg, rule)
    every = ((layer.name, filter_) for layer in run.layers for filter_ in range(layer.filters))
    places = [place for place in every if len(run.tags.get(place, ())) >= least_tags]
    if not places:
        raise FiltagError(
            f"no filter of {kg.path} has {least_tags} or more tags by rule {run.rule}: there is nothing to judge"
        )
    chosen = np.random.default_rng(seed).choice(len(places), min(filters, len(places)), replace=False)
    rows: list[tuple[str, ...]] = []
    for at in sorted(chosen.tolist()):
        layer, filter_ = places[at]
        tags = "; ".join(sorted(run.labels[class_id] for class_id in run.tags.get(places[at], ())))
        rows.append((run.kg, run.rule, layer, str(filter_), tags, ""))
    return rows


def write_sheet(rows: Sequence[tuple[str, ...]], output: Path) -> None:
    """Write a sheet to be filled in.

    Raises
    ------
    FiltagError
        If the file is there already: ratings are work that must not be lost.
    """
    if check_file_output(output).exists() and not is_stream(output):
        raise FiltagError(f"{output} is there already, and may hold ratings: choose another -o")
    with writing(output, overwrite=False) as file:
        file.write(csv_text(SHEET_COLUMNS, rows).encode())


def rate_sheet(kg: KG, sheet: Path, *, q: float = COHERENT_Q) -> Conformance:
    """Read a sheet back, in which a person has answered *yes* or *no*; filters without an answer do not count.

    Parameters
    ----------
    kg : KG
        The KG that the sheet was drawn from.
    sheet : Path
    q : float, in (0, 1]
        The level below which q-values count.

    Raises
    ------
    FiltagError
        If `q` is no level, or the sheet cannot be read, is another KG's, or has no answer or one that is neither yes
        nor no.
    """
    if not 0 < q <= 1:
        raise FiltagError(f"{q:g} is no level for q-values: give a number above 0 and at most 1")
    lines = _read(sheet)
    rules = sorted({row["rule"] for _, row in lines})
    if len(rules) != 1:
        raise FiltagError(f"{sheet} has rows of {len(rules)} rules: rate a sheet as filtag conformance draw made it")
    run = _run(kg, rules[0])
    sizes = {layer.name: layer.filters for layer in run.layers}
    answers: dict[Place, bool] = {}
    for number, row in lines:
        place = (row["layer"], int(row["filter"])) if _INDEX.fullmatch(row["filter"]) else ("", -1)
        if row["kg"] != run.kg or not 0 <= place[1] < sizes.get(place[0], 0):
            raise FiltagError(f"line {number} of {sheet} is no filter of {kg.path}: was it drawn from it?")
        if place in answers:
            raise FiltagError(f"line {number} of {sheet} rates {place[0]} {place[1]} again: leave one")
        answer = row["conforms"].strip().casefold()
        if answer not in _ANSWERS and answer:
            raise FiltagError(f"line {number} of {sheet} says {row['conforms'][:60]!r}: answer yes or no")
        if answer:
            answers[place] = _ANSWERS[answer]
    if not answers:
        raise FiltagError(f"no filter of {sheet} is rated: write yes or no into the column conforms")
    tagged = [answer for place, answer in answers.items() if run.tags.get(place)]
    several = {place: answer for place, answer in answers.items() if len(run.tags.get(place, ())) >= LEAST_TAGS}
    coherent = run.coherent(q)
    agreed = sum(answer == (place in coherent) for place, answer in several.items())
    conform = Proportion(sum(several.values()), len(several))
    found = Proportion(sum(place in coherent for place in several), len(several))
    few = run.too_few()
    return Conformance(
        drawn=len(lines),
        rated=Proportion(sum(answers.values()), len(answers)),
        tagged=Proportion(sum(tagged), len(tagged)),
        several=conform,
        coherent=None if few else found,
        agreement=None if few else Proportion(agreed, len(several)),
        kappa=None if few else _kappa(conform, found, agreed),
        too_few=few,
    )


def _kappa(one: Proportion, other: Proportion, agreed: int) -> float | None:
    """Return Cohen's kappa (1960) of two that said yes or no of the same things."""
    if not one.total:
        return None
    a, b = one.count / one.total, other.count / other.total
    by_chance = a * b + (1 - a) * (1 - b)
    return None if by_chance == 1 else (agreed / one.total - by_chance) / (1 - by_chance)


def _run(kg: KG, rule: str | None) -> Run:
    (run,) = read_runs(kg, (rule or kg.rules[0],))
    return run


def _read(sheet: Path) -> Sequence[tuple[int, Mapping[str, str]]]:
    """Return the rows of a sheet with their lines."""
    try:
        table = read_sheet(read_text(sheet), SHEET_COLUMNS)
    except OSError as error:
        raise FiltagError(f"cannot read {sheet} ({error.strerror}): give a sheet of filtag conformance draw") from None
    except UnicodeDecodeError:
        raise FiltagError(f"{sheet} is no UTF-8 text: save the sheet as CSV in UTF-8") from None
    except csv.Error as error:
        raise FiltagError(f"{sheet} is not CSV ({error}): save the sheet as CSV in UTF-8") from None
    if table is None:
        needed = ",".join(SHEET_COLUMNS)
        raise FiltagError(f"{sheet} is no sheet of filtag conformance draw: it needs the columns {needed}")
    return table.rows
