"""The syntax tree: what was written, before anybody asked what the names mean.

Every node carries the span of text it came from; spans do not take part in equality, so two texts
that mean the same tree compare equal (`parse(format(text)) == parse(text)`).

A *test* is a subject with a flat list of clauses, in the order written: the grammar does not know which
names are events, so the checker decides which clauses a subject takes, and in which order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from segdsl.text.source import Source, Span

CompareOp = Literal["=", "!=", "<", "<=", ">", ">="]
TextOp = Literal["starts with", "ends with", "contains", "matches"]
CalendarUnit = Literal["day", "week", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    span: Span = field(compare=False, repr=False)


# --- leaves -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A phrase as written, words joined by one space; `quoted` when it stood in backticks."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A decimal literal, digits as written (`-12.50`)."""

    text: str


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A string literal.

    `raw` is the source between the quotes: as a glob `\\*` differs from `*`, so the two readings
    (`syntax.strings.plain`, `syntax.strings.glob`) start from it.
    """

    raw: str


@dataclass(frozen=True, slots=True)
class Bool(Node):
    value: bool


@dataclass(frozen=True, slots=True)
class Date(Node):
    """A calendar day as written, `2026-01-31`; not yet known to exist."""

    text: str


@dataclass(frozen=True, slots=True)
class Instant(Node):
    """A day and a clock time as written, `2026-01-01T08:00Z`; not yet known to exist."""

    text: str


DurationUnit = Literal["ms", "s", "min", "h", "d", "w", "mo", "y"]


@dataclass(frozen=True, slots=True)
class Duration(Node):
    """`30d`, `30 days`: digits as written and the unit's short form."""

    amount: str
    unit: DurationUnit


# --- expressions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operand(Node):
    """A phrase, with objects if it is an event: `visited ("/pricing", "/plans/*")`.

    `field` is the part after the dot of a relation: `company.industry`.
    """

    name: Name
    objects: tuple[Text, ...] = ()
    field: Name | None = None


@dataclass(frozen=True, slots=True)
class AnyEvent(Node):
    """`any event`."""


@dataclass(frozen=True, slots=True)
class AnyOf(Node):
    """`any of (opened email, clicked email "spring-*" where (…))`."""

    members: tuple[Test | Operand | AnyEvent, ...]


@dataclass(frozen=True, slots=True)
class Everyone(Node):
    """`everyone`."""


Function = Literal["count", "sum", "avg", "min", "max", "distinct", "first", "last", "median", "percentile"]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`sum(amount of purchased in 30d)`: `property` is None in `count(EVENT)` and `last(EVENT)`.

    `rank` is the number of `percentile(75, …)`.
    """

    function: Function
    events: Expression
    property: Name | None = None
    rank: Number | None = None


@dataclass(frozen=True, slots=True)
class InSegment(Node):
    segment: Name


@dataclass(frozen=True, slots=True)
class InList(Node):
    list: Text


@dataclass(frozen=True, slots=True)
class InSample(Node):
    percent: Number
    salt: Text


@dataclass(frozen=True, slots=True)
class Anniversary(Node):
    """`anniversary of signup date`; its window is a clause."""

    of: Operand


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`a + b - c` or `a * b`: operators between operands, one level of precedence a node, left to right."""

    first: Expression
    rest: tuple[tuple[Literal["+", "-", "*"], Expression], ...]


@dataclass(frozen=True, slots=True)
class Test(Node):
    """A subject with its clauses: `visited "/pricing" >= 3 in 30d`. A subject without clauses stands bare."""

    subject: Expression
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: Expression


@dataclass(frozen=True, slots=True)
class And(Node):
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Step(Node):
    """One step of a sequence; `negated` for `then not X`. Clauses of the whole chain sit on the last step."""

    negated: bool
    test: Expression


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    """`A then B within 1d then not C`: at least two steps, the first never negated."""

    steps: tuple[Step, ...]


Literal_ = Number | Text | Bool | Date | Instant | Duration
Expression = (
    Literal_ | Operand | AnyEvent | AnyOf | Everyone | Call | InSegment | InList | InSample | Anniversary
    | Arithmetic | Test | Not | And | Or | Sequence
)  # fmt: skip


# --- clauses ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Where(Node):
    rule: Expression


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`>= 3 times`, `= "DE" ignoring case`."""

    op: CompareOp
    right: Expression
    ignoring_case: bool = False


@dataclass(frozen=True, slots=True)
class Range(Node):
    """`1 to 3 times`."""

    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class OneOf(Node):
    """`in ("DE", "FR")`, `not in (…)`."""

    negated: bool
    values: tuple[Expression, ...]
    ignoring_case: bool = False


@dataclass(frozen=True, slots=True)
class TextTest(Node):
    """`not contains ("test", "spam") ignoring case`."""

    op: TextOp
    negated: bool
    values: tuple[Text, ...]
    ignoring_case: bool = False


@dataclass(frozen=True, slots=True)
class IsKnown(Node):
    """`is known`, `is unknown`."""

    known: bool


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has "vip"` (any of one), `has any of (…)`, `has all of (…)`."""

    mode: Literal["any", "all"]
    values: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class HasWhere(Node):
    """`has (RULE)`: about the one event that `first(…)` or `last(…)` found."""

    rule: Expression


@dataclass(frozen=True, slots=True)
class Near(Node):
    """`within 50 km of (52.52, 13.405)`."""

    kilometres: Number
    latitude: Number
    longitude: Number


