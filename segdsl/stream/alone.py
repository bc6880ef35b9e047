"""One contact followed by itself, with its lines: what can be put away, and taken up again somewhere else.

Where contacts are spread over machines there is no clock that all of them share. Each contact's is the later of its own
latest line and the watermark, the instant up to which the lines of everybody are taken to have come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from segdsl.core import nodes as core
from segdsl.core.story import Given, Listed
from segdsl.core.time import isoformat
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Alias, Flip, Line, Outcome, Voided, Whole
from segdsl.stream.reading import parse, read

# A line: the instant from which it counts (its own, or the clock's if it came late) and its text.
Kept = tuple[int, str]
UNREAD = -1  # the number of a line that the catalog does not know any more
SPARE = 8  # lines that it is not worth to look through


class Alone:
    """The lines of one contact, in the order in which they came, and an evaluator that has taken them.

    kept: its lines that a test may still ask for, and perhaps others.
    needed: how many of them it were when that was last looked at.
    fresh: how many at the end of `kept` came since it was made or put away. None: `kept` was made anew.
    """

    def __init__(self, rules: Evaluator, clock: int | None = None, kept: Iterable[Kept] = (), needed: int = 0) -> None:
        """rules: whose compiled rules serve this contact, too. The rest is what another one had."""
        self._evaluator = rules.another()
        self.kept: list[Kept] = list(kept)
        self._lines: list[Line] = []
        for at, text in self.kept:
            # What the catalog knows no more says nothing, but stays where it is.
            try:
                line = read(parse(text), rules.catalog, at, forgiving=True)
                assert isinstance(line, Line)
                self._lines.append(replace(line, number=len(self._lines), taken=at))
            except ValueError:
                self._lines.append(Line(at, "", (), number=UNREAD))
        self._numbers = len(self._lines)
        self.needed = needed
        self.fresh: int | None = 0
        if clock is not None:
            self._evaluator.restore(clock, (line for line in self._lines if line.number != UNREAD))
            self._evaluator.effects.clear()

    @property
    def clock(self) -> int | None:
        """Up to when everything is told of the contact, in microseconds since 1970 (UTC); None before it began."""
        return self._evaluator.clock

    @property
    def due(self) -> int | None:
        """The instant to which it is to be moved next if no line comes; None: nothing changes by itself."""
        return self._evaluator.due

    @property
    def inside(self) -> list[str]:
        """The segments that the contact is in at its clock, in the program's order."""
        return [segment for segment, _ in self._evaluator.members()]

    def advance(self, to: int) -> list[Flip]:
        """Move the clock to an instant, if that is ahead; the changes until then."""
        flips = self._evaluator.advance(to)
        self._void()
        return flips

    def take(self, texts: Iterable[str], limit: int | None = None) -> Outcome:
        """Take lines of the contact, in this order; those of an instant after `limit` wait for the clock."""
        told = Outcome()
        for text in texts:
            clock = self.clock
            try:
                fields = parse(text)
                line = read(fields, self._evaluator.catalog, clock)
                if isinstance(line, Line) and any(isinstance(step, Alias) for step in line.steps):
                    raise ValueError("`alias` makes one contact of two that are followed apart: name the contact")
            except ValueError as error:
                told.refused.append((text, str(error)))
                continue
            assert isinstance(line, Line)
            if fields.get("at") is None:
                text = json.dumps({**fields, "at": isoformat(line.at)})
            line = replace(line, number=self._numbers)
            self._numbers += 1
            self._lines.append(line)
            self.kept.append((line.at if clock is None else max(line.at, clock), text))
            if self.fresh is not None:
                self.fresh += 1
            told.flips += self._evaluator.push(line, limit)
            self._void()
        return told

    def thin(self) -> None:
        """Let go of lines that no test will ask for, when they may be half of all."""
        if len(self.kept) <= 2 * self.needed + SPARE:
            return
        needed = self._needed()
        self.needed = len(needed)
        if len(needed) < len(self.kept):
            self._keep(needed)

    # --- which lines matter --------------------------------------------------------------------------------------

    def _needed(self) -> list[int]:
        """The places in `kept` of lines that a test may ask for; the last one stays, so that the contact is known."""
        assert self.clock is not None
        newer: set[object] = set()
        taken = [place for place, line in enumerate(self._lines) if line.number != UNREAD and line.at <= self.clock]
        found = set(taken[-1:])
        # Of attributes and lists the latest line holds, and of those of one instant the one that came last.
        for place in sorted(range(len(self._lines)), key=lambda place: (self._lines[place].at, place), reverse=True):
            line = self._lines[place]
            if line.at > self.clock or self._evaluator.may_ask(line) or _sets(line, newer):
                found.add(place)
        return sorted(found)

    def _void(self) -> None:
        """Let go of what counted before a deletion that took effect."""
        for effect in self._evaluator.effects:
            assert isinstance(effect, Voided), "aliases are not taken"
            self._keep([
                place for place, (counts, _) in enumerate(self.kept)
                if (counts, self._lines[place].number) > (effect.at, effect.number)
            ])  # fmt: skip
        self._evaluator.effects.clear()

    def _keep(self, places: Sequence[int]) -> None:
        self.kept = [self.kept[place] for place in places]
        self._lines = [self._lines[place] for place in places]
        self.fresh = None


def _sets(line: Line, newer: set[object]) -> bool:
    """Whether a line says something that the newer ones do not; adds what it says."""
    said = False
    for step in line.steps:
        match step:
            case Given(of=core.Held()) | Whole():
                said = True
            case Given(of=what) | Listed(name=what):
                said |= what not in newer
                newer.add(what)
    return said
