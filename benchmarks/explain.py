"""Time an explanation of one image against a bare forward pass of the network.

    python benchmarks/explain.py [KG IMAGE]

By default, the KG is the demo's, built anew, and the image is synthetic.

The network is loaded beforehand. Nothing else is kept between two explanations: each reads the image, the profile and
the common concepts anew, as the command does.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from inputs import made_picture

from filtag_kg import Provenance, tag_filters, wordnet
from filtag_kg.demo import DEMO_RULES, demo_profile
from filtag_kg.explain import explain_image
from filtag_kg.images import decode
from filtag_kg.kg import KG, build_kg, open_kg
from filtag_kg.network import KerasEngine, import_keras, load_network, scaled


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the ratio and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kg", type=Path, nargs="?", metavar="KG")
    parser.add_argument("image", type=Path, nargs="?", metavar="IMAGE")
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        kg = open_kg(options.kg) if options.kg else demo_kg(Path(room) / "demo-kg")
        image = options.image or made_picture(Path(room) / "made.jpg", 0)
        measure(kg, image, options.network, options.rounds)


def demo_kg(path: Path) -> KG:
    """Build the demo's KG."""
    profile = demo_profile()
    tags = tag_filters(profile, DEMO_RULES, network=profile.metadata["identifier"])
    return build_kg(path, tags, wordnet(), Provenance.of_profile(profile), profile=profile)


def measure(kg: KG, image: Path, name: str, rounds: int) -> None:
    """Print the times and their ratio."""
    network = load_network(name)
    assert isinstance(network.engine, KerasEngine)
    model, ops = network.engine.model, import_keras().ops
    pixels = decode(image.read_bytes(), network.preparation)[None]

    def bare() -> object:
        return model(scaled(network.preparation.scaling, ops.cast(pixels, "float32")), training=False)

    def explain() -> object:
        return explain_image(kg, network, image, why=kg_class, not_=other_class)

    found = explain_image(kg, network, image)
    kg_class, other_class = found.labels[0].id, found.labels[1].id
    first = seconds(lambda: explain_image(open_kg(kg.path), load_network(name), image))
    times = [(seconds(bare), seconds(explain)) for _ in range(rounds + 1)][1:]
    bare_median, our_median = (statistics.median(column) for column in zip(*times, strict=True))
    packages = ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy"))
    versions = f"python {platform.python_version()}, {packages}"
    counts = kg.manifest["counts"]
    print(f"network        {network.identifier}, {len(network.layers)} layers, {network.n_filters} filters")
    print(f"KG             {counts['classes']} classes, {counts['tags']:,} tags, rules {', '.join(kg.rules)}")
    print(f"machine        {platform.machine()}, {os.cpu_count()} processors; {versions}")
    print(f"load + explain {first:6.2f} s")
    print(f"explain_image  {our_median:6.2f} s (median of {rounds}), with --why and --not")
    print(f"bare network   {bare_median:6.2f} s, one image, not compiled")
    print(f"ratio          {our_median / bare_median:6.2f}")


if __name__ == "__main__":
    main()
