"""Stays in segments as a table, CSV, JSON Lines or Parquet: written as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from segdsl.cli.output import LARGEST, LINES, as_csv, as_parquet, looked_at, target
from segdsl.core.time import isoformat
from segdsl.history.history import SegmentStay
from segdsl.text.render import printable, width

COLUMNS = ("segment", "contact", "entered", "left")
LONGEST = len("2026-03-09T00:00:00.000001Z")


@dataclass(frozen=True)
class Stays:
    """Stays in the order of segments, to be read once.

    segments: whose stays these may be. whole: whether contacts are whole numbers in the database.
    """

    rows: Iterator[SegmentStay]
    segments: Sequence[str]
    whole: bool


def write(stays: Stays, form: str, output: Path | None) -> None:
    """The stays in a format, one of `FORMATS`, to a file or (None, `-`) to standard output."""
    with target(output) as file:
        FORMATS[form](replace(stays, rows=looked_at(stays.rows)), file)


def _table(stays: Stays, file: BinaryIO) -> None:
    wide = max(width(name) for name in ("segment", *stays.segments))
    head = f"{'segment'.ljust(wide)}  {'entered'.ljust(LONGEST)}  {'left'.ljust(LONGEST)}  contact\n"
    file.write(head.encode())

    def line(stay: SegmentStay) -> str:
        times = (isoformat(stay.entered), "" if stay.left is None else isoformat(stay.left))
        cells = [stay.segment + " " * (wide - width(stay.segment)), *(time.ljust(LONGEST) for time in times)]
        return "  ".join([*cells, printable(str(stay.contact))]) + "\n"

    _lines(stays, line, file)


def _jsonl(stays: Stays, file: BinaryIO) -> None:
    encode = json.JSONEncoder(ensure_ascii=False).encode

    def line(stay: SegmentStay) -> str:
        left = None if stay.left is None else isoformat(stay.left)
        fields = {"segment": stay.segment, "contact": stay.contact, "entered": isoformat(stay.entered), "left": left}
        return encode(fields) + "\n"

    _lines(stays, line, file)


def _lines(stays: Stays, line: Callable[[SegmentStay], str], file: BinaryIO) -> None:
    while text := "".join(map(line, islice(stays.rows, LINES))):
        file.write(text.encode("utf-8", "backslashreplace"))


def _csv(stays: Stays, file: BinaryIO) -> None:
    rows = (
        (segment, contact, isoformat(entered), "" if left is None else isoformat(left))
        for segment, contact, entered, left in stays.rows
    )
    as_csv(COLUMNS, rows, file)


def _parquet(stays: Stays, file: BinaryIO) -> None:
    """Contacts are BIGINT where the database has whole numbers and all of them fit, else VARCHAR; times are of UTC."""
    fit = stays.whole

    def fitting() -> Iterator[SegmentStay]:
        nonlocal fit
        for stay in stays.rows:
            fit = fit and isinstance(stay.contact, int) and -LARGEST <= stay.contact < LARGEST
            yield stay

    def columns() -> dict[str, tuple[str, str]]:
        return {
            "segment": ("VARCHAR", "segment"),
            "contact": ("BIGINT" if fit else "VARCHAR", "contact"),
            "entered": ("BIGINT", "make_timestamp(entered)::TIMESTAMPTZ"),
            "left": ("VARCHAR", "make_timestamp(TRY_CAST(\"left\" AS BIGINT))::TIMESTAMPTZ"),
        }  # fmt: skip

    as_parquet(lambda plain: as_csv(COLUMNS, fitting(), plain, csv.QUOTE_ALL), columns, file)


FORMATS: dict[str, Callable[[Stays, BinaryIO], None]] = {
    "table": _table, "csv": _csv, "jsonl": _jsonl, "parquet": _parquet,
}  # fmt: skip
