"""Labelled images from a folder, a tar or a zip: list, decode, batch."""

from filtag_kg.images.archive import IMAGE_SUFFIXES, ImageRef, ImageSet, open_images
from filtag_kg.images.batches import Batch, batches
from filtag_kg.images.decode import UnreadableImageError, decode

__all__ = [
    "IMAGE_SUFFIXES",
    "Batch",
    "ImageRef",
    "ImageSet",
    "UnreadableImageError",
    "batches",
    "decode",
    "open_images",
]
