r"""PostgreSQL: timestamps without zone that show UTC, numerics of any length, texts read by regular expressions.

Measured on PostgreSQL 15, 16 and 18:

- `AT TIME ZONE` takes the later of two instants (corrected here) and moves forward over a gap. It knows `CET`, `EET`,
  `MET` and `WET` as offsets that never change, although they are zones as well: they go by the names of cities.
- A numeric may be `NaN`, of any precision, and NaN equals itself and is above every number. `-infinity` and `infinity`
  are timestamps and dates; dates reach further than timestamps can.
- A cast of text raises on what it cannot read, and nothing catches that before version 16: a text is cast only behind
  a CASE that has looked at all of it (`postgres_texts`).
- Of `json`, `->` raises where any text in the document, or any key, holds `\u0000` or half a surrogate pair.
- Two columns of different collations cannot even be compared: those with one of their own are read as `COLLATE "C"`.
- A double as text is the shortest that reads back; cast to numeric at once it would be cut to 15 digits. Texts beyond
  the range of doubles raise, too small ones as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.dialects import postgres_texts as texts
from segdsl.backends.sql.dialects.dialect import EPOCHS, Dialect, Extracted, decimal_digits
from segdsl.backends.sql.dialects.postgres_texts import sql, when
from segdsl.core.time import DAY, FIRST, LAST
from segdsl.types import Type

_COLLECTS = exp.Window, exp.AggFunc, exp.Join, exp.SetOperation, exp.Distinct  # what a query is not repeated for
_ZONES = {"CET": "Europe/Brussels", "MET": "Europe/Brussels", "EET": "Europe/Athens", "WET": "Europe/Lisbon"}
_FAMILIES = {
    "text": "text", "character varying": "text", "varchar": "text", "character": "text", "bpchar": "text",
    "name": "text", "citext": "text", "enum": "label", "uuid": "label", '"char"': "label",
    "smallint": "int", "integer": "int", "bigint": "int", "numeric": "decimal", "money": "decimal",
    "real": "float", "double precision": "float", "boolean": "bool", "timestamp": "timestamp",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz", "date": "date",
    "json": "json", "jsonb": "json", "bytea": "blob", "row": "nested",
}  # fmt: skip
_FURTHEST = 1_721_000 * DAY  # from the year 1 to the first time of a TIMESTAMP, in 4713 before it


class Postgres(Dialect):
    """The dialect's conversions and spellings."""

    name = printer = "postgres"
    title = "PostgreSQL"
    executed = skips = unnests = True
    analyze = "ANALYZE"
    comparable = (frozenset({"int"}),)  # texts only once they are plain: see `_plain_text`

    # --- printing ------------------------------------------------------------------------------------------------

    def placeholder(self, name: str) -> str:
        # With its type: the server would guess one from each place, and two guesses must not differ.
        return f"${name.removeprefix('p')}::text"

    def finished(self, tree: Node) -> Node:
        # A CTE that is used twice would be computed once, all of it. Those that only read a table are better read each
        # time with the window of the one that asks, by an index if there is one.
        opening = tree.args.get("with_")
        ctes = {cte.alias: cte for cte in opening.expressions} if opening else {}
        used = Counter(table.name for table in tree.find_all(exp.Table) if not table.db)
        for name, cte in ctes.items():
            reads = cte.this.find(*_COLLECTS) is None and not any(t.name in ctes for t in cte.this.find_all(exp.Table))
            if cte.this.find(exp.With) is not None:  # which reads JSON that is stored as text, and takes long
                cte.set("materialized", True)
            elif used[name] > 1 and reads:
                cte.set("materialized", False)
        return tree

    # --- instants and clocks -------------------------------------------------------------------------------------

    def interval(self, microseconds: int) -> Node:
        # A frame may not reach back beyond the first time there is. Nobody's events are further apart.
        return super().interval(min(microseconds, _FURTHEST))

    def moved(self, moment: Node, microseconds: int) -> Node:
        if -_FURTHEST <= microseconds <= _FURTHEST:
            return super().moved(moment, microseconds)
        # What would lie before the year 1, or after 9999, lies at its beginning or end: nothing is stored beyond.
        end = FIRST if microseconds < 0 else LAST
        reaches = b.compare(">" if microseconds < 0 else "<", moment, self.instant(end - microseconds))
        by = super().interval(abs(microseconds))
        kind = exp.Sub if microseconds < 0 else exp.Add
        return b.case([(reaches, kind(this=b.operand(moment.copy()), expression=by)),
                       (b.known(moment.copy()), self.instant(end))])  # fmt: skip

    def micros(self, x: Node) -> Node:
        # In parts: before version 14 EXTRACT yields doubles, which do not hold all of it.
        return sql(
            "CAST(EXTRACT(EPOCH FROM DATE_TRUNC('second', _x)) AS BIGINT) * 1000000"
            " + CAST(EXTRACT(MICROSECONDS FROM _x) AS BIGINT) % 1000000",
            x=x,
        )

    def current(self) -> Node:
        return sql("CURRENT_TIMESTAMP AT TIME ZONE 'UTC'")

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else sql("_x AT TIME ZONE 'UTC' AT TIME ZONE _z", x=x, z=_zone(zone))

    def from_local(self, x: Node, zone: str) -> Node:
        if zone == "UTC":
            return x
        # A day after the same clock time of the day before: where clocks show x twice, that is the earlier of the two,
        # and anywhere else it is either the only one or no time at which they show x.
        earlier = sql("(_x - INTERVAL '1 day') AT TIME ZONE _z AT TIME ZONE 'UTC' + INTERVAL '1 day'",
                       x=x, z=_zone(zone))  # fmt: skip
        return sql(
            "CASE WHEN _e AT TIME ZONE 'UTC' AT TIME ZONE _z = _x THEN _e"
            " ELSE _x AT TIME ZONE _z AT TIME ZONE 'UTC' END",
            x=x, e=earlier, z=_zone(zone),
        )  # fmt: skip

    # --- numbers -------------------------------------------------------------------------------------------------

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return sql("CAST(_x AS NUMERIC)", x=x)

    def to_double(self, x: Node, scale: int) -> Node:
        return b.cast(x, "DOUBLE")

    # --- text and lists ------------------------------------------------------------------------------------------

    def ordered(self, x: Node) -> Node:
        return sql('_x COLLATE "C"', x=x)

    def md5(self, x: Node, digits: int) -> Node:
        return self.ordered(super().md5(x, digits))

    def contains(self, x: Node, item: str) -> Node:
        return sql("_i = ANY(_x)", x=x, i=b.text(item))

    def rows_of(self, values: list[Node]) -> Node:
        return exp.Anonymous(this="UNNEST", expressions=[exp.Array(expressions=values)])

    # --- stored columns ------------------------------------------------------------------------------------------

    def family(self, physical: str) -> str:
        kind = re.sub(r"\(.*?\)| collate .*", "", physical.lower())
        if kind.endswith("[]"):
            item = _FAMILIES.get(kind.removesuffix("[]"))
            return "list" if item in {"text", "label"} else "nested"
        return _FAMILIES.get(kind, "other")

    def physical_of(self, declared: Type) -> str:
        match declared:
            case types.Bool():
                return "boolean"
            case types.Number():
                return "bigint" if declared == types.INT else f"numeric({decimal_digits(declared)},{declared.scale})"
            case types.Float() | types.Geo():
                return "double precision"
            case types.Timestamp():
                return "timestamp without time zone"
            case types.Date():
                return "date"
            case types.ListOf():
                return "text[]"
        return "text"

    def json_column(self) -> str:
        return "jsonb"

    def bare(self, physical: str, declared: Type) -> bool:
        if isinstance(declared, types.String):
            return re.fullmatch(r"text|character varying(\(\d+\))?", physical) is not None
        # Never a numeric: it may be NaN.
        return (isinstance(declared, types.Bool) or declared == types.INT) and physical == self.physical_of(declared)

    def bare_time(self, physical: str) -> bool:
        return self.family(physical) == "timestamp"

    def unguarded(self, x: Node, physical: str) -> Node | None:
        if self.family(physical) == "timestamptz":
            return sql("_x AT TIME ZONE 'UTC'", x=x)
        return super().unguarded(x, physical)

    def stored(self, moment: Node, physical: str) -> Node:
        return sql("_m AT TIME ZONE 'UTC'", m=moment) if self.family(physical) == "timestamptz" else moment

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            return self.from_json(_at(self.document(x, physical), (), physical), declared, zone)
        if family == "text":
            return self.from_text(_plain_text(x, physical), declared, zone)
        match declared:
            case types.Timestamp() | types.Date():
                return self.instant_of(x, family, declared, zone)
            case types.String() | types.Enum() if family == "label":
                return self.labelled(sql("CAST(_x AS TEXT)", x=x), declared)
            case types.Bool() if family == "bool":
                return x
            case types.Number() if family in {"int", "decimal", "float"}:
                return self.exact(x, family, physical, declared)
            case types.Float() | types.Geo() if family in {"int", "decimal", "float"}:
                return _double(x, family)
            case types.ListOf() if family == "list":
                return sql("CASE WHEN ARRAY_NDIMS(_x) > 1 THEN CAST('{}' AS TEXT[])"
                            " ELSE ARRAY_REMOVE(CAST(_x AS TEXT[]), NULL) END", x=x)  # fmt: skip
            case types.ListOf() if family == "nested":
                return self.from_json(sql("TO_JSON(_x)", x=x), declared, zone)
        return sql(f"CAST(NULL AS {self.physical_of(declared)})")

    def index(self, table: str, column: str) -> str:
        name = b.table(table).sql(dialect=self.printer)
        return f"CREATE INDEX ON {name} ({b.identifier(column).sql(dialect=self.printer)})"

    # --- from text -----------------------------------------------------------------------------------------------

    def from_text(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of its text; NULL unless the text is exactly one (docs/language.md, Types)."""
        match declared:
            case types.Bool():
                return sql("CASE _x WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", x=x)
            case types.Number():
                return texts.number(x, declared, self.physical_of(declared))
            case types.Float() | types.Geo():
                return texts.in_range(texts.numeric(x))
            case types.Date():
                return self.from_local(texts.midnight(x), zone)
            case types.Timestamp():
                return self.instant_from_text(x, "UTC")
            case types.ListOf():
                return texts.array(x)
        return self.labelled(x, declared)

    def instant_from_text(self, x: Node, zone: str) -> Node:
        """ISO text; a day alone and a clock without an offset are of the zone."""
        clock = texts.clock(x)
        local = self.from_local(clock, zone)
        return b.case([(texts.has_offset(x), sql("_c - _o", c=clock, o=texts.offset(x)))], local)

    # --- from native columns -------------------------------------------------------------------------------------

    def exact(self, x: Node, family: str, physical: str, declared: types.Number) -> Node:
        """A Number out of a stored number; NULL where it does not fit."""
        if family == "float":
            return self.from_shortest(x, declared)
        if physical == "money":
            x = sql("CAST(_x AS NUMERIC)", x=x)
        kind = self.physical_of(declared)
        if family == "int" and declared == types.INT:
            return x if physical == "bigint" else sql(f"CAST(_x AS {kind})", x=x)
        fits = [texts.fits(x, declared)]
        if family == "decimal":
            fits.append(sql("_x = ROUND(_x, _n)", x=x, n=b.number(declared.scale)))
        return when(b.conjunction(fits), sql(f"CAST(_x AS {kind})", x=x))

    def from_shortest(self, x: Node, declared: types.Number) -> Node:
        """A double: whole for an int, else its shortest decimal text rounded half away from zero."""
        if declared == types.INT:
            return when(sql("_x = TRUNC(_x) AND _x >= -9223372036854775808e0 AND _x < 9223372036854775808e0", x=x),
                         b.cast(x, "BIGINT"))  # fmt: skip
        return when(sql("ABS(_x) < 1e40", x=x), texts.rounded(sql("CAST(_x AS TEXT)", x=x), declared))

    def instant_of(self, x: Node, family: str, declared: Type, zone: str) -> Node:
        """A timestamp or date out of a timestamp or date; a clock is UTC, or a midnight in `zone` for a date."""
        is_date = isinstance(declared, types.Date)
        if family == "date":
            day = when(sql("_x BETWEEN CAST('0001-01-01' AS DATE) AND CAST('9999-12-31' AS DATE)", x=x),
                        b.cast(x, "TIMESTAMP"))  # fmt: skip
            return self.from_local(day, zone if is_date else "UTC")
        if family not in {"timestamp", "timestamptz"}:
            return self.no_instant()
        plain = x if family == "timestamp" else sql("_x AT TIME ZONE 'UTC'", x=x)
        limits = exp.Between(this=b.operand(plain), low=self.instant(FIRST), high=self.instant(LAST))
        if not is_date:
            return when(limits, plain)
        midnight = b.compare("=", plain, sql("DATE_TRUNC('day', _x)", x=plain))
        return self.from_local(when(limits, when(midnight, plain)), zone)

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        family, size = self.family(physical), EPOCHS[unit]
        if family == "int":
            limits = exp.Between(this=b.operand(x), low=b.number(FIRST // size), high=b.number(LAST // size))
            return when(limits, _since_1970(sql("CAST(_x AS BIGINT) * _n", x=x, n=b.number(size))))
        if family == "json":
            x, physical, family = _words(self.document(x, physical)), "text", "text"
        if family == "decimal":
            number = sql("CAST(_x AS NUMERIC)", x=x)
        elif family == "float":
            number = when(sql("ABS(_x) < 1e18", x=x), sql("CAST(CAST(_x AS TEXT) AS NUMERIC)", x=x))
        elif family == "text":
            number = texts.numeric(_plain_text(x, physical))
        else:
            return self.no_instant()
        scaled = sql("FLOOR(_x * _n)", x=number, n=b.number(size))
        limits = exp.Between(this=scaled, low=b.number(FIRST), high=b.number(LAST))
        return when(limits, _since_1970(sql("CAST(_x AS BIGINT)", x=scaled)))

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            document = _at(self.document(x, physical), (), physical)
            x = when(sql("JSON_TYPEOF(_d) = 'string'", d=document), _words(document))
            physical = family = "text"
        if family == "text":
            return self.instant_from_text(_plain_text(x, physical), zone)
        found = self.instant_of(x, family, types.Timestamp(), zone)
        return found if family == "timestamptz" else self.from_local(found, zone)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        family = self.family(physical)
        if family == "int" and whole:
            return x
        if family == "json":
            x = _words(self.document(x, physical))
        elif family == "blob":
            x = texts.of_bytes(x)
        elif family == "decimal":  # 7.0 is the key 7
            number = sql("CAST(_x AS NUMERIC)", x=x)
            x = sql("CAST(CASE WHEN _n = TRUNC(_n) THEN TRUNC(_n) ELSE _n END AS TEXT)", n=number)
        elif family == "float":
            x = sql("CASE WHEN _x = TRUNC(_x) AND ABS(_x) < 9e18 THEN CAST(CAST(_x AS BIGINT) AS TEXT)"
                     " ELSE CAST(_x AS TEXT) END", x=x)  # fmt: skip
        else:
            x = _plain_text(x, physical)
        return when(texts.is_whole(x), texts.number(x, types.INT, "bigint")) if whole else x

    # --- JSON ----------------------------------------------------------------------------------------------------

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        return _at(self.document(x, physical), path, physical)

    def document(self, x: Node, physical: str) -> Node:
        """A stored value as JSON, or as JSONB if it is that."""
        family = self.family(physical)
        if physical in {"JSON", "jsonb"}:
            return x
        if family in {"nested", "list"}:
            return sql("TO_JSON(_x)", x=x)
        if family == "json":
            return texts.storable(sql("CAST(_x AS TEXT)", x=x))
        return texts.document(_plain_text(x, physical))

    def extracting(self, table: Node, wanted: Sequence[Extracted]) -> Node:
        # Beside each row that is asked for, and once: OFFSET keeps the server from repeating an expression wherever
        # its value is used.
        documents: dict[str, tuple[str, Node]] = {}
        values = []
        for name, x, path, physical in wanted:
            title = f"document_{len(documents) + 1}"
            document, _ = documents.setdefault(str(x.sql()), (title, self.document(x, physical)))
            values.append((name, _at(b.column(document), path, physical)))
        columns = [b.aliased(document, title) for title, document in documents.values()]
        inner = exp.Select(expressions=columns).offset(0, copy=False).subquery("documents")
        outer = select(values, inner).offset(0, copy=False)
        beside = exp.Lateral(this=outer.subquery(), alias=exp.TableAlias(this=b.identifier("extracted")))
        return exp.Select(expressions=[exp.Star()]).from_(table, copy=False).join(beside, join_type="cross", copy=False)

    def from_json(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of JSON: as its text would be read if it is a JSON string, else by its JSON type."""
        words, kind = sql("_x #>> '{}'", x=x), sql("JSON_TYPEOF(_x)", x=x)
        is_ = {name: b.compare("=", kind.copy(), b.literal(name)) for name in ("string", "number", "boolean", "array")}
        arms = [(is_["string"], self.from_text(words, declared, zone))]
        match declared:
            case types.Bool():
                arms.append((is_["boolean"], sql("_w = 'true'", w=words)))
            case types.Number():  # a number is a whole one, or a double
                whole = texts.number(words, declared, self.physical_of(declared))
                exact = [(texts.matches(words, "^-?[0-9]+$"), whole)]
                if declared != types.INT:  # a double says no more than a few digits do
                    few = sql("_w ~ '^-?[0-9]+[.][0-9]+$' AND LENGTH(RTRIM(_w, '0')) <= 16", w=words)
                    exact.append((few, texts.rounded(words, declared)))
                double = self.from_shortest(texts.json_double(words), declared)
                arms.append((is_["number"], b.case(exact, double)))
            case types.Float() | types.Geo():
                arms.append((is_["number"], texts.json_double(words)))
            case types.ListOf():
                arms.append((is_["array"], texts.texts_of(x)))
        return b.case(arms)


def _at(document: Node, path: tuple[str, ...], physical: str) -> Node:
    """The JSON under keys, in its canonical form. Never by `#>`, to which "0" would be a place in an array, too."""
    for key in path:
        document = sql("_d -> _k", d=document, k=b.text(key))
    return sql("CAST(_d AS JSON)", d=document) if physical == "jsonb" else document


def _zone(zone: str) -> Node:
    return b.literal(_ZONES.get(zone, zone))


def _plain_text(x: Node, physical: str) -> Node:
    """A column as TEXT with a collation that compares by code points."""
    kind = physical.lower()
    if kind not in {"text", "json"} and not kind.startswith(("character varying", "varchar")):
        x = sql("CAST(_x AS TEXT)", x=x)
    return sql('_x COLLATE "C"', x=x) if " collate " in kind or kind == "citext" else x


def _double(x: Node, family: str) -> Node:
    """A stored number as the nearest double; a NaN is NULL, and no zero is negative."""
    if family == "float":
        return when(sql("_x <> 'NaN'", x=x), sql("CAST(_x AS DOUBLE PRECISION) + 0", x=x))
    return b.cast(x, "DOUBLE") if family == "int" else texts.in_range(sql("CAST(_x AS NUMERIC)", x=x))


def _words(document: Node) -> Node:
    """A JSON value as text: a string as it is, others as they are written."""
    return sql("_d #>> '{}'", d=document)


def _since_1970(microseconds: Node) -> Node:
    return sql(
        "CAST('1970-01-01' AS TIMESTAMP) + _n / 1000000 * INTERVAL '1 second'"
        " + _n % 1000000 * INTERVAL '1 microsecond'", n=microseconds,
    )  # fmt: skip
