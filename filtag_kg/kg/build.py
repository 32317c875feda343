"""Build a KG from tags: plan what it says (links, common concepts, runs), write graph and tables, then the manifest."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyoxigraph as ox

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
    build_hierarchy,
    common_concepts,
    concepts_in_layers,
    doubtful_links,
    link_classes,
    runs_of_few_classes,
    sssom_text,
)
from filtag_kg.files import replacing_directory
from filtag_kg.graph import (
    DEFAULT_BASE,
    ONTOLOGY,
    QUERIES,
    DataIris,
    DatasetDescription,
    GraphCounts,
    KgFile,
    RunDescription,
    Statement,
    Triple,
    assignment_section,
    emit_closure,
    emit_concepts,
    emit_concepts_in_layers,
    emit_dataset,
    emit_links,
    emit_network,
    emit_run,
    filter_sections,
    in_order,
    kg_files,
    quads,
    resource_folder,
    state_statements,
)
from filtag_kg.images import ImageSet
from filtag_kg.kg.exemplars import write_exemplars
from filtag_kg.kg.kg import FORMAT_VERSION, KG, check_output, open_kg
from filtag_kg.kg.manifest import write_manifest
from filtag_kg.kg.provenance import Provenance
from filtag_kg.kg.store import write_graph
from filtag_kg.kg.tables import COMMON, CONCEPTS, SCORES, TAGS
from filtag_kg.profile import Profile, filter_states, save_profile
from filtag_kg.tags import TagTable, contrast_over_classes, tag_assignments, tag_scores

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
    """

    base: str = DEFAULT_BASE
    conceptnet: str = CONCEPTNET
    min_ic: float = MIN_IC
    draws: int = DRAWS
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a KG is going to say, before anything is written.

    `classes_needed` is by rule and relation, of the runs with too few classes for any filter to be coherent.
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
    runs: Sequence[RunDescription]

    @property
    def kg_id(self) -> str:
        return kg_id_of(run.run_id for run in self.runs)

    @property
    def iris(self) -> DataIris:
        return DataIris(self.parameters.base)


def build_kg(
    output: Path,
    tags: TagTable,
    source: ConceptSource,
    provenance: Provenance,
    *,
    profile: Profile | None = None,
    images: ImageSet | None = None,
    parameters: BuildParameters = BuildParameters(),
    curated: Mapping[str, Sequence[CuratedLink]] = MappingProxyType({}),
    first_rule: int = 0,
    force: bool = False,
) -> KG:
    """Link the classes of a tag table, find what the tags of each filter have in common, and write the KG.

    Parameters
    ----------
    output : Path
        The KG's directory; it appears when it is whole.
    profile : Profile, optional
        Kept in the KG, where the tags come from one.
    images : ImageSet, optional
        Those of the profile, open: thumbnails of its exemplars are kept in the KG.
    curated : mapping of class id to sequence of CuratedLink
        Links that a person has decided on.
    first_rule : int
        The number of the first rule, if the runs are to be added to those of another KG.
    force : bool
        Replace a KG that is there.

    Returns
    -------
    KG
        The same inputs give the same ``graph.nq.gz``, byte for byte.

    Raises
    ------
    FiltagError
        If the output exists, cannot be written, or `base` is no base.
    """
    check_output(output, force=force)
    plan = _plan(tags, source, provenance, profile, parameters, curated, first_rule)
    with replacing_directory(output, partial(check_output, force=force)) as folder:
        if profile is not None:
            save_profile(profile, folder / "profile.npz")
            if images is not None and profile.exemplars is not None:
                (folder / "exemplars").mkdir()
                write_exemplars(profile, images, folder / "exemplars")
        digests = _write_tables(plan, folder)
        counts = _write_graph(plan, folder, digests, profile)
        write_manifest(folder, _manifest(plan, counts), known={})
    return open_kg(output)


def kg_id_of(run_ids: Iterable[str]) -> str:
    """Return the id of a KG, which follows from its runs."""
    return hashlib.sha256(" ".join(run_ids).encode()).hexdigest()[:16]


