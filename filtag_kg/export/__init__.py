"""A KG for other tools: RDF, tables, networks of nodes and edges, and a remote store."""

from filtag_kg.export.formats import EXPORT_FORMATS, export_graph
from filtag_kg.export.graphml import to_networkx
from filtag_kg.export.publish import Credentials, credentials, publish_kg

__all__ = ["EXPORT_FORMATS", "Credentials", "credentials", "export_graph", "publish_kg", "to_networkx"]
