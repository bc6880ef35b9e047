"""What tests say about one value by itself: ranges of numbers, sets of texts, globs that cover each other."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from segdsl.core import nodes as core
from segdsl.criteria.literals import lower_ascii
from segdsl.syntax.strings import Wild
from segdsl.types import Bool, Enum, Float, Number

Scalar = bool | int | float | str


class Impossible(Exception):  # noqa: N818  (what is looked for)
    """Nobody can pass the tests at hand."""


def refute(when: bool) -> None:
    """Raises Impossible if what was found rules everybody out."""
    if when:
        raise Impossible


# --- numbers ------------------------------------------------------------------------------------------------


@dataclass
class Range:
    """Whole numbers from `low` to `high` (None: no bound) without some `holes`; floats are numbered in their order."""

    low: int | None = None
    high: int | None = None
    holes: set[int] = field(default_factory=set)

    def add(self, op: str, floor: int, ceiling: int) -> None:
        """Keep what is in a relation to a bound between two whole numbers, or to a whole number."""
        match op:
            case "=":
                refute(floor != ceiling)
                self.at_least(floor)
                self.at_most(floor)
            case "!=":
                if floor == ceiling:
                    self.holes.add(floor)
            case "<":
                self.at_most(ceiling - 1)
            case "<=":
                self.at_most(floor)
            case ">":
                self.at_least(floor + 1)
            case ">=":
                self.at_least(ceiling)

    def at_least(self, low: int) -> None:
        """Keep what is not below a number."""
        self.low = low if self.low is None else max(self.low, low)

    def at_most(self, high: int) -> None:
        """Keep what is not above a number."""
        self.high = high if self.high is None else min(self.high, high)

    def check(self) -> None:
        """Raises Impossible if nothing is left."""
        if self.low is None or self.high is None:
            return
        refute(self.high - self.low < len(self.holes) and all(n in self.holes for n in range(self.low, self.high + 1)))
        refute(self.low > self.high)


def bounds(constant: core.Const, type_: object) -> tuple[int, int] | None:
    """A constant in the whole numbers of a type: the one below and the one above, the same if it is one itself."""
    if isinstance(type_, Float) and isinstance(constant.type, Float):
        # The bits of floats, read as whole numbers, keep their order.
        bits: int = struct.unpack("<q", struct.pack("<d", float(constant.value) or 0.0))[0]
        key = bits if bits >= 0 else -(bits & (2**63 - 1))
        return key, key
    if isinstance(type_, Number) and isinstance(constant.type, Number):
        top, bottom = int(constant.value) * 10**type_.scale, 10**constant.type.scale
        return top // bottom, -(-top // bottom)
    return None


def points_range(points: core.Points) -> Range:
    """Between which bounds a sum of points lies."""
    low: int | None = 0
    high: int | None = 0
    for award in points.awards:
        most = award.points if award.per is None else award.cap
        if award.points > 0:
            high = None if high is None or most is None else high + most
        elif award.points < 0:
            low = None if low is None or most is None else low + most
    return Range(low, high)


# --- texts --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _regex(glob: core.Glob) -> re.Pattern[str]:
    from segdsl.backends.python.globs import pattern  # late: few rules want it, and it brings the code generator

    return re.compile(pattern(glob), re.DOTALL)


def _fits(text: str, globs: Iterable[core.Glob]) -> bool:
    return any(_regex(glob).fullmatch(text) for glob in globs)


def _symbols(glob: core.Glob) -> list[str | Wild]:
    return [symbol for piece in glob for symbol in ([piece] if isinstance(piece, Wild) else piece)]


@lru_cache(maxsize=4096)
def covers(wide: core.Glob, narrow: core.Glob) -> bool:
    """Whether every text that fits `narrow` is proven to fit `wide`; wildcards are taken as letters of their own."""
    symbols = _symbols(narrow)
    ends = {0}  # up to where `narrow` may be covered so far
    for piece in _symbols(wide):
        if piece is Wild.RUN:
            ends = set(range(min(ends), len(symbols) + 1))
        else:
            ends = {
                end + 1
                for end in ends
                if end < len(symbols)
                and (symbols[end] == piece or (piece is Wild.ONE and symbols[end] is not Wild.RUN))
            }
        if not ends:
            return False
    return len(symbols) in ends


def disjoint(first: core.Glob, second: core.Glob) -> bool:
    """Whether no text is proven to fit both: their fixed beginnings or ends differ."""
    starts = [_fixed(glob) for glob in (first, second)]
    ends = [_fixed(glob[-1:]) for glob in (first, second)]
    shared = min(map(len, starts))
    if starts[0][:shared] != starts[1][:shared]:
        return True
    shared = min(map(len, ends))
    return ends[0][len(ends[0]) - shared :] != ends[1][len(ends[1]) - shared :]


def _fixed(glob: core.Glob) -> str:
    """The text that a glob, or a piece of one, begins with."""
    return glob[0] if glob and isinstance(glob[0], str) else ""


def candidates(value: core.Value, about: list[tuple[core.Rule, bool]]) -> list[Scalar] | None:
    """A finite list that is sure to hold the value, or None."""
    if isinstance(value, core.Const):
        return [value.value]
    if isinstance(value.type, Bool):
        return [True, False]
    for rule, holds in about:
        match rule:
            case core.Compare(right=core.Const() as constant) if holds and rule.left == value:
                return [constant.value]
            case core.OneOf() if holds and rule.value == value:
                return list(rule.options)
            case core.Match() if holds and rule.value == value:
                texts = [glob[0] if glob else "" for glob in rule.globs if len(glob) <= 1]
                if len(texts) == len(rule.globs) and not any(isinstance(text, Wild) for text in texts):
                    return [text for text in texts if isinstance(text, str)]
    return list(value.type.values) if isinstance(value.type, Enum) else None


def decide(rule: core.Rule, candidate: Scalar) -> bool:
    """Whether a test holds for a candidate of the value that it asks about, folded first if it asks so."""
    match rule:
        case core.Compare(right=core.Const() as constant):
            return _own(rule.left, candidate) == constant.value
        case core.OneOf():
            return _own(rule.value, candidate) in rule.options
        case core.Match():
            return _fits(str(_own(rule.value, candidate)), rule.globs)
    raise AssertionError(rule)


def _own(value: core.Value, candidate: Scalar) -> Scalar:
    return lower_ascii(candidate) if isinstance(value, core.Folded) and isinstance(candidate, str) else candidate
