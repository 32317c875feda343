"""The pages that workers make, because they take work: from the KG's tables, read before, and from its store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import MEDIA_TYPES, term
from filtag_kg.names import name_in_path
from filtag_kg.query import Endpoint, Unanswered, bind, bound_text, find_query, plain_text, prefixed_name
from filtag_kg.report import Agreement, disagreements
from filtag_kg.server.explorer.comparison import compare
from filtag_kg.server.explorer.kg_pages import Snapshot
from filtag_kg.server.explorer.query_page import chosen_query, form_values
from filtag_kg.server.jobs import Answer, PageJob
from filtag_kg.server.request_error import shorten, shorten_all
from filtag_kg.server.said_on_request import said_on_request

_LONGEST_NUMBER = 9
_MOST_STATEMENTS = 300
_STATEMENTS = f"""SELECT DISTINCT ?predicate ?object WHERE {{
  VALUES ?thing {{ UNDEF }} ?thing ?predicate ?object
}} ORDER BY ?predicate ?object LIMIT {_MOST_STATEMENTS}"""
_NAMING = ("rdfs:label", "skos:prefLabel", "dcterms:title", "foaf:name")
_NAMES = "SELECT ?thing ?name WHERE { VALUES ?thing { UNDEF } ?thing %s ?name } ORDER BY ?thing ?name"
_MEDIA_TYPE = ("dcat:compressFormat", "dcat:mediaType")
"""The type of a packed file comes first: it is what is downloaded."""
_INCOMING = f"""SELECT DISTINCT ?predicate ?subject WHERE {{
  VALUES ?thing {{ UNDEF }} ?subject ?predicate ?thing
}} LIMIT {_MOST_STATEMENTS}"""


def make_page(snapshot: Snapshot, endpoint: Endpoint, job: PageJob) -> Answer:
    """Make a page.

    Parameters
    ----------
    endpoint : Endpoint
        The KG's store.

    Returns
    -------
    Answer
        "unknown" if there is no such thing, "invalid" if there is no page to show an error in. A page that shows one
        has it as its line, too.
    """
    inputs = job.parameters
    try:
        match job.page:
            case "thing":
                return _thing(snapshot, endpoint, inputs["path"])
            case "classes":
                return _page(snapshot.pages.classes(int(inputs["page"])))
            case "concepts":
                return _page(snapshot.pages.concepts(int(inputs["page"])))
            case "groups":
                return _page(snapshot.pages.groups(snapshot.grouped(), int(inputs["page"])))
            case "unusual" | "pairs" | "mixed":
                pages = snapshot.pages
                of_network = {"unusual": pages.unusual, "pairs": pages.pairs, "mixed": pages.mixed}
                return _page(of_network[job.page](int(inputs["page"])))
            case "labels":
                return _page(snapshot.pages.labels())
            case "compare":
                nothing = {"comparison": None, "disagreements": ()}
                return _with_error(snapshot, job, lambda: _compared(snapshot, inputs), nothing)
            case "query":
                values = form_values(snapshot.loaded, inputs)
                return _with_error(snapshot, job, lambda: {"chosen": chosen_query(snapshot.loaded, inputs)}, values)
            case _:
                query = find_query(shorten(inputs.get("name", "")))
                parameters = {name: value for name, value in inputs.items() if name != "name"}
                text = bound_text(endpoint, query, parameters)
                return _page(query.text if isinstance(text, Unanswered) else text)
    except FiltagError as error:
        return Answer("invalid", _line(error, inputs))


def is_index(text: str) -> bool:
    """Return whether a text is a number that a filter or page may have; Python refuses to read thousands of digits."""
    return text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _page(text: str, line: str = "") -> Answer:
    return Answer("ok", line, kind="page", body=text.encode("utf-8", "replace"))


def _line(error: FiltagError, inputs: Mapping[str, str]) -> str:
    return shorten_all(str(error), (*inputs, *inputs.values()))


def _with_error(
    snapshot: Snapshot, job: PageJob, look_up: Callable[[], dict[str, Any]], values: dict[str, Any]
) -> Answer:
    """Render the template of the page's name with what is looked up, or with the error that this raises."""
    error = ""
    try:
        values = values | look_up()
    except FiltagError as raised:
        error = _line(raised, job.parameters)
    text = snapshot.pages.other(f"{job.page}.html", job.page, inputs=job.parameters, error=error, **values)
    return _page(text, error)


def _compared(snapshot: Snapshot, inputs: Mapping[str, str]) -> dict[str, Any]:
    comparison, urls = compare(snapshot.loaded, inputs), snapshot.urls
    if not isinstance(comparison, Agreement):
        return {"comparison": comparison}
    return {
        "comparison": comparison,
        "disagreements": disagreements(comparison, snapshot.loaded, urls.file, urls.filter),
    }


