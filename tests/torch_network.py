"""PyTorch networks for tests, and a small independent implementation of the activation."""

from __future__ import annotations

import numpy as np


def pixels_of(n_images, size, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n_images, size, size, channels), dtype=np.uint8)


def activations_of(feature_maps):
    """ā(m,i,d), as the paper defines it, of one layer's feature maps (n_images, n_filters, height, width)."""
    maps = np.asarray(feature_maps, np.float64)
    low = maps.min(axis=(1, 2, 3), keepdims=True)
    spread = maps.max(axis=(1, 2, 3), keepdims=True) - low
    scaled = np.divide(maps - low, spread, out=np.zeros_like(maps), where=spread > 0)
    return scaled.mean(axis=(2, 3))


def outputs_of(module, pixels, paths):
    """What some modules of a plain network put out, and the network itself, for pixels scaled to [0, 1].

    Each is copied at once, before anything can change it in place; a module that is called twice counts at first.
    """
    import torch

    found = {}

    def keep(path):
        def hook(_module, _inputs, output):
            found.setdefault(path, output.clone())

        return hook

    hooks = [module.get_submodule(path).register_forward_hook(keep(path)) for path in paths]
    with torch.no_grad():
        scores = module(torch.from_numpy(pixels).float().div(255).permute(0, 3, 1, 2).contiguous())
    for hook in hooks:
        hook.remove()
    return found, scores


def randomised(module, seed=0):
    """Give batch normalisations statistics that matter, and convolutions weights whose outputs do not fade."""
    import torch

    torch.manual_seed(seed)
    for each in module.modules():
        if isinstance(each, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(each.weight, nonlinearity="relu")
        elif isinstance(each, torch.nn.BatchNorm2d):
            each.running_mean.normal_(0, 0.2)
            each.running_var.uniform_(0.5, 1.5)
            if each.affine:
                torch.nn.init.uniform_(each.weight, 0.5, 1.5)
                torch.nn.init.normal_(each.bias, 0, 0.2)
    return module.eval()
