"""The templates of the pages for Jinja2, which escapes every value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from filtag_kg.errors import FiltagError
from filtag_kg.graph import SPDX
from filtag_kg.kg import attribution_of, licences_of_own_data
from filtag_kg.report.placing import box_style, crop_style, inset_style, map_url, sees_little
from filtag_kg.report.tables import count_text
from filtag_kg.views import (
    GLOSSARY,
    SOURCE_TEXTS,
    ablation_text,
    chance_figure,
    chance_sentence,
    check_text,
    clear_filters,
    filter_name,
    points_text,
    probability_text,
    rule_sentence,
    statement_text,
    support_sentence,
    sureness,
    why_text,
)

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

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
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
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
    jinja.filters["check"] = check_text
    jinja.filters["score"] = lambda score: "–" if score is None else f"{round(score, 2) + 0.0:.2f}"
    jinja.filters["source"] = lambda source: SOURCE_TEXTS.get(source, source)
    jinja.filters["statement"] = lambda feature: statement_text(feature.relation, feature.label)
    jinja.filters["licence"] = _licence_name
    jinja.filters["attribution"] = attribution_of
    jinja.filters["own_licences"] = licences_of_own_data
    jinja.filters["figure"] = chance_figure
    jinja.filters["support"] = support_sentence
    jinja.filters["chance_sentence"] = chance_sentence
    jinja.filters["sureness"] = sureness
    jinja.filters["rule_sentence"] = rule_sentence
    jinja.filters["why"] = why_text
    jinja.filters["ablation_text"] = ablation_text
    jinja.filters["points"] = points_text
    jinja.globals["clear_filters"] = clear_filters
    jinja.globals["filter_name"] = filter_name
    jinja.globals["glossary"] = GLOSSARY
    jinja.globals["term"] = pass_context(_term)
    jinja.filters["capitalize_first"] = lambda text: f"{text[:1].upper()}{text[1:]}"
    jinja.filters["sentence"] = lambda text: f"{text[:1].upper()}{text[1:]}."
    jinja.filters["crop"] = crop_style
    jinja.filters["box"] = box_style
    jinja.filters["inset"] = inset_style
    jinja.filters["map_url"] = map_url
    jinja.filters["sees_little"] = sees_little
    return jinja


def template_text(name: str) -> str:
    """Return the text of a template or style sheet."""
    return files("filtag_kg.report").joinpath("templates", name).read_text("utf-8")


def _licence_name(licence: str) -> str:
    name = licence.removeprefix(SPDX)
    return _LICENCES.get(licence, "licence" if name == licence else name)


def _term(context: Context, anchor: str, text: str = "", root: str | None = None) -> str:
    """Return a word that links to its entry in the glossary and says what it means where the mouse rests on it.

    A page without a site around it has no glossary to link to: there the word alone says what it means.

    Parameters
    ----------
    anchor : str
        The entry: ``clear-theme``.
    text : str, optional
        What to show instead of the entry's term.
    root : str, optional
        The way to the site's root, which macros have as an argument and pages as a value.
    """
    entry = GLOSSARY[anchor]
    urls = context.get("url")
    # What Jinja marks as safe escapes the values of its placeholders.
    safe: Callable[[str], str] = context.environment.filters["safe"]
    if urls is None:
        return safe('<span class="term" title="{}">{}</span>').format(entry.text, text or entry.term)
    root = context.get("root", "") if root is None else root
    href = f"{root}{urls.page('glossary')}#{anchor}"
    return safe('<a class="term" href="{}" title="{}">{}</a>').format(href, entry.text, text or entry.term)
