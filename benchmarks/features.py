"""Measure what ConceptNet adds to filters: kinds, parts, materials, uses, properties, places and abilities.

On tags (with --tags FILTAG's own of the last convolution of VGG16, otherwise the demo's) and the embedded excerpt:

- what each rule removes: statements whose ends are refused, rows of statements that are not believed;
- the features that filters share at q < 0.05, by relation, and the same for tags shuffled over the filters;
- the ablation: how many features and filters there are without each rule, and how those were judged that were read
  (``docs/judged/features-*.csv``);
- that WordNet's hierarchy is the same with and without ConceptNet, and so is the answer to ``filters-by-concept
  concept=fish``; how much larger the KG gets, and how much longer it takes to build.

``--sample FILE`` writes 100 features drawn with the seed, to be judged: *good*, *empty* (true, but it tells nothing) or
*wrong* (of half of the classes or more) in the column *judgement*; those of a second reader, who knew neither the
first one's nor the rules, are in *second*. ``--sample-removed FILE`` writes features that one of the rules removes, 15
for each rule. ``concepts.py`` runs this, too.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
from inputs import demo_tags, names_of

from filtag_kg.concepts import (
    CommonConcept,
    ConceptSource,
    Hierarchy,
    Links,
    build_hierarchy,
    common_concepts,
    concept_source,
    ends,
    features,
    link_classes,
)
from filtag_kg.concepts.evidence import LEAST_EVIDENCE, EvidenceRules
from filtag_kg.kg import Provenance, build_kg
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.tags import TagTable, read_filtag_labels

SAMPLE = 100
SAMPLE_REMOVED = 15
COLUMNS = (
    "layer",
    "filter",
    "relation",
    "feature",
    "concept",
    "support",
    "tags",
    "q_value",
    "classes",
    "judgement",
    "note",
)
DOCS = Path(__file__).resolve().parent.parent / "docs"


@dataclass(frozen=True)
class Run:
    """Tags with their links, and the hierarchy above them in WordNet and ConceptNet."""

    tags: TagTable
    source: ConceptSource
    links: Links
    isa: Hierarchy

    def with_rules(self, rules: EvidenceRules, removed: Counter[tuple[str, str]] | None = None) -> Run:
        """Return the same with features by other rules."""
        above = {concept.id: self.isa.ancestors(concept.id) for concept in self.isa.concepts}
        _, conceptnet = self.source.members
        stated = features.stated_features(above, self.source, conceptnet, rules=rules, removed=removed)
        kept = [of for of in self.isa.features if of.source != conceptnet.name or of.relation == "IsA"]
        return replace(self, isa=replace(self.isa, features=(*kept, *stated)))

    def shared(self) -> list[CommonConcept]:
        """Return what filters share at q < 0.05."""
        return [row for row in common_concepts(self.tags, self.links, self.isa) if row.coherent()]


Shared = tuple[Run, CommonConcept]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="class ids and labels; default: ImageNet's classes, by WordNet")
    parser.add_argument("--tags", type=Path, help="tags as FILTAG's authors write them; default: the demo's")
    parser.add_argument("--all", action="store_true", help="the tags of all layers of the demo, by its first rule")
    parser.add_argument("--shuffles", type=int, default=20)
    parser.add_argument("--sample", type=Path, help="write features to be judged, and nothing else")
    parser.add_argument("--sample-removed", type=Path, help="write features that rules remove, and nothing else")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    tags = demo_tags(all_layers=options.all) if options.tags is None else tags_of(options.tags, options.names)
    if options.sample is not None:
        run = run_of(tags)
        write_sample(stated(run), options.sample, SAMPLE, random)
        return
    if options.sample_removed is not None:
        run = run_of(tags)
        write_sample(list(removed_features(run, random)), options.sample_removed, None, random)
        return
    name = "demo" if options.tags is None else "vgg16"
    measure_features(tags, options.shuffles, random, judged=DOCS / "judged" / f"features-{name}.csv")


def tags_of(path: Path, names: Path | None) -> TagTable:
    """Return the tags of a file of FILTAG's authors."""
    return read_filtag_labels(path, class_names=names_of(names))


def run_of(tags: TagTable, names: str = "wordnet,conceptnet") -> Run:
    """Return tags with links and hierarchy."""
    source = concept_source(names)
    links = link_classes(tags.class_ids, tags.class_labels, source)
    return Run(tags, source, links, build_hierarchy(links, source))


