"""Plan what a KG is going to say, before anything is written: links, hierarchy, common concepts and runs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from filtag_kg.concepts import (
    CONCEPTNET,
    DRAWS,
    MIN_IC,
    CommonConcept,
    ConceptInLayer,
    ConceptSource,
    CuratedLink,
    Hierarchy,
    Links,
    MixedFilters,
    build_hierarchy,
    common_concepts,
    concepts_in_layers,
    link_classes,
    mixed_filters,
    runs_of_few_classes,
)
from filtag_kg.graph import DEFAULT_BASE, Attribution, DataIris, RunDescription
from filtag_kg.kg.provenance import Provenance
from filtag_kg.profile import Profile
from filtag_kg.tags import TagTable, contrast_over_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuildParameters:
    """What a build can be told besides its inputs.

    Parameters
    ----------
    base : str
        What the IRIs of the KG's own things begin with.
    conceptnet : str
        What the IRIs of ConceptNet's terms begin with.
    min_ic : float, in nats
        Least information content of a concept that is tested.
    draws, seed : int
        Random sets of classes that the adjusted p-values compare with, and their seed.
    title : str, optional
        Of the KG as a dataset.
    creators : tuple of str
        Whose data it is: names, or IRIs such as ``https://orcid.org/0000-0002-1825-0097``.
    licence : str, optional
        Of the user's own data, the profile and the tags: an IRI, or an id of SPDX such as ``CC-BY-4.0``. Left out, no
        licence is claimed for them. What the concept sources say stays under theirs.

    Raises
    ------
    FiltagError
        If title, creator or licence is not one.
    """

    base: str = DEFAULT_BASE
    conceptnet: str = CONCEPTNET
    min_ic: float = MIN_IC
    draws: int = DRAWS
    seed: int = 0
    title: str | None = None
    creators: tuple[str, ...] = ()
    licence: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no title, creator or licence before anything takes long."""
        _ = self.attribution

    @property
    def attribution(self) -> Attribution:
        """What the user says of their own data."""
        return Attribution(self.title, self.creators, self.licence)

    def decisive(self) -> dict[str, Any]:
        """Return those that decide results; whose they are does not."""
        return {name: value for name, value in asdict(self).items() if name not in ("title", "creators", "licence")}


@dataclass(frozen=True, slots=True, eq=False)
class BuildPlan:
    """What a KG is going to say, before anything is written.

    `classes_needed` is by rule and relation, of the runs with too few classes for any filter to be coherent. `mixed` is
    None where there is no profile: labels of another method do not say which classes activate a filter clearly.
    """

    tags: TagTable
    source: ConceptSource
    provenance: Provenance
    parameters: BuildParameters
    recorded_parameters: Mapping[str, Any]
    software: tuple[str, ...]
    links: Links
    isa: Hierarchy
    common: Sequence[CommonConcept]
    in_layers: Sequence[ConceptInLayer]
    classes_needed: Mapping[str, Mapping[str, int]]
    linking_id: str
    runs: Sequence[RunDescription]
    mixed: MixedFilters | None = None

    @property
    def kg_id(self) -> str:
        """The KG's id."""
        return kg_id_of(run.run_id for run in self.runs)

    @property
    def iris(self) -> DataIris:
        """The IRIs of its own things."""
        return DataIris(self.parameters.base)


def kg_id_of(run_ids: Iterable[str]) -> str:
    """Return the id of a KG, which follows from its runs."""
    return hashlib.sha256(" ".join(run_ids).encode()).hexdigest()[:16]


