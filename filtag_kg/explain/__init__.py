"""Explanations: one classification through the tags of the filters that take part in it."""

from filtag_kg.explain.classification import Evidence, Explanation, explain_image

__all__ = ["Evidence", "Explanation", "explain_image"]
