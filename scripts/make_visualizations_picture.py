"""Draw docs/pictures/visualizations.jpg: filters of a KG with pictures of what they look for, beside their tags.

filtag demo -o KG && filtag visualize KG --layer … --filter … && python scripts/make_visualizations_picture.py KG
"""

from __future__ import annotations

import argparse
import csv
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from filtag_kg.kg import VISUALIZATION_METHODS, open_kg, read_visualizations

ROOT = Path(__file__).resolve().parent.parent
SHOWN = (
    ("stem_conv", 5),
    ("block3b_expand", 10),
    ("block5a_expand", 9),
    ("block6d_project", 97),
    ("head_conv", 122),
    ("head_conv", 241),
)
SIDE, GAP, TEXT = 168, 8, 60
HEIGHT = SIDE * 2 + GAP + TEXT + 40


def main() -> None:
    """Draw a column for each filter: activation maximisation, feature visualisation, tags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kg", type=Path, metavar="KG")
    kg = open_kg(parser.parse_args().kg)
    pictures = {(row.layer, row.filter, row.method): row for row in read_visualizations(kg)}
    tags: dict[tuple[str, int], list[str]] = {}
    with kg.tags_path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["rule"] == kg.rules[0]:
                tags.setdefault((row["layer"], int(row["filter"])), []).append(row["label"])
    sheet = Image.new("RGB", (len(SHOWN) * (SIDE + GAP) + GAP, HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    head, body = ImageFont.load_default(13), ImageFont.load_default(11)
    for place, (layer, filter_) in enumerate(SHOWN):
        left = GAP + place * (SIDE + GAP)
        draw.text((left, 6), f"{layer} {filter_}", "black", head)
        for down, method in enumerate(VISUALIZATION_METHODS):
            with Image.open(kg.path / pictures[layer, filter_, method].file) as picture:
                sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, 26 + down * (SIDE + GAP)))
        labels = tags.get((layer, filter_), [])
        text = ", ".join(labels[:5]) + (", …" if len(labels) > 5 else "")
        wrapped = "\n".join(textwrap.wrap(text or "no tag", 29)[:5])
        draw.multiline_text((left, 26 + 2 * (SIDE + GAP)), wrapped, "black", body, spacing=2)
    # Noise does not compress without loss: as PNG it would be 600 kB.
    sheet.save(ROOT / "docs" / "pictures" / "visualizations.jpg", quality=64, optimize=True)


if __name__ == "__main__":
    main()
