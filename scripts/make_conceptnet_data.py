"""Write the excerpt of ConceptNet that `filtag_kg.concepts` embeds, from a file of English edges.

The file is gzipped, with tab-separated columns under a header: start, relation, end, and the sets that state it with
``|`` between them. The sets are

cn57  ConceptNet 5.7, around 165 classes of ImageNet and AwA      (China-UK-ZSL/Resources_for_KZSL)
cn5   ConceptNet 5, around household things                       (IBM/commonsense-rl)
omcs  ConceptNet 4's statements of Open Mind Common Sense, CN-100K (Li et al. 2016, as BinWang28/InductivE holds it)

Left out are *ReceivesAction*, what is stated about a phrase of more than four words, and ends of more than five. The
same file gives the same bytes::

    python scripts/make_conceptnet_data.py english-edges.tsv.gz

The second file, ``usual-ends.tsv``, says which kinds of things the ends of a relation usually are: see
`filtag_kg/concepts/end_senses.py`.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
from collections import Counter, defaultdict
from pathlib import Path

from filtag_kg.concepts.conceptnet.excerpt import DATASETS
from filtag_kg.concepts.ends import NOUN_RELATIONS, Refusal, read_end
from filtag_kg.concepts.source import RELATIONS
from filtag_kg.concepts.terms import standard_text
from filtag_kg.concepts.wordnet import wordnet

OUTPUT = Path(__file__).resolve().parent.parent / "filtag_kg" / "concepts" / "data"
LETTERS = dict(zip(("cn57", "cn5", "omcs"), DATASETS, strict=True))
MOST_WORDS = {"start": 4, "end": 5}


def main() -> None:
    """Write the two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edges", type=Path)
    options = parser.parse_args()
    statements = read_statements(options.edges)
    lines = excerpt_lines(statements)
    packed = lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)
    (OUTPUT / "conceptnet-english.tsv.xz").write_bytes(packed)
    (OUTPUT / "usual-ends.tsv").write_text("\n".join(usual_ends(statements)) + "\n", encoding="ascii")
    print(f"{len(statements):,} statements, {len(packed) / 1e6:.2f} MB")


def read_statements(path: Path) -> dict[tuple[str, str, str], str]:
    """Return the letters of the data sets by start, relation and end."""
    statements: dict[tuple[str, str, str], str] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        next(file)
        for line in file:
            start, relation, end, sets = line.rstrip("\n").split("\t")
            start, end = standard_text(start), standard_text(end)
            few = start.count("_") < MOST_WORDS["start"] and end.count("_") < MOST_WORDS["end"]
            if relation in RELATIONS and few and start and end and start != end:
                letters = {LETTERS[name] for name in sets.split("|")} | set(statements.get((start, relation, end), ""))
                statements[start, relation, end] = "".join(sorted(letters))
    return statements


def excerpt_lines(statements: dict[tuple[str, str, str], str]) -> list[str]:
    """Return the lines of the excerpt."""
    ends: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (start, relation, end), letters in sorted(statements.items()):
        ends[start, relation].append(f"{end}:{letters}")
    return [f"{start}\t{relation}\t{' '.join(of)}" for (start, relation), of in ends.items()]


def usual_ends(statements: dict[tuple[str, str, str], str]) -> list[str]:
    """Return the lines that count ends with one sense, by relation, WordNet file of the start and of the end."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for start, relation, end in statements:
        if relation == "PartOf":
            start, relation, end = end, "HasA", start
        about = wordnet().senses(start)
        if relation not in NOUN_RELATIONS or not about:
            continue
        read = read_end(relation, end)
        if not isinstance(read, Refusal) and len(senses := wordnet().senses(read.base)) == 1:
            files = (wordnet().lexicographer_file(concept) for concept in (about[0].concept, senses[0].concept))
            counts[relation, *files] += 1
    return ["\t".join([*key, str(number)]) for key, number in sorted(counts.items())]


if __name__ == "__main__":
    main()
