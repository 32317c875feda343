"""PyTorch networks: modules in memory, archives of torch.export, and those of torchvision and timm by name."""

from filtag_kg.network.torch.backend import TorchModule
from filtag_kg.network.torch.export import export_module
from filtag_kg.network.torch.source import TorchSource, torch_source

__all__ = ["TorchModule", "TorchSource", "export_module", "torch_source"]
