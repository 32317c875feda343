"""The bulk of the graph, filters and tag assignments, as text in the order in which the file has it.

A network of VGG16's size has a million tag assignments of seven statements each. They are not made as triples and
sorted: the assignments are put in the order of their IRIs, and each is written as its sorted lines. What all lines of a
section begin with, no other line of the graph begins with, so sections and the sorted rest are put together by cutting
the rest where sections belong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts import CommonConcept
from filtag_kg.graph.nquads import double, integer, iri, t
from filtag_kg.graph.vocabulary import DataIris
from filtag_kg.names import part_of_path
from filtag_kg.tags import TagTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Section", "assignment_section", "filter_sections", "in_order"]

_ROWS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Lines that belong together.

    Parameters
    ----------
    prefix : str
        What each of them begins with, and no other line of the graph.
    blocks : iterable of str
        The lines, sorted, many at a time, each with its newline.
    counts : mapping of graph IRI to number of lines
    """

    prefix: str
    blocks: Iterable[str]
    counts: Mapping[str, int]


def in_order(rest: Sequence[str], sections: Iterable[Section]) -> Iterator[str]:
    """Yield all lines in sorted order, many at a time.

    Parameters
    ----------
    rest : sequence of str
        The lines of no section, sorted, without newlines.
    sections : iterable of Section
    """
    done = 0
    for section in sorted(sections, key=lambda section: section.prefix):
        upto = bisect_left(rest, section.prefix, lo=done)
        yield "".join(f"{line}\n" for line in rest[done:upto])
        yield from section.blocks
        done = upto
    yield "".join(f"{line}\n" for line in rest[done:])


def assignment_section(tags: TagTable, run_id: str, iris: DataIris) -> Section:
    """Return the tag assignments of a run.

    A class that was given to a filter twice is one assignment, of the better rank.

    Parameters
    ----------
    tags : TagTable
        Those of the run's rule alone.
    run_id : str
    iris : DataIris
    """
    rows = _ordered(tags)
    known = int((tags.rank[rows] > 0).sum()) + sum(
        int((~np.isnan(column[rows])).sum()) for column in (tags.activation, tags.contrast)
    )
    graph = iris.run(run_id)
    return Section(f"<{graph}/tag/", _assignments(tags, rows, graph, iris), {graph: 4 * len(rows) + known})


def filter_sections(
    tags: TagTable, runs: Mapping[str, str], common: Sequence[CommonConcept], iris: DataIris
) -> Iterator[Section]:
    """Yield a section for each layer: its filters, tagged or not, their tags, how many, and common concepts.

    Parameters
    ----------
    tags : TagTable
    runs : mapping of rule to run id
    common : sequence of CommonConcept
    iris : DataIris
    """
    network = iris.network(tags.network)
    found: dict[tuple[str, int], set[tuple[str, str, str]]] = {}
    for row in common:
        run_id = runs[row.rule]
        graph = iris.run(run_id)
        said = found.setdefault((row.layer, row.filter), set())
        if row.relation == "IsA":
            node = iri(iris.common(run_id, row.layer, row.filter, row.rank))
            said.add((t("flt:commonConcept"), iri(row.concept), graph))
            if row.q_value is not None:
                said.add((t("flt:coherenceQValue"), double(row.q_value), graph))
            if row.rank == 1:
                said.add((t("flt:bestCommonConcept"), node, graph))
        else:
            node = iri(iris.feature(run_id, row.layer, row.filter, row.relation, row.rank))
        said.add((t("flt:hasCommonFeature"), node, graph))
    classes = [iri(iris.class_(class_id)) for class_id in tags.class_ids]
    by_layer = {index: np.flatnonzero(tags.layer == index) for index in range(len(tags.layer_names))}
    graphs = [iris.run(runs[rule]) for rule in tags.rules]
    for index, (layer, n_filters) in enumerate(zip(tags.layer_names, tags.n_filters, strict=True)):
        tagged: list[set[tuple[int, int]]] = [set() for _ in range(n_filters)]
        of_layer = by_layer[index]
        for rule, filter_, class_ in zip(
            tags.rule[of_layer].tolist(), tags.filter[of_layer].tolist(), tags.class_[of_layer].tolist(), strict=True
        ):
            tagged[filter_].add((rule, class_))
        counts: Counter[str] = Counter({network: 3 * n_filters})
        for rule, graph in enumerate(graphs):
            counts[graph] += n_filters + sum(sum(of == rule for of, _ in pairs) for pairs in tagged)
        for filter_ in range(n_filters):
            counts.update(graph for _, _, graph in found.get((layer, filter_), ()))
        prefix = f"<{iris.layer(tags.network, layer)}/filter/"
        blocks = _filters(prefix, iri(iris.layer(tags.network, layer)), network, tagged, classes, graphs, layer, found)
        yield Section(prefix, blocks, counts)


