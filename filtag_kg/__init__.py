"""FilTag-KG: explain a CNN's convolutional filters as a knowledge graph you can query.

What is exported here is stable; what is inside the folders is theirs to change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filtag_kg.concepts import concept_source, wordnet
    from filtag_kg.demo import demo_kg
    from filtag_kg.errors import FiltagError
    from filtag_kg.jobs import explain_image, import_labels, profile, run
    from filtag_kg.kg import BuildParameters, Provenance
    from filtag_kg.network import from_keras, from_torch, load_network
    from filtag_kg.profile import PassOptions, Profile, load_profile, save_profile
    from filtag_kg.tags import Rule, TagTable, tag_filters
    from filtag_kg.views import KnowledgeGraph, build_kg

    __version__: str

__all__ = [
    "BuildParameters",
    "FiltagError",
    "KnowledgeGraph",
    "PassOptions",
    "Profile",
    "Provenance",
    "Rule",
    "TagTable",
    "build_kg",
    "concept_source",
    "demo_kg",
    "explain_image",
    "from_keras",
    "from_torch",
    "import_labels",
    "load_network",
    "load_profile",
    "profile",
    "run",
    "save_profile",
    "tag_filters",
    "wordnet",
]

# Each name is imported from its folder when it is first asked for.
_FOLDERS = {
    "concepts": ("concept_source", "wordnet"),
    "demo": ("demo_kg",),
    "errors": ("FiltagError",),
    "jobs": ("explain_image", "import_labels", "run"),
    "kg": ("BuildParameters", "Provenance"),
    "network": ("from_keras", "from_torch", "load_network"),
    "profile": ("PassOptions", "Profile", "load_profile", "save_profile"),
    "tags": ("Rule", "TagTable", "tag_filters"),
    "views": ("KnowledgeGraph", "build_kg"),
}


def __getattr__(name: str) -> object:
    """Import a name from the folder that has it, and keep it."""
    if name == "profile":
        # A folder, too, so Python keeps that; it can be called.
        return import_module("filtag_kg.profile")
    if name == "__version__":
        from importlib.metadata import version

        return version("filtag-kg")
    for folder, names in _FOLDERS.items():
        if name in names:
            value: object = getattr(import_module(f"filtag_kg.{folder}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return what is exported."""
    return __all__
