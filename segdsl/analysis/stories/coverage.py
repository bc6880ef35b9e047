"""Which parts of rules the tests have made both true and false."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segdsl.analysis.stories.anatomy import Piece, pieces
from segdsl.core.nodes import EVERYONE, Part
from segdsl.core.program import Program

Seen = set[tuple[int, bool]]  # the identity of a part, and what it was


@dataclass(frozen=True, slots=True)
class Gap:
    """A part that no test made true (`missing` is True), or false."""

    part: Part
    missing: bool

    @property
    def file(self) -> str:
        """The rule file, as the user named it."""
        return self.part.source.name

    @property
    def line(self) -> int:
        """The line where the part begins, from 1."""
        return self.part.source.position(self.part.span.start)[0]

    @property
    def column(self) -> int:
        """The column where the part begins, from 1."""
        return self.part.source.position(self.part.span.start)[1]


@dataclass(frozen=True, slots=True)
class Covered:
    """A segment or score: how many tests it has, and what all tests leave open of `goals`, two for each part."""

    kind: str
    name: str
    tests: int
    goals: int
    gaps: tuple[Gap, ...]

    @property
    def reached(self) -> int:
        """How many of the goals some test has reached."""
        return self.goals - len(self.gaps)

    @property
    def percent(self) -> int:
        return percent(self.reached, self.goals)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The segments asked for and the scores that they use, in the order of the text."""

    covered: tuple[Covered, ...]

    @property
    def untested(self) -> list[str]:
        """The segments that no test block is about."""
        return [each.name for each in self.covered if each.kind == "segment" and not each.tests]

    @property
    def goals(self) -> int:
        return sum(each.goals for each in self.covered)

    @property
    def reached(self) -> int:
        return sum(each.reached for each in self.covered)

    @property
    def percent(self) -> int:
        return percent(self.reached, self.goals)


def percent(reached: int, goals: int) -> int:
    """Rounded down, so that 100 means all; 100 of nothing."""
    return 100 * reached // goals if goals else 100


def measure(
    program: Program, names: Sequence[str], tested: Sequence[str], asked: Mapping[str, Piece], seen: Seen
) -> Coverage:
    """The coverage of some segments.

    names: segments; the scores that they use come with them.
    tested: the segment of each test.
    asked: what the tests could look into; `seen` speaks of its parts.
    """
    tests = Counter(tested)
    wanted = pieces(program, names)
    chosen = [piece for name, piece in wanted.items() if piece.kind == "score" or name in names]
    covered = []
    for piece in sorted(chosen, key=_place):
        # What no test looks into has parts of its own here, and none of them was seen.
        parts = [part for part in asked.get(piece.name, piece).walk() if _is_goal(part)]
        gaps = [Gap(part, answer) for part in parts for answer in (True, False) if (id(part), answer) not in seen]
        covered.append(Covered(piece.kind, piece.name, tests[piece.name], 2 * len(parts), tuple(gaps)))
    return Coverage(tuple(covered))


def _place(piece: Piece) -> tuple[str, int]:
    return (piece.parts[0].source.name, piece.parts[0].span.start) if piece.parts else ("", 0)


def _is_goal(part: Part) -> bool:
    """Whether a part is to be both: `everyone` cannot, and a `not` or a line of a score is told by the part inside."""
    told_inside = part.op == "not" or (part.op == "test" and bool(part.parts))
    return not told_inside and part.rule != EVERYONE
