"""Build a KG from tags: plan what it says, write graph and tables, then the manifest."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pyoxigraph as ox

from filtag_kg.concepts import (
    ConceptSource,
    CuratedLink,
    Links,
    MixedFilters,
    doubtful_links,
    sssom_text,
)
from filtag_kg.files import replacing_directory, sha256_of
from filtag_kg.graph import (
    DEFAULT_GRAPH,
    ONTOLOGY,
    QUERIES,
    DatasetDescription,
    Depiction,
    GraphCounts,
    Picture,
    Statement,
    Triple,
    assignment_section,
    depiction_statements,
    emit_closure,
    emit_common,
    emit_concepts,
    emit_concepts_in_layers,
    emit_dataset,
    emit_filter_parts,
    emit_filters_in_run,
    emit_links,
    emit_network,
    emit_pictures,
    emit_run,
    emit_strongest,
    emit_tag_counts,
    filter_sections,
    in_order,
    kg_files,
    licence_iri,
    part_statements,
    quads,
    resource_folder,
    state_statements,
)
from filtag_kg.images import ImageSet
from filtag_kg.kg.build_plan import BuildParameters, BuildPlan, plan_build, tool_name
from filtag_kg.kg.exemplar_pass import write_exemplars
from filtag_kg.kg.exemplars import ExemplarRow
from filtag_kg.kg.kg import FORMAT_VERSION, KG, check_output, open_kg
from filtag_kg.kg.manifest import write_manifest
from filtag_kg.kg.mixed import MIXED
from filtag_kg.kg.own_data import own_licences
from filtag_kg.kg.provenance import Provenance
from filtag_kg.kg.store import write_graph
from filtag_kg.kg.tables import COMMON, CONCEPTS, SCORES, TAGS, Table
from filtag_kg.kg.where import WhereRow
from filtag_kg.network import Network
from filtag_kg.profile import Profile, filter_states, save_profile
from filtag_kg.tags import TagTable, tag_assignment_values, tag_scores

LINKS = "links.sssom.tsv"
Exemplars: TypeAlias = Sequence[tuple[ExemplarRow, WhereRow | None]]
"""The rows of ``exemplars.csv``, and those of ``where.csv`` if there is one."""


def build_kg(
    output: Path,
    tags: TagTable,
    source: ConceptSource,
    provenance: Provenance,
    *,
    profile: Profile | None = None,
    images: ImageSet | None = None,
    network: Network | None = None,
    parameters: BuildParameters = BuildParameters(),  # noqa: B008 - it is frozen
    curated: Mapping[str, Sequence[CuratedLink]] = MappingProxyType({}),
    first_rule: int = 0,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
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
    network : Network, optional
        The one that the profile was made with: where in its exemplars each filter responds is kept in the KG.
    curated : mapping of class id to sequence of CuratedLink
        Links that a person has decided on.
    first_rule : int
        The number of the first rule, if the runs are to be added to those of another KG.
    force : bool
        Replace a KG that is there.
    progress : callable, optional
        Called with the number of exemplars that were looked at, and of all.

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
    plan = plan_build(tags, source, provenance, profile, parameters, curated, first_rule)
    exemplars: Exemplars = []
    with replacing_directory(output, partial(check_output, force=force)) as folder:
        if profile is not None:
            save_profile(profile, folder / "profile.npz")
            if images is not None and profile.exemplars is not None:
                (folder / "exemplars").mkdir()
                exemplars = write_exemplars(profile, images, folder / "exemplars", network, progress=progress)
        digests = _write_tables(plan, folder)
        counts = _write_graph(plan, folder, digests, profile, exemplars)
        write_manifest(folder, _manifest(plan, counts), known={})
    return open_kg(output)


def _write_tables(plan: BuildPlan, folder: Path) -> dict[str, str]:
    """Write the tables; return their SHA-256 by name."""
    iris = plan.iris
    tables: list[tuple[Table[Any], Iterable[Any]]] = [(COMMON, plan.common), (CONCEPTS, plan.in_layers)]
    if not np.isnan(plan.tags.score).all():
        tables.append((SCORES, tag_scores(plan.tags)))
    if plan.mixed is not None:
        tables.append((MIXED, plan.mixed.parts))
    for table, rows in tables:
        with _open_text(folder / table.file_name) as file:
            table.write(rows, file)
    with _open_text(folder / TAGS.file_name) as file:
        TAGS.write_values(tag_assignment_values(plan.tags), file)
    with _open_text(folder / LINKS) as file:
        file.write(
            sssom_text(plan.links, plan.source, class_iri=iris.class_, mapping_set_id=iris.linking(plan.linking_id))
        )
    names = [TAGS.file_name, LINKS, *(table.file_name for table, _ in tables)]
    return {name: sha256_of(folder / name) for name in names}


def _open_text(path: Path) -> TextIOWrapper:
    return path.open("w", encoding="utf-8", newline="")


def _write_graph(
    plan: BuildPlan, folder: Path, digests: Mapping[str, str], profile: Profile | None, exemplars: Exemplars
) -> GraphCounts:
    """Write the graph, its description of itself included, as a file and as a store; return how much it holds."""
    graphs: dict[str, set[str]] = {}
    for graph, triples in _small_graphs(plan):
        graphs.setdefault(graph, set()).update(quads(triples, graph))
    for graph, triples in _pictures(plan, exemplars):
        graphs.setdefault(graph, set()).update(quads(triples, graph))
    run_ids = {run.rule: run.run_id for run in plan.runs}
    assignments = [assignment_section(plan.tags.of_rule(rule), run_id, plan.iris) for rule, run_id in run_ids.items()]
    filters = filter_sections(
        plan.tags, run_ids, plan.common, plan.iris, kinds_of=plan.isa.source, states=_states(plan, profile, exemplars)
    )
    sections = [*assignments, *filters]
    statements = Counter({graph: len(lines) for graph, lines in graphs.items()})
    for section in sections:
        statements.update(section.counts)
    counts = _counts(plan, statements, n_assignments=sum(section.n_things for section in assignments))
    description_graph = plan.iris.dataset(plan.kg_id)
    about = _description(plan, counts, digests, with_profile=profile is not None)
    graphs[description_graph] = description = quads(emit_dataset(about, plan.iris), description_graph)
    # No line stands in two graphs.
    lines = sorted(chain.from_iterable(graphs.values()))
    graphs.clear()
    write_graph(in_order(lines, sections), folder / "graph.nq.gz", folder / "store")
    return replace(counts, statements={**statements, description_graph: len(description)})


def _states(
    plan: BuildPlan, profile: Profile | None, exemplars: Exemplars
) -> Mapping[tuple[str, int], Sequence[Statement]]:
    """Return what the profile says of the filters, in a graph of the network's and the profile's own.

    Which parts they have depends on the concepts, too, so that stands in the graphs of the runs.
    """
    statements: dict[tuple[str, int], list[Statement]] = {}
    digest = plan.provenance.hashes.get("flt:profileSha256")
    if profile is not None and digest is not None:
        graph = plan.iris.profile_graph(plan.tags.network, digest)
        statements = state_statements(plan.tags.network, profile, filter_states(profile), plan.iris, graph=graph)
        depictions = (
            Depiction(row.layer, row.filter, row.thumbnail, None if where is None else where.crop)
            for row, where in exemplars
        )
        shown = depiction_statements(plan.tags.network, depictions, plan.iris, profile_sha256=digest)
        for filter_, said in shown.items():
            statements[filter_] += said
    if plan.mixed is not None:
        parts = part_statements(plan.mixed.parts, [run.run_id for run in plan.runs], plan.iris)
        for filter_, said in parts.items():
            statements[filter_] = [*statements.get(filter_, ()), *said]
    return statements


def _pictures(plan: BuildPlan, exemplars: Exemplars) -> Iterator[tuple[str, Iterable[Triple]]]:
    """Yield the graph of the profile, and what it says of the exemplars' thumbnails."""
    digest = plan.provenance.hashes.get("flt:profileSha256")
    if digest is None or not exemplars:
        return
    network, known = plan.tags.network, set(plan.tags.class_ids)
    classes: dict[tuple[str, str], set[str]] = {}
    for row, _ in exemplars:
        classes.setdefault((row.thumbnail, row.image), set()).update({row.class_id} & known)
    pictures = (
        # A name that is not UTF-8 cannot stand in a graph as it is.
        Picture(file, image.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), tuple(sorted(class_ids)))
        for (file, image), class_ids in classes.items()
    )
    yield plan.iris.profile_graph(network, digest), emit_pictures(network, pictures, plan.iris, profile_sha256=digest)


