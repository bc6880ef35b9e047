"""MySQL 8.0.17 and newer: written for people, never executed by this project's tests.

Text is compared by a binary collation without padding, whatever a column has. MySQL knows time zones only where
somebody has loaded their tables, and then from 1970 on: so a statement carries the changes of its zones with it.
"""

from __future__ import annotations

import json
import re
from string import ascii_uppercase

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.documents import Kind, ReadsJSON
from segdsl.backends.sql.dialects.whole import offsets_at, offsets_shown
from segdsl.core.time import FIRST, Period, isoformat
from segdsl.types import Type

_KINDS = {
    "string": ["STRING"], "number": ["INTEGER", "UNSIGNED INTEGER", "DOUBLE", "DECIMAL"], "boolean": ["BOOLEAN"],
    "array": ["ARRAY"],
}  # fmt: skip
_TRUNCATED = {
    "day": "_x",
    "week": "_x - INTERVAL WEEKDAY(_x) DAY",
    "month": "_x - INTERVAL (DAYOFMONTH(_x) - 1) DAY",
    "quarter": "MAKEDATE(YEAR(_x), 1) + INTERVAL (QUARTER(_x) * 3 - 3) MONTH",
    "year": "MAKEDATE(YEAR(_x), 1)",
}


class MySQL(ReadsJSON):
    """DATETIME(6) that shows UTC; DECIMAL; JSON, also for lists."""

    name = printer = "mysql"
    title = "MySQL"
    instant_type = "TIMESTAMP(6)"  # as DuckDB calls a DATETIME(6)
    nulls_first = True
    comparable = (frozenset({"int"}),)  # two texts may have two collations

    def finished(self, tree: Node) -> Node:
        tree = super().finished(tree)
        zones = {table.name: table.meta["zone"] for table in tree.find_all(exp.Table) if "zone" in table.meta}
        opening = tree.args["with_"]
        opening.set("expressions", [*(b.cte(name, _changes(zone)) for name, zone in sorted(zones.items())),
                                    *opening.expressions])  # fmt: skip
        return tree

    # --- time ------------------------------------------------------------------------------------------------------

    def micros(self, x: Node) -> Node:
        return self.sql("TIMESTAMPDIFF(MICROSECOND, CAST('1970-01-01' AS DATETIME(6)), _x)", x=x)

    def since_1970(self, microseconds: Node) -> Node:
        return self.sql("CAST('1970-01-01' AS DATETIME(6)) + INTERVAL _n MICROSECOND", n=microseconds)

    def current(self) -> Node:
        return self.sql("UTC_TIMESTAMP(6)")

    def later(self, x: Node, unit: str, count: int) -> Node:
        return b.paren(self.sql(f"_x + INTERVAL '{count}' {unit}", x=x))

    def zoned(self, x: Node, zone: str) -> Node:
        return b.paren(self.sql("_x + INTERVAL CAST(_s AS SIGNED) SECOND", x=x, s=_shift(x, zone, "zone_since_utc")))

    def unzoned(self, x: Node, zone: str) -> Node:
        return b.paren(self.sql("_x - INTERVAL CAST(_s AS SIGNED) SECOND", x=x, s=_shift(x, zone, "zone_since_local")))

    def from_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else self.unzoned(x, zone)  # which is right about what clocks show twice or never

    def truncated(self, x: Node, unit: Period) -> Node:
        day = self.sql("DATE(_x)", x=x)
        return self.cast(self.sql(_TRUNCATED[unit], x=day), self.instant_type)

    # --- stored columns ------------------------------------------------------------------------------------------

    def bare(self, physical: str, declared: Type) -> bool:
        return isinstance(declared, types.Number) and super().bare(physical, declared)

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        if physical != "JSON":
            match declared:
                case types.Bool():
                    return self.sql("CASE _x WHEN 1 THEN TRUE WHEN 0 THEN FALSE END", x=x)
                case types.String() | types.Enum():
                    return self.labelled(_exactly(x), declared)
                case types.ListOf():
                    array = b.case([(self.is_json(x, "array"), x)])
                    return b.case([(self.sql("JSON_VALID(_x)", x=x), array)])
        return super().convert(x, physical, declared, zone)

    def finite(self, x: Node) -> Node:
        return self.sql("_x + 0e0", x=x)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        return super().key(x, physical, whole) if physical == "JSON" else _exactly(x)

    # --- texts, lists and JSON -----------------------------------------------------------------------------------

    def folded(self, x: Node) -> Node:
        for letter in ascii_uppercase:
            x = exp.func("REPLACE", x, b.literal(letter), b.literal(letter.lower()), dialect=self.printer)
        return x

    def contains(self, x: Node, item: str) -> Node:
        return self.sql("_i MEMBER OF(_x)", x=x, i=b.text(item))

    def safe(self, x: Node, kind: str) -> Node:
        return self.cast(x, kind)  # NULL in a SELECT

    def matches(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_LIKE(_x, _p, 'c')", x=x, p=b.literal(rf"^({pattern})\z"))

    def found(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_SUBSTR(_x, _p)", x=x, p=b.literal(pattern))

    def shifted(self, x: Node, minutes: Node) -> Node:
        return self.sql("_x - INTERVAL _m MINUTE", x=x, m=b.paren(minutes))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        names: Node = b.literal("$")
        for key in path:
            names = self.sql("CONCAT(_p, '.', JSON_QUOTE(_k))", p=names, k=b.text(key))
        return self.sql("CASE WHEN JSON_VALID(_x) THEN JSON_EXTRACT(_x, _p) END", x=x, p=names)

    def is_json(self, x: Node, kind: Kind) -> Node:
        return b.one_of(self.sql("JSON_TYPE(_x)", x=x), [b.literal(name) for name in _KINDS[kind]])

    def words(self, x: Node) -> Node:
        return _exactly(self.sql("JSON_UNQUOTE(_x)", x=x))

    def json_of(self, x: Node) -> Node:
        return self.sql("CASE WHEN JSON_VALID(_x) THEN _x END", x=x)

    def list_of(self, x: Node) -> Node:
        return x


def _exactly(x: Node) -> Node:
    """A text that is compared by its code points, every blank of it; also what is a number."""
    return b.template("CAST(_x AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_0900_bin", "mysql", x=x)


def _shift(x: Node, zone: str, since: str) -> Node:
    """Seconds by which clocks of a zone are ahead of UTC, at an instant or at what they show."""
    table = b.table("zone_" + re.sub("[^a-z0-9]+", "_", zone.lower()))
    table.meta["zone"] = zone
    node = b.select([("zone_shift", b.column("zone_shift"))], table, [b.compare("<=", b.column(since), x.copy())])
    order = exp.Ordered(this=b.column(since), desc=True, nulls_first=False)
    return node.order_by(order, copy=False).limit(1, copy=False).subquery()


def _changes(zone: str) -> Node:
    """The rows of a zone's table: since when in UTC, and since when by its own clocks (see `offsets_shown`), it is how
    many seconds ahead."""
    first, in_utc = offsets_at(zone)
    _, in_zone = offsets_shown(zone)
    rows = [[_shown(FIRST), _shown(FIRST), first // 10**6]]
    rows += [[_shown(at), _shown(shown), offset // 10**6]
             for (at, offset), (shown, _) in zip(in_utc, in_zone, strict=True)]  # fmt: skip
    columns = [("zone_since_utc", "DATETIME", "$[0]"), ("zone_since_local", "DATETIME", "$[1]"),
               ("zone_shift", "INT", "$[2]")]  # fmt: skip
    defined = ", ".join(f"{name} {kind} PATH '{path}'" for name, kind, path in columns)
    return b.template(
        f"SELECT zone_since_utc, zone_since_local, zone_shift FROM JSON_TABLE('{json.dumps(rows)}',"
        f" '$[*]' COLUMNS({defined})) AS changes",
        "mysql",
    )


def _shown(moment: int) -> str:
    return isoformat(moment)[:19].replace("T", " ")