def _thing(snapshot: Snapshot, endpoint: Endpoint, path: str) -> Answer:
    try:
        text = _thing_page(snapshot, endpoint, path)
    except FiltagError:
        text = None
    return Answer("unknown") if text is None else _page(text)


def _thing_page(snapshot: Snapshot, endpoint: Endpoint, path: str) -> str | None:
    loaded, pages = snapshot.loaded, snapshot.pages
    if path in loaded.concepts.labels:
        return pages.concept(path)
    match [name_in_path(part) for part in path.split("/")]:
        case ["network", network, "layer", layer]:
            return pages.layer(loaded.network_named(network), layer)
        case ["network", network, "layer", layer, "page", number] if is_index(number):
            return pages.layer(loaded.network_named(network), layer, int(number))
        case ["network", network, "layer", layer, "filter", number] if is_index(number):
            return pages.filter(loaded.network_named(network), layer, int(number))
        case ["class", class_id]:
            return pages.class_(class_id)
        case ["class", class_id, "page", number] if is_index(number):
            return pages.class_(class_id, int(number))
        case _:
            return _statements_page(snapshot, endpoint, path)


def _statements_page(snapshot: Snapshot, endpoint: Endpoint, path: str) -> str | None:
    """Return a page of plain statements about any other thing that the graph knows."""
    iri = path if "://" in path else snapshot.loaded.iris.base + path
    try:
        thing = ox.NamedNode(iri)
    except ValueError:
        return None
    said = [(triple.predicate, triple.object) for triple in said_on_request(endpoint, [thing])]
    stored = endpoint.ask(bind(_STATEMENTS, {"thing": [thing]})).rows
    incoming = endpoint.ask(bind(_INCOMING, {"thing": [thing]})).rows
    if not stored and not incoming:
        return None
    statements = [*said, *stored]
    nodes = [node for _, node in (*statements, *incoming) if isinstance(node, ox.NamedNode)]
    names = _names(endpoint, [thing, *nodes])
    values = sorted({(_shown(snapshot, predicate)[0], plain_text(value)) for predicate, value in statements})
    types = [names.get(kind, prefixed_name(kind) or "") for name, kind in values if name == "rdf:type"]
    return snapshot.pages.other(
        "thing.html",
        "thing",
        iri=iri,
        label=names.get(iri),
        types=[type_ for type_ in types if type_],
        # What the server sends at the thing's address besides its description.
        picture=next((_media_type(value) for name, value in values if name == "dcterms:format"), None),
        download=next((_media_type(value) for name, value in values if name in _MEDIA_TYPE), None),
        statements=[
            (_property(snapshot, predicate), _shown(snapshot, value, names)) for predicate, value in statements
        ],
        incoming=[
            (_property(snapshot, predicate), _shown(snapshot, subject, names)) for predicate, subject in incoming
        ],
        most=_MOST_STATEMENTS,
    )


def _names(endpoint: Endpoint, things: Sequence[ox.NamedNode]) -> dict[str, str]:
    """Return what people call things, by IRI, as far as the graph says it."""
    names: dict[str, str] = {}
    distinct = list(dict.fromkeys(things))
    for property_ in _NAMING:
        for row in endpoint.ask(bind(_NAMES % property_, {"thing": distinct})).records():
            names.setdefault(str(row["thing"]), str(row["name"]))
    nameless = [thing for thing in distinct if thing.value not in names]
    said = said_on_request(endpoint, nameless)
    return names | {str(t.subject)[1:-1]: plain_text(t.object) for t in said if t.predicate.value == term("rdfs:label")}


def _media_type(iri: str) -> str:
    return iri.removeprefix(MEDIA_TYPES)


def _property(snapshot: Snapshot, term: object) -> tuple[str, str | None]:
    """Return a property's short name and the URL of its page, which only terms of our own vocabulary have."""
    name, url = _shown(snapshot, term)
    return name, url if name.startswith("flt:") else None


def _shown(snapshot: Snapshot, term: object, names: Mapping[str, str] = MappingProxyType({})) -> tuple[str, str | None]:
    """Return a term's label, short name or text, and the URL of its page."""
    if not isinstance(term, ox.NamedNode):
        return (term.value if isinstance(term, ox.Literal) else str(term)), None
    iri = term.value
    name = snapshot.loaded.concepts.labels.get(iri) or prefixed_name(iri) or names.get(iri) or iri
    return name, snapshot.urls.thing(iri)
