"""Make the demo's pictures: what the surest filters of EfficientNet-Lite0 look for, made from the network alone.

    filtag demo -o demo-kg
    python scripts/make_demo_pictures.py demo-kg

Needs the cpu extra. Draws what the KG has no pictures of yet, and writes small JPEGs and their table beside the demo's
profile. No image goes into them, only the network's weights, so no licence of images applies.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from filtag_kg.explain import add_visualizations, find_layer, visualize
from filtag_kg.explain.filter_objective import filter_objective
from filtag_kg.kg import KG, Visualization, open_kg, read_visualizations
from filtag_kg.network import Network, load_network
from filtag_kg.report import Pages
from filtag_kg.report.urls import FileUrls
from filtag_kg.views import load_kg

TARGET = Path(__file__).resolve().parent.parent / "filtag_kg" / "demo" / "pictures"
METHOD = "feature-visualisation"
QUALITY = 62
COLUMNS = ("layer", "filter", "method", "seed", "steps", "activation", "file")


def main() -> None:
    """Write filtag_kg/demo/pictures/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kg", type=Path, metavar="demo-kg")
    kg = open_kg(parser.parse_args().kg)
    network = load_network("efficientnet-lite0")
    pictures = drawn(kg, network, surest(kg))
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.jpg"):
        old.unlink()
    with (TARGET / "pictures.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in pictures:
            name = f"{row.layer}-{row.filter}.jpg"
            content = jpeg((kg.path / row.file).read_bytes())
            (TARGET / name).write_bytes(content)
            activation = f"{activation_of(network, row, content):.6g}"
            table.writerow([row.layer, row.filter, row.method, row.seed, row.steps, activation, name])
    size = sum(path.stat().st_size for path in TARGET.iterdir())
    print(f"{TARGET}: {len(pictures)} pictures, {size / 1000:.0f} kB")


def surest(kg: KG) -> list[tuple[str, int]]:
    """Return the filters that the first page opens with."""
    loaded = load_kg(kg)
    cards = Pages(loaded, FileUrls()).galleries.of_network(kg.manifest["network"])
    return [(card.layer, card.filter) for card in cards]


def drawn(kg: KG, network: Network, filters: list[tuple[str, int]]) -> list[Visualization]:
    """Return the pictures of some filters, after making those that the KG lacks."""
    known = {(row.layer, row.filter): row for row in read_visualizations(kg) if row.method == METHOD}
    for layer, filter_ in filters:
        if (layer, filter_) not in known:
            made = visualize(network, layer, [filter_], methods=[METHOD])
            known |= {(row.layer, row.filter): row for row in add_visualizations(kg, network, made)}
    return [known[each] for each in filters]


def jpeg(png: bytes) -> bytes:
    """Return a picture as a small JPEG."""
    content = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(content, "JPEG", quality=QUALITY, optimize=True)
    return content.getvalue()


def activation_of(network: Network, row: Visualization, content: bytes) -> float:
    """Return the mean of a filter's feature map over a picture as the JPEG has it."""
    layer = find_layer(network, row.layer)
    function = network.differentiable(layer)
    objective = filter_objective(function)
    measure = function.compile(lambda _gradient, pixels, chosen: objective(pixels / 255.0, chosen)[1:])
    pixels = np.asarray(Image.open(io.BytesIO(content)), np.float32)[None]
    (activations,) = measure(pixels, np.eye(layer.n_filters, dtype=np.float32)[[row.filter]])
    return float(function.to_numpy(activations)[0])


if __name__ == "__main__":
    main()
