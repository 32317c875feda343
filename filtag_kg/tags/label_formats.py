"""The formats of labels made by other methods: one reader each, and the table of them.

A new format is a module with its reader and a line in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from filtag_kg.errors import FiltagError
from filtag_kg.tags.filtag_labels import read_filtag_labels
from filtag_kg.tags.table import TagTable


class LabelReader(Protocol):
    """Reads the file of one format; what the parameters mean, :func:`read_labels` says."""

    def __call__(
        self, path: Path, *, class_names: Mapping[str, str] | None, layer: str | None, network: str
    ) -> TagTable:
        """Read a file."""


LABEL_FORMATS: Mapping[str, LabelReader] = {
    "filtag": read_filtag_labels,
}
"""The reader of each format, by its name."""


def read_labels(
    path: Path,
    format_: str,
    *,
    class_names: Mapping[str, str] | None = None,
    layer: str | None = None,
    network: str = "imported",
) -> TagTable:
    """Read the labels that another method gave to filters.

    Parameters
    ----------
    format_ : str
        One of :data:`LABEL_FORMATS`.
    class_names : mapping of class id to label, optional
        All classes of the run; left out, those in the file, whose labels are then their ids.
    layer : str, optional
        Name of the layer, where the file does not say.
    network : str
        Name of the network in identifiers.

    Raises
    ------
    FiltagError
        If there is no such format, a name is empty, or the file is missing, malformed or about other classes.
    """
    if format_ not in LABEL_FORMATS:
        raise FiltagError(f"no label format {format_!r}: choose {' or '.join(LABEL_FORMATS)}")
    if not network or layer == "":
        raise FiltagError("the name of the network or layer is empty: give one, or leave it out")
    return LABEL_FORMATS[format_](path, class_names=class_names, layer=layer, network=network)
