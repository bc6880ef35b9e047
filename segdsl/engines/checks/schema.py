"""Declarations that fit the schema and mislead all the same: times and zones, decimals stored as floats."""

from __future__ import annotations

from collections.abc import Iterable

from segdsl import types
from segdsl.backends.sql.reading import Reading
from segdsl.engines.declared import Declared
from segdsl.text.diagnostic import Diagnostic


def misleading(reading: Reading, declared: Iterable[Declared]) -> list[Diagnostic]:
    """Warnings that need no look at the data, one for each column."""
    found: dict[tuple[str, str], Diagnostic] = {}
    for each in declared:
        physical = reading.schema.get((each.table, each.column.name))
        if physical is None or each.column.path:
            continue
        family = reading.dialect.family(physical)
        column = f"`{each.column.name}` of `{each.table}`"
        finding = None
        if isinstance(each.type, types.Timestamp):
            finding = _clock(each, column, physical, family, reading.catalog.timezone)
        elif isinstance(each.type, types.Number) and each.type.scale and family == "float":
            finding = each.finding(
                "SEG0723", f"`{each.name}` is declared {each.type}, but {column} is {physical}",
                "a float is seldom the decimal that was meant: each counts as its shortest decimal text,"
                f" rounded to {each.type.scale} decimals",
                "store money as a decimal; until then sums are those of the rounded values",
            )  # fmt: skip
        if finding is not None:
            found.setdefault((each.table, each.column.name), finding)
    return list(found.values())


def _clock(each: Declared, column: str, physical: str, family: str, zone: str) -> Diagnostic | None:
    time = each.time
    if time is not None and time.timezone and family == "timestamptz":
        return each.finding(
            "SEG0721", f"{column} is {physical}: its times have a zone already",
            f"`timezone: {time.timezone}` is for clock times without a zone, and says nothing here",
            "take `timezone` away",
        )  # fmt: skip
    said = time is not None and (time.unit or time.timezone)
    # Where the project's own zone is UTC, nobody would expect another.
    if said or zone == "UTC" or family not in {"timestamp", "timestamp_ns"}:
        return None
    if time is None:
        help = "if they are clock times of another zone, make a view that says so, and declare that"
    else:
        ways = f"`time: {{column: {each.column.name}, timezone: {zone}}}`"
        help = f"if they are local clock times, write {ways}; if they are UTC, `timezone: UTC` says so"
    return each.finding(
        "SEG0720", f"{column} is {physical}, without a time zone: its times are taken as UTC",
        f"the project's time zone is {zone}", help,
    )  # fmt: skip
