"""Values out of JSON for the dialects that are written for people: checked as everywhere else, type by type."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import EPOCHS
from segdsl.backends.sql.dialects.emitted import Emitted
from segdsl.backends.sql.dialects.texts import CLOCK, DAY, MIDNIGHT, OFFSET, PLAIN
from segdsl.core.time import FIRST, LAST
from segdsl.types import INT, Type

Kind = Literal["string", "number", "boolean", "array"]

PLAIN_TIME = "-?0*[0-9]{1,18}([.][0-9]+)?"  # what a number of microseconds may look like
WIDTH = "0000-00-00 00:00:00.000000"  # a clock as every database reads it


class ReadsJSON(Emitted):
    """Adds what is asked of columns inside JSON. What the dialect has for it is asked for one by one."""

    @abstractmethod
    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        """The JSON value under keys of a column that holds JSON, as text or as the database's own type."""

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        return self.from_json(x, declared, zone) if physical == "JSON" else super().convert(x, physical, declared, zone)

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        if physical != "JSON":
            return super().epoch(x, physical, unit)
        number = self.cast(self.scalar(x), "DECIMAL(38, 11)")
        scaled = self.sql("FLOOR(_x * _n)", x=number, n=b.number(EPOCHS[unit]))
        limits = exp.Between(this=scaled, low=b.number(FIRST), high=b.number(LAST))
        moment = b.case([(limits, self.since_1970(self.cast(scaled.copy(), "BIGINT")))])
        return b.case([(self.matches(self.scalar(x.copy()), PLAIN_TIME), moment)])

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        if physical != "JSON":
            return super().clock(x, physical, zone)
        return b.case([(self.is_json(x, "string"), self.instant_from_text(self.words(x.copy()), zone))])

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        return self.scalar(x) if physical == "JSON" else super().key(x, physical, whole)

    # --- texts ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def safe(self, x: Node, kind: str) -> Node:
        """A text as a type that DuckDB spells so; NULL where it is none."""

    @abstractmethod
    def matches(self, x: Node, pattern: str) -> Node:
        """Whether the whole of a text fits a pattern: of ASCII classes, groups, alternatives and counts only."""

    @abstractmethod
    def found(self, x: Node, pattern: str) -> Node:
        """The first piece of a text that fits a pattern without groups; NULL or empty if there is none."""

    @abstractmethod
    def shifted(self, x: Node, minutes: Node) -> Node:
        """The instant at which a clock shows x that is so many minutes ahead of UTC."""

    def instant_from_text(self, x: Node, zone: str) -> Node:
        """ISO text, cut to the microsecond; a day is its midnight, and a clock without an offset is one of `zone`."""
        offset = self.sql("RPAD(COALESCE(REPLACE(_o, ':', ''), ''), 5, '0')", o=self.found(x, "[+-][0-9:]+$"))
        minutes = self.sql(
            "CASE WHEN SUBSTRING(_o, 1, 1) = '-' THEN -1 ELSE 1 END * (_h * 60 + _m)", o=offset,
            h=self.cast(self.sql("SUBSTRING(_o, 2, 2)", o=offset.copy()), "BIGINT"),
            m=self.cast(self.sql("SUBSTRING(_o, 4, 2)", o=offset.copy()), "BIGINT"),
        )  # fmt: skip
        ahead = self.found(x.copy(), "^[0-9-]{10}[^Zz+-]*")
        return b.case([
            (self.matches(x.copy(), f"{DAY}|{CLOCK}"), self.from_local(self.clock_from_text(x.copy()), zone)),
            (self.matches(x.copy(), CLOCK + OFFSET), self.shifted(self.clock_from_text(ahead), minutes)),
        ])  # fmt: skip

    def clock_from_text(self, x: Node) -> Node:
        """A clock out of text that looks like one; NULL where the calendar has no such day."""
        shown = self.sql("SUBSTRING(REPLACE(UPPER(_x), 'T', ' '), 1, 26)", x=x)
        full = self.sql("CONCAT(_s, SUBSTRING(_w, LENGTH(_s) + 1))", s=shown, w=b.literal(WIDTH))
        return self.safe(full, self.clock_type or self.instant_type)

    def number_from_text(self, x: Node, declared: types.Number) -> Node:
        """A number that is written as exactly one; NULL if it is none, or too large."""
        if declared == INT:
            fits = exp.Between(
                this=self.cast(x.copy(), "DECIMAL(38, 0)"), low=b.number(-INT.limit - 1), high=b.number(INT.limit)
            )
            return b.case([(self.matches(x, "-?0*[0-9]{1,19}"), b.case([(fits, self.cast(x.copy(), "BIGINT"))]))])
        scale, whole = declared.scale, max(len(str(declared.limit)) - declared.scale, 0)
        fraction = rf"([.][0-9]{{1,{scale}}}0*)?" if scale else ""
        pattern = f"-?0*[0-9]{{1,{whole}}}{fraction}" if whole else f"-?0+{fraction}"
        return b.case([(self.matches(x, pattern), self.cast(x.copy(), self.physical_of(declared)))])

    # --- JSON ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def is_json(self, x: Node, kind: Kind) -> Node:
        """Whether a JSON value is of a kind."""

    @abstractmethod
    def words(self, x: Node) -> Node:
        """A JSON string without its quotes, or the text of a number or a boolean."""

    @abstractmethod
    def json_of(self, x: Node) -> Node:
        """A text as JSON; NULL if it is none."""

    @abstractmethod
    def list_of(self, x: Node) -> Node:
        """The strings of a JSON array, as a list."""

    def scalar(self, x: Node) -> Node:
        """The text of a JSON string or number."""
        return b.case([(b.disjunction([self.is_json(x, "string"), self.is_json(x.copy(), "number")]), self.words(x))])

    def from_json(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of JSON: as its text would be read if it is a JSON string, else by its JSON type."""
        string, words = self.is_json(x, "string"), self.words(x.copy())
        match declared:
            case types.Bool():
                said = self.sql("CASE _w WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", w=words)
                return b.case([(b.disjunction([string, self.is_json(x.copy(), "boolean")]), said)])
            case types.Number():
                return b.case([(string, self.number_from_text(words, declared)),
                               (self.is_json(x.copy(), "number"), self.number_of(words.copy(), declared))])  # fmt: skip
            case types.Float() | types.Geo():
                double = self.sql("_d + 0e0", d=self.safe(words, "DOUBLE"))
                return b.case([(b.conjunction([string, self.matches(words.copy(), PLAIN)]), double),
                               (self.is_json(x.copy(), "number"), double.copy())])  # fmt: skip
            case types.Timestamp():
                return b.case([(string, self.instant_from_text(words, "UTC"))])
            case types.Date():
                day = self.clock_from_text(self.sql("SUBSTRING(_w, 1, 10)", w=words))
                right = b.conjunction([string, self.matches(words.copy(), MIDNIGHT)])
                return self.from_local(b.case([(right, day)]), zone)
            case types.ListOf():
                inner = b.case([(string, self.json_of(words))], x.copy())
                return b.case([(self.is_json(inner, "array"), self.list_of(inner.copy()))])
        return self.labelled(b.case([(string, words)]), declared)

    def number_of(self, words: Node, declared: types.Number) -> Node:
        """A number out of a JSON number: digits as they stand, and else a double, rounded half away from zero."""
        return b.case([(self.matches(words, "-?[0-9]+"), self.number_from_text(words.copy(), declared))],
                      self.from_double(words.copy(), declared))  # fmt: skip

    def shortest(self, words: Node) -> Node:
        """The shortest text of the double that a JSON number stands for."""
        return self.cast(self.safe(words, "DOUBLE"), "VARCHAR")

    def from_double(self, words: Node, declared: types.Number) -> Node:
        """A number by way of a double: whole for an int, else its shortest decimal text, rounded."""
        double = self.safe(words, "DOUBLE")
        if declared == INT:
            fits = self.sql("_d = FLOOR(_d) AND _d >= _lo AND _d < _hi", d=double,
                            lo=b.double(-(2.0**63)), hi=b.double(2.0**63))  # fmt: skip
            return b.case([(fits, self.cast(double.copy(), "BIGINT"))])
        rounded = self.safe(self.shortest(words.copy()), f"DECIMAL(38, {declared.scale})")
        low, high = (self.number(sign * declared.limit, declared.scale) for sign in (-1, 1))
        fits = exp.Between(this=rounded, low=low, high=high)
        return b.case([(fits, self.cast(rounded.copy(), self.physical_of(declared)))])
