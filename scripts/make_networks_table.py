"""Write the table in docs/networks.md: every named network's layers, and where their feature maps are taken.

Keras builds each network without downloading weights; this takes about five minutes and 3 GB of memory.
With ``--check``, write nothing and exit with code 1 if the table is stale.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from pathlib import Path

from filtag_kg.network import import_keras, network_names
from filtag_kg.network.feature_map import select_layers
from filtag_kg.network.keras import named_keras_source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "networks.md"
START, END = "<!-- table -->\n", "<!-- end of table -->\n"
HEAD = (
    "| network | input | layers | filters | 1 × 1 | with depthwise | feature maps are taken after |\n"
    "|---|---|---|---|---|---|---|\n"
)


def main() -> int:
    """Write the table into the page, or with --check compare it."""
    check = checking()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    table, _, after = rest.partition(END)
    current = HEAD + "".join(rows())
    if not check:
        PAGE.write_text(before + START + current + END + after, encoding="utf-8")
    elif table != current:
        print(f"stale: {PAGE.name}: run python {Path(__file__).name}", file=sys.stderr)
        return 1
    return 0


def checking() -> bool:
    """Return whether --check is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    return bool(parser.parse_args().check)


def rows() -> list[str]:
    """Return the row of every network; one network is in memory at a time."""
    lines = []
    for name in network_names():
        lines.append(row(name))
        import_keras().backend.clear_session()
        gc.collect()
    return lines


def row(name: str) -> str:
    """Return one network's row, as a line of Markdown."""
    source = named_keras_source(name, None)
    height, width = source.preparation.size
    layers = select_layers(source.steps, "conv", name)
    every = select_layers(source.steps, "all", name)
    pixels = sum(tuple(source.tensors[layer.feature_map].shape[1:3]) == (1, 1) for layer in layers)
    # The most frequent first, and of equally frequent ones that which comes first in the network.
    chains = Counter(layer.taken_after for layer in layers).most_common()
    cells = (
        f"`{name}`",
        f"{height} × {width}",
        len(layers),
        f"{sum(layer.n_filters for layer in layers):,}",
        pixels or "",
        f"{len(every)}, {sum(layer.n_filters for layer in every):,}" if len(every) > len(layers) else "",
        "; ".join(f"{chain} ×{times}" for chain, times in chains),
    )
    return "| " + " | ".join(map(str, cells)) + " |\n"


if __name__ == "__main__":
    sys.exit(main())
