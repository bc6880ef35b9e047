"""What is told of a contact one by one and also as a whole: the rows of a history, events without a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")
Order = tuple[int, int]  # in which lines are taken: the instant from which one counts, and its number


class Told(Generic[Row]):
    """Rows of which each was told by a line of its own, or with all others by one line, which told them as a whole.

    A whole telling stands for all rows up to its instant that were taken before it. Of several the one of the latest
    instant has the rows, and of those of one instant the last one. So what counts follows from what was told, each time
    of which instant and in which order, in whatever order it is added here; and what does not count need not be kept.
    """

    __slots__ = ("_replacing", "_single", "_whole")

    def __init__(self) -> None:
        self._single: list[tuple[int, Order, Row]] = []  # of which instant
        self._whole: tuple[int, Order, Sequence[Row]] | None = None
        # Whole tellings with their instants, without those that another one has outdone: the later one was taken, the
        # earlier is its instant.
        self._replacing: list[tuple[Order, int]] = []

    def __iter__(self) -> Iterator[Row]:
        """The rows that count, in no order."""
        if self._whole is not None:
            yield from self._whole[2]
        for _, _, row in self._single:
            yield row

    def add(self, at: int, order: Order, row: Row) -> bool:
        """One row, told of an instant; whether it counts."""
        if self._is_replaced(at, order):
            return False
        self._single.append((at, order, row))
        return True

    def replace(self, at: int, order: Order, rows: Sequence[Row]) -> None:
        """All rows up to an instant."""
        if self._whole is None or (at, order) >= self._whole[:2]:
            self._whole = (at, order, rows)
        self._outdo(at, order)

    def join(self, other: Told[Row]) -> None:
        """All that was told there was told here."""
        if other._whole is not None and (self._whole is None or other._whole[:2] > self._whole[:2]):
            self._whole = other._whole
        for order, at in other._replacing:
            self._outdo(at, order)
        self._single += [row for row in other._single if not self._is_replaced(*row[:2])]

    def _is_replaced(self, at: int, order: Order) -> bool:
        """Whether a whole telling that came later speaks of an instant."""
        place = bisect_right(self._replacing, order, key=lambda each: each[0])
        return place < len(self._replacing) and at <= self._replacing[place][1]

    def _outdo(self, at: int, order: Order) -> None:
        """One more whole telling."""
        if self._is_replaced(at, order):
            return
        kept = [each for each in self._replacing if each[0] > order or each[1] > at]
        kept.insert(bisect_right(kept, order, key=lambda each: each[0]), (order, at))
        self._replacing = kept
        self._single = [row for row in self._single if row[1] > order or row[0] > at]