def measure_features(tags: TagTable, shuffles: int, random: np.random.Generator, *, judged: Path) -> dict[str, float]:
    """Print the tables; return the figures that have targets."""
    run = run_of(tags)
    removed: Counter[tuple[str, str]] = Counter()
    shared = run.with_rules(EvidenceRules(), removed).shared()
    print_removed(removed)
    figures = print_relations(run, shared, shuffles, random)
    figures |= print_ablation(run, judged)
    plain = run_of(tags, "wordnet")
    same = np.array_equal(plain.isa.below, run.isa.below) and plain.isa.parents == run.isa.parents
    n_stated = sum(len(of.edges) for of in run.isa.features if of.relation == "IsA")
    kinds = (run.isa.below.sum() + n_stated) / len(run.isa.class_ids)
    hierarchy = "the same" if same else "another"
    print(f"\nkinds above a class: {kinds:.1f}; WordNet's hierarchy is {hierarchy} with ConceptNet")
    return {**figures, "kinds": kinds, "same hierarchy": 100.0 * same, **measure_kgs(tags)}


def print_removed(removed: Counter[tuple[str, str]]) -> None:
    """Print what each rule removes, by relation."""
    rules = ("phrase", "type", "everything", "general", "echo", "evidence")
    print("\nstatements with refused ends, and rows that are not believed:\n")
    print(f"| relation | {' | '.join(rules)} |\n|---|{'--:|' * len(rules)}")
    for relation in LEAST_EVIDENCE:
        print(f"| {relation} | {' | '.join(f'{removed[relation, rule]:,}' for rule in rules)} |")


def print_relations(
    run: Run, shared: Sequence[CommonConcept], shuffles: int, random: np.random.Generator
) -> dict[str, float]:
    """Print how many filters share something by each relation, for real and for shuffled tags."""
    n_several = len({(row.layer, row.filter) for row in common_concepts(run.tags, run.links, run.isa)})
    of_shuffles = [
        Counter((row.relation, row.source) for row in replace(run, tags=shuffled(run.tags, random)).shared())
        for _ in range(shuffles)
    ]
    real = Counter((row.relation, row.source) for row in shared)
    print(f"\n| by | source | filters at q < 0.05 | of shuffled tags, mean of {shuffles} |\n|---|---|--:|--:|")
    most = 0.0
    for relation, source in sorted(real.keys() | set().union(*of_shuffles)):
        mean = float(np.mean([counts[relation, source] for counts in of_shuffles])) if of_shuffles else 0.0
        most = max(most, 100 * mean / max(n_several, 1))
        print(f"| {relation} | {source} | {real[relation, source]:,} | {mean:.2f} |")
    return {
        "shuffled features": most,
        "with conceptnet": real["IsA", "wordnet"],
        "stated kinds": real["IsA", "conceptnet"],
    }


def shuffled(tags: TagTable, random: np.random.Generator) -> TagTable:
    """Return the tags with permuted classes; a filter that gets a class twice has one tag fewer."""
    return replace(tags, class_=random.permutation(tags.class_))


def print_ablation(run: Run, judged: Path) -> dict[str, float]:
    """Print how many features there are without each rule, and how the judged ones of them were judged."""
    judgements = read_judgements(judged) | read_judgements(judged.with_stem(judged.stem + "-removed"))
    print("\n| rules | features | filters | judged | good | empty | wrong |\n|---|--:|--:|--:|--:|--:|--:|")
    figures: dict[str, float] = {}
    for name, rules, patched in ablations():
        with patched:
            rows = [row for _, row in stated(run.with_rules(rules))]
        filters = len({(row.layer, row.filter) for row in rows})
        known = Counter(judgement for row in rows if (judgement := judgements.get(key_of(row))))
        total = sum(known.values())
        shares = [100 * known[judgement] / max(total, 1) for judgement in ("good", "empty", "wrong")]
        print(
            f"| {name} | {len(rows):,} | {filters:,} | {total:,} | {' | '.join(f'{share:.0f} %' for share in shares)} |"
        )
        if not figures:
            figures = {"filters": filters}
            for reader, suffix in (("judgement", ""), ("second", " by the second")):
                sample = Counter(read_judgements(judged, reader).values())
                for judgement in ("good", "wrong"):
                    figures[judgement + suffix] = 100 * sample[judgement] / max(sum(sample.values()), 1)
    return figures


def ablations() -> Iterator[tuple[str, EvidenceRules, Any]]:
    """Yield the name of each variant, its rules, and a context in which it runs."""
    nothing = patch.object(features, "read_end", features.read_end)
    yield "all", EvidenceRules(), nothing
    yield "without *general*", EvidenceRules(general=False), nothing
    yield "without *echo*", EvidenceRules(echo=False), nothing
    yield "without *evidence*", EvidenceRules(least=dict.fromkeys(LEAST_EVIDENCE, 1), growing=False), nothing
    yield "evidence without agreement", EvidenceRules(agreement=False), nothing
    yield "evidence that need not grow", EvidenceRules(growing=False), nothing
    yield "ends of any type", EvidenceRules(), patch.object(features, "read_end", any_end)
    yield "ends that go with everything", EvidenceRules(), with_everything()
    yield "any sense of the start", EvidenceRules(), patch.object(features, "_means", lambda *_: True)


def any_end(relation: str, text: str, *, of_living: bool = False) -> ends.End | ends.Refusal:
    """Read an end as it stands, however long it is and whatever it is."""
    read = ends.read_end(relation, text, of_living=of_living)
    return ends.End(text, text, "v") if isinstance(read, ends.Refusal) and read != "everything" else read


