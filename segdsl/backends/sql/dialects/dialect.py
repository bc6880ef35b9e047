"""What a dialect has to say, and how most of them say it.

The statement's plan asks here for everything on which databases differ. Nothing else in the compiler knows one
database from another. A new dialect is a file beside this one, and a line in the list of dialects.

*Canonical* are the forms that values have inside a statement, whatever the stored columns look like: an instant (here
a TIMESTAMP that shows UTC, elsewhere perhaps a whole number of microseconds), a number (here a BIGINT or DECIMAL,
elsewhere perhaps a whole number of its last decimal place), DOUBLE, VARCHAR, BOOLEAN, and a list of texts. NULL is
an unknown value. *Physical* are the types of stored columns, as the database spells them.
"""

from __future__ import annotations

import decimal
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import ClassVar, Literal

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.lookups import Look, by_windows
from segdsl.core import nodes
from segdsl.core.time import MICROSECONDS, Period, clamp, to_datetime
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.types import Type

# What a dialect may not be able to do, by the words for it in messages.
Feature = Literal[
    "bursts",  # `… within 1h` of a count: a RANGE frame over time
    "samples",  # `in sample 10%`: MD5
    "places",  # `within 10 km of`: sine and arcsine
    "lists",  # `tags contains "x"`: lists of texts
    "time zones",  # calendars of another zone than UTC
    "live calendars",  # `--live` with calendar windows of another zone than UTC
    "live",  # `--live` at all
    "json",  # columns inside JSON
    "long numbers",  # whole numbers, counted in their last decimal place, of more than 64 bits
]

Extracted = tuple[str, Node, tuple[str, ...], str]  # a value inside JSON: its name, the column, keys, physical type

# A unit of intervals -> its microseconds, the largest first.
INTERVALS = {"DAY": MICROSECONDS["d"], "HOUR": MICROSECONDS["h"], "MINUTE": MICROSECONDS["min"],
             "SECOND": MICROSECONDS["s"]}  # fmt: skip
# The `unit` of times that are stored as numbers -> its microseconds.
EPOCHS = {"s": 10**6, "ms": 1000, "us": 1}


