"""The explorer: pages that a server gives to people, and the scripts that make them quick to use."""

from filtag_kg.server.explorer.explaining import Explaining, NetworkChoice
from filtag_kg.server.explorer.explorer import Explorer

__all__ = ["Explaining", "Explorer", "NetworkChoice"]
