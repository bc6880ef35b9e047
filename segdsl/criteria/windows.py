"""Windows (language reference, section 5): clauses to spans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.core.time import EVER, At, Earlier, FromNow, Later, PeriodStart, Span, midnight, parse_day, parse_instant
from segdsl.criteria.context import Context, described
from segdsl.criteria.literals import exact, step
from segdsl.syntax import ast
from segdsl.types import Date, Timestamp

WINDOWS = (
    ast.InLast, ast.BetweenAgo, ast.MoreThanAgo, ast.InNext, ast.Since, ast.After, ast.Before, ast.On, ast.Between,
    ast.Calendar, ast.OnDay, ast.InFuture, ast.Ever,
)  # fmt: skip
INSTANTS = (Timestamp, Date)


def take_window(
    context: Context, clauses: Sequence[ast.Clause]
) -> tuple[Span | core.Anchored | None, list[ast.Clause]]:
    """The window among clauses, wherever it stands, and the clauses that are left.

    Within a list `within D` directly before `after X` or `before X` belongs to them. Raises Rejected for a second one.
    """
    window: Span | core.Anchored | None = None
    first: ast.Node | None = None
    rest: list[ast.Clause] = []
    index = 0
    while index < len(clauses):
        clause = clauses[index]
        following = clauses[index + 1] if index + 1 < len(clauses) else None
        anchored = isinstance(clause, ast.Within) and isinstance(following, ast.After | ast.Before)
        if not anchored and not isinstance(clause, WINDOWS):
            rest.append(clause)
            index += 1
            continue
        if first is not None:
            context.reject(
                "SEG0502",
                f"there are two windows here, `{context.words(first)}` and `{context.words(clause)}`",
                clause.span,
                label="the second one",
                help="keep one, or write two tests joined by `and`",
            )
        first = clause
        if anchored:
            assert isinstance(clause, ast.Within)
            assert isinstance(following, ast.After | ast.Before)
            window = _anchored(context, clause, following)
            index += 2
        else:
            assert isinstance(clause, WINDOWS)
            window = _span(context, clause)
            index += 1
    return window, rest


def _span(context: Context, window: ast.Window) -> Span:
    now = FromNow()
    zone = context.catalog.timezone
    match window:
        case ast.InLast():
            return Span(step(context, window.duration, -1), now)
        case ast.BetweenAgo():
            first, second = step(context, window.first, -1), step(context, window.second, -1)
            if first == second:
                context.reject(
                    "SEG0504",
                    "a window from an instant to itself holds nothing",
                    window.span,
                    label="both ends are the same",
                    help="write two different ages, `between 30d and 60d ago`",
                )
            return Span(Earlier(first, second), Later(first, second))
        case ast.MoreThanAgo():
            return Span(None, step(context, window.duration, -1))
        case ast.InNext():
            return Span(now, step(context, window.duration))
        case ast.InFuture():
            return Span(now, None)
        case ast.Ever():
            return EVER
        case ast.Calendar():
            return Span(*(PeriodStart(window.unit, window.offset + i, zone) for i in (0, 1)))
        case ast.OnDay():
            base = step(context, window.duration, 1 if window.ahead else -1)
            return Span(PeriodStart("day", 0, zone, base), PeriodStart("day", 1, zone, base))
        case ast.Since():
            return Span(At(start_of(context, window.start) - 1), None)
        case ast.On():
            if isinstance(window.day, ast.Instant):
                context.reject(
                    "SEG0507",
                    "`on` wants a day, not an instant",
                    window.day.span,
                    label="has a clock time",
                    help="write the day alone, or `between … and …` with two instants",
                )
            return Span(At(start_of(context, window.day) - 1), At(_end(context, window.day) - 1))
        case ast.Between():
            start = start_of(context, window.first)
            end = _end(context, window.last) if isinstance(window.last, ast.Date) else start_of(context, window.last)
            if end <= start:
                context.reject(
                    "SEG0504",
                    "this range ends before it begins",
                    window.span,
                    label="reversed",
                    help="write the earlier one first",
                )
            return Span(At(start - 1), At(end - 1))
        case ast.After():
            edge = _literal(context, window.anchor, "after")
            after = _end(context, edge) - 1 if isinstance(edge, ast.Date) else start_of(context, edge)
            return Span(At(after), None)
        case ast.Before():
            return Span(None, At(start_of(context, _literal(context, window.anchor, "before", window)) - 1))


def _literal(
    context: Context, anchor: ast.Expression | None, word: str, window: ast.Node | None = None
) -> ast.Date | ast.Instant:
    if isinstance(anchor, ast.Date | ast.Instant):
        return anchor
    span = anchor.span if anchor is not None else window.span if window is not None else None
    assert span is not None
    context.reject(
        "SEG0509",
        f"`{word}` takes a day or an instant, such as `{word} 2026-01-01`",
        span,
        label="not a literal date",
        help=f"for a window around a date that is stored, say how long: `within 7d {word} signup date`",
    )


def start_of(context: Context, literal: ast.Date | ast.Instant) -> int:
    """The first instant that a literal day or instant stands for. Raises Rejected for one that does not exist."""
    if isinstance(literal, ast.Date):
        return midnight(_day(context, literal), context.catalog.timezone)
    instant = parse_instant(literal.text, context.catalog.timezone)
    if instant is None:
        context.reject(
            "SEG0503",
            f"`{literal.text}` is not an instant that exists",
            literal.span,
            label="no such day or time",
            help="write it as 2026-01-31T08:00 or 2026-01-31T08:00Z",
        )
    return instant


def _end(context: Context, literal: ast.Date) -> int:
    """The first instant of the next day."""
    day = _day(context, literal)
    if day == date.max:
        return start_of(context, literal) + 86_400_000_000
    return midnight(day + timedelta(days=1), context.catalog.timezone)


def _day(context: Context, literal: ast.Date) -> date:
    day = parse_day(literal.text)
    if day is None:
        context.reject(
            "SEG0503",
            f"there is no day `{literal.text}` in the calendar",
            literal.span,
            label="impossible date",
            help="dates are written year-month-day, 2026-01-31",
        )
    return day


def _anchored(context: Context, within: ast.Within, side: ast.After | ast.Before) -> core.Anchored:
    length = exact(context, within.duration)
    words, word = context.words(within), "after" if isinstance(side, ast.After) else "before"
    anchor = side.anchor
    if isinstance(anchor, ast.Date | ast.Instant):
        context.reject(
            "SEG0506",
            f"`{words} {word} {anchor.text}` can be read in two ways",
            within.span.to(side.span),
            label="a window around a literal date, or a bound and then a window",
            help=f"for the stretch of time next to {anchor.text} write `between … and …`; "
            f"for a bound of {context.words(within.duration)} with a window write the window as "
            + (f"`since {anchor.text}`" if word == "after" else f"`between 2000-01-01 and {anchor.text}`"),
        )
    if anchor is None:
        context.reject(
            "SEG0509",
            f"`{words} {word}` does not say {word} what",
            within.span.to(side.span),
            label="nothing follows",
            help=f"name a date: `{words} {word} signup date`",
        )
    if (
        isinstance(anchor, ast.Operand)
        and context.scope is None
        and name_key(anchor.name.text) in context.catalog.events
        and anchor.field is None
    ):
        name = anchor.name.text
        context.reject(
            "SEG0509",
            f"`{name}` is an event, which may happen many times",
            anchor.span,
            label="which of them?",
            help=f"write `{words} {word} first({name})` or `last({name})`",
        )
    value = context.plain_value(anchor)
    if not isinstance(value.type, INSTANTS):
        context.reject(
            "SEG0509",
            f"`{context.words(anchor)}` is {described(value.type)}, not an instant",
            anchor.span,
            label="not an instant",
            help="name a date or timestamp attribute, `first(…)` or `last(…)` of an event",
        )
    return core.Anchored(value, 0, length) if word == "after" else core.Anchored(value, -length - 1, -1)


def in_window(context: Context, subject: ast.Expression, window: Span | core.Anchored) -> core.Rule:
    """A window on anything that holds an instant: `signup date in 30d`, `last(visited) more than 60d ago`."""
    value = context.plain_value(subject)
    if not isinstance(value.type, INSTANTS):
        context.reject(
            "SEG0501",
            f"`{context.words(subject)}` is {described(value.type)} and holds no instant for a window to look at",
            subject.span,
            label="no instant here",
            help="put the window on an event, a date or a timestamp",
        )
    return core.InSpan(value, window)


def anniversary(context: Context, node: ast.Anniversary, clauses: Sequence[ast.Clause]) -> core.Rule:
    """`anniversary of signup date in next 7d`. Raises Rejected."""
    value = context.plain_value(node.of)
    if not isinstance(value.type, INSTANTS):
        context.reject(
            "SEG0501",
            f"`{context.words(node.of)}` is {described(value.type)}, and a day is wanted whose anniversary to keep",
            node.of.span,
            label="no day here",
            help="name an attribute that is a date or a timestamp",
        )
    window, rest = take_window(context, clauses)
    if rest or not isinstance(window, Span):
        place = rest[0] if rest else clauses[0] if clauses else node
        context.reject(
            "SEG0526",
            "an anniversary comes every year: the test asks when",
            place.span,
            label="a window is wanted, not counted from another date" if clauses else "when?",
            help=f"write `{context.words(node)} in next 7d`, `today` or `this month`",
        )
    return core.Anniversary(value, context.catalog.timezone, window)
