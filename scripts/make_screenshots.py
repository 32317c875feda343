"""Take the screenshots in the README: the demo's KG, served, in a real browser.

Needs Chromium. No third-party pictures appear in them: the demo's pictures are made from the network alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FILTAG = Path(sys.executable).with_name("filtag")
LAYER, FILTER = "block6b_expand", "1131"


def main() -> None:
    """Write docs/pictures/explorer-*.jpg."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kg = Path(folder) / "demo-kg"
        subprocess.run([FILTAG, "demo", "-o", kg, "-q"], check=True, stdout=subprocess.DEVNULL)
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


def take(page: Page, address: str, kg: Path) -> None:
    """Go to each page and take its picture."""
    network = json.loads((kg / "filtag.json").read_text())["network"]
    page.goto(f"{address}network/{network}/layer/{LAYER}/filter/{FILTER}")
    shoot(page, "filter")
    page.goto(f"{address}query?name=filters-by-concept&concept=vehicle&layer={LAYER}")
    page.get_by_text("rows in").wait_for()
    shoot(page, "query")
    page.goto((kg.with_name(f"{kg.name}-report") / "index.html").as_uri())
    shoot(page, "report")


def shoot(page: Page, name: str) -> None:
    """Write one picture."""
    page.wait_for_timeout(500)
    page.screenshot(path=ROOT / "docs" / "pictures" / f"explorer-{name}.jpg", type="jpeg", quality=80)


if __name__ == "__main__":
    main()