@dataclass(frozen=True, slots=True)
class Within(Node):
    """`within 7d`: a step's bound, a burst, or the start of an anchored window (`After`/`Before` follows)."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class After(Node):
    """`after 2026-01-01` (a window) or, behind `Within`, `after signup date`."""

    anchor: Expression


@dataclass(frozen=True, slots=True)
class Before(Node):
    """`before 2026-01-01`, `within 7d before renewal date`; no anchor in `without X within 1d before`."""

    anchor: Expression | None


@dataclass(frozen=True, slots=True)
class WithSame(Node):
    properties: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class AllWithin(Node):
    duration: Duration


@dataclass(frozen=True, slots=True)
class Without(Node):
    """`without X`, `without any X`."""

    any: bool
    event: Expression


@dataclass(frozen=True, slots=True)
class Regularity(Node):
    """`in at least 3 of last 4 weeks`; `periods of 10d` gives `unit=Duration(10, d)`, weeks `Duration(1, w)`."""

    at_least: Number
    periods: Number
    unit: Duration


@dataclass(frozen=True, slots=True)
class Changed(Node):
    """`changed`, `changed from "lead"`, `changed to "customer"`, or both."""

    before: Expression | None
    after: Expression | None


@dataclass(frozen=True, slots=True)
class Was(Node):
    """`was "lead" 30d ago`; `ago` is None in `was ever "lead"`."""

    value: Expression
    ago: Duration | None


# windows (section 5); `After` and `Before` above belong here too


@dataclass(frozen=True, slots=True)
class InLast(Node):
    """`in 30d`."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class BetweenAgo(Node):
    """`between 30d and 60d ago`, in the order written."""

    first: Duration
    second: Duration


@dataclass(frozen=True, slots=True)
class MoreThanAgo(Node):
    duration: Duration


@dataclass(frozen=True, slots=True)
class InNext(Node):
    duration: Duration


@dataclass(frozen=True, slots=True)
class Since(Node):
    start: Date | Instant


@dataclass(frozen=True, slots=True)
class On(Node):
    day: Date | Instant


@dataclass(frozen=True, slots=True)
class Between(Node):
    first: Date | Instant
    last: Date | Instant


@dataclass(frozen=True, slots=True)
class Calendar(Node):
    """`yesterday` (day, -1), `this week` (week, 0), `next quarter` (quarter, 1)."""

    unit: CalendarUnit
    offset: Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True)
class OnDay(Node):
    """`on the day 4d ago`, `on the day 4d ahead`."""

    duration: Duration
    ahead: bool


@dataclass(frozen=True, slots=True)
class InFuture(Node):
    """`in the future`."""


@dataclass(frozen=True, slots=True)
class Ever(Node):
    """`ever`."""


Window = (
    InLast | BetweenAgo | MoreThanAgo | InNext | Since | After | Before | On | Between | Calendar | OnDay
    | InFuture | Ever
)  # fmt: skip
Clause = (
    Where | Compare | Range | OneOf | TextTest | IsKnown | Has | HasWhere | Near | Within | WithSame | AllWithin
    | Without | Regularity | Changed | Was | Window
)  # fmt: skip


# --- files ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment(Node):
    name: Name
    title: Text | None
    rule: Expression


@dataclass(frozen=True, slots=True)
class ScoreLine(Node):
    """`+20 if RULE` (`condition`) or `+2 per EVENT, at most 10` (`per`, `cap`); `points` keeps its sign."""

    points: Number
    condition: Expression | None
    per: Expression | None
    cap: Number | None


@dataclass(frozen=True, slots=True)
class Score(Node):
    name: Name
    title: Text | None
    lines: tuple[ScoreLine, ...]


@dataclass(frozen=True, slots=True)
class Unknown(Node):
    """`unknown` as a value in a test block: none."""


@dataclass(frozen=True, slots=True)
class TextList(Node):
    """`("vip", "beta")`, the value of a list in a test block."""

    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Place(Node):
    """`(52.52, 13.405)`, latitude and longitude in a test block."""

    latitude: Number
    longitude: Number


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`country = "DE"` in a test block."""

    name: Operand
    value: Expression | Duration | Unknown | TextList | Place


@dataclass(frozen=True, slots=True)
class GivenList(Node):
    """`in list "employees"` in a test block; with `not`, `member` is false."""

    list: Text
    member: bool


Given = Assignment | GivenList


@dataclass(frozen=True, slots=True)
class GivenContact(Node):
    assignments: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class GivenEvent(Node):
    at: Date | Instant
    event: Expression


@dataclass(frozen=True, slots=True)
class GivenSet(Node):
    at: Date | Instant
    assignments: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Expect(Node):
    """`on 2026-03-09 in`."""

    at: Date | Instant
    inside: bool


@dataclass(frozen=True, slots=True)
class TestCase(Node):
    """A `test` block; `segment` is the name it tests."""

    segment: Name
    title: Text | None
    lines: tuple[GivenContact | GivenEvent | GivenSet | Expect, ...]


@dataclass(frozen=True, slots=True)
class Broken(Node):
    """A segment or score with a syntax error: its name is known, so that others may refer to it unharmed."""

    kind: Literal["segment", "score"]
    name: Name


Declaration = Segment | Score | TestCase | Broken


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """`# …`, without the newline; `own_line` when nothing stands before it on its line."""

    text: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class File(Node):
    """A rule file. Comments are kept beside the tree and do not take part in equality."""

    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)


Parsed = tuple[Source, File]  # a text and its tree, as all later stages take them
