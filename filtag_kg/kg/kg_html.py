"""A KG as notebooks show it, from its manifest alone."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from filtag_kg.notebook_html import QUIET, link_html, table_html

_COUNTED = ("layers", "filters", "classes", "linked_classes", "tags", "common_concepts", "concepts", "quads")


def kg_html(path: Path, manifest: Mapping[str, Any]) -> str:
    """Return the runs of a KG, its counts and the licences of its sources."""
    runs = manifest["runs"]
    networks = dict.fromkeys(run.get("network", manifest["network"]) for run in runs)
    licences = sorted(set(manifest["licences"].values()))
    rows = [
        ("network", ", ".join(map(escape, networks))),
        ("rules", ", ".join(escape(run["rule"]) for run in runs)),
        *((name.replace("_", " "), f"{manifest['counts'][name]:,}") for name in _COUNTED if name in manifest["counts"]),
        ("built", escape(manifest["built"])),
        ("licences of its facts", ", ".join(link_html(licence, licence) for licence in licences)),
    ]
    title = f'<strong>KG</strong> <span style="{QUIET}">{escape(str(path))}</span>'
    return f"<div>{title}{table_html(('', ''), rows)}</div>"
