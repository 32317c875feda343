"""Run the tutorials' notebooks anew, each in an empty folder, and keep their outputs.

With ``--check``, write nothing and exit with code 1 if a notebook fails or its outputs differ from those that it holds.
Cells with the tag ``varies`` show what differs between machines, such as anything that follows from training a network:
of these, only the kinds of outputs are compared. Cells with the tag ``emoji-images`` get the code of
docs/tutorials/emoji_images.py, so that each notebook works alone.

What is kept of an output does not depend on the machine or the run: no times, no paths, no progress bars, no warnings;
and pictures are small.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

TUTORIALS = Path(__file__).resolve().parent.parent / "docs" / "tutorials"
EMOJI_CODE = TUTORIALS / "emoji_images.py"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
LONGEST = 3600
"""Seconds that a cell may take, on a slow machine beside other work."""

_ENVIRONMENT = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "COLUMNS": "88",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
_LOGGED = r"^(WARNING: All log messages|[IWEF]\d{4} |\d{4}-\d\d-\d\d ).*\n?|^.*Warning: .*\n?(^  .*\n?)?"
"""What TensorFlow logs, and Python's warnings with the line of code that they show. FilTag-KG's own notes stay."""
_JPEG_QUALITY = 88
_LONGEST_TEXT = 200
"""Where a page shows HTML, nobody reads the text that stands for it."""


def main() -> int:
    """Run the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="notebooks, such as background; by default all")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    failed = False
    for path in [TUTORIALS / f"{name}.ipynb" for name in options.names] or sorted(TUTORIALS.glob("*.ipynb")):
        stored = nbformat.read(path, 4)
        try:
            made = run(stored)
        except CellExecutionError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            failed = True
            continue
        for problem in failed_commands(made):
            print(f"{path.name}: {problem}", file=sys.stderr)
            failed = True
        if not options.check:
            path.write_text(nbformat.writes(made, indent=1) + "\n", "utf-8")
            continue
        for difference in differences(stored, made):
            print(f"{path.name}: {difference}", file=sys.stderr)
            failed = True
    return int(failed)


def run(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of running it in an empty folder, those of this run and machine left out.

    Raises
    ------
    CellExecutionError
        If a cell fails.
    """
    made = with_emoji_code(notebook)
    # Commands such as `!filtag` are those beside this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            made,
            timeout=LONGEST,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
        )
        client.execute(env=os.environ | _ENVIRONMENT | {"PATH": path})
        for cell in code_cells(made):
            cell.execution_count = None
            cell.outputs = joined([output for output in map(normalised, cell.outputs) if output is not None])
            cell.metadata = {
                name: value for name, value in cell.metadata.items() if name in ("tags", "mystnb") and value
            }
        text = nbformat.writes(made)
        for name in {folder, str(Path(folder).resolve())}:
            text = text.replace(f"{name}/", "")
    made = nbformat.reads(text, 4)
    made.metadata = nbformat.from_dict(METADATA)
    return made


def with_emoji_code(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a notebook, with the present code in its cell that draws emoji."""
    made: nbformat.NotebookNode = nbformat.from_dict(notebook)
    for cell in code_cells(made):
        if "emoji-images" in tags(cell):
            cell.source = EMOJI_CODE.read_text("utf-8").rstrip("\n")
    return made


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the cells of a notebook that have code, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def normalised(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """Return an output without what belongs to a run or a machine; None if nothing is left of it."""
    if output.output_type == "stream":
        text = plain(output.text)
        if output.name == "stderr":
            text = re.sub(_LOGGED, "", text, flags=re.MULTILINE)
        return nbformat.v4.new_output("stream", name=output.name, text=text) if text.strip() else None
    if output.output_type == "error":
        return output
    data = dict(output.data)
    if "application/vnd.jupyter.widget-view+json" in data:
        return None
    if "image/png" in data:
        kind, content = small_picture(base64.b64decode(data.pop("image/png")))
        # Objects that are shown as a picture have no text worth reading: it has their address in memory.
        data = {kind: base64.b64encode(content).decode("ascii")}
    if "text/html" in data:
        data = {
            "text/html": data["text/html"],
            "text/plain": re.sub(r" at 0x[0-9a-f]+", "", data.get("text/plain", "")),
        }
    # That the picture came from this or that call says nothing either.
    return nbformat.v4.new_output("display_data", data=data)


def plain(text: str) -> str:
    """Return a terminal's text without colours, and of lines that were written over each other the last."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return outputs with neighbouring texts as one: how often a kernel sends them depends on time."""
    made: list[nbformat.NotebookNode] = []
    for output in outputs:
        if made and output.output_type == "stream" and made[-1].get("name") == output.name:
            made[-1].text += output.text
        else:
            made.append(output)
    return made


def small_picture(content: bytes) -> tuple[str, bytes]:
    """Return a picture as JPEG or PNG, whichever is smaller, and its media type."""
    picture = Image.open(io.BytesIO(content))
    png, jpeg = io.BytesIO(), io.BytesIO()
    picture.save(png, "PNG", optimize=True)
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
    flat.save(jpeg, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    if len(png.getvalue()) <= len(jpeg.getvalue()):
        return "image/png", png.getvalue()
    return "image/jpeg", jpeg.getvalue()


def differences(stored: nbformat.NotebookNode, made: nbformat.NotebookNode) -> list[str]:
    """Return what differs between a notebook and a new run of it, a sentence for each cell."""
    found = []
    for number, (before, after) in enumerate(zip(code_cells(stored), code_cells(made), strict=True), 1):
        if before.source != after.source:
            found.append(f"code cell {number} is stale")
        elif kinds(before) != kinds(after):
            found.append(f"code cell {number} gives {kinds(after)}, and not {kinds(before)}")
        elif "varies" not in tags(before) and texts(before) != texts(after):
            found.append(f"code cell {number} gives {texts(after)!r}, and not {texts(before)!r}")
    return found


def failed_commands(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what commands after `!` say if they fail, which does not stop a notebook."""
    lines = [line for cell in code_cells(notebook) for text in texts(cell) for line in str(text).splitlines()]
    return [line for line in lines if re.match(r"error: |Usage: |.*command not found|Traceback ", line)]


def kinds(cell: nbformat.NotebookNode) -> list[str]:
    """Return the kinds of a cell's outputs: pictures are of one kind."""
    shown = [" ".join(sorted(output.get("data", {"text": ""}))) for output in cell.outputs]
    return [re.sub(r"image/\w+", "picture", kind) for kind in shown]


def texts(cell: nbformat.NotebookNode) -> list[Any]:
    """Return the texts of a cell's outputs."""
    data = [output.get("data", {"text/plain": output.get("text")}) for output in cell.outputs]
    return [shown.get("text/html") or shown.get("text/plain", "") for shown in data]


if __name__ == "__main__":
    sys.exit(main())
