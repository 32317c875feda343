"""Write the tables in docs/reference/networks.md: named networks' layers, and where their feature maps are taken.

All of Keras' networks, and some of each usual family of torchvision and timm. They are built without downloading
weights; this takes about five minutes and 3 GB of memory.
With ``--check``, write nothing and exit with code 1 if the table is stale.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from filtag_kg.network import import_keras, network_names
from filtag_kg.network.feature_map import select_layers
from filtag_kg.network.keras import named_keras_source
from filtag_kg.network.network import Source
from filtag_kg.network.torch import named_torch_source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "networks.md"
START, END = "<!-- table -->\n", "<!-- end of table -->\n"
TORCH_START, TORCH_END = "<!-- table of PyTorch -->\n", "<!-- end of table of PyTorch -->\n"
TORCH_NAMES = (
    "torchvision:resnet18",
    "torchvision:resnet50",
    "torchvision:vgg16",
    "torchvision:densenet121",
    "torchvision:mobilenet_v2",
    "torchvision:mobilenet_v3_large",
    "torchvision:efficientnet_b0",
    "torchvision:regnet_x_400mf",
    "torchvision:regnet_y_400mf",
    "torchvision:convnext_tiny",
    "torchvision:inception_v3",
    "torchvision:shufflenet_v2_x1_0",
    "timm:convnext_tiny.fb_in1k",
    "timm:dm_nfnet_f0.dm_in1k",
    "timm:efficientnet_b0.ra_in1k",
    "timm:resnetv2_50x1_bit.goog_in21k",
)
HEAD = (
    "| network | input | layers | filters | 1 × 1 | with depthwise | feature maps are taken after |\n"
    "|---|---|---|---|---|---|---|\n"
)


def main() -> int:
    """Write the tables into the page, or with --check compare them."""
    check = checking()
    old = PAGE.read_text(encoding="utf-8")
    new = with_table(old, TORCH_START, TORCH_END, [torch_row(name) for name in TORCH_NAMES])
    new = with_table(new, START, END, rows())
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        print(f"stale: {PAGE.name}: run python {Path(__file__).name}", file=sys.stderr)
        return 1
    return 0


def with_table(page: str, start: str, end: str, lines: list[str]) -> str:
    """Return the page with the rows of a table in place of those between two comments."""
    before, _, rest = page.partition(start)
    return before + start + HEAD + "".join(lines) + end + rest.partition(end)[2]


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
    """Return the row of one of Keras' networks, as a line of Markdown."""
    source = named_keras_source(name, 0)
    shapes = {tensor: value.shape[1:3] for tensor, value in source.tensors.items()}
    return line_of(source, shapes)


def torch_row(name: str) -> str:
    """Return the row of a network of torchvision or timm, as a line of Markdown."""
    source = named_torch_source(name, 0)
    shapes = {node.name: node.meta["shape"][2:] for node in source.graph.nodes if "shape" in node.meta}
    return line_of(source, shapes)


def line_of(source: Source, shapes: Mapping[str, Sequence[int | None]]) -> str:
    """Return a network's row, given the height and width of each feature map."""
    name = source.name
    height, width = source.preparation.size
    layers = select_layers(source.steps, "conv", name)
    every = select_layers(source.steps, "all", name)
    pixels = sum(tuple(shapes[layer.feature_map]) == (1, 1) for layer in layers)
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
