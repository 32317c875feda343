"""The ontology and the named queries: beside the package in a checkout, inside it when installed as a wheel."""

from __future__ import annotations

from pathlib import Path


def resource_folder(name: str) -> Path:
    """Return the folder ``ontology`` or ``queries``."""
    package = Path(__file__).resolve().parent.parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
