"""How many entered, left and were in, over equal parts of a stretch of time: what charts are drawn of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from segdsl.history.history import SegmentStay

PARTS = 120


@dataclass(slots=True)
class Course:
    """One segment's numbers: `initial` were in at the beginning; `entered` and `left` in each part."""

    initial: int
    entered: list[int]
    left: list[int]

    @property
    def sizes(self) -> list[int]:
        """How many were in at the beginning, and at the end of each part."""
        net = (come - gone for come, gone in zip(self.entered, self.left, strict=True))
        return list(accumulate(net, initial=self.initial))


class Tally:
    """Counts the stays in segments that go by.

    bounds: the ends of the parts, in microseconds since 1970 (UTC), the first one the beginning of the stretch: a part
      holds what comes after the one and not after the next.
    """

    def __init__(self, segments: Sequence[str], since: int, until: int, parts: int = PARTS) -> None:
        self.parts = max(1, min(parts, until - since))
        self._since, self._length = since, max(1, until - since)
        self.bounds = [since + (until - since) * i // self.parts for i in range(self.parts + 1)]
        self.courses = {name: Course(0, [0] * self.parts, [0] * self.parts) for name in segments}

    def over(self, rows: Iterator[SegmentStay]) -> Iterator[SegmentStay]:
        """The stays, counted on their way."""
        for row in rows:
            course = self.courses[row.segment]
            if row.entered == self._since:
                course.initial += 1
            else:
                course.entered[self._part(row.entered)] += 1
            if row.left is not None:
                course.left[self._part(row.left)] += 1
            yield row

    def _part(self, instant: int) -> int:
        # bounds[i] < instant <= bounds[i + 1], and bounds[i] is the floor of a fraction.
        part = min((instant - self._since) * self.parts // self._length, self.parts - 1)
        return part - 1 if instant <= self.bounds[part] else part
