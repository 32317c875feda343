"""The methods paragraphs of a paper: what was done to make a KG, as its manifest says, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.explain import EvaluationRecord, HitsRow
from filtag_kg.kg import Ablation
from filtag_kg.network import imagenet_class_ids
from filtag_kg.paper.references import FILTAG_KG, method_key, network_key
from filtag_kg.paper.tex import PREAMBLE, tex_text
from filtag_kg.report import GroupedRun
from filtag_kg.tags import parse_rule
from filtag_kg.views import LoadedKg

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|$~@&]")
_SOURCES = {
    "wordnet": "WordNet",
    "conceptnet": "an excerpt of ConceptNet that comes with the software",
    "conceptnet-dump": "ConceptNet's official dump",
    "conceptnet-api": "ConceptNet's web service",
}

_UNNAMED = "imported"
"""What the network of imported labels is called unless it is named."""


@dataclass(frozen=True, slots=True)
class Cite:
    """A citation of works, by the keys of their BibTeX."""

    keys: tuple[str, ...]


Part = str | Cite
"""Text, not marked up; or a citation, which has its own space before it."""

Paragraph = Sequence[Part]


@dataclass(frozen=True, slots=True, eq=False)
class Methods:
    """The methods paragraphs of a KG."""

    paragraphs: tuple[Paragraph, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all works cited, each once, in order."""
        cited = (part for paragraph in self.paragraphs for part in paragraph if isinstance(part, Cite))
        return tuple(dict.fromkeys(key for part in cited for key in part.keys))

    def markdown(self) -> str:
        """Return the paragraphs as Markdown with citations as Pandoc reads them."""
        return "\n\n".join("".join(map(_markdown, paragraph)).strip() for paragraph in self.paragraphs) + "\n"

    def tex(self) -> str:
        """Return the paragraphs as LaTeX."""
        paragraphs = ("".join(map(_tex, paragraph)).strip() for paragraph in self.paragraphs)
        return PREAMBLE + "\n\n".join(paragraphs) + "\n"


def _markdown(part: Part) -> str:
    if isinstance(part, Cite):
        return f" [{'; '.join(f'@{key}' for key in part.keys)}]"
    return _MARKDOWN.sub(r"\\\g<0>", re.sub(r"\s", " ", part))


def _tex(part: Part) -> str:
    if isinstance(part, Cite):
        return rf"~\cite{{{','.join(part.keys)}}}"
    # tex_text takes spaces at the ends away.
    start, end = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{' ' if start else ''}{tex_text(part)}{' ' if end and part.strip() else ''}"


def cite(*keys: str) -> Cite:
    """Return a citation."""
    return Cite(keys)


def methods(
    loaded: LoadedKg,
    grouped_runs: Sequence[GroupedRun],
    figures: Iterable[str],
    hits: tuple[Sequence[HitsRow], EvaluationRecord | None] | None,
) -> Methods:
    """Return the methods of a KG.

    Parameters
    ----------
    figures : iterable of str
        What kinds of figures there are: each has its method described.
    hits : (rows, record), optional
        An evaluation of the KG's network; the record is None if its folder has none.
    """
    manifest = loaded.kg.manifest
    builds = [("", manifest), *((build["folder"], build) for build in manifest.get("added", ()))]
    paragraphs: list[Paragraph] = []
    seen: set[str] = set()
    for folder, build in builds:
        runs = [grouped for grouped in grouped_runs if grouped.run.folder == folder]
        if not runs:
            continue
        if folder == "" or str(build["inputs"]) not in seen:
            paragraphs.append([*_inputs(build, runs[0])])
        seen.add(str(build["inputs"]))
        paragraphs.append([*_tags(runs, imported="profile" not in build["inputs"])])
    paragraphs.append([*_concepts(manifest)])
    paragraphs.append([*_common(manifest, grouped_runs, loaded.q)])
    kinds = set(figures)
    if "separation" in kinds:
        paragraphs.append([*_separation()])
    if "ablations" in kinds:
        paragraphs += [[*_ablation(ablation)] for ablation in loaded.ablations]
    if hits is not None:
        paragraphs.append([*_hits(*hits)])
    paragraphs.append([*_software(manifest)])
    return Methods(tuple(paragraphs))


