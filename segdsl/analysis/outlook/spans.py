"""Instants in windows over a stretch of time, from a to b: True, False, or None if that is not told."""

from __future__ import annotations

from segdsl.analysis.outlook.ranges import Answer, Range
from segdsl.backends.python.runtime import BEGIN, END
from segdsl.core.time import Span, bounds, days_begun_meanwhile, has_anniversary


def window(span: Span, a: int, b: int) -> tuple[int, int, int, int]:
    """The greatest and the least lower edge of a span, its least and its greatest upper edge."""
    wide_lo, narrow_lo = bounds(span.lo, a, b) if span.lo is not None else (BEGIN, BEGIN)
    narrow_hi, wide_hi = bounds(span.hi, a, b) if span.hi is not None else (END - 1, END - 1)
    return narrow_lo, wide_lo, narrow_hi, wide_hi


def in_window(value: Range, span: Span, a: int, b: int) -> Answer:
    """Whether an instant lies in the span."""
    if value.low is None:
        return False
    narrow_lo, wide_lo, narrow_hi, wide_hi = window(span, a, b)
    if value.high <= wide_lo or value.low > wide_hi:
        return False
    return True if narrow_lo < value.low and value.high <= narrow_hi and not value.unknown else None


def in_anchored(value: Range, anchor: Range, lo: int, hi: int, a: int, b: int) -> Answer:
    """Whether an instant lies around the anchor, and not after now."""
    if value.low is None or anchor.low is None:
        return False
    if value.high <= anchor.low + lo or value.low > anchor.high + hi or value.low > b:
        return False
    if value.unknown or anchor.unknown:
        return None
    return True if anchor.high + lo < value.low and value.high <= min(anchor.low + hi, a) else None


def anniversary_in(value: Range, span: Span, zone: str, a: int, b: int) -> Answer:
    """Whether some later year's anniversary of an instant's day begins in the span."""
    if value.low is None:
        return False
    if not value.exact:
        return None
    surely, perhaps = days_begun_meanwhile(span, a, b, zone)
    if has_anniversary(value.low, zone, surely):
        return True
    return None if has_anniversary(value.low, zone, perhaps) else False
