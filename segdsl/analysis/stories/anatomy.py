"""Rules taken apart: each part of a rule asked by itself, about one contact at one instant.

The program is compiled once more with every part of some segments and scores as a rule to ask for besides, and the
values that a part looks at as values to ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from segdsl import types
from segdsl.backends.python import compile_program
from segdsl.backends.python.index import Index
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.nodes import EVERYONE, Part
from segdsl.core.program import Program, needed
from segdsl.core.time import clamp, to_datetime
from segdsl.core.walking import children, walk

_MOST_OPENED = 40  # segments and scores in one picture of a rule: more is no picture


@dataclass(frozen=True, slots=True)
class Verdict:
    """A part of a rule at an instant.

    op: how its parts are joined, `test` for a single test (which has parts if it asks another segment or score).
    words: the part as it was written.
    holds: whether it was true.
    found: what it looked at, `count is 2`; "" where there is nothing to add.
    """

    op: str
    words: str
    holds: bool
    found: str
    parts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment or score taken apart: its rule as one part, or its lines as one part each."""

    kind: str
    name: str
    parts: tuple[Part, ...]

    def walk(self) -> Iterator[Part]:
        """All parts, in the order of the text."""
        for part in self.parts:
            yield from part.walk()


def line_part(award: core.Award) -> Part | None:
    """A line of a score as a test: an `if` line holds if its rule does, a `per` line if it gives any points.

    A rule of several parts stands inside the line, and is the same again.
    """
    if award.source is None or award.span is None:
        return None
    if award.outline is not None:
        inner = () if award.outline.op == "test" else (award.outline,)
        return Part("test", award.outline.rule, award.words, award.source, award.span, inner)
    if award.per is None:
        return None
    rule = core.Compare(">", award.per, core.Const(0, types.INT))
    return Part("test", rule, award.words, award.source, award.span)


def pieces(program: Program, names: Iterable[str]) -> dict[str, Piece]:
    """Some segments and all segments and scores that they refer to, by name, in the program's order."""
    asked = needed(program, names)
    found: dict[str, Piece] = {}
    for name, segment in asked.segments.items():
        if segment.outline is not None:
            found[name] = Piece("segment", name, (segment.outline,))
    for name, score in asked.scores.items():
        parts = (line_part(award) for award in score.awards)
        found[name] = Piece("score", name, tuple(part for part in parts if part is not None))
    return found


