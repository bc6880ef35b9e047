"""The words of the language that a completion may offer, by where they stand."""

from __future__ import annotations

from segdsl import types
from segdsl.types import Type

# Functions that a property of events stands in, and those that take events alone; `first` and `last` take both.
OF_PROPERTIES = ("sum", "avg", "min", "max", "median", "distinct", "first", "last")
OF_EVENTS = ("count", "first", "last")
FUNCTIONS = ("count", "sum", "avg", "min", "max", "distinct", "first", "last", "median", "percentile")

# Where a test of a contact may begin.
BEGINNINGS = (
    "not", "in segment", "in list", "in sample 10% of", "everyone", "any event", "any of (", "anniversary of",
    *(f"{name}(" for name in FUNCTIONS),
)  # fmt: skip

WINDOWS = (
    "in 30d", "between 30d and 60d ago", "more than 30d ago", "since", "after", "before", "on", "today", "yesterday",
    "this week", "last week", "this month", "last month", "this year", "last year", "on the day 1d ago",
    "within 7d after", "within 7d before", "ever",
)  # fmt: skip
AHEAD = ("in next 30d", "in the future", "tomorrow", "next week", "next month", "on the day 1d ahead")
REGULARITY = ("in at least 3 of last 4 weeks",)

# The clauses of an event test come in this order: a phrase and its rank.
EVENT_CLAUSES: tuple[tuple[str, int], ...] = (
    ("where (", 1), (">=", 2), (">", 2), ("=", 2), ("<=", 2), ("<", 2), ("within 1h", 3), ("with same", 4),
    *((phrase, 5) for phrase in (*WINDOWS, *REGULARITY)),
)  # fmt: skip
RANKS = {
    "where": 1, ">=": 2, ">": 2, "=": 2, "<=": 2, "<": 2, "!=": 2, "times": 2, "to": 2, "within": 3, "with": 4,
    **{phrase.split()[0]: 5 for phrase in (*WINDOWS, *REGULARITY) if not phrase.startswith("within")},
}  # fmt: skip
SEQUENCE = ("then", "then not")
CHAIN_ENDS = ("all within 1d", "with same", "without")
JOINING = ("and", "or")

# Behind these more must come before anything else can.
HANGING = frozenset(
    [
        *("in", "on", "is", "than", "more", "between", "since", "after", "before", "within", "with", "same", "starts"),
        *("ends", "has", "was", "of", "at", "least", "ignoring", "next", "the", "changed", "contains", "matches"),
        *("where", "from", "to", "any", "all", "and", "last", "not", "per", "if", "km", "segment", "list", "sample"),
        *("without", "anniversary"),
    ]
)

_ORDER = ("=", "!=", "<", "<=", ">", ">=")
_KNOWN = ("is known", "is unknown")
_TEXT = ("starts with", "ends with", "contains", "matches", "not contains", "not starts with", "not ends with",
         "not matches")  # fmt: skip
HISTORY = ("changed", "changed to", "changed from", "was", "was ever")


def tests_of(type_: Type) -> tuple[str, ...]:
    """What may be asked of a value, to be written behind it."""
    match type_:
        case types.Bool():
            return (*_KNOWN, "=", "!=")
        case types.Number() | types.Float():
            return (*_ORDER, "in (", "not in (", *_KNOWN)
        case types.Enum():
            return ("=", "!=", "in (", "not in (", *_KNOWN, *_TEXT)
        case types.String():
            return ("=", "!=", "in (", "not in (", *_TEXT, *_KNOWN)
        case types.Timestamp() | types.Date():
            return (*WINDOWS, *AHEAD, *_ORDER, *_KNOWN)
        case types.Geo():
            return ("within 50 km of (", *_KNOWN)
        case types.ListOf():
            return ("has", "has any of (", "has all of (", *_KNOWN)
