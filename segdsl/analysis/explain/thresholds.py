"""Counts and sums that are compared with a number: how much is wanted, and until when the rest may come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from segdsl.core import nodes as core
from segdsl.core.time import At, reaches


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that has to lie from `low` to `high` (in its own scale; None: no bound).

    above: `low` is one step above the number that was written, `> 500`, of something that is no count.
    """

    value: core.Measure | core.Points | core.ScoreOf
    low: int | None
    high: int | None
    above: bool = False

    @property
    def counts(self) -> bool:
        """Whether each further event adds one, whatever it is like."""
        return isinstance(self.value, core.Measure) and self.value.of_events

    @staticmethod
    def of(rule: core.Rule) -> Threshold | None:
        """The threshold that a rule is; None if it is another kind of rule."""
        if isinstance(rule, core.All) and len(rule.parts) == 2:
            first, second = map(Threshold.of, rule.parts)
            if first and second and first.value == second.value and first.high is None and second.low is None:
                return Threshold(first.value, first.low, second.high)
            return None
        if not isinstance(rule, core.Compare):
            return None
        left, op, right = rule.left, rule.op, rule.right
        if not isinstance(left, core.Measure | core.Points | core.ScoreOf) or not isinstance(right, core.Const):
            return None
        if isinstance(left, core.Measure) and left.kind not in ("count", "sum", "distinct"):
            return None
        if not isinstance(right.value, int) or getattr(left.type, "scale", None) is None:
            return None
        scale, own = getattr(right.type, "scale", 0), getattr(left.type, "scale", 0)
        if scale > own:
            return None
        number = right.value * 10 ** (own - scale)
        low = {">=": number, ">": number + 1, "=": number}.get(op)
        high = {"<=": number, "<": number - 1, "=": number}.get(op)
        counts = isinstance(left, core.Measure) and left.kind != "sum"
        return Threshold(left, low, high, op == ">" and not counts)


def until(
    measure: core.Measure, instants: Sequence[int], now: int, value: Callable[[core.Value], Any]
) -> tuple[Literal["now", "later", "over"], int | None]:
    """When further events count, and the instant before which they have to come.

    instants: of the events that count now, sorted. From the given instant on one of these is no more in the window
    (or the window is over), so that more were wanted; None: there is no such instant. An event of now counts `now`,
    `later` (between 30d and 60d ago) or not at all, as the window is `over`.
    """
    span = measure.events.span
    if span is None:
        return "now", None
    ends: list[int | None] = []
    if isinstance(span, core.Anchored):
        anchor = value(span.anchor)
        if anchor is None or not isinstance(span.anchor, core.Attribute):
            return "now", None  # the anchor may come yet, or move
        ends = [anchor + span.hi + 1]
    else:
        if isinstance(span.hi, At):
            ends = [span.hi.instant + 1]
        elif span.hi is not None and span.hi.resolve(now) < now:
            return "later", None
        if span.lo is not None and instants:
            ends.append(reaches(span.lo, instants[0]))
    before = min((end for end in ends if end is not None), default=None)
    return ("now", before) if before is None or now + 1 < before else ("over", None)
