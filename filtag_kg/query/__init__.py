"""Query a KG or a remote endpoint: the catalogue of named queries, raw SPARQL, and result formats."""

from filtag_kg.query.catalogue import NamedQuery, catalogue, find_query
from filtag_kg.query.catalogue_rdf import catalogue_turtle
from filtag_kg.query.endpoint import Endpoint, LocalEndpoint, RemoteEndpoint, malformed, open_endpoint
from filtag_kg.query.execution import Unanswered, bound_text, named_query, sparql_query, warn_of_misspellings
from filtag_kg.query.explanation import example_command, explanation
from filtag_kg.query.formats import RESULT_FORMATS, format_result, table_pieces
from filtag_kg.query.parameters import PARAMETERS, Parameter, bind, runs
from filtag_kg.query.result import Result
from filtag_kg.query.result_table import table_of
from filtag_kg.query.terms import Term, Value, plain_text, prefixed_name, python_value

__all__ = [
    "PARAMETERS",
    "RESULT_FORMATS",
    "Endpoint",
    "LocalEndpoint",
    "NamedQuery",
    "Parameter",
    "RemoteEndpoint",
    "Result",
    "Term",
    "Unanswered",
    "Value",
    "bind",
    "bound_text",
    "catalogue",
    "catalogue_turtle",
    "example_command",
    "explanation",
    "find_query",
    "format_result",
    "malformed",
    "named_query",
    "open_endpoint",
    "plain_text",
    "prefixed_name",
    "python_value",
    "runs",
    "sparql_query",
    "table_of",
    "table_pieces",
    "warn_of_misspellings",
]
