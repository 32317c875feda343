"""The command line: open, one library call, print. No logic of its own."""

from __future__ import annotations

import sys

import typer

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
from filtag_kg.cli.console import print_error
from filtag_kg.errors import FiltagError

__all__ = ["app", "main"]

app = typer.Typer(
    name="filtag",
    help="Explain a CNN's convolutional filters as a knowledge graph you can query.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("run")(build.run)
app.command("profile")(profile.profile)
app.command("build")(build.build)
app.command("import")(build.import_)
app.command("query")(query.query)
app.command("export")(query.export)
app.command("publish")(publish.publish)
app.command("runs")(runs.runs)
app.command("compare")(runs.compare)
app.command("validate")(validate.validate)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.command("errors")(errors.errors)
app.command("visualize")(visualize.visualize)
app.command("show")(show.show)
app.command("report")(report.report)
app.command("serve")(serve.serve)
app.add_typer(report.conformance, name="conformance")
app.add_typer(concepts.app, name="concepts")


@app.callback(invoke_without_command=True)
def _filtag(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"filtag {version_of('filtag-kg')}")
        raise typer.Exit


def main() -> None:
    """Run the command line: 1 for a user's mistake, in one line on stderr; 2 for wrong usage."""
    try:
        app()
    except FiltagError as error:
        print_error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain of it at exit, either.
        sys.stdout = None
        sys.exit(0)