@contextmanager
def with_everything() -> Iterator[None]:
    """Refuse no end because it goes with everything."""
    empty: dict[str, frozenset[str]] = dict.fromkeys(LEAST_EVIDENCE, frozenset())
    ends.read_end.cache_clear()
    with (
        patch.object(ends, "_EVERYTHING", empty),
        patch.object(ends, "_EMPTY_WITH_OBJECT", frozenset()),
        patch.object(ends, "_EMPTY_OBJECTS", frozenset()),
        patch.object(ends, "_PARTS_OF_ALL_ANIMALS", frozenset()),
    ):
        yield
    ends.read_end.cache_clear()


def measure_kgs(tags: TagTable) -> dict[str, float]:
    """Print how the KGs with and without ConceptNet differ: size, time to build, and the answer about fish."""
    seconds: dict[str, list[float]] = {"wordnet": [], "wordnet,conceptnet": []}
    quads: dict[str, int] = {}
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(3):
            for name in seconds:
                path = Path(folder, f"{name}-{turn}")
                start = time.perf_counter()
                kg = build_kg(path, tags, concept_source(name), Provenance(tags.network))
                seconds[name].append(time.perf_counter() - start)
                quads[name] = kg.manifest["counts"]["quads"]
                answers[name] = named_query(
                    LocalEndpoint(kg), find_query("filters-by-concept"), {"concept": "fish"}
                ).rows
    alone, both = seconds
    statements, times = quads[both] / quads[alone], median(seconds[both]) / median(seconds[alone])
    same = answers[alone] == answers[both]
    print(
        f"\nwith ConceptNet: {quads[both]:,} statements, {statements:.2f} × WordNet alone; built in "
        f"{median(seconds[both]):.1f} s, {times:.2f} ×; filters-by-concept concept=fish answers "
        f"{'the same' if same else 'something else'} ({len(answers[both])} filters)"
    )
    return {"statements": statements, "build": times, "same fish": 100.0 * same}


def stated(run: Run) -> list[Shared]:
    """Return the features that filters share at q < 0.05, each with the run it is of."""
    return [(run, row) for row in run.shared() if row.relation != "IsA" and row.source != "wordnet"]


def removed_features(run: Run, random: np.random.Generator) -> Iterator[Shared]:
    """Yield features that there are without some rule and not with all rules, at most 15 for each rule."""
    known = {key_of(row) for _, row in stated(run)}
    for _, rules, patched in ablations():
        with patched:
            other = run.with_rules(rules)
        rows = [shared for shared in stated(other) if key_of(shared[1]) not in known]
        drawn = [rows[at] for at in sorted(random.choice(len(rows), min(SAMPLE_REMOVED, len(rows)), replace=False))]
        known |= {key_of(row) for _, row in drawn}
        yield from drawn


def write_sample(rows: Sequence[Shared], path: Path, most: int | None, random: np.random.Generator) -> None:
    """Write features, some at random or all, with the classes behind them."""
    drawn = sorted(random.choice(len(rows), min(most or len(rows), len(rows)), replace=False))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for run, row in (rows[index] for index in drawn):
            classes = "; ".join(classes_behind(run, row))
            figures = (row.support, row.tags, f"{row.q_value:.2g}")
            writer.writerow((row.layer, row.filter, row.relation, row.label, row.concept, *figures, classes, "", ""))
    print(f"{path}: {len(drawn)} of {len(rows)} features of {len({key_of(row)[:2] for _, row in rows})} filters")


def classes_behind(run: Run, row: CommonConcept) -> list[str]:
    """Return the labels of the classes that tag a filter and have a feature."""
    of = next(of for of in run.isa.features if (of.relation, of.source) == (row.relation, row.source))
    tags, links, isa = run.tags, run.links, run.isa
    layer = tags.layer_names.index(row.layer)
    mine = np.unique(tags.class_[(tags.layer == layer) & (tags.filter == row.filter)])
    bearers = {concept for concept, has in of.of.items() if any(other.id == row.concept for other in has)}
    return [
        tags.class_labels[class_]
        for class_ in mine.tolist()
        if (link := links.get(tags.class_ids[class_])) is not None
        and not bearers.isdisjoint({link.concept, *isa.ancestors(link.concept)})
    ]


def read_judgements(path: Path, reader: str = "judgement") -> dict[tuple[str, int, str, str], str]:
    """Return a reader's judgement of each judged feature, by the column; nothing where there is no file."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["layer"], int(row["filter"]), row["relation"], row["concept"]): row[reader]
            for row in csv.DictReader(file)
        }


def key_of(row: CommonConcept) -> tuple[str, int, str, str]:
    """Return what identifies a feature of a filter."""
    return row.layer, row.filter, row.relation, row.concept


if __name__ == "__main__":
    sys.exit(main())
