"""Event tests (language reference, section 4): counts, ranges, same value, bursts, regularity, unions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from segdsl.catalog.model import Event, name_key
from segdsl.core import nodes as core
from segdsl.core.time import EVER, FromNow, Span
from segdsl.criteria.context import Context, described
from segdsl.criteria.literals import exact, step, whole_number
from segdsl.criteria.windows import WINDOWS, take_window
from segdsl.syntax import ast
from segdsl.syntax.strings import glob
from segdsl.types import INT, Enum, Geo, ListOf, Number, String, Type

# A contact has fewer events than this: it bounds sums, so that exact arithmetic fits every engine.
MOST_EVENTS = 10**8
COUNT = Number(0, MOST_EVENTS)
MOST_PERIODS = 366

_Clause = TypeVar("_Clause", bound=ast.Clause)
_PERIODS = ("day", "week", "month")
_ORDER = '`EVENT "object" where (…) >= n within D with same P`, then the window'


def is_events(context: Context, subject: ast.Expression) -> bool:
    """Whether an expression names events rather than a value."""
    match subject:
        case ast.AnyEvent() | ast.AnyOf():
            return True
        case ast.Operand():
            known = name_key(subject.name.text) in context.catalog.events
            return known and context.scope is None and subject.field is None
        case _:
            return False


def kinds_of(context: Context, subject: ast.Expression) -> tuple[Event, ...]:
    """The kinds of event that a subject names, each once. Raises Rejected."""
    return tuple({kind.name: kind for kind, _ in _members(context, subject)}.values())


def _members(context: Context, subject: ast.Expression) -> list[tuple[Event, core.Rule]]:
    events = context.catalog.events
    match subject:
        case ast.AnyEvent():
            return [(kind, core.EVERYONE) for kind in events.values() if kind.time is not None]
        case ast.AnyOf():
            return [pair for member in subject.members for pair in _members(context, member)]
        case ast.Test(subject=inner, clauses=clauses):
            members = _members(context, inner)
            for clause in clauses:
                if not isinstance(clause, ast.Where):
                    _misplaced(context, clause, "a member of `any of (…)` takes an object and `where (…)` only")
                rule = context.inside(tuple(kind for kind, _ in members)).rule(clause.rule)
                members = [(kind, conjunction(condition, rule)) for kind, condition in members]
            return members
        case ast.Operand() if is_events(context, subject):
            kind = events[name_key(subject.name.text)]
            return [(kind, _object(context, subject, kind))]
        case ast.Operand() if subject.field is None:
            name = subject.name.text
            what = "an attribute" if name_key(name) in context.catalog.attributes else "not an event of the catalog"
            context.reject(
                "SEG0203",
                f"`{name}` is {what}, and an event is wanted here",
                subject.span,
                label="not an event",
                help=context.suggest(name, [(e.name, e.place) for e in events.values()], "name an event of segdsl.yml"),
            )
        case _:
            context.reject(
                "SEG0203",
                f"`{context.words(subject)}` is not an event",
                subject.span,
                label="an event is wanted here",
                help="name an event of segdsl.yml",
            )


def _object(context: Context, operand: ast.Operand, kind: Event) -> core.Rule:
    if not operand.objects:
        return core.EVERYONE
    if kind.object is None:
        context.reject(
            "SEG0516",
            f"`{kind.name}` has no object to compare with {context.words(operand.objects[0])}",
            operand.objects[0].span,
            label="the catalog names no `object` for this event",
            help='name a property: `where (PROPERTY matches "…")`, or give the event an `object` in segdsl.yml',
        )
    declared = kind.properties[kind.object]
    if not isinstance(declared.type, String | Enum):
        context.reject(
            "SEG0303",
            f"`{declared.name}`, the object of `{kind.name}`, is {described(declared.type)}, not text",
            operand.objects[0].span,
            label="matched against text only",
            help=f"use `where ({declared.name} = …)`",
        )
    return core.Match(core.Property(kind.object, declared.type), tuple(glob(text) for text in operand.objects))


def _conjuncts(rule: core.Rule) -> tuple[core.Rule, ...]:
    return rule.parts if isinstance(rule, core.All) else (rule,)


def conjunction(first: core.Rule, second: core.Rule) -> core.Rule:
    """Both rules, without a needless `All`."""
    parts = tuple(p for rule in (first, second) for p in _conjuncts(rule))
    return parts[0] if len(parts) == 1 else core.All(parts)


def events_of(
    context: Context, subject: ast.Expression, wheres: Sequence[ast.Where], span: Span | core.Anchored | None
) -> core.Events:
    """The events of a subject that fit the `where` clauses and lie in the span (None: ever). Raises Rejected."""
    members = _members(context, subject)
    kinds = tuple(kind for kind, _ in members)
    shared: core.Rule = core.EVERYONE
    for where in wheres:
        shared = conjunction(shared, context.inside(kinds).rule(where.rule))
    merged: dict[str, core.Rule] = {}
    for kind, condition in members:
        key = name_key(kind.name)
        # One event of a kind counts once, even when two members of the union take it.
        merged[key] = core.Any((merged[key], condition)) if key in merged else condition
    timed = {kind.time is not None for kind in kinds}
    if False in timed and (span is not None or True in timed):
        name = next(kind.name for kind in kinds if kind.time is None)
        context.reject(
            "SEG0514",
            f"`{name}` has no time in the catalog, so it takes no window and no place among events that have one",
            subject.span,
            label="an event without a time",
            help="leave the window out, or give the event a `time` in segdsl.yml",
        )
    branches = tuple(core.Branch(key, conjunction(rule, shared)) for key, rule in merged.items())
    return core.Events(branches, None if timed == {False} else span or EVER)


def property_of(context: Context, kinds: tuple[Event, ...], name: ast.Name) -> core.Property | core.PeriodOf:
    """A property that all the kinds declare with one type, or `day`, `week`, `month`. Raises Rejected."""
    key = name_key(name.text)
    if key in _PERIODS:
        for kind in kinds:
            if kind.time is None:
                context.reject("SEG0514", f"`{kind.name}` has no time, so no `{key}`", name.span, label="no time",
                               help="use one of its own properties")  # fmt: skip
        return core.PeriodOf(key, context.catalog.timezone)  # type: ignore[arg-type]
    found: Type | None = None
    for kind in kinds:
        declared = kind.properties.get(key)
        if declared is None:
            names = [(p.name, p.place) for p in kind.properties.values()]
            listed = ", ".join(f"`{n}`" for n, _ in names) or "none"
            context.reject(
                "SEG0202",
                f"`{name.text}` is not a property of `{kind.name}`",
                name.span,
                label="no such property",
                why="every event of a union or sequence must have the property" if len(kinds) > 1 else "",
                help=context.suggest(name.text, names, f"its properties are: {listed}"),
            )
        if found is not None and declared.type != found:
            context.reject(
                "SEG0202",
                f"`{name.text}` is {described(found)} of one event and {described(declared.type)} of another",
                name.span,
                label="two types",
                help="use the events one by one, or declare the property alike in segdsl.yml",
            )
        found = declared.type
    assert found is not None
    return core.Property(key, found)


def grouped_by(
    context: Context, kinds: tuple[Event, ...], same: ast.WithSame
) -> tuple[core.Property | core.PeriodOf, ...]:
    """What events of these kinds are to agree in. Raises Rejected."""
    together = tuple(property_of(context, kinds, name) for name in same.properties)
    if any(isinstance(each.type, Geo | ListOf) for each in together):
        context.reject("SEG0303", "places and lists cannot be grouped by", same.span, label="no single value",
                       help="use a property of another type")  # fmt: skip
    return together


# --- the test -------------------------------------------------------------------------------------------------

_STAGE = {ast.Where: 0, ast.Compare: 1, ast.Range: 1, ast.Within: 2, ast.WithSame: 3, ast.Regularity: 4}


def event_test(context: Context, subject: ast.Expression, clauses: tuple[ast.Clause, ...]) -> core.Rule:
    """`EVENT "object" [where (…)] [CMP n] [within D] [with same P] [WINDOW]` as a rule. Raises Rejected."""
    span, rest = take_window(context, clauses)
    _check_order(context, clauses)
    wheres, count, burst, same, regularity = [], None, None, None, None
    for clause in rest:
        match clause:
            case ast.Where():
                wheres.append(clause)
            case ast.Compare() | ast.Range():
                count = once(context, count, clause)
            case ast.Within():
                burst = once(context, burst, clause)
            case ast.WithSame():
                same = once(context, same, clause)
            case ast.Regularity():
                regularity = once(context, regularity, clause)
            case _:
                _misplaced(context, clause, "an event test takes " + _ORDER)
    if regularity is not None and span is not None:
        context.reject("SEG0502", "there are two windows here: the regularity is one by itself", regularity.span,
                       label="the other one", help="keep one, or write two tests joined by `and`")  # fmt: skip
    for peak in (burst, same):
        if peak is not None and not (isinstance(count, ast.Compare) and count.op in (">=", ">")):
            context.reject(
                "SEG0511",
                f"`{context.words(peak)}` needs a count with `>=` or `>`",
                peak.span,
                label="how many?",
                help=f"write `>= 3 {context.words(peak)}`",
            )
    kinds = kinds_of(context, subject)
    together = grouped_by(context, kinds, same) if same else ()
    within = exact(context, burst.duration) if burst else None
    words = context.source.slice(subject.span.to(clauses[-1].span) if clauses else subject.span)

    def counted(span: Span | core.Anchored | None) -> core.Rule:
        events = events_of(context, subject, wheres, span)
        if within is not None and events.span is None:
            context.reject("SEG0514", "events without a time make no bursts", subject.span, label="no time",
                           help="leave `within` out")  # fmt: skip
        measure = core.Measure("count", events, COUNT, same=together, within=within, words=" ".join(words.split()))
        return _compare_count(context, measure, count)

    if regularity is None:
        return counted(span)
    return _regular(context, regularity, counted)


def _regular(context: Context, clause: ast.Regularity, counted: Callable[[Span], core.Rule]) -> core.Rule:
    periods = whole_number(context, clause.periods, "a number of periods")
    at_least = whole_number(context, clause.at_least, "a number of periods")
    if not 1 <= at_least <= periods <= MOST_PERIODS:
        context.reject(
            "SEG0515",
            f"`{context.words(clause)}` does not add up",
            clause.span,
            label=f"wants 1 <= {at_least} <= {periods} <= {MOST_PERIODS}",
            help=f"the first number is at most the second, and that at most {MOST_PERIODS}",
        )
    unit = step(context, clause.unit, -1)
    edges = [FromNow(unit.microseconds * i, unit.months * i) for i in range(periods + 1)]
    awards = tuple(core.Award(1, rule=counted(Span(edges[i + 1], edges[i]))) for i in range(periods))
    total = core.Points(awards, Number(0, periods))
    return core.Compare(">=", total, core.Const(at_least, INT))


def _compare_count(context: Context, measure: core.Measure, count: ast.Compare | ast.Range | None) -> core.Rule:
    match count:
        case None:
            return core.Compare(">=", measure, core.Const(1, INT))
        case ast.Range():
            low = whole_number(context, count.low, "a number of times")
            high = whole_number(context, count.high, "a number of times")
            if low > high:
                context.reject("SEG0504", f"`{low} to {high}` is reversed", count.span, label="ends before it begins",
                               help=f"write `{high} to {low} times`")  # fmt: skip
            return core.All(
                (
                    core.Compare(">=", measure, core.Const(low, INT)),
                    core.Compare("<=", measure, core.Const(high, INT)),
                )
            )
        case ast.Compare():
            if not isinstance(count.right, ast.Number):
                context.reject(
                    "SEG0513",
                    f"an event is counted, and `{context.words(count.right)}` is not a number of times",
                    count.right.span,
                    label="not a number",
                    why="behind an event stands how often it happened",
                    help="write a number, `>= 3`, or use `count(…)` to compare with another value; "
                    "a property is compared in `where (…)`",
                )
            constant = core.Const(whole_number(context, count.right, "a number of times"), INT)
            if count.op == "!=":
                return core.Not(core.Compare("=", measure, constant))
            return core.Compare(count.op, measure, constant)


def _check_order(context: Context, clauses: Sequence[ast.Clause]) -> None:
    previous, before = -1, None
    for index, clause in enumerate(clauses):
        following = clauses[index + 1] if index + 1 < len(clauses) else None
        anchored = isinstance(clause, ast.Within) and isinstance(following, ast.After | ast.Before)
        stage = 4 if anchored or isinstance(clause, WINDOWS) else _STAGE.get(type(clause), previous)
        if stage < previous and before is not None:
            context.reject(
                "SEG0510",
                f"`{context.words(clause)}` comes before `{context.words(before)}`",
                clause.span,
                label="in the wrong place",
                help="the order is " + _ORDER,
            )
        previous, before = stage, clause


def once(context: Context, earlier: object, clause: _Clause) -> _Clause:
    """The clause, unless it was said before. Raises Rejected."""
    if earlier is not None:
        context.reject("SEG0510", f"`{context.words(clause)}` says a second time what was said", clause.span,
                       label="the second one", help="keep one of them")  # fmt: skip
    return clause


def _misplaced(context: Context, clause: ast.Node, rule: str) -> NoReturn:
    context.reject(
        "SEG0512", f"`{context.words(clause)}` does not go with an event", clause.span, label="not here", help=rule
    )
