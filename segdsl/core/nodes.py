"""The core: what a rule means, in few nodes (language reference, sections 4 to 8).

Every criterion of the language lowers to these, and every backend knows only these. Names are resolved
(to keys of the catalog), types are known, windows are spans, text operators are globs, `avg` is a
comparison of `sum` with `count` times the bound, scores and regularity are sums of points.

Rules are two-valued. A rule about an unknown value is false; `Not` of it is true.
`words` and `title` fields are for readers of generated code and do not take part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from segdsl import types
from segdsl.core.time import Edge, FromNow, Period, Span
from segdsl.syntax.strings import Wild as Wild
from segdsl.text import source as text
from segdsl.types import INT, Type

# --- values -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const:
    """A literal in the Python form of its type (see `segdsl.types`)."""

    value: bool | int | float | str
    type: Type


@dataclass(frozen=True, slots=True)
class Attribute:
    """The contact's value, or its related record's; `key` and `relation` are keys of the catalog."""

    key: str
    type: Type
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The value that an attribute with a history had at an instant; unknown before its first one."""

    key: str
    type: Type
    at: Edge = FromNow()  # noqa: RUF009  (frozen)


@dataclass(frozen=True, slots=True)
class Property:
    """The value of the event in question: only inside `Branch.where`, `Measure.of` and `Measure.same`."""

    key: str
    type: Type


@dataclass(frozen=True, slots=True)
class PeriodOf:
    """The first instant of the day, week or month in `zone` that holds the event in question."""

    unit: Period
    zone: str
    type: Type = types.Date()  # noqa: RUF009  (frozen)


@dataclass(frozen=True, slots=True)
class Folded:
    """Text with A-Z lowered; what it is compared with is lowered already, or Folded too."""

    text: Value
    type: Type = types.String()  # noqa: RUF009  (frozen)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Exact arithmetic; unknown if either side is. `type` holds the result's scale and limit.

    `+` and `-` align the scales of both sides to the result's; `*` adds them up.
    """

    op: Literal["+", "-", "*"]
    left: Value
    right: Value
    type: types.Number


@dataclass(frozen=True, slots=True)
class Anchored:
    """The instants t with `anchor + lo < t <= anchor + hi`, and t <= now; none if the anchor is unknown."""

    anchor: Value
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Branch:
    """Events of one kind (a key of the catalog, or `changes_of` an attribute) that fit a rule over their properties."""

    kind: str
    where: Rule


_CHANGES = "\t"  # in no key of the catalog: names are joined by blanks


def changes_of(attribute: str) -> str:
    """The kind of the changes of an attribute with a history: events with the properties `from` and `to`."""
    return _CHANGES + attribute


def changed_attribute(kind: str) -> str | None:
    """The key of the attribute whose changes a kind is; None for the catalog's own kinds."""
    return kind[1:] if kind.startswith(_CHANGES) else None


@dataclass(frozen=True, slots=True)
class Events:
    """The contact's events of any branch, at most one branch a kind, that lie in a span and not after now.

    `span` is None for kinds without a time. Duplicate deliveries count once, before `where` is asked.
    """

    branches: tuple[Branch, ...]
    span: Span | Anchored | None


