"""Export the tables of a KG, as they are or as Parquet."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO

from filtag_kg.concepts import check_sssom
from filtag_kg.errors import FiltagError
from filtag_kg.kg import KG, TABLES


def write_csv(kg: KG, table: str, output: BinaryIO) -> None:
    """Write a table as CSV.

    Raises
    ------
    FiltagError
        If there is no such table, or it is damaged.
    """
    with _checked(kg, table).open("rb") as file:
        shutil.copyfileobj(file, output)


def write_links(kg: KG, output: BinaryIO) -> None:
    """Write the links of classes to concepts as SSSOM/TSV.

    Raises
    ------
    FiltagError
        If they are missing or damaged.
    """
    path = kg.path / "links.sssom.tsv"
    check_sssom(path)
    with path.open("rb") as file:
        shutil.copyfileobj(file, output)


def write_parquet(kg: KG, table: str, output: BinaryIO) -> None:
    """Write a table as Parquet, a batch of rows at a time: whole numbers as int64, others as float64, text as strings.

    Raises
    ------
    FiltagError
        If there is no such table, it is damaged, or pyarrow is not installed.
    """
    try:
        from pyarrow import csv, float64, int64, parquet, string
    except ImportError:
        raise FiltagError("Parquet needs pyarrow: install it with pip install 'filtag-kg[tables]'") from None
    path = _checked(kg, table)
    arrow_types = {int: int64(), float: float64(), str: string()}
    types = {name: arrow_types[kind] for name, kind in TABLES[table].types.items()}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    with (
        csv.open_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options) as batches,
        parquet.ParquetWriter(output, batches.schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)


def _checked(kg: KG, table: str) -> Path:
    """Return the path of a table after checking every cell."""
    if table not in TABLES:
        raise FiltagError(f"no table {table!r}: choose one of {', '.join(TABLES)}", options=("table",))
    path = kg.path / TABLES[table].file_name
    for _ in TABLES[table].read(path):
        pass
    return path
