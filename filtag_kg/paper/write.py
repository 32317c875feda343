"""The folder of a paper: figures, tables, methods and references of one KG, or of several beside each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.explain import EvaluationRecord, HitsRow, read_evaluation, read_misclassifications
from filtag_kg.files import replacing_directory
from filtag_kg.paper.kg_tables import hits_tables, kg_tables, rows_by_score
from filtag_kg.paper.methods import Methods, methods, software_version
from filtag_kg.paper.references import bibliography
from filtag_kg.paper.tables import PaperTable
from filtag_kg.paper.tex import PREAMBLE, tex_text
from filtag_kg.report import (
    NARROW,
    PRINT_PAGE,
    Figure,
    GroupedRun,
    OwnFolder,
    confusion_figure,
    filters_figure,
    hits_figure,
    run_figures,
)
from filtag_kg.views import LoadedKg

_LATEX_FILES = frozenset(
    f"paper.{ending}" for ending in ("aux", "bbl", "blg", "fdb_latexmk", "fls", "log", "out", "pdf", "synctex.gz")
)
_FOLDER = OwnFolder("a paper's figures and tables", "filtag-paper.json", _LATEX_FILES)
_FLOATS_A_PAGE = 4
"""LaTeX keeps only so many figures and tables waiting for a page."""
_TEX = r"""% Shows everything that filtag paper wrote: pdflatex paper; bibtex paper; pdflatex paper; pdflatex paper.
% Copy from it what your paper needs.
\documentclass{article}
\usepackage[a4paper,margin=20mm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
"""


@dataclass(frozen=True, slots=True, eq=False)
class PaperSource:
    """What goes into the folder of one KG.

    Parameters
    ----------
    grouped : sequence of GroupedRun
        Its runs.
    hits, errors : Path, optional
        What ``filtag evaluate -o`` and ``filtag errors -o`` wrote.
    """

    loaded: LoadedKg
    grouped: Sequence[GroupedRun]
    hits: Path | None = None
    errors: Path | None = None


def check_paper_folder(output: Path, *, force: bool = False) -> None:
    """Make sure that a paper's figures and tables may be written to `output`.

    Raises
    ------
    FiltagError
        If there are some already and no `force`, if there is anything else, or if it cannot be written.
    """
    _FOLDER.check(output, force=force)


def write_paper(
    sources: Sequence[PaperSource],
    output: Path,
    *,
    filters: int = 6,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Write a paper's folder, all of it or nothing.

    Parameters
    ----------
    sources : sequence of PaperSource
        The files of several KGs lie in folders named after the KGs' ids.
    filters : int
        How many filters the figure of filters and tags shows.
    force : bool
        Replace such a folder.
    progress : callable, optional
        Called with the number of figures written and of all figures.

    Returns
    -------
    list of str
        What a reader must know.

    Raises
    ------
    FiltagError
        As `check_paper_folder`; if hits or errors are missing, damaged or about another network; or if the folder
        cannot be written.
    """
    check_paper_folder(output, force=force)
    papers = [_read(source, filters) for source in sources]
    n_figures = sum(len(paper.figures) for paper in papers)
    done = 0
    with replacing_directory(output, partial(check_paper_folder, force=force)) as folder:
        for source, paper in zip(sources, papers, strict=True):
            own = folder if len(papers) == 1 else folder / str(source.loaded.kg.manifest["id"])
            for written in _write(paper, own):
                done += written
                if progress is not None:
                    progress(done, n_figures)
        _FOLDER.mark(folder)
    return [note for paper in papers for note in paper.notes]


@dataclass(frozen=True, slots=True, eq=False)
class _Paper:
    """What is written of one KG.

    Parameters
    ----------
    figures : tuple of (name, Figure)
    """

    figures: tuple[tuple[str, Figure], ...]
    tables: tuple[PaperTable, ...]
    hits_csv: str | None
    methods: Methods
    version: str
    notes: tuple[str, ...]


def _read(source: PaperSource, filters: int) -> _Paper:
    loaded = source.loaded
    names = run_names(source.grouped)
    notes: list[str] = []
    hits: tuple[list[HitsRow], EvaluationRecord | None] | None = None
    hits_csv = None
    if source.hits is not None:
        hits = read_evaluation(source.hits, loaded.networks)
        hits_csv = (source.hits / "hits.csv").read_text(encoding="utf-8")
        if hits[1] is None:
            notes.append(f"{source.hits} does not say which network it is about: evaluate anew to have that checked")
        if all(row.hits_low is None for row in hits[0]):
            notes.append(f"{source.hits} has no intervals of Hits@n: evaluate anew to have them")
    if source.errors is not None and not (source.errors / "errors.json").exists():
        notes.append(
            f"{source.errors} does not say which network it is about: classify the images anew to have that checked"
        )
    figures = [*_figures(source, names, filters), *_other_figures(source, hits)]
    tables = list(kg_tables(source.grouped, names))
    if hits is not None:
        tables += hits_tables(hits[0])
    text = methods(loaded, source.grouped, [figure.kind for _, figure in figures], hits)
    version = software_version(loaded.kg.manifest)
    return _Paper(tuple(figures), tuple(tables), hits_csv, text, version, tuple(notes))


def run_names(grouped_runs: Sequence[GroupedRun]) -> dict[str, str]:
    """Return what the files of each run are called: its rule in letters, digits and hyphens, and its id if need be."""
    plain = {grouped.run.run_id: _file_name(grouped.run.rule) for grouped in grouped_runs}
    count = Counter(plain.values())
    return {
        run_id: name if name and count[name] == 1 else f"{name or 'run'}-{_file_name(run_id)}"
        for run_id, name in plain.items()
    }


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:60].strip("-")


