"""Scores (language reference, section 2): lines of points, and what a score's number can be."""

from __future__ import annotations

from segdsl.core import nodes as core
from segdsl.criteria.context import Context, Rejected, described
from segdsl.criteria.events import COUNT, MOST_EVENTS, events_of, is_events
from segdsl.criteria.literals import number
from segdsl.criteria.windows import take_window
from segdsl.syntax import ast
from segdsl.types import Number


def score_type(score: ast.Score) -> Number:
    """The type of a score's points, from its numbers alone: other rules may ask before its lines are checked."""
    scale = max((_scale(n) for line in score.lines for n in (line.points, line.cap) if n is not None), default=0)
    limit = 0
    for line in score.lines:
        points = abs(_scaled(line.points, scale))
        if line.per is not None:
            points = abs(_scaled(line.cap, scale)) if line.cap is not None else points * MOST_EVENTS
        limit += points
    return Number(scale, max(limit, 1))


def points(context: Context, score: ast.Score) -> core.Points:
    """The lines of a score; a line that is refused is reported and left out."""
    type_ = score_type(score)
    awards = []
    for line in score.lines:
        try:
            awards.append(_award(context, line, type_.scale))
        except Rejected:
            continue
    return core.Points(tuple(awards), type_)


def _award(context: Context, line: ast.ScoreLine, scale: int) -> core.Award:
    value = _scaled(line.points, scale)
    if line.cap is not None and (line.per is None or value <= 0 or _scaled(line.cap, scale) <= 0):
        context.reject(
            "SEG0518",
            "`at most` caps the positive points of a `per` line",
            line.cap.span,
            label="nothing to cap here",
            help="write `+2 per EVENT, at most 10`",
        )
    words = context.words(line)
    if line.condition is not None:
        parts = context.outline(line.condition)
        return core.Award(value, rule=parts.rule, words=words, outline=parts, source=context.source, span=line.span)
    assert line.per is not None
    cap = _scaled(line.cap, scale) if line.cap is not None else None
    per = _counted(context, line.per)
    return core.Award(value, per=per, cap=cap, words=words, source=context.source, span=line.span)


def _counted(context: Context, per: ast.Expression) -> core.Value:
    """What points are given for: events, or an aggregate that is a whole number."""
    subject, clauses = (per.subject, per.clauses) if isinstance(per, ast.Test) else (per, ())
    if is_events(context, subject):
        span, rest = take_window(context, clauses)
        wheres = [clause for clause in rest if isinstance(clause, ast.Where)]
        for clause in rest:
            if not isinstance(clause, ast.Where):
                context.reject(
                    "SEG0512",
                    f"`{context.words(clause)}` does not go with `per`, which counts events",
                    clause.span,
                    label="not here",
                    help="write `per EVENT where (…) in 30d`, or use `if` for a test",
                )
        return core.Measure("count", events_of(context, subject, wheres, span), COUNT, words=context.words(per))
    value = context.plain_value(per)
    if not isinstance(value, core.Measure) or value.kind not in ("count", "distinct"):
        context.reject(
            "SEG0301",
            f"`per` counts, and `{context.words(per)}` is {described(value.type)}",
            per.span,
            label="not a count",
            help="name an event, `count(…)` or `distinct(…)`",
        )
    return value


def _scale(node: ast.Number) -> int:
    type_ = number(node).type
    assert isinstance(type_, Number)
    return type_.scale


def _scaled(node: ast.Number, scale: int) -> int:
    constant = number(node)
    assert isinstance(constant.type, Number)
    return int(constant.value) * int(10 ** (scale - constant.type.scale))
