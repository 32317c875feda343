"""``filtag run`` and ``filtag build``: from images, or a profile, to a KG."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import (
    DEFAULT_CONCEPTS,
    Base,
    Concepts,
    Creators,
    Force,
    Licence,
    Links,
    OutputKG,
    Quiet,
    Title,
    note,
    progress_bar,
)
from filtag_kg.cli.network_options import (
    Classes,
    Colours,
    CropShare,
    InputSize,
    Interpolation,
    Layers,
    Mean,
    Name,
    NetworkName,
    OutputName,
    Outputs,
    Precision,
    Preprocess,
    Resize,
    Std,
    Weights,
)
from filtag_kg.cli.profile import (
    BatchSize,
    ClassNames,
    Images,
    KeepGoing,
    Pass,
    Ray,
    References,
    Restart,
    Seed,
    Split,
    Workers,
    given_names,
    make_profile,
)
from filtag_kg.cli.report import make_report, report_folder
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filtag_kg.images import ImageSet
    from filtag_kg.kg import KG, BuildParameters
    from filtag_kg.network import Network
    from filtag_kg.profile import Profile
    from filtag_kg.tags import Rule

BASE = "https://w3id.org/filtag/data/"
_MOST_LINKS = 5

K = Annotated[
    list[int] | None,
    typer.Option("--k", metavar="K", help="Each class tags its K most active filters of a layer. May be repeated."),
]
Q = Annotated[
    list[float] | None,
    typer.Option("--q", metavar="Q", help="Each class tags this share of a layer's filters. May be repeated."),
]
ScoreName = Annotated[
    str,
    typer.Option(
        "--score",
        metavar="activation|contrast",
        help="Rank filters by activation, as the paper does, or by contrast with other classes.",
    ),
]
OutputOrInto = Annotated[Path | None, typer.Option("-o", "--output", metavar="KG", help="Directory of the KG to make.")]
Into = Annotated[
    Path | None, typer.Option("--into", metavar="KG", help="Add the runs to this KG, with its base and links.")
]
Maps = Annotated[
    bool,
    typer.Option(
        "--maps/--no-maps", help="Look at each filter's exemplars once more, and keep where in them it responds."
    ),
]


def run(
    network: NetworkName,
    images: Images,
    output: OutputKG,
    k: K = None,
    q: Q = None,
    score: ScoreName = "activation",
    weights: Weights = "trained",
    name: Name = None,
    layers: Layers = "conv",
    precision: Precision = "float32",
    preprocess: Preprocess = None,
    mean: Mean = None,
    std: Std = None,
    colours: Colours = None,
    resize: Resize = None,
    crop_share: CropShare = None,
    interpolation: Interpolation = None,
    input_size: InputSize = None,
    output_name: OutputName = None,
    outputs: Outputs = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    concepts: Concepts = DEFAULT_CONCEPTS,
    links: Links = None,
    base: Base = BASE,
    title: Title = None,
    creators: Creators = None,
    licence: Licence = None,
    batch_size: BatchSize = 32,
    workers: Workers = None,
    split: Split = None,
    seed: Seed = 0,
    keep_going: KeepGoing = False,
    references: References = 2_000,
    ray: Ray = None,
    restart: Restart = False,
    maps: Maps = True,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a report beside the KG, as KG-report.")
    ] = True,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Do the whole job: pass, tags, concepts, KG and report."""
    arguments = locals()
    from filtag_kg.concepts import concept_source, read_curated_links
    from filtag_kg.graph import DataIris
    from filtag_kg.kg import BuildParameters, check_output, reserved_output
    from filtag_kg.output_paths import check_file_output, sibling
    from filtag_kg.report import check_report_folder

    rules = rules_from(k, q, score)
    check_output(output, force=force)
    pages = report_folder(output)
    if report:
        check_report_folder(pages, force=force)
    # Whatever can be refused is refused now, not after hours of a pass.
    source = concept_source(concepts)
    if links is not None:
        read_curated_links(links, (), source)
    DataIris(base)
    parameters = BuildParameters(base=base, title=title, creators=tuple(creators or ()), licence=licence)
    # The profile took hours, so it outlives an error in the seconds that follow.
    saved = sibling(output, ".profile.npz")
    check_file_output(saved)
    with reserved_output(output, force=force):
        pass_ = Pass.from_arguments(arguments)
        if ray is None:
            # It is needed again; on a cluster, every worker loads its own.
            pass_ = replace(pass_, load=cache(pass_.load))
        profile = make_profile(pass_, saved)
        try:
            told(
                _built(
                    profile,
                    rules,
                    output,
                    images=images,
                    load=pass_.load if maps else None,
                    concepts=concepts,
                    links=links,
                    parameters=parameters,
                    force=force,
                    quiet=quiet,
                )
            )
        except FiltagError as error:
            message = f"{error} (the profile is kept in {saved}: go on with filtag build)"
            raise FiltagError(message, options=error.options, commands=error.commands) from None
        saved.unlink()
    if report:
        make_report([output], pages, force=force, quiet=quiet)
        note(f"{pages}: open index.html in a browser")


