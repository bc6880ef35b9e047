"""ClickHouse's types as their own text: `LowCardinality(Nullable(String))`, `Tuple(a Int8, b Array(String))`."""

from __future__ import annotations

import re

_WRAPPED = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)|SimpleAggregateFunction\(\w+, (.*)\)", re.DOTALL)
_NAMED = re.compile(r"(`(?:[^`\\]|\\.)*`|[A-Za-z_]\w*) (.+)", re.DOTALL)


def plain(physical: str) -> str:
    """A type without what says nothing of its values: `Nullable`, `LowCardinality`, `SimpleAggregateFunction`."""
    kind = physical.strip()
    while wrapped := _WRAPPED.fullmatch(kind):
        kind = wrapped.group(1) or wrapped.group(2)
    return kind


def inside(kind: str) -> list[str]:
    """What stands between a type's parentheses, by its commas."""
    parts, depth, quote, part = [], 0, "", ""
    letters = iter(kind.partition("(")[2][:-1])
    for letter in letters:
        if quote:
            if letter == "\\":
                letter += next(letters, "")
            elif letter == quote:
                quote = ""
        elif letter in "'`":
            quote = letter
        elif letter == "," and not depth:
            parts.append(part.strip())
            part = ""
            continue
        else:
            depth += (letter == "(") - (letter == ")")
        part += letter
    return [*parts, part.strip()] if part.strip() else parts


def named(part: str) -> tuple[str, str]:
    """The name and the type of a tuple's element; without a name of its own it has none that could be asked for."""
    match = _NAMED.fullmatch(part)
    if match is None:
        return "", part
    name = match.group(1)
    return (re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith("`") else name), match.group(2)
