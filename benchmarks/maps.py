"""Time the pass over the exemplars, which finds where in them filters respond, against the pass over all images.

    python benchmarks/maps.py --images train.tar [--network NET] [--n-images N]

In one process: the pass over N images; thumbnails of its exemplars alone; then thumbnails, maps and regions. Processor
time, which other work on the machine hardly changes; the measurement of receptive fields, which does not depend on the
images, is timed apart. Peak memory is that of the process after each step.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from filtag_kg.images import ImageSet, open_images
from filtag_kg.kg.exemplar_pass import write_exemplars
from filtag_kg.network import load_network, receptive_fields
from filtag_kg.profile import PassOptions, collect

BATCH_SIZE = 32


def timed(step: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a step returns, its processor time in seconds, and the peak memory so far in MB."""
    start = time.process_time()
    result = step()
    return result, time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def some(images: ImageSet, n_images: int) -> ImageSet:
    """Keep as many images of each class."""
    per_class = max(2, n_images // len(images.classes))
    seen: dict[str, int] = {}
    chosen = []
    for image in images.images:
        seen[image.class_id] = seen.get(image.class_id, 0) + 1
        if seen[image.class_id] <= per_class:
            chosen.append(image)
    return images.only(chosen)


def main() -> None:
    """Measure, and print a table and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--n-images", type=int, default=2000)
    options = parser.parse_args()
    network = load_network(options.network, quiet=True)
    with open_images(options.images, log=False) as opened:
        images = some(opened, options.n_images)
        profile, pass_s, pass_mb = timed(lambda: collect(network, images, PassOptions(batch_size=BATCH_SIZE)))
        n_exemplars = len(profile.exemplars.names)
        height, width = network.input_size
        noise = np.random.default_rng(0).integers(0, 256, (BATCH_SIZE, height, width, network.preparation.channels))
        reader = network.map_reader(BATCH_SIZE)
        _, fields_s, _ = timed(lambda: receptive_fields(network, reader, noise.astype(np.uint8), batch_size=BATCH_SIZE))
        with tempfile.TemporaryDirectory() as thumbnails, tempfile.TemporaryDirectory() as maps:
            _, thumbnails_s, _ = timed(lambda: write_exemplars(profile, images, Path(thumbnails)))
            _, maps_s, maps_mb = timed(lambda: write_exemplars(profile, images, Path(maps), network))
    n_images = len(images.images)
    each = (maps_s - fields_s) / n_exemplars / (pass_s / n_images)
    print(
        f"{network.identifier}, {network.n_filters:,} filters, batches of {BATCH_SIZE}; {platform.machine()}, ", end=""
    )
    print(f"{os.cpu_count()} processors, Python {platform.python_version()}, numpy {version('numpy')}\n")
    print("| step | images | processor time, s | images / s | peak memory, MB |\n|---|---|---|---|---|")
    print(f"| the pass | {n_images:,} | {pass_s:.1f} | {n_images / pass_s:.1f} | {pass_mb:.0f} |")
    print(f"| thumbnails alone | {n_exemplars:,} | {thumbnails_s:.1f} | {n_exemplars / thumbnails_s:.1f} | |")
    print(
        f"| thumbnails and maps | {n_exemplars:,} | {maps_s:.1f} | {n_exemplars / maps_s:.1f} | {maps_mb:.0f} |\n"
        f"| of that, receptive fields | | {fields_s:.1f} | | |\n"
    )
    print(f"an exemplar takes {each:.2f} of the time of an image in the pass; receptive fields, that of ", end="")
    print(f"{fields_s / (pass_s / n_images):.0f} images")


if __name__ == "__main__":
    main()
