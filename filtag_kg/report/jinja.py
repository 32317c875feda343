"""The templates of the pages for Jinja2, which escapes every value."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from filtag_kg.errors import FiltagError
from filtag_kg.report.tables import count_text
from filtag_kg.tags import parse_rule
from filtag_kg.views import (
    SOURCE_TEXTS,
    ablation_text,
    chance_text,
    check_text,
    points_text,
    probability_text,
    statement_text,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_LICENCES = {
    "https://creativecommons.org/licenses/by-sa/4.0/": "CC BY-SA 4.0",
    "https://wordnet.princeton.edu/license-and-commercial-use": "WordNet licence",
}


def environment(packages: Sequence[str] = ()) -> Environment:
    """Return Jinja2 with the templates of this package and of others, and the filters that write numbers.

    Parameters
    ----------
    packages : sequence of str
        Names of further packages that have a folder ``templates``.

    Raises
    ------
    FiltagError
        If Jinja2 is not installed.
    """
    try:
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError:
        raise FiltagError("pages need jinja2, which is not installed: pip install jinja2") from None
    jinja = Environment(
        loader=ChoiceLoader([PackageLoader(name, "templates") for name in ("filtag_kg.report", *packages)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    jinja.filters["percent1"] = lambda share: f"{100 * share:.1f} %"
    jinja.filters["percent_or_dash"] = lambda share: "–" if share is None else f"{100 * share:.0f} %"
    jinja.filters["counted"] = count_text
    jinja.filters["whole"] = lambda number: f"{number:,}"
    jinja.filters["three"] = lambda number: f"{number:.3g}"
    jinja.filters["small"] = probability_text
    jinja.filters["chance"] = chance_text
    jinja.filters["check"] = check_text
    jinja.filters["score"] = lambda score: "–" if score is None else f"{round(score, 2) + 0.0:.2f}"
    jinja.filters["source"] = lambda source: SOURCE_TEXTS.get(source, source)
    jinja.filters["statement"] = lambda feature: statement_text(feature.relation, feature.label)
    jinja.filters["licence"] = lambda licence: _LICENCES.get(licence, "licence")
    jinja.filters["rule_text"] = _rule_text
    jinja.filters["ablation_text"] = ablation_text
    jinja.filters["points"] = points_text
    return jinja


def template_text(name: str) -> str:
    """Return the text of a template or style sheet."""
    return files("filtag_kg.report").joinpath("templates", name).read_text("utf-8")


def _rule_text(name: str) -> str:
    """Return what a rule does; empty for a rule of another method."""
    try:
        rule = parse_rule(name)
    except FiltagError:
        return ""
    if rule.kind == "k":
        filters = "the filter" if rule.amount == 1 else f"the {int(rule.amount)} filters"
    else:
        filters = f"the {100 * rule.amount:g} % of the filters"
    beyond = "" if rule.score == "activation" else " beyond other classes"
    return f"Each class tags {filters} of a layer that it activates most{beyond}."
