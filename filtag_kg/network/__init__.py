"""A CNN and its filters: load it by name or from a file, and find each filter's feature map."""

from filtag_kg.network.ablation import Ablatable
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.from_keras import from_keras
from filtag_kg.network.from_torch import from_torch
from filtag_kg.network.gradients import CompiledStep, Differentiable, Gradient, Ops, Tensor
from filtag_kg.network.imagenet import imagenet_class_ids
from filtag_kg.network.keras import KerasEngine, KerasModel, import_keras, scaled
from filtag_kg.network.load import (
    is_network_file,
    is_network_name,
    load_network,
    missing_extra,
    network_from,
    network_names,
)
from filtag_kg.network.map_reader import MapReader, WantedMaps
from filtag_kg.network.network import CompiledPass, Computed, Engine, Network
from filtag_kg.network.outputs import OUTPUTS, OutputLayer
from filtag_kg.network.preparation import (
    INTERPOLATIONS,
    MOST_PIXELS,
    RESIZES,
    Framing,
    Preparation,
    recorded_preparation,
)
from filtag_kg.network.receptive_fields import ReceptiveFields, receptive_fields
from filtag_kg.network.scaling import Scaling

__all__ = [
    "INTERPOLATIONS",
    "MOST_PIXELS",
    "OUTPUTS",
    "RESIZES",
    "Ablatable",
    "CompiledPass",
    "CompiledStep",
    "Computed",
    "Differentiable",
    "Engine",
    "Framing",
    "Gradient",
    "KerasEngine",
    "KerasModel",
    "Layer",
    "MapReader",
    "Network",
    "Ops",
    "OutputLayer",
    "Preparation",
    "ReceptiveFields",
    "Scaling",
    "Tensor",
    "WantedMaps",
    "from_keras",
    "from_torch",
    "imagenet_class_ids",
    "import_keras",
    "is_network_file",
    "is_network_name",
    "load_network",
    "missing_extra",
    "network_from",
    "network_names",
    "receptive_fields",
    "recorded_preparation",
    "scaled",
]
