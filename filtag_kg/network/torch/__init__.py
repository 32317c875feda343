"""PyTorch networks: modules in memory, archives of torch.export, and those of torchvision and timm by name."""

from filtag_kg.network.torch.archive import ARCHIVE_ENDINGS, PICKLE_ENDINGS, read_archive, refuse_pickle
from filtag_kg.network.torch.backend import TorchModule
from filtag_kg.network.torch.export import export_module, own_module
from filtag_kg.network.torch.named import is_torch_name, named_torch_source
from filtag_kg.network.torch.random_weights import randomise_torch
from filtag_kg.network.torch.source import TorchSource, torch_source

__all__ = [
    "ARCHIVE_ENDINGS",
    "PICKLE_ENDINGS",
    "TorchModule",
    "TorchSource",
    "export_module",
    "is_torch_name",
    "named_torch_source",
    "own_module",
    "randomise_torch",
    "read_archive",
    "refuse_pickle",
    "torch_source",
]
