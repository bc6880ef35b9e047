"""Members as a table, CSV, JSON Lines or Parquet, to standard output or a file."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from segdsl.cli.common import Stop
from segdsl.cli.files import replacing
from segdsl.text.render import printable, width

Member = str | int
Members = Mapping[str, Sequence[Member]]


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
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
    with _target(output) as file:
        for segment, size in sizes.items():
            file.write(f"{segment}\t{size}\n".encode())


def write(found: Members, form: str, output: Path | None) -> None:
    """The members in a format."""
    with _target(output) as file:
        match form:
            case "csv":
                _csv(found, file)
            case "jsonl":
                for segment, contact in _pairs(found):
                    line = json.dumps({"segment": segment, "contact": contact}, ensure_ascii=False)
                    file.write(line.encode("utf-8", "backslashreplace") + b"\n")
            case "parquet":
                _parquet(found, file)
            case _:
                _table(found, file)


def _pairs(found: Members) -> Iterator[tuple[str, Member]]:
    for segment, members in found.items():
        for contact in members:
            yield segment, contact


def _csv(found: Members, file: BinaryIO, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    writer.writerow(("segment", "contact"))
    writer.writerows(_pairs(found))
    text.flush()
    text.detach()


def _table(found: Members, file: BinaryIO) -> None:
    wide = max([len("segment"), *(width(segment) for segment, members in found.items() if members)])
    file.write(f"{'segment'.ljust(wide)}  contact\n".encode())
    for segment, contact in _pairs(found):
        name = segment + " " * (wide - width(segment))
        file.write(f"{name}  {printable(str(contact))}\n".encode("utf-8", "backslashreplace"))


def _parquet(found: Members, file: BinaryIO) -> None:
    """Through a CSV file in a temporary folder: DuckDB reads one far faster than it takes rows from Python."""
    import duckdb

    numbers = all(isinstance(contact, int) for _, contact in _pairs(found))
    columns = f"{{'segment': 'VARCHAR', 'contact': '{'BIGINT' if numbers else 'VARCHAR'}'}}"
    with tempfile.TemporaryDirectory() as folder:
        lines, rows = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with lines.open("wb") as plain:
            _csv(found, plain, csv.QUOTE_ALL)
        options = f"header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, columns = {columns}"
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_csv(?, {options}, allow_quoted_nulls = false)) TO '{rows}' (FORMAT parquet)",
                [str(lines)],
            )
        with rows.open("rb") as made:
            shutil.copyfileobj(made, file)
