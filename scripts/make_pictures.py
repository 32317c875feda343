"""Draw docs/pictures/demo.svg: the output of ``filtag demo`` in a terminal."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "demo.svg"


def main() -> None:
    """Run the demo and draw its output."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    code = "from filtag_kg.cli import main; main()"
    environment = {**os.environ, "COLUMNS": "118", "FORCE_COLOR": "1"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, "demo", "-q"],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env=environment,
        )
    console = Console(record=True, width=118, file=StringIO(), force_terminal=True)
    console.print(Text("$ filtag demo", style="bold"))
    console.print(Text.from_ansi(done.stdout))
    # A fixed id: the same output gives the same file.
    TARGET.write_text(console.export_svg(title="filtag demo", unique_id="demo"), encoding="utf-8")
    print(TARGET)


if __name__ == "__main__":
    main()
