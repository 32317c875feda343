"""A CNN and its filters: load it by name or from a file, and find each filter's feature map."""

from filtag_kg.network.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.load import imagenet_class_ids, is_network_file, load_network, network_names
from filtag_kg.network.network import Network
from filtag_kg.network.preprocess import pixel_scaling

__all__ = [
    "KerasModel",
    "Layer",
    "Network",
    "Tensor",
    "imagenet_class_ids",
    "import_keras",
    "is_network_file",
    "load_network",
    "network_names",
    "pixel_scaling",
]
