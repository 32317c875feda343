"""Measure the report at VGG16's size on ImageNet's classes: 4,224 filters, each class tagging a share of each layer.

The tags are synthetic but realistic: some filters stand for one kind of thing, others for any. Printed are
the time for all pages and plots, the largest page, and, in the same process, the time to write as many files
of the same sizes.
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

import numpy as np
from concepts import vgg16_tags
from graph import say
from inputs import names_of

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.kg import KG, Provenance, build_kg, open_kg
from filtag_kg.report import Site, semantic_report, write_report
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
    """Write the report, then as many bytes again."""
    counts = kg.manifest["counts"]
    print(f"{counts['filters']:,} filters, {counts['tags']:,} tags, {counts['classes']:,} classes\n")
    start = time.perf_counter()
    loaded = load_kg(kg)
    report = semantic_report([loaded])
    site = Site(loaded, report.grouped)
    read = time.perf_counter() - start
    write_report(report, room / "report", sites=[site])
    seconds = time.perf_counter() - start
    pages = [(path.relative_to(room / "report"), path.read_bytes()) for path in (room / "report").rglob("*.html")]
    start = time.perf_counter()
    for name, content in pages:
        path = room / "again" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    written = time.perf_counter() - start
    largest = max(pages, key=lambda page: len(page[1]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(pages):,} pages, {sum(len(content) for _, content in pages) / 1e6:,.0f} MB; read in {read:.1f} s")
    say("the report", f"{seconds:.1f} s, {peak:.1f} GiB of memory at most", "< 60 for 4,224 filters", seconds < 60)
    say("the largest page", f"{len(largest[1]) / 1000:.0f} kB, {largest[0]}", "< 500", len(largest[1]) < 500_000)
    print(f"writing the same bytes takes {written:.1f} s: the report takes {seconds / written:.0f} times as long")


if __name__ == "__main__":
    main()
