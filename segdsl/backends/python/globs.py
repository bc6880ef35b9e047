"""Globs as the cheapest Python test that decides them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from segdsl.core.nodes import Glob, Wild


def split(glob: Glob) -> list[list[str | Wild]]:
    """The stretches between runs (`*`): one if there is no run. Neighbouring literals are joined."""
    parts: list[list[str | Wild]] = [[]]
    for piece in glob:
        if piece is Wild.RUN:
            parts.append([])
        elif isinstance(piece, str) and parts[-1] and isinstance(parts[-1][-1], str):
            parts[-1][-1] += piece
        elif piece != "":
            parts[-1].append(piece)
    return parts


def literal(part: list[str | Wild]) -> str | None:
    """The text of a stretch without `?`, or None."""
    if not part:
        return ""
    return part[0] if len(part) == 1 and isinstance(part[0], str) else None


def pattern(glob: Glob) -> str:
    """A regular expression for `fullmatch` with DOTALL, whose time grows with the text, not with its powers.

    Each stretch between two runs may take its leftmost place for good (an atomic group): a later place
    leaves the rest less room and never more.
    """

    def text(part: list[str | Wild]) -> str:
        return "".join("." if piece is Wild.ONE else re.escape(str(piece)) for piece in part)

    parts = split(glob)
    if len(parts) == 1:
        return text(parts[0])
    return text(parts[0]) + "".join(f"(?>.*?{text(part)})" for part in parts[1:-1] if part) + ".*" + text(parts[-1])


def test(globs: Sequence[Glob], name: str, constant: Callable[[object], str], regex: Callable[[str], str]) -> list[str]:
    """Python expressions over the known text in variable `name`; the globs are matched if one of them holds.

    constant and regex: put a value, or a compiled pattern, among the module's constants and give its name.
    """
    exact: set[str] = set()
    prefixes: set[str] = set()
    suffixes: set[str] = set()
    infixes: set[str] = set()
    others: list[str] = []
    for glob in globs:
        match [literal(part) for part in split(glob)]:
            case [str(whole)]:
                exact.add(whole)
            case [str(prefix), ""]:
                prefixes.add(prefix)
            case ["", str(suffix)]:
                suffixes.add(suffix)
            case ["", str(infix), ""]:
                infixes.add(infix)
            case _:
                others.append(pattern(glob))
    tests: list[str] = []
    if len(exact) == 1:
        tests.append(f"{name} == {constant(exact.pop())}")
    elif exact:
        tests.append(f"{name} in {constant(frozenset(exact))}")
    if prefixes:
        tests.append(f"{name}.startswith({constant(tuple(sorted(prefixes)))})")
    if suffixes:
        tests.append(f"{name}.endswith({constant(tuple(sorted(suffixes)))})")
    tests += [f"{constant(infix)} in {name}" for infix in sorted(infixes)]
    tests += [f"{regex(other)}({name})" for other in others]
    return tests
