"""How Sphinx builds the site: ``sphinx-build -W docs site``. It needs no network."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent

project = "FilTag-KG"
author = "The FilTag-KG authors"
copyright = "The FilTag-KG authors. Code: Apache-2.0"  # noqa: A001
release = importlib.metadata.version("filtag-kg")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
templates_path = ["_templates"]

# Notebooks are shown with the outputs that they hold.
nb_execution_mode = "off"
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Parameters that share a description stand together, and types are those of the docstrings.
napoleon_use_param = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
maximum_signature_line_length = 88
default_role = "literal"

html_theme = "furo"
html_title = f"FilTag-KG {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#8ab8f0", "color-brand-content": "#8ab8f0"},
}


def setup(app: Sphinx) -> None:
    """Have the vocabulary's page made beside the others."""
    app.connect("build-finished", write_vocabulary)


def write_vocabulary(app: Sphinx, failure: Exception | None) -> None:
    """Write the page that pyLODE makes of the ontology."""
    from pylode import OntPub

    if failure is None and app.builder.name == "html":
        page = OntPub(ontology=str(ROOT / "ontology" / "filtag.ttl")).make_html()
        style = (ROOT / "docs" / "_static" / "vocabulary.css").read_text(encoding="utf-8")
        way_back = '<p><a href="vocabulary.html">FilTag-KG’s documentation</a></p>'
        head = f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{style}</style>\n</head>'
        page = page.replace("</head>", head).replace('<div id="content">', f'<div id="content">\n{way_back}')
        (Path(app.outdir) / "reference" / "filtag.html").write_text(page, encoding="utf-8")
