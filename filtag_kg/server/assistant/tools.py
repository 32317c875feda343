"""The tools that assistants call: what each answers and takes, and the job that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from filtag_kg.query import PARAMETERS, NamedQuery, catalogue
from filtag_kg.server.assistant.columns import COLUMNS
from filtag_kg.server.assistant.facts import Facts
from filtag_kg.server.assistant.text import one_line
from filtag_kg.server.assistant.vocabulary import outline
from filtag_kg.server.jobs import Job, RowsJob, ViewJob
from filtag_kg.server.openapi import parameter_schema

Schema = dict[str, Any]
LONGEST_TEXT = 2000
"""Characters of a description or of the instructions: some assistants cut what is longer."""
_FEW = 20
"""So many values are listed where a parameter takes one of them."""
_MOST_ROWS, _USUAL_ROWS = 500, 50
_MOST_PICTURES, _USUAL_PICTURES = 9, 4
_LONGEST_WORDS, _LONGEST_NAME = 200, 60
_TEXT: Schema = {"type": "string", "minLength": 1}
_CELL: Schema = {"type": ["string", "number", "boolean", "null"]}
_MAIN_CLASSES = (
    "flt:TaggingRun", "flt:Filter", "flt:FilterInRun", "flt:ClassLabel", "flt:FilterStatement", "flt:TagAssignment",
    "flt:CommonFeature", "flt:CommonConcept", "owl:Thing", "flt:ConceptInLayer", "skos:Concept",
)  # fmt: skip
"""Those that most questions are about; the last ones are left out where the vocabulary has grown too long."""
EXAMPLE = """SELECT ?layer ?index ?activation WHERE {
  ?run a flt:TaggingRun ; flt:ruleIndex 0 .
  ?class a flt:ClassLabel ; skos:prefLabel "tabby" .
  ?a flt:tag ?class ; prov:wasGeneratedBy ?run ; flt:filter ?filter ; flt:activation ?activation .
  ?filter flt:filterIndex ?index ; flt:inLayer/rdfs:label ?layer
} ORDER BY DESC(?activation) LIMIT 5"""
"""A query that shows how runs, classes, tag assignments, filters and layers hang together."""
_SPARQL = """Answer a SPARQL 1.1 query (SELECT, ASK, CONSTRUCT, DESCRIBE), read-only, where no other tool does. \
Prefixes (flt, nno, skos, prov, rdfs …) need no declaration. Classes and their properties, all flt:
{outline}
GRAPH ?run {{ ?filter flt:hasTag ?class }} has the shortcuts of one run; without GRAPH, runs mix. \
?class flt:atOrBelow ?concept leads to all concepts above. Names are skos:prefLabel (of concepts, @en), class ids \
skos:notation. ?run flt:network ?network . ?network nno:hasLayer ?layer. A CommonConcept of rank 1 has \
flt:coherenceQValue. The tool vocabulary defines every term. What takes long is stopped: ask for little. For example:
{example}"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    Parameters
    ----------
    answers : {"rows", "view", "terms"}
        What the answer is: rows of a table, a record, or terms of the vocabulary, which needs no job.
    job : callable
        Takes the arguments, which fit `input_schema`.
    output_schema : JSON Schema or None
        Of the structured content.
    """

    name: str
    title: str
    description: str
    answers: str
    input_schema: Schema
    job: Callable[[Mapping[str, Any]], Job | None]
    output_schema: Schema | None = None


def tools_of(facts: Facts, *, views: bool = True) -> tuple[Tool, ...]:
    """Return the tools for a KG: those that suit most questions first.

    Parameters
    ----------
    views : bool
        Whether the KG's tables are there, or only its graph.
    """
    return (
        *(_view_tools(facts) if views else ()),
        _sparql_tool(),
        _vocabulary_tool(),
        *(_named_tool(query, facts) for query in catalogue()),
    )


def rows_schema(columns: Sequence[str] | None = None) -> Schema:
    """Return the schema of an answer in rows, of columns that are known before or not."""
    if columns is None:
        row: Schema = {"type": "object", "additionalProperties": _CELL}
    else:
        cells = {name: {"description": COLUMNS.get(name, name)} for name in columns}
        row = {"type": "object", "properties": cells, "required": list(columns)}
    names: Schema = {"type": "array", "items": {"type": "string"}}
    properties: Schema = {
        "columns": names,
        "rows": {"type": "array", "items": row},
        "offset": {"type": "integer"},
        "total": {"type": "integer", "description": "rows of the whole answer"},
        "total_is_exact": {"type": "boolean", "description": "else there are more"},
        "next_offset": {"type": ["integer", "null"], "description": "of the rows after these"},
        "notes": names,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


# Named queries and SPARQL


def _named_tool(query: NamedQuery, facts: Facts) -> Tool:
    properties = {name: _parameter(name, facts) for name in query.parameters}

    def job(arguments: Mapping[str, Any]) -> Job:
        given = {name: str(_whole(value)) for name, value in arguments.items() if name in properties}
        return RowsJob(query.name, "", given, int(arguments["offset"]), int(arguments["limit"]))

    return Tool(
        name=query.name,
        title=query.name.replace("-", " ").capitalize(),
        description=f"{query.summary}. Columns: {', '.join(query.columns)}.",
        answers="rows",
        input_schema=_object({**properties, **_page()}, query.required),
        job=job,
        output_schema=rows_schema(query.columns),
    )


def _parameter(name: str, facts: Facts) -> Schema:
    parameter = PARAMETERS[name]
    schema: Schema = {**parameter_schema(parameter.kind), "description": parameter.meaning}
    if schema["type"] == "string":
        schema["minLength"] = 1
    if parameter.kind == "run":
        about = parameter.meaning if name.startswith("rule_") or not facts.rules else f"default: {facts.rules[0]}"
        return {**schema, **_one_of(facts.rules), "description": about}
    if parameter.kind == "layer":
        return {**schema, **_layer(facts)}
    return schema


def _one_of(values: Sequence[str]) -> Schema:
    return {"enum": list(values)} if 0 < len(values) <= _FEW else {}


def _layer(facts: Facts) -> Schema:
    if _one_of(facts.layers) or not facts.layers:
        return {**_TEXT, **_one_of(facts.layers), "description": PARAMETERS["layer"].meaning}
    first, last = (one_line(facts.layers[end], _LONGEST_NAME) for end in (0, -1))
    some = f"such as {first} (the first) or {last} (the last) of {len(facts.layers)}"
    return {**_TEXT, "description": f"{PARAMETERS['layer'].meaning}, {some}"}


def _object(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _page() -> dict[str, Schema]:
    return {"limit": _limit("rows to return"), "offset": {"type": "integer", "minimum": 0, "default": 0}}


def _limit(what: str, usual: int = _USUAL_ROWS, most: int = _MOST_ROWS) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": usual, "description": what}


def _sparql_tool() -> Tool:
    return Tool(
        name="sparql",
        title="SPARQL",
        description=sparql_description(),
        answers="rows",
        input_schema=_object({"query": _TEXT, **_page()}, ("query",)),
        job=lambda arguments: RowsJob(None, arguments["query"], {}, int(arguments["offset"]), int(arguments["limit"])),
        output_schema=rows_schema(),
    )


def sparql_description(longest: int = LONGEST_TEXT) -> str:
    """Return what an assistant must know to write SPARQL, with as much of the vocabulary as there is room for."""
    classes = list(_MAIN_CLASSES)
    while len(text := _SPARQL.format(outline=outline(classes), example=EXAMPLE)) > longest and classes:
        classes.pop()
    return text


def _vocabulary_tool() -> Tool:
    return Tool(
        name="vocabulary",
        title="Vocabulary",
        description="The classes and properties of the graph (flt:…), with definition, domain, range and an example: "
        "those that have all the words in them, or all.",
        answers="terms",
        input_schema=_object({"words": {"type": "string", "description": "such as flt:coverage, or q-value"}}),
        job=lambda _: None,
    )


# Views


def _view_tools(facts: Facts) -> tuple[Tool, ...]:
    network = {"network": {**_TEXT, **_one_of(facts.networks)}} if len(facts.networks) > 1 else {}
    rule = {"rule": _parameter("rule", facts)}
    filter_ = {"layer": _layer(facts), "filter": _parameter("filter", facts)}
    limit = {"limit": _limit("rows of each list", 10, 200)}
    best_rule = {"rule": {**rule["rule"], "description": "default: the one that says most of the filter"}}
    return (
        _view(
            "overview",
            "What the graph holds: networks, layers with their filters and how many have a clear theme, rules, number "
            "of images, classes and tags, checks and ablations, licences.",
            {},
        ),
        _view(
            "search",
            "Find filters, layers, classes and concepts by name or meaning: dog, puppy, wheel, yellow, "
            "animal that swims, head_conv 992. Each match says why it is one; where nothing matches, what comes near.",
            {"words": {**_TEXT, "maxLength": _LONGEST_WORDS}, "limit": _limit("matches to return", 20, 200)},
            required=("words",),
        ),
        _view(
            "describe-filter",
            "What one filter responds to and how sure that is: in words, its tags (the classes that mark it), what "
            "these share and whether that is chance, its strongest pictures, similar filters.",
            {**filter_, **best_rule, **limit, **network},
            view="filter",
            required=("layer", "filter"),
        ),
        _view(
            "filter-pictures",
            "See the pictures that activate a filter most. They are lit, in colour, where the filter responds, and "
            "dark elsewhere, if the graph says where.",
            {**filter_, "most": _limit("pictures to return", _USUAL_PICTURES, _MOST_PICTURES), **network},
            view="pictures",
            required=("layer", "filter"),
        ),
        _view(
            "describe-layer",
            "A layer: how many filters are marked, which clearly respond to one kind of thing, the surest first, and "
            "the most frequent themes.",
            {"layer": _layer(facts), **rule, **limit, **network},
            view="layer",
            required=("layer",),
        ),
        _view(
            "describe-class",
            "A class of images: the concept that it is linked to and those above, the filters that it marks, and in "
            "which layers its kind of thing appears.",
            {"class": _parameter("class", facts), **rule, **limit, **network},
            view="class",
            required=("class",),
        ),
        _view(
            "describe-concept",
            "A concept such as dog, in every sense that the graph knows: its classes, the filters whose tags share it "
            "beyond chance, those with most tags of it, and in which layers it appears.",
            {"concept": _parameter("concept", facts), **rule, **limit, **network},
            view="concept",
            required=("concept",),
        ),
    )


def _view(
    name: str, description: str, properties: Mapping[str, Schema], *, view: str = "", required: Sequence[str] = ()
) -> Tool:
    return Tool(
        name=name,
        title=name.replace("-", " ").capitalize(),
        description=description,
        answers="view",
        input_schema=_object(properties, required),
        job=lambda arguments: ViewJob(view or name, {key: _whole(value) for key, value in arguments.items()}),
    )


def _whole(value: object) -> object:
    """Return an argument; 3.0 is the whole number 3 in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
