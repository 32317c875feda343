"""Print our figures beside those of FILTAG's paper, as docs/paper.md has them.

It needs a KG of the tags that FILTAG's authors published, a KG of EfficientNet-Lite0 with the rules k=1 and a rule by
contrast, such as that of filtag demo, and the folder of filtag evaluate on test images.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from filtag_kg.explain import HitsRow, read_evaluation
from filtag_kg.kg import open_kg
from filtag_kg.report import Proportion
from filtag_kg.views import LoadedKg, load_kg

SHOWN = (1, 5, 10, 50, 100)
RULES = ("k=1", "k=5", "k=25", "q=0.05", "q=0.25")
SHEET = 100
"""FILTAG's authors looked at the first hundred filters."""


def main() -> None:
    """Read both KGs and the evaluation, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg", type=Path, required=True, help="KG of FILTAG's tags of VGG16's last convolution")
    parser.add_argument("--kg", type=Path, required=True, help="KG of EfficientNet-Lite0")
    parser.add_argument("--hits", type=Path, required=True, help="folder of filtag evaluate")
    options = parser.parse_args()
    vgg, ours = (load_kg(open_kg(path)) for path in (options.vgg, options.kg))
    rows, record = read_evaluation(options.hits, ours.networks)
    if record is not None:
        print(f"{record.network}: {record.n_images:,} images of {record.images}, {record.resamples:,} resamples\n")
    for lines in (tags_table(vgg, ours), hits_table(rows), sheet(vgg)):
        print(*lines, "", sep="\n")


def tags_table(*kgs: LoadedKg) -> Iterator[str]:
    """Yield the filters and tags of the last layer by each rule."""
    yield "| network | rule | filters | tagged | with two or more tags | clear theme |"
    yield "|---|---|--:|--:|--:|--:|"
    for loaded in kgs:
        for table in loaded.runs.values():
            network = loaded.networks[table.run.network]
            counts = np.diff(table.of_filter[network.offsets[-2] :])
            several, coherent = int((counts > 1).sum()), len(list(table.concepts_of_layer(last_layer(loaded))))
            cells = f"{len(counts):,} | {(counts > 0).sum():,} | {several:,} | {share(Proportion(coherent, several))}"
            yield f"| {network.label}, {network.layer_names[-1]} | `{table.run.rule}` | {cells} |"


def last_layer(loaded: LoadedKg) -> range:
    """Return the columns of the filters of the first network's last layer."""
    network = next(iter(loaded.networks.values()))
    return range(int(network.offsets[-2]), int(network.offsets[-1]))


def hits_table(rows: list[HitsRow]) -> Iterator[str]:
    """Yield Hits@n in per cent with its interval."""
    yield f"| rule | layers | {' | '.join(f'n={n}' for n in SHOWN)} |"
    yield "|---|---" + "|--:" * len(SHOWN) + "|"
    for rule in RULES:
        for layers in ("all", "last"):
            by_n = {row.n: row for row in rows if (row.rule, row.layers) == (rule, layers)}
            yield f"| `{rule}` | {layers} | {' | '.join(cell(by_n[n]) for n in SHOWN)} |"


def cell(row: HitsRow) -> str:
    """Return a figure with its interval."""
    return f"{100 * row.hits:.1f} ({100 * (row.hits_low or 0):.1f} to {100 * (row.hits_high or 0):.1f})"


def sheet(vgg: LoadedKg) -> Iterator[str]:
    """Yield what the test says of the filters that FILTAG's authors looked at."""
    table = next(iter(vgg.runs.values()))
    several = [column for column in range(SHEET) if table.n_tags(column) > 1]
    coherent = {column for column, _ in table.concepts_of_layer(range(SHEET))}
    found = Proportion(len(coherent & set(several)), len(several))
    yield f"filters 0 to {SHEET - 1} of VGG16, with two or more tags and a clear theme: {share(found)}"


def share(part: Proportion) -> str:
    """Return a proportion in words."""
    if part.value is None or part.low is None or part.high is None:
        return "–"
    return f"{part.count:,} of {part.total:,}: {part.value:.0%} ({part.low:.0%} to {part.high:.0%})"


if __name__ == "__main__":
    main()