class Dialect(ABC):
    """The defaults: native timestamps without zone, exact decimals of 38 digits, window frames over intervals."""

    name: ClassVar[str]  # as `--dialect` has it
    printer: ClassVar[str]  # the dialect of sqlglot that spells trees
    title: ClassVar[str]  # as people write it
    executed: ClassVar[bool] = False  # whether this project's tests run its text on the real thing
    joins_rules: ClassVar[bool] = False  # whether a table of rules beats an aggregate for each count
    inlines: ClassVar[bool] = False  # whether a CTE is computed anew wherever it is used
    skips: ClassVar[bool] = False  # whether to say of stored times what windows say of instants made of them
    unnests: ClassVar[bool] = False  # whether `rows_of` is there
    sums_run: ClassVar[bool] = True  # whether all sums can run on, row by row, in the order of time
    joins_full: ClassVar[bool] = True  # whether FULL JOIN is there
    keeps_order: ClassVar[bool] = False  # whether sorted rows stay so in queries about them, and OVER () goes by it
    ranges: ClassVar[bool] = True  # whether a RANGE frame may be of any length of time
    cannot: ClassVar[Mapping[Feature, str]] = {}  # why not, for people

    # Families within which columns of keys can be joined as they stand.
    comparable: ClassVar[Sequence[frozenset[str]]] = (frozenset({"int"}), frozenset({"text"}))

    instant_type: ClassVar[str] = "TIMESTAMP"  # canonical types, as DuckDB spells them
    widest: ClassVar[int] = 38  # digits of the widest decimal
    storage: ClassVar[str] = ""  # what ends the CREATE TABLE of a table of segdsl's own
    analyze: ClassVar[str] = ""  # what tells the planner of a table that was just filled, before its name and columns

    # --- printing ------------------------------------------------------------------------------------------------

    def text(self, tree: Node) -> str:
        """A statement as text with all values in it, for people."""
        printed = str(self.finished(tree).sql(dialect=self.printer, pretty=True))
        note = "" if self.executed else f"/* {self.title}: this text was never executed by segdsl's own tests */\n"
        return note + printed

    def question(self, tree: Node) -> tuple[str, dict[str, str]]:
        """A statement for the driver: its text with placeholders, and the texts that they stand for."""
        mark = f"value_{secrets.token_hex(8)}_"
        names: dict[str, str] = {}
        whole = self.finished(tree)
        bound = [(node, node.args["this"]) for node in b.bound_texts(whole)]
        for node, value in bound:  # so it prints as it stands, like a number
            node.args.update(this=mark + names.setdefault(value, f"p{len(names) + 1}"), is_string=False)
        # Not a copy of the tree, which would take as long as printing it; so it is made whole again.
        printed = str(whole.sql(dialect=self.printer, comments=False, copy=False))
        for node, value in bound:
            node.args.update(this=value, is_string=True)
        pieces = printed.split(mark)
        for i, piece in enumerate(pieces[1:], 1):
            name = piece[: next((n for n, c in enumerate(piece) if not c.isalnum()), len(piece))]
            pieces[i] = self.placeholder(name) + self.verbatim(piece[len(name) :])
        return self.verbatim(pieces[0]) + "".join(pieces[1:]), {name: value for value, name in names.items()}

    def placeholder(self, name: str) -> str:
        """What stands for a value in text for the driver."""
        return f":{name}"

    def verbatim(self, printed: str) -> str:
        """Text between placeholders, escaped as the driver wants it."""
        return printed

    def finished(self, tree: Node) -> Node:
        """The whole statement with what the dialect adds at its end."""
        return tree

    def require(self, feature: Feature) -> None:
        """Raises `Errors` (SEG0704) if the dialect cannot do it."""
        if feature in self.cannot:
            raise Errors([Diagnostic(
                "SEG0704", f"{self.title} cannot do this: {self.cannot[feature]}",
                help="ask another database, `--dialect duckdb` for one, or `segdsl run --backend python`",
            )])  # fmt: skip

    def lookup(
        self, rows: Node, keys: Sequence[str], carried: Sequence[str], looks: Sequence[Look], unknown: Node
    ) -> Node:
        """How rows are told of their neighbours in time: see `lookups`."""
        return by_windows(rows, keys, carried, looks, unknown)

    # --- instants ------------------------------------------------------------------------------------------------

    def instant(self, moment: int) -> Node:
        """The literal of an instant in microseconds."""
        return b.cast(b.literal(shown(moment)), self.instant_type)

    def interval(self, microseconds: int) -> Node:
        """A length of time, in the largest unit that says it exactly. A day is 24 hours: instants have no zone."""
        for unit, size in INTERVALS.items():
            if microseconds % size == 0:
                return exp.Interval(this=b.literal(str(microseconds // size)), unit=exp.Var(this=unit))
        return exp.Interval(this=b.literal(str(microseconds)), unit=exp.Var(this="MICROSECONDS"))

    def moved(self, moment: Node, microseconds: int) -> Node:
        """An instant that much later, or earlier if negative."""
        if not microseconds:
            return moment
        kind = exp.Sub if microseconds < 0 else exp.Add
        return exp.Paren(this=kind(this=b.operand(moment), expression=self.interval(abs(microseconds))))

    def within(self, x: Node, lo: Node | None, hi: Node | None) -> list[Node]:
        """The conditions that put an instant into a span: after the one, and not after the other."""
        after = [b.compare(">", x, lo)] if lo is not None else []
        return [*after, *([b.compare("<=", x.copy(), hi)] if hi is not None else [])]

    def no_instant(self) -> Node:
        """NULL as an instant."""
        return b.cast(b.NULL(), self.instant_type)

    @abstractmethod
    def micros(self, x: Node) -> Node:
        """An instant as a whole number of microseconds since 1970."""

    @abstractmethod
    def current(self) -> Node:
        """The database's own clock as an instant."""

    def cell(self, table: str, name: str) -> Node:
        """The value of a column of a CTE that has one row."""
        return b.select([(name, b.column(name))], b.table(table)).subquery()

    # --- clocks: instants that show the time of some zone instead of UTC ---------------------------------------------

    @abstractmethod
    def to_local(self, x: Node, zone: str) -> Node:
        """The clock that `zone` shows at an instant."""

    @abstractmethod
    def from_local(self, x: Node, zone: str) -> Node:
        """The instant when clocks in `zone` show `x`: the earlier of two, moved forward over a gap."""

    def truncated(self, x: Node, unit: Period) -> Node:
        """The beginning of the day, week (from Monday), month, quarter or year that a clock shows."""
        return b.template(f"DATE_TRUNC('{unit}', _x)", x=x)

    def stepped(self, x: Node, unit: Period, periods: int) -> Node:
        """The beginning of a period, moved by whole periods."""
        if not periods:
            return x
        count, word = {"quarter": (3, "MONTH"), "week": (7, "DAY")}.get(unit, (1, unit.upper()))
        length = exp.Interval(this=b.literal(str(abs(periods) * count)), unit=exp.Var(this=word))
        kind = exp.Sub if periods < 0 else exp.Add
        return exp.Paren(this=kind(this=b.operand(x), expression=length))

    def since_month(self, x: Node, months: int) -> Node:
        """A clock stepped by months, but no further than the end of the month that is reached."""
        start = self.truncated(x, "month")
        inside = b.template("_m + (_x - _s)", m=self.stepped(start.copy(), "month", months), x=x.copy(), s=start)
        return b.extreme(exp.Least, [inside, self.stepped(start.copy(), "month", months + 1)])

    def year(self, x: Node) -> Node:
        """The year that a clock shows, as a number."""
        return b.template("EXTRACT(YEAR FROM _x)", x=x)

    def month_and_day(self, x: Node) -> Node:
        """`100 * month + day` that a clock shows."""
        return b.template("EXTRACT(MONTH FROM _x) * 100 + EXTRACT(DAY FROM _x)", x=x)

    # --- numbers -------------------------------------------------------------------------------------------------

    def number(self, scaled: int, scale: int) -> Node:
        """The literal of `scaled / 10**scale`, in the form of a number with that scale."""
        return b.number(scaled, scale)

    def wide(self, x: Node, scale: int, target: int) -> Node:
        """A number of one scale as the widest type there is of another, larger or equal scale."""
        return b.cast(x, f"DECIMAL({self.widest}, {target})")

    def plus(self, left: Node, right: Node) -> Node:
        """Two wide numbers of one scale added."""
        return b.added(left, right)

    def minus(self, left: Node, right: Node) -> Node:
        """The right one of two wide numbers of one scale taken from the left one."""
        return exp.Sub(this=b.operand(left), expression=b.operand(right))

    def times(self, left: Node, right: Node) -> Node:
        """Two wide numbers multiplied; their scales add up."""
        return exp.Mul(this=b.operand(left), expression=b.operand(right))

    def summed(self, x: Node, of: types.Number) -> Node:
        """SUM of numbers of a type, exact however many rows there are."""
        return exp.Sum(this=x)

    def sized(self, x: Node, of: types.Number) -> Node:
        """A literal, or what came of arithmetic or of a sum, as all numbers of its type are held and compared.

        For databases that hold numbers of many digits in another form than those of few.
        """
        return x

    def to_double(self, x: Node, scale: int) -> Node:
        """The nearest double of a number: by way of its digits, as a division of it need not be."""
        return b.cast(b.cast(x, "VARCHAR") if scale else x, "DOUBLE")

    def told_apart(self, x: Node, declared: Type) -> Node:
        """A value by which rows are put together (`with same`), in a form by which the database can part them."""
        return x

    # --- text ----------------------------------------------------------------------------------------------------

    def ordered(self, x: Node) -> Node:
        """A text for ORDER BY, MIN and MAX, in the order of code points."""
        return x

    def folded(self, x: Node) -> Node:
        """A text with A to Z made small, and no other letter."""
        return exp.func("TRANSLATE", x, b.literal(ascii_uppercase), b.literal(ascii_lowercase))

    def like(self, x: Node, glob: Sequence[str | nodes.Wild]) -> Node:
        """Whether a text fits a glob, by code points and minding case."""
        return exp.Escape(this=exp.Like(this=b.operand(x), expression=b.text(pattern(glob))), expression=b.literal("!"))

    def key_text(self, x: Node, whole: bool) -> Node:
        """A contact's canonical key as text; `whole`: it is a number."""
        return b.cast(x, "VARCHAR") if whole else x

    def md5(self, x: Node, digits: int) -> Node:
        """The first hexadecimal digits, in small letters, of the MD5 of a text in UTF-8."""
        return b.template("SUBSTRING(MD5(_x), 1, _n)", x=x, n=b.number(digits))

    # --- lists ---------------------------------------------------------------------------------------------------

    def contains(self, x: Node, item: str) -> Node:
        """Whether a list of texts has an item."""
        return exp.ArrayContains(this=x, expression=b.text(item))

    def rows_of(self, values: list[Node]) -> Node:
        """Some values of one row as rows of their own, in a SELECT list; where `unnests` says that it can be done."""
        raise NotImplementedError

    # --- stored columns ------------------------------------------------------------------------------------------

    @abstractmethod
    def family(self, physical: str) -> str:
        """What a stored type holds, in one vocabulary for all databases; what `json_at` finds is of the type `JSON`.

        text, int, decimal, float, bool, date, timestamp (a clock that shows UTC), timestamp_ns (the same, but not in
        microseconds), timestamptz (an instant), list (of texts), nested (other lists, structs, maps), json, blob;
        label: no plain text, but has a text to be read by (an enum, a UUID, a text with a collation of its own);
        number: of a column that nobody has seen, any type of number; other: no declared type's value, perhaps a key.
        """

    @abstractmethod
    def physical_of(self, declared: Type) -> str:
        """The stored type that holds a declared type as it is; what a column is taken for if no schema is known."""

    def json_column(self) -> str:
        """The stored type that columns with JSON in them are taken for if no schema is known."""
        return self.physical_of(types.String())

    @abstractmethod
    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        """The canonical value of a stored one; what does not fit is NULL, and nothing raises.

        zone: where the midnight of a date is, and (never of a timestamp) what a clock without offset shows.
        """

    def labelled(self, x: Node, declared: Type) -> Node:
        """A text as it is; of an enum NULL where it is none of the declared values."""
        if not isinstance(declared, types.Enum):
            return x
        return b.case([(b.one_of(x.copy(), [b.text(value) for value in declared.values]), x)])

    @abstractmethod
    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        """An instant out of a number of seconds, milliseconds or microseconds (s, ms, us), cut to the microsecond."""

    @abstractmethod
    def clock(self, x: Node, physical: str, zone: str) -> Node:
        """An instant out of a local clock time in `zone`."""

    @abstractmethod
    def key(self, x: Node, physical: str, whole: bool) -> Node:
        """A contact's key as the contacts' table has it: whole numbers, or text. Also any discriminator, as text."""

    def bare_key(self, x: Node, physical: str, whole: bool) -> tuple[Node, Node] | None:
        """A key column that `key` would convert as it stands, and the condition under which it holds a key.

        Where the condition does not hold, it is equal to no key. None where keys are stored in another form.
        """
        return None

    def is_key(self, x: Node, whole: bool) -> Node:
        """Whether a canonical key is one: that it is known, and is text where a stored text may be any bytes."""
        return b.known(x)

    @abstractmethod
    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        """The JSON value under keys; NULL where the text is not JSON or a key is missing.

        Its physical type is `JSON`, whatever the database itself calls it: every dialect's `family` knows the word.
        """

    def extracting(self, table: Node, wanted: Sequence[Extracted]) -> Node:
        """A query of all columns of a table, and of values inside its JSON columns."""
        values = [b.aliased(self.json_at(x, path, physical), name) for name, x, path, physical in wanted]
        return exp.Select(expressions=[exp.Star(), *values]).from_(table, copy=False)

    def field(self, x: Node, path: tuple[str, ...], physical: str) -> tuple[Node, str] | None:
        """The field of a nested column under keys, and its type; None where it has no such field."""
        return None

    def bare(self, physical: str, declared: Type) -> bool:
        """Whether a column of this type holds canonical values as it stands: so a plain column can stay one."""
        plain = isinstance(declared, types.Bool | types.Number | types.String)
        return plain and physical.upper().replace(" ", "") == self.physical_of(declared).replace(" ", "")

    def unseen(self, physical: str) -> str:
        """What a column is taken for where no schema is known: `physical`, which stands for what is declared."""
        return physical

    def bare_time(self, physical: str) -> bool:
        """Whether a time column of this type is an instant as it stands, so that the database can skip by it."""
        return physical.upper() == self.instant_type

    def unguarded(self, x: Node, physical: str) -> Node | None:
        """A stored time as an instant that may lie beyond the years 1 to 9999, where that is a simpler expression."""
        return x if self.bare_time(physical) else None

    def stored(self, moment: Node, physical: str) -> Node:
        """An instant to compare the bare column with that `unguarded` takes."""
        return moment

    def whole_key(self, physical: str) -> bool:
        """Whether keys of this type are compared as whole numbers."""
        return self.family(physical) == "int"

    # --- tables of segdsl's own --------------------------------------------------------------------------------------

    def stamp(self, moment: int) -> Node:
        """The literal of an instant in microseconds as the database's own type of timestamps holds it."""
        return self.instant(moment)

    def kept_as(self, declared: Type) -> str:
        """The type of a column in which segdsl keeps values that are never unknown."""
        return self.physical_of(declared)

    def kept_key(self, physical: str) -> str:
        """The type of a column in which segdsl keeps keys, where those of contacts are whole numbers of this type."""
        return physical

    def printed(self, x: Node, declared: Type) -> Node:
        """A canonical value as some text; two values have one text only if they are equal."""
        return b.cast(x, "VARCHAR")

    def index(self, table: str, column: str) -> str:
        """The statement that makes an index of such a table; "" where it would not help."""
        return ""

    # --- answers -------------------------------------------------------------------------------------------------

    def output(self, x: Node, declared: Type) -> Node:
        """A canonical value as it is best fetched; `python` knows what was done."""
        return self.micros(x) if isinstance(declared, types.Timestamp | types.Date) else x

    def python(self, value: object, declared: Type) -> object:
        """A fetched value in Python's form: instants and numbers are int (of the last decimal place), lists tuples."""
        if value is None:
            return None
        if isinstance(declared, types.Number):
            with decimal.localcontext(prec=80):
                return int(decimal.Decimal(value).scaleb(declared.scale))  # type: ignore[arg-type]
        if isinstance(declared, types.Timestamp | types.Date):
            return int(value)  # type: ignore[call-overload]
        if isinstance(declared, types.ListOf):
            return tuple(value)  # type: ignore[arg-type]
        return bool(value) if isinstance(declared, types.Bool) else value


def shown(moment: int) -> str:
    """What clocks in UTC show at an instant in microseconds, within the years 1 to 9999: `2026-03-01 10:00:00`."""
    clock = to_datetime(clamp(moment)).replace(tzinfo=None)
    return clock.isoformat(sep=" ", timespec="microseconds" if clock.microsecond else "seconds")


def decimal_digits(declared: types.Number) -> int:
    """How many digits a decimal column must have room for, those behind the point included."""
    return max(len(str(declared.limit)), declared.scale)


def pattern(glob: Sequence[str | nodes.Wild], escape: str = "!") -> str:
    """A glob as a LIKE pattern with an escape."""
    wild = {nodes.Wild.ONE: "_", nodes.Wild.RUN: "%"}
    return "".join(
        wild[part] if isinstance(part, nodes.Wild) else "".join(escape * (c in {"%", "_", escape}) + c for c in part)
        for part in glob
    )
