"""The page of two runs compared: what they agree on, and the pictures of the filters on which they disagree most."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass

from filtag_kg.graph import xml_text
from filtag_kg.kg import KgRun
from filtag_kg.report.agreement import Agreement
from filtag_kg.report.jinja import environment
from filtag_kg.report.label_agreement import ComparedFilter, biggest_disagreements
from filtag_kg.views import Exemplar, LoadedKg

MOST_DISAGREEMENTS = 24
_MOST_PICTURES = 5


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A filter of which two runs say different things.

    Parameters
    ----------
    pictures : tuple of (source, Exemplar)
        The images that activate it most, in the first run's KG, and where their thumbnails are.
    url : str
        Of its page; empty where there is none.
    """

    filter: ComparedFilter
    pictures: tuple[tuple[str, Exemplar], ...]
    url: str


def disagreements(
    agreement: Agreement,
    loaded: LoadedKg,
    picture: Callable[[str], str],
    page: Callable[[str, str, int], str] = lambda *_: "",
) -> list[Disagreement]:
    """Return the filters on which two runs disagree most, with their pictures.

    Parameters
    ----------
    loaded : LoadedKg
        The first run's KG.
    picture : callable
        From the path of a picture in the KG's directory to what shows it.
    page : callable
        From network, layer and filter to the URL of the filter's page.
    """
    network = loaded.networks[agreement.a.network]
    first = network.first_columns
    return [
        Disagreement(
            row,
            tuple(
                (picture(exemplar.thumbnail), exemplar)
                for exemplar in loaded.exemplars.get((network.network, first[row.layer] + row.filter), ())[
                    :_MOST_PICTURES
                ]
            ),
            page(network.network, row.layer, row.filter),
        )
        for row in biggest_disagreements(agreement.filters, MOST_DISAGREEMENTS)
    ]


def run_names(agreement: Agreement) -> tuple[str, str]:
    """Return what to call two runs beside each other: by their rules, or where these are one, by their networks."""
    a, b = agreement.a, agreement.b
    if a.rule != b.rule:
        return (a.rule, b.rule) if a.network == b.network else (_full_name(a), _full_name(b))
    return (a.network, b.network) if a.network != b.network else (f"{a.rule} (a)", f"{b.rule} (b)")


def agreement_page(agreement: Agreement, loaded: LoadedKg) -> str:
    """Return the page as HTML without any other file.

    Parameters
    ----------
    loaded : LoadedKg
        The first run's KG.
    """

    def inlined(name: str) -> str:
        kind = mimetypes.guess_type(name)[0]
        return f"data:{kind};base64,{base64.b64encode((loaded.kg.path / name).read_bytes()).decode()}"

    name_a, name_b = run_names(agreement)
    page = environment().get_template("agreement.html")
    return xml_text(
        page.render(
            comparison=agreement,
            name_a=name_a,
            name_b=name_b,
            disagreements=disagreements(agreement, loaded, inlined),
        )
    )


def _full_name(run: KgRun) -> str:
    return f"{run.rule} of {run.network}"
