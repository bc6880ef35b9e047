"""Lengths of time as options."""

from __future__ import annotations

import re
from typing import Any

import click

from segdsl.core.time import DAY, MICROSECONDS

LONGEST = 36525 * DAY  # what lies so far back is a whole number for every database


class Length(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """`5s`, `10min`, `90d`: a whole number and a unit; in microseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The length that a text says. Raises click's usage error for any other text."""
        found = re.fullmatch(r"([0-9]{1,9})\s*(ms|s|min|h|d|w)", value) if isinstance(value, str) else None
        if found is None:
            return value if isinstance(value, int) else self.fail(f"{value!r} is no time; write 5s, 10min, 2h or 90d")
        length = int(found[1]) * MICROSECONDS[found[2]]
        return length if length <= LONGEST else self.fail(f"{value!r} is longer than 100 years")
