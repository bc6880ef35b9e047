"""Attributes and properties: from checked nodes to types and columns."""

from __future__ import annotations

import re
from typing import Literal

from segdsl.catalog.model import Attribute, Column, History, Length, Place, Property, TimeColumn, name_key
from segdsl.catalog.tree import Broken, Entry, Listing, Mapping, Node, Report, Scalar
from segdsl.syntax.build import DURATION_UNITS
from segdsl.types import INT, Bool, Date, Enum, Float, Geo, ListOf, String, Timestamp, Type, decimal

TYPES: dict[str, Type] = {
    "bool": Bool(),
    "int": INT,
    "float": Float(),
    "string": String(),
    "timestamp": Timestamp(),
    "date": Date(),
    "geo": Geo(),
    "list<string>": ListOf(),
}
# What other systems call them: too far from our words for a guess by letters.
ELSEWHERE = {
    "boolean": "bool",
    "integer": "int",
    "bigint": "int",
    "long": "int",
    "number": "decimal(18,2)",
    "decimal": "decimal(18,2)",
    "numeric": "decimal(18,2)",
    "money": "decimal(18,2)",
    "double": "float",
    "real": "float",
    "str": "string",
    "text": "string",
    "varchar": "string",
    "uuid": "string",
    "datetime": "timestamp",
    "time": "timestamp",
    "timestamptz": "timestamp",
    "point": "geo",
    "list": "list<string>",
    "array": "list<string>",
    "string[]": "list<string>",
    "enum": "{enum: [one, two]}",
}
UNITS: dict[str, Literal["s", "ms", "us"]] = {"s": "s", "ms": "ms", "us": "us"}
RESERVED = ("day", "week", "month")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
DECIMAL = re.compile(r"decimal\s*\(\s*([^,()]*?)\s*,\s*([^,()]*?)\s*\)")
DIGITS = 38
LENGTH = re.compile(r"([0-9]{1,6})\s*([a-z]+)", re.IGNORECASE | re.ASCII)


def child(node: Node | None, *keys: str) -> Node | None:
    """What stands under the keys, from the outside in; None if it is not there."""
    for key in keys:
        if not isinstance(node, Mapping) or key not in node.entries:
            return None
        node = node.entries[key].value
    return node


def entries(node: Node | None) -> list[Entry]:
    """The entries of a mapping, none of anything else."""
    return list(node.entries.values()) if isinstance(node, Mapping) else []


def text(node: Node | None, default: str = "") -> str:
    """The text of a scalar; `default` if there is none (or it was reported, when nothing is built anyway)."""
    return node.text if isinstance(node, Scalar) else default


def texts(node: Node | None) -> list[Scalar]:
    """One scalar or several, as a list."""
    if isinstance(node, Scalar):
        return [node]
    return [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Listing) else []


def check_name(key: Scalar, what: str, report: Report) -> None:
    """Reports a name that no rule could write, in backticks or without."""
    if "`" in key.text or UNPRINTABLE.search(key.text):
        shown = UNPRINTABLE.sub("?", key.text.replace("`", "'"))
        bad = "a backtick" if "`" in key.text else "a control character or a line break"
        report("SEG0608", f"{what} cannot be called `{shown}`", key.span, f"holds {bad}", "choose another name")
    elif not name_key(key.text):
        report("SEG0608", f"{what} cannot have an empty name", key.span, "no letters", "give it a name")


class Names:
    """One scope of names, in which no two may be alike."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.first: dict[str, tuple[Scalar, str]] = {}

    def add(self, key: Scalar, what: str) -> bool:
        """Takes the name in; False, with a report, if a name like it is there or it is no name at all."""
        check_name(key, what, self.report)
        known = self.first.setdefault(name_key(key.text), (key, what))
        if known[0] is key:
            return True
        line, _ = self.report.source.position(known[0].span.start)
        same = known[0].text == key.text
        self.report(
            "SEG0607",
            f"{what} `{key.text}` is called like {known[1]}" + ("" if same else f" `{known[0].text}`"),
            key.span,
            label=f"the same name as in line {line}",
            why="" if same else "case counts for nothing in names, and an underscore is a space",
            help="rename one of the two",
        )
        return False


def read_time(node: Node | None, report: Report) -> TimeColumn | None:
    """A `time`: a column's name, or a mapping."""
    if isinstance(node, Scalar):
        return TimeColumn(Column(node.text))
    if not isinstance(node, Mapping):
        return None
    unit, zone = child(node, "unit"), child(node, "timezone")
    if unit and zone:
        span = node.entries["timezone"].key.span
        why = "a number of seconds since 1970 means the same instant in every zone"
        report("SEG0616", "`unit` and `timezone` do not go together", span, "one too many", "keep one of them", why)
    if isinstance(zone, Scalar):
        check_zone(zone, report)
    return TimeColumn(Column(text(child(node, "column"))), UNITS.get(text(unit)), text(zone) or None)


