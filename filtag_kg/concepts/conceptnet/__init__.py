"""ConceptNet as a concept source: an excerpt, an index of its dump, or its web API."""

from filtag_kg.concepts.conceptnet.assertions import LICENCE, Assertion
from filtag_kg.concepts.conceptnet.dump import DumpSummary, import_dump
from filtag_kg.concepts.conceptnet.index import ConceptNetIndex, default_index

__all__ = ["LICENCE", "Assertion", "ConceptNetIndex", "DumpSummary", "default_index", "import_dump"]
