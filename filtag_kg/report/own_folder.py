"""Folders that this package writes whole, and replaces only where nothing else is in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.output_paths import check_directory_output


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A kind of folder.

    Parameters
    ----------
    noun : str
        What it holds, with its article: ``a report``.
    marker : str
        The file that lists what was written: a folder with anything else in it is not replaced.
    derived : frozenset of str
        Files that other programs make of what was written. They go with it.
    """

    noun: str
    marker: str
    derived: frozenset[str] = frozenset()

    def check(self, output: Path, *, force: bool = False) -> None:
        """Make sure that such a folder may be written to `output`.

        Raises
        ------
        FiltagError
            If there is one already and no `force`, if there is anything else, or if it cannot be written.
        """
        folder = check_directory_output(output)
        if not folder.exists() or not any(folder.iterdir()):
            return
        written = self._written(folder)
        if written is None:
            noun = self.noun.partition(" ")[2]
            raise FiltagError(
                f"{output} exists and is no {noun}, so it is not replaced: choose another output", options=("output",)
            )
        if (other := self._first_other(folder, written | {self.marker})) is not None:
            raise FiltagError(
                f"{output} also holds {other}, which was not written with the rest, so it is not replaced: move "
                f"{other} away, or choose another output",
                options=("output",),
            )
        if not force:
            raise FiltagError(
                f"{output} already holds {self.noun}: choose another output, or replace it", options=("output", "force")
            )

    def mark(self, folder: Path) -> None:
        """Write the marker of a folder whose other files are all there."""
        written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
        (folder / self.marker).write_text(json.dumps({"files": written}) + "\n", encoding="utf-8")

    def _first_other(self, folder: Path, written: set[str]) -> str | None:
        """Return the first file that was not written with the others; a folder that is listed is known as a whole."""
        paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
        others = (
            path.as_posix()
            for path in paths
            if path.name not in self.derived and written.isdisjoint(each.as_posix() for each in (path, *path.parents))
        )
        return min(others, default=None)

    def _written(self, folder: Path) -> set[str] | None:
        try:
            written = json.loads((folder / self.marker).read_text(encoding="utf-8"))["files"]
            return set(written) if isinstance(written, list) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