def read_length(node: Node | None, report: Report) -> Length | None:
    """A length of time, written as in rules: `400d`, `13 months`."""
    if not isinstance(node, Scalar):
        return None
    match = LENGTH.fullmatch(node.text.strip())
    word = match[2].lower() if match else ""
    unit = DURATION_UNITS.get(word) or DURATION_UNITS.get(word.removesuffix("s"))
    if match is None or unit is None or not int(match[1]):
        help = "write a whole number from 1 to 999999 and one of `h d w mo y`, such as `400d` or `13mo`"
        report("SEG0625", f"`{node.text}` is not a length of time", node.span, "how long?", help)
        return None
    return Length(int(match[1]), unit, Place(report.source, node.span))


def check_zone(node: Scalar, report: Report) -> None:
    """Reports a time zone that is not in the IANA list."""
    import zoneinfo

    try:
        # Only names with a place, or UTC, mean the same on every machine: `localtime` would not.
        if node.text not in ("localtime", "posixrules", "Factory") and not node.text.startswith(("posix/", "right/")):
            zoneinfo.ZoneInfo(node.text)
            return
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        pass
    guess = report.guess(node.text, zoneinfo.available_timezones())
    if not guess:
        cities = {zone.rpartition("/")[2]: zone for zone in sorted(zoneinfo.available_timezones(), reverse=True)}
        guess = cities.get(report.guess(node.text.rpartition("/")[2], cities) or "")
    hint = f"did you mean `{guess}`?" if guess else "write an IANA name such as `Europe/Berlin` or `UTC`"
    report("SEG0610", f"`{node.text}` is not a time zone", node.span, "not in the IANA list", hint)


