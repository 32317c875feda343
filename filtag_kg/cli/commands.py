"""All commands, in the groups that ``filtag --help`` shows. A new command is one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from filtag_kg.cli import (
    build,
    concepts,
    demo,
    errors,
    evaluate,
    explain,
    profile,
    publish,
    query,
    report,
    runs,
    serve,
    show,
    validate,
    visualize,
)
from filtag_kg.cli.hints import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from click import HelpFormatter

__all__ = ["app"]

_GROUPS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Make a KG": {
        "demo": demo.demo,
        "run": build.run,
        "profile": profile.profile,
        "build": build.build,
        "import": build.import_,
    },
    "Query and share it": {
        "query": query.query,
        "export": query.export,
        "publish": publish.publish,
        "serve": serve.serve,
    },
    "Look at it": {
        "show": show.show,
        "report": report.report,
        "explain": explain.explain,
        "visualize": visualize.visualize,
    },
    "Find out how far to trust it": {
        "evaluate": evaluate.evaluate,
        "errors": errors.errors,
        "compare": runs.compare,
        "conformance": report.conformance,
        "validate": validate.validate,
    },
    "Manage runs and concept data": {
        "runs": runs.runs,
        "concepts": concepts.app,
    },
}


class _GroupedCommands(TyperGroup):
    def format_commands(self, ctx: typer.Context, formatter: HelpFormatter) -> None:  # type: ignore[override]
        """Write the commands group by group."""
        widest = max(map(len, self.list_commands(ctx)))
        limit = formatter.width - 6 - widest
        for title, names in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(widest), self.commands[name].get_short_help_str(limit)) for name in names]
                )


app = typer.Typer(
    name="filtag",
    cls=_GroupedCommands,
    help="Explain a CNN's convolutional filters as a knowledge graph you can query.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _group in _GROUPS.values():
    for _name, _command in _group.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name)
        else:
            app.command(_name, cls=Command)(_command)


@app.callback(invoke_without_command=True)
def _filtag(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"filtag {version_of('filtag-kg')}")
        raise typer.Exit
