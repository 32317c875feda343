"""The kinds of file that `fuzz.py` damages: a good example of each, and how the commands read it."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from damage import BYTES, Damage, any_of, arrays, cells, flip, json_value, members, packed, recoded, rows_of_sqlite
from fuzz_examples import (
    CLASSES,
    INPUTS,
    checkpoint_file,
    dump_lines,
    empty_tally,
    example_kg,
    index_file,
    keras_file,
    legacy_file,
    of_kg,
    profile_file,
)

from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.concepts import ConceptSource


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    file : str
        Its name.
    make : callable
        Makes the good example, in a directory of the kind's own.
    read : callable
        Reads the file at a path, in that directory, as the commands do; returns what is wrong with what was read, or
        None. It may look at the directory.
    damages : sequence of callables
        What to do to the example's bytes, besides what is done to all.
    """

    file: str
    make: Callable[[Path], bytes]
    read: Callable[[Path], str | None]
    damages: Sequence[Damage] = ()


# How they are read. Each returns what is wrong with what was accepted.


def wrong_numbers(values: Iterable[tuple[str, float | None, float, float]]) -> str | None:
    """Return the first of (name, value, least, most) that is out of its range."""
    found = ((name, value) for name, value, least, most in values if value is not None and not least <= value <= most)
    return next((f"{name} is {value}" for name, value in found), None)


def read_profile(path: Path) -> str | None:
    """Read a profile as `filtag build` does."""
    from filtag_kg import Provenance, Rule, tag_filters
    from filtag_kg.profile import load_profile, merge_profiles

    found = load_profile(path)
    tags = tag_filters(found, [Rule("k", 1), Rule("q", 0.5, "contrast")], network="x")
    Provenance.of_profile(found)
    merge_profiles([found])
    if (
        len(set(found.class_ids)) != len(found.class_ids)
        or "" in found.class_ids
        or not np.isfinite(tags.contrast).all()
    ):
        return "class ids or contrasts"
    variance = found.variance if found.variance is not None else np.zeros(1)
    hair = 1e-5
    return wrong_numbers(
        [
            ("mean", float(found.mean.min()), -hair, 1), ("mean", float(found.mean.max()), -hair, 1 + hair),
            ("mean", float(found.mean.sum()), -1, 1e9), ("variance", float(variance.sum()), -1, 1e9),
            ("variance", float(variance.max()), -hair, 0.25 + hair), ("count", float(found.count.min()), 1, 2**62),
        ]
    )  # fmt: skip


def read_checkpoint(path: Path) -> str | None:
    """Read a checkpoint as `filtag profile` does."""
    from filtag_kg.profile import Checkpoint

    restored = partial(empty_tally().restored, n_images=2**53, n_layers=2**53)
    tally = Checkpoint(path, 0).load(INPUTS, restored)
    return wrong_numbers([("mean", float(tally.moments.mean.sum()), 0, 18), ("done", tally.done, 0, 10**6)])


def read_kg(path: Path) -> str | None:
    """Read a KG as the commands do that say what it holds."""
    from filtag_kg.kg import TAGS, open_kg, read_common_concepts, read_visualizations
    from filtag_kg.report import semantic_report
    from filtag_kg.views import load_kg, map_strip

    kg = open_kg(path.parent if path.parent.name == "kg" else path.parent.parent)
    kg._repr_html_()
    loaded = load_kg(kg)
    for network in loaded.networks.values():
        loaded.network(network)
    semantic_report([loaded])
    map_strip([exemplar for of_filter in loaded.exemplars.values() for exemplar in of_filter])
    tags, common, pictures = (
        TAGS.read(kg.tags_path),
        read_common_concepts(kg.common_path),
        read_visualizations(kg),
    )
    infinite = float("inf")
    return wrong_numbers(
        [
            *(("rank", row.rank, 1, 2**31) for row in tags),
            *(("activation", row.activation, 0, 1 + 1e-6) for row in tags),
            *(("contrast", row.contrast, -1e308, 1e308) for row in tags),
            *(("filter", row.filter, 0, 3) for row in tags),
            *(("q", row.q_value, 0, 1) for row in common), *(("p", row.p_adjusted, 0, 1) for row in common),
            *(("ic", row.ic, 0, 1e308) for row in common), *(("support", row.support, 1, row.tags) for row in common),
            *(("picture", row.activation, -1e308, 1e308) for row in pictures),
            *(("count", float(value), 0, infinite) for value in kg.manifest["counts"].values()),
        ]
    )  # fmt: skip


