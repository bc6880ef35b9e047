"""Times out of texts by arithmetic, for databases whose own casts raise, round, or take too much for a time."""

from __future__ import annotations

from abc import abstractmethod

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, template
from segdsl.backends.sql.dialects.dialect import Dialect

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = rf"{DAY}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,9}})?)?"
OFFSET = r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)"
MIDNIGHT = DAY + r"([Tt ]00:00(:00(\.0{1,9})?)?[Zz]?)?"  # how databases write a date as a time


class ReadsTexts(Dialect):
    """Adds `micros_from_text` and `midnight_from_text` to a dialect that can match a pattern."""

    @abstractmethod
    def matches(self, x: Node, pattern: str) -> Node:
        """Whether the whole of a text fits a pattern: of ASCII classes, groups, alternatives and counts only."""

    @abstractmethod
    def quotient(self, x: Node, divisor: int) -> Node:
        """A whole number that is not negative divided by another one, without what remains."""

    def digits(self, x: Node, start: int, length: int) -> Node:
        """Digits at a place in a text, counted from 1, as a whole number."""
        return b.cast(self.piece(x, start, length), "BIGINT")

    def piece(self, x: Node, start: int, length: int) -> Node:
        """A part of a text."""
        return template("SUBSTRING(_x, _s, _n)", x=x, s=b.number(start), n=b.number(length))

    def micros_from_text(self, x: Node) -> Node:
        """ISO text as microseconds since 1970; NULL if it is none. Without an offset (`has_offset`) it is UTC."""
        day = b.case([(self._is_day(x), self._days(x))])
        midnight = template("_d * 86400000000", d=day)
        clock = template("_d * 86400000000 + _t", d=day.copy(), t=self._time_of_day(x))
        shifted = template("_c - _o * 60000000", c=clock.copy(), o=self._offset(x))
        return b.case([
            (self.matches(x.copy(), DAY), midnight), (self.matches(x.copy(), CLOCK), clock),
            (self.matches(x.copy(), CLOCK + OFFSET), shifted),
        ])  # fmt: skip

    def has_offset(self, x: Node) -> Node:
        """Whether a text is a time with an offset of its own."""
        return self.matches(x, CLOCK + OFFSET)

    def midnight_from_text(self, x: Node) -> Node:
        """A day as text, or as a time at midnight, as the microseconds of its midnight in UTC; NULL if it is none."""
        right = b.conjunction([self.matches(x.copy(), MIDNIGHT), self._is_day(x)])
        return b.case([(right, template("_d * 86400000000", d=self._days(x.copy())))])

    # --- pieces of a text that fits -------------------------------------------------------------------------------

    def _is_day(self, x: Node) -> Node:
        """Whether the calendar has the day with which a text begins."""
        year, month, day = self.digits(x, 1, 4), self.digits(x, 6, 2), self.digits(x, 9, 2)
        leap = template("_y % 4 = 0 AND (_y % 100 <> 0 OR _y % 400 = 0)", y=year)
        longest = template(
            "CASE WHEN _m IN (4, 6, 9, 11) THEN 30 WHEN _m = 2 AND _leap THEN 29 WHEN _m = 2 THEN 28 ELSE 31 END",
            m=month, leap=leap,
        )  # fmt: skip
        return template("_y >= 1 AND _m BETWEEN 1 AND 12 AND _d BETWEEN 1 AND _l", y=year, m=month, d=day, l=longest)

    def _days(self, x: Node) -> Node:
        """Days from 1970-01-01 to the day with which a text begins.

        Years are counted from March, so that a leap day is a year's last.
        """
        year, month, day = self.digits(x, 1, 4), self.digits(x, 6, 2), self.digits(x, 9, 2)
        early = template("CASE WHEN _m < 3 THEN 1 ELSE 0 END", m=month)
        year = template("_y - _e", y=year, e=early)
        month = template("_m + 12 * _e - 3", m=month, e=early.copy())
        leaps = [self.quotient(year.copy(), n) for n in (4, 100, 400)]
        return template(
            "365 * _y + _a - _b + _c + _m + _d - 719469", y=year, a=leaps[0], b=leaps[1], c=leaps[2],
            m=self.quotient(template("153 * _m + 2", m=month), 5), d=day,
        )  # fmt: skip

    def _time_of_day(self, x: Node) -> Node:
        """Microseconds since midnight."""
        seconds = template("CASE WHEN _c = ':' THEN _s ELSE 0 END", c=self.piece(x, 17, 1), s=self.digits(x, 18, 2))
        # The first six digits behind the point count; an offset's digits stand behind its sign.
        fraction: Node = b.number(0)
        for i in reversed(range(6)):
            fraction = template(
                "CASE WHEN _c BETWEEN '0' AND '9' THEN _d * _p + _rest ELSE 0 END", c=self.piece(x, 21 + i, 1),
                d=self.digits(x, 21 + i, 1), p=b.number(10 ** (5 - i)), rest=fraction,
            )  # fmt: skip
        fraction = template("CASE WHEN _c = '.' THEN _f ELSE 0 END", c=self.piece(x.copy(), 20, 1), f=fraction)
        return template(
            "(_h * 3600 + _m * 60 + _s) * 1000000 + _f",
            h=self.digits(x.copy(), 12, 2), m=self.digits(x.copy(), 15, 2), s=seconds, f=fraction,
        )  # fmt: skip

    def _offset(self, x: Node) -> Node:
        """Minutes by which clocks of the text's offset are ahead of UTC."""
        length = template("LENGTH(_x)", x=x)

        def last(n: int, count: int) -> Node:
            return template("SUBSTRING(_x, _l - _n, _c)", x=x, l=length, n=b.number(n - 1), c=b.number(count))

        def minutes(n: int, hours: int, rest: int | None) -> Node:
            sign = template("CASE WHEN _s = '-' THEN -1 ELSE 1 END", s=last(n, 1))
            parts = template("_h * 60", h=b.cast(last(hours, 2), "BIGINT"))
            if rest is not None:
                parts = template("_p + _m", p=parts, m=b.cast(last(rest, 2), "BIGINT"))
            return template("_s * _p", s=sign, p=parts)

        # +02:00, +0200, +02, and Z for the rest
        signs = template("_s IN ('+', '-')", s=last(6, 1)), template("_s IN ('+', '-')", s=last(5, 1))
        return b.case(
            [(signs[0], minutes(6, 5, 2)), (signs[1], minutes(5, 4, 2)),
             (template("_s IN ('+', '-')", s=last(3, 1)), minutes(3, 2, None))], b.number(0),
        )  # fmt: skip
