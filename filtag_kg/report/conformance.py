"""Whether people agree that the tags of a filter have something in common.

Filters are drawn at random into a sheet that shows their tags and no statistics, and a person answers *yes* or *no* for
each. The share of yes is compared with the share of the same filters that are coherent, each with its interval, and
with how often the two agree.

FILTAG's authors looked at 100 filters and found 88 of them to conform (§3.2): the 27 without tags, all 22 with one, and
39 of the 51 with two or more. With one tag or none there is nothing to judge, so the figure to compare is the last,
76 %, and by default filters with two or more tags are drawn.
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
from filtag_kg.report.grouping import check_level
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.tables import csv_text
from filtag_kg.views import LoadedKg, load_kg

SHEET_COLUMNS = ("kg", "rule", "layer", "filter", "tags", "conforms")
_DRAW = ("conformance draw",)
_LEAST_TAGS = 2
"""A filter with fewer tags has nothing in common to judge."""
_INDEX = re.compile("[0-9]{1,9}")
_ANSWERS = {"yes": True, "y": True, "1": True, "true": True, "no": False, "n": False, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a person found, and what the statistics say about the same filters.

    Parameters
    ----------
    drawn : int
        Filters in the sheet.
    rated : Proportion
        Those that conform, of all rated.
    tagged, several : Proportion
        The same, of the rated filters with a tag, and with two or more.
    coherent : Proportion or None
        The coherent filters, of those rated with two or more tags; None where there are too few classes.
    agreement : Proportion or None
        Of the same filters, those on which person and statistics agree; None with `coherent`.
    kappa : float or None
        Cohen's kappa: agreement beyond what the two shares alone would give; None where they alone give full
        agreement, because all answers are the same.
    too_few : str
        The message to show where there are too few classes for any filter to be coherent.
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
"""What FILTAG's authors found for the filters in their sheet with a tag, and of those with two or more."""


def draw_sheet(
    loaded: LoadedKg, *, filters: int = 100, least_tags: int = _LEAST_TAGS, seed: int = 0
) -> list[tuple[str, ...]]:
    """Draw filters at random, without replacement, and return the rows of a sheet, by layer and filter.

    Parameters
    ----------
    loaded : LoadedKg
        Its first run is judged.
    filters : int
        How many; all with enough tags, if there are fewer.
    least_tags : int
        How many tags a filter must have to be drawn; 0 for any filter, as FILTAG's authors did.

    Raises
    ------
    FiltagError
        If the KG has no filter with so many tags, `filters` is below 1, or `least_tags` or `seed`
        below 0.
    """
    if seed < 0:
        raise FiltagError(f"{seed} is no seed: give a whole number from 0")
    if filters < 1:
        raise FiltagError(f"{filters} filters cannot be drawn: give a number from 1")
    if least_tags < 0:
        raise FiltagError(f"{least_tags} is no number of tags: give a whole number from 0")
    table = next(iter(loaded.runs.values()))
    network, concepts = loaded.networks[table.run.network], loaded.concepts
    columns = np.flatnonzero(np.diff(table.of_filter) >= least_tags).tolist()
    if not columns:
        raise FiltagError(
            f"no filter has {least_tags} or more tags by rule {table.run.rule}: there is nothing to judge",
            options=("least_tags",),
        )
    drawn = np.random.default_rng(seed).choice(len(columns), min(filters, len(columns)), replace=False)
    rows: list[tuple[str, ...]] = []
    for column in (columns[index] for index in sorted(drawn.tolist())):
        layer, filter_ = network.layer_and_filter(column)
        tags = "; ".join(sorted(concepts.class_labels[class_] for class_ in table.class_[table.rows(column)].tolist()))
        rows.append((loaded.kg.manifest["id"], table.run.rule, network.layer_names[layer], str(filter_), tags, ""))
    return rows


def write_sheet(rows: Sequence[tuple[str, ...]], output: Path) -> None:
    """Write a sheet to be filled in.

    Raises
    ------
    FiltagError
        If the file exists already: it may hold ratings, which must not be lost.
    """
    if check_file_output(output).exists() and not is_stream(output):
        raise FiltagError(f"{output} exists, and may hold ratings: choose another output", options=("output",))
    with writing(output, overwrite=False) as file:
        file.write(csv_text(SHEET_COLUMNS, rows).encode())


