"""The works that a methods text cites, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files

_BIBLIOGRAPHY = files("filtag_kg.paper").joinpath("references.bib").read_text(encoding="utf-8")
_ENTRY = re.compile(r"^@\w+\{(\w+),\n.*?^\}", re.MULTILINE | re.DOTALL)

ENTRIES: Mapping[str, str] = {match[1]: match[0] for match in _ENTRY.finditer(_BIBLIOGRAPHY)}
"""BibTeX by key."""

FILTAG_KG = "filtagkg"

_NETWORKS = (
    (r"efficientnet", "tan2019efficientnet"),
    (r"vgg\d", "simonyan2015very"),
    (r"resnet\d+v2", "he2016identity"),
    (r"resnet\d+(?!v2)", "he2016deep"),
    (r"mobilenet_?v3", "howard2019searching"),
    (r"mobilenet_?v2", "sandler2018mobilenetv2"),
    (r"mobilenet", "howard2017mobilenets"),
    (r"densenet", "huang2017densely"),
    (r"inception_?resnet", "szegedy2017inception"),
    (r"inception_?v3", "szegedy2016rethinking"),
    (r"xception", "chollet2017xception"),
    (r"convnext", "liu2022convnet"),
)
_METHODS = {
    "filtag": "nguyen2022filtag",
    "netdissect": "bau2017network",
    "clip-dissect": "oikarinen2023clip",
    "milan": "hernandez2022natural",
    "invert": "bykov2023labeling",
    "falcon": "kalibhat2023identifying",
    "summit": "hohman2020summit",
}


def network_key(name: str) -> str | None:
    """Return the key of the work that describes a network with a name of its own; None if it is not known.

    >>> network_key("resnet50v2"), network_key("my-network")
    ('he2016identity', None)
    """
    # A library's prefix, as in torchvision:resnet18.
    plain = name.rpartition(":")[2].lower()
    return next((key for pattern, key in _NETWORKS if re.match(pattern, plain)), None)


def method_key(name: str) -> str | None:
    """Return the key of the work that describes a method of labelling filters; None if it is not known."""
    return _METHODS.get(name)


def bibliography(keys: Iterable[str], version: str) -> str:
    """Return the BibTeX of the works cited, by key.

    Parameters
    ----------
    version : str
        Of FilTag-KG; empty if it is not known.
    """
    software = [
        f"@misc{{{FILTAG_KG},",
        "  author  = {{The FilTag-KG authors}},",
        "  title   = {{FilTag-KG}: Filters of Convolutional Neural Networks, Explained as a Knowledge Graph},",
        *([f"  version = {{{version}}},"] if version else []),
        "  url     = {https://w3id.org/filtag/},",
        "}",
    ]
    entries = {**ENTRIES, FILTAG_KG: "\n".join(software)}
    return "\n\n".join(entries[key] for key in sorted(set(keys))) + "\n"
