"""Build a KG from tags: link, coarsen, emit, store."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
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
    ConceptSource,
    CuratedLink,
    Hierarchy,
    build_hierarchy,
    common_concepts,
    concepts_in_layers,
    doubtful_links,
    link_classes,
    runs_of_few_classes,
    sssom_text,
)
from filtag_kg.errors import FiltagError
from filtag_kg.files import replacing_directory
from filtag_kg.graph import (
    DEFAULT_BASE,
    ONTOLOGY,
    QUERIES,
    DataIris,
    DatasetDescription,
    RunDescription,
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
    t,
)
from filtag_kg.images import ImageSet
from filtag_kg.kg.exemplars import write_exemplars
from filtag_kg.kg.kg import FORMAT_VERSION, KG, check_output, open_kg
from filtag_kg.kg.manifest import write_manifest
from filtag_kg.kg.store import write_graph
from filtag_kg.kg.tables import COMMON, CONCEPTS, TAGS
from filtag_kg.profile import Profile, save_profile
from filtag_kg.tags import TagTable, contrast_over_classes, parse_rule, tag_assignments

__all__ = ["Provenance", "build_kg"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where tags come from.

    Parameters
    ----------
    network_label : str
        The network's name as people say it.
    hashes : mapping of str
        Terms such as ``flt:weightsSha256`` to hexadecimal digests of what the tags were made from.
    layer_kinds : mapping of layer name to Keras layer type
    software : tuple of str
        Name and version of what took part in the pass, besides what takes part in every build.
    started, ended : str, optional
        Of the pass over the images, in ISO 8601.
    inputs : mapping of str to JSON values
        What the manifest says of the inputs.
    """

    network_label: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    layer_kinds: Mapping[str, str] = field(default_factory=dict)
    software: tuple[str, ...] = ()
    started: str | None = None
    ended: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def imported(self) -> bool:
        """Whether another method made the tags, which does not say what its rule ranked filters by."""
        return "flt:tagsSha256" in self.hashes

    @classmethod
    def of_profile(cls, profile: Profile) -> Provenance:
        """Return what a profile says of its own making."""
        metadata = profile.metadata
        digest = hashlib.sha256()
        for array in (
            profile.mean,
            profile.count,
            np.array(profile.class_ids),
            np.array(profile.layer_names),
        ):
            digest.update(np.ascontiguousarray(array).tobytes())
        hashes = {
            "flt:profileSha256": digest.hexdigest(),
            "flt:weightsSha256": metadata.get("weights_sha256"),
            "flt:imagesSha256": metadata.get("images", {}).get("sha256"),
        }
        return cls(
            network_label=metadata.get("network", "network"),
            hashes={name: value for name, value in hashes.items() if value},
            layer_kinds=dict(zip(profile.layer_names, metadata.get("layer_kinds", ()), strict=False)),
            software=tuple(f"{name} {number}" for name, number in sorted(metadata.get("versions", {}).items())),
            started=metadata.get("started") or None,
            ended=metadata.get("ended") or None,
            inputs={"profile": dict(metadata)},
        )


