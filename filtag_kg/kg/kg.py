"""A KG on disk: a directory that is whole or not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.files import is_leftover, only_writer
from filtag_kg.json_values import parse_json
from filtag_kg.kg.kg_html import kg_html
from filtag_kg.kg.manifest import MANIFEST
from filtag_kg.kg.manifest_shape import manifest_mistake
from filtag_kg.kg.store_process import StoreProcess
from filtag_kg.output_paths import check_directory_output

FORMAT_VERSION = 5
"""2: the graph has the shortcuts that named queries use. 3: a q-value stands with a filter's first concept alone; the
graph says of each concept how much each layer has to do with it."""

_KG_NAMES = {
    MANIFEST,
    "ablations",
    "added",
    "checks",
    "common.csv",
    "concepts.csv",
    "exemplars",
    "graph.nq.gz",
    "links.sssom.tsv",
    "mixed.csv",
    "profile.npz",
    "scores.csv",
    "store",
    "tags.csv",
    "visualizations",
}
# What file managers leave in a folder that somebody looks at.
_SYSTEM_NAMES = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class KG:
    """A knowledge graph that was built.

    Parameters
    ----------
    path : Path
        Its directory.
    manifest : mapping of str to JSON values
        What ``filtag.json`` says.
    """

    path: Path
    manifest: Mapping[str, Any]

    @property
    def graph_path(self) -> Path:
        """The whole graph as sorted N-Quads, compressed."""
        return self.path / "graph.nq.gz"

    @property
    def tags_path(self) -> Path:
        """The tag assignments."""
        return self.path / "tags.csv"

    @property
    def common_path(self) -> Path:
        """The common concepts."""
        return self.path / "common.csv"

    @property
    def concepts_path(self) -> Path:
        """The concepts by layer."""
        return self.path / "concepts.csv"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of the first build. Queries use the first of them by default.

        `filtag_kg.kg.runs_of` has those of added builds, too.
        """
        return tuple(run["rule"] for run in self.manifest["runs"] if "folder" not in run)

    @property
    def kinds_of(self) -> str:
        """The concept source whose kinds are the hierarchy of the first build: its first."""
        return str(self.manifest["parameters"]["concepts"]).partition(",")[0]

    def store_process(self) -> StoreProcess:
        """Return the store, which opens in a process of its own at the first query."""
        return StoreProcess(self.path, self.manifest.get("files", {}))

    def store(self) -> ox.Store:
        """Open the store in this process, read-only, with all that Oxigraph can do.

        Some damage makes Oxigraph end the process, or take all memory: `store_process` is safe from it.

        Raises
        ------
        FiltagError
            If it is damaged.
        """
        try:
            return ox.Store.read_only(str(self.path / "store"))
        except (OSError, RuntimeError) as error:  # RocksDB says of some damage the one, of other the other.
            raise FiltagError(f"the store in {self.path} cannot be opened ({error}): build the KG anew") from None

    def _repr_html_(self) -> str:
        return kg_html(self.path, self.manifest)


def open_kg(path: Path) -> KG:
    """Open a KG.

    Raises
    ------
    FiltagError
        If there is none, it is damaged, or a later version of this program made it.
    """
    manifest_path = path / MANIFEST
    try:
        manifest = parse_json(manifest_path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise FiltagError(
            f"no KG at {path}: check the path, or make one", commands=("run", "build", "import")
        ) from None
    except OSError as error:
        raise FiltagError(f"{manifest_path} cannot be read ({error.strerror}): build the KG anew") from None
    except ValueError as error:
        raise FiltagError(f"{manifest_path} cannot be read ({error}): build the KG anew") from None
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if version != FORMAT_VERSION:
        source = f" from {path / 'profile.npz'}" if (path / "profile.npz").exists() else ""
        raise FiltagError(
            f"{path} has KG format {version!r}, this filtag reads {FORMAT_VERSION}: build the KG anew{source}"
        )
    if (problem := manifest_mistake(manifest)) is not None:
        raise FiltagError(f"{manifest_path} is damaged ({problem}): build the KG anew")
    return KG(path, manifest)


@contextmanager
def reserved_output(path: Path, *, force: bool = False) -> Iterator[None]:
    """Reserve the path of a KG to be made, so no other process makes one there or changes the one to be replaced.

    Raises
    ------
    FiltagError
        As `check_output`, or if another process is at it.
    """
    check_output(path, force=force)
    with only_writer(path):
        check_output(path, force=force)
        yield


def check_output(path: Path, *, force: bool = False) -> None:
    """Make sure that a KG may be put at `path`, before hours are spent on it.

    Raises
    ------
    FiltagError
        If something is there already: a KG without `force`, or anything that is no KG; or if it cannot be written.
    """
    destination = check_directory_output(path)
    names = {entry.name for entry in destination.iterdir()} if destination.exists() else set()
    if not names:
        return
    if MANIFEST not in names:
        raise FiltagError(
            f"{path} exists and is no KG, so it is not replaced: choose another output", options=("output",)
        )
    if not force:
        raise FiltagError(
            f"{path} already holds a KG: choose another output, or replace it", options=("output", "force")
        )
    foreign = sorted(name for name in names - _KG_NAMES - _SYSTEM_NAMES if not is_leftover(name))
    if foreign:
        raise FiltagError(
            f"{path} holds {foreign[0]}, which is no part of a KG: move it, or choose another output",
            options=("output",),
        )