def _plan(
    tags: TagTable,
    source: ConceptSource,
    provenance: Provenance,
    profile: Profile | None,
    parameters: BuildParameters,
    curated: Mapping[str, Sequence[CuratedLink]],
    first_rule: int,
) -> _Plan:
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
    recorded = {**asdict(parameters), "concepts": source.name, "curated_links": len(curated)}
    members = (f"{member.name} {member.version}" for member in source.members)
    software = tuple(sorted({_tool(), *members, *provenance.software}))
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
    return _Plan(
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
        runs=runs,
    )


def _write_tables(plan: _Plan, folder: Path) -> dict[str, str]:
    """Write the tables; return their SHA-256 by name."""
    iris = plan.iris
    tables = {
        TAGS.file_name: TAGS.text(tag_assignments(plan.tags)),
        "links.sssom.tsv": sssom_text(
            plan.links, plan.source, class_iri=iris.class_, mapping_set_id=iris.links_graph()
        ),
        COMMON.file_name: COMMON.text(plan.common),
        CONCEPTS.file_name: CONCEPTS.text(plan.in_layers),
    }
    if not np.isnan(plan.tags.score).all():
        tables[SCORES.file_name] = SCORES.text(tag_scores(plan.tags))
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in tables.items()}


def _write_graph(plan: _Plan, folder: Path, digests: Mapping[str, str], profile: Profile | None) -> GraphCounts:
    """Write the graph, its description of itself included, as a file and as a store; return how much it holds."""
    graphs: dict[str, set[str]] = {}
    for graph, triples in _small_graphs(plan):
        graphs.setdefault(graph, set()).update(quads(triples, graph))
    run_ids = {run.rule: run.run_id for run in plan.runs}
    assignments = [assignment_section(plan.tags.of_rule(rule), run_id, plan.iris) for rule, run_id in run_ids.items()]
    filters = filter_sections(
        plan.tags, run_ids, plan.common, plan.iris, kinds_of=plan.isa.source, states=_states(plan, profile)
    )
    sections = [*assignments, *filters]
    statements = Counter({graph: len(lines) for graph, lines in graphs.items()})
    for section in sections:
        statements.update(section.counts)
    counts = _counts(plan, statements, n_assignments=sum(section.n_things for section in assignments))
    description_graph = plan.iris.dataset(plan.kg_id)
    files = kg_files(digests, with_profile=profile is not None)
    graphs[description_graph] = quads(emit_dataset(_description(plan, counts, files), plan.iris), description_graph)
    lines = sorted(set().union(*graphs.values()))
    write_graph(in_order(lines, sections), folder / "graph.nq.gz", folder / "store")
    return replace(counts, statements={**statements, description_graph: len(graphs[description_graph])})


def _states(plan: _Plan, profile: Profile | None) -> Mapping[tuple[str, int], Sequence[Statement]]:
    """Return what the profile says of the filters, in a graph of the network's and the profile's own."""
    digest = plan.provenance.hashes.get("flt:profileSha256")
    if profile is None or digest is None:
        return {}
    graph = plan.iris.profile_graph(plan.tags.network, digest)
    return state_statements(plan.tags.network, profile, filter_states(profile), plan.iris, graph=graph)


def _small_graphs(plan: _Plan) -> Iterator[tuple[str, Iterable[Triple]]]:
    """Yield graphs and what they say, but for filters and tag assignments; a graph may come in several parts."""
    tags, iris, hashes = plan.tags, plan.iris, plan.provenance.hashes
    yield (
        iris.network(tags.network),
        emit_network(
            tags,
            iris,
            label=plan.provenance.network_label,
            kinds=plan.provenance.layer_kinds,
            weights_sha256=hashes.get("flt:weightsSha256"),
        ),
    )
    for run in plan.runs:
        common = [row for row in plan.common if row.rule == run.rule]
        yield iris.run(run.run_id), emit_run(tags.network, common, run, iris)
        in_layers = [row for row in plan.in_layers if row.rule == run.rule]
        yield iris.run(run.run_id), emit_concepts_in_layers(tags.network, in_layers, run.run_id, iris)
    yield iris.links_graph(), emit_links(tags.class_ids, tags.class_labels, plan.links, iris, tool=_tool())
    yield iris.links_graph(), emit_closure(plan.isa, iris)
    for member in plan.source.members:
        graph = iris.concepts_graph(member.name)
        yield graph, emit_concepts(plan.isa, member, graph=graph, conceptnet=plan.parameters.conceptnet)
    yield ONTOLOGY, _turtle("ontology", "filtag.ttl")
    yield QUERIES, _turtle("queries", "queries.ttl")