def plan_build(
    tags: TagTable,
    source: ConceptSource,
    provenance: Provenance,
    profile: Profile | None,
    parameters: BuildParameters,
    curated: Mapping[str, Sequence[CuratedLink]],
    first_rule: int,
) -> BuildPlan:
    """Link the classes, find what tags have in common, and name the runs; parameters as `build_kg` takes them.

    Raises
    ------
    FiltagError
        If the base is none.
    """
    DataIris(parameters.base)  # Before anything takes long: it refuses what is not a base.
    min_ic, draws, seed = parameters.min_ic, parameters.draws, parameters.seed
    links = link_classes(tags.class_ids, tags.class_labels, source, curated=curated)
    for label, class_ids in links.same_label.items():
        _log.warning(
            "%d classes are called %r, and only their label links them: %s", len(class_ids), label, ", ".join(class_ids)
        )
    isa = build_hierarchy(links, source)
    _log_left_out(isa)
    common = common_concepts(tags, links, isa, min_ic=min_ic, draws=draws, seed=seed)
    classes_needed = runs_of_few_classes(tags, isa, min_ic=min_ic, draws=draws, seed=seed)
    contrast = None if profile is None else contrast_over_classes(profile.mean)
    recorded = {**parameters.decisive(), "concepts": source.name, "curated_links": len(curated)}
    members = (f"{member.name} {member.version}" for member in source.members)
    software = tuple(sorted({tool_name(), *members, *provenance.software}))
    runs = [
        RunDescription(
            run_id=_run_id(tags, rule, source, provenance, curated, recorded),
            rule=rule,
            rule_index=index,
            score=provenance.score_of(rule),
            min_ic=min_ic,
            draws=draws,
            seed=seed,
            software=software,
            hashes=provenance.hashes,
            started=provenance.started,
            ended=provenance.ended,
            classes_needed=classes_needed[rule].get("IsA"),
            kinds_of=isa.source,
            method=provenance.method,
            score_meaning=provenance.score_meaning,
        )
        for index, rule in enumerate(tags.rules, start=first_rule)
    ]
    return BuildPlan(
        tags=tags,
        source=source,
        provenance=provenance,
        parameters=parameters,
        recorded_parameters=recorded,
        software=software,
        links=links,
        isa=isa,
        common=common,
        in_layers=concepts_in_layers(tags, isa, common, contrast=contrast, seed=seed),
        classes_needed=classes_needed,
        linking_id=_linking_id(tags, source, curated, recorded),
        runs=runs,
        mixed=None if profile is None or contrast is None else _mixed(profile, contrast, isa, parameters),
    )


def _mixed(
    profile: Profile, contrast: NDArray[np.float64], isa: Hierarchy, parameters: BuildParameters
) -> MixedFilters:
    return mixed_filters(
        contrast,
        profile.layer_names,
        profile.layer_offsets,
        profile.class_ids,
        isa,
        min_ic=parameters.min_ic,
        draws=parameters.draws,
        seed=parameters.seed,
    )


def _run_id(
    tags: TagTable,
    rule: str,
    source: ConceptSource,
    provenance: Provenance,
    curated: Mapping[str, Sequence[CuratedLink]],
    parameters: Mapping[str, Any],
) -> str:
    """Return an id that follows from what decides the run's results, and from nothing else."""
    decisive: Sequence[Any] = (
        tags.network,
        rule,
        sorted(provenance.hashes.items()),
        tags.class_ids,
        tags.class_labels,
        tags.layer_names,
        source.name,
        source.version,
        version("filtag-kg"),
        sorted(parameters.items()),
        _in_order(curated),
    )
    return _id_of(decisive)


def _linking_id(
    tags: TagTable,
    source: ConceptSource,
    curated: Mapping[str, Sequence[CuratedLink]],
    parameters: Mapping[str, Any],
) -> str:
    """Return an id that follows from what decides the links and the hierarchy above them, and from nothing else."""
    return _id_of(
        (
            tags.class_ids,
            tags.class_labels,
            source.name,
            source.version,
            version("filtag-kg"),
            parameters["conceptnet"],
            _in_order(curated),
        )
    )


def joined_linking(linking_id: str, added: str) -> str:
    """Return the id of the linking that a KG has with more classes: it says more, which other KGs must not get."""
    return linking_id if added == linking_id else _id_of((linking_id, added))


def _in_order(curated: Mapping[str, Sequence[CuratedLink]]) -> list[tuple[Any, ...]]:
    return sorted((class_id, *astuple(link)) for class_id, links in curated.items() for link in links)


def _id_of(decisive: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def tool_name() -> str:
    """Return the name and version of this program, as the maker of links."""
    return f"filtag-kg {version('filtag-kg')}"


def _log_left_out(isa: Hierarchy) -> None:
    """Log how many IsA edges are not part of the hierarchy, and which would have closed cycles."""
    out = isa.left_out
    if out.weak or out.phrases or out.cycles:
        _log.info(
            "IsA edges left out: %d of little weight, %d to phrases that are no concepts, %d that would close a cycle",
            *map(len, (out.weak, out.phrases, out.cycles)),
        )