def _inputs(build: Mapping[str, Any], grouped: GroupedRun) -> Iterator[Part]:
    profile = build["inputs"].get("profile")
    network = grouped.network
    filters = _count(network.n_filters, "filter")
    if profile is None:
        yield from _imported(build["inputs"], grouped, f"{_count(len(network.layer_names), 'layer')} with {filters}")
        return
    yield f"We analysed the network {network.label}"
    known = network_key(profile.get("network", "")) if _has_a_name(profile) else None
    if known is not None:
        yield cite(known)
    yield f" (identifier {network.network}"
    if profile.get("weights_sha256"):
        yield f", SHA-256 of the weights {_short(profile['weights_sha256'])}"
    weights = profile.get("weights")
    yield f"; its weights are not trained but {weights}" if weights else ""
    option = profile.get("layers_option", "conv")
    kind = "convolutional layer" if option == "conv" else "layer"
    yield f"), in {_count(len(network.layer_names), kind)} with {filters} in all"
    yield "" if option == "conv" else f" (layers: {option})"
    yield ", with FilTag-KG"
    yield cite(FILTAG_KG)
    yield ", which implements FilTag"
    yield cite("nguyen2022filtag")
    yield ". "
    yield from _images(profile, len(grouped.loaded.concepts.class_ids))
    yield from _preparation(profile)
    yield (
        "The activation of a filter for an image is the mean over its feature map, after the batch normalisation and "
        "the activation function that follow the convolution directly, with all feature maps of the layer scaled "
        "together to [0, 1] for that image. For each class and filter, its mean and variance over the images of the "
        "class were computed."
    )
    if profile.get("reduced"):
        yield f" What was kept: {profile['reduced']}."


def _has_a_name(profile: Mapping[str, Any]) -> bool:
    """Return whether the network was loaded by a name, so that it is what the name says."""
    return "network_file" not in profile and not profile.get("in_memory")


def _images(profile: Mapping[str, Any], n_classes: int) -> Iterator[Part]:
    images = profile.get("images", {})
    if "read" not in images:
        return
    yield f"{_count(images['read'], 'image')} of {_count(n_classes, 'class', 'classes')} passed through it"
    if profile.get("outputs") and tuple(profile["outputs"]) == imagenet_class_ids():
        yield "; the network's outputs are the classes of the ImageNet challenge"
        yield cite("russakovsky2015imagenet")
    details = [
        *([f"source {images['source']}"] if images.get("source") else []),
        *([f"SHA-256 {_short(images['sha256'])}"] if images.get("sha256") else []),
        *([f"{_count(images['unreadable'], 'image')} could not be read"] if images.get("unreadable") else []),
    ]
    yield f" ({'; '.join(details)}). " if details else ". "
    if profile.get("split"):
        yield (
            f"These are a share of {profile['split']:g} of the images of each class, chosen at random "
            f"(seed {profile.get('seed', 0)}); the others were held out. "
        )


def _preparation(profile: Mapping[str, Any]) -> Iterator[Part]:
    size = profile.get("input_size")
    if size and profile.get("resizing"):
        yield f"Images were resized to {size[0]} × {size[1]} pixels ({profile['resizing']})"
    elif size:
        yield f"Images were resized to {size[0]} × {size[1]} pixels"
    else:
        return
    preparation = profile.get("preparation")
    if preparation:
        mean, std = (", ".join(f"{number:g}" for number in preparation[name]) for name in ("mean", "std"))
        order = "".join("RGB"[index] for index in preparation["order"] if 0 <= index < 3)
        yield f", the mean ({mean}) was subtracted and the result divided by ({std}), in the channel order {order}"
    elif profile.get("preprocess"):
        yield f", and scaled as for {profile['preprocess']}"
    yield ". "


def _imported(inputs: Mapping[str, Any], grouped: GroupedRun, size: str) -> Iterator[Part]:
    run = grouped.run
    yield f"The labels of filters were not computed but imported from {inputs.get('tags', 'a file')}"
    if inputs.get("tagsSha256"):
        yield f" (SHA-256 {_short(inputs['tagsSha256'])})"
    yield ", with FilTag-KG"
    yield cite(FILTAG_KG)
    yield ". "
    if run.method is not None:
        yield f"They were made by {run.method}"
        known = method_key(run.method)
        if known is not None:
            yield cite(known)
        yield ". "
    named = grouped.network.network != _UNNAMED
    yield f"They are about {f'the network {grouped.network.label}' if named else 'a network without a name'}: {size}."
    if run.score_meaning:
        yield f" Scores mean: {run.score_meaning}."