def _counts(plan: _Plan, statements: Mapping[str, int], *, n_assignments: int) -> GraphCounts:
    return GraphCounts(
        layers=len(plan.tags.layer_names),
        conceptnet_terms=sum(len(concept.terms) for concept in plan.isa.described()),
        things={
            "flt:ClassLabel": len(plan.tags.class_ids),
            "flt:CommonConcept": sum(row.is_kind(plan.isa.source) for row in plan.common),
            "flt:CommonFeature": sum(not row.is_kind(plan.isa.source) for row in plan.common),
            "flt:ConceptInLayer": len(plan.in_layers),
            "flt:ConceptLink": len(plan.links.links),
            "flt:Filter": sum(plan.tags.n_filters),
            "flt:TagAssignment": n_assignments,
        },
        linked_classes=len(plan.links),
        # A class may be linked to one concept by several of its words.
        links=Counter(predicate for *_, predicate in _statements_of_links(plan.links)),
        statements=statements,
    )


def _description(plan: _Plan, counts: GraphCounts, files: Iterable[KgFile]) -> DatasetDescription:
    return DatasetDescription(
        kg_id=plan.kg_id,
        title=f"Filters of {plan.provenance.network_label}, their tags and concepts",
        runs=[run.run_id for run in plan.runs],
        licences=_licences(plan, counts),
        counts=counts,
        conceptnet=plan.parameters.conceptnet,
        example=plan.iris.filter(plan.tags.network, plan.tags.layer_names[-1], 0),
        hashes=plan.provenance.hashes,
        files=list(files),
    )


def _licences(plan: _Plan, counts: GraphCounts) -> dict[str, str]:
    """Return the licence of each concept source's graph; where nothing is linked, of all sources searched."""
    licences = {plan.iris.concepts_graph(member.name): member.licence for member in plan.source.members}
    return {graph: licence for graph, licence in licences.items() if counts.statements.get(graph)} or licences


def _manifest(plan: _Plan, counts: GraphCounts) -> dict[str, Any]:
    hashes = {name.partition(":")[2]: digest for name, digest in plan.provenance.hashes.items()}
    return {
        "format_version": FORMAT_VERSION,
        "id": plan.kg_id,
        "network": plan.tags.network,
        "runs": [
            {
                "id": run.run_id,
                "rule": run.rule,
                "score": run.score,
                **_given({"method": run.method, "score_meaning": run.score_meaning}),
                "kinds_of": plan.isa.source,
                "classes_needed": plan.classes_needed[run.rule],
            }
            for run in plan.runs
        ],
        "inputs": {**plan.provenance.inputs, **hashes},
        "parameters": plan.recorded_parameters,
        "licences": _licences(plan, counts),
        "doubtful_links": [asdict(link) for link in doubtful_links(plan.links, plan.source)],
        "unlinked_classes": list(plan.links.unlinked),
        # Left out so that nothing lies above itself: start, end and source of each edge.
        "cycles": [[edge.start, edge.end, edge.source] for edge in plan.isa.left_out.cycles],
        "versions": {"python": platform.python_version(), "software": list(plan.software)},
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": {
            **counts.in_manifest(),
            "concepts": len(plan.isa.concepts),
            "quads": sum(counts.statements.values()),
        },
    }


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _statements_of_links(links: Links) -> set[tuple[str, str, str]]:
    return {(link.class_id, link.concept, link.predicate) for link in links.links if not link.negated}


def _tool() -> str:
    return f"filtag-kg {version('filtag-kg')}"


def _log_left_out(isa: Hierarchy) -> None:
    """Log how many IsA edges are not part of the hierarchy, and which would have closed cycles."""
    out = isa.left_out
    if out.weak or out.phrases or out.cycles:
        _log.info(
            "IsA edges left out: %d of little weight, %d to phrases that are no concepts, %d that would close a cycle",
            *map(len, (out.weak, out.phrases, out.cycles)),
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
        sorted((class_id, *astuple(link)) for class_id, links in curated.items() for link in links),
    )
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def _turtle(folder: str, name: str) -> list[Triple]:
    path = resource_folder(folder) / name
    triples = (quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    return [(str(x.subject), str(x.predicate), str(x.object)) for x in triples]