def _figures(source: PaperSource, names: dict[str, str], filters: int) -> Iterator[tuple[str, Figure]]:
    for grouped in source.grouped:
        of_run = [filters_figure(grouped, filters), *run_figures(grouped, lambda _: None)]
        for figure in of_run:
            if figure is not None:
                yield f"{figure.kind}-{names[grouped.run.run_id]}", figure


def _other_figures(
    source: PaperSource, hits: tuple[Sequence[HitsRow], EvaluationRecord | None] | None
) -> Iterator[tuple[str, Figure]]:
    if hits is not None:
        by_score = rows_by_score(hits[0])
        for score, rows in by_score.items():
            figure = hits_figure(rows)
            if figure is not None:
                yield "hits" if len(by_score) == 1 else f"hits-{score}", figure
    if source.errors is not None:
        figure = confusion_figure(read_misclassifications(source.errors, source.loaded.networks))
        if figure is not None:
            yield "confusion", figure


def _write(paper: _Paper, folder: Path) -> Iterator[int]:
    """Write the files of one KG; yield 1 after each figure."""
    (folder / "figures").mkdir(parents=True)
    (folder / "tables").mkdir()
    for name, figure in paper.figures:
        for width, ending in ((NARROW, ""), (PRINT_PAGE, "-wide")):
            plot = figure.draw(width)
            if plot is not None:
                (folder / "figures" / f"{name}{ending}.pdf").write_bytes(plot.pdf())
                _write_text(folder / "figures" / f"{name}{ending}.svg", plot.svg())
        yield 1
    for table in paper.tables:
        if table.csv:
            _write_text(folder / "tables" / f"{table.name}.csv", table.csv_text())
        if any(column.title for column in table.columns):
            _write_text(folder / "tables" / f"{table.name}.tex", table.tex_text())
    if paper.hits_csv is not None:
        _write_text(folder / "tables" / "hits.csv", paper.hits_csv)
    _write_text(folder / "methods.md", paper.methods.markdown())
    _write_text(folder / "methods.tex", paper.methods.tex())
    _write_text(folder / "references.bib", bibliography(paper.methods.keys, paper.version))
    _write_text(folder / "paper.tex", _document(paper))


def _document(paper: _Paper) -> str:
    floats = [_figure_tex(name, figure) for name, figure in paper.figures]
    floats += [
        rf"\input{{tables/{table.name}}}" for table in paper.tables if any(column.title for column in table.columns)
    ]
    parts = [_TEX + PREAMBLE + r"\begin{document}", r"\section*{Methods}", r"\input{methods}"]
    for start in range(0, len(floats), _FLOATS_A_PAGE):
        parts += [*floats[start : start + _FLOATS_A_PAGE], r"\clearpage"]
    parts += [r"\bibliographystyle{plain}", r"\bibliography{references}", r"\end{document}", ""]
    return "\n".join(parts)


def _figure_tex(name: str, figure: Figure) -> str:
    rule = f" ({figure.rule})" if figure.rule else ""
    caption = tex_text(f"{figure.title}{rule}. {figure.text}")
    return "\n".join(
        [
            r"\begin{figure}",
            r"\centering",
            rf"\includegraphics{{figures/{name}.pdf}}",
            rf"\caption{{{caption}}}",
            rf"\label{{fig:{name}}}",
            r"\end{figure}",
        ]
    )


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except UnicodeEncodeError:
        raise FiltagError(f"{path.name} would hold half a character: mend the names in the KG") from None
