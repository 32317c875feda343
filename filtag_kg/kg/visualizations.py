"""Pictures of what filters look for: a table and a PNG a row, added to a KG that is there."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filtag_kg.csv_table import TEXT, Cell, file_beside, one_of, real, whole
from filtag_kg.files import only_writer, remove_leftovers, writing
from filtag_kg.kg.kg import KG, open_kg
from filtag_kg.kg.manifest import write_manifest
from filtag_kg.kg.runs import runs_of
from filtag_kg.kg.tables import Table

VISUALIZATION_METHODS = ("activation-maximisation", "feature-visualisation")

_FOLDER = "visualizations"
# To add a run to a large KG takes minutes, and the picture is dear.
PATIENCE_S = 600.0


def _png_beside(cell: str) -> str:
    if not cell.endswith(".png"):
        raise ValueError
    return file_beside(cell)


@dataclass(frozen=True, slots=True)
class Visualization:
    """A picture of what a filter looks for, and how it was made.

    Parameters
    ----------
    network : str
        The network's identifier, as in ``tags.csv``.
    method : str
        One of `VISUALIZATION_METHODS`.
    seed, steps : int
        What the picture started from, and how often it was changed.
    activation : float
        The mean of the filter's feature map over the picture as it is in the PNG, not scaled.
    file : str
        The PNG, from the KG's directory: ``visualizations/….png``, of letters that need no escape in a URL. In the
        table it is named from the table's own folder. Empty where the picture is not stored yet.
    """

    network: str
    layer: str
    filter: int
    method: str
    seed: int
    steps: int
    activation: float
    file: str = ""

    def __post_init__(self) -> None:
        """Refuse what no picture can be."""
        if self.method not in VISUALIZATION_METHODS:
            raise ValueError(f"no method {self.method!r}: it is one of {', '.join(VISUALIZATION_METHODS)}")
        if self.filter < 0 or self.steps < 0 or self.seed < 0:
            raise ValueError(f"filter, steps and seed count from 0, got {self.filter}, {self.steps}, {self.seed}")

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What a KG has one picture of: network, layer, filter and method."""
        return self.network, self.layer, self.filter, self.method


VISUALIZATIONS = Table(
    "visualizations.csv",
    Visualization,
    {
        "network": TEXT,
        "layer": TEXT,
        "filter": whole(),
        "method": one_of(VISUALIZATION_METHODS),
        "seed": whole(most=2**63 - 1),
        "steps": whole(),
        "activation": real(),
        "file": Cell(_png_beside, "a PNG beside the table"),
    },
    advice="delete its folder and make the pictures again",
)


def read_visualizations(kg: KG) -> tuple[Visualization, ...]:
    """Return the pictures that a KG holds, sorted by network, layer, filter and method.

    Pictures that came with a build that was added are among them; of two of one key that of the KG itself stays. Those
    of a network whose last run was removed are not.

    Raises
    ------
    FiltagError
        If a table is damaged.
    """
    folders = [build["folder"] for build in kg.manifest.get("added", ())]
    networks = {run.network for run in runs_of(kg)}
    rows: dict[tuple[str, str, int, str], Visualization] = {}
    for folder in [*reversed(folders), ""]:
        pictures_folder = f"{folder}/{_FOLDER}" if folder else _FOLDER
        for row in _read_table(kg.path / pictures_folder / VISUALIZATIONS.file_name):
            if row.network in networks:
                rows[row.key] = replace(row, file=f"{pictures_folder}/{row.file}")
    return tuple(sorted(rows.values(), key=lambda row: row.key))


def write_visualizations(
    kg: KG, visualizations: Sequence[Visualization], pngs: Sequence[bytes]
) -> tuple[Visualization, ...]:
    """Add pictures to a KG, in the place of those of the same network, layer, filter and method.

    The table changes in one step, so a picture is there with its row or not at all. While another process changes
    the KG, it waits.

    Parameters
    ----------
    visualizations : sequence of Visualization
        What their `file` says does not matter.
    pngs : sequence of bytes, as many
        The content of their files.

    Returns
    -------
    tuple of Visualization
        The same, with the files that they are in.

    Raises
    ------
    FiltagError
        If the table is damaged, the folder cannot be written, or another process holds the KG for minutes.
    """
    folder = kg.path / _FOLDER
    named = [replace(row, file=_file_name(row, png)) for row, png in zip(visualizations, pngs, strict=True)]
    with only_writer(kg.path, wait_s=PATIENCE_S):
        manifest = open_kg(kg.path).manifest
        path = folder / VISUALIZATIONS.file_name
        rows = {row.key: row for row in [*_read_table(path), *named]}
        # A picture's name tells its content: until the table names the new ones, it is right about the old ones.
        for row, png in zip(named, pngs, strict=True):
            with writing(folder / row.file) as file:
                file.write(png)
        with writing(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            VISUALIZATIONS.write([rows[key] for key in sorted(rows)], text)
            text.detach()
        # The replaced, and what an interrupted run left.
        for unused in set(folder.glob("*.png")) - {folder / row.file for row in rows.values()}:
            unused.unlink(missing_ok=True)
        remove_leftovers(folder)
        if "files" in manifest:
            written = {f"{_FOLDER}/{name}" for name in (VISUALIZATIONS.file_name, *(row.file for row in named))}
            known = {name: record for name, record in manifest["files"].items() if name not in written}
            write_manifest(kg.path, manifest, known=known)
    return tuple(replace(row, file=f"{_FOLDER}/{row.file}") for row in named)


def _read_table(path: Path) -> list[Visualization]:
    if not path.exists():
        return []
    return list(VISUALIZATIONS.read(path))


def _file_name(row: Visualization, png: bytes) -> str:
    """Return a name that people can read, that no layer's name can escape, and that is another for another picture."""
    digest = hashlib.sha256("\0".join(map(str, row.key)).encode() + b"\0" + png).hexdigest()[:16]
    layer = re.sub(r"[^A-Za-z0-9_-]+", "-", row.layer)[:60].strip("-")
    return f"{layer or 'layer'}-{row.filter}-{row.method}-{digest}.png"
