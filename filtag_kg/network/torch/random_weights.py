"""Random weights for a PyTorch graph: what the network is before it has learnt anything."""

from __future__ import annotations

import numpy as np

from filtag_kg.network.torch.backend import import_torch
from filtag_kg.network.torch.graph import TorchGraph

_FRESH = {"bias": 0.0, "running_mean": 0.0, "running_var": 1.0, "weight": 1.0}


def randomise_torch(graph: TorchGraph, seed: int) -> None:
    """Fill kernels with N(0, 2 / fan-in) (He et al., 2015, equation 10), the same in every process.

    Biases and normalisations, which have one axis, become what they are in a fresh network.
    """
    torch = import_torch()
    random = np.random.default_rng(seed)
    for path, tensor in graph.weights():
        name = path.rpartition(".")[2]
        if not tensor.is_floating_point():
            continue
        if tensor.dim() >= 2:
            # The first axis counts what the layer outputs.
            variance = 2 / max(1, int(np.prod(tuple(tensor.shape[1:]))))
            values = random.standard_normal(tuple(tensor.shape), np.float32) * np.float32(np.sqrt(variance))
            with torch.no_grad():
                tensor.copy_(torch.from_numpy(values))
        elif name in _FRESH:
            with torch.no_grad():
                tensor.fill_(_FRESH[name])
