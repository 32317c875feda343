"""A store that is damaged, or asked too much, ends in a line. All with real stores, some bits of which are flipped."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from filtag_kg import FiltagError
from filtag_kg.kg import KG, open_kg
from filtag_kg.query import LocalEndpoint

FILTAG = Path(sys.executable).with_name("filtag")
EVERYTHING = "SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g ?s ?p ?o"
CROSS = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l } ORDER BY ?c"
MEMORY = 2 << 30


@pytest.fixture
def copied(kg: KG, tmp_path: Path) -> KG:
    return open_kg(Path(shutil.copytree(kg.path, tmp_path / "kg")))


def flip(path: Path, place: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def flips(kg: KG) -> Iterator[tuple[Path, int, int]]:
    """Yield bits of all kinds of files, of each more towards its end, where its index is."""
    rng = random.Random(13)
    files = sorted(path for path in (kg.path / "store").iterdir() if path.stat().st_size)
    for path in files:
        size = path.stat().st_size
        for nearest in (size, min(size, 200)):
            yield path, size - 1 - rng.randrange(nearest), rng.randrange(8)


def test_the_process_answers_as_oxigraph_does(kg: KG) -> None:
    store, process = kg.store(), kg.store_process()
    assert len(process) == len(store)
    assert set(process.quads()) == set(store)
    node = next(iter(store.named_graphs()))
    assert isinstance(node, ox.NamedNode)
    assert set(process.quads(graph=node)) == set(store.quads_for_pattern(None, None, None, node))
    for text in (EVERYTHING, "SELECT ?x ?missing { ?x a flt:Filter OPTIONAL { ?x flt:none ?missing } }"):
        theirs = process.query(text)
        ours = store.query(text, prefixes={"flt": "https://w3id.org/filtag/ns#"}, use_default_graph_as_union=True)
        assert isinstance(theirs, ox.QuerySolutions)
        assert isinstance(ours, ox.QuerySolutions)
        assert [tuple(row) for row in theirs] == [tuple(row) for row in ours]
    assert bool(process.query("ASK { ?x a flt:Filter }")) is True
    graph = process.query("CONSTRUCT WHERE { ?x a flt:Filter }")
    assert isinstance(graph, list)
    assert len(graph) == 6


def test_an_answer_that_is_not_read_to_its_end_does_not_become_the_next(kg: KG) -> None:
    process = kg.store_process()
    quads = process.quads()
    next(quads)
    del quads
    assert len(process) == kg.manifest["counts"]["quads"]


def test_nothing_is_asked_while_an_answer_is_read(kg: KG) -> None:
    process = kg.store_process()
    quads = process.quads()
    next(quads)
    with pytest.raises(RuntimeError, match=r"^an answer is being read: read it to its end before the next request$"):
        len(process)
    assert 1 + sum(1 for _ in quads) == kg.manifest["counts"]["quads"] == len(process)


def test_a_bit_flipped_anywhere_is_a_line_or_changes_nothing(kg: KG, tmp_path: Path) -> None:
    right = LocalEndpoint(kg).ask(EVERYTHING)
    n_lines = 0
    for i, (path, place, bit) in enumerate(flips(kg)):
        damaged = open_kg(Path(shutil.copytree(kg.path, tmp_path / str(i))))
        flip(damaged.path / "store" / path.name, place, bit)
        try:
            assert LocalEndpoint(damaged).ask(EVERYTHING) == right, (path.name, place, bit)
        except FiltagError as error:
            line = str(error)
            assert line.startswith(f"the store of {damaged.path} is damaged ("), (path.name, place, bit)
            assert line.endswith("): build the KG anew")
            assert "\n" not in line
            n_lines += 1
        shutil.rmtree(damaged.path)
    assert n_lines >= 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "KG", "hub-filters"],
        ["query", "KG", "--sparql", "QUERY"],
        ["export", "KG", "--format", "graphml"],
        ["publish", "KG", "http://127.0.0.1:9/store"],
        ["compare", "KG", "KG", "--rule", "k=1", "--rule-b", "q=0.5"],
        ["report", "KG", "-o", "OUT"],
        ["show", "KG"],
        ["serve", "KG", "--port", "0"],
    ],
    ids=lambda arguments: "-".join(arguments[:1] + arguments[2:3]),
)
def test_each_command_says_of_a_damaged_store_in_one_line(arguments: list[str], copied: KG, tmp_path: Path) -> None:
    for path in sorted((copied.path / "store").glob("*.sst")):
        flip(path, path.stat().st_size - 45, 3)
    (tmp_path / "query.rq").write_text(EVERYTHING)
    meant = {"KG": str(copied.path), "QUERY": str(tmp_path / "query.rq"), "OUT": str(tmp_path / "out")}
    done = subprocess.run(
        [str(FILTAG), *(meant.get(argument, argument) for argument in arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert f"the store of {copied.path} is damaged (Corruption: " in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_process_that_dies_is_a_line_and_the_next_question_has_another(kg: KG) -> None:
    process = kg.store_process()
    process.open()
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGABRT)
    with pytest.raises(FiltagError) as error:
        process.query(EVERYTHING)
    megabytes = process._memory >> 20
    # Its files are as they were written, so it was not them.
    assert str(error.value) == (
        f"the query on {kg.path} needed more than {megabytes:,} MB: ask for less, or raise FILTAG_STORE_MEMORY"
    )
    assert len(process) == kg.manifest["counts"]["quads"]
    process = KG(kg.path, {"parameters": kg.manifest["parameters"]}).store_process()
    process.open()
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGABRT)
    with pytest.raises(FiltagError) as error:
        process.query(EVERYTHING)
    assert str(error.value) == (
        f"the process that read the store of {kg.path} ended: either it needed more than {megabytes:,} MB, "
        "so ask for less, or raise FILTAG_STORE_MEMORY; or the store is damaged, so build the KG anew"
    )


def test_a_query_has_so_much_memory(kg: KG, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTAG_STORE_MEMORY", "300")
    with pytest.raises(FiltagError, match=r"^the query on \S+ needed more than 300 MB: ask for less"):
        LocalEndpoint(kg).ask(CROSS)
    monkeypatch.setenv("FILTAG_STORE_MEMORY", "much")
    with pytest.raises(
        FiltagError, match=r"^FILTAG_STORE_MEMORY=much is not a number of megabytes: give one, such as 4000$"
    ):
        LocalEndpoint(kg).ask("ASK {}")


def test_what_oxigraph_cannot_answer_is_no_damage(kg: KG) -> None:
    with pytest.raises(FiltagError, match=r"^the query on .* failed \(.*\): change the query$"):
        LocalEndpoint(kg).ask("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")


def test_no_process_is_left_behind(kg: KG) -> None:
    process = kg.store_process()
    process.open()
    assert process._process is not None
    running = process._process
    del process
    assert running.poll() is not None
