"""Draw docs/pictures/tag.svg: how strongly classes activate one filter of the demo's network, and which tag it."""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

import numpy as np

from filtag_kg import Rule, tag_filters
from filtag_kg.demo import demo_profile

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "tag.svg"
LAYER, FILTER = "block7a_project", 70
RULES = (Rule("k", 1), Rule("q", 0.05), Rule("k", 1, "contrast"), Rule("q", 0.05, "contrast"))
MOST = 14
"""Classes shown by name, beside those that say something by how little they activate the filter."""
LAST = ("dam", "military uniform", "plate")
WIDTH, TOP, ROW = 516, 92, 23
LEFT, RIGHT = 130, 312
LOW, HIGH = 0.39, 0.73
RULE_X = (342, 388, 440, 486)
BLUE, ORANGE, DARK, GREY, PALE = "#1f5fa8", "#c05a00", "#1f2328", "#57606a", "#d0d7de"


def main() -> None:
    """Write the picture."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    TARGET.write_text(picture(), encoding="utf-8")
    print(TARGET)


def picture() -> str:
    """Return the picture as SVG."""
    profile = demo_profile()
    layer = profile.layer_names.index(LAYER)
    column = int(profile.layer_offsets[layer]) + FILTER
    activation = profile.mean[:, column]
    tags = tag_filters(profile, RULES, network="efficientnet-lite0")
    of_filter = (tags.layer == layer) & (tags.filter == FILTER)
    tagged = [set(tags.class_[of_filter & (tags.rule == rule)].tolist()) for rule in range(len(RULES))]

    shown = np.argsort(-activation, kind="stable")[:MOST].tolist()
    last = [profile.class_labels.index(label) for label in LAST]
    bottom = TOP + ROW * (MOST + 1 + len(last)) + 6
    height = bottom + 110
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{1.2 * WIDTH:.0f}" height="{1.2 * height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="14">',
        f"<title>Mean activation of {LAYER} {FILTER} by class, and the classes that tag it by four rules</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_axes(float(activation.mean()), float(activation.std()), bottom),
        *_rule_heads(),
    ]
    for row, class_ in enumerate([*shown, None, *last]):
        y = TOP + ROW * row + ROW / 2
        if class_ is None:
            parts.append(_text(LEFT - 10, y + 4, "…", 'text-anchor="end"'))
            continue
        parts += _row(y, profile.class_labels[class_], float(activation[class_]), float(activation.mean()))
        parts += [_dot(x, y, rule) for rule, x in enumerate(RULE_X) if class_ in tagged[rule]]

    y = bottom + 46
    parts.append(_text(LEFT - 10, y + 5, f"all {len(activation)} classes", 'text-anchor="end" font-weight="bold"'))
    parts += [
        f'<path d="M{_x(float(value)):.1f},{y - 9} v18" stroke="{DARK}" stroke-opacity="0.35" stroke-width="1"/>'
        for value in np.sort(activation)
    ]
    parts += [
        _text(x, y + 5, str(len(tagged[rule])), f'text-anchor="middle" font-weight="bold" fill="{_colour(rule)}"')
        for rule, x in enumerate(RULE_X)
    ]
    parts.append(_text((LEFT + RIGHT) / 2, y + 40, "mean activation of the class", _middle()))
    parts.append(_text(sum(RULE_X) / len(RULE_X), y + 40, "classes that tag it", _middle()))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(mean: float, spread: float, bottom: float) -> list[str]:
    parts = [_text((LEFT + RIGHT) / 2, 34, "contrast", _middle())]
    for step in range(-2, 4):
        x = _x(mean + step * spread)
        parts.append(f'<path d="M{x:.1f},{TOP - 14} V{bottom}" stroke="{PALE}" stroke-dasharray="2 3"/>')
        label = "0" if step == 0 else f"{step:+d}".replace("-", "−")
        parts.append(_text(x, TOP - 20, label, f'{_middle()} font-size="12"'))
    parts.append(f'<path d="M{_x(mean):.1f},{TOP - 14} V{bottom}" stroke="{GREY}"/>')
    parts.append(f'<path d="M{LEFT},{bottom} H{RIGHT}" stroke="{GREY}"/>')
    for tenth in (4, 5, 6, 7):
        x = _x(tenth / 10)
        parts.append(f'<path d="M{x:.1f},{bottom} v5" stroke="{GREY}"/>')
        parts.append(_text(x, bottom + 19, f"{tenth / 10:.1f}", f'{_middle()} font-size="12"'))
    return parts


def _rule_heads() -> list[str]:
    parts = []
    for first, title in ((0, "by activation"), (2, "by contrast")):
        x = (RULE_X[first] + RULE_X[first + 1]) / 2
        parts.append(_text(x, 34, title, f'text-anchor="middle" font-weight="bold" fill="{_colour(first)}"'))
        parts.append(f'<path d="M{RULE_X[first] - 20},42 H{RULE_X[first + 1] + 20}" stroke="{_colour(first)}"/>')
    for rule, x in zip(RULES, RULE_X, strict=True):
        name = str(rule).removesuffix(":contrast")
        parts.append(_text(x, TOP - 20, name, f'{_middle()} font-size="12" font-family="monospace"'))
    return parts


def _row(y: float, label: str, activation: float, mean: float) -> list[str]:
    x = _x(activation)
    return [
        _text(LEFT - 10, y + 5, label, 'text-anchor="end"'),
        f'<path d="M{_x(mean):.1f},{y} H{x:.1f}" stroke="{DARK}" stroke-width="2"/>',
        f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{DARK}"/>',
    ]


def _dot(x: float, y: float, rule: int) -> str:
    if RULES[rule].score == "activation":
        return f'<circle cx="{x}" cy="{y}" r="7" fill="{BLUE}"/>'
    return f'<rect x="{x - 6.5}" y="{y - 6.5}" width="13" height="13" fill="{ORANGE}"/>'


def _colour(rule: int) -> str:
    return BLUE if RULES[rule].score == "activation" else ORANGE


def _middle() -> str:
    return f'text-anchor="middle" fill="{GREY}"'


def _x(activation: float) -> float:
    return LEFT + (RIGHT - LEFT) * (activation - LOW) / (HIGH - LOW)


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    colour = "" if "fill=" in attributes else f' fill="{DARK}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}{colour}>{escape(text)}</text>'


if __name__ == "__main__":
    main()