def rate_sheet(kg: KG, sheet: Path, *, q: float = COHERENT_Q) -> Conformance:
    """Read a sheet in which a person has answered *yes* or *no*; filters without an answer do not count.

    Parameters
    ----------
    kg : KG
        The KG that the sheet was drawn from.
    q : float, in (0, 1]
        The level below which q-values count.

    Raises
    ------
    FiltagError
        If `q` is no level, or the sheet cannot be read, is another KG's, or has no answer or one that is neither yes
        nor no.
    """
    check_level(q)
    lines = _read_sheet(sheet)
    rules = sorted({row["rule"] for _, row in lines})
    if len(rules) != 1:
        raise FiltagError(f"{sheet} has rows of {len(rules)} rules: rate a sheet as it was drawn", commands=_DRAW)
    loaded = load_kg(kg, rules[0], q=q)
    table = next(iter(loaded.runs.values()))
    network = loaded.networks[table.run.network]
    first_columns, sizes = network.first_columns, network.filters_of_layers
    answers: dict[int, bool] = {}
    for number, row in lines:
        layer = row["layer"]
        filter_ = int(row["filter"]) if _INDEX.fullmatch(row["filter"]) else -1
        if row["kg"] != kg.manifest["id"] or not 0 <= filter_ < sizes.get(layer, 0):
            raise FiltagError(f"line {number} of {sheet} is no filter of the KG: was it drawn from it?")
        column = first_columns[layer] + filter_
        if column in answers:
            raise FiltagError(f"line {number} of {sheet} rates {layer} {filter_} again: leave one")
        answer = row["conforms"].strip().casefold()
        if answer not in _ANSWERS and answer:
            raise FiltagError(f"line {number} of {sheet} says {row['conforms'][:60]!r}: answer yes or no")
        if answer:
            answers[column] = _ANSWERS[answer]
    if not answers:
        raise FiltagError(f"no filter of {sheet} is rated: write yes or no into the column conforms")
    tagged = [answer for column, answer in answers.items() if table.n_tags(column)]
    several = {column: answer for column, answer in answers.items() if table.n_tags(column) >= _LEAST_TAGS}
    coherent = {column: table.coherent_kind(column) is not None for column in several}
    agreed = sum(answer == coherent[column] for column, answer in several.items())
    conform = Proportion(sum(several.values()), len(several))
    automatic = Proportion(sum(coherent.values()), len(several))
    too_few = table.run.too_few()
    return Conformance(
        drawn=len(lines),
        rated=Proportion(sum(answers.values()), len(answers)),
        tagged=Proportion(sum(tagged), len(tagged)),
        several=conform,
        coherent=None if too_few else automatic,
        agreement=None if too_few else Proportion(agreed, len(several)),
        kappa=None if too_few else _kappa(conform, automatic, agreed),
        too_few=too_few,
    )


def _kappa(one: Proportion, other: Proportion, agreed: int) -> float | None:
    """Return Cohen's kappa (1960) of two raters who answered yes or no for the same filters."""
    if not one.total:
        return None
    a, b = one.count / one.total, other.count / other.total
    by_chance = a * b + (1 - a) * (1 - b)
    return None if by_chance == 1 else (agreed / one.total - by_chance) / (1 - by_chance)


def _read_sheet(sheet: Path) -> Sequence[tuple[int, Mapping[str, str]]]:
    """Return the rows of a sheet with their line numbers."""
    try:
        table = read_sheet(read_text(sheet), SHEET_COLUMNS)
    except OSError as error:
        raise FiltagError(f"cannot read {sheet} ({error.strerror}): give a drawn sheet", commands=_DRAW) from None
    except UnicodeDecodeError:
        raise FiltagError(f"{sheet} is no UTF-8 text: save the sheet as CSV in UTF-8") from None
    except csv.Error as error:
        raise FiltagError(f"{sheet} is not CSV ({error}): save the sheet as CSV in UTF-8") from None
    if table is None:
        columns = ",".join(SHEET_COLUMNS)
        raise FiltagError(f"{sheet} is no drawn sheet: it needs the columns {columns}", commands=_DRAW)
    return table.rows
