"""What a library's message cannot say: the options and commands that mend a mistake, as one types them."""

from __future__ import annotations

import typer
from typer.core import TyperCommand

from filtag_kg.errors import FiltagError

__all__ = ["Command"]


class Command(TyperCommand):
    """A command that puts its hints behind the message of an error."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; note on an error what mends it here."""
        try:
            return super().invoke(ctx)
        except FiltagError as error:
            # An option's own name is better known than its short form, but for -o.
            typed = {
                p.name: "-o" if "-o" in p.opts else p.opts[-1] for p in self.params if p.param_type_name == "option"
            }
            hints = [typed[name] for name in error.options if name in typed]
            if error.commands:
                *first, last = error.commands
                hints.append(f"filtag {', '.join(first)} or {last}" if first else f"filtag {last}")
            if hints:
                error.add_note(", ".join(hints))
            raise
