"""Every export, read back by a tool that is not ours."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import networkx as nx
import pandas as pd
import pyarrow.parquet
import pyoxigraph as ox
import pytest
import rdflib
import yaml

from filtag_kg import FiltagError
from filtag_kg.export import export_graph, to_networkx
from filtag_kg.graph import PREFIXES
from filtag_kg.kg import KG


def exported(kg: KG, format_: str, **options: str) -> bytes:
    output = io.BytesIO()
    export_graph(kg, format_, output, **options)
    return output.getvalue()


def stored(kg: KG) -> rdflib.Graph:
    """What rdflib reads of the store's own dump, the named graphs merged."""
    text = kg.store().dump(format=ox.RdfFormat.N_QUADS).decode()
    merged = rdflib.Graph()
    for triple in rdflib.Dataset(default_union=True).parse(data=text, format="nquads").triples((None, None, None)):
        merged.add(triple)
    return merged


@pytest.mark.parametrize(
    ("format_", "parser"), [("turtle", "turtle"), ("ntriples", "nt"), ("jsonld", "json-ld"), ("rdfxml", "xml")]
)
def test_rdflib_reads_what_the_store_holds(kg: KG, format_: str, parser: str) -> None:
    parsed = rdflib.Graph().parse(data=exported(kg, format_), format=parser)
    assert set(parsed) == set(stored(kg))
    assert len(parsed) > 1000


def test_trig_holds_the_quads_that_n_quads_holds_each_graph_in_one_block(kg: KG) -> None:
    trig = exported(kg, "trig")
    quads = set(ox.parse(input=exported(kg, "nquads"), format=ox.RdfFormat.N_QUADS))
    assert set(ox.parse(input=trig, format=ox.RdfFormat.TRIG)) == quads
    read, expected = rdflib.Dataset().parse(data=trig, format="trig"), rdflib.Dataset()
    expected.parse(data=exported(kg, "nquads"), format="nquads")
    assert set(read.quads()) == set(expected.quads())
    blocks = re.findall(r"^\S+ \{$", trig.decode(), re.MULTILINE)
    assert len(blocks) == len(set(blocks)) == len({quad.graph_name for quad in quads} - {ox.DefaultGraph()})


def test_trig_begins_with_the_default_graph_which_has_no_block(kg: KG, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "graph.nq.gz", "wt", newline="\n") as file:
        file.write('<http://e/a> <http://e/p> "1" <http://e/g> .\n<http://e/a> <http://e/p> "2" .\n')
        file.write('<http://e/b> <http://e/p> "} ." <http://e/f> .\n<http://e/b> <http://e/p> "4" <http://e/g> .\n')
    text = exported(replace(kg, path=tmp_path), "trig").decode()
    assert [line for line in text.splitlines() if not line.startswith("@prefix")] == [
        '<http://e/a> <http://e/p> "2" .',
        "<http://e/f> {",
        '\t<http://e/b> <http://e/p> "} ." .',
        "}",
        "<http://e/g> {",
        '\t<http://e/a> <http://e/p> "1" .',
        '\t<http://e/b> <http://e/p> "4" .',
        "}",
    ]


def test_json_ld_is_readable_and_short(kg: KG) -> None:
    document = json.loads(exported(kg, "jsonld"))
    assert document["@context"]["flt"] == PREFIXES["flt"]
    by_id = {thing["@id"]: thing for thing in document["@graph"]}
    assert len(by_id) == len(document["@graph"])
    filter_ = by_id["https://w3id.org/filtag/data/network/toy-0123456789ab/layer/deep/filter/0"]
    assert filter_["@type"] == ["flt:Filter"]
    assert filter_["flt:filterIndex"] == "0"
    assert filter_["flt:inLayer"] == "https://w3id.org/filtag/data/network/toy-0123456789ab/layer/deep"


def test_tables_are_read_by_pandas_and_pyarrow(kg: KG) -> None:
    for table, path in (("tags", kg.tags_path), ("common", kg.common_path), ("concepts", kg.concepts_path)):
        assert exported(kg, "csv", table=table) == path.read_bytes()
        frame = pd.read_csv(path)
        read = pyarrow.parquet.read_table(io.BytesIO(exported(kg, "parquet", table=table))).to_pandas()
        pd.testing.assert_frame_equal(read, frame, check_dtype=False)
        assert read["classes" if table == "concepts" else "filter"].dtype == "int64"
    with pytest.raises(FiltagError, match="no table 'links': choose one of tags, common, concepts"):
        exported(kg, "csv", table="links")


def test_sssom_is_a_header_in_yaml_and_a_table(kg: KG) -> None:
    lines = exported(kg, "sssom").decode().splitlines()
    header = yaml.safe_load("\n".join(line[1:] for line in lines if line.startswith("#")))
    assert header["curie_map"]
    rows = list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"))
    links = {str(s) for s in stored(kg).subjects(rdflib.RDF.type, rdflib.URIRef(PREFIXES["flt"] + "ConceptLink"))}
    assert len(rows) == len(links) == 8


def test_graphml_and_networkx_hold_the_tags(kg: KG, tmp_path: Path) -> None:
    (tmp_path / "kg.graphml").write_bytes(exported(kg, "graphml"))
    read, ours = nx.read_graphml(tmp_path / "kg.graphml", force_multigraph=True), to_networkx(kg)
    assert dict(read.nodes(data=True)) == dict(ours.nodes(data=True))
    assert sorted(map(str, read.edges(data=True))) == sorted(map(str, ours.edges(data=True)))
    tags = pd.read_csv(kg.tags_path)
    edges = [data for *_, data in ours.edges(data=True) if data["kind"] == "tag"]
    assert len(edges) == len(tags)
    assert sum(data["activation"] for data in edges) == pytest.approx(tags["activation"].sum())
    dog = next(node for node, data in ours.nodes(data=True) if (data["kind"], data["label"]) == ("concept", "dog"))
    kinds = nx.subgraph_view(ours, filter_edge=lambda u, v, key: key in ("link", "broader"))
    labels = {ours.nodes[node]["label"] for node in nx.ancestors(kinds, dog) if ours.nodes[node]["kind"] == "class"}
    assert labels == {"Rhodesian ridgeback", "bloodhound", "redbone"}
