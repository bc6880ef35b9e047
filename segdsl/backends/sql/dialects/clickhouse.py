"""ClickHouse: whole instants, scaled numbers, lists as JSON text, and settings at the end of every statement.

Measured on ClickHouse 26.9:

- Sums of 64 bits and products of 128 wrap, a literal above 2^64 is floating-point: exact work is done in Int256.
- An array cannot be NULL. A list of texts is the text that `toJSONString` makes of it, which can.
- `lag` has the type's own zero before the first row, and a RANGE frame reaches no farther than 2^32 steps.
- `toUnixTimestamp64Micro`, and a conversion times a constant, are monotonic: the database skips by conditions on them.
- Conversions by `…OrNull` wrap beyond 64 bits, so digits are counted before.
- A text is any bytes. What is no UTF-8 is unknown, and a contact's key that is none is no contact's.
- A CTE is computed anew wherever it is used; an expression that is written twice is computed once.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, literal, number, template
from segdsl.backends.sql.dialects.clickhouse_columns import CYCLE, WIDE, Columns, call, certain, once
from segdsl.backends.sql.dialects.clickhouse_types import plain
from segdsl.backends.sql.dialects.dialect import pattern, shown
from segdsl.backends.sql.dialects.whole import Steps
from segdsl.core import nodes
from segdsl.core.time import DAY, FIRST, MICROSECONDS, Period
from segdsl.types import Type

FIRST_DAY = -25_567  # 1900-01-01, with which the calendar of every version begins

# What a statement means must not depend on who asks it: these settings are part of its text.
SETTINGS: dict[str, int | str] = {
    "join_use_nulls": 1,
    "aggregate_functions_null_for_empty": 1,
    "prefer_column_name_to_alias": 1,
    "transform_null_in": 0,
    "count_distinct_implementation": "uniqExact",
    "precise_float_parsing": 1,
    "short_circuit_function_evaluation": "enable",
}


class ClickHouse(Columns):
    """One dialect for servers and for chdb."""

    name = printer = "clickhouse"
    title = "ClickHouse"
    executed = inlines = joins_rules = skips = unnests = True
    ranges = False
    storage = " ENGINE = MergeTree ORDER BY tuple()"

    # --- printing ------------------------------------------------------------------------------------------------

    def placeholder(self, name: str) -> str:
        return f"{{{name}:String}}"

    def finished(self, tree: Node) -> Node:
        tree = tree.copy().transform(_spelled, copy=False)
        _written_once(tree)
        values = {name: literal(v) if isinstance(v, str) else number(v) for name, v in SETTINGS.items()}
        tree.set("settings", [exp.EQ(this=exp.Var(this=name), expression=value) for name, value in values.items()])
        return tree

    def cell(self, table: str, name: str) -> Node:
        row = exp.Var(this=f"{table}_row")
        row.meta["row of"] = table
        return call("tupleElement", row, literal(name))

    # --- instants and clocks -------------------------------------------------------------------------------------

    def current(self) -> Node:
        return call("toUnixTimestamp64Micro", call("now64", number(6)))

    def steps(self, x: Node, first: int, changes: Steps) -> Node:
        if not changes:
            return number(first)
        since = _array("changes", [FIRST, *(at for at, _ in changes)])
        offsets = _array("offsets", [first, *(after for _, after in changes)])
        reached = call("roundDown", call("toInt64", x), since)  # a literal that is an instant is of another type
        return call("transform", reached, since, offsets, call("toInt64", number(first)))

    def to_local(self, x: Node, zone: str) -> Node:
        return once(x, lambda x: super(ClickHouse, self).to_local(x, zone))

    def from_local(self, x: Node, zone: str) -> Node:
        return once(x, lambda x: super(ClickHouse, self).from_local(x, zone))

    def truncated(self, x: Node, unit: Period) -> Node:
        def start(x: Node) -> Node:
            if unit == "week":  # 1970 began on a Thursday
                since = call("positiveModulo", b.added(x, number(3 * DAY)), number(7 * DAY))
                return template("_x - _since", x=x, since=since)
            midnight = template("_x - _since", x=x, since=call("positiveModulo", x, number(DAY)))
            if unit == "day":
                return midnight
            like = _like(x)
            if unit == "quarter":
                month = template("_q * 3 - 2", q=call("toQuarter", like))
                first = call("makeDate32", call("toYear", like), month, number(1))
                passed = template("_like - _first", like=call("toInt64", like), first=call("toInt64", first))
            else:
                passed = template("_n - 1", n=call("toDayOfMonth" if unit == "month" else "toDayOfYear", like))
            return template("_m - _p * _n", m=midnight, p=passed, n=number(DAY))

        return once(x, start)

    def stepped(self, x: Node, unit: Period, periods: int) -> Node:
        if unit in ("day", "week"):
            return self.moved(x, periods * MICROSECONDS[unit[0]])
        months = number(periods * {"month": 1, "quarter": 3, "year": 12}[unit])

        def reached(x: Node) -> Node:
            """Months since the year 0."""
            return template("_y * 12 + _m - 1 + _n", y=self.year(x), m=call("toMonth", _like(x)), n=months)

        def start(months: Node) -> Node:
            year = call("intDiv", months, number(12))
            like = b.added(call("positiveModulo", template("_y - 1900", y=year), number(400)), number(1900))
            first = call("makeDate32", like, template("_m % 12 + 1", m=months), number(1))
            cycles = call("intDiv", template("_y - _l", y=year, l=like), number(400))
            return template("(_f + _c * _n) * _d", f=call("toInt64", first), c=cycles, n=number(CYCLE), d=number(DAY))

        return once(once(x, reached), start)

    def year(self, x: Node) -> Node:
        def year(x: Node) -> Node:
            since = template("_x - _first", x=x, first=number(FIRST_DAY * DAY))
            into = call("positiveModulo", since, number(CYCLE * DAY))
            cycles = call("intDiv", template("_s - _i", s=since, i=into), number(CYCLE * DAY))
            return template("_y + 400 * _c", y=call("toYear", _like(x)), c=cycles)

        return once(x, year)

    def month_and_day(self, x: Node) -> Node:
        def number_of(x: Node) -> Node:
            return template("_m * 100 + _d", m=call("toMonth", _like(x)), d=call("toDayOfMonth", _like(x)))

        return once(x, number_of)

    # --- numbers -------------------------------------------------------------------------------------------------

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return super().wide(call("toInt256", x), scale, target)

    def summed(self, x: Node, of: types.Number) -> Node:
        return exp.Sum(this=call("toInt256", x))

    def to_double(self, x: Node, scale: int) -> Node:
        return call("toFloat64", exp.DPipe(this=call("toString", x), expression=literal(f"e-{scale}")) if scale else x)

    # --- text and lists --------------------------------------------------------------------------------------------

    def folded(self, x: Node) -> Node:
        return call("lower", x)

    def like(self, x: Node, glob: Sequence[str | nodes.Wild]) -> Node:
        return exp.Like(this=b.operand(x), expression=b.text(pattern(glob, "\\")))

    def key_text(self, x: Node, whole: bool) -> Node:
        return call("toString", x) if whole else x

    def md5(self, x: Node, digits: int) -> Node:
        return call("substring", call("lower", call("hex", call("MD5", x))), number(1), number(digits))

    def contains(self, x: Node, item: str) -> Node:
        near = b.compare(">", call("position", x, call("toJSONString", b.text(item))), number(0))  # mostly not
        items = call("JSONExtract", certain(x), literal("Array(String)"))
        return b.conjunction([near, call("has", items, b.text(item))])

    def rows_of(self, values: list[Node]) -> Node:
        """By way of the places of those that are not NULL: numbers take a fraction of the time of texts."""
        places = []
        for place, value in enumerate(values, 1):
            places.append(b.case([(value.args["ifs"][0].this, number(place))], number(0)))
            places[-1].comments = value.comments
        texts = exp.Array(expressions=[value.args["ifs"][0].args["true"] for value in values])
        found = exp.Anonymous(this="arrayFilter", expressions=[
            exp.Lambda(this=b.compare(">", b.column("it"), number(0)), expressions=[b.identifier("it")]),
            exp.Array(expressions=places),
        ])  # fmt: skip
        joined = exp.Anonymous(this="arrayJoin", expressions=[found])
        return exp.Anonymous(this="arrayElement", expressions=[texts, joined])

    # --- tables of segdsl's own --------------------------------------------------------------------------------------

    def instant(self, moment: int) -> Node:
        # As it stands a number is unsigned, and so would be the greater of it and an instant.
        return call("toInt64", super().instant(moment))

    def stamp(self, moment: int) -> Node:
        return call("toDateTime64", literal(shown(moment)), number(6), literal("UTC"))

    def kept_as(self, declared: Type) -> str:
        return "DateTime64(6, 'UTC')" if isinstance(declared, types.Timestamp) else plain(super().kept_as(declared))

    def kept_key(self, physical: str) -> str:
        return plain(physical)

    def printed(self, x: Node, declared: Type) -> Node:
        return call("toString", x)

    # --- answers -----------------------------------------------------------------------------------------------------

    def python(self, value: object, declared: Type) -> object:
        if isinstance(declared, types.ListOf) and value is not None:
            return tuple(json.loads(str(value)))
        if isinstance(declared, types.Float | types.Geo) and value is not None:
            return float(value)  # type: ignore[arg-type]
        return super().python(value, declared)


def _written_once(tree: Node) -> None:
    """Puts at the beginning what is written once however often it is used: arrays, and rows of CTEs."""
    opening = tree.args.get("with_") or exp.With(expressions=[])
    ctes = list(opening.expressions)
    for var in tree.find_all(exp.Var):
        name, array, table = var.this, var.meta.get("array"), var.meta.get("row of")
        if (array is None and table is None) or any(cte.alias == name for cte in ctes):
            continue
        if array is not None:
            at = 0
            value: Node = exp.Var(this=array)
        else:
            at = 1 + next(i for i, cte in enumerate(ctes) if cte.alias == table)
            columns = [exp.Star(), b.aliased(number(1), "one")]  # a single column would not be a tuple
            value = exp.Select(expressions=columns).from_(b.table(table), copy=False).subquery()
        ctes.insert(at, exp.CTE(this=value, alias=exp.TableAlias(this=b.identifier(name)), scalar=True))
    if ctes:
        opening.set("expressions", ctes)
        tree.set("with_", opening)


def _array(title: str, numbers: Sequence[int]) -> Node:
    """A name for numbers, which `finished` puts at the beginning of the statement."""
    written = f"CAST([{', '.join(map(str, numbers))}], 'Array(Int64)')"
    node = exp.Var(this=f"{title}_{zlib.crc32(written.encode()):08x}")
    node.meta["array"] = written
    return node


def _spelled(node: Node) -> Node:
    """What ClickHouse reads otherwise than it is meant, or not at all."""
    if isinstance(node, exp.Values):
        return _values(node)
    if isinstance(node, exp.BitwiseAnd):
        return call("bitAnd", node.this, node.expression)
    if isinstance(node, exp.Lag):
        return call("lag", call("toNullable", node.this))
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit() and int(node.this) > WIDE:
        return call("toInt256", literal(node.this))
    return node


def _values(node: Node) -> Node:
    """Rows of texts and whole numbers as the table function that makes them."""
    cells = node.expressions[0].expressions
    types = ["String" if isinstance(cell, exp.Literal) and cell.is_string else "Int64" for cell in cells]
    structure = ", ".join(f"{name.name} {kind}" for name, kind in zip(node.args["alias"].columns, types, strict=True))
    rows = exp.Anonymous(this="values", expressions=[literal(structure), *node.expressions])
    return exp.Table(this=rows, alias=exp.TableAlias(this=node.args["alias"].this))


def _like(x: Node) -> Node:
    """A day of the years 1900 to 2299 that is like the day of a clock."""
    into = call("positiveModulo", template("_x - _first", x=x, first=number(FIRST_DAY * DAY)), number(CYCLE * DAY))
    return call("toDate32", call("toInt32", b.added(call("intDiv", into, number(DAY)), number(FIRST_DAY))))
