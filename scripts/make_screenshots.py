"""Take the screenshots in the README: EfficientNet-Lite0, explained by emoji, in a real browser.

Needs Chromium. The network was trained on ImageNet; the pictures it is shown here are the tutorials' emoji, in their
own colours: Twemoji, by Twitter Inc. and other contributors, CC BY 4.0. --kg uses a KG that is there.
"""

from __future__ import annotations

import argparse
import json
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FILTAG = Path(sys.executable).with_name("filtag")
LAYER, FILTER = "head_conv", "264"


def main() -> None:
    """Write docs/pictures/explorer-*.jpg."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kg", type=Path, metavar="KG", help="one that is there, with its report beside it")
    kg = parser.parse_args().kg
    with tempfile.TemporaryDirectory() as folder:
        kg = kg or explained_by_emoji(Path(folder))
        server = subprocess.Popen([FILTAG, "serve", kg, "--port", "0"], stderr=subprocess.PIPE, text=True)
        try:
            assert server.stderr is not None
            address = server.stderr.readline().partition(" at ")[2].split()[0]
            with sync_playwright() as playwright:
                program = shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
                options = {"viewport": {"width": 1200, "height": 860}, "device_scale_factor": 1.5}
                take(browser.new_page(**options), address, kg)
                browser.close()
        finally:
            server.terminate()
            server.wait()


def explained_by_emoji(folder: Path) -> Path:
    """Draw the images and make the KG."""
    emoji = runpy.run_path(str(ROOT / "docs" / "tutorials" / "emoji_images.py"))
    # The network knows taxis to be yellow.
    emoji["emoji_image"].__globals__["in_other_colours"] = lambda drawing, _: drawing
    images = emoji["draw_emoji"](folder / "images", emoji["EMOJI"], 24, size=224)
    network = ["--network", "efficientnet-lite0", "--images", images]
    subprocess.run([FILTAG, "run", *network, "--q", "0.05", "--score", "contrast", "-o", folder / "kg"], check=True)
    return folder / "kg"


def take(page: Page, address: str, kg: Path) -> None:
    """Go to each page and take its picture."""
    network = json.loads((kg / "filtag.json").read_text())["network"]
    page.goto(f"{address}network/{network}/layer/{LAYER}/filter/{FILTER}")
    page.set_viewport_size({"width": 1200, "height": 1180})
    shoot(page, "filter")
    page.set_viewport_size({"width": 1200, "height": 860})
    page.goto(f"{address}query?name=filters-by-concept&concept=vehicle&layer={LAYER}")
    page.get_by_text("rows in").wait_for()
    page.mouse.wheel(0, 420)
    shoot(page, "query")
    page.goto((kg.with_name(f"{kg.name}-report") / "index.html").as_uri())
    shoot(page, "report")


def shoot(page: Page, name: str) -> None:
    """Write one picture."""
    page.wait_for_timeout(500)
    page.screenshot(path=ROOT / "docs" / "pictures" / f"explorer-{name}.jpg", type="jpeg", quality=80)


if __name__ == "__main__":
    main()