def _small_graphs(plan: BuildPlan) -> Iterator[tuple[str, Iterable[Triple]]]:
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
    linking = iris.linking(plan.linking_id)
    parts = () if plan.mixed is None else plan.mixed.parts
    for run in plan.runs:
        common = [row for row in plan.common if row.rule == run.rule]
        in_layers = [row for row in plan.in_layers if row.rule == run.rule]
        graph = iris.run(run.run_id)
        yield (
            graph,
            emit_run(tags.network, run, iris, linking_id=plan.linking_id, network_label=plan.provenance.network_label),
        )
        yield graph, emit_tag_counts(tags.of_rule(run.rule), run.run_id, iris)
        yield graph, emit_strongest(tags.of_rule(run.rule), run.run_id, iris)
        yield DEFAULT_GRAPH, emit_filters_in_run(tags, common, parts, run, iris)
        yield DEFAULT_GRAPH, emit_common(tags.network, common, run, iris)
        yield DEFAULT_GRAPH, emit_concepts_in_layers(tags.network, in_layers, run.run_id, iris)
        yield DEFAULT_GRAPH, emit_filter_parts(tags.network, parts, run.run_id, iris)
    yield (
        linking,
        emit_links(tags.class_ids, tags.class_labels, plan.links, iris, linking_id=plan.linking_id, tool=tool_name()),
    )
    yield linking, emit_closure(plan.isa, iris)
    for member in plan.source.members:
        graph = iris.concepts_graph(member.name)
        yield graph, emit_concepts(plan.isa, member, graph=graph, conceptnet=plan.parameters.conceptnet)
    yield ONTOLOGY, _turtle("ontology", "filtag.ttl")
    yield QUERIES, _turtle("queries", "queries.ttl")


