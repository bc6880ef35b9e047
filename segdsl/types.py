"""The types of values (language reference, section 9), and how one value is held in Python.

| type | Python value |
|---|---|
| `Bool` | `bool` |
| `Number` (int, decimal) | `int`, scaled: 12.50 of decimal(18,2) is 1250 |
| `Float` | `float`, never NaN nor -0.0 |
| `String`, `Enum` | `str` |
| `Timestamp`, `Date` | `int`, microseconds since 1970-01-01 UTC; a date is its first instant in the project's zone |
| `Geo` | `(latitude, longitude)` in degrees, two `float` |
| `ListOf` | `tuple[str, ...]` |

Unknown is `None` in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bool:
    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number: `limit` is the largest absolute value of the scaled integer.

    The limit lets the checker prove that no sum or product outgrows what every engine holds exactly.
    """

    scale: int
    limit: int

    def __str__(self) -> str:
        if self == INT:
            return "int"
        precision = len(str(self.limit))
        # a declared decimal ends in nines; anything else is the size of a literal, a count or a result
        return f"decimal({precision},{self.scale})" if self.limit == 10**precision - 1 else "number"


@dataclass(frozen=True, slots=True)
class Float:
    def __str__(self) -> str:
        return "float"


@dataclass(frozen=True, slots=True)
class String:
    def __str__(self) -> str:
        return "string"


@dataclass(frozen=True, slots=True)
class Enum:
    """Text out of a declared list; the order of the list is the order of `first` and `last`."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return "enum"


@dataclass(frozen=True, slots=True)
class Timestamp:
    def __str__(self) -> str:
        return "timestamp"


@dataclass(frozen=True, slots=True)
class Date:
    def __str__(self) -> str:
        return "date"


@dataclass(frozen=True, slots=True)
class Geo:
    def __str__(self) -> str:
        return "geo"


@dataclass(frozen=True, slots=True)
class ListOf:
    """`list<string>`."""

    def __str__(self) -> str:
        return "list<string>"


Type = Bool | Number | Float | String | Enum | Timestamp | Date | Geo | ListOf

INT = Number(0, 2**63 - 1)


def decimal(precision: int, scale: int) -> Number:
    """The type `decimal(precision,scale)`."""
    return Number(scale, 10**precision - 1)
