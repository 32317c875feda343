"""Time importing the labels of 12,000 filters, a row each, as another method would write them.

The network is of EfficientNet-Lite0's size; labels are drawn from ImageNet's. Each import runs in a process of its own,
alternating with one that builds the KG of the package's demo profile, so that the ratio holds on any machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import numpy as np

from filtag_kg.concepts import preferred_labels, wordnet
from filtag_kg.network import imagenet_class_ids

LAYERS = {f"block{i}": size for i, size in enumerate([32, 16, *[144, 40] * 5, *[480, 96] * 5, *[1152, 192] * 6, 320])}
COMMAND = "import sys; sys.argv[0] = 'filtag'; from filtag_kg.cli import main; main()"


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; ", end="")
    print(f"Python {platform.python_version()}; medians of {options.rounds} rounds\n")
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        write_labels(room / "labels.csv", options.rows, options.seed)
        demo = files("filtag_kg.demo").joinpath("efficientnet-lite0.npz")
        cases = {
            "build of the demo": ["build", str(demo), "-o", str(room / "demo"), "--force", "-q"],
            f"import of {options.rows:,} rows": [
                "import",
                str(room / "labels.csv"),
                "-o",
                str(room / "kg"),
                "--force",
                "-q",
            ],
        }
        times = [{name: seconds(arguments) for name, arguments in cases.items()} for _ in range(options.rounds)]
    print("| process | s | of a processor | × the demo's build |\n|---|--:|--:|--:|")
    for name in cases:
        wall, processor = (statistics.median(each[name][kind] for each in times) for kind in (0, 1))
        ratio = statistics.median(each[name][1] / each["build of the demo"][1] for each in times)
        print(f"| {name} | {wall:.1f} | {processor:.1f} | {ratio:.2f} |")


def write_labels(path: Path, rows: int, seed: int) -> None:
    """Write a row for each filter, with a score, in CLIP-Dissect's format."""
    names = sorted(set(preferred_labels(imagenet_class_ids(), wordnet())))
    random = np.random.default_rng(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["layer", "unit", "description", "similarity"])
        filters = [(layer, unit) for layer, size in LAYERS.items() for unit in range(size)]
        for number in range(rows):
            layer, unit = filters[number % len(filters)]
            writer.writerow([layer, unit, random.choice(names), f"{random.random():.5f}"])


def seconds(arguments: list[str]) -> tuple[float, float]:
    """Return how long a process takes, and how much of a processor's time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
