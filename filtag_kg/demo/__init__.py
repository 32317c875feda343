"""The profile that the package brings, so that everything after the pass can be tried at once, and a few pictures.

``scripts/make_demo_profile.py`` makes the profile; its metadata says of which network and images. The pictures show
what the surest filters look for: ``scripts/make_demo_pictures.py`` makes them from the network alone, so that no image
with a licence of its own is among them.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from filtag_kg.jobs import build_from_profile
from filtag_kg.kg import KG, Visualization, describe_visualizations, write_visualizations
from filtag_kg.profile import Profile, load_profile
from filtag_kg.tags import Rule
from filtag_kg.views import KnowledgeGraph

__all__ = ["DEMO_RULES", "build_demo", "demo_kg", "demo_pictures", "demo_profile"]

_FOLDER = Path(__file__).parent

DEMO_RULES = (Rule("q", 0.01, "contrast"), Rule("k", 1))
"""First by contrast, because a few filters are active for every image: by the paper's k = 1, the other rule, five
filters of the last layer collect nearly all of the classes and say nothing."""


def demo_profile() -> Profile:
    """Return the profile of EfficientNet-Lite0 over 200 classes of Tiny ImageNet, means alone, in half precision."""
    return load_profile(_FOLDER / "efficientnet-lite0.npz")


def demo_pictures(network: str) -> tuple[list[Visualization], list[bytes]]:
    """Return what the surest filters of the demo's network look for, and a PNG of each.

    Parameters
    ----------
    network : str
        The network's identifier in the KG.
    """
    from PIL import Image

    rows, pngs = [], []
    with (_FOLDER / "pictures" / "pictures.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.append(
                Visualization(
                    network,
                    row["layer"],
                    int(row["filter"]),
                    row["method"],
                    int(row["seed"]),
                    int(row["steps"]),
                    float(row["activation"]),
                )
            )
            content = io.BytesIO()
            with Image.open(_FOLDER / "pictures" / row["file"]) as picture:
                picture.save(content, "PNG", optimize=True)
            pngs.append(content.getvalue())
    return rows, pngs


def build_demo(output: Path, *, force: bool = False) -> KG:
    """Build the demo's KG with its pictures.

    Raises
    ------
    FiltagError
        If the output exists.
    """
    kg = build_from_profile(demo_profile(), list(DEMO_RULES), output, force=force)
    write_visualizations(kg, *demo_pictures(kg.manifest["network"]))
    return describe_visualizations(kg)


def demo_kg(output: Path | str = "demo-kg") -> KnowledgeGraph:
    """Open the KG of the demo; where the directory is not there, build it, which takes about half a minute.

    Raises
    ------
    FiltagError
        If something else is in the directory.

    Examples
    --------
    >>> demo_kg().query("filters-by-concept", concept="dog")  # doctest: +SKIP
    """
    path = Path(output)
    if not path.exists():
        build_demo(path)
    return KnowledgeGraph(path)
