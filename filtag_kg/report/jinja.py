"""The templates of the pages, filled by Jinja2: every value is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment"]


def environment() -> Environment:
    """Return Jinja2 with the templates of this package and the filters that write numbers.

    Raises
    ------
    FiltagError
        If Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError:
        raise FiltagError("pages need jinja2, which is not installed: pip install jinja2") from None
    made = Environment(
        loader=PackageLoader("filtag_kg.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    made.filters["percent1"] = lambda share: f"{100 * share:.1f} %"
    made.filters["whole"] = lambda number: f"{number:,}"
    return made
