"""Measure how fast ConceptNet's dump is indexed, how much memory it takes, and how fast the index answers.

First, a file with the real dump's size and mix is made, of synthetic terms in the dump's format: 34 million
lines, 3.4 million of them English, about 325,000 of these with a relation that is kept. The import's lines/s are
compared with unpacking the same file and counting its lines, in the same process.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from filtag_kg.concepts import RELATIONS
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump

LINES = 34_074_917
# Edges of ConceptNet 5.7 between English terms, rounded; the others are taken to be mixed like these.
ENGLISH = {
    "RelatedTo": 1_703_000,
    "FormOf": 379_000,
    "DerivedFrom": 325_000,
    "HasContext": 233_000,
    "IsA": 230_000,
    "Synonym": 222_000,
    "UsedFor": 40_000,
    "EtymologicallyRelatedTo": 32_000,
    "SimilarTo": 30_000,
    "AtLocation": 28_000,
    "CapableOf": 23_000,
    "Antonym": 19_000,
    "PartOf": 13_000,
    "HasProperty": 8_400,
    "HasA": 5_500,
    "MadeOf": 500,
}
LANGUAGES = ("fr", "it", "de", "es", "ru", "pt", "ja", "nl", "zh", "fi", "pl", "la", "sv", "bg", "cs")
SYLLABLES = ("ba", "cer", "do", "fi", "gan", "hu", "ki", "lo", "mer", "nu", "pa", "ri", "sto", "ta", "ven", "zo")
JSON = (
    '{"dataset": "/d/wiktionary/en", "license": "cc:by-sa/4.0", "sources": [{"contributor":'
    ' "/s/resource/wiktionary/en", "process": "/s/process/wikiparsec/2"}], "weight": 1.0}',
    '{"dataset": "/d/conceptnet/4/en", "license": "cc:by/4.0", "sources": [{"activity": "/s/activity/omcs/omcs1",'
    ' "contributor": "/s/contributor/omcs/user1"}], "surfaceEnd": "a field", "surfaceStart": "wheat", "surfaceText":'
    ' "You are likely to find [[wheat]] in [[a field]]", "weight": 2.0}',
    '{"dataset": "/d/wordnet/3.1", "license": "cc:by/4.0", "sources": [{"contributor": "/s/resource/wordnet/rdf/3.1"}],'
    ' "weight": 2.0}',
)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--folder", type=Path, help="where there is room for 1.5 GB; default: the temporary folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--import", nargs=2, type=Path, dest="alone", metavar=("DUMP", "INDEX"), help="only import")
    options = parser.parse_args()
    if options.alone:
        import_alone(*options.alone)
        return
    print(f"{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}\n")
    measure_dump(options.lines, options.folder, options.seed)


def measure_dump(lines: int, folder: Path | None, seed: int) -> dict[str, float]:
    """Print how fast a dump of many lines is indexed; return lines/s, MiB of memory, and a lookup's milliseconds."""
    with tempfile.TemporaryDirectory(dir=folder) as room:
        dump, index = Path(room) / "conceptnet-assertions-5.7.0.csv.gz", Path(room) / "conceptnet.sqlite"
        make_dump(dump, lines, random.Random(seed))
        # What this process held before is not the import's.
        done = subprocess.run(
            [sys.executable, __file__, "--import", str(dump), str(index)], check=True, capture_output=True, text=True
        )
        seconds, peak = map(float, done.stdout.split())
        start = time.perf_counter()
        with gzip.open(dump) as file:
            while block := file.read(1 << 22):
                block.count(b"\n")
        bare = time.perf_counter() - start
        print(
            f"{lines:,} lines, {dump.stat().st_size / 2**20:,.0f} MiB packed: {index.stat().st_size / 2**20:.0f} MiB of"
        )
        print(f"index, {peak:.0f} MiB of memory at most\n")
        print("| ConceptNet's dump | lines/s | ratio |\n|---|--:|--:|")
        print(f"| unpacked and counted | {lines / bare:,.0f} | 1 |")
        print(f"| indexed | {lines / seconds:,.0f} | {bare / seconds:.2f} |")
        slowest = measure_lookups(index, random.Random(seed))
    return {"lines/s": lines / seconds, "MiB": peak, "ms": slowest / 1000}


def import_alone(dump: Path, index: Path) -> None:
    """Import, and print the seconds and MiB it took."""
    start = time.perf_counter()
    import_dump(dump, index)
    seconds = time.perf_counter() - start
    # Not ru_maxrss, which a process has from the one that started it.
    (peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(seconds, int(peak) / 2**10)


def measure_lookups(path: Path, chance: random.Random) -> float:
    """Print how fast the index answers; return the longest 99th percentile, in µs."""
    slowest = 0.0
    index = ConceptNetIndex(path)
    words = [row[0] for row in sqlite3.connect(path).execute("SELECT path FROM node ORDER BY RANDOM() LIMIT 2000")]
    asked = [(index.of_class(word) or "", chance.choice(RELATIONS), chance.random() < 0.5) for word in words]
    print("\n| lookup | median µs | 99th percentile |\n|---|--:|--:|")
    for name, look_up in (
        ("edges of a concept", lambda at: list(index.edges(asked[at][0], asked[at][1], incoming=asked[at][2]))),
        ("senses of a word", lambda at: index.senses(words[at].split("/")[3])),
        ("concept of an IRI", lambda at: index.concept(asked[at][0])),
    ):
        times = []
        for at in range(len(words)):
            start = time.perf_counter()
            look_up(at)
            times.append((time.perf_counter() - start) * 1e6)
        last = statistics.quantiles(times, n=100)[98]
        slowest = max(slowest, last)
        print(f"| {name} | {statistics.median(times):.0f} | {last:.0f} |")
    return slowest


def make_dump(path: Path, lines: int, chance: random.Random) -> None:
    """Write lines in the dump's format, sorted by relation like the dump."""
    english = 3_400_000 / LINES
    total = sum(ENGLISH.values())
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8", newline="\n") as file:
        for relation in sorted(ENGLISH):
            share = ENGLISH[relation] / total * lines
            write(file, relation, ["en"], round(share * english), chance)
            write(file, relation, LANGUAGES, round(share * (1 - english)), chance)


def write(
    file: object, relation: str, languages: list[str] | tuple[str, ...], lines: int, chance: random.Random
) -> None:
    """Write lines of one relation between terms of the same language."""
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(min(200_000, 10 * lines + 1))]
    senses = ["", "", "", "/n", "/v", "/n/wn/animal", "/n/wn/artifact", "/n/wikt/en_1"]
    for done in range(0, lines, 10_000):
        n = min(10_000, lines - done)
        file.write(
            "".join(
                f"/a/[/r/{relation}/,{start}/,{end}/]\t/r/{relation}\t{start}\t{end}\t{more}\n"
                for start, end, more in zip(
                    terms(languages, words, senses, n, chance),
                    terms(languages, words, senses, n, chance),
                    chance.choices(JSON, k=n),
                    strict=True,
                )
            )
        )


def terms(
    languages: list[str] | tuple[str, ...], words: list[str], senses: list[str], n: int, chance: random.Random
) -> list[str]:
    """Return the paths of n terms."""
    picked = zip(
        chance.choices(languages, k=n),
        chance.choices(words, k=n),
        chance.choices(words, k=n),
        chance.choices(senses, k=n),
        strict=True,
    )
    return [f"/c/{language}/{word}_{other}{sense}" for language, word, other, sense in picked]


if __name__ == "__main__":
    main()
