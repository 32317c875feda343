"""Labelled images, wherever they lie: list, split, decode and batch them."""

from filtag_kg.images.batches import Batch, batches, framing_of, network_input
from filtag_kg.images.decode import UnreadableImageError, decode, read_file, thumbnail, upright_size
from filtag_kg.images.elements import names_in
from filtag_kg.images.folders import contradiction
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.in_memory import images_from
from filtag_kg.images.listing import IMAGE_SUFFIXES, readable_name
from filtag_kg.images.pixels import viewable
from filtag_kg.images.shards import combined_sha256, expand_braces, open_images, open_shard
from filtag_kg.images.similar_names import plain_name, similar_names, with_similar_names
from filtag_kg.images.split import split_images

__all__ = [
    "IMAGE_SUFFIXES",
    "Batch",
    "ImageRef",
    "ImageSet",
    "UnreadableImageError",
    "batches",
    "combined_sha256",
    "contradiction",
    "decode",
    "expand_braces",
    "framing_of",
    "images_from",
    "names_in",
    "network_input",
    "open_images",
    "open_shard",
    "plain_name",
    "read_file",
    "readable_name",
    "similar_names",
    "split_images",
    "thumbnail",
    "upright_size",
    "viewable",
    "with_similar_names",
]