class Anatomy:
    """Some segments of a program, and what they refer to, ready to be asked part by part.

    zone: the project's time zone, in which instants are shown.
    """

    def __init__(self, program: Program, names: Iterable[str], zone: str) -> None:
        self.pieces = pieces(program, names)
        self._program = program
        self._zone = ZoneInfo(zone)
        self._reached: dict[str, list[str]] = {}
        parts = [part for piece in self.pieces.values() for part in piece.walk()]
        values = dict.fromkeys(value for part in parts for value in _shown(part) if isinstance(value, Computed))
        self._compiled = compile_program(program, list(values), [part.rule for part in parts])
        # Parts are told apart by identity: two equal ones are still written in two places.
        self._rules = {id(part): number for number, part in enumerate(parts)}
        self._values = {value: number for number, value in enumerate(values)}

    def reached(self, segment: str) -> list[Piece]:
        """The segment, and what it asks, directly or not."""
        if segment not in self._reached:
            self._reached[segment] = list(pieces(self._program, [segment]))
        return [self.pieces[name] for name in self._reached[segment]]

    def index(self, facts: Facts) -> Index:
        """A contact's facts, arranged once for all questions about them."""
        return self._compiled.index(facts)

    def holds(self, part: Part, index: Index, now: int) -> bool:
        """Whether a part of one of `pieces` is true."""
        return self._compiled.rule(self._rules[id(part)])(index, now)

    def verdict(self, segment: str, facts: Facts, now: int) -> Verdict:
        """A segment's rule part by part; segments and scores that it asks are opened, each where it comes first."""
        [part] = self.pieces[segment].parts
        return self._verdict(part, facts, self.index(facts), now, {segment})

    def _verdict(self, part: Part, facts: Facts, index: Index, now: int, opened: set[str]) -> Verdict:
        parts = [self._verdict(each, facts, index, now, opened) for each in part.parts]
        if part.op == "test":
            for node in walk(part.rule):
                if not isinstance(node, core.InSegment | core.ScoreOf) or node.name in opened:
                    continue
                if len(opened) < _MOST_OPENED:
                    opened.add(node.name)
                    parts += [self._verdict(each, facts, index, now, opened) for each in self.pieces[node.name].parts]
        found = "; ".join(self._found(value, facts, index, now) for value in _shown(part))
        return Verdict(part.op, part.words, self.holds(part, index, now), found, tuple(parts))

    def _found(self, value: Telling, facts: Facts, index: Index, now: int) -> str:
        match value:
            case core.Attribute(key=key, relation=relation):
                name = f"{relation}.{key}" if relation else key
                return f"{name} is {self._text(facts.attributes.get((relation, key)), value.type)}"
            case core.Held(key=key, at=at):
                then = at.resolve(now)
                held = [known for instant, known in facts.history.get(key, ()) if instant <= then]
                return f"{key} {'is' if then == now else 'was'} {self._text(held[-1] if held else None, value.type)}"
            case core.Measure() | core.ScoreOf() | core.Points():
                shown = self._text(self._compiled.value(self._values[value])(index, now), value.type)
                if isinstance(value, core.Points):  # a regularity: in so many of its periods
                    return f"{shown} of them"
                return f"{value.name if isinstance(value, core.ScoreOf) else value.kind} is {shown}"

    def _text(self, value: object, type_: types.Type) -> str:
        """A value as an author would write it."""
        match type_, value:
            case _, None:
                return "unknown"
            case types.Number(), int():
                sign, digits = "-" if value < 0 else "", str(abs(value)).rjust(type_.scale + 1, "0")
                return sign + (f"{digits[: -type_.scale]}.{digits[-type_.scale :]}" if type_.scale else digits)
            case types.Timestamp(), int():
                return self._clock(value).isoformat()
            case types.Date(), int():
                return self._clock(value).date().isoformat()
            case types.Bool(), bool():
                return "true" if value else "false"
            case types.ListOf(), tuple():
                return "(" + ", ".join(f'"{item}"' for item in value) + ")"
            case ((types.String() | types.Enum()), str()):
                return f'"{value}"'
            case _:
                return str(value)

    def _clock(self, instant: int) -> datetime:
        """What the clocks of the project show; UTC at the two ends of the calendar."""
        moment = to_datetime(clamp(instant))
        try:
            return moment.astimezone(self._zone)
        except OverflowError:
            return moment


Computed = core.ScoreOf | core.Points | core.Measure
Telling = core.Attribute | core.Held | Computed
_COUNTED = (types.Number, types.Timestamp, types.Date)


def _shown(part: Part) -> list[Telling]:
    """The values that tell why a test came out as it did: attributes, scores, and numbers and instants over events."""
    if part.op != "test" or part.parts or part.rule == EVERYONE:
        return []
    found: list[Telling] = []
    _collect(part.rule, found)
    return list(dict.fromkeys(found))


def _collect(node: core.Node, found: list[Telling]) -> None:
    match node:
        case core.Attribute() | core.Held() | core.ScoreOf():
            found.append(node)
        case core.Measure() if isinstance(node.type, _COUNTED):
            found.append(node)
            _anchors(node.events, found)
        case core.Points():
            found.append(node)
        case core.Measure():
            _anchors(node.events, found)
        case core.Chain():
            return
        case _:
            for child in children(node):
                _collect(child, found)


def _anchors(events: core.Events, found: list[Telling]) -> None:
    """`within 7d after signup date` hangs on an instant, too."""
    if isinstance(events.span, core.Anchored):
        _collect(events.span.anchor, found)
