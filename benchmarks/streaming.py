"""How much memory `segdsl run` takes for very many members, and how fast they come.

    python benchmarks/streaming.py [ROWS] [DATABASE] [--texts] [--formats FORMAT...]

Keys are made by the database in an order that it has to sort; `--texts` makes texts of them. Each format is written by
a process of its own. The peak is that of the process which runs segdsl: for DuckDB, SQLite and chdb with the database
in it, and without it for a server and for Spark's Java.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from segdsl.cli.main import run

ROOT = Path(__file__).resolve().parents[1]
SPREAD = 7_919  # a prime that divides no number of rows that anybody would ask for
MOST = 1.0  # GB
FORMATS = ("jsonl", "csv", "table", "parquet", "count")
PROJECT = "version: 1\ndatabase: {url}\ncontacts: {{table: people, key: id, attributes: {{country: string}}}}\n"
VIEW = "CREATE {kind} people AS SELECT {key} AS id, 'DE' AS country FROM {numbers}"


def duckdb_file(folder: Path, rows: int, key: str) -> str:
    import duckdb

    path = folder / "w.duckdb"
    with duckdb.connect(str(path), config={"memory_limit": "500MB"}) as connection:
        connection.execute(VIEW.format(kind="TABLE", key=key.format(n="range"), numbers=f"range({rows})"))
    return f"duckdb:///{path}"


def sqlite_file(folder: Path, rows: int, key: str) -> str:
    import sqlite3

    path = folder / "w.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        numbers = f"(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c LIMIT {rows}) SELECT n FROM c)"
        connection.execute("CREATE TABLE people (id " + ("TEXT" if "||" in key else "INTEGER") + ", country TEXT)")
        connection.execute(f"INSERT INTO people SELECT {key.format(n='n')}, 'DE' FROM {numbers}")
    return f"sqlite:///{path}"


def postgres_server(folder: Path, rows: int, key: str) -> str:
    from tests.support.databases import database

    server = database("postgres")
    numbers = f"generate_series(0, {rows}::bigint - 1) AS g (n)"
    server.connection.execute(VIEW.format(kind="TABLE", key=key.format(n="n"), numbers=numbers))  # type: ignore[attr-defined]
    return server.url


def chdb_folder(folder: Path, rows: int, key: str) -> str:
    from chdb.session import Session

    database = Session(str(folder / "ch"))
    kind = "String" if "||" in key else "Int64"
    database.query(
        f"CREATE TABLE people (id {kind}, country String) ENGINE = MergeTree ORDER BY tuple() AS"
        f" SELECT {key.format(n='number').replace('(number', '(toInt64(number)', 1)}, 'DE' FROM numbers({rows})"
    )
    database.close()
    return f"chdb:///{folder / 'ch'}"


def spark_files(folder: Path, rows: int, key: str) -> str:
    import duckdb

    (folder / "parquet").mkdir()
    made = VIEW.format(kind="VIEW", key=key.format(n="range"), numbers=f"range({rows})")
    with duckdb.connect(config={"memory_limit": "500MB"}) as connection:
        connection.execute(made)
        connection.execute(f"COPY people TO '{folder / 'parquet' / 'people.parquet'}'")
    return f"spark:local?path={folder / 'parquet'}"


MAKERS: dict[str, Callable[[Path, int, str], str]] = {
    "duckdb": duckdb_file, "sqlite": sqlite_file, "postgres": postgres_server,
    "clickhouse": chdb_folder, "spark": spark_files,
}  # fmt: skip


def measured(form: str) -> None:
    """One format, in this process."""
    arguments = ["run", 'country = "DE"', "--now", "2026-01-01"]
    arguments += ["--count"] if form == "count" else ["--format", form]
    started = time.perf_counter()
    code = run([*arguments, "-o", "members.parquet" if form == "parquet" else os.devnull])
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    failed = code != 0 or peak >= MOST
    print(f"  {form:8} {seconds:8.1f} s  peak {peak:.2f} GB  {'FAILED' if failed else ''}", flush=True)
    sys.exit(failed)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=50_000_000)
    parser.add_argument("database", nargs="?", choices=MAKERS, default="duckdb")
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--here", choices=FORMATS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        measured(asked.here)
    number = f"({{n}} * {SPREAD}) % {asked.rows}"
    key = f"'contact ' || ({number})" if asked.texts else number
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        url = MAKERS[asked.database](folder, asked.rows, key)
        print(f"{asked.database}: {asked.rows:,} members, made in {time.perf_counter() - started:.1f} s", flush=True)
        (folder / "segdsl.yml").write_text(PROJECT.format(url=url))
        for form in asked.formats:
            command = [sys.executable, str(ROOT / "benchmarks/streaming.py"), "--here", form]
            failed += subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
