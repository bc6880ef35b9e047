"""Aggregates over events (language reference, section 6): `sum(amount of purchased in 30d)`, `last(visited)`."""

from __future__ import annotations

from segdsl.core import nodes as core
from segdsl.criteria.context import Context, Lowered, Quotient, described
from segdsl.criteria.events import COUNT, MOST_EVENTS, conjunction, events_of, is_events, kinds_of, property_of
from segdsl.criteria.literals import share
from segdsl.criteria.windows import take_window
from segdsl.syntax import ast
from segdsl.types import Bool, Date, Enum, Float, Number, String, Timestamp, Type

_NUMBERS = (Number,)
_ORDERED = (Number, Float, Timestamp, Date)
_SINGLE = (Bool, Number, Float, String, Enum, Timestamp, Date)

# function -> (types it takes, what they are called)
_TAKES: dict[ast.Function, tuple[tuple[type[Type], ...], str]] = {
    "sum": (_NUMBERS, "exact numbers"),
    "avg": (_NUMBERS, "exact numbers"),
    "min": (_ORDERED, "numbers, instants and dates"),
    "max": (_ORDERED, "numbers, instants and dates"),
    "median": (_ORDERED, "numbers, instants and dates"),
    "percentile": (_ORDERED, "numbers, instants and dates"),
    "distinct": (_SINGLE, "single values"),
    "first": (_SINGLE, "single values"),
    "last": (_SINGLE, "single values"),
}


def measure(context: Context, call: ast.Call) -> Lowered:
    """A call as a value; an average is a quotient. Raises Rejected."""
    if context.scope is not None:
        context.reject(
            "SEG0310",
            "inside `where (…)` stand the event's own properties, and an aggregate looks at many events",
            call.span,
            label="not inside `where`",
            help="compare the aggregate outside",
        )
    if call.function == "avg":
        count = _measure(context, call, "count")
        return Quotient(_measure(context, call, "sum"), count)
    return _measure(context, call, call.function)


def events_in(context: Context, call: ast.Call) -> tuple[core.Events, ast.Expression]:
    """The events that a call looks at, and their subject. Raises Rejected."""
    subject, clauses = (
        (call.events.subject, call.events.clauses) if isinstance(call.events, ast.Test) else (call.events, ())
    )
    if not is_events(context, subject):
        kinds_of(context, subject)  # says what is wrong with it
    span, rest = take_window(context, clauses)
    wheres = []
    for clause in rest:
        if not isinstance(clause, ast.Where):
            context.reject(
                "SEG0512",
                f"`{context.words(clause)}` does not go inside `{call.function}(…)`",
                clause.span,
                label="not here",
                help="inside stand the event, its object, `where (…)` and a window; a comparison goes behind",
            )
        wheres.append(clause)
    return events_of(context, subject, wheres, span), subject


def _measure(context: Context, call: ast.Call, function: ast.Function) -> core.Measure:
    events, subject = events_in(context, call)
    words = context.words(call)
    if call.property is None:
        return _of_events(context, call, function, events, words)
    of = property_of(context, kinds_of(context, subject), call.property)
    if function == "count":
        events = _where_known(events, of)
        return core.Measure("count", events, COUNT, words=words)
    types, called = _TAKES[function]
    if not isinstance(of.type, types):
        exact = isinstance(of.type, Float) and function in ("sum", "avg")
        context.reject(
            "SEG0306" if exact else "SEG0303",
            f"`{call.function}` takes {called}, and `{call.property.text}` is {described(of.type)}",
            call.property.span,
            label=f"declared `{of.type}`",
            why="floats add up differently on every engine" if exact else "",
            help="declare the property `decimal(18,2)` in segdsl.yml" if exact else "use a property of another type",
        )
    if function in ("first", "last") and events.span is None:
        context.reject("SEG0514", "events without a time have no first and no last", call.span, label="no time",
                       help="use `min`, `max` or `count`")  # fmt: skip
    match function:
        case "sum":
            assert isinstance(of.type, Number)
            total = Number(of.type.scale, of.type.limit * MOST_EVENTS)
            return core.Measure("sum", events, total, of=of, words=words)
        case "distinct":
            return core.Measure("distinct", events, COUNT, of=of, words=words)
        case "median":
            return core.Measure("percentile", events, of.type, of=of, rank=(1, 2), words=words)
        case "percentile":
            return core.Measure("percentile", events, of.type, of=of, rank=_rank(context, call), words=words)
        case "min" | "max" | "first" | "last":
            return core.Measure(function, events, of.type, of=of, words=words)
        case _:
            raise AssertionError(function)


def _of_events(
    context: Context, call: ast.Call, function: ast.Function, events: core.Events, words: str
) -> core.Measure:
    if function == "count" and call.function == "count":
        return core.Measure("count", events, COUNT, words=words)
    if function in ("first", "last"):
        if events.span is None:
            context.reject("SEG0514", "events without a time have no first and no last", call.span, label="no time",
                           help="use `count`")  # fmt: skip
        return core.Measure(function, events, Timestamp(), words=words)
    context.reject(
        "SEG0310",
        f"`{call.function}` wants a property: of what is it taken?",
        call.span,
        label="no property named",
        help=f"write `{call.function}(PROPERTY of {context.words(call.events)})`",
    )


def _where_known(events: core.Events, of: core.Property | core.PeriodOf) -> core.Events:
    if isinstance(of, core.PeriodOf):
        return events
    known = core.Known(of)
    return core.Events(tuple(core.Branch(b.kind, conjunction(b.where, known)) for b in events.branches), events.span)


def _rank(context: Context, call: ast.Call) -> tuple[int, int]:
    assert call.rank is not None
    rank = share(call.rank)
    if rank is None:
        context.reject(
            "SEG0517",
            f"there is no percentile {call.rank.text}",
            call.rank.span,
            label="outside 0 to 100",
            help="write a number above 0 and up to 100: `percentile(75, …)`",
        )
    return rank
