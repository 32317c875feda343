"""The tutorials' notebooks are whole, and run."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from scripts import run_notebooks
from scripts.run_notebooks import code_cells, differences, failed_commands, normalised, run, tags, texts

NOTEBOOKS = sorted(run_notebooks.TUTORIALS.glob("*.ipynb"))
MOST_BYTES = 1_000_000
KNOWN_TAGS = {"emoji-images", "hide-input", "varies"}

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, 4)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@each
def test_a_notebook_is_well_formed_and_small(path: Path, notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    assert notebook.metadata == run_notebooks.METADATA
    assert notebook.cells[0].source.startswith("# ")
    assert path.stat().st_size < MOST_BYTES
    for cell in code_cells(notebook):
        assert cell.source.strip()
        assert set(tags(cell)) <= KNOWN_TAGS
    assert run_notebooks.with_emoji_code(notebook) == notebook


@each
def test_its_outputs_are_there_and_show_no_errors(path: Path, notebook: nbformat.NotebookNode) -> None:
    cells = code_cells(notebook)
    assert any(cell.outputs for cell in cells)
    for cell in cells:
        assert all(output.output_type != "error" for output in cell.outputs)
        last = cell.source.splitlines()[-1]
        shows = last.startswith(("print(", "Image.", "kg.", "plt.show")) or re.fullmatch(r"\w+", last)
        assert cell.outputs or not shows, cell.source
    assert failed_commands(notebook) == []


@each
def test_it_names_no_folder_of_a_machine(path: Path, notebook: nbformat.NotebookNode) -> None:
    text = "\n".join(str(text) for cell in code_cells(notebook) for text in (cell.source, *texts(cell)))
    assert re.findall(r"(?<![\w.:/])/(?:tmp|home|root|work|usr|private|Users)/\S*", text) == []


@each
def test_its_pictures_have_words(path: Path, notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"!\[\s*\]", cell.source), cell.source
            assert not re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", cell.source), cell.source
            continue
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            assert not re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", html), cell.source
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                assert cell.metadata.get("mystnb", {}).get("image", {}).get("alt"), cell.source


@each
def test_it_says_whose_emoji_it_shows(path: Path, notebook: nbformat.NotebookNode) -> None:
    if any("emoji-images" in tags(cell) for cell in code_cells(notebook)):
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert "Twemoji" in text
        assert "CC BY 4.0" in text


@pytest.mark.slow
@each
def test_it_runs_and_gives_what_it_shows(path: Path, notebook: nbformat.NotebookNode) -> None:
    pytest.importorskip("keras", reason="the cpu extra is not installed")
    made = run(notebook)
    assert failed_commands(made) == []
    assert differences(notebook, made) == []


def new(*sources: str, varies: bool = False) -> nbformat.NotebookNode:
    metadata = {"tags": ["varies"]} if varies else {}
    cells = [nbformat.v4.new_code_cell(source, metadata=metadata) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def test_what_belongs_to_a_run_is_left_out() -> None:
    made = run(
        new(
            "import warnings; warnings.warn('do not'); print('yes')",
            "from pathlib import Path; print(Path('a.txt').resolve())",
            "from PIL import Image; Image.effect_noise((200, 200), 50)",
            "print('\\r 10 %\\r 20 %\\r100 %')",
        )
    )
    (first,), (second,), (picture,), (bar,) = (cell.outputs for cell in made.cells)
    assert (first.text, second.text, bar.text) == ("yes\n", "a.txt\n", "100 %\n")
    (kind,) = picture.data
    assert kind == "image/jpeg"
    with Image.open(io.BytesIO(base64.b64decode(picture.data[kind]))) as opened:
        assert opened.size == (200, 200)
    assert made.metadata == run_notebooks.METADATA
    assert all(cell.execution_count is None and set(cell.metadata) == set() for cell in made.cells)


def test_only_what_varies_may_differ() -> None:
    for varies, found in ((False, ["code cell 1 gives ['2\\n'], and not ['1\\n']"]), (True, [])):
        before, after = new("x", varies=varies), new("x", varies=varies)
        for notebook, text in ((before, "1\n"), (after, "2\n")):
            notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text=text)]
        assert differences(before, after) == found
        after.cells[0].outputs = []
        assert differences(before, after) == ["code cell 1 gives [], and not ['text']"]
    assert differences(new("x"), new("y")) == ["code cell 1 is stale"]


def test_a_command_that_fails_is_noticed() -> None:
    made = run(new("!filtag show nowhere"))
    assert len(failed_commands(made)) == 1


def test_notes_stay_and_what_others_log_is_left_out() -> None:
    logged = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1795730079.671317   23067 port.cc:153] oneDNN custom operations are on.\n"
        "2026-11-26 22:19:13.1: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.\n"
        "site-packages/keras/trainer.py:74: UserWarning: `shuffle=True` was passed\n  self.data = get()\n"
    )
    output = nbformat.v4.new_output("stream", name="stderr", text=f"{logged}'dog' has two senses here\n{logged}")
    assert normalised(output).text == "'dog' has two senses here\n"
    assert normalised(nbformat.v4.new_output("stream", name="stderr", text=logged)) is None


def test_a_widget_is_left_out() -> None:
    data = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "bar"}
    assert normalised(nbformat.v4.new_output("display_data", data=data)) is None
