"""Stays in segments as a table, CSV, JSON Lines or Parquet: written as they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Literal

from segdsl.cli.output import LARGEST, as_parquet, target
from segdsl.core.time import isoformat
from segdsl.history.history import Row
from segdsl.text.render import printable, width

COLUMNS = ("segment", "contact", "entered", "left")
LONGEST = len("2026-03-09T00:00:00.000001Z")
LINES = 10_000  # that are written at once


def write(rows: Iterator[Row], segments: Sequence[str], whole: bool, form: str, output: Path | None) -> None:
    """The rows in a format, one of `FORMATS`, to a file or (None, `-`) to standard output.

    segments: whose rows these may be. whole: whether contacts are whole numbers in the database.
    """
    with target(output) as file:
        # A question that fails ends before the first row, and before anything is written.
        first = list(islice(rows, 1))
        FORMATS[form](chain(first, rows), segments, whole, file)


def _table(rows: Iterator[Row], segments: Sequence[str], whole: bool, file: BinaryIO) -> None:
    wide = max(width(name) for name in ("segment", *segments))
    head = f"{'segment'.ljust(wide)}  {'entered'.ljust(LONGEST)}  {'left'.ljust(LONGEST)}  contact\n"
    file.write(head.encode())

    def line(row: Row) -> str:
        segment, contact, entered, left = row
        times = (isoformat(entered), "" if left is None else isoformat(left))
        cells = [segment + " " * (wide - width(segment)), *(time.ljust(LONGEST) for time in times)]
        return "  ".join([*cells, printable(str(contact))]) + "\n"

    _lines(rows, line, file)


def _jsonl(rows: Iterator[Row], segments: Sequence[str], whole: bool, file: BinaryIO) -> None:
    encode = json.JSONEncoder(ensure_ascii=False).encode

    def line(row: Row) -> str:
        segment, contact, entered, left = row
        end = None if left is None else isoformat(left)
        return encode({"segment": segment, "contact": contact, "entered": isoformat(entered), "left": end}) + "\n"

    _lines(rows, line, file)


def _lines(rows: Iterator[Row], line: Callable[[Row], str], file: BinaryIO) -> None:
    while text := "".join(map(line, islice(rows, LINES))):
        file.write(text.encode("utf-8", "backslashreplace"))


def _csv(rows: Iterator[Row], segments: Sequence[str], whole: bool, file: BinaryIO) -> None:
    def cells() -> Iterator[tuple[object, ...]]:
        for segment, contact, entered, left in rows:
            yield segment, contact, isoformat(entered), "" if left is None else isoformat(left)

    _cells(cells(), file)


def _cells(
    cells: Iterator[tuple[object, ...]], file: BinaryIO, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    try:
        writer = csv.writer(text, lineterminator="\n", quoting=quoting)
        writer.writerow(COLUMNS)
        writer.writerows(cells)
    finally:
        text.detach()


def _parquet(rows: Iterator[Row], segments: Sequence[str], whole: bool, file: BinaryIO) -> None:
    """Contacts are BIGINT where the database has whole numbers and all of them fit, else VARCHAR; times are of UTC."""
    fit = whole

    def looked_at() -> Iterator[tuple[object, ...]]:
        nonlocal fit
        for row in rows:
            fit = fit and -LARGEST <= row[1] < LARGEST  # type: ignore[operator]  # a whole number
            yield row

    def columns() -> dict[str, tuple[str, str]]:
        return {
            "segment": ("VARCHAR", "segment"),
            "contact": ("BIGINT" if fit else "VARCHAR", "contact"),
            "entered": ("BIGINT", "make_timestamp(entered)::TIMESTAMPTZ"),
            "left": ("VARCHAR", "make_timestamp(TRY_CAST(\"left\" AS BIGINT))::TIMESTAMPTZ"),
        }

    as_parquet(lambda plain: _cells(looked_at(), plain, csv.QUOTE_ALL), columns, file)


FORMATS: dict[str, Callable[[Iterator[Row], Sequence[str], bool, BinaryIO], None]] = {
    "table": _table, "csv": _csv, "jsonl": _jsonl, "parquet": _parquet,
}  # fmt: skip
