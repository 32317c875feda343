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
    """

    noun: str
    marker: str

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
        if not self._is_own(folder):
            noun = self.noun.partition(" ")[2]
            raise FiltagError(
                f"{output} exists and is no {noun}, so it is not replaced: choose another output", options=("output",)
            )
        if not force:
            raise FiltagError(
                f"{output} already holds {self.noun}: choose another output, or replace it", options=("output", "force")
            )

    def mark(self, folder: Path) -> None:
        """Write the marker of a folder whose other files are all there."""
        written = sorted(path.name for path in folder.iterdir())
        (folder / self.marker).write_text(json.dumps({"files": written}) + "\n", encoding="utf-8")

    def _is_own(self, folder: Path) -> bool:
        try:
            written = json.loads((folder / self.marker).read_text(encoding="utf-8"))["files"]
            return isinstance(written, list) and {path.name for path in folder.iterdir()} <= {*written, self.marker}
        except (OSError, ValueError, KeyError, TypeError):
            return False