def _counts(plan: BuildPlan, statements: Mapping[str, int], *, n_assignments: int) -> GraphCounts:
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
            "flt:FilterInRun": sum(plan.tags.n_filters) * len(plan.runs),
            "flt:FilterPart": 0 if plan.mixed is None else len(plan.mixed.parts) * len(plan.runs),
            "flt:TagAssignment": n_assignments,
        },
        linked_classes=len(plan.links),
        # A class may be linked to one concept by several of its words.
        links=Counter(predicate for *_, predicate in _statements_of_links(plan.links)),
        statements=statements,
    )


def _description(
    plan: BuildPlan, counts: GraphCounts, digests: Mapping[str, str], *, with_profile: bool
) -> DatasetDescription:
    attribution, licences = plan.parameters.attribution, _licences(plan, counts)
    own = [] if attribution.licence is None else [licence_iri(attribution.licence)]
    return DatasetDescription(
        kg_id=plan.kg_id,
        title=f"Filters of {plan.provenance.network_label}, their tags and concepts",
        runs=[run.run_id for run in plan.runs],
        linking=plan.linking_id,
        licences=licences,
        counts=counts,
        conceptnet=plan.parameters.conceptnet,
        example=plan.iris.filter(plan.tags.network, plan.tags.layer_names[-1], 0),
        hashes=plan.provenance.hashes,
        files=list(kg_files(digests, with_profile=with_profile, source_licences=licences.values(), own=own)),
        own_licences=own_licences(_first_build(plan), [{"id": run.run_id} for run in plan.runs], (), (), plan.iris),
        creators=attribution.creators,
        given_title=attribution.title,
    )


def _licences(plan: BuildPlan, counts: GraphCounts) -> dict[str, str]:
    """Return the licence of each concept source's graph; where nothing is linked, of all sources searched."""
    licences = {plan.iris.concepts_graph(member.name): member.licence for member in plan.source.members}
    return {graph: licence for graph, licence in licences.items() if counts.statements.get(graph)} or licences


def _first_build(plan: BuildPlan) -> dict[str, Any]:
    """Return what the manifest says of what went in, and of whose it is."""
    hashes = {name.partition(":")[2]: digest for name, digest in plan.provenance.hashes.items()}
    record = plan.parameters.attribution.record()
    return {
        "network": plan.tags.network,
        "inputs": {**plan.provenance.inputs, **hashes},
        **({"attribution": record} if record else {}),
    }


def _manifest(plan: BuildPlan, counts: GraphCounts) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "id": plan.kg_id,
        **_first_build(plan),
        "linking": plan.linking_id,
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
        "parameters": plan.recorded_parameters,
        "licences": _licences(plan, counts),
        "doubtful_links": [asdict(link) for link in doubtful_links(plan.links, plan.source)],
        "unlinked_classes": list(plan.links.unlinked),
        **({} if plan.mixed is None else {"mixed": _mixed_record(plan.mixed)}),
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


def _mixed_record(mixed: MixedFilters) -> dict[str, int]:
    needed = {} if mixed.classes_needed is None else {"classes_needed": mixed.classes_needed}
    return {"tested": len(mixed.columns), **needed}


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _statements_of_links(links: Links) -> set[tuple[str, str, str]]:
    return {(link.class_id, link.concept, link.predicate) for link in links.links if not link.negated}


def _turtle(folder: str, name: str) -> list[Triple]:
    path = resource_folder(folder) / name
    triples = (quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    return [(str(x.subject), str(x.predicate), str(x.object)) for x in triples]
