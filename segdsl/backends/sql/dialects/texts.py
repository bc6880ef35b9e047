"""What a text must look like to be a time or a number (docs/language.md, Types), as regular expressions.

They stand before the casts of databases that raise, round, or take too much for a value. Each is of ASCII classes,
groups, alternatives and counts only, so that every engine of regular expressions reads it alike, and each describes a
whole text. A day may be one that the calendar does not have: that is left to the cast.
"""

from __future__ import annotations

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = rf"{DAY}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,9}})?)?"
OFFSET = r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)"
MIDNIGHT = DAY + r"([Tt ]00:00(:00(\.0{1,9})?)?[Zz]?)?"  # how databases write a date as a time
PLAIN = "-?[0-9]+([.][0-9]+)?"  # a number without an exponent
