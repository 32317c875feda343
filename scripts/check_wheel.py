"""Check a wheel: what is in it, and that it works alone, in a fresh environment without extras.

The wheel must hold the files of the package, the ontology and the queries that git has, the licences, and nothing else,
whether it is built from the source distribution or from the checkout. Then it is installed, and the demo is built and
asked from outside the checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FOLDERS = {"filtag_kg": "filtag_kg", "ontology": "filtag_kg/ontology", "queries": "filtag_kg/queries"}
"""The folders of the checkout that are installed, and where."""

LICENCES = ("LICENSE", "filtag_kg/concepts/data/LICENSE-CONCEPTNET", "filtag_kg/concepts/data/LICENSE-WORDNET")

BESIDE = {"CHANGELOG.md", "CITATION.cff", "LICENSE", "README.md", "PKG-INFO", "pyproject.toml", ".gitignore"}
"""What a source distribution has besides these folders."""

MOST_MB = 12


def main() -> None:
    """Check the distributions in a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "dist", type=Path, help="folder with one wheel and one source distribution, by `python -m build`"
    )
    dist: Path = parser.parse_args().dist.resolve()
    (wheel,), (source,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    check_files(wheel, source)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        check_same_from_checkout(wheel, scratch)
        check_alone(wheel, scratch)


def check_files(wheel: Path, source: Path) -> None:
    """Compare the files of wheel and source distribution with those that git has."""
    tracked = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [Path(line) for line in tracked.stdout.splitlines()]
    wanted = {f"{FOLDERS[path.parts[0]]}/{path.relative_to(path.parts[0]).as_posix()}" for path in paths}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    about = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/"
    licences = {f"{about}licenses/{name}" for name in LICENCES}
    same(
        names, wanted | licences | {about + name for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}, wheel
    )
    with tarfile.open(source) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    same(names, {path.as_posix() for path in paths} | BESIDE, source)
    for path in (wheel, source):
        size = path.stat().st_size / 1e6
        print(f"{path.name}: {size:.1f} MB")
        if size > MOST_MB:
            sys.exit(f"{path.name} has {size:.1f} MB, more than {MOST_MB}")


def same(names: set[str], wanted: set[str], archive: Path) -> None:
    """Stop if an archive lacks files, or has others."""
    if names != wanted:
        sys.exit(f"{archive.name}: lacks {sorted(wanted - names)}, has besides {sorted(names - wanted)}")


def check_same_from_checkout(wheel: Path, scratch: Path) -> None:
    """Build the wheel from the checkout itself: it must equal the one from the source distribution."""
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(scratch / "checkout"), str(ROOT), cwd=ROOT)
    contents = []
    for path in (wheel, scratch / "checkout" / wheel.name):
        with zipfile.ZipFile(path) as archive:
            contents.append({name: hashlib.sha256(archive.read(name)).digest() for name in archive.namelist()})
    if contents[0] != contents[1]:
        differing = sorted(name for name, digest in contents[0].items() if contents[1].get(name) != digest)
        sys.exit(f"{wheel.name}: the checkout and the source distribution give different files: {differing}")


def check_alone(wheel: Path, scratch: Path) -> None:
    """Install the wheel in a fresh environment, and use it from outside the checkout."""
    environment = scratch / "environment"
    run(sys.executable, "-m", "venv", str(environment), cwd=scratch)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    run(str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=scratch)
    filtag = str(programs / "filtag")
    version = wheel.name.split("-")[1]
    if (said := run(filtag, "--version", cwd=scratch)) != f"filtag {version}\n":
        sys.exit(f"filtag --version says {said!r}, not {version}")
    said = run(filtag, "demo", "-o", "demo", cwd=scratch)
    if "Which filters respond to dogs?" not in said or not (scratch / "demo-report" / "index.html").is_file():
        sys.exit(f"the demo says:\n{said}")
    answer = run(filtag, "query", "demo", "filters-by-concept", "concept=dog", "--format", "csv", cwd=scratch)
    if "Chihuahua" not in answer:
        sys.exit(f"the demo's filters of dogs are not there:\n{answer}")


def run(*command: str, cwd: Path) -> str:
    """Run a command, say how long it took, and return what it printed; stop if it fails."""
    start = time.monotonic()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    print(f"{time.monotonic() - start:5.1f} s  {Path(command[0]).name} {' '.join(command[1:4])}")
    return done.stdout


if __name__ == "__main__":
    main()
