"""The bulk of the graph, filters and tag assignments, written as text in the graph file's order.

A network of VGG16's size has a million tag assignments of six statements each. Making triples and sorting their lines
would be slow. Instead, the assignments are put in the order of their IRIs, and each is written as its sorted lines. All
lines of a section share a prefix that no other line of the graph has, so each section goes, as one piece, into the
sorted rest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import CommonConcept
from filtag_kg.graph.emit import common_iri
from filtag_kg.graph.emit_states import Statement
from filtag_kg.graph.labels import filter_label
from filtag_kg.graph.nquads import DEFAULT_GRAPH, double, end_of_line, integer, iri, literal, t
from filtag_kg.graph.vocabulary import DataIris
from filtag_kg.names import part_of_path
from filtag_kg.tags import TagTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 10_000
"""Assignments, or lines of no section, to a block of lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """The lines about many things of one kind.

    Parameters
    ----------
    prefix : str
        How each line begins, and no other line of the graph.
    blocks : iterable of str
        The lines, sorted, many at a time, each with its newline.
    counts : mapping of graph to number of lines
        A graph is its IRI, or `DEFAULT_GRAPH`.
    """

    prefix: str
    n_things: int
    blocks: Iterable[str]
    counts: Mapping[str, int]


def in_order(rest: Sequence[str], sections: Iterable[Section]) -> Iterator[str]:
    """Yield all lines in sorted order, many at a time.

    Parameters
    ----------
    rest : sequence of str
        The lines of no section, sorted, without newlines.
    """
    start = 0
    for section in sorted(sections, key=lambda section: section.prefix):
        end = bisect_left(rest, section.prefix, lo=start)
        yield from _blocks(rest, start, end)
        yield from section.blocks
        start = end
    yield from _blocks(rest, start, len(rest))


def _blocks(lines: Sequence[str], start: int, end: int) -> Iterator[str]:
    for first in range(start, end, _BLOCK):
        yield "".join(f"{line}\n" for line in lines[first : min(first + _BLOCK, end)])


def assignment_section(tags: TagTable, run_id: str, iris: DataIris) -> Section:
    """Return the tag assignments of a run, in the default graph.

    Their type is not stated: it follows from the domain of ``flt:tag``.

    A class that was given to a filter twice is one assignment, of the better rank.

    Parameters
    ----------
    tags : TagTable
        Of the run's rule alone.
    """
    rows = _rows_by_iri(tags)
    measured = [tags.activation[rows], tags.contrast[rows], tags.score[rows]]
    n_optional = (tags.rank[rows] > 0).sum() + (~np.isnan(measured)).sum()
    graph = iris.run(run_id)
    return Section(
        prefix=f"<{graph}/tag/",
        n_things=len(rows),
        blocks=_assignments(tags, rows, graph, iris),
        counts={DEFAULT_GRAPH: 3 * len(rows) + int(n_optional)},
    )


def filter_sections(
    tags: TagTable,
    runs: Mapping[str, str],
    common: Sequence[CommonConcept],
    iris: DataIris,
    *,
    kinds_of: str,
    states: Mapping[tuple[str, int], Sequence[Statement]] = MappingProxyType({}),
) -> Iterator[Section]:
    """Yield a section for each layer: its filters, tagged or not, their tags and common concepts.

    Parameters
    ----------
    runs : mapping of rule to run id
    kinds_of : str
        The concept source whose kinds are the hierarchy.
    states : mapping of (layer, filter) to statements
        What a profile says of the filters: see :func:`~filtag_kg.graph.emit_states.state_statements`.
    """
    network = iris.network(tags.network)
    graphs = [iris.run(runs[rule]) for rule in tags.rules]
    classes = [iri(iris.class_(class_id)) for class_id in tags.class_ids]
    shared = _common_statements(common, runs, iris, kinds_of)
    has_tag = t("flt:hasTag")
    for layer_index, (layer, n_filters) in enumerate(zip(tags.layer_names, tags.n_filters, strict=True)):
        layer_iri = iris.layer(tags.network, layer)
        statements = [
            {
                (t("rdf:type"), t("flt:Filter"), network),
                (t("rdfs:label"), literal(filter_label(layer, filter_)), network),
                (t("flt:filterIndex"), integer(filter_), network),
                (t("flt:inLayer"), iri(layer_iri), network),
                *shared.get((layer, filter_), ()),
                *states.get((layer, filter_), ()),
            }
            for filter_ in range(n_filters)
        ]
        in_layer = tags.layer == layer_index
        for rule, graph in enumerate(graphs):
            of_rule = in_layer & (tags.rule == rule)
            filters, class_indices = _distinct(
                (tags.filter[of_rule], tags.class_[of_rule]), shape=(n_filters, len(classes))
            )
            for filter_, class_index in zip(filters.tolist(), class_indices.tolist(), strict=True):
                statements[filter_].add((has_tag, classes[class_index], graph))
        prefix = f"<{layer_iri}/filter/"
        yield Section(
            prefix=prefix,
            n_things=n_filters,
            blocks=_filters(prefix, statements),
            counts=Counter(graph for of_filter in statements for _, _, graph in of_filter),
        )