class Values:
    """Reads the attributes or properties of one table. `key`: the contacts' key column."""

    def __init__(self, report: Report, key: str) -> None:
        self.report = report
        self.key = key

    def attribute(self, entry: Entry) -> Attribute:
        name, node = entry.key, entry.value
        kind = self.type(node, name)
        column = self.column(node, name)
        columns: tuple[Column, ...] = (column,)
        places = [child(node, part) for part in ("latitude", "longitude")]
        if isinstance(kind, Geo):
            columns = (Column(text(places[0])), Column(text(places[1])))
            for part, place in zip(("latitude", "longitude"), places, strict=True):
                if place is None:
                    self.report("SEG0604", f"`{name.text}` lacks the key `{part}`", name.span, f"no `{part}`",
                                "write `{type: geo, latitude: COLUMN, longitude: COLUMN}`")  # fmt: skip
            self.useless(node, ("column", "json", "path", "history"), "a geo value")
        elif kind:
            self.useless(node, ("latitude", "longitude"), "a value that is not `geo`")
        return Attribute(
            name.text,
            kind or String(),
            columns,
            required=text(child(node, "required")) == "true",
            history=self.history(child(node, "history")),
            place=Place(self.report.source, name.span),
        )

    def property(self, entry: Entry) -> Property:
        name, node = entry.key, entry.value
        if name_key(name.text) in RESERVED:
            self.report("SEG0609", f"a property cannot be called `{name.text}`", name.span, "taken",
                        "choose another name, and give the column with `column:`",
                        "every event has a day, a week and a month: those of its time")  # fmt: skip
        kind = self.type(node, name)
        if isinstance(kind, Geo):
            span = self.spot(node, "type").span
            self.report("SEG0606", f"a property cannot be `geo`: `{name.text}`", span, "only contacts have places",
                        "declare latitude and longitude as two `float` properties")  # fmt: skip
        return Property(name.text, kind or String(), self.column(node, name), Place(self.report.source, name.span))

    def type(self, node: Node, name: Scalar) -> Type | None:
        """The declared type; None if it was reported."""
        if isinstance(node, Scalar):
            return self.named(node)
        if isinstance(node, Broken):
            return None
        kind, values = child(node, "type"), child(node, "enum")
        if kind is None and values is None:
            help = "add `type: string`, say, or `enum: [one, two]`"
            self.report("SEG0604", f"`{name.text}` lacks the key `type`", name.span, "no type", help)
            return None
        if isinstance(kind, Broken) or isinstance(values, Broken):
            return None
        if isinstance(kind, Mapping) and values is None:
            values = child(kind, "enum")
        elif kind is not None and values is not None:
            if text(kind) != "enum":
                span = self.spot(node, "type").span
                help = "keep `enum`: its values are texts"
                self.report("SEG0616", "`type` and `enum` do not go together", span, "one too many", help)
                return None
        elif isinstance(kind, Scalar):
            return self.named(kind)
        return self.enum(values)

    def named(self, node: Scalar) -> Type | None:
        """The type with the name, or None and a report."""
        word = node.text.strip()
        known = TYPES.get(re.sub(r"\s+", "", word))
        if known:
            return known
        numbers = DECIMAL.fullmatch(word)
        if numbers:
            return self.decimal(node, *numbers.groups())
        lower = word.lower()
        base = lower.partition("(")[0].strip()
        guess = ELSEWHERE.get(base) or (base if base in TYPES else None)
        guess = guess or self.report.guess(lower, [*TYPES, *ELSEWHERE])
        if guess not in TYPES:
            guess = ELSEWHERE.get(guess or "", guess)
        code = "SEG0611" if base == "decimal" else "SEG0606"
        listed = "the types are bool, int, decimal(p,s), float, string, timestamp, date, geo, list<string> and enum"
        help = f"did you mean `{guess}`?" if guess else listed
        if code == "SEG0611":
            help = "write all digits, then those after the point: `decimal(18,2)`"
        self.report(code, f"`{node.text}` is not a type", node.span, "unknown type", help)
        return None

    def decimal(self, node: Scalar, precision: str, scale: str) -> Type | None:
        plain = all(number.isascii() and number.isdigit() and len(number) < 4 for number in (precision, scale))
        if plain and 1 <= int(precision) <= DIGITS and int(scale) <= int(precision):
            return decimal(int(precision), int(scale))
        self.report(
            "SEG0611",
            f"`{node.text}` is not a decimal type",
            node.span,
            label=f"digits: 1 to {DIGITS}, of them after the point: 0 to all",
            help="write all digits, then those after the point: `decimal(18,2)`",
        )
        return None

    def enum(self, node: Node | None) -> Type | None:
        seen: dict[str, Scalar] = {}
        fine = True
        for value in texts(node):
            if value.text in seen:
                fine = False
                self.report("SEG0614", f"`{value.text}` is listed twice", value.span, "again", "delete one of the two")
            elif not value.text:
                fine = False
                self.report("SEG0614", "an enum's value cannot be empty", value.span, "empty", "delete it")
            seen.setdefault(value.text, value)
        return Enum(tuple(seen)) if seen and fine else None

    def column(self, node: Node, name: Scalar) -> Column:
        """Where the value is stored: a column, or keys inside a JSON column."""
        default = "_".join(name.text.split())
        outer, path = child(node, "json"), child(node, "path")
        if outer is None:
            if path is not None:
                self.useless(node, ("path",), "a value without `json`")
            return Column(text(child(node, "column"), default))
        self.useless(node, ("column",), "a value inside JSON")
        keys = [default] if path is None else [part.text for part in texts(path)]
        if isinstance(path, Scalar):
            keys = path.text.split(".")
            if not all(keys):
                help = "write `outer.inner`, or a list of keys if one holds a dot"
                self.report("SEG0624", f"`{path.text}` is not a path", path.span, "an empty key between dots", help)
        return Column(text(outer), tuple(keys))

    def history(self, node: Node | None) -> History | None:
        if not isinstance(node, Mapping):
            return None
        time = read_time(child(node, "time"), self.report)
        contact = Column(text(child(node, "contact"), self.key))
        value = Column(text(child(node, "value")))
        return History(text(child(node, "table")), contact, time or TimeColumn(Column("")), value)

    def useless(self, node: Node, keys: tuple[str, ...], what: str) -> None:
        """Reports each of the keys that is there although it means nothing for `what`."""
        for key in keys:
            if isinstance(node, Mapping) and key in node.entries:
                span = node.entries[key].key.span
                self.report("SEG0616", f"`{key}` does not go with {what}", span, "means nothing here", "delete it")

    def spot(self, node: Node, key: str) -> Node:
        """The node to point at: the value under `key`, or the whole."""
        return child(node, key) or node