MeasureKind = Literal["count", "sum", "min", "max", "distinct", "first", "last", "percentile"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One value over events.

    kind: count, sum and distinct are 0 over no events, the others unknown. Events whose `of` is unknown are
      skipped. `of` None: count counts the events themselves, first and last give their instants.
      Of several values at one instant, first takes the least, last the greatest (enums in declared order).
    rank: for percentile, p/100 as (numerator, denominator): the value at rank ceil(n * p/100), counted from 1.
    same: for count: the largest count among groups of events that agree in these, all of them known.
    within: for count: the largest count in any `(s - within, s]`, microseconds; with `same`, in any one group.
    """

    kind: MeasureKind
    events: Events
    type: Type = INT
    of: Property | PeriodOf | None = None
    rank: tuple[int, int] | None = None
    same: tuple[Property | PeriodOf, ...] = ()
    within: int | None = None
    words: str = field(default="", compare=False)

    @property
    def of_events(self) -> bool:
        """Whether it is how many events there are, whatever they are like."""
        return self.kind == "count" and self.of is None and not self.same and self.within is None


@dataclass(frozen=True, slots=True)
class Award:
    """A line of points: `points` if the rule holds, or `points` times `per`, at most `cap` (None: no cap).

    `points` and `cap` are scaled like the type of the `Points` that holds them. `per` unknown gives nothing.
    `words` is the line as it was written, at `span` of `source`, `outline` the parts of its rule.
    """

    points: int
    rule: Rule | None = None
    per: Value | None = None
    cap: int | None = None
    words: str = field(default="", compare=False)
    outline: Part | None = field(default=None, compare=False)
    source: text.Source | None = field(default=None, compare=False)
    span: text.Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Points:
    """The sum of awards: never unknown."""

    awards: tuple[Award, ...]
    type: types.Number


@dataclass(frozen=True, slots=True)
class ScoreOf:
    """The points of the program's score `name`."""

    name: str
    type: types.Number


Value = Const | Attribute | Held | Property | PeriodOf | Folded | Arithmetic | Measure | Points | ScoreOf

# --- rules --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class All:
    """True if every part is; `All(())` is everyone."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True if some part is; `Any(())` is nobody."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if the part is false, and so where the part asks about something unknown."""

    part: Rule


CompareOp = Literal["=", "<", "<=", ">", ">="]
# `a op b` is `b MIRRORED[op] a`.
MIRRORED: dict[CompareOp, CompareOp] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Compare:
    """Both known and in this relation. `!=` is `Not` of `=`. Numbers may differ in scale; see `segdsl.types`.

    A Number beside a Float is compared as a double. What is compared with a constant is on the left: see `compare`.
    """

    op: CompareOp
    left: Value
    right: Value


def compare(op: CompareOp, left: Value, right: Value) -> Compare:
    """Two values compared: `3 <= x` is `x >= 3`, so that a constant is on the right."""
    if isinstance(left, Const) and not isinstance(right, Const):
        return Compare(MIRRORED[op], right, left)
    return Compare(op, left, right)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Known and equal to one of the options, which are in the Python form of the value's type (Numbers: its scale)."""

    value: Value
    options: tuple[bool | int | float | str, ...]


Glob = tuple[str | Wild, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Known text that fits one of the globs from its start to its end."""

    value: Value
    globs: tuple[Glob, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The value is known."""

    value: Value


@dataclass(frozen=True, slots=True)
class InSpan:
    """A known instant that lies in the span (not cut off at now, unless the span is `Anchored`)."""

    value: Value
    span: Span | Anchored


@dataclass(frozen=True, slots=True)
class Contains:
    """A known list that has the item."""

    value: Value
    item: str


@dataclass(frozen=True, slots=True)
class Near:
    """A known place within a great-circle distance (haversine, radius 6371.0088 km)."""

    value: Value
    latitude: float
    longitude: float
    kilometres: float


@dataclass(frozen=True, slots=True)
class InSegment:
    """Member of the program's segment `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class InList:
    """On the static list `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class InSample:
    """The first 32 bits of MD5(salt + ":" + contact id), as a number, are below `threshold` (0 to 2^32)."""

    salt: str
    threshold: int


@dataclass(frozen=True, slots=True)
class Anniversary:
    """Some later year's anniversary of a known instant's day in `zone` begins in the span (not cut off at now).

    29 February falls on the 28th in years without one.
    """

    value: Value
    zone: str
    span: Span


@dataclass(frozen=True, slots=True)
class Step:
    """One positive event of a chain, strictly later than the one before and at most `within` microseconds after it.

    forbidden: none of these strictly between the positive event before and this one.
    """

    branches: tuple[Branch, ...]
    within: int | None = None
    forbidden: tuple[Branch, ...] = ()
    words: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """A chain's end: no such event in `(t, end]`, t the last positive instant, and `end <= now`.

    The end is t + `within`, else the first instant + the chain's `total`, else now.
    """

    forbidden: tuple[Branch, ...]
    within: int | None = None
    words: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Absence:
    """No such event: strictly `between` a chain's first and last positive one, `ever` up to now, or in the
    `[t - before, t)` microseconds before the first one, t."""

    branches: tuple[Branch, ...]
    place: Literal["between", "ever"] | int
    words: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Some events fit: one for each step, in order, all of them in the span and not after now.

    total: from the first to the last at most this many microseconds.
    same: what all events of the chain, forbidden ones too, agree in; an event that lacks one has no part in it.
    """

    steps: tuple[Step, ...]
    span: Span | Anchored
    waits: tuple[Wait, ...] = ()
    total: int | None = None
    same: tuple[Property | PeriodOf, ...] = ()
    without: Absence | None = None
    words: str = field(default="", compare=False)

    def branches(self) -> Iterator[Branch]:
        """The branches of every event that is spoken of, positive ones first."""
        for step in self.steps:
            yield from step.branches
        for step in self.steps:
            yield from step.forbidden
        for wait in self.waits:
            yield from wait.forbidden
        if self.without is not None:
            yield from self.without.branches


Rule = (
    All | Any | Not | Compare | OneOf | Match | Known | InSpan | Contains | Near | InSegment | InList | InSample
    | Anniversary | Chain
)  # fmt: skip

Node = Rule | Value | Events | Anchored  # all that rules are made of; `core.walking` knows what is inside what

EVERYONE = All(())
NOBODY = Any(())

# --- rules as they were written -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a rule as it was written, and what it means: `and`, `or`, `not` and their parts, or one test.

    inside: of a test, the rules over events' properties that it holds, `where (…)` and `has (…)`; not among the parts.
    """

    op: Literal["and", "or", "not", "test"]
    rule: Rule
    words: str
    source: text.Source
    span: text.Span
    parts: tuple[Part, ...] = ()
    inside: tuple[Part, ...] = ()

    def walk(self) -> Iterator[Part]:
        """This part and all inside it, in the order of the text."""
        yield self
        for part in self.parts:
            yield from part.walk()
