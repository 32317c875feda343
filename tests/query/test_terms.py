from __future__ import annotations

import pyoxigraph as ox
import pytest

from filtag_kg.query.result import Value
from filtag_kg.query.terms import python_value

XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.mark.parametrize(
    ("text", "datatype", "value"),
    [
        ("true", "boolean", True),
        ("false", "boolean", False),
        # As Virtuoso writes them.
        ("1", "boolean", True),
        ("0", "boolean", False),
        ("1", "integer", 1),
        ("1", "double", 1.0),
        ("0.5", "decimal", 0.5),
        ("many", "integer", "many"),
        ("1", "string", "1"),
    ],
)
def test_literals_are_values_of_python(text: str, datatype: str, value: Value) -> None:
    found = python_value(ox.Literal(text, datatype=ox.NamedNode(XSD + datatype)))
    assert found == value
    assert type(found) is type(value)
