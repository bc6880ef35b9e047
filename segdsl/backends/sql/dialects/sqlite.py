"""SQLite: its integers are all that is exact, so instants are microseconds and numbers whole last decimal places.

Probed on SQLite 3.40, written for 3.35 and later (its JSON and mathematical functions included): `+`, `-` and `*` of
integers become reals where they overflow, SUM raises; a comparison minds the collation of a bare column; LIKE minds no
case, GLOB does; `/` and `%` cut towards zero; scalar MIN and MAX are NULL where an argument is; text prints 15 digits
of a real; a date's 31st may be of any month; a VALUES has no names for its columns. UTF-8 orders by code point.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlglot import exp

from segdsl import types
from segdsl.backends.python.fit import fit
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects import sqlite_cells as cells
from segdsl.backends.sql.dialects.dialect import Feature, decimal_digits, shown
from segdsl.backends.sql.dialects.sqlite_cells import OVERFLOW, call, let, of, seconds, sql
from segdsl.backends.sql.dialects.whole import ScaledNumbers, Steps, WholeInstants
from segdsl.core import nodes
from segdsl.core.time import FIRST, LAST, MICROSECONDS, Period
from segdsl.types import Type

SHALLOW = 12  # levels of a tree that may stand anywhere
EXACT_DIGITS = 15  # of a decimal that a column of SQLite's own keeps: it is a double there
_DAY, _WEEK = MICROSECONDS["d"], MICROSECONDS["w"]
_MONTHS: Mapping[Period, int] = {"month": 1, "quarter": 3, "year": 12}
_SIMPLE_KEY = re.compile(r"[ !#-.0-\[\]-~]+")  # ASCII that JSON writes as it is: no quote, slash or backslash


class SQLite(WholeInstants, ScaledNumbers):
    """With nothing but SQLite's own functions: what outgrows 64 bits raises `integer overflow`."""

    name = printer = "sqlite"
    title = "SQLite"
    executed = True
    joins_full = False  # not before 3.39
    sums_run = False  # sums of long numbers are added up in halves
    comparable = (frozenset({"int"}),)  # columns of text may have a collation
    cannot: ClassVar[Mapping[Feature, str]] = {
        "samples": "it has no MD5",
        "long numbers": "its numbers have 64 bits",
    }

    def text(self, tree: Node) -> str:
        return f"/* for SQLite 3.35 or later */\n{super().text(tree)}"

    def finished(self, tree: Node) -> Node:
        """SQLite's parser keeps 100 symbols in mind: queries stand side by side instead of within each other, and of
        the parts of a condition the deepest comes first, before which there is only its parenthesis to remember."""
        tree = tree.copy()
        for node in tree.find_all(exp.Greatest, exp.Least):
            node.set("ignore_nulls", False)  # or each argument would stand there again and again
        for node in tree.find_all(exp.And, exp.Or):
            if not isinstance(node.parent, type(node)):
                lean(node)
        return side_by_side(tree)

    # --- instants ------------------------------------------------------------------------------------------------

    def within(self, x: Node, lo: Node | None, hi: Node | None) -> list[Node]:
        """Asks once for an instant, which a text's may be dear."""
        if lo is None or hi is None:
            return super().within(x, lo, hi)
        return [exp.Between(this=b.operand(x), low=self.moved(lo, 1), high=hi)]

    def moved(self, moment: Node, microseconds: int) -> Node:
        if isinstance(moment, exp.Literal | exp.Neg):
            return b.number(int(moment.sql()) + microseconds)
        return super().moved(moment, microseconds)

    def current(self) -> Node:
        return sql("CAST(ROUND((JULIANDAY('now') - 2440587.5) * 86400000) AS INTEGER) * 1000")

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else let(super().to_local(b.column("u"), zone), u=x)

    def from_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else let(super().from_local(b.column("u"), zone), u=x)

    def steps(self, x: Node, first: int, changes: Steps) -> Node:
        """In two looks instead of many that nest: SQLite's parser goes only so deep."""
        size = max(1, math.isqrt(len(changes)))
        parts = [changes[i : i + size] for i in range(0, len(changes), size)]
        looks = [(part[0][0], _look(x, b.number(part[0][1]), [(at, b.number(after)) for at, after in part[1:]]))
                 for part in parts]  # fmt: skip
        return _look(x, b.number(first), looks)

    def truncated(self, x: Node, unit: Period) -> Node:
        if unit in _MONTHS:
            return self._month(x, unit)
        # The first day of the year 1 was a Monday.
        size = _DAY if unit == "day" else _WEEK
        return let(sql("u - (u - _first) % _size", first=b.number(FIRST), size=b.number(size)), u=_clamped(x))

    def stepped(self, x: Node, unit: Period, periods: int) -> Node:
        if not periods:
            return x
        if unit in _MONTHS:
            moved = seconds(_clock(x), b.literal("unixepoch"), b.literal(f"{periods * _MONTHS[unit]:+} months"))
            return sql("_s * 1000000", s=moved)
        return self.moved(x, periods * (_DAY if unit == "day" else _WEEK))

    def year(self, x: Node) -> Node:
        return b.cast(call("STRFTIME", b.literal("%Y"), _clock(x), b.literal("unixepoch")), "BIGINT")

    def month_and_day(self, x: Node) -> Node:
        return b.cast(call("STRFTIME", b.literal("%m%d"), _clock(x), b.literal("unixepoch")), "BIGINT")

    def _month(self, x: Node, unit: Period) -> Node:
        """The beginning of a month, or of the first month of its quarter or year."""
        behind = {
            "month": sql("0"),
            "quarter": sql("(STRFTIME('%m', u, 'unixepoch') - 1) % 3"),
            "year": sql("STRFTIME('%m', u, 'unixepoch') - 1"),
        }[unit]
        back = [] if unit == "month" else [sql("'-' || _n || ' months'", n=behind)]
        start = seconds(b.column("u"), b.literal("unixepoch"), b.literal("start of month"), *back)
        return let(sql("_s * 1000000", s=start), u=_clock(x))

    # --- numbers -------------------------------------------------------------------------------------------------

    def number(self, scaled: int, scale: int) -> Node:
        if not -(2**63) <= scaled < 2**63:
            self.require("long numbers")
        return b.number(scaled)

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return self.times(x, self.number(10 ** (target - scale), 0)) if target > scale else x

    def sized(self, x: Node, of: types.Number) -> Node:
        """An overflow anywhere in the arithmetic has made a real of it."""
        if short(of) or isinstance(x, exp.Column | exp.Literal | exp.Neg | exp.Sum):
            return x
        return let(sql(f"CASE WHEN TYPEOF(u) = 'real' THEN {OVERFLOW} ELSE u END"), u=x)

    def to_double(self, x: Node, scale: int) -> Node:
        return sql(f"CAST(_x AS REAL) / 1e{scale}", x=x) if scale else b.cast(x, "DOUBLE")

    # --- text and lists ------------------------------------------------------------------------------------------

    def folded(self, x: Node) -> Node:
        return exp.Lower(this=x)

    def like(self, x: Node, glob: Sequence[str | nodes.Wild]) -> Node:
        return exp.Glob(this=b.operand(x), expression=b.text(pattern(glob)))

    def contains(self, x: Node, item: str) -> Node:
        """Reading an item, SQLite takes a NUL for its end: such an item is none, however it begins."""
        letters = call("JSON_EXTRACT", b.column("json"), b.column("fullkey"), b.column("fullkey"))
        wanted = [sql("type = 'text' AND value = _item", item=b.text(item)), cells.without_nul(letters)]
        items = exp.Table(this=call("JSON_EACH", x))
        found = exp.Select(expressions=[b.number(1)]).from_(items, copy=False).where(b.conjunction(wanted), copy=False)
        return exp.Exists(this=found)

    # --- stored columns ------------------------------------------------------------------------------------------

    def family(self, physical: str) -> str:
        """By the words in a declared type; what they do not tell may be anything, and text is that, too."""
        kind = physical.upper().removeprefix("ANY").strip()
        families = {
            "text": ("CHAR", "CLOB", "TEXT"), "json": ("JSON",), "int": ("INT",), "bool": ("BOOL",),
            "float": ("REAL", "FLOA", "DOUB"), "decimal": ("DEC", "NUM", "MONEY"), "timestamp": ("TIME",),
            "date": ("DATE",),
        }  # fmt: skip
        return next((name for name, words in families.items() if any(word in kind for word in words)), "text")

    def physical_of(self, declared: Type) -> str:
        match declared:
            case types.Bool():
                return "BOOLEAN"
            case types.Number():
                decimal = f"DECIMAL({decimal_digits(declared)}, {declared.scale})"
                kept = decimal if decimal_digits(declared) <= EXACT_DIGITS else "TEXT"
                return "INTEGER" if declared == types.INT else kept
            case types.Float() | types.Geo():
                return "REAL"
            case types.Timestamp():
                return "TIMESTAMP"
            case types.Date():
                return "DATE"
            case _:
                return "TEXT"

    def stamp(self, moment: int) -> Node:
        clock = shown(moment)
        return b.literal(clock if "." in clock else f"{clock}.000000")

    def index(self, table: str, column: str) -> str:
        # It stands in the table's schema, and names a table in no other.
        name = b.table(f"{table}_{column}").sql(dialect=self.printer)
        own = b.table(table.rpartition(".")[2]).sql(dialect=self.printer)
        return f"CREATE INDEX IF NOT EXISTS {name} ON {own} ({b.identifier(column).sql(dialect=self.printer)})"

    def printed(self, x: Node, declared: Type) -> Node:
        # A plain cast of a double keeps 15 digits, which do not tell it from its neighbours.
        exact = isinstance(declared, types.Float | types.Geo)
        return sql("PRINTF('%!.17g', _x)", x=x) if exact else super().printed(x, declared)

    def unseen(self, physical: str) -> str:
        return ""  # a cell of any class may be there

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        json = self.family(physical) == "json"
        stored = "" if json else physical
        match declared:
            case types.Bool():
                return of(x, cells.json_boolean() if json else cells.boolean())
            case types.ListOf():
                return of(x, cells.json_list() if json else cells.array())
            case types.Number():
                cell = self.exact(declared, stored)
            case types.Float() | types.Geo():
                cell = cells.double(stored)
            case types.Timestamp():
                cell = cells.instant(lambda clock: clock)
            case types.Date():
                cell = cells.midnight(lambda clock: self.from_local(clock, zone))
            case types.Enum():
                cell = cells.one_of(declared.values)
            case types.String():
                cell = cells.string()
        if json:
            words = isinstance(declared, types.String | types.Enum | types.Timestamp | types.Date)
            x = of(x, cells.json_cell(words))
        return of(x, cell)

    def exact(self, declared: types.Number, physical: str) -> Node:
        """A Number out of the cell `v`."""
        found = cells.number(declared, physical, lambda v: self.far(v, declared))
        if short(declared):
            return found
        self.number(10**declared.scale, 0)  # which may be refused
        return self.sized(found, declared)

    def far(self, v: Node, declared: types.Number) -> Node:
        """A real of more than 15 digits as a Number: the others are not its shortest text's, which is not told."""
        scaled = sql(f"ROUND(_v * 1e{declared.scale})", v=v)
        within = b.number(declared.limit // 10**declared.scale)
        return sql(
            "CASE WHEN ABS(_s) < 9.2e18 THEN CASE WHEN ABS(_v) <= _most THEN CAST(_s AS INTEGER) END"
            " ELSE _beyond END",
            s=scaled, v=v, most=within, beyond=b.NULL() if short(declared) else sql(OVERFLOW),
        )  # fmt: skip

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        if self.family(physical) == "json":
            x, physical = of(x, cells.json_cell(False)), ""
        return of(x, cells.epoch(unit, physical, lambda v: self.far_epoch(v, unit)))

    def far_epoch(self, v: Node, unit: str) -> Node:
        """A real with more than 15 digits as microseconds."""
        return sql(f"CAST(_v * 1e{cells.PLACES[unit]} AS INTEGER)", v=v)

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        if self.family(physical) == "json":
            x = of(x, cells.json_cell(True))
        return of(x, cells.instant(lambda clock: self.from_local(clock, zone)))

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        """The cast gives it the affinity of the column that it is compared with, or no index would serve."""
        if self.family(physical) != "json":
            found = of(x, cells.whole_key(physical) if whole else cells.key(physical))
        else:
            found = of(x, cells.json_key())
            found = of(found, cells.whole_key()) if whole else found
        return b.cast(found, "BIGINT" if whole else "VARCHAR")

    def bare_key(self, x: Node, physical: str, whole: bool) -> tuple[Node, Node] | None:
        """By its own collation a column might take two keys for one."""
        kind = "integer" if whole else "text"
        if self.family(physical) == "json" or cells.affinity(physical) != kind:
            return None
        bare = x if whole else sql("_x COLLATE BINARY", x=x)
        return bare, sql("TYPEOF(_x) = _kind", x=x, kind=b.literal(kind))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        """The letters of the value as they stand in the text: SQLite's own reading of long numbers loses digits."""
        found = b.case([(sql("TYPEOF(v) = 'text'"), b.case([(call("JSON_VALID", cells.V.copy()), _down(path))]))])
        return of(x, found)

    def bare(self, physical: str, declared: Type) -> bool:
        return False

    # --- answers -------------------------------------------------------------------------------------------------

    def python(self, value: object, declared: Type) -> object:
        if isinstance(declared, types.ListOf):
            return fit(value, declared, "UTC")
        return super().python(value, declared)


def short(declared: types.Number) -> bool:
    """Whether all numbers of a type are integers of SQLite's."""
    return declared.limit < 2**63


def lean(chain: Node) -> None:
    """Sorts the operands of an AND or OR by how deep they are, if any is: the deepest first."""
    operands = list(chain.flatten(unnest=False))
    heights = [_height(operand) for operand in operands]
    if max(heights) <= SHALLOW:
        return
    order = sorted(zip(heights, operands, strict=True), key=lambda pair: -pair[0])
    [first, *others] = [operand for _, operand in order]
    kind = type(chain)
    for other in others[:-1]:
        first = kind(this=first, expression=other)
    chain.set("this", first)
    chain.set("expression", others[-1])


def _height(node: Node) -> int:
    return 1 + max((_height(child) for child in node.iter_expressions()), default=0)


def side_by_side(tree: Node) -> Node:
    """The same statement with each query of a FROM or JOIN as a query of the WITH."""
    opening = b.taken_opening(tree) or exp.With(expressions=[])
    taken = {table.name.lower() for part in (opening, tree) for table in part.find_all(exp.Table)}
    taken |= {cte.alias.lower() for cte in opening.expressions}

    def lifted(query: Node) -> list[Node]:
        """The queries that a query reads from, each behind those that it reads from itself."""
        found = []
        for node in list(query.find_all(exp.Subquery)):
            bare = isinstance(node.this, exp.Select) and node.this.args.get("from_") is None
            if isinstance(node.parent, exp.From | exp.Join) and not bare:
                name = next(n for n in (f"{node.alias}_{i}" for i in itertools.count(1)) if n.lower() not in taken)
                taken.add(name.lower())
                node.replace(b.table(name, node.alias))
                found += [*lifted(node.this), b.cte(name, node.this)]
        return found

    ctes = [each for cte in opening.expressions for each in (*lifted(cte.this), cte)]
    ctes += lifted(tree)
    if ctes:
        opening.set("expressions", ctes)
        tree.set("with_", opening)
    return tree


def pattern(glob: Sequence[str | nodes.Wild]) -> str:
    """A glob as one of SQLite's, in which a bracket makes a letter plain."""
    wild = {nodes.Wild.ONE: "?", nodes.Wild.RUN: "*"}
    return "".join(wild[part] if isinstance(part, nodes.Wild) else re.sub(r"[*?\[]", r"[\g<0>]", part) for part in glob)


def _look(x: Node, first: Node, changes: Sequence[tuple[int, Node]]) -> Node:
    """What holds at `x`: the last of the changes that are not behind it."""
    held = [first, *(after for _, after in changes)]
    arms = [(b.compare("<", x.copy(), b.number(at)), before) for (at, _), before in zip(changes, held, strict=False)]
    return b.case(arms, held[-1]) if arms else first


def _clamped(x: Node) -> Node:
    """A clock within the years 1 to 9999: beyond, where a zone's clocks may be, there is no day."""
    return call("MIN", call("MAX", x, b.number(FIRST)), b.number(LAST))


def _clock(x: Node) -> Node:
    """A clock in whole seconds, as SQLite's date functions take it."""
    return sql("(_x - _first) / 1000000 + _start", x=_clamped(x), first=b.number(FIRST), start=b.number(FIRST // 10**6))


def _down(path: tuple[str, ...]) -> Node:
    """The letters of what stands under keys of the JSON text `v`; `null` where a key is missing."""
    simple = next((i for i, key in enumerate(path) if not _SIMPLE_KEY.fullmatch(key)), len(path))
    if simple:
        steps = "".join(f'."{key}"' for key in path[:simple])
        body = _letters(b.text(f"${steps}"))
    else:
        # A key that JSON may write in several ways is known when it has been read.
        where = sql("key = _key", key=b.text(path[0]))
        table = exp.Table(this=call("JSON_EACH", cells.V.copy()))
        # No path says a key with a quote in it: of its value the letters are written anew.
        found = _written() if '"' in path[0] else _letters(b.column("fullkey"))
        body = exp.Select(expressions=[found]).from_(table, copy=False)
        body = body.where(where, copy=False).limit(1, copy=False).subquery()
        simple = 1
    return let(_down(path[simple:]), v=body) if path[simple:] else body


def _written() -> Node:
    """The value of a row of JSON_EACH as JSON; a number in as many digits as SQLite keeps of it."""
    return sql(
        "CASE type WHEN 'text' THEN JSON_QUOTE(value) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        " WHEN 'null' THEN 'null' ELSE CAST(value AS TEXT) END"
    )


def _letters(path: Node) -> Node:
    """What is at a path twice, in brackets: SQLite copies the letters of what it is asked together for."""
    twice = call("JSON_EXTRACT", cells.V.copy(), path, path.copy())
    return let(sql("SUBSTR(j, 2, (LENGTH(j) - 3) / 2)"), j=twice)
