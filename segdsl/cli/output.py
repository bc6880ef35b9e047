"""Members as a table, CSV, JSON Lines or Parquet, to standard output or a file: written as they come."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

from segdsl.cli.common import Stop
from segdsl.cli.files import replacing
from segdsl.text.render import printable, width

T = TypeVar("T")
Member = str | int
Pair = tuple[str, Member]
COLUMNS = ("segment", "contact")
LINES = 10_000  # that are written at once
LARGEST = 2**63  # what a BIGINT stays below


@dataclass(frozen=True)
class Members:
    """Pairs `(segment, contact)` in that order, to be read once.

    segments: whose members these are, also those that have none.
    whole: whether contacts are whole numbers in the database.
    """

    pairs: Iterator[Pair]
    segments: Sequence[str]
    whole: bool


@contextmanager
def target(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output (also for `-`), or a file that appears only when it is complete. Stop if there can be none."""
    if output is None or str(output) == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file() and not output.is_dir():  # a device or a pipe cannot be replaced
        with output.open("wb") as stream:
            yield stream
        return
    if output.is_dir():
        raise Stop(f"{output} is a folder", "name a file in it: -o members.csv")
    if not output.resolve().parent.is_dir():
        raise Stop(f"no such folder: {output.parent}", "make it first, or name a file in another one")
    with replacing(output) as file:
        yield file


def write_counts(sizes: Mapping[str, int], output: Path | None) -> None:
    """`segment<TAB>number` lines."""
    with target(output) as file:
        for segment, size in sizes.items():
            file.write(f"{segment}\t{size}\n".encode())


def write(members: Members, form: str, output: Path | None) -> None:
    """The members in a format, one of `FORMATS`."""
    with target(output) as file:
        FORMATS[form](replace(members, pairs=looked_at(members.pairs)), file)


def looked_at(rows: Iterator[T]) -> Iterator[T]:
    """The same rows, of which the first is there: a question that fails ends here, before anything is written."""
    first = list(islice(rows, 1))
    return chain(first, rows)


def _table(members: Members, file: BinaryIO) -> None:
    wide = max(width(name) for name in ("segment", *members.segments))
    file.write(f"{'segment'.ljust(wide)}  contact\n".encode())
    _lines(
        members, file,
        lambda segment: segment + " " * (wide - width(segment) + 2),
        lambda contact: f"{printable(str(contact))}\n",
    )  # fmt: skip


def _jsonl(members: Members, file: BinaryIO) -> None:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    _lines(
        members, file,
        lambda segment: f'{{"segment": {encode(segment)}, "contact": ',
        lambda contact: f"{encode(contact) if isinstance(contact, str) else contact}}}\n",
    )  # fmt: skip


def _lines(members: Members, file: BinaryIO, opening: Callable[[str], str], rest: Callable[[Member], str]) -> None:
    """A line for each member: what opens all lines of its segment, and what is its own."""
    for segment, pairs in groupby(members.pairs, itemgetter(0)):
        first = opening(segment)
        while text := "".join(first + rest(contact) for _, contact in islice(pairs, LINES)):
            file.write(text.encode("utf-8", "backslashreplace"))


def _csv(members: Members, file: BinaryIO) -> None:
    as_csv(COLUMNS, members.pairs, file)


def as_csv(
    columns: Sequence[str], rows: Iterable[Sequence[object]], file: BinaryIO,
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL,
) -> None:  # fmt: skip
    """The names of columns and rows of their cells as CSV; what no UTF-8 can hold is written as an escape."""
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    try:
        writer = csv.writer(text, lineterminator="\n", quoting=quoting)
        writer.writerow(columns)
        writer.writerows(rows)
    finally:
        text.detach()


def _parquet(members: Members, file: BinaryIO) -> None:
    """Through a CSV file in a temporary folder: DuckDB reads one far faster than it takes rows from Python.

    Contacts are BIGINT where the database has whole numbers and all of them fit, else VARCHAR.
    """
    fit = members.whole

    def fitting() -> Iterator[Pair]:
        nonlocal fit
        for segment, contact in members.pairs:
            fit = fit and isinstance(contact, int) and -LARGEST <= contact < LARGEST
            yield segment, contact

    def columns() -> dict[str, tuple[str, str]]:
        return {"segment": ("VARCHAR", "segment"), "contact": ("BIGINT" if fit else "VARCHAR", "contact")}

    as_parquet(lambda plain: as_csv(COLUMNS, fitting(), plain, csv.QUOTE_ALL), columns, file)


def as_parquet(
    write: Callable[[BinaryIO], None], columns: Callable[[], Mapping[str, tuple[str, str]]], file: BinaryIO
) -> None:
    """A Parquet file out of a CSV file in a temporary folder: DuckDB reads one far faster than it takes rows.

    write: writes the CSV, every cell in quotes. columns: asked when it is written: name -> the type to read it as, and
      what becomes of it, as DuckDB's SQL.
    """
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        lines, rows = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with lines.open("wb") as plain:
            write(plain)
        found = columns()
        kinds = ", ".join(f"'{name}': '{kind}'" for name, (kind, _) in found.items())
        made_of = ", ".join(f'{value} AS "{name}"' for name, (_, value) in found.items())
        options = f"header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, columns = {{{kinds}}}"
        with duckdb.connect(config={"memory_limit": "256MB", "temp_directory": folder}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"COPY (SELECT {made_of} FROM read_csv(?, {options}, allow_quoted_nulls = false)) TO '{rows}'"
                " (FORMAT parquet)",
                [str(lines)],
            )
        with rows.open("rb") as made:
            shutil.copyfileobj(made, file)


FORMATS: dict[str, Callable[[Members, BinaryIO], None]] = {
    "table": _table, "csv": _csv, "jsonl": _jsonl, "parquet": _parquet,
}  # fmt: skip
