"""Measure the report at VGG16's size on ImageNet's classes: 4,224 filters, each class tagging a share of each layer.

The tags are synthetic but realistic: some filters stand for one kind of thing, others for any. ``--kg`` takes a KG
instead. Printed are the time for all pages and plots, the room on the disk and the largest page; beside it, in the same
process, the same for a report with a page for every filter.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import numpy as np
from concepts import vgg16_tags
from graph import say
from inputs import names_of

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.kg import KG, Provenance, build_kg, open_kg
from filtag_kg.report import SemanticReport, Site, own_pages, semantic_report, write_report
from filtag_kg.views import load_kg


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="class ids and labels; default: ImageNet's classes, by WordNet")
    parser.add_argument("--kg", type=Path, help="a KG to report on instead")
    parser.add_argument("--share", type=float, default=0.05, help="of a layer's filters that each class tags, <= 0.25")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where there is room for 1 GB; default: the temporary folder")
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, Jinja2 {version('jinja2')}, ", end="")
    print(f"matplotlib {version('matplotlib')}")
    with tempfile.TemporaryDirectory(dir=options.folder) as room:
        kg = open_kg(options.kg) if options.kg else made_up(options.names, options.share, options.seed, Path(room))
        measure(kg, Path(room))


def made_up(names_path: Path | None, share: float, seed: int, room: Path) -> KG:
    """Build a KG of VGG16's size."""
    names = names_of(names_path)
    isa = build_hierarchy(link_classes(list(names), list(names.values()), wordnet()), wordnet())
    tags = vgg16_tags(names, isa, np.random.default_rng(seed))
    kept = tags.rank <= np.ceil(share * np.array(tags.n_filters))[tags.layer]
    columns = ("rule", "layer", "filter", "class_", "rank", "activation", "contrast")
    fewer = {name: getattr(tags, name)[kept] for name in columns}
    return build_kg(room / "kg", replace(tags, **fewer), wordnet(), Provenance("vgg16"))


def measure(kg: KG, room: Path) -> None:
    """Write the report as it is, and one with a page for every filter."""
    counts = kg.manifest["counts"]
    print(f"{counts['filters']:,} filters, {counts['tags']:,} tags, {counts['classes']:,} classes\n")
    start, before = time.perf_counter(), time.process_time()
    loaded = load_kg(kg)
    report = semantic_report([loaded])
    site = Site(loaded, report.grouped)
    read = time.perf_counter() - start
    seconds = read + written(report, site, room / "report")
    of_processor = time.process_time() - before
    megabytes = on_disk(room / "report")
    pages = {path.relative_to(room / "report"): path.stat().st_size for path in (room / "report").rglob("*.html")}
    largest = max(pages, key=lambda path: pages[path])
    with mock.patch.object(own_pages, "MOST_OWN_PAGES", counts["filters"]):
        every_seconds = read + written(report, site, room / "every")
    every = on_disk(room / "every")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"read in {read:.1f} s; at most {peak:.1f} GiB of memory")
    say("the report", f"{seconds:.1f} s, {of_processor:.1f} s of a processor", "< 20", seconds < 20)
    say("on the disk", f"{megabytes:.0f} MB", "< 100", megabytes < 100)
    say("the largest page", f"{pages[largest] / 1000:.0f} kB, {largest}", "< 500", pages[largest] < 500_000)
    print(
        f"with a page for every filter: {every_seconds:.1f} s and {every:.0f} MB, {every_seconds / seconds:.1f} and "
        f"{every / megabytes:.1f} times as much"
    )


def written(report: SemanticReport, site: Site, folder: Path) -> float:
    """Write a report, and return the seconds that it took."""
    start = time.perf_counter()
    write_report(report, folder, sites=[site])
    return time.perf_counter() - start


def on_disk(folder: Path) -> float:
    """Return the megabytes that a folder takes, in whole blocks, a file of several names once."""
    blocks = {status.st_ino: status.st_blocks for status in (path.lstat() for path in folder.rglob("*"))}
    return sum(blocks.values()) * 512 / 1e6


if __name__ == "__main__":
    main()