def build_kg(
    output: Path,
    tags: TagTable,
    source: ConceptSource,
    provenance: Provenance,
    *,
    profile: Profile | None = None,
    images: ImageSet | None = None,
    base: str = DEFAULT_BASE,
    conceptnet: str = CONCEPTNET,
    curated: Mapping[str, CuratedLink] = MappingProxyType({}),
    min_ic: float = MIN_IC,
    draws: int = DRAWS,
    seed: int = 0,
    first_rule: int = 0,
    force: bool = False,
) -> KG:
    """Link the classes of a tag table, find what the tags of each filter have in common, and write the KG.

    Parameters
    ----------
    output : Path
        The KG's directory; it appears when it is whole.
    tags : TagTable
    source : ConceptSource
    provenance : Provenance
    profile : Profile, optional
        Kept in the KG, where the tags come from one.
    images : ImageSet, optional
        Those of the profile, open: thumbnails of its exemplars are kept in the KG.
    base : str
        What the IRIs of the KG's own things begin with.
    conceptnet : str
        What the IRIs of ConceptNet's terms begin with.
    curated : mapping of class id to CuratedLink
        Links that a person has decided on.
    min_ic : float, in nats
        Least information content of a concept that is tested.
    draws, seed : int
        Random sets of classes that the adjusted p-values compare with, and their seed.
    first_rule : int
        From where to count the rules, if the runs are to be added to those of another KG.
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
    iris = DataIris(base)
    tool = f"filtag-kg {version('filtag-kg')}"
    versions = (f"{member.name} {member.version}" for member in source.members)
    software = tuple(sorted({tool, *versions, *provenance.software}))
    parameters: dict[str, Any] = {
        "base": base,
        "conceptnet": conceptnet,
        "min_ic": min_ic,
        "draws": draws,
        "seed": seed,
        "concepts": source.name,
        "curated_links": len(curated),
    }
    links = link_classes(tags.class_ids, tags.class_labels, source, curated=curated)
    for label, same in links.same_label.items():
        _log.warning("%d classes are called %r, and only their label links them: %s", len(same), label, ", ".join(same))
    isa = build_hierarchy(links, source)
    _tell_left_out(isa)
    common = common_concepts(tags, links, isa, min_ic=min_ic, draws=draws, seed=seed)
    few = runs_of_few_classes(tags, isa, min_ic=min_ic, draws=draws, seed=seed)
    contrast = None if profile is None else contrast_over_classes(profile.mean)
    in_layers = concepts_in_layers(tags, isa, common, contrast=contrast, seed=seed)
    runs = [
        RunDescription(
            run_id=_run_id(tags, rule, source, provenance, curated, parameters),
            rule=rule,
            rule_index=index,
            score=_score(rule, provenance),
            min_ic=min_ic,
            draws=draws,
            seed=seed,
            software=software,
            hashes=provenance.hashes,
            started=provenance.started,
            ended=provenance.ended,
            classes_needed=few[rule].get("IsA"),
        )
        for index, rule in enumerate(tags.rules, start=first_rule)
    ]
    kg_id = hashlib.sha256(" ".join(run.run_id for run in runs).encode()).hexdigest()[:16]

    graphs: dict[str, set[str]] = {}

    def put(graph: str, triples: Iterable[Triple]) -> None:
        graphs.setdefault(graph, set()).update(quads(triples, graph))

    put(
        iris.network(tags.network),
        emit_network(
            tags,
            iris,
            label=provenance.network_label,
            kinds=provenance.layer_kinds,
            weights_sha256=provenance.hashes.get("flt:weightsSha256"),
        ),
    )
    for run in runs:
        of_rule = [row for row in common if row.rule == run.rule]
        put(iris.run(run.run_id), emit_run(tags.network, of_rule, run, iris))
        concepts_of_rule = [row for row in in_layers if row.rule == run.rule]
        put(iris.run(run.run_id), emit_concepts_in_layers(tags.network, concepts_of_rule, run.run_id, iris))
    put(iris.links_graph(), emit_links(tags.class_ids, tags.class_labels, links, iris, tool=tool))
    put(iris.links_graph(), emit_closure(isa, iris))
    licences = {iris.concepts_graph(member.name): member.licence for member in source.members}
    for member in source.members:
        graph = iris.concepts_graph(member.name)
        put(graph, emit_concepts(isa, member.name, graph=graph, conceptnet=conceptnet))
    put(ONTOLOGY, _turtle("ontology", "filtag.ttl"))
    put(QUERIES, _turtle("queries", "queries.ttl"))
    sections = [assignment_section(tags.of_rule(run.rule), run.run_id, iris) for run in runs]
    sections += filter_sections(tags, {run.rule: run.run_id for run in runs}, common, iris)
    in_graph = Counter({graph: len(lines) for graph, lines in graphs.items()})
    for section in sections:
        in_graph.update(section.counts)
    counts = dict(sorted(in_graph.items()))
    # Where nothing is linked, the sources' licences are those of what was looked up in vain.
    said_licences = {graph: licence for graph, licence in licences.items() if counts.get(graph)} or licences
    mappings = sssom_text(links, source, class_iri=iris.class_, mapping_set_id=iris.links_graph())
    texts = {
        TAGS.file_name: TAGS.text(tag_assignments(tags)),
        "links.sssom.tsv": mappings,
        COMMON.file_name: COMMON.text(common),
        CONCEPTS.file_name: CONCEPTS.text(in_layers),
    }
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    n_assignments = _n_assignments(tags)
    about = DatasetDescription(
        kg_id=kg_id,
        title=f"Filters of {provenance.network_label}, their tags and concepts",
        runs=[run.run_id for run in runs],
        licences=said_licences,
        triples_in=counts,
        classes={
            "flt:ClassLabel": len(tags.class_ids),
            "flt:CommonConcept": sum(row.relation == "IsA" for row in common),
            "flt:CommonFeature": sum(row.relation != "IsA" for row in common),
            "flt:ConceptInLayer": len(in_layers),
            "flt:ConceptLink": len(links),
            "flt:Filter": sum(tags.n_filters),
            "flt:TagAssignment": n_assignments,
        },
        links=Counter(link.predicate for link in links.values()),
        concept_graphs=[graph for graph in licences if counts.get(graph)],
        conceptnet_terms=sum(" " + t("flt:conceptNetTerm") + " " in line for line in set().union(*graphs.values())),
        conceptnet=conceptnet,
        example=iris.filter(tags.network, tags.layer_names[-1], 0),
        hashes=provenance.hashes,
        files=list(kg_files(digests, with_profile=profile is not None)),
    )
    put(iris.dataset(kg_id), emit_dataset(about, iris))
    rest = sorted(set().union(*graphs.values()))
    manifest = {
        "format_version": FORMAT_VERSION,
        "id": kg_id,
        "network": tags.network,
        "runs": [
            {"id": run.run_id, "rule": run.rule, "score": run.score, "classes_needed": few[run.rule]} for run in runs
        ],
        "inputs": {
            **provenance.inputs,
            **{name.partition(":")[2]: digest for name, digest in provenance.hashes.items()},
        },
        "parameters": parameters,
        "licences": said_licences,
        "doubtful_links": [asdict(link) for link in doubtful_links(links, source)],
        "unlinked_classes": list(links.unlinked),
        # What was left out so that nothing lies above itself: start, end and source of each edge.
        "cycles": [[edge.start, edge.end, edge.source] for edge in isa.left_out.cycles],
        "versions": {"python": platform.python_version(), "software": list(software)},
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": {
            "layers": len(tags.layer_names),
            "filters": sum(tags.n_filters),
            "classes": len(tags.class_ids),
            "linked_classes": len(links),
            "tags": n_assignments,
            "common_concepts": len(common),
            "concepts": len(isa.concepts),
            "concepts_in_layers": len(in_layers),
            "quads": sum(counts.values()) + len(graphs[iris.dataset(kg_id)]),
        },
    }
    with replacing_directory(output, partial(check_output, force=force)) as room:
        if profile is not None:
            save_profile(profile, room / "profile.npz")
            if images is not None and profile.exemplars is not None:
                (room / "exemplars").mkdir()
                write_exemplars(profile, images, room / "exemplars")
        for name, text in texts.items():
            (room / name).write_text(text, encoding="utf-8")
        write_graph(in_order(rest, sections), room / "graph.nq.gz", room / "store")
        write_manifest(room, manifest, known={})
    return open_kg(output)


def _tell_left_out(isa: Hierarchy) -> None:
    """Say how many IsA edges make no part of the hierarchy, and which would have closed cycles."""
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
    curated: Mapping[str, CuratedLink],
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
        sorted((class_id, *astuple(link)) for class_id, link in curated.items()),
    )
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def _score(rule: str, provenance: Provenance) -> str | None:
    """Return what a rule ranked filters by, where that is known."""
    try:
        return None if provenance.imported else parse_rule(rule).score
    except FiltagError:  # another method's
        return None


def _n_assignments(tags: TagTable) -> int:
    """Return how many tag assignments there are: a class that a rule gave to a filter twice is one."""
    n_filters = max(tags.n_filters, default=0)
    key = (tags.rule * len(tags.layer_names) + tags.layer) * n_filters + tags.filter
    return len(np.unique(key * len(tags.class_ids) + tags.class_))


def _turtle(folder: str, name: str) -> list[Triple]:
    path = resource_folder(folder) / name
    triples = (quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    return [(str(x.subject), str(x.predicate), str(x.object)) for x in triples]