def _tags(runs: Sequence[GroupedRun], *, imported: bool) -> Iterator[Part]:
    own = [] if imported else [grouped.run for grouped in runs]
    counts = "; ".join(
        f"{grouped.run.rule}: {_count(int(grouped.table.column.size), 'tag')} on "
        f"{_count(sum(row.tagged for row in grouped.layers), 'filter')}"
        for grouped in runs
    )
    if own:
        yield "A filter is tagged with the classes that activate it most"
        yield cite("nguyen2022filtag")
        yield ". "
        for run in own:
            yield _rule(run.rule)
        if any(run.score == "contrast" for run in own):
            yield (
                "The contrast of a class is its mean activation less the mean over the classes, divided by the "
                "standard deviation over the classes; FilTag ranks by activation. "
            )
    yield f"Tags by rule: {counts}."


def _rule(name: str) -> str:
    try:
        rule = parse_rule(name)
    except FiltagError:
        return f"The labels called {name} are one rule. "
    by = "mean activation" if rule.score == "activation" else "contrast"
    if rule.kind == "q":
        filters = f"{100 * rule.amount:g} % of the filters"
    else:
        filters = "one filter" if rule.amount == 1 else f"{int(rule.amount):,} filters"
    return f"By the rule {name}, each class tags the {filters} of every layer with the highest {by}. "


def _concepts(manifest: Mapping[str, Any]) -> Iterator[Part]:
    parameters, counts = manifest["parameters"], manifest["counts"]
    sources = [source.partition(":")[0].strip() for source in str(parameters["concepts"]).split(",")]
    versions = dict(_version(line) for line in manifest["versions"]["software"])
    classes = _count(counts["classes"], "class", "classes")
    yield f"{counts['linked_classes']:,} of {classes} were linked to concepts of WordNet"
    yield f" {versions['wordnet']}" if versions.get("wordnet") else ""
    yield cite("miller1995wordnet")
    yield ", by the class's WordNet id, else by the sense of its name that fits the other classes best"
    if parameters.get("curated_links"):
        yield f"; {_count(parameters['curated_links'], 'link')} were given by hand"
    yield ". "
    others = [_SOURCES.get(source, source) for source in sources if source != "wordnet"]
    if others:
        version = next((versions[name] for name in versions if name.startswith("conceptnet")), "")
        yield f"Relations such as parts and uses are also from {_list(others)}"
        yield cite("speer2017conceptnet")
        yield f" (version {version})" if version else ""
        yield ". "
    doubtful = len(manifest.get("doubtful_links", ()))
    if doubtful:
        yield f"{_count(doubtful, 'link')} {'is' if doubtful == 1 else 'are'} recorded as doubtful. "


def _common(manifest: Mapping[str, Any], grouped_runs: Sequence[GroupedRun], q: float) -> Iterator[Part]:
    parameters = manifest["parameters"]
    tested = [grouped for grouped in grouped_runs if not grouped.run.too_few()]
    too_few = [grouped for grouped in grouped_runs if grouped.run.too_few()]
    for grouped in too_few:
        yield f"By {grouped.run.rule}, no filter could have a clear theme: {grouped.run.too_few()}. "
    if not tested:
        return
    hierarchies = dict.fromkeys(_SOURCES.get(grouped.run.kinds_of, grouped.run.kinds_of) for grouped in tested)
    yield "A concept is common to the tags of a filter if two or more of its classes are at or below it in the "
    yield f"hierarchy of {_list(hierarchies)}"
    yield ". Its p-value is hypergeometric, the chance of at least as many such classes among as many random ones"
    yield cite("rivals2007enrichment")
    if "min_ic" in parameters:
        share = exp(-parameters["min_ic"])
        yield (
            f"; tested were concepts with an information content of at least {parameters['min_ic']:.3g} nats "
            f"(at most {100 * share:.3g} % of the classes at or below them)"
        )
        yield cite("resnik1995using")
    yield ". Each filter with two or more tags was tested once, by its smallest p-value, against that of random classes"
    yield cite("westfall1993resampling", "phipson2010permutation")
    if "draws" in parameters:
        yield f" ({parameters['draws']:,} draws, seed {parameters['seed']})"
    yield ", and the tests of the filters of a rule were corrected for their number"
    yield cite("benjamini1995controlling")
    yield f". A filter with a q-value below {q:g} is said to have a clear theme. Intervals of shares are Wilson's, 95 %"
    yield cite("wilson1927probable")
    yield "."


