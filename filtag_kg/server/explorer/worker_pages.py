"""The pages that take work, made by a worker from what was read of the KG and from its store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES
from filtag_kg.names import name_in_path
from filtag_kg.query import PARAMETERS, Endpoint, bind, bound_text, catalogue
from filtag_kg.server.explorer.comparison import compared
from filtag_kg.server.explorer.kg_pages import Snapshot
from filtag_kg.server.explorer.query_page import asked_query, mistake_in
from filtag_kg.server.jobs import Answer, PageJob
from filtag_kg.server.request_error import shortening

__all__ = ["is_index", "make_page"]

_LONGEST_NUMBER = 9
_MOST_STATEMENTS = 300
_STATEMENTS = f"""SELECT DISTINCT ?predicate ?object WHERE {{
  VALUES ?thing {{ UNDEF }} ?thing ?predicate ?object
}} ORDER BY ?predicate ?object LIMIT {_MOST_STATEMENTS}"""
_INCOMING = f"""SELECT DISTINCT ?predicate ?subject WHERE {{
  VALUES ?thing {{ UNDEF }} ?subject ?predicate ?thing
}} LIMIT {_MOST_STATEMENTS}"""


def make_page(snapshot: Snapshot, endpoint: Endpoint, job: PageJob) -> Answer:
    """Make a page.

    Parameters
    ----------
    snapshot : Snapshot
    endpoint : Endpoint
        The KG's store.
    job : PageJob

    Returns
    -------
    Answer
        "unknown" where there is no such thing, "mistake" where there is no page to show the mistake in; a page that
        shows one has it as its line, too.
    """
    asked = job.asked
    try:
        match job.page:
            case "thing":
                return _thing(snapshot, endpoint, asked["path"])
            case "classes":
                return _page(snapshot.pages.classes(int(asked["page"])))
            case "concepts":
                return _page(snapshot.pages.concepts(int(asked["page"])))
            case "groups":
                return _page(snapshot.pages.groups(snapshot.grouped(), int(asked["page"])))
            case "compare":
                return _with_mistake(snapshot, job, lambda: {"found": compared(snapshot.facts, asked)}, found=None)
            case "query":
                return _with_mistake(snapshot, job, lambda: _chosen(snapshot, asked), **_form(snapshot, asked))
            case _:
                query = asked_query(asked.get("name", ""))
                given = {name: value for name, value in asked.items() if name != "name"}
                text = bound_text(endpoint, query, given)
                return _page(query.text if text is None else text)
    except FiltagError as error:
        return Answer("mistake", _line(error, asked))


def is_index(text: str) -> bool:
    """Return whether a text is a whole number as filters and pages have; Python reads none of thousands of digits."""
    return text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _page(text: str, line: str = "") -> Answer:
    return Answer("ok", line, kind="page", body=text.encode("utf-8", "replace"))


def _line(error: FiltagError, asked: Mapping[str, str]) -> str:
    """Return an error as strangers may read it: without repeating all that they sent."""
    return shortening(str(error), (*asked, *asked.values()))


def _with_mistake(
    snapshot: Snapshot,
    job: PageJob,
    find: Callable[[], Mapping[str, Any]],
    **values: Any,  # noqa: ANN401 - whatever the template takes
) -> Answer:
    """Make a page of what is found, or of why nothing is; its template is called as the page is."""
    mistake = ""
    try:
        values |= find()
    except FiltagError as error:
        mistake = _line(error, job.asked)
    text = snapshot.pages.other(f"{job.page}.html", job.page, asked=job.asked, mistake=mistake, **values)
    return _page(text, mistake)


def _chosen(snapshot: Snapshot, asked: Mapping[str, str]) -> Mapping[str, Any]:
    if not asked.get("name"):
        return {}
    query = asked_query(asked["name"])
    mistake_in(snapshot.facts, query, asked)
    return {"chosen": query}


def _form(snapshot: Snapshot, asked: Mapping[str, str]) -> dict[str, Any]:
    facts = snapshot.facts
    return {
        "queries": catalogue(),
        "chosen": None,
        "parameters": PARAMETERS,
        "layers": [layer for network in facts.networks.values() for layer in network.layer_names],
        "rules": [(run_id, table.run) for run_id, table in facts.runs.items()],
        "sparql": asked.get("sparql", ""),
    }


def _thing(snapshot: Snapshot, endpoint: Endpoint, path: str) -> Answer:
    try:
        text = _thing_page(snapshot, endpoint, path)
    except FiltagError:
        text = None
    return Answer("unknown") if text is None else _page(text)


def _thing_page(snapshot: Snapshot, endpoint: Endpoint, path: str) -> str | None:
    facts, pages = snapshot.facts, snapshot.pages
    if path in facts.concepts.labels:
        return pages.concept(path)
    match [name_in_path(part) for part in path.split("/")]:
        case ["network", network, "layer", layer]:
            return pages.layer(facts.network_named(network), layer)
        case ["network", network, "layer", layer, "page", number] if is_index(number):
            return pages.layer(facts.network_named(network), layer, int(number))
        case ["network", network, "layer", layer, "filter", number] if is_index(number):
            return pages.filter(facts.network_named(network), layer, int(number))
        case ["class", class_id]:
            return pages.class_(class_id)
        case _:
            return _other(snapshot, endpoint, path)


def _other(snapshot: Snapshot, endpoint: Endpoint, path: str) -> str | None:
    """Return a page of plain statements about anything else that the graph knows."""
    iri = path if "://" in path else snapshot.facts.iris.base + path
    try:
        thing = [ox.NamedNode(iri)]
    except ValueError:
        return None
    said = endpoint.ask(bind(_STATEMENTS, {"thing": thing})).rows
    incoming = endpoint.ask(bind(_INCOMING, {"thing": thing})).rows
    if not said and not incoming:
        return None
    return snapshot.pages.other(
        "thing.html",
        "thing",
        iri=iri,
        said=[(_property(snapshot, predicate), _shown(snapshot, value)) for predicate, value in said],
        incoming=[(_property(snapshot, predicate), _shown(snapshot, subject)) for predicate, subject in incoming],
        most=_MOST_STATEMENTS,
    )


def _property(snapshot: Snapshot, term: object) -> tuple[str, str | None]:
    """Return how a property is written, and where its page is: the graph describes those of our own vocabulary."""
    name, place = _shown(snapshot, term)
    return name, place if name.startswith("flt:") else None


def _shown(snapshot: Snapshot, term: object) -> tuple[str, str | None]:
    """Return how a term is written, short where its prefix is known, and where its page is."""
    if not isinstance(term, ox.NamedNode):
        return (term.value if isinstance(term, ox.Literal) else str(term)), None
    iri = term.value
    short = next((f"{name}:{iri.removeprefix(at)}" for name, at in PREFIXES.items() if iri.startswith(at)), iri)
    if iri in snapshot.facts.concepts.labels:
        short = snapshot.facts.concepts.labels[iri]
    return short, snapshot.places.thing(iri)
