"""What stands behind an error's message: the options and commands that mend it, as they are typed."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer

from filtag_kg import FiltagError
from filtag_kg.cli.hints import Command


def notes(error: FiltagError) -> list[str]:
    """Return what a command with the options -o, --keep-going and --layer notes on an error."""
    app = typer.Typer()

    @app.command(cls=Command)
    def command(
        output: Annotated[str, typer.Option("-o", "--output")] = "",
        keep_going: Annotated[bool, typer.Option("--keep-going")] = False,
        layer: str = "",
    ) -> None:
        raise error

    with pytest.raises(FiltagError) as caught:
        app([], standalone_mode=False)
    return list(getattr(caught.value, "__notes__", ()))


def test_options_are_named_as_they_are_typed() -> None:
    assert notes(FiltagError("wrong", options=("output", "keep_going", "layer"))) == ["-o, --keep-going, --layer"]


def test_an_option_that_the_command_lacks_is_not_named() -> None:
    assert notes(FiltagError("wrong", options=("force", "layer"))) == ["--layer"]
    assert notes(FiltagError("wrong", options=("force",))) == []


def test_commands_are_named() -> None:
    assert notes(FiltagError("wrong", commands=("build",))) == ["filtag build"]
    assert notes(FiltagError("wrong", options=("output",), commands=("run", "build", "import"))) == [
        "-o, filtag run, build or import"
    ]


def test_an_error_without_hints_has_no_note() -> None:
    assert notes(FiltagError("wrong")) == []
