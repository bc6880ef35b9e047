"""BigQuery: written for people, never executed there.

An instant is a TIMESTAMP, a clock is a DATETIME. What leaves the years 1 to 9999 raises: hence `SAFE.` before
functions, for which such a time is NULL. A decimal literal would be a double. LIKE has no ESCAPE, but a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import pattern, shown
from segdsl.backends.sql.dialects.documents import Kind, ReadsJSON
from segdsl.core import nodes
from segdsl.core.time import Period
from segdsl.types import INT, Type

_PERIODS = {"week": "WEEK(MONDAY)"}


class BigQuery(ReadsJSON):
    """TIMESTAMP; NUMERIC and BIGNUMERIC; JSON."""

    name = printer = "bigquery"
    title = "BigQuery"
    nulls_first = True
    instant_type, clock_type = "TIMESTAMPTZ", "TIMESTAMP"  # as DuckDB calls TIMESTAMP and DATETIME

    def finished(self, tree: Node) -> Node:
        for angle in list(super().finished(tree).find_all(exp.Radians)):
            angle.replace(self.sql("_x * (ACOS(-1) / 180)", x=angle.this))
        return tree

    # --- time ------------------------------------------------------------------------------------------------------

    def instant(self, moment: int) -> Node:
        return b.cast(b.literal(shown(moment) + "+00"), self.instant_type)

    def micros(self, x: Node) -> Node:
        return self.sql("UNIX_MICROS(_x)", x=x)

    def since_1970(self, microseconds: Node) -> Node:
        return self.sql("TIMESTAMP_MICROS(_n)", n=microseconds)

    def current(self) -> Node:
        return self.sql("CURRENT_TIMESTAMP()")

    def later(self, x: Node, unit: str, count: int) -> Node:
        return self.sql(f"SAFE.TIMESTAMP_ADD(_x, INTERVAL {count} {unit})", x=x)

    def stepped(self, x: Node, unit: Period, periods: int) -> Node:
        return self.sql(f"SAFE.DATETIME_ADD(_x, INTERVAL {periods} {unit.upper()})", x=x) if periods else x

    def since_month(self, x: Node, months: int) -> Node:
        return self.from_local(super().since_month(self.to_local(x, "UTC"), months), "UTC")

    def to_local(self, x: Node, zone: str) -> Node:
        return self.zoned(x, zone)

    def from_local(self, x: Node, zone: str) -> Node:
        return self.unzoned(x, zone) if zone == "UTC" else super().from_local(x, zone)

    def zoned(self, x: Node, zone: str) -> Node:
        return self.sql("SAFE.DATETIME(_x, _z)", x=x, z=b.literal(zone))

    def unzoned(self, x: Node, zone: str) -> Node:
        return self.sql("SAFE.TIMESTAMP(_x, _z)", x=x, z=b.literal(zone))

    def truncated(self, x: Node, unit: Period) -> Node:
        return self.sql(f"DATETIME_TRUNC(_x, {_PERIODS.get(unit, unit.upper())})", x=x)

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        if physical == "JSON":
            return super().clock(x, physical, zone)
        return self.from_local(self.cast(x, self.clock_type), zone)

    # --- numbers -------------------------------------------------------------------------------------------------

    def number(self, scaled: int, scale: int) -> Node:
        if not scale and abs(scaled) <= INT.limit:
            return b.number(scaled)
        sign = "-" if scaled < 0 else ""
        return self.sql("CAST(_x AS BIGNUMERIC)", x=b.literal(sign + b.number(abs(scaled), scale).name))

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return self.sql("CAST(_x AS BIGNUMERIC)", x=x)

    def summed(self, x: Node, of: types.Number) -> Node:
        return self.sql("SUM(CAST(_x AS BIGNUMERIC))", x=x)

    def finite(self, x: Node) -> Node:
        return self.sql("CASE WHEN NOT IS_NAN(_x) THEN _x + 0e0 END", x=x)

    def told_apart(self, x: Node, declared: Type) -> Node:
        return self.cast(x, "VARCHAR") if isinstance(declared, types.Float) else x  # rows are not parted by a double

    def cast(self, x: Node, kind: str) -> Node:
        return self.wide(x, 0, 0) if kind.startswith("DECIMAL") else super().cast(x, kind)

    # --- texts, lists and JSON -----------------------------------------------------------------------------------

    def like(self, x: Node, glob: Sequence[str | nodes.Wild]) -> Node:
        return exp.Like(this=b.operand(x), expression=b.text(pattern(glob, "\\")))

    def contains(self, x: Node, item: str) -> Node:
        return self.sql("_i IN UNNEST(_x)", x=x, i=b.text(item))

    def safe(self, x: Node, kind: str) -> Node:
        decimal = re.fullmatch(r"DECIMAL\(\d+, (\d+)\)", kind)
        if decimal:
            return self.sql(f"ROUND(SAFE_CAST(_x AS BIGNUMERIC), {decimal[1]})", x=x)
        return self.sql(f"SAFE_CAST(_x AS {kind.replace('TIMESTAMP', 'DATETIME')})", x=x)

    def matches(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_CONTAINS(_x, _p)", x=x, p=b.literal(f"^({pattern})$"))

    def found(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_EXTRACT(_x, _p)", x=x, p=b.literal(pattern))

    def shifted(self, x: Node, minutes: Node) -> Node:
        return self.sql("SAFE.TIMESTAMP_SUB(SAFE.TIMESTAMP(_x, 'UTC'), INTERVAL _m MINUTE)", x=x, m=b.paren(minutes))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        document = self.json_of(self.sql("FORMAT('%t', _x)", x=x))  # the text of a STRING and of a JSON
        for key in path:
            document = exp.Bracket(this=document, expressions=[b.text(key)])
        return document

    def is_json(self, x: Node, kind: Kind) -> Node:
        return self.sql("JSON_TYPE(_x) = _k", x=x, k=b.literal(kind))

    def words(self, x: Node) -> Node:
        return self.sql("JSON_VALUE(_x)", x=x)

    def json_of(self, x: Node) -> Node:
        return self.sql("SAFE.PARSE_JSON(_x, wide_number_mode => 'round')", x=x)

    def list_of(self, x: Node) -> Node:
        return self.sql(
            "ARRAY(SELECT STRING(item) FROM UNNEST(JSON_QUERY_ARRAY(_x)) AS item WHERE JSON_TYPE(item) = 'string')", x=x
        )