def read_graph(path: Path) -> str | None:
    """Read a graph as `filtag export` does."""
    from filtag_kg.export import export_graph
    from filtag_kg.kg import open_kg

    for format_ in ("turtle", "nquads", "rdfxml"):
        export_graph(open_kg(path.parent), format_, io.BytesIO())
    return None


def read_links(path: Path) -> str | None:
    """Read links as `filtag build --links` does."""
    from filtag_kg.concepts import check_sssom, read_curated_links, wordnet

    check_sssom(path)
    found = read_curated_links(path, tuple(CLASSES), wordnet())
    return wrong_numbers(("confidence", link.confidence, 1e-300, 1) for link in found.values())


def read_hits(path: Path) -> str | None:
    """Read Hits@n as `filtag report --hits` does."""
    from filtag_kg.explain import read_hits as read

    rows = read(path)
    return wrong_numbers(
        [*(("hits", row.hits, 0, 1) for row in rows), *(("null", row.null, 0, 1) for row in rows),
         *(("rho", row.rho, -1, 1) for row in rows), *(("n", row.n, 1, 2**31) for row in rows)]
    )  # fmt: skip


def read_confusions(path: Path) -> str | None:
    """Read confusions as `filtag report --errors` does."""
    from filtag_kg.explain import read_confusions as read

    return wrong_numbers(
        item for row in read(path) for item in (("share", row.share, 0, 1), ("mistakes", row.mistakes, 1, 2**31))
    )


def sheet_file(folder: Path) -> bytes:
    """Return a sheet that a person has filled in."""
    from filtag_kg.kg import open_kg
    from filtag_kg.report import draw_sheet, write_sheet

    write_sheet(draw_sheet(open_kg(example_kg(folder))), folder / "good.csv")
    lines = (folder / "good.csv").read_text().splitlines()
    return "\n".join([lines[0], *(line + "yes" for line in lines[1:])]).encode()


def read_sheet(path: Path) -> str | None:
    """Read a sheet as `filtag conformance rate` does."""
    from filtag_kg.kg import open_kg
    from filtag_kg.report import rate_sheet

    found = rate_sheet(open_kg(path.parent / "kg"), path)
    return wrong_numbers([("share", found.rated.value, 0, 1), ("kappa", found.kappa, -1, 1)])


def read_labels(path: Path) -> str | None:
    """Read tags as `filtag import` does."""
    from filtag_kg.tags import read_filtag_labels

    found = read_filtag_labels(path)
    return ("" in found.class_ids and "a class without a name") or wrong_numbers(
        [("filters", found.n_filters[0], 1, 100_000)]
    )


LABELS = {
    "netdissect": "unit,category,label,score,object-label\r\n1,object,dog,0.2,dog\r\n12,color,red-c,0.03,\r\n",
    "clip-dissect": 'layer,unit,description,similarity\nconv1,0,"dog, hound",0.25\nconv1,7,halloween,0.128\n',
    "milan": "layer,unit,description\nconv1,0,Dogs and birds\nconv1,0,Red areas\nconv1,5,Edges without dogs\n",
    "invert": "neuron,concept,concept_id,metric\n0,dog,n02084071,0.9\n3,dog & ~cat,n02084071 & ~n02121620,0.7\n",
    "falcon": "group,concept_set_words\n48,\"[('key', 0.05), ('piano', 0.04)]\"\n\"(5, 9)\",\"[('grass', 0.1)]\"\n",
    "csv": "layer;filter;label;class_id;score\na;0;dog;n02084071;0,5\na;3;cat;;\nb;1;striped;7;1e-3\n",
    "summit": json.dumps([{"synset": "n02119789", "name": "kit_fox", "topChannels": {"mixed3a": [{"c": 5, "i": 12}]}}]),
}
"""A file of labels of each method, for `read_method_labels`."""


def _labels_of(text: str, _folder: Path) -> bytes:
    return text.encode()


