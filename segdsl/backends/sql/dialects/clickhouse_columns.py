"""What ClickHouse's columns hold, as canonical values."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, literal, number, template
from segdsl.backends.sql.dialects.clickhouse_types import inside, named, plain
from segdsl.backends.sql.dialects.dialect import EPOCHS, decimal_digits
from segdsl.backends.sql.dialects.texts import MIDNIGHT
from segdsl.backends.sql.dialects.whole import ScaledNumbers, WholeInstants
from segdsl.core.time import DAY, FIRST, LAST
from segdsl.types import Type

WIDE = 2**63  # from here on a literal needs a type that is named
CYCLE = 146_097  # days of 400 years, after which the calendar is the same again
_INSIDE = ("list", "nested", "json")  # families that a value of a Map is not read from
# Year, month, day; hour, minute, second, its fraction; Z; sign, hours and minutes of an offset.
_TIME = (
    "([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.]([0-9]{1,9}))?)?"
    "(?:([Zz])|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?"
)
_PLAIN = "-?[0-9]+(?:[.][0-9]+)?"
_BITS = ((9, 32), (18, 64), (38, 128), (76, 256))  # digits of a decimal, and of how many bits it is made then


class Columns(WholeInstants, ScaledNumbers):
    """The half of the dialect that reads stored columns."""

    def family(self, physical: str) -> str:
        kind = plain(physical)
        name = kind.partition("(")[0]
        if name.removeprefix("U").removeprefix("Int").isdigit():
            return "int"
        if name in ("DateTime", "DateTime64"):
            return "timestamptz" if "'" in kind else "timestamp"
        if name == "Array":
            return "list" if plain(inside(kind)[0]) == "String" else "nested"
        return {
            "String": "text", "FixedString": "text", "Enum8": "label", "Enum16": "label", "UUID": "label",
            "IPv4": "label", "IPv6": "label", "Float32": "float", "Float64": "float", "BFloat16": "float",
            "Decimal": "decimal", "Bool": "bool", "Date": "date", "Date32": "date", "JSON": "json", "Object": "json",
            "Map": "nested", "Tuple": "nested", "Nested": "nested",
            "Number": "number",  # of a column that nobody has seen: any type of number, with any scale
        }.get(name, "other")  # fmt: skip

    def physical_of(self, declared: Type) -> str:
        match declared:
            case types.Bool():
                return "Nullable(Bool)"
            case types.Number():
                kind = "Int64" if declared == types.INT else f"Decimal({decimal_digits(declared)}, {declared.scale})"
                return f"Nullable({kind})"
            case types.Float() | types.Geo():
                return "Nullable(Float64)"
            case types.Timestamp():
                return "Nullable(DateTime64(6))"
            case types.Date():
                return "Nullable(Date32)"
            case _:  # a list, too: an array cannot be unknown
                return "Nullable(String)"

    def unseen(self, physical: str) -> str:
        return "Number" if self.family(physical) == "decimal" else physical

    def bare(self, physical: str, declared: Type) -> bool:
        kind = plain(physical)
        return (kind == "Bool" and isinstance(declared, types.Bool)) or (kind == "Int64" and declared == types.INT)

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        family = self.family(physical)
        match declared:
            case _ if family == "json":
                return self._from_json(_written(x), declared, zone)
            case _ if family == "text":
                return self.labelled(self._from_text(_readable(x, physical), declared, zone), declared)
            case types.Timestamp() | types.Date():
                return self._stored_instant(x, plain(physical), declared, zone)
            case types.String() | types.Enum() if family == "label":
                return self.labelled(call("toString", x), declared)
            case types.Bool() if family == "bool":
                return x
            case types.Number():
                return self._exact(x, plain(physical), declared)
            case types.Float() | types.Geo() if family == "float":
                return b.case([(b.negation(call("isNaN", x)), template("_x + 0e0", x=call("toFloat64", x)))])
            case types.Float() | types.Geo() if family in ("int", "decimal"):
                return call("toFloat64", call("toString", x) if family == "decimal" else x)
            case types.ListOf() if family == "list":
                return call("toJSONString", call("arrayFilter", _lambda(_is_text), x))
            case types.ListOf() if family == "nested":
                return _list_from_json(call("toJSONString", x))
        return self.nothing(declared)

    def nothing(self, declared: Type) -> Node:
        """NULL in the canonical form of a type."""
        match declared:
            case types.Bool():
                return b.cast(b.NULL(), "BOOLEAN")
            case types.Number() | types.Timestamp() | types.Date():
                return b.cast(b.NULL(), "BIGINT")
            case types.Float() | types.Geo():
                return b.cast(b.NULL(), "DOUBLE")
        return b.cast(b.NULL(), "VARCHAR")

    # --- from text -------------------------------------------------------------------------------------------------

    def _from_text(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of its text; NULL unless the text is exactly one (docs/language.md, Types)."""
        match declared:
            case types.Bool():
                words = {"true": b.TRUE(), "false": b.FALSE()}
                return b.case([(b.compare("=", x.copy(), literal(word)), value) for word, value in words.items()])
            case types.Number():
                return self._number_from_text(x, declared)
            case types.Float() | types.Geo():
                value = call("toFloat64OrNull", x)
                finite = b.conjunction([_matches(x, _PLAIN), call("isFinite", value)])
                return b.case([(finite, template("_f + 0e0", f=value))])
            case types.Timestamp():
                return _time_from_text(x)[0]
            case types.Date():
                day = call("substring", x, number(1), number(10))
                midnight = b.case([(_matches(x, MIDNIGHT), _time_from_text(day)[0])])
                return self.from_local(midnight, zone)
            case types.ListOf():
                return _list_from_json(x)
            case types.Enum():
                return x
        return b.case([(_is_text(x), x.copy())])

    def _number_from_text(self, x: Node, declared: types.Number) -> Node:
        """Digits are counted before they are read, but for zeros that say nothing."""
        fraction = f"(?:[.]([0-9]{{1,{declared.scale}}})0*)?" if declared.scale else "(?:[.]0+)?"
        shape = "(-?)0*([0-9]{1,38})" + ("" if declared == types.INT else fraction)

        def whole(found: Node) -> Node:
            parts = [call("arrayElement", found, number(n)) for n in (1, 2)]
            if declared.scale:
                places = call("arrayElement", found, number(3))
                parts.append(call("rightPad", places, number(declared.scale), literal("0")))
            return b.case([(call("notEmpty", found), call("toInt256OrNull", call("concat", *parts)))])

        return self._fitting(once(_groups(x, shape), whole), declared)

    # --- from native columns -----------------------------------------------------------------------------------------

    def _exact(self, x: Node, kind: str, declared: types.Number) -> Node:
        """A Number out of a stored number; NULL where it does not fit."""
        match self.family(kind):
            case "int":
                return self._fitting(x, declared, 10**declared.scale)
            case "decimal":
                precision, scale = (int(part) for part in inside(kind))
                bits = next(size for digits, size in _BITS if precision <= digits)
                digits, shift = call(f"reinterpretAsInt{bits}", x), declared.scale - scale
                if shift >= 0:
                    return self._fitting(digits, declared, 10**shift)
                factor = number(10**-shift)
                whole = template("_d % _f = 0", d=digits, f=factor)  # else something would be cut off
                return b.case([(whole, self._fitting(call("intDiv", digits, factor), declared))])
            case "float":
                return self._from_shortest(x, declared)
            case "number":
                floating = call("position", call("toTypeName", x.copy()), literal("Float"))
                written = self._number_from_text(call("toString", x.copy()), declared)
                return b.case([(b.compare(">", floating, number(0)), self._from_shortest(x, declared))], written)
        return self.nothing(declared)

    def _fitting(self, x: Node, declared: types.Number, factor: int = 1) -> Node:
        """`x * factor` in canonical form, if it is within the limits of a type."""
        least, most = -declared.limit - (declared == types.INT), declared.limit

        def fitting(x: Node) -> Node:
            value = call("toInt64" if most < WIDE else "toInt128", x)
            within = exp.Between(this=x, low=number(-(-least // factor)), high=number(most // factor))
            return b.case([(within, template("_v * _f", v=value, f=number(factor)) if factor > 1 else value)])

        return once(x, fitting)

    def _from_shortest(self, x: Node, declared: types.Number) -> Node:
        """A float: whole for an int, else its shortest decimal text rounded half away from zero."""
        if declared == types.INT:
            within = template("_x = _t AND _x BETWEEN -9223372036854775808e0 AND 9223372036854774784e0", x=x,
                              t=call("trunc", x))  # fmt: skip
            return b.case([(within, call("toInt64", x))])

        def rounded(digits: Node) -> Node:
            half = b.case([(b.compare("<", digits.copy(), number(0)), number(-5))], number(5))
            return call("intDiv", b.added(digits, half), number(10))

        # One place more than is wanted decides, and none behind it.
        return self._fitting(once(_places(call("toString", x), declared.scale + 1), rounded), declared)

    def unguarded(self, x: Node, physical: str) -> Node | None:
        return self._instant(x, plain(physical))

    def stored(self, moment: Node, physical: str) -> Node:
        kind = plain(physical)
        if not kind.startswith("DateTime64"):
            return call("fromUnixTimestamp64Micro", call("toInt64", moment))
        # In the column's own precision: another one would be converted, which may overflow.
        digits = _precision(kind)
        ticks = call("intDiv", moment, number(10 ** (6 - digits)))
        if digits > 6:
            factor = 10 ** (digits - 6)
            ticks = template("_m * _f", m=call("greatest", moment, number(-(WIDE // factor))), f=number(factor))
        return call("reinterpret", call("toInt64", ticks), literal(f"DateTime64({digits}, 'UTC')"))

    def _instant(self, x: Node, kind: str) -> Node | None:
        """A time of a native type, of whatever year, in a form by which the database can skip."""
        match self.family(kind):
            case "date":
                return template("_x * _n", x=call("toInt64", x), n=number(DAY))
            case "timestamp" | "timestamptz" if kind.startswith("DateTime64"):
                return call("toUnixTimestamp64Micro", call("toStartOfMicrosecond", x) if _precision(kind) > 6 else x)
            case "timestamp" | "timestamptz":
                return template("_x * 1000000", x=call("toInt64", x))
        return None

    def _stored_instant(self, x: Node, kind: str, declared: Type, zone: str) -> Node:
        """A timestamp or date out of a native type: clocks are UTC, or midnights in `zone` for a date."""
        found = self._instant(x, kind)
        if found is None:
            return self.nothing(declared)
        if kind.startswith("DateTime64"):
            low, high = ((edge * 10 ** _precision(kind)) // 10**6 for edge in (FIRST, LAST))
            ticks = call("reinterpretAsInt64", x)
            within = exp.Between(this=ticks, low=number(max(low, -WIDE)), high=number(min(high, WIDE - 1)))
            found = b.case([(within, found)])
        if isinstance(declared, types.Timestamp):
            return found
        if self.family(kind) != "date":
            midnight = b.compare("=", call("positiveModulo", found, number(DAY)), number(0))
            found = b.case([(midnight, found.copy())])
        return self.from_local(found, zone)

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        family, size = self.family(physical), EPOCHS[unit]
        if family == "int":
            within = exp.Between(this=x, low=number(-(-FIRST // size)), high=number(LAST // size))
            return b.case([(within, template("_x * _n", x=call("toInt64", x), n=number(size)))])
        if family in ("json", "text"):
            x = _words(_written(x)) if family == "json" else _readable(x, physical)
            x = once(x, lambda x: b.case([(_matches(x, _PLAIN), x.copy())]))
        elif family in ("float", "decimal"):
            x = call("toString", x)
        else:
            return self.no_instant()

        def cut(places: Node) -> Node:
            """Eleven places of a unit to microseconds."""
            micro = number(10**11 // size)
            found = call("intDiv", template("_p - _rest", p=places, rest=call("positiveModulo", places, micro)), micro)
            within = exp.Between(this=found, low=number(FIRST), high=number(LAST))
            return b.case([(within, call("toInt64", found))])

        return once(_places(x, 11), cut)

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            x = _written(x)
            x, physical, family = b.case([(_is(x, "String"), call("JSONExtractString", x))]), "String", "text"
        if family == "text":
            found, shifted = _time_from_text(_readable(x, physical))
            return b.case([(shifted, found)], self.from_local(found.copy(), zone))
        found = self._stored_instant(x, plain(physical), types.Timestamp(), zone)
        return found if family == "timestamptz" else self.from_local(found, zone)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        family = self.family(physical)
        if family == "text":
            x = _readable(x, physical)
        elif family == "json":
            x, family = _words(_written(x)), "text"
        elif family in ("float", "decimal"):  # 7.0 is the key 7
            whole_number = [b.compare("=", call("trunc", x), x.copy())]
            whole_number += [call("isFinite", x)] if family == "float" else []
            digits = call("toString", call("toInt256", x))
            x, family = b.case([(b.conjunction(whole_number), digits)], call("toString", x)), "text"
        if whole and family != "int":
            words = x if family == "text" else call("toString", x)

            def digits_only(words: Node) -> Node:
                found = call("toInt128OrNull", words)  # which wraps, but not to the same digits
                return b.case([(b.compare("=", call("toString", found), words), found)])

            return once(words, digits_only)
        return x if whole or family == "text" else call("toString", x)

    def is_key(self, x: Node, whole: bool) -> Node:
        known = super().is_key(x, whole)
        return known if whole else b.conjunction([known, call("isValidUTF8", x)])

    # --- from JSON ---------------------------------------------------------------------------------------------------

    def field(self, x: Node, path: tuple[str, ...], physical: str) -> tuple[Node, str] | None:
        kind = plain(physical)
        for key in path:
            name, parts = kind.partition("(")[0], inside(kind)
            if name == "Tuple":
                fields = dict(named(part) for part in parts)
                if key not in fields:
                    return None
                x, kind = call("tupleElement", x, literal(key)), plain(fields[key])
            elif name == "Map" and plain(parts[0]) == "String" and parts[1].startswith("Map("):
                x, kind = call("arrayElement", x, b.text(key)), parts[1]  # an empty one where there is none
            elif name == "Map" and plain(parts[0]) == "String" and self.family(parts[1]) not in _INSIDE:
                x = b.case([(call("mapContains", x, b.text(key)), call("arrayElement", x, b.text(key)))])
                kind = plain(parts[1])
            else:
                return None
        return x, kind

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        match self.family(physical):
            case "json":  # which takes `{"a.b": 1}` for `{"a": {"b": 1}}`
                x, path = _written(x), tuple(part for key in path for part in key.split("."))
            case "nested":
                x = call("toJSONString", x)
            case "text":
                x = certain(_readable(x, physical))
            case _:
                return self.nothing(types.String())
        keys = [b.text(key) for key in path]
        raw = call("JSONExtractRaw", x, *keys)
        # What is no integer, or a long one, is written here as if it were another one, or as if it were a text.
        is_double = b.compare("=", call("JSONType", x, *keys), literal("Double"))
        double = b.conjunction([_matches(raw, "-?[0-9]{16,}"), is_double])
        long = b.conjunction([_matches(raw, '"-?[0-9]{20,}"'), b.compare("=", call("position", x, raw), number(0))])
        digits = call("trimBoth", raw, literal('"'))
        return b.case([(double, call("concat", raw, literal("e0"))), (long, call("concat", digits, literal("e0")))],
                      call("nullIf", raw, literal("")))  # fmt: skip

    def _from_json(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of JSON: as its text would be read if it is a JSON string, else by its JSON type."""
        words = call("JSONExtractString", x)
        if isinstance(declared, types.ListOf):
            return _list_from_json(b.case([(_is(x, "String"), words)], x))
        arms = [(_is(x, "String"), self.convert(words, "String", declared, zone))]
        match declared:
            case types.Bool():
                arms.append((_is(x, "Bool"), b.compare("=", x.copy(), literal("true"))))
            case types.Number():
                arms.append((_is(x, "Int64", "UInt64"), self._number_from_text(x, declared)))
                arms.append((_is(x, "Double"), self._from_shortest(call("toFloat64OrNull", x), declared)))
            case types.Float() | types.Geo():
                arms.append((_is(x, "Int64", "UInt64", "Double"), template("_f + 0e0", f=call("toFloat64OrNull", x))))
        return b.case(arms)


# --- pieces ----------------------------------------------------------------------------------------------------------


def call(name: str, *arguments: Node) -> Node:
    """A function by its own name, with copies of its arguments."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _lambda(make: Callable[[Node], Node]) -> Node:
    return exp.Lambda(this=make(b.column("it")), expressions=[exp.to_identifier("it")])


def once(x: Node, make: Callable[[Node], Node]) -> Node:
    """What is made of `x`, written once however often it is used."""
    if isinstance(x, exp.Column):
        return make(x)
    return call("arrayElement", call("arrayMap", _lambda(make), exp.Array(expressions=[x])), number(1))


def _matches(x: Node, shape: str) -> Node:
    """Whether the whole of a text fits a pattern."""
    return call("match", x, literal(f"^(?:{shape})$"))


def _groups(x: Node, shape: str) -> Node:
    """What the groups of a pattern found in the whole of a text; nothing if it does not fit."""
    return call("extractGroups", certain(x), literal(f"^{shape}$"))


def certain(x: Node) -> Node:
    """A text for a function whose answer cannot be NULL."""
    return call("ifNull", x, literal(""))


def _written(x: Node) -> Node:
    """The text of a JSON column, and of what is JSON already as it is."""
    return call("toString", x)


def _readable(x: Node, physical: str) -> Node:
    """A text without the zeros that fill it up."""
    return call("toStringCutToZero", x) if plain(physical).startswith("FixedString") else x


def _precision(kind: str) -> int:
    return int(inside(kind)[0])


def _is_text(x: Node) -> Node:
    """Whether bytes are a text that any database could store: UTF-8 without a NUL."""
    nul = call("position", x, call("char", number(0)))
    return b.conjunction([call("isValidUTF8", x), b.compare("=", nul, number(0))])


def _places(words: Node, count: int) -> Node:
    """A number's text as a whole number of so many decimal places, without what is behind them."""
    return call("reinterpretAsInt256", call("toDecimal256OrNull", words, number(count)))


def _is(x: Node, *kinds: str) -> Node:
    """Whether JSON is of one of some kinds."""
    return b.one_of(call("JSONType", x), [literal(kind) for kind in kinds])


def _words(x: Node) -> Node:
    """A JSON string's text, or a number as it is written."""
    return b.case([(_is(x, "String"), call("JSONExtractString", x)), (b.negation(_is(x, "Null")), x.copy())])


def _list_from_json(x: Node) -> Node:
    """The texts of a JSON list, as JSON in one spelling."""
    x = certain(x)
    is_text = _lambda(lambda it: call("startsWith", it, literal('"')))
    strings = call("arrayFilter", is_text, call("JSONExtractArrayRaw", x))
    texts = call("arrayMap", _lambda(lambda it: call("JSONExtractString", it)), strings)
    return b.case([(_is(x, "Array"), call("toJSONString", call("arrayFilter", _lambda(_is_text), texts)))])


def _time_from_text(x: Node) -> tuple[Node, Node]:
    """ISO text as microseconds since 1970, NULL if it is none; and whether it has an offset. Without one it is UTC."""

    def part(n: int) -> Node:
        return call("arrayElement", b.column("it"), number(n))

    def digits(n: int) -> Node:
        return call("toInt64OrZero", part(n))

    # A year of the calendar that every version has, like the one that is meant.
    like = b.added(call("positiveModulo", template("_y - 1900", y=digits(1)), number(400)), number(1900))
    day = call("makeDate32", like, digits(2), digits(3))
    right = template("_y > 0 AND _month = _m AND _of_month = _d", y=digits(1), month=call("toMonth", day), m=digits(2),
                     of_month=call("toDayOfMonth", day), d=digits(3))  # fmt: skip
    cycles = call("intDiv", template("_y - _l", y=digits(1), l=like), number(400))
    days = template("_day + _c * _n", day=call("toInt64", day), c=cycles, n=number(CYCLE))
    micros = call("substring", part(7), number(1), number(6))
    fraction = call("toInt64OrZero", call("rightPad", micros, number(6), literal("0")))
    offset = template("(_h * 60 + _m) * _sign", h=digits(10), m=digits(11),
                      sign=b.case([(b.compare("=", part(9), literal("-")), number(-1))], number(1)))  # fmt: skip
    micros = template(
        "_days * 86400000000 + ((_h * 60 + _m - _offset) * 60 + _s) * 1000000 + _fraction",
        days=days, h=digits(4), m=digits(5), offset=offset, s=digits(6), fraction=fraction,
    )  # fmt: skip
    found = once(_groups(x, _TIME), lambda it: b.case([(right, micros)]))
    return found, call("match", x, literal("[Tt ][^Zz+-]*[Zz+-]"))
