"""Export a KG for other tools: as RDF, tables, or nodes and edges; publish it to a remote store."""

from filtag_kg.export.formats import EXPORT_FORMATS, export_graph
from filtag_kg.export.graph_store import Credentials
from filtag_kg.export.graphml import to_networkx
from filtag_kg.export.publish import credentials, publish_kg

__all__ = ["EXPORT_FORMATS", "Credentials", "credentials", "export_graph", "publish_kg", "to_networkx"]