def read_method_labels(path: Path) -> str | None:
    """Read labels of another method as `filtag import` does, and link them."""
    from filtag_kg.concepts import link_classes, wordnet
    from filtag_kg.tags import read_labels as read

    found = read(path).tags
    links = link_classes(found.class_ids, found.class_labels, wordnet())
    return ("" in (*found.class_ids, *found.layer_names) and "a name is empty") or wrong_numbers(
        [
            *(("filters", size, 1, 100_000) for size in found.n_filters),
            *(("score", float(score), -1e308, 1e308) for score in found.score if score == score),
            *(("confidence", link.confidence, 1e-300, 1) for link in links.links),
        ]
    )


def read_names(path: Path) -> str | None:
    """Read class names as `filtag import --class-names` does."""
    from filtag_kg.class_names import class_names

    found = class_names(path)
    return None if all(found) and all(found.values()) else "a class without a name"


def read_classes(path: Path) -> str | None:
    """Read class ids as `--classes` does."""
    from filtag_kg.class_names import classes_in_order

    return None if all(classes_in_order(path)) else "a class without a name"


def use_source(source: ConceptSource) -> str | None:
    """Ask a source of concepts what a build asks."""
    from filtag_kg.concepts import build_hierarchy, link_classes

    links = link_classes(("dog", "cat", "thing"), ("dog", "cat", "thing"), source)
    hierarchy = build_hierarchy(links, source)
    edges = [edge for sense in source.senses("dog") for edge in source.edges(sense.concept, "IsA")]
    edges += list(source.edges("http://api.conceptnet.io/c/en/animal", "IsA", incoming=True))
    del hierarchy
    return wrong_numbers(("weight", edge.weight, 0, 1e6) for edge in edges)


def read_index(path: Path) -> str | None:
    """Read an index as `--concepts conceptnet` does."""
    from filtag_kg.concepts import ConceptNetIndex

    return use_source(ConceptNetIndex(path))


def read_dump(path: Path) -> str | None:
    """Read a dump as `filtag concepts import` does."""
    from filtag_kg.concepts import ConceptNetIndex, import_dump

    import_dump(path, path.with_suffix(".index"))
    return use_source(ConceptNetIndex(path.with_suffix(".index")))


def read_network(path: Path) -> str | None:
    """Load a network as `--network` does."""
    from filtag_kg.network import KerasEngine, load_network

    network = load_network(str(path), preprocess="none")
    assert isinstance(network.engine, KerasEngine)
    finite = all(np.isfinite(weight).all() for weight in network.engine.model.get_weights())
    return None if finite else "weights are not finite"


def read_legacy(path: Path) -> str | None:
    """Read a checkpoint of tensors."""
    from filtag_kg.network.keras.legacy_checkpoint import read_legacy_checkpoint

    return None if all(np.isfinite(each).all() for each in read_legacy_checkpoint(path).values()) else "not finite"


def read_query(path: Path) -> str | None:
    """Ask a query from a file as `filtag query --sparql` does."""
    from filtag_kg.cli.query import read_text
    from filtag_kg.query import RESULT_FORMATS, format_result, open_endpoint, sparql_query, table_of

    result = sparql_query(open_endpoint(str(path.parent / "kg")), read_text(str(path)))
    table_of(result)
    for format_ in set(RESULT_FORMATS) - {"table", "turtle"}:
        format_result(result, format_)
    return None


