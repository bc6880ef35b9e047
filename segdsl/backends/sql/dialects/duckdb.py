"""DuckDB: how stored columns become canonical values there, and the few spellings that are its own.

Measured on DuckDB 2.0: a text with an offset loses it when cast to TIMESTAMP (so those go by way of TIMESTAMPTZ),
`timezone(zone, clock)` takes the later of two instants (corrected here), decimals round half away from zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql.build import NULL, Node, case, cast, literal, number, one_of, template, text
from segdsl.backends.sql.dialects.dialect import EPOCHS, Dialect, decimal_digits
from segdsl.backends.sql.dialects.texts import CLOCK, DAY, MIDNIGHT, OFFSET, PLAIN
from segdsl.backends.sql.lookups import Look, by_asof
from segdsl.core.time import FIRST, LAST
from segdsl.types import Type

_INTS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
         "UHUGEINT", "INT128", "UINT128", "INT", "INT64", "INT32"}  # fmt: skip
COLLATED = "VARCHAR COLLATE"  # a column of text with a collation: `A` may be `a` there
_HUGE = {"UHUGEINT", "UINT128"}  # compared with a negative number, their greatest values raise


class DuckDB(Dialect):
    """The dialect that the defaults are made for."""

    name = printer = "duckdb"
    title = "DuckDB"
    executed = keeps_order = True
    joins_rules = unnests = True

    def lookup(
        self, rows: Node, keys: Sequence[str], carried: Sequence[str], looks: Sequence[Look], unknown: Node
    ) -> Node:
        return by_asof(rows, keys, carried, looks, unknown)

    def placeholder(self, name: str) -> str:
        return f"${name}"

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return cast(x, f"DECIMAL(38, {target})" if target else "HUGEINT")

    def micros(self, x: Node) -> Node:
        return template("EPOCH_US(_x)", x=x)

    def current(self) -> Node:
        return template("TIMEZONE('UTC', CAST(CURRENT_TIMESTAMP AS TIMESTAMPTZ))")

    def family(self, physical: str) -> str:
        kind = physical.upper().strip()
        if kind == COLLATED:
            return "label"  # so that no such column is compared as it stands
        if kind in _INTS:
            return "int"
        if kind.startswith(("DECIMAL", "NUMERIC")):
            return "decimal"
        if kind.startswith("ENUM") or kind == "UUID":
            return "label"
        if kind in {"VARCHAR[]", "TEXT[]"}:
            return "list"
        if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "VARIANT")):
            return "nested"
        return {
            "VARCHAR": "text", "TEXT": "text", "DOUBLE": "float", "FLOAT": "float", "REAL": "float", "BOOLEAN": "bool",
            "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamptz", "TIMESTAMPTZ": "timestamptz",
            "TIMESTAMP_NS": "timestamp_ns", "TIMESTAMP_S": "timestamp_ns", "TIMESTAMP_MS": "timestamp_ns",
            "DATE": "date", "JSON": "json", "BLOB": "blob",
        }.get(kind, "other")  # fmt: skip

    def whole_key(self, physical: str) -> bool:
        # Unsigned 128 bits compare with no other integer without errors: such keys are text.
        return self.family(physical) == "int" and physical.upper() != "UHUGEINT"

    def physical_of(self, declared: Type) -> str:
        """The stored type that holds a declared type as it is."""
        match declared:
            case types.Bool():
                return "BOOLEAN"
            case types.Number():
                return "BIGINT" if declared == types.INT else f"DECIMAL({decimal_digits(declared)}, {declared.scale})"
            case types.Float() | types.Geo():
                return "DOUBLE"
            case types.Timestamp():
                return "TIMESTAMP"
            case types.Date():
                return "DATE"
            case types.ListOf():
                return "VARCHAR[]"
            case _:
                return "VARCHAR"

    # --- from text -------------------------------------------------------------------------------------------

    def from_text(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of its text; NULL unless the text is exactly one (docs/language.md, Types)."""
        match declared:
            case types.Bool():
                return template("CASE _x WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", x=x)
            case types.Number():
                fraction = rf"(\.[0-9]{{1,{declared.scale}}}0*)?" if declared.scale else r"(\.0+)?"
                pattern = "-?[0-9]+" + ("" if declared == types.INT else fraction)
                return template(
                    f"CASE WHEN REGEXP_FULL_MATCH(_x, _p) THEN TRY_CAST(_x AS {self.physical_of(declared)}) END",
                    x=x, p=literal(pattern),
                )  # fmt: skip
            case types.Float() | types.Geo():
                return template(
                    "CASE WHEN REGEXP_FULL_MATCH(_x, _p) THEN TRY_CAST(_x AS DOUBLE) + 0e0 END", x=x, p=literal(PLAIN)
                )
            case types.Timestamp() | types.Date():
                return self.instant_from_text(x, zone if isinstance(declared, types.Date) else None, declared, zone)
            case types.ListOf():
                return self.list_from_json(template("CASE WHEN JSON_VALID(_x) THEN CAST(_x AS JSON) END", x=x))
            case _:
                return x

    def instant_from_text(self, x: Node, day_zone: str | None, declared: Type, local_zone: str | None) -> Node:
        """ISO text. A day alone is midnight in `day_zone` (None: UTC); a clock without offset is in UTC, or local."""
        plain = template("TRY_CAST(REPLACE(UPPER(_x), 'T', ' ') AS TIMESTAMP)", x=x)
        offset = template("TIMEZONE('UTC', TRY_CAST(REPLACE(UPPER(_x), 'T', ' ') AS TIMESTAMPTZ))", x=x)
        if isinstance(declared, types.Date):
            day = template(
                "CASE WHEN REGEXP_FULL_MATCH(_x, _p) THEN TRY_CAST(LEFT(_x, 10) AS TIMESTAMP) END",
                x=x, p=literal(MIDNIGHT),
            )  # fmt: skip
            return self.from_local(day, day_zone or "UTC")
        return template(
            "CASE WHEN REGEXP_FULL_MATCH(_x, _day) THEN _a WHEN REGEXP_FULL_MATCH(_x, _offset) THEN _b END",
            x=x, a=self.from_local(plain, local_zone or "UTC"), b=offset,
            day=literal(f"{DAY}|{CLOCK}"), offset=literal(CLOCK + OFFSET),
        )  # fmt: skip

    # --- from native columns -----------------------------------------------------------------------------------

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        """The canonical value of a stored one; what does not fit is NULL, and nothing raises."""
        x, physical = _by_bytes(x, physical)
        family = self.family(physical)
        if family == "json":
            return self.from_json(x, declared, zone)
        if family == "text" and not isinstance(declared, types.Timestamp):
            return self.labelled(self.from_text(x, declared, zone), declared)
        match declared:
            case types.Timestamp() | types.Date():
                return self.stored_instant(x, family, declared, zone)
            case types.String() | types.Enum() if family in {"text", "label"}:
                return self.labelled(x if family == "text" else cast(x, "VARCHAR"), declared)
            case types.Bool() if family == "bool":
                return x
            case types.Number():
                return self.exact(x, family, physical, declared)
            case types.Float() | types.Geo() if family in {"float", "int", "decimal"}:
                value = template("CASE WHEN NOT ISNAN(_x) THEN CAST(_x AS DOUBLE) + 0e0 END", x=x)
                return value if family == "float" else cast(cast(x, "VARCHAR"), "DOUBLE")
            case types.ListOf() if family == "list":
                return template("LIST_FILTER(_x, LAMBDA i : NOT i IS NULL)", x=x)
            case types.ListOf() if family == "nested":
                return self.list_from_json(template("TO_JSON(_x)", x=x))
        return cast(NULL(), self.physical_of(declared))

    def exact(self, x: Node, family: str, physical: str, declared: types.Number) -> Node:
        """A Number out of a stored number, as a decimal of its scale; NULL where it does not fit."""
        target = self.physical_of(declared)
        if family == "float":
            return self.from_shortest(x, declared)
        if family == "int":
            if declared == types.INT and physical.upper() not in {"BIGINT", "HUGEINT", "INT128", "UBIGINT", *_HUGE}:
                return cast(x, target)
            return template(f"TRY_CAST(_x AS {target})", x=x)
        if family == "decimal":
            # TRY_CAST rounds what does not fit: only what survives the way there and back is known.
            back = re.sub(r"[^0-9A-Za-z(),]", "", physical)
            return template(
                f"CASE WHEN TRY_CAST(TRY_CAST(_x AS {target}) AS {back}) = _x THEN TRY_CAST(_x AS {target}) END", x=x
            )
        return cast(NULL(), target)

    def from_shortest(self, x: Node, declared: types.Number) -> Node:
        """A float: whole for an int, else its shortest decimal text rounded half away from zero."""
        if declared == types.INT:
            return template("CASE WHEN _x = TRUNC(_x) AND ABS(_x) < 9.3e18 THEN TRY_CAST(_x AS BIGINT) END", x=x)
        return template(f"TRY_CAST(CAST(_x AS VARCHAR) AS {self.physical_of(declared)})", x=x)

    def stored_instant(self, x: Node, family: str, declared: Type, zone: str) -> Node:
        """A timestamp or date out of any stored form; plain clocks are UTC, or midnights in `zone` for a date."""
        is_date = isinstance(declared, types.Date)
        if family == "text":
            return self.instant_from_text(x, zone, declared, None)
        if family == "date":
            return self.from_local(within(template("TRY_CAST(_x AS TIMESTAMP)", x=x)), zone if is_date else "UTC")
        forms = {
            "timestamp": x,
            "timestamptz": template("TIMEZONE('UTC', _x)", x=x),
            # A cast would round to the microsecond; reading its digits cuts.
            "timestamp_ns": template("TRY_CAST(LEFT(CAST(_x AS VARCHAR), 26) AS TIMESTAMP)", x=x),
        }
        if family not in forms:
            return cast(NULL(), "TIMESTAMP")
        plain = within(forms[family])
        if not is_date:
            return plain
        day = template("CASE WHEN _x = DATE_TRUNC('day', _x) THEN _x END", x=plain)
        return self.from_local(day, zone)

    # --- from JSON -----------------------------------------------------------------------------------------------

    def field(self, x: Node, path: tuple[str, ...], physical: str) -> tuple[Node, str] | None:
        """The field of a STRUCT under keys and its type; None where it has no such field."""
        kind = exp.DataType.build(physical, dialect="duckdb")
        for key in path:
            fields = {f.this.name: f.kind for f in kind.expressions if isinstance(f, exp.ColumnDef)}
            field = fields.get(key)
            if not kind.is_type("struct") or field is None:
                return None
            x, kind = template("STRUCT_EXTRACT(_x, _k)", x=x, k=text(key)), field
        return x, str(kind.sql("duckdb"))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        """The JSON value under keys; NULL where the text is not JSON or a key is missing."""
        x, physical = _by_bytes(x, physical)
        if self.family(physical) == "nested":
            x, physical = template("TO_JSON(_x)", x=x), "JSON"
        pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)
        if self.family(physical) == "json":
            return template("JSON_EXTRACT(_x, _p)", x=x, p=text(pointer))
        guarded = template("CASE WHEN JSON_VALID(CAST(_x AS VARCHAR)) THEN CAST(_x AS VARCHAR) END", x=x)
        return template("JSON_EXTRACT(_x, _p)", x=guarded, p=text(pointer))

    def from_json(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of JSON: as its text would be read if it is a JSON string, else by its JSON type."""
        words = template("JSON_EXTRACT_STRING(_x, '$')", x=x)
        kind = template("JSON_TYPE(_x)", x=x)
        if isinstance(declared, types.ListOf):
            inner = template("CASE WHEN JSON_VALID(_w) THEN CAST(_w AS JSON) END", w=words)
            whole = case([(one_of(kind.copy(), [literal("VARCHAR")]), inner)], x)
            return self.list_from_json(whole)
        arms = [(one_of(kind.copy(), [literal("VARCHAR")]), self.convert(words, "VARCHAR", declared, zone))]
        match declared:
            case types.Bool():
                arms.append((one_of(kind.copy(), [literal("BOOLEAN")]), template("_w = 'true'", w=words)))
            case types.Number():
                whole = [literal("BIGINT"), literal("UBIGINT")]
                arms.append((one_of(kind.copy(), whole), self.from_text(words, declared, zone)))
                double = template("CAST(_w AS DOUBLE)", w=words)
                arms.append((one_of(kind.copy(), [literal("DOUBLE")]), self.from_shortest(double, declared)))
            case types.Float() | types.Geo():
                numbers = [literal("BIGINT"), literal("UBIGINT"), literal("DOUBLE")]
                arms.append((one_of(kind.copy(), numbers), template("CAST(_w AS DOUBLE) + 0e0", w=words)))
        return case(arms)

    def list_from_json(self, x: Node) -> Node:
        return template(
            "CASE WHEN JSON_TYPE(_x) = 'ARRAY' THEN LIST_TRANSFORM(LIST_FILTER(CAST(_x AS JSON[]),"
            " LAMBDA i : JSON_TYPE(i) = 'VARCHAR'), LAMBDA i : JSON_EXTRACT_STRING(i, '$')) END",
            x=x,
        )

    # --- time ----------------------------------------------------------------------------------------------------

    def from_local(self, x: Node, zone: str) -> Node:
        """The UTC clock when clocks in `zone` show `x`: the earlier of two, moved forward over a gap."""
        if zone == "UTC":
            return x
        z = literal(zone)
        # A day after the same clock time of the day before: where clocks show x twice, that is the earlier of the two,
        # and anywhere else it is either the only one or no time at which they show x.
        earlier = template("TIMEZONE('UTC', TIMEZONE(_z, _x - INTERVAL '1' DAY)) + INTERVAL '1' DAY", x=x, z=z)
        return template(
            "CASE WHEN TIMEZONE(_z, TIMEZONE('UTC', _e)) = _x THEN _e ELSE TIMEZONE('UTC', TIMEZONE(_z, _x)) END",
            x=x, z=z, e=earlier,
        )  # fmt: skip

    def to_local(self, x: Node, zone: str) -> Node:
        """The clock that `zone` shows at a UTC instant."""
        return x if zone == "UTC" else template("TIMEZONE(_z, TIMEZONE('UTC', _x))", x=x, z=literal(zone))

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        """An instant out of a number of seconds, milliseconds or microseconds, cut to the microsecond."""
        x, physical = _by_bytes(x, physical)
        family = self.family(physical)
        size = EPOCHS[unit]
        if family == "json":
            x, family = template("JSON_EXTRACT_STRING(_x, '$')", x=x), "text"
        if family == "int":
            if physical.upper() in _HUGE:
                x = template("TRY_CAST(_x AS BIGINT)", x=x)
            low, high = number(FIRST // size), number(LAST // size)
            return template(
                "CASE WHEN _x BETWEEN _lo AND _hi THEN MAKE_TIMESTAMP(CAST(_x AS BIGINT) * _n) END",
                x=x, lo=low, hi=high, n=number(size),
            )  # fmt: skip
        if family in {"float", "decimal"}:
            x = cast(x, "VARCHAR")
        elif family == "text":
            x = template("CASE WHEN REGEXP_FULL_MATCH(_x, _p) THEN _x END", x=x, p=literal(PLAIN))
        else:
            return cast(NULL(), "TIMESTAMP")
        scaled = template("TRY_CAST(_x AS DECIMAL(29, 11)) * _n", x=x, n=number(size))
        return template(
            "CASE WHEN _s BETWEEN _lo AND _hi THEN MAKE_TIMESTAMP(CAST(FLOOR(_s) AS BIGINT)) END",
            s=scaled, lo=number(FIRST), hi=number(LAST),
        )  # fmt: skip

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        """An instant out of a local clock time in `zone`."""
        x, physical = _by_bytes(x, physical)
        family = self.family(physical)
        if family == "json":
            x, family = (
                template("CASE WHEN JSON_TYPE(_x) = 'VARCHAR' THEN JSON_EXTRACT_STRING(_x, '$') END", x=x),
                "text",
            )
        if family == "text":
            return self.instant_from_text(x, None, types.Timestamp(), zone)
        if family != "timestamptz":
            return self.from_local(self.stored_instant(x, family, types.Timestamp(), zone), zone)
        return self.stored_instant(x, family, types.Timestamp(), zone)

    # --- lists -----------------------------------------------------------------------------------------------------

    def printed(self, x: Node, declared: Type) -> Node:
        return super().printed(template("TO_JSON(_x)", x=x) if isinstance(declared, types.ListOf) else x, declared)

    def rows_of(self, values: list[Node]) -> Node:
        """Some values of one row as rows of their own."""
        return exp.Anonymous(this="UNNEST", expressions=[exp.Array(expressions=values)])

    # --- keys ----------------------------------------------------------------------------------------------------

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        """A contact's key as the contacts' table has it: whole numbers, or text."""
        x, physical = _by_bytes(x, physical)
        family = self.family(physical)
        if family == "json":
            x, family = template("JSON_EXTRACT_STRING(_x, '$')", x=x), "text"
        elif family == "blob":
            x, family = template("TRY(DECODE(_x))", x=x), "text"
        elif family in {"float", "decimal"}:  # 7.0 is the key 7
            whole_text = template("CASE WHEN _x = TRUNC(_x) THEN CAST(TRY_CAST(_x AS HUGEINT) AS VARCHAR) END", x=x)
            x, family = template("COALESCE(_w, CAST(_x AS VARCHAR))", w=whole_text, x=x), "text"
        elif whole and physical.upper() in _HUGE:
            return template("TRY_CAST(_x AS HUGEINT)", x=x)
        if whole and family != "int":
            return template(
                "CASE WHEN CAST(TRY_CAST(_t AS BIGINT) AS VARCHAR) = _t THEN TRY_CAST(_t AS BIGINT) END",
                t=x if family == "text" else cast(x, "VARCHAR"),
            )
        return x if whole or family == "text" else cast(x, "VARCHAR")


def _by_bytes(x: Node, physical: str) -> tuple[Node, str]:
    """A column and its type, without the collation that it may have."""
    if physical.upper() != COLLATED:
        return x, physical
    return exp.Paren(this=exp.Collate(this=x, expression=exp.Var(this="C"))), "VARCHAR"


def within(x: Node) -> Node:
    """A TIMESTAMP of the years 1 to 9999; infinities and years beyond are NULL."""
    return template(
        "CASE WHEN _x BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP)"
        " THEN _x END",
        x=x,
    )
