"""Whole jobs, from Python: a profile, or a KG, of a network and images however they are given."""

from filtag_kg.jobs.ablate import ablate
from filtag_kg.jobs.check import check
from filtag_kg.jobs.explain import explain_image
from filtag_kg.jobs.given import Images, NetworkLike, as_images, as_network
from filtag_kg.jobs.import_labels import import_labels
from filtag_kg.jobs.labels import labels_of, with_names
from filtag_kg.jobs.run import build_from_profile, profile, run

__all__ = [
    "Images",
    "NetworkLike",
    "ablate",
    "as_images",
    "as_network",
    "build_from_profile",
    "check",
    "explain_image",
    "import_labels",
    "labels_of",
    "profile",
    "run",
    "with_names",
]