QUERY = """SELECT ?filter ?label ?q WHERE {
  ?common a flt:CommonConcept ; flt:rank 1 ; flt:filter ?f ; flt:concept/skos:prefLabel ?label .
  ?f flt:coherenceQValue ?q ; flt:filterIndex ?filter ; flt:inLayer/rdfs:label "deep" .
  FILTER (?q < 1.5 && REGEX(?label, "a|o", "i"))
} ORDER BY ?q DESC(?filter) LIMIT 10
"""
RESULTS = {
    "head": {"vars": ["run", "rule"]},
    "results": {
        "bindings": [
            {
                "run": {"type": "uri", "value": "https://w3id.org/filtag/data/run/1"},
                "rule": {"type": "literal", "value": "k=1"},
            },
            {
                "run": {"type": "uri", "value": "https://w3id.org/filtag/data/run/2"},
                "rule": {"type": "literal", "value": "2", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
            },
        ]
    },
}


class _Server:
    """Answers every request with the same bytes, whatever they are."""

    def __init__(self) -> None:
        self.body = b""
        self.type = "application/sparql-results+json"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                self.send_header("Content-Type", outer.type)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            do_GET = do_POST = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"


SERVER: list[_Server] = []


def served(path: Path, type_: str) -> str:
    """Serve a file's bytes, and return where."""
    if not SERVER:
        SERVER.append(_Server())
    SERVER[0].body, SERVER[0].type = path.read_bytes(), type_
    return SERVER[0].url


def read_remote(path: Path) -> str | None:
    """Ask an endpoint that answers with the file's bytes."""
    from filtag_kg.query import RESULT_FORMATS, find_query, format_result, named_query, open_endpoint, table_of

    endpoint = open_endpoint(served(path, "application/sparql-results+json"))
    result = endpoint.ask("SELECT ?run ?rule WHERE { ?run ?p ?rule }")
    table_of(result)
    result.records()
    for format_ in set(RESULT_FORMATS) - {"table", "turtle"}:
        format_result(result, format_)
    with contextlib.suppress(FiltagError):  # It is not what was asked for.
        named_query(endpoint, find_query("hub-filters"), {"rule": "k=1"})
    return None


def read_remote_graph(path: Path) -> str | None:
    """Ask it for a graph."""
    from filtag_kg.query import format_result, open_endpoint

    endpoint = open_endpoint(served(path, "text/turtle"))
    format_result(endpoint.ask("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"), "turtle")
    return None


def api_answer(_folder: Path) -> bytes:
    """Return an answer of ConceptNet's service."""

    def edge(start: str, end: str) -> dict[str, Any]:
        return {
            "rel": {"@id": "/r/IsA"}, "start": {"@id": start}, "end": {"@id": end}, "weight": 2.0,
            "dataset": "/d/wordnet/3.1", "license": "cc:by/4.0",
        }  # fmt: skip

    edges = [
        edge("/c/en/dog", "/c/en/animal"),
        edge("/c/en/dog/n", "/c/en/animal/n"),
        edge("/c/en/animal", "/c/en/thing"),
    ]
    return json.dumps({"edges": edges, "view": {"paginatedProperty": "edges"}}).encode()


def read_api(path: Path) -> str | None:
    """Ask a service that answers so."""
    from filtag_kg.concepts.conceptnet.api import ConceptNetApi
    from filtag_kg.concepts.conceptnet.rate_limit import RateLimit

    with tempfile.TemporaryDirectory() as folder:
        limit = RateLimit(((10**6, 1.0),))
        cache = Path(folder) / "cache.sqlite"
        return use_source(
            ConceptNetApi(served(path, "application/json"), cache=cache, limit=limit, backoff=0, timeout=5)
        )


def api_cache(folder: Path) -> bytes:
    """Return what is kept of its answers."""
    from filtag_kg.concepts.conceptnet.api import ConceptNetApi

    (folder / "answer").write_bytes(api_answer(folder))
    url = served(folder / "answer", "application/json")
    use_source(ConceptNetApi(url, cache=folder / "good.sqlite", backoff=0))
    with contextlib.closing(sqlite3.connect(folder / "whole.sqlite")) as whole:
        sqlite3.connect(folder / "good.sqlite").backup(whole)
    return (folder / "whole.sqlite").read_bytes()


def read_cache(path: Path) -> str | None:
    """Ask it where they are kept."""
    from filtag_kg.concepts.conceptnet.api import ConceptNetApi
    from filtag_kg.concepts.conceptnet.rate_limit import RateLimit

    for beside in (f"{path}-wal", f"{path}-shm", f"{path}-journal"):
        Path(beside).unlink(missing_ok=True)
    url = served(path.parent / "answer", "application/json")
    return use_source(ConceptNetApi(url, cache=path, limit=RateLimit(((10**6, 1.0),)), backoff=0, timeout=5))


HITS = (
    "rule,layers,n,images,hits,hits_low,hits_high,null,null_sd,rho,rho_low,rho_high,classes\n"
    "k=1,all,1,5,0.5,0.4,0.6,0.1,0.01,0.5,0.1,0.9,3\n"
)
HITS += "q=0.05,last,5,5,0.75,0.1,0.01,,,,3\n"
CONFUSIONS = "true_concept,true_label,predicted_concept,predicted_label,same,mistakes,share_of_true,share\n"
CONFUSIONS += "http://a/dog,dog,http://a/cat,cat,false,3,0.75,0.6\nhttp://a/dog,dog,http://a/dog,dog,true,1,0.25,0.2\n"
TRIPLES = b'@prefix a: <http://a/> .\na:b a:c "d"@en , 2.5 ; a:e <http://f/> .\n'
PICTURES = "visualizations/visualizations.csv"
TABLE = (cells(","), cells(","), cells(","), recoded)

KINDS: Mapping[str, Kind] = {
    "profile": Kind("p.npz", profile_file, read_profile, (arrays, arrays, members())),
    "checkpoint": Kind("p.npz.partial", checkpoint_file, read_checkpoint, (arrays, arrays, members())),
    "manifest": Kind("kg/filtag.json", of_kg("filtag.json"), read_kg, (json_value, json_value, json_value, recoded)),
    "tags": Kind("kg/tags.csv", of_kg("tags.csv"), read_kg, TABLE),
    "common": Kind("kg/common.csv", of_kg("common.csv"), read_kg, TABLE),
    "exemplars": Kind("kg/exemplars/exemplars.csv", of_kg("exemplars/exemplars.csv"), read_kg, TABLE),
    "where": Kind("kg/exemplars/where.csv", of_kg("exemplars/where.csv"), read_kg, TABLE),
    "maps": Kind("kg/exemplars/maps.npy", of_kg("exemplars/maps.npy"), read_kg, ()),
    "pictures": Kind(f"kg/{PICTURES}", of_kg(PICTURES), read_kg, TABLE),
    "graph": Kind("kg/graph.nq.gz", of_kg("graph.nq.gz"), read_graph, (packed(any_of(*BYTES)),)),
    "links": Kind("links.sssom.tsv", of_kg("links.sssom.tsv"), read_links, (cells("\t"), cells("\t"), recoded)),
    "hits": Kind("hits.csv", lambda _: HITS.encode(), read_hits, TABLE),
    "confusions": Kind("confusions.csv", lambda _: CONFUSIONS.encode(), read_confusions, TABLE),
    "sheet": Kind("sheet.csv", sheet_file, read_sheet, TABLE),
    "labels": Kind(
        "tags-conv5_3-k1.txt",
        lambda _: b"filter tags k=1\n437:[' bluetick ', ' redbone ']\n12:[\" jack-o'-lantern \"]\n0:[]\n",
        read_labels,
        (recoded,),
    ),
    **{
        name: Kind(
            "labels.json" if name == "summit" else "labels.csv", partial(_labels_of, text), read_method_labels,
            (json_value, json_value, recoded) if name == "summit" else TABLE,
        )
        for name, text in LABELS.items()
    },
    "names": Kind("names.txt", lambda _: "n01, dog\nn02\ttabby cat\nn03 Bär\n".encode(), read_names, (recoded,)),
    "classes": Kind("classes.txt", lambda _: b"n01, dog\nn02\tcat\nn03\n", read_classes, (recoded,)),
    "index": Kind("index.sqlite", index_file, read_index, (rows_of_sqlite, rows_of_sqlite)),
    "dump": Kind("assertions-5.7.0.csv", lambda _: dump_lines(), read_dump, (cells("\t"), recoded)),
    "packed-dump": Kind(
        "assertions-5.7.0.csv.gz", lambda _: gzip.compress(dump_lines(), mtime=0), read_dump, (packed(any_of(*BYTES)),)
    ),
    "keras": Kind(
        "model.keras", keras_file(".keras"), read_network,
        (members(json_value, "config.json"), members(json_value, "config.json"), members(flip, "model.weights.h5")),
    ),
    "hdf5": Kind("model.h5", keras_file(".h5"), read_network),
    "pickle": Kind("weights.pth", legacy_file, read_legacy),
    "query": Kind("query.rq", lambda folder: example_kg(folder) and QUERY.encode(), read_query, (recoded,)),
    "results": Kind("results.json", lambda _: json.dumps(RESULTS).encode(), read_remote, (json_value, recoded)),
    "triples": Kind("graph.ttl", lambda _: TRIPLES, read_remote_graph),
    "answers": Kind("answer.json", api_answer, read_api, (json_value, json_value, json_value, recoded)),
    "cache": Kind("cache.sqlite", api_cache, read_cache, (rows_of_sqlite,)),
}  # fmt: skip
"""A kind a line: name, file, good example, reader, and what else may be done to it."""
