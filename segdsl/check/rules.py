"""Any expression as a rule: the one place that decides which criterion a test is."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from segdsl.core import nodes as core
from segdsl.criteria import TESTS
from segdsl.criteria.attributes import is_true
from segdsl.criteria.context import Context, Rejected
from segdsl.criteria.events import event_test, is_events
from segdsl.criteria.history import changed
from segdsl.criteria.membership import in_list, in_sample, in_segment
from segdsl.criteria.sequences import event_without, sequence
from segdsl.criteria.windows import anniversary, in_window, take_window
from segdsl.syntax import ast


def outline(context: Context, expression: ast.Expression) -> core.Part:
    """Check and lower a rule, part by part. Errors are recorded in the context; what was refused holds for nobody.

    Every operand of `and`, `or`, `not` is checked by itself, so one run reports the errors of all of them.
    """
    op: Literal["and", "or", "not", "test"]
    inner: list[core.Part] = []
    match expression:
        case ast.And():
            op, parts = "and", tuple(outline(context, operand) for operand in expression.operands)
            lowered: core.Rule = core.All(tuple(part.rule for part in parts))
        case ast.Or():
            op, parts = "or", tuple(outline(context, operand) for operand in expression.operands)
            lowered = core.Any(tuple(part.rule for part in parts))
        case ast.Not():
            op, parts = "not", (outline(context, expression.operand),)
            lowered = core.Not(parts[0].rule)
        case _:
            op, parts = "test", ()
            try:
                lowered = _test(replace(context, inner=inner), expression)
            except Rejected:
                lowered = core.NOBODY
    inside = tuple({part.span: part for part in inner}.values())
    return core.Part(op, lowered, context.words(expression), context.source, expression.span, parts, inside)


def _test(context: Context, expression: ast.Expression) -> core.Rule:
    subject, clauses = (
        (expression.subject, expression.clauses) if isinstance(expression, ast.Test) else (expression, ())
    )
    match subject:
        case ast.Sequence():
            return sequence(context, subject, clauses)
        case ast.Anniversary():
            return anniversary(context, subject, clauses)
        case _ if is_events(context, subject):
            if any(isinstance(clause, ast.Without) for clause in clauses):
                return event_without(context, subject, clauses, context.words(expression))
            return event_test(context, subject, clauses)
        case _ if clauses:
            return _value_test(context, subject, clauses)
        case ast.Everyone():
            return core.EVERYONE
        case ast.InSegment():
            return in_segment(context, subject)
        case ast.InList():
            return in_list(context, subject)
        case ast.InSample():
            return in_sample(context, subject)
        case _:
            return is_true(context, subject)


def _value_test(context: Context, subject: ast.Expression, clauses: tuple[ast.Clause, ...]) -> core.Rule:
    if isinstance(subject, ast.Operand):
        context.value(subject)  # an unknown name is the first thing to say
    window, rest = take_window(context, clauses)
    clause = rest[0] if rest else None
    if len(rest) > 1:
        context.reject(
            "SEG0512",
            f"`{context.words(rest[1])}` stands behind a test that is complete",
            rest[1].span,
            label="one test too many",
            help="write two tests joined by `and`",
        )
    if isinstance(clause, ast.Changed):
        return changed(context, subject, clause, window)
    if window is not None:
        if clause is not None:
            context.reject(
                "SEG0501",
                f"`{context.words(subject)} {context.words(clause)}` holds no instant for a window to look at",
                clause.span,
                label="a comparison and a window",
                help="write two tests joined by `and`, or put the window inside `count(…)`, `sum(…)`",
            )
        return in_window(context, subject, window)
    assert clause is not None
    criterion = TESTS.get(type(clause))
    if criterion is None:
        context.reject(
            "SEG0512",
            f"`{context.words(clause)}` goes with events, and `{context.words(subject)}` is not one",
            clause.span,
            label="not with a value",
            help="compare the value with `=`, `<`, `in (…)`, `is known`",
        )
    return criterion(context, subject, clause)
