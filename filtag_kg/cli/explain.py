"""``filtag explain``: one classification through the filters that the image activates."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, results_console
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.cli.profile import ClassNames, given_names
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.table import Table

    from filtag_kg.explain import Evidence, Explanation, ImageEvidence, PairEvidence, Support, WhyNot
    from filtag_kg.kg import KG
    from filtag_kg.network import Network

KGNetwork = Annotated[
    str | None,
    typer.Option("--network", metavar="NET", help="The network, if it is not where it was when the KG was made."),
]
TagRule = Annotated[
    str | None,
    typer.Option("--rule", metavar="RULE", help="The rule whose tags to use; by default the KG's first."),
]
ExplainedBy = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="evidence|tags",
        help="evidence: compare the last layers' activations with the profile's; tags: count tags, as the paper does. "
        "By default evidence; with --rule or without a profile, tags.",
        show_default=False,
    ),
]
_FORMATS = ("text", "json", "turtle")
_MOST_SUPPORTERS = 6


def explain(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The image to explain.")],
    network: KGNetwork = None,
    preprocess: Preprocess = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    by: ExplainedBy = None,
    rule: TagRule = None,
    why: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="Why this class (id or label) and not the prediction, or that of --not?"),
    ] = None,
    not_: Annotated[
        str | None, typer.Option("--not", metavar="CLASS", help="The class to contrast --why with.")
    ] = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Tags, concepts and layers to show.")] = 8,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text, json or turtle.")] = "text",
    overlay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a picture of where in the image the filters respond that support the prediction and each "
            "concept: .png or .jpg.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing picture.")] = False,
    quiet: Quiet = False,
) -> None:
    """Explain how a network classifies one image.

    Do the filters agree with the network, which other classes look as convincing, and what do the filters that the
    image activates most have in common?

    For example: filtag explain my-kg cat.jpg --why tabby --not lynx
    """
    from filtag_kg.explain import BASES, explain_image, explanation_json, explanation_turtle, tagged_classes
    from filtag_kg.kg import open_kg
    from filtag_kg.views import class_named

    if format_ not in _FORMATS:
        raise FiltagError(f"no format {format_!r}: choose one of {', '.join(_FORMATS)}")
    chosen_by = next((basis for basis in BASES if basis == by), None)
    if chosen_by != by:
        raise FiltagError(f"an image cannot be explained by {by!r}: choose {' or '.join(BASES)}", options=("by",))
    picture_format = "" if overlay is None else _checked_picture(overlay, force=force)
    opened = open_kg(kg)
    names = given_names(class_names, classes)
    if why is not None or not_ is not None:
        known = tagged_classes(opened, rule)
        known |= {class_id: label for class_id, label in names.items() if class_id in known}
        # Refuse a mistyped class before the network loads, which takes seconds.
        for name in (why, not_):
            if name is not None:
                class_named(name, list(known), list(known.values()))
    loaded = network_of(opened, network, preprocess=preprocess, classes=classes)
    explanation = explain_image(
        opened, loaded, image, by=chosen_by, rule=rule, most=most, why=why, not_=not_, class_names=names
    )
    for line in explanation.notes:
        note(line)
    if overlay is not None:
        _write_overlay(overlay, picture_format, loaded, image, explanation)
    if format_ == "text":
        print_explanation(explanation, most=most)
    elif format_ == "json":
        typer.echo(explanation_json(explanation), nl=False)
    else:
        typer.echo(explanation_turtle(explanation, opened), nl=False)


def _checked_picture(overlay: Path, *, force: bool) -> str:
    """Return the format of a picture to be written, before the network loads."""
    from filtag_kg.explain import overlay_format
    from filtag_kg.output_paths import check_file_output, is_stream

    format_ = overlay_format(overlay)
    if check_file_output(overlay).exists() and not is_stream(overlay) and not force:
        raise FiltagError(f"{overlay} exists: choose another file, or replace it", options=("overlay", "force"))
    return format_


def _write_overlay(overlay: Path, format_: str, network: Network, image: Path, explanation: Explanation) -> None:
    from filtag_kg.explain import overlay_picture, read_pixels
    from filtag_kg.files import writing
    from filtag_kg.images import read_file

    content = read_file(image)
    pixels = read_pixels(content, str(image), network.preparation)
    picture = overlay_picture(network, content, pixels, explanation, format_)
    with writing(overlay) as file:
        file.write(picture)
    many = len(explanation.regions_of)
    things = "1 class or concept" if many == 1 else f"{many} classes and concepts"
    note(f"{overlay}: where the filters respond that support {things}")


def network_of(kg: KG, name: str | None, *, preprocess: str | None, classes: Path | None) -> Network:
    """Load the network that a KG was made of, where it was or where it lies now."""
    from filtag_kg.profile import recorded_network

    made_of = kg.manifest["inputs"].get("profile", {})
    return recorded_network(made_of, str(kg.path), name, preprocess=preprocess, classes=classes)


def print_explanation(explanation: Explanation, *, most: int = 8) -> None:
    """Print an explanation as text."""
    from rich.markup import escape

    console = results_console()
    best = ", ".join(f"{escape(best.label)} {best.confidence:.1%}" for best in explanation.predictions)
    nothing = "nothing: the network tells no classes apart"
    console.print(f"predicted: [bold]{best}[/bold]" if best else f"predicted: {nothing}")
    if explanation.evidence is not None:
        _print_evidence(explanation, explanation.evidence, console)
    else:
        _print_tags(explanation, console, most)
    if explanation.why_not is not None:
        _print_why_not(explanation.why_not, console)


def _print_evidence(explanation: Explanation, evidence: ImageEvidence, console: Console) -> None:
    from rich.markup import escape

    from filtag_kg.explain import limits, verdict

    for sentence in verdict(explanation):
        console.print(escape(sentence))
    console.print()
    calibrated = ("p", "confidence") if evidence.references else ()
    table = _table("classes that the filters speak for", "rank", "log ratio", *calibrated)
    judged = list(evidence.first)
    if evidence.predicted is not None and evidence.predicted not in judged:
        judged.append(evidence.predicted)
    for class_ in judged:
        label = escape(class_.label)
        cells = (
            f"[bold]{label}[/bold]" if class_ == evidence.predicted else label,
            f"{class_.rank:g}",
            f"{class_.log_ratio:+.0f}",
            "" if class_.p_value is None else f"{class_.p_value:.2g}",
            "" if class_.confidence is None else f"{class_.confidence:.0%}",
        )
        table.add_row(*cells[: len(table.columns)])
    layers = "layer" if len(evidence.layers) == 1 else "layers"
    table.caption = (
        f"{evidence.filters:,} filters of {layers} {escape(', '.join(evidence.layers))}; "
        f"{evidence.references:,} reference images"
    )
    table.caption_justify = "left"
    console.print(table)
    if explanation.concepts:
        console.print(_counted_concepts(explanation.concepts))
    for supporters in explanation.regions_of:
        shown = ", ".join(
            f"{each.layer} {each.filter} {each.weight:.0%}" for each in supporters.filters[:_MOST_SUPPORTERS]
        )
        console.print(f"filters for {escape(supporters.label)}: {escape(shown)}", soft_wrap=True)
    console.print(limits(evidence))


def _counted_concepts(rows: Iterable[Evidence]) -> Table:
    from rich.markup import escape

    table = _table("concepts that the filters speak for", "observed", "expected", "times")
    for row in rows:
        if row.observed is not None and row.expected:
            times = f"{row.observed / row.expected:.1f}"
            table.add_row(escape(row.label), f"{row.observed:.1f}", f"{row.expected:.1f}", times)
    return table


def _print_tags(explanation: Explanation, console: Console, most: int) -> None:
    from rich.markup import escape

    console.print(
        f"{explanation.n_tagged} of the {explanation.n_active} filters that {escape(explanation.image)} activates most "
        f"have tags (rule {explanation.rule})."
    )
    if explanation.support is not None:
        console.print(_verdict(explanation.support))
    elif explanation.predictions and explanation.predictions[0].class_id is None:
        console.print("The network's outputs have no names to compare with the tags: --classes FILE gives them.")
    elif explanation.predictions:
        console.print(
            f"{escape(explanation.predictions[0].label)} is not a class of the KG, so the tags say nothing about it."
        )
    console.print(_evidence("their tags", explanation.labels))
    console.print(_evidence("their common concepts", explanation.concepts))
    _print_layers(explanation, console, most)


def _verdict(support: Support) -> str:
    from rich.markup import escape

    verdict = "support" if support.supported else "do not support"
    return (
        f"The tags [bold]{verdict}[/bold] {escape(support.label)}: {_counted(support)}. As many by chance: "
        f"p = {support.p_filters:.2g} if filters were active at random, p = {support.p_classes:.2g} for a class drawn "
        "at random."
    )


def _counted(support: Support) -> str:
    return (
        f"{support.filters} of {support.active} active filters have its tag, rank {support.rank:g} of "
        f"{support.classes} classes"
    )


def _evidence(title: str, rows: Iterable[Evidence]) -> Table:
    from rich.markup import escape

    table = _table(title, "filters", texts=["layers"])
    for row in rows:
        table.add_row(escape(row.label), str(row.filters), escape(", ".join(row.layers)))
    return table


def _table(title: str, *numbers: str, texts: Iterable[str] = ()) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(title)
    for number in numbers:
        table.add_column(number, justify="right")
    for text in texts:
        table.add_column(text)
    return table


def _print_layers(explanation: Explanation, console: Console, most: int) -> None:
    """Print the active filters of the last layers, which see the most, and their most frequent tags."""
    from rich.markup import escape

    by_layer: dict[str, list[str]] = {}
    tags: dict[str, Counter[str]] = {}
    for filter_ in explanation.active:
        by_layer.setdefault(filter_.layer, []).append(str(filter_.filter))
        labels = dict(filter_.tags)
        tags.setdefault(filter_.layer, Counter()).update(labels.values())
    table = _table("layer", "active", texts=["filters", "most frequent tags"])
    for layer in list(by_layer)[-most:]:
        first = sorted(tags[layer].items(), key=lambda item: (-item[1], item[0]))[:3]
        shown = ", ".join(by_layer[layer][:5]) + (", …" if len(by_layer[layer]) > 5 else "")
        table.add_row(
            escape(layer),
            str(len(by_layer[layer])),
            shown,
            escape(", ".join(label if count == 1 else f"{label} ×{count}" for label, count in first)),
        )
    if len(by_layer) > most:
        table.caption = f"the last {most} of {len(by_layer)} layers; --most {len(by_layer)} shows all"
        table.caption_justify = "left"
    console.print(table)


def _print_why_not(why_not: WhyNot, console: Console) -> None:
    from rich.markup import escape

    first, second = why_not.why, why_not.why_not
    console.print(f"\nwhy [bold]{escape(first.label)}[/bold] and not [bold]{escape(second.label)}[/bold]?")
    if why_not.evidence is not None:
        _print_pair(why_not, why_not.evidence, console)
        return
    for support, confidence in ((first, why_not.why_confidence), (second, why_not.why_not_confidence)):
        console.print(f"{escape(support.label)}: {_says(confidence)}; {_counted(support)}.")
    table = _table("active filters tagged", "filters", texts=["layers", "common concepts"])
    for title, carriers in (
        (f"{first.label}, not {second.label}", why_not.only_why),
        (f"{second.label}, not {first.label}", why_not.only_why_not),
        ("both", why_not.both),
    ):
        layers = [f"{layer} {count}" for layer, count in carriers.layers[-4:][::-1]]
        concepts = [f"{row.label} {row.filters}" for row in carriers.concepts[:4]]
        table.add_row(escape(title), str(len(carriers.filters)), escape(", ".join(layers)), escape(", ".join(concepts)))
    console.print(table)


def _print_pair(why_not: WhyNot, evidence: PairEvidence, console: Console) -> None:
    from rich.markup import escape

    first, second = why_not.why.label, why_not.why_not.label
    favoured = first if evidence.log_ratio >= 0 else second
    console.print(
        f"The filters say {escape(favoured)}: the difference is {abs(evidence.log_ratio):.0f} nats, the sum over all "
        "filters."
    )
    for label, confidence in ((first, why_not.why_confidence), (second, why_not.why_not_confidence)):
        console.print(f"{escape(label)}: {_says(confidence)}.")
    table = _table("what decides", texts=["filters, in nats", "concepts, in nats"])
    for label, filters, concepts in (
        (first, evidence.for_why, evidence.why_concepts),
        (second, evidence.for_why_not, evidence.why_not_concepts),
    ):
        shown = [f"{each.layer} {each.filter} {each.weight:.1f}" for each in filters[:_MOST_SUPPORTERS]]
        kinds = [f"{each.label} {each.weight:.1f}" for each in concepts[:4]]
        table.add_row(f"for {escape(label)}", escape(", ".join(shown)), escape(", ".join(kinds)))
    console.print(table)


def _says(confidence: float | None) -> str:
    return "the network has no such output" if confidence is None else f"the network says {confidence:.1%}"
