"""A folder of files as tables: each read as the catalog declares it, never as a file reader guesses."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import duckdb

SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def find(folder: Path, table: str) -> Path | None:
    """The file that holds a table."""
    paths = (folder / f"{table}{suffix}" for suffix in SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def stems(folder: Path) -> list[str]:
    """The names of a folder's data files, which are those of its tables."""
    return sorted(path.stem for path in folder.iterdir() if path.suffix in SUFFIXES)


def view(path: Path, columns: Iterable[str], connection: duckdb.DuckDBPyConnection) -> str:
    """The SELECT that reads a file with (at least) these columns; what the file lacks is NULL."""
    wanted = list(dict.fromkeys(columns))
    if path.suffix == ".parquet" and path.stat().st_size:
        file = f"read_parquet({literal(str(path))})"
        stored = {row[0].lower() for row in connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()}
        return f"SELECT {', '.join(['*', *_nulls(name for name in wanted if name.lower() not in stored)])} FROM {file}"
    if not path.read_bytes()[:4096].strip() and not path.read_text("utf-8-sig").strip():
        return f"SELECT {', '.join(_nulls(wanted))} WHERE FALSE"
    if path.suffix == ".csv":
        return _csv(path, wanted)
    types = ", ".join(f"{literal(name)}: 'JSON'" for name in wanted)
    return f"SELECT * FROM read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{types}}})"


def _nulls(columns: Iterable[str]) -> list[str]:
    return [f"CAST(NULL AS VARCHAR) AS {quoted(name)}" for name in columns]


def _csv(path: Path, wanted: list[str]) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    stored = {name.lower() for name in header}
    missing = _nulls(name for name in wanted if name.lower() not in stored)
    return (
        f"SELECT {', '.join(['*', *missing])} FROM read_csv({literal(str(path))}, auto_detect = false, header = true,"
        f" delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = true,"
        # Short rows are padded, which the parallel reader cannot do where quoted fields hold newlines.
        " null_padding = true, parallel = false,"
        f" columns = {{{types}}})"
    )