def _separation() -> Iterator[Part]:
    yield (
        "How well a layer separates the classes of a concept from the others is the chance that a class of the concept "
        "correlates more, over the layer's filters, with another class of it than with one outside, an area under the "
        "ROC curve"
    )
    yield cite("hanley1982meaning")
    yield "; its interval is a percentile bootstrap over classes, of 95 %"
    yield cite("efron1993introduction")
    yield "."


def _ablation(ablation: Ablation) -> Iterator[Part]:
    replacement = "zero" if ablation.replacement == "zero" else "their mean"
    yield (
        f"To see what the filters for {ablation.label} cause, the feature maps of "
        f"{_count(len(ablation.filters), 'filter')} were set to {replacement} for "
        f"{_count(ablation.images['read'], 'image')}, and compared with "
        f"{_count(ablation.random_sets, 'random set')} of as many filters of the same layers (seed {ablation.seed}). "
        "Intervals of changes are from a bootstrap of 95 % over classes, then images"
    )
    yield cite("davison1997bootstrap")
    yield "."


def _hits(rows: Sequence[HitsRow], record: EvaluationRecord | None) -> Iterator[Part]:
    n_images = max(row.images for row in rows)
    yield "Hits@n is the share of test images whose class is among the n classes that tag most of the filters that the "
    yield "image activates"
    yield cite("nguyen2022filtag")
    yield ", tied classes in random order"
    yield cite("mcsherry2008computing")
    if record is None:
        yield f". It was computed on {_count(n_images, 'image')}."
    else:
        accuracy = "" if record.top1 is None else f"; the network's top-1 accuracy is {100 * record.top1:.1f} %"
        yield (
            f". It was computed on {_count(record.n_images, 'image')} of "
            f"{_count(record.n_classes, 'class', 'classes')} ({record.images}, SHA-256 {_short(record.images_sha256)}"
            f"{accuracy})."
        )
        for note in record.notes:
            yield f" Note: {note}."
    if any(row.hits_low is not None for row in rows):
        yield " Its intervals are percentile bootstrap intervals of 95 %"
        yield cite("efron1993introduction")
        yield " over images"
        if record is not None:
            yield f" ({_count(record.resamples, 'resample')}, seed {record.seed})"
        yield ", which were resampled within their classes, one fewer than the class has"
        yield cite("mccarthy1985bootstrap")
        yield "."
    if any(row.null is not None for row in rows):
        yield " The null is the mean over all permutations of the images' labels, which is exact"
        if record is not None and record.permutations > 1:
            yield f"; its spread is from {_count(record.permutations, 'random permutation')} (seed {record.seed})"
        yield "."
    if any(row.rho_low is not None for row in rows):
        yield " Spearman's correlation, over classes, of Hits@n with accuracy has Bonett and Wright's 95 % interval"
        yield cite("bonett2000sample")
        yield "."


def _software(manifest: Mapping[str, Any]) -> Iterator[Part]:
    yield f"Software: {'; '.join(manifest['versions']['software'])}. The KG has the id {manifest['id']}"
    yield f" and {_count(manifest['counts']['quads'], 'statement')}."


def _version(line: str) -> tuple[str, str]:
    name, _, version = line.partition(" ")
    return name, version


def software_version(manifest: Mapping[str, Any]) -> str:
    """Return the version of FilTag-KG that built a KG; empty if it is not recorded."""
    return dict(_version(line) for line in manifest["versions"]["software"]).get("filtag-kg", "")


def _short(digest: str) -> str:
    """Return the beginning of a digest, which the KG has in full."""
    return f"{digest[:12]}…"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _list(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