def build(
    profile: Annotated[Path, typer.Argument(metavar="P.npz", help="A profile that filtag profile made.")],
    output: OutputOrInto = None,
    into: Into = None,
    k: K = None,
    q: Q = None,
    score: ScoreName = "activation",
    concepts: Concepts = DEFAULT_CONCEPTS,
    links: Links = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE", help="The profile's images, for thumbnails of each filter's exemplars."),
    ] = None,
    maps: Maps = True,
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            metavar="NET",
            help="For the maps, the profile's network if it is not where it was.",
            show_default=False,
        ),
    ] = None,
    class_names: ClassNames = None,
    base: Base = BASE,
    title: Title = None,
    creators: Creators = None,
    licence: Licence = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Make a KG from a profile, or add its runs to a KG."""
    from filtag_kg.jobs import with_names
    from filtag_kg.kg import BuildParameters, build_into, reserved_output
    from filtag_kg.profile import load_profile

    if network is not None and not (maps and images is not None):
        raise typer.BadParameter("--network is for the maps: give --images, too, and not --no-maps")

    rules = rules_from(k, q, score)
    names = given_names(class_names)
    parameters = BuildParameters(base=base, title=title, creators=tuple(creators or ()), licence=licence)
    if (into is None) == (output is None):
        raise typer.BadParameter("give either -o, for a KG of its own, or --into, to add to one")
    if into is not None:

        def build_beside(kg: KG, room: Path) -> KG:
            made = with_names(load_profile(profile), names)
            load = partial(_network_of, made, str(profile), network) if maps else None
            return _built(
                made,
                rules,
                room,
                images=images,
                load=load,
                concepts=concepts,
                links=links,
                parameters=parameters,
                beside=kg,
                quiet=quiet,
            )

        told(build_into(into, build_beside))
    elif output is not None:
        with reserved_output(output, force=force):
            made = with_names(load_profile(profile), names)
            load = partial(_network_of, made, str(profile), network) if maps else None
            told(
                _built(
                    made,
                    rules,
                    output,
                    images=images,
                    load=load,
                    concepts=concepts,
                    links=links,
                    parameters=parameters,
                    force=force,
                    quiet=quiet,
                )
            )


def rules_from(k: list[int] | None, q: list[float] | None, score: str) -> list[Rule]:
    """Return the rules asked for, k before q; k = 1 if none is."""
    from filtag_kg.tags import Rule, Score

    if score not in ("activation", "contrast"):
        raise FiltagError(f"no score {score!r}: choose activation or contrast")
    ranked: Score = "contrast" if score == "contrast" else "activation"
    chosen = [Rule("k", each, ranked) for each in (k or ([] if q else [1]))]
    return chosen + [Rule("q", each, ranked) for each in (q or [])]


def _built(
    profile: Profile,
    rules: list[Rule],
    output: Path,
    *,
    images: Path | None,
    load: Callable[[], Network | None] | None,
    concepts: str,
    links: Path | None,
    parameters: BuildParameters,
    force: bool = False,
    beside: KG | None = None,
    quiet: bool = False,
) -> KG:
    from filtag_kg.jobs import build_from_profile

    with_exemplars = images is not None and profile.exemplars is not None
    with (
        _images_of(profile, images) if images is not None else nullcontext() as opened,
        progress_bar(quiet or not with_exemplars, "exemplars") as progress,
    ):
        return build_from_profile(
            profile,
            rules,
            output,
            images=opened,
            network=load() if load is not None and with_exemplars else None,
            concepts=concepts,
            links=links,
            parameters=parameters,
            force=force,
            beside=beside,
            progress=progress,
        )


def _network_of(profile: Profile, owner: str, name: str | None) -> Network | None:
    """Load the network that a profile was made with; without it, a KG says where filters respond in no exemplar."""
    from filtag_kg.profile import recorded_network

    try:
        return recorded_network(profile.metadata, owner, name)
    except FiltagError as error:
        if name is not None:
            raise
        note(f"the KG will not say where in its exemplars a filter responds: {error}")
        if "network" in error.options:
            note("name the network with --network, or leave the maps out with --no-maps")
        return None


def _images_of(profile: Profile, path: Path) -> ImageSet:
    """Open the images of a profile, which may be of a part alone, for thumbnails."""
    from filtag_kg.images import open_images, open_shard

    # The pass has said what is left out.
    images = open_images(path, log=False)
    exemplars = profile.exemplars.names[:1] if profile.exemplars is not None else ()
    if not exemplars or exemplars[0] in {image.name for image in images.images}:
        return images
    images.close()
    return open_shard(path)


def told(kg: KG, *, review: bool = True) -> None:
    """Note what a KG holds, and which links to review."""
    from filtag_kg.kg import runs_of

    counts = kg.manifest["counts"]
    layers = "1 layer" if counts["layers"] == 1 else f"{counts['layers']} layers"
    note(
        f"{kg.path}: {counts['tags']:,} tags of {counts['classes']:,} classes on {counts['filters']:,} filters of "
        f"{layers}, {counts['common_concepts']:,} common concepts, "
        f"{counts['quads']:,} quads"
    )
    for run in runs_of(kg):
        if run.too_few():
            note(
                f"rule {run.rule}: {run.too_few()} before a filter can have a clear theme; what images tell is in "
                "filtag show"
            )
    for line in _links_to_review(kg) if review else ():
        note(line)


def _links_to_review(kg: KG) -> Iterator[str]:
    """Yield which links of classes are probably wrong, the worst of them, and how to correct them."""
    unlinked = kg.manifest.get("unlinked_classes", ())
    if unlinked:
        named = ", ".join(unlinked[:_MOST_LINKS]) + (", …" if len(unlinked) > _MOST_LINKS else "")
        yield f"linked to no concept, {len(unlinked):,} of {kg.manifest['counts']['classes']:,} classes: {named}"
    doubtful = kg.manifest.get("doubtful_links", ())
    if not doubtful:
        return
    linked = kg.manifest["counts"]["linked_classes"]
    first = f", the worst {_MOST_LINKS} of them" if len(doubtful) > _MOST_LINKS else ""
    # A description has several links: classes are counted.
    classes = len({link["class_id"] for link in doubtful})
    yield f"doubtful links to concepts, {classes:,} of {linked:,}{first}:"
    for link in doubtful[:_MOST_LINKS]:
        other = "" if link["alternative"] is None else f"; or {link['alternative']}"
        yield f"  {link['label']} → {link['meaning']}, confidence {link['confidence']:.2f}{other}"
    yield (
        f"correct them in {kg.path / 'links.sssom.tsv'} and run this again with --links and --force; filtag query "
        f"{shlex.quote(str(kg.path))} doubtful-links lists them all"
    )
