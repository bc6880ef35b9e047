"""Sequences (language reference, section 7): `A then B within 1d then not C … all within … without … WINDOW`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from segdsl.catalog.model import Event
from segdsl.core import nodes as core
from segdsl.core.time import EVER, Span
from segdsl.criteria.context import Context
from segdsl.criteria.events import events_of, grouped_by, is_events, kinds_of, once
from segdsl.criteria.literals import exact
from segdsl.criteria.windows import WINDOWS, take_window
from segdsl.syntax import ast

_STEP = '`EVENT "object" where (…) within D`'
_END = "behind the last step stand `all within`, `with same`, `without`, in any order, and then the window"


@dataclass
class _Clauses:
    """The clauses of one step, sorted: its own, and (behind the last step) those of the whole sequence."""

    wheres: list[ast.Where] = field(default_factory=list)
    within: ast.Within | None = None
    all_within: ast.AllWithin | None = None
    same: ast.WithSame | None = None
    without: ast.Without | None = None
    before: ast.Within | None = None  # the D of `without X within D before`
    window: Span | core.Anchored | None = None


def sequence(context: Context, node: ast.Sequence, more: Sequence[ast.Clause] = ()) -> core.Chain:
    """A sequence as a chain; `more` are clauses that stand behind its parentheses. Raises Rejected."""
    steps: list[core.Step] = []
    waits: list[core.Wait] = []
    forbidden: list[core.Branch] = []  # of `then not`s since the last positive step
    kinds: list[Event] = []
    last_clauses = _Clauses()
    final = next(i for i in reversed(range(len(node.steps))) if not node.steps[i].negated)
    for index, step in enumerate(node.steps):
        subject, clauses = _parts(step.test)
        if not is_events(context, subject):
            _not_an_event(context, subject, step)
        is_last = index == len(node.steps) - 1
        sorted_ = _sort(context, (*clauses, *more) if is_last else clauses, is_last)
        events = _events(context, subject, sorted_.wheres)
        kinds += kinds_of(context, subject)
        within = exact(context, sorted_.within.duration) if sorted_.within else None
        named = _named(context, subject, sorted_.wheres)
        if step.negated and index > final:
            waits.append(core.Wait(events, within, named))
        elif step.negated:
            if sorted_.within is not None:
                context.reject(
                    "SEG0521",
                    f"`then not {context.words(step.test)}` in the middle takes no `within` of its own",
                    sorted_.within.span,
                    label="not here",
                    why="it forbids the event from the step before to the step behind, however far they are apart",
                    help="put `within` on the step behind it: it bounds the whole gap",
                )
            forbidden += events
        else:
            if index == 0 and sorted_.within is not None:
                context.reject(
                    "SEG0521",
                    "`within` bounds the gap to the step before, and the first step has none",
                    sorted_.within.span,
                    label="within what?",
                    help="put it on a later step, or say `all within` behind the last one",
                )
            steps.append(core.Step(events, within, tuple(forbidden), named))
            forbidden = []
        last_clauses = sorted_
    words = context.words(node) + "".join(" " + context.words(clause) for clause in more)
    total = exact(context, last_clauses.all_within.duration) if last_clauses.all_within else None
    if last_clauses.all_within is not None and any(wait.within is not None for wait in waits):
        context.reject(
            "SEG0522",
            "`all within` already says how long the last `then not` waits",
            last_clauses.all_within.span,
            label="two lengths for one wait",
            help="keep `within` on the `then not`, or `all within` for the whole",
        )
    return _chain(context, tuple(steps), tuple(waits), total, last_clauses, kinds, words)


def event_without(context: Context, subject: ast.Expression, clauses: tuple[ast.Clause, ...], span: str) -> core.Chain:
    """`EVENT without X within D before`, `EVENT without any X`: a sequence of one step. Raises Rejected."""
    sorted_ = _sort(context, clauses, True)
    for clause in (sorted_.within, sorted_.all_within):
        if clause is not None:
            context.reject("SEG0512", f"`{context.words(clause)}` wants a sequence, and this is one event", clause.span,
                           label="not here", help="leave it out, or add a step: `then EVENT`")  # fmt: skip
    assert sorted_.without is not None
    if sorted_.before is None and not sorted_.without.any:
        words = context.words(sorted_.without)
        context.reject(
            "SEG0523",
            f"`{words}` looks between two events, and this is one event",
            sorted_.without.span,
            label="between what?",
            help=f"write `{words} within 1d before`, or `without any …` for none at all up to now",
        )
    step = core.Step(_events(context, subject, sorted_.wheres), words=_named(context, subject, sorted_.wheres))
    return _chain(context, (step,), (), None, sorted_, list(kinds_of(context, subject)), span)


def _chain(
    context: Context, steps: tuple[core.Step, ...], waits: tuple[core.Wait, ...], total: int | None,
    clauses: _Clauses, kinds: list[Event], words: str,
) -> core.Chain:  # fmt: skip
    without: core.Absence | None = None
    if clauses.without is not None:
        subject, wheres = _parts(clauses.without.event)
        kinds += kinds_of(context, subject)
        absent = _events(context, subject, [w for w in wheres if isinstance(w, ast.Where)])
        named = _named(context, subject, wheres)
        if clauses.before is not None:
            without = core.Absence(absent, exact(context, clauses.before.duration), named)
        else:
            without = core.Absence(absent, "ever" if clauses.without.any else "between", named)
    # Forbidden events must say what they share, too, so every kind of the chain has the property.
    every = tuple({kind.name: kind for kind in kinds}.values())
    same = grouped_by(context, every, clauses.same) if clauses.same else ()
    return core.Chain(steps, clauses.window or EVER, waits, total, same, without, words)


def _parts(test: ast.Expression) -> tuple[ast.Expression, tuple[ast.Clause, ...]]:
    return (test.subject, test.clauses) if isinstance(test, ast.Test) else (test, ())


def _named(context: Context, subject: ast.Expression, wheres: Sequence[ast.Clause]) -> str:
    """The words for the events of a step."""
    return " ".join([context.words(subject), *(context.words(where) for where in wheres)])


def _events(context: Context, subject: ast.Expression, wheres: Sequence[ast.Where]) -> tuple[core.Branch, ...]:
    events = events_of(context, subject, wheres, None)
    if events.span is None:
        context.reject(
            "SEG0514",
            f"`{context.words(subject)}` has no time in the catalog, so it has no place in a sequence",
            subject.span,
            label="an event without a time",
            help="test it beside the sequence with `and`, or give the event a `time` in segdsl.yml",
        )
    return events.branches


def _not_an_event(context: Context, subject: ast.Expression, step: ast.Step) -> NoReturn:
    if isinstance(subject, ast.Operand) and subject.field is None:
        kinds_of(context, subject)  # says that no event has this name, and suggests one
    context.reject(
        "SEG0520",
        f"`{context.words(step.test)}` is not an event, and a sequence is made of events",
        step.test.span,
        label="an event is wanted here",
        help="join other tests with `and`, outside the sequence: `(A then B) and …`",
    )


def _sort(context: Context, clauses: Sequence[ast.Clause], is_last: bool) -> _Clauses:
    """The clauses of a step by what they are, each once, in the order of the language. Raises Rejected."""
    found = _Clauses()
    left: list[ast.Clause] = []
    index, stage, previous = 0, 0, None
    while index < len(clauses):
        clause = clauses[index]
        second, third = (clauses[i] if i < len(clauses) else None for i in (index + 1, index + 2))
        step = 1
        match clause:
            case ast.Without():
                found.without, own = once(context, found.without, clause), 2
                if isinstance(second, ast.Within) and isinstance(third, ast.Before) and third.anchor is None:
                    found.before, step = second, 3
            case ast.AllWithin():
                found.all_within, own = once(context, found.all_within, clause), 2
            case ast.WithSame():
                found.same, own = once(context, found.same, clause), 2
            case ast.Within() if isinstance(second, ast.After | ast.Before):
                left += (clause, second)
                own, step = 3, 2
            case ast.Within():
                found.within, own = once(context, found.within, clause), 1
            case ast.Where():
                found.wheres.append(clause)
                own = 0
            case _ if isinstance(clause, WINDOWS):
                left.append(clause)
                own = 3
            case _:
                context.reject(
                    "SEG0520",
                    f"`{context.words(clause)}` does not go with a step of a sequence",
                    clause.span,
                    label="not here",
                    help="a step is " + _STEP + "; to ask for several in a row, write the step several times",
                )
        if own >= 2 and not is_last:
            context.reject("SEG0510", f"`{context.words(clause)}` belongs to the whole sequence", clause.span,
                           label="move it behind the last step", help=_END)  # fmt: skip
        if own < stage and previous is not None:
            words = context.words(clause)
            context.reject(
                "SEG0510",
                f"`{words}` comes behind `{context.words(previous)}`",
                clause.span,
                label="in the wrong place",
                help=f"write `{words} before` to look before the first event, or move it to its step"
                if isinstance(clause, ast.Within) and isinstance(previous, ast.Without)
                else "a step is " + _STEP + "; " + _END,
            )
        stage, previous = own, clause
        index += step
    if found.without is not None and found.without.any and found.before is not None:
        context.reject("SEG0512", "`any` says at all, and `within … before` says when", found.without.span,
                       label="one of the two", help="leave `any` out")  # fmt: skip
    found.window, _ = take_window(context, left)
    return found
