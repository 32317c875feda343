"""The templates of the pages, filled by Jinja2: every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from filtag_kg.errors import FiltagError
from filtag_kg.tags import parse_rule
from filtag_kg.views import chance_text, probability_text

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment", "template_text"]


_RELATIONS = {
    "IsA": "is a",
    "HasA": "has",
    "MadeOf": "made of",
    "UsedFor": "used for",
    "HasProperty": "is",
    "AtLocation": "found at",
}
_SOURCES = {"wordnet": "WordNet 3.0", "conceptnet": "ConceptNet 5", "conceptnet-api": "ConceptNet 5"}


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
    made = Environment(
        loader=ChoiceLoader([PackageLoader(name, "templates") for name in ("filtag_kg.report", *packages)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    made.filters["percent1"] = lambda share: f"{100 * share:.1f} %"
    made.filters["percent_or_dash"] = lambda share: "–" if share is None else f"{100 * share:.0f} %"
    made.filters["whole"] = lambda number: f"{number:,}"
    made.filters["three"] = lambda number: f"{number:.3g}"
    made.filters["small"] = probability_text
    made.filters["chance"] = chance_text
    made.filters["relation"] = lambda relation: _RELATIONS.get(relation, relation)
    made.filters["rule_text"] = _rule_text
    made.filters["source_name"] = lambda name: _SOURCES.get(name, name)
    return made


def template_text(name: str) -> str:
    """Return a file of the templates as it is."""
    return files("filtag_kg.report").joinpath("templates", name).read_text("utf-8")


def _rule_text(name: str) -> str:
    """Say what a rule does; nothing of one that is no rule of ours."""
    try:
        rule = parse_rule(name)
    except FiltagError:
        return ""
    if rule.kind == "k":
        kept = "the filter" if rule.amount == 1 else f"the {int(rule.amount)} filters"
    else:
        kept = f"the {100 * rule.amount:g} % of the filters"
    by = "that it activates most" if rule.score == "activation" else "that it activates most beyond other classes"
    return f"Each class tags {kept} of a layer {by}."
