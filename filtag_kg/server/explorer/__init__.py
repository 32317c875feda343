"""The explorer: pages for people about a KG that is served, with search, queries, comparison and dropped images."""

from filtag_kg.server.explorer.explorer import Explorer
from filtag_kg.server.explorer.image_explainer import NetworkChoice
from filtag_kg.server.explorer.kg_pages import KGPages
from filtag_kg.server.explorer.worker_pages import make_page

__all__ = ["Explorer", "KGPages", "NetworkChoice", "make_page"]
