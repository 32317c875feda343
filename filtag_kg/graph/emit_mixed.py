"""State which filters respond to two unrelated things, and what the two parts are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from filtag_kg.concepts import MixedPart
from filtag_kg.graph.emit_states import Statement
from filtag_kg.graph.nquads import Triple, double, integer, iri, t
from filtag_kg.graph.vocabulary import DataIris


def emit_filter_parts(network: str, parts: Iterable[MixedPart], run_id: str, iris: DataIris) -> Iterator[Triple]:
    """Describe the parts of filters, as results of a run that was made from the same profile.

    Parameters
    ----------
    network : str
        Name of the network in identifiers.
    """
    for part in parts:
        node = iri(iris.filter_part(run_id, part.layer, part.filter, part.part))
        yield node, t("rdf:type"), t("flt:FilterPart")
        yield node, t("flt:filter"), iri(iris.filter(network, part.layer, part.filter))
        yield node, t("flt:partNumber"), integer(part.part)
        yield node, t("flt:concept"), iri(part.concept)
        for class_id in part.classes:
            yield node, t("flt:includesClass"), iri(iris.class_(class_id))
        yield node, t("flt:contrastShare"), double(part.share)
        yield node, t("flt:adjustedPValue"), double(part.p_adjusted)
        yield node, t("prov:wasGeneratedBy"), iri(iris.run(run_id))


def part_statements(
    parts: Iterable[MixedPart], run_ids: Iterable[str], iris: DataIris
) -> Mapping[tuple[str, int], list[Statement]]:
    """Return which parts filters have, by layer and filter, in the graph of each run."""
    statements: defaultdict[tuple[str, int], list[Statement]] = defaultdict(list)
    run_ids = list(run_ids)
    for part in parts:
        for run_id in run_ids:
            node = iri(iris.filter_part(run_id, part.layer, part.filter, part.part))
            statements[part.layer, part.filter].append((t("flt:hasFilterPart"), node, iris.run(run_id)))
    return statements
