"""Time importing the package, and asking the command for help.

Each runs in a process of its own, alternating with a process that does nothing and one that imports only NumPy.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time

CASES = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import filtag_kg": ["-c", "import filtag_kg"],
    "from filtag_kg import *": ["-c", "from filtag_kg import *"],
    "filtag --help": ["-c", "import sys; sys.argv = ['filtag', '--help']; from filtag_kg.cli import main; main()"],
}


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; Python", end=" ")
    print(f"{platform.python_version()}; medians of {rounds} rounds\n")
    # The first round fills the system's caches.
    times = [{name: seconds(arguments) for name, arguments in CASES.items()} for _ in range(rounds + 1)][1:]
    print("| process | s | × nothing | × NumPy |\n|---|--:|--:|--:|")
    for name in CASES:
        nothing, numpy = (
            statistics.median(each[name] / each[other] for each in times)
            for other in ("python -c pass", "import numpy")
        )
        print(f"| {name} | {statistics.median(each[name] for each in times):.3f} | {nothing:.1f} | {numpy:.2f} |")


def seconds(arguments: list[str]) -> float:
    """Return how long a process takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