def _common_statements(
    common: Iterable[CommonConcept], runs: Mapping[str, str], iris: DataIris, kinds_of: str
) -> Mapping[tuple[str, int], set[Statement]]:
    """Return what is stated about filters, by layer and filter, because of what their tags have in common."""
    statements: defaultdict[tuple[str, int], set[Statement]] = defaultdict(set)
    for row in common:
        run_id = runs[row.rule]
        graph = iris.run(run_id)
        of_filter = statements[row.layer, row.filter]
        node = iri(common_iri(row, run_id, iris, kinds_of=kinds_of))
        if row.is_kind(kinds_of):
            of_filter.add((t("flt:commonConcept"), iri(row.concept), graph))
            if row.rank == 1:
                of_filter.add((t("flt:bestCommonConcept"), node, graph))
        of_filter.add((t("flt:hasCommonFeature"), node, graph))
    return statements


def _filters(prefix: str, statements: Sequence[set[Statement]]) -> Iterator[str]:
    for index in sorted(range(len(statements)), key="{}>".format):
        lines = (
            f"{prefix}{index}> {predicate} {object_} <{graph}> .\n" for predicate, object_, graph in statements[index]
        )
        yield "".join(sorted(lines))


def _rows_by_iri(tags: TagTable) -> NDArray[np.int64]:
    """Return the rows of a table in the order of their assignments' IRIs, the first of those with the same IRI."""
    orders = (
        _alphabetical_ranks([f"{part_of_path(name)}/" for name in tags.layer_names])[tags.layer],
        _alphabetical_ranks([f"{index}/" for index in range(max(tags.n_filters, default=0))])[tags.filter],
        _alphabetical_ranks([f"{part_of_path(class_id)}>" for class_id in tags.class_ids])[tags.class_],
    )
    shape = (len(tags.layer_names), max(tags.n_filters, default=0), len(tags.class_ids))
    rows: NDArray[np.int64] = np.unique(np.ravel_multi_index(orders, shape), return_index=True)[1]
    return rows


def _alphabetical_ranks(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each text among them all, sorted."""
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return ranks


def _distinct(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]], *, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], ...]:
    """Return pairs of whole numbers, each once; `shape` is one more than the largest of each."""
    return np.unravel_index(np.unique(np.ravel_multi_index(pairs, shape)), shape)


def _assignments(tags: TagTable, rows: NDArray[np.int64], graph: str, iris: DataIris) -> Iterator[str]:
    end = f"{end_of_line(DEFAULT_GRAPH)}\n"
    layer_parts = [part_of_path(name) for name in tags.layer_names]
    class_parts = [part_of_path(class_id) for class_id in tags.class_ids]
    filters = [f"<{iris.layer(tags.network, name)}/filter/" for name in tags.layer_names]
    run_statement = f" {t('prov:wasGeneratedBy')} {iri(graph)}{end}"
    tag_statements = [f" {t('flt:tag')} {iri(iris.class_(class_id))}{end}" for class_id in tags.class_ids]
    activation_start, contrast_start = f" {t('flt:activation')} ", f" {t('flt:contrast')} "
    filter_start, rank_start = f" {t('flt:filter')} ", f" {t('flt:rank')} "
    score_start = f" {t('flt:methodScore')} "
    columns = (tags.layer, tags.filter, tags.class_, tags.rank, tags.activation, tags.contrast, tags.score)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        texts = []
        for layer, filter_, class_, rank, activation, contrast, score in zip(
            *(column[block].tolist() for column in columns), strict=True
        ):
            node = f"<{graph}/tag/{layer_parts[layer]}/{filter_}/{class_parts[class_]}>"
            # In the order of sorted lines: http before https, then the vocabulary's terms by name.
            statements = [run_statement]
            if not isnan(activation):
                statements.append(f"{activation_start}{double(activation)}{end}")
            if not isnan(contrast):
                statements.append(f"{contrast_start}{double(contrast)}{end}")
            statements.append(f"{filter_start}{filters[layer]}{filter_}>{end}")
            if not isnan(score):
                statements.append(f"{score_start}{double(score)}{end}")
            if rank:
                statements.append(f"{rank_start}{integer(rank)}{end}")
            statements.append(tag_statements[class_])
            texts.append(node + node.join(statements))
        yield "".join(texts)
