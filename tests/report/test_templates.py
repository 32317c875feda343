"""Templates, read without being rendered: pages that few KGs have are checked, too."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from filtag_kg.report.jinja import environment

EXPLORER = "filtag_kg.server.explorer"
_IMPORT = re.compile(r'{%-? import "([^"]+)" as (\w+)')
_MACRO = re.compile(r"{%-? macro (\w+)\(")
TEMPLATES = sorted(
    path.name
    for package in ("filtag_kg.report", EXPLORER)
    for path in files(package).joinpath("templates").iterdir()
    if path.name.endswith(".html")
)


def source(name: str) -> str:
    loader = environment([EXPLORER]).loader
    assert loader is not None
    return loader.get_source(environment([EXPLORER]), name)[0]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_macro_that_a_template_calls_exists(name: str) -> None:
    for imported, prefix in _IMPORT.findall(source(name)):
        called = set(re.findall(rf"\b{prefix}\.(\w+)\(", source(name)))
        assert called, f"{name} imports {imported} for nothing"
        assert called <= set(_MACRO.findall(source(imported)))


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_filter_that_a_template_uses_exists(name: str) -> None:
    environment([EXPLORER]).get_template(name)
