"""What a paper needs of a KG: figures for print, tables as LaTeX and CSV, a methods text and the works it cites."""

from filtag_kg.paper.write import PaperSource, check_paper_folder, write_paper

__all__ = ["PaperSource", "check_paper_folder", "write_paper"]
