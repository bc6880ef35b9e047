"""Stored values that do not fit what is declared, and count as unknown: SEG0724, SEG0725 and SEG0726."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.reading import Reading
from segdsl.engines.checks.asking import counted, number, one_row, unknown
from segdsl.engines.declared import Declared
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.suggest import nearest

TOGETHER = 12  # columns that one query looks at
FREQUENT = 3  # values of an enum that are shown
LONGEST = 60  # characters of a value that are shown
NOTHING = ("", "nan")  # texts, in small letters, that say themselves that there is no value


@dataclass(frozen=True)
class Asked:
    """A column, and all that declare it with one type: events of several kinds, perhaps."""

    declared: tuple[Declared, ...]

    @property
    def first(self) -> Declared:
        return self.declared[0]

    def counts(self, reading: Reading) -> list[Node]:
        """The condition on rows of which one of the declarations speaks."""
        if not all(each.where for each in self.declared):
            return []
        return [b.disjunction([
            b.conjunction([b.one_of(reading.text(each.table, column), [b.text(value) for value in values])
                           for column, values in each.where])
            for each in self.declared
        ])]  # fmt: skip


def unfit_values(engine: Engine, declared: Iterable[Declared]) -> list[Diagnostic]:
    """A warning for each column with values that do not fit; a query for each dozen columns of a table."""
    columns: dict[object, list[Declared]] = {}
    for each in dict.fromkeys(declared):
        columns.setdefault((each.table, each.column, each.type, each.time), []).append(each)
    tables: dict[str, list[Asked]] = {}
    for several in columns.values():
        tables.setdefault(several[0].table, []).append(Asked(tuple(several)))
    return [
        finding
        for asked in tables.values()
        for start in range(0, len(asked), TOGETHER)
        for finding in _unfit(engine, asked[start : start + TOGETHER])
    ]


def _unfit(engine: Engine, columns: Sequence[Asked]) -> list[Diagnostic]:
    reading = engine.reading()
    inner: list[tuple[str, Node]] = []
    outer: list[tuple[str, Node]] = []
    asked: list[Asked] = []
    for column in columns:
        canonical = column.first.canonical(reading)
        whatever = isinstance(canonical, exp.Column)  # that is stored fits
        if whatever and not column.first.required:
            continue
        i = len(asked)
        asked.append(column)
        inner += [*_looked_at(reading, column, i), (f"c{i}", canonical)]
        known = b.compare("=", b.column(f"k{i}"), b.number(1))
        misfit = b.conjunction([known, unknown(f"c{i}")])
        outer += [
            (f"all{i}", counted(known.copy())), (f"misfits{i}", counted(misfit)),
            (f"unknown{i}", counted(unknown(f"c{i}"))),
            (f"example{i}", exp.Min(this=b.case([(misfit.copy(), b.column(f"t{i}"))]))),
        ]  # fmt: skip
    if not asked:
        return []
    row = one_row(engine, outer, select(inner, reading.source(asked[0].first.table)))
    found = []
    for i, column in enumerate(asked):
        each = column.first
        stored, misfits, lacking, example = row[4 * i : 4 * i + 4]
        if misfits and isinstance(each.type, types.Enum):
            found.append(_undeclared(engine, column, stored, misfits))
        elif misfits:
            found.append(_misfit(each, stored, misfits, example))
        if lacking and each.required:
            found.append(each.finding(
                "SEG0725", f"`{each.name}` is declared `required`, and unknown for {number(lacking)}",
                "what is required is taken to be always known", "mend the data, or take `required` away",
            ))  # fmt: skip
    return found


def _looked_at(reading: Reading, column: Asked, i: int) -> list[tuple[str, Node]]:
    """`k`: 1 where a row counts and holds a value; `t`: the value's text."""
    each = column.first
    raw, physical = reading.raw(each.table, each.column, reading.dialect.physical_of(each.type), None)
    if reading.dialect.family(physical) in {"list", "nested", "blob", "other"}:
        text, something = b.cast(b.NULL(), "VARCHAR"), b.known(raw)
    else:
        text = reading.text(each.table, each.column)
        something = exp.Not(this=b.one_of(reading.dialect.folded(text.copy()), [b.literal(none) for none in NOTHING]))
    return [(f"k{i}", b.case([(b.conjunction([*column.counts(reading), something]), b.number(1))])), (f"t{i}", text)]


def _misfit(each: Declared, stored: int, misfits: int, example: str | None) -> Diagnostic:
    what = f"times of `{each.name}`" if each.time else f"values of `{each.name}`"
    share = f"all {number(stored)}" if stored == misfits > 1 else f"{number(misfits)} of {number(stored)}"
    shown = "" if example is None else f", such as {_shown(example)}"
    verb = "does not fit" if misfits == 1 else "do not fit"
    message = f"{share} {what} in `{each.stored}` of `{each.table}` {verb} {_wanted(each)}{shown}"
    lost = "events without a time never count" if each.time else "what does not fit is unknown"
    return each.finding("SEG0724", message, lost, "declare what is stored, or mend the data")


def _wanted(each: Declared) -> str:
    return f"`unit: {each.time.unit}`" if each.time and each.time.unit else str(each.type)


def _undeclared(engine: Engine, column: Asked, stored: int, misfits: int) -> Diagnostic:
    """The values of an enum that the catalog does not list, the most frequent ones first."""
    each = column.first
    assert isinstance(each.type, types.Enum)
    reading = engine.reading()
    inner = [*_looked_at(reading, column, 0), ("c", each.canonical(reading))]
    rows = select(inner, reading.source(each.table)).subquery("r")
    misfit = [b.compare("=", b.column("k0"), b.number(1)), unknown("c")]
    query = select([("value", b.column("t0")), ("n", exp.Count(this=exp.Star()))], rows, misfit)
    sizes = query.group_by(b.column("t0"), copy=False).subquery("sizes")
    query = select([(name, b.column(name)) for name in ("value", "n")], sizes)
    query.set("order", exp.Order(expressions=[
        exp.Ordered(this=b.column("n"), desc=True, nulls_first=False),
        exp.Ordered(this=engine.dialect.ordered(b.column("value")), nulls_first=False),
    ]))  # fmt: skip
    values = list(engine.ask(query.limit(FREQUENT, copy=False)))
    shown = ", ".join(f"{_shown(value)} ({number(count)})" for value, count in values)
    shown += " and others" if sum(count for _, count in values) < misfits else ""
    guesses = [(value, nearest(value, each.type.values)) for value, _ in values]
    close = "; ".join(f"{_shown(value)} may be `{guess}`" for value, guess in guesses if guess)
    where = f"`{each.name}` in `{each.stored}` of `{each.table}`"
    return each.finding(
        "SEG0726", f"{number(misfits)} of {number(stored)} values of {where} are not declared: {shown}",
        "what is not among the declared values is unknown, and case counts", close or "add them to `enum`",
    )  # fmt: skip


def _shown(value: str) -> str:
    return f"`{value if len(value) <= LONGEST else value[: LONGEST - 1] + '…'}`"
