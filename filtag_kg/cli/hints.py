"""Behind an error's message, the options and commands that mend it, as they are typed."""

from __future__ import annotations

import typer
from typer.core import TyperCommand

from filtag_kg.errors import FiltagError


class Command(TyperCommand):
    """A command that adds its hints to the errors of the library."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; add a note to an error that says which options or commands mend it."""
        try:
            return super().invoke(ctx)
        except FiltagError as error:
            # The long name says more than the short one, but -o is what people type.
            option_names = {
                option.name: "-o" if "-o" in option.opts else option.opts[-1]
                for option in self.params
                if option.param_type_name == "option"
            }
            hints = [option_names[name] for name in error.options if name in option_names]
            if error.commands:
                *first, last = error.commands
                hints.append(f"filtag {', '.join(first)} or {last}" if first else f"filtag {last}")
            if hints:
                error.add_note(", ".join(hints))
            raise
