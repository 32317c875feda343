"""Draw docs/pictures/architecture.svg: the floors of the package, as the table in docs/architecture.md lists them."""

from __future__ import annotations

import argparse
import re
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
TARGET = DOCS / "pictures" / "architecture.svg"
WIDTH, ROOF, FLOOR, GROUND = 900, 70, 34, 66
LEFT, RIGHT = 130, 880
PARTS = {"make": "make a KG", "read": "read a KG", "use": "for people"}
GROUND_MODULES = (
    "errors · files · output_paths · system_calls · csv_table · array_file",
    "npz · json_values · names · class_names · notebook_html · redirects",
)
# Light colours, then dark ones; a browser takes what its reader prefers.
STYLE = """
  .page { fill: #ffffff } .line { stroke: #57606a; fill: none } text { fill: #1f2328 } .dim { fill: #57606a }
  .make { fill: #dbe9f6 } .read { fill: #dff0d8 } .use { fill: #fde5c8 } .ground { fill: #e4e4e4 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .line { stroke: #9198a1 } text { fill: #f0f6fc } .dim { fill: #9198a1 }
    .make { fill: #173a5e } .read { fill: #1f4a22 } .use { fill: #5e3c10 } .ground { fill: #30363d }
  }
"""


def main() -> None:
    """Write the picture."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    TARGET.write_text(picture(), encoding="utf-8")


def floors() -> list[tuple[str, str, str]]:
    """Return folder, part and description of each floor from the table in docs/architecture.md, the lowest first."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("<!-- floors -->")[2].partition("<!-- end of floors -->")[0]
    return re.findall(r"^\| `(\w+)/` \| (\w+) \| (.+) \|$", table, re.MULTILINE)


def picture() -> str:
    """Return the picture as SVG."""
    rows = floors()[::-1]
    ground = ROOF + FLOOR * len(rows)
    height = ground + GROUND + 20
    middle = (LEFT + RIGHT) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="14">',
        "<title>The floors of the package: a folder imports only from floors below it</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<path class="use" d="M{LEFT},{ROOF} L{middle},8 L{RIGHT},{ROOF} z"/>',
        f'<path class="line" d="M{LEFT},{ROOF} L{middle},8 L{RIGHT},{ROOF} z"/>',
        text(middle, 54, "filtag", 'text-anchor="middle" font-weight="bold" font-family="monospace"'),
    ]
    for index, (folder, part, what) in enumerate(rows):
        top = ROOF + FLOOR * index
        parts.append(box(top, FLOOR, part))
        parts.append(text(LEFT + 16, top + 22, f"{folder}/", 'font-weight="bold" font-family="monospace"'))
        parts.append(text(LEFT + 130, top + 22, what.replace("`", "")))
    for part, label in PARTS.items():
        own = [index for index, row in enumerate(rows) if row[1] == part]
        top, bottom = ROOF + FLOOR * own[0] + 4, ROOF + FLOOR * (own[-1] + 1) - 4
        parts.append(f'<path class="line" d="M{LEFT - 8},{top} h-8 V{bottom} h8"/>')
        parts.append(text(LEFT - 24, (top + bottom) / 2 + 5, label, 'class="dim" text-anchor="end"'))
    parts.append(box(ground, GROUND, "ground"))
    parts.append(text(LEFT + 16, ground + 27, "ground floor", 'font-weight="bold"'))
    parts += [text(LEFT + 130, ground + 27 + 22 * line, names) for line, names in enumerate(GROUND_MODULES)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def box(top: int, height: int, style: str) -> str:
    """Return a floor's rectangle."""
    shape = f'x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{height}"'
    return f'<rect class="{style}" {shape}/><rect class="line" {shape}/>'


def text(x: float, y: float, content: str, attributes: str = "") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" {attributes}>{escape(content)}</text>'


if __name__ == "__main__":
    main()