def _filters(
    prefix: str,
    layer: str,
    network: str,
    tagged: Sequence[set[tuple[int, int]]],
    classes: Sequence[str],
    graphs: Sequence[str],
    layer_name: str,
    found: Mapping[tuple[str, int], set[tuple[str, str, str]]],
) -> Iterator[str]:
    has_tag, tag_count = t("flt:hasTag"), t("flt:tagCount")
    for index in sorted(range(len(tagged)), key="{}>".format):
        per_rule = Counter(rule for rule, _ in tagged[index])
        said = {
            (t("rdf:type"), t("flt:Filter"), network),
            (t("flt:filterIndex"), integer(index), network),
            (t("flt:inLayer"), layer, network),
            *found.get((layer_name, index), ()),
            *((tag_count, integer(per_rule[rule]), graph) for rule, graph in enumerate(graphs)),
            *((has_tag, classes[class_], graphs[rule]) for rule, class_ in tagged[index]),
        }
        yield "".join(sorted(f"{prefix}{index}> {p} {o} <{graph}> .\n" for p, o, graph in said))


def _ordered(tags: TagTable) -> NDArray[np.int64]:
    """Return the rows of a table in the order of their assignments' IRIs, without those that say another once more."""
    layer = _places([f"{part_of_path(name)}/" for name in tags.layer_names])[tags.layer]
    filter_ = _places([f"{index}/" for index in range(max(tags.n_filters, default=0))])[tags.filter]
    class_ = _places([f"{part_of_path(class_id)}>" for class_id in tags.class_ids])[tags.class_]
    order = np.lexsort((class_, filter_, layer))
    key = np.stack([layer, filter_, class_])[:, order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    return order[first]


def _places(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each text among them, sorted."""
    places = np.empty(len(texts), dtype=np.int64)
    places[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return places


def _assignments(tags: TagTable, rows: NDArray[np.int64], graph: str, iris: DataIris) -> Iterator[str]:
    run, end = iri(graph), f" <{graph}> .\n"
    layers = [part_of_path(name) for name in tags.layer_names]
    filters = [f"<{iris.layer(tags.network, name)}/filter/" for name in tags.layer_names]
    classes = [part_of_path(class_id) for class_id in tags.class_ids]
    class_iris = [iri(iris.class_(class_id)) for class_id in tags.class_ids]
    # In the order of sorted lines: http before https, then the vocabulary's terms by name.
    made = f" {t('rdf:type')} {t('flt:TagAssignment')}{end}", f" {t('prov:wasGeneratedBy')} {run}{end}"
    activation, contrast, of_filter = (f" {t(f'flt:{name}')} " for name in ("activation", "contrast", "filter"))
    rank, tag = (f" {t(f'flt:{name}')} " for name in ("rank", "tag"))
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        lines = []
        columns = (tags.layer, tags.filter, tags.class_, tags.rank, tags.activation, tags.contrast)
        for m, i, c, place, z, k in zip(*(column[some].tolist() for column in columns), strict=True):
            node = f"<{graph}/tag/{layers[m]}/{i}/{classes[c]}>"
            # NaN, which is unequal to itself, is what the method did not say.
            lines.append(
                f"{node}{made[0]}{node}{made[1]}"
                f"{f'{node}{activation}{_double(z)}{end}' if z == z else ''}"
                f"{f'{node}{contrast}{_double(k)}{end}' if k == k else ''}"
                f"{node}{of_filter}{filters[m]}{i}>{end}"
                f"{f'{node}{rank}{integer(place)}{end}' if place else ''}"
                f"{node}{tag}{class_iris[c]}{end}"
            )
        yield "".join(lines)


_DOUBLE = double(0.5).replace("0.5", "{}")
_LARGE, _FEW_DIGITS = 1000.0, 2.0**24


def _double(value: float) -> str:
    """Return what `double` returns, for most numbers in a third of the time."""
    text = repr(value)
    # Only a number of few binary digits may lie between two decimals.
    if "e" in text or "n" in text or abs(value) > _LARGE or (value * _FEW_DIGITS).is_integer():
        return double(value)
    return _DOUBLE.format(text.removesuffix(".0"))
