"""A KG as notebooks show it, from its manifest alone."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from filtag_kg.kg.own_data import attribution_of, licences_of_own_data
from filtag_kg.notebook_html import QUIET, link_html, table_html

_COUNTED = ("layers", "filters", "classes", "linked_classes", "tags", "common_concepts", "concepts", "quads")


def kg_html(path: Path, manifest: Mapping[str, Any]) -> str:
    """Return the runs of a KG, its counts and the licences of its sources."""
    runs = manifest["runs"]
    networks = dict.fromkeys(run.get("network", manifest["network"]) for run in runs)
    licences = sorted(set(manifest["licences"].values()))
    attribution = attribution_of(manifest)
    own = licences_of_own_data(manifest)
    rows = [
        *([("title", escape(attribution.title))] if attribution.title is not None else []),
        *([("by", ", ".join(map(_linked, attribution.creators)))] if attribution.creators else []),
        ("network", ", ".join(map(escape, networks))),
        ("rules", ", ".join(escape(run["rule"]) for run in runs)),
        *((name.replace("_", " "), f"{manifest['counts'][name]:,}") for name in _COUNTED if name in manifest["counts"]),
        ("built", escape(manifest["built"])),
        *([("licence of its own data", ", ".join(map(_linked, own)))] if own else []),
        ("licences of its concepts", ", ".join(map(_linked, licences))),
    ]
    title = f'<strong>KG</strong> <span style="{QUIET}">{escape(str(path))}</span>'
    return f"<div>{title}{table_html(('', ''), rows)}</div>"


def _linked(text: str) -> str:
    return link_html(text, text)
