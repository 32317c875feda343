"""A PyTorch module in memory as a network."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from filtag_kg.network.load import network_from
from filtag_kg.network.network import Network
from filtag_kg.network.preparation import PreparationOptions, height_and_width
from filtag_kg.network.torch import TorchModule, export_module, own_module, torch_source

_LOGGER = logging.getLogger(__name__)


def from_torch(
    module: TorchModule,
    input_size: int | tuple[int, int],
    *,
    name: str | None = None,
    channels: int = 3,
    class_ids: Sequence[str] | None = None,
    preprocess: str | None = None,
    mean: Sequence[float] | float | None = None,
    std: Sequence[float] | float | None = None,
    colours: str | None = None,
    resize: str | None = None,
    crop_share: float | None = None,
    interpolation: str | None = None,
    layers: str = "conv",
    output_name: str | None = None,
    outputs: str | None = None,
    precision: str = "float32",
    device: str | None = None,
) -> Network:
    """Return a trained PyTorch CNN as a network.

    The module is followed by torch.export in evaluation mode, and stays as it is; the network has its own copy of the
    weights. Layers carry the module's own paths: ``layer4.1.conv2``.

    Parameters
    ----------
    module : torch.nn.Module
        From floating point images of shape (n_images, channels, height, width) to one tensor, or several, with a row
        for each image. What ``torch.compile`` or ``DataParallel`` wrapped is unwrapped.
    input_size : int or tuple of int
        The side of the images, or (height, width).
    name : str, optional
        By default its class's name in lower case.
    channels : int
        1 for grey images, 3 for RGB.
    class_ids : sequence of str, optional
        The classes of the outputs, in order.
    preprocess, mean, std, colours, resize, crop_share, interpolation
        What it expects of images, see :class:`~filtag_kg.network.preparation.PreparationOptions`; by default RGB in
        [0, 255], squashed to its size. What torchvision's transforms do is
        ``mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), resize="crop", crop_share=224 / 256``.
    layers : str
        ``conv``: all convolutions but depthwise ones; ``all``: those too; or names and patterns of layers, separated by
        commas (``block5_*,conv1``).
    output_name : str, optional
        Which of several outputs counts: its key, its field's name or its number; by default the first.
    outputs : str, optional
        What the outputs are: ``softmax``, ``logits``, ``sigmoid``, ``logit``, ``sigmoids``, ``independent-logits`` or
        ``none``; by default what the network shows.
    precision : str
        What the layers compute in: ``float32``, ``float16`` or ``bfloat16``.
    device : str, optional
        ``cpu``, ``cuda`` or ``cuda:1``; by default a GPU if there is one.

    Raises
    ------
    MissingExtraError
        If PyTorch is not installed.
    FiltagError
        If torch.export cannot follow the module, it takes no images of this size, or an option does not fit it.
    """
    module = own_module(module)
    name = name or type(module).__name__.lower()
    where = f"the module {type(module).__name__}"
    preparation = PreparationOptions(preprocess, mean, std, colours, resize, crop_share, interpolation)
    graph = export_module(module, height_and_width(input_size), channels, where)
    if not preparation.scales():
        _LOGGER.warning("no preprocessing given for %s: it gets pixels in [0, 255], unless images are ready made", name)
    return network_from(
        torch_source(graph, name, where, output_name=output_name, device=device),
        where,
        class_ids=class_ids,
        layers=layers,
        precision=precision,
        preparation=preparation,
        output_name=output_name,
        outputs=outputs,
    )
