"""PyTorch, imported late."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

from filtag_kg.errors import MissingExtraError

# Not imported for their types: PyTorch takes seconds to import, and is not installed everywhere.
TorchModule: TypeAlias = Any
GraphModule: TypeAlias = Any
Node: TypeAlias = Any
Tensor: TypeAlias = Any
EXTRA = "torch"


def import_torch(package: str = "torch") -> ModuleType:
    """Import PyTorch, or ``torchvision`` or ``timm``.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    if "tensorflow" in sys.modules:
        # Triton, which torch.export imports where it is installed, crashes the process if TensorFlow was loaded before
        # it. PyTorch needs it on GPUs alone, to compile, and takes None for "not installed".
        sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
        logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)  # It would say so.
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "torchvision", "timm"):
            raise
        raise MissingExtraError({"torch": "PyTorch"}.get(error.name, error.name), EXTRA) from None
