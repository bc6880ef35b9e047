"""Why a contact is in a segment or not, as data and as text. Made by `segdsl.analysis.explain.explainer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from segdsl.analysis.explain.wording import clock, distance, text
from segdsl.core.program import BARE

Op = Literal["and", "or", "not", "test", "points"]
Paint = Callable[[str, str], str]
SHOWN = 3  # witnesses of one test


@dataclass(frozen=True)
class Witness:
    """An event or a stored value that an answer rests on.

    name: the event's or the attribute's name, as the catalog has it.
    at: when the event happened, in the project's time zone; None for values and for events without a time.
    value: the attribute's value (int, Decimal, float, bool, str, datetime, date, list; None: unknown); None for events.
    properties: the event's known properties, by the catalog's names; empty for values.
    is_event: whether it is an event, and not a value.
    """

    name: str
    at: datetime | None = None
    value: Any = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    is_event: bool = True

    def __str__(self) -> str:
        if not self.is_event:
            return f"{self.name} is {text(self.value)}"
        known = ", ".join(f"{name} {text(value)}" for name, value in self.properties.items())
        return "  ".join(part for part in (clock(self.at) if self.at else "", self.name, known) if part)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: instants as ISO text, decimals as text."""
        if not self.is_event:
            return {"attribute": self.name, "value": _data(self.value)}
        return {
            "event": self.name,
            "at": _data(self.at),
            "properties": {name: _data(value) for name, value in self.properties.items()},
        }


@dataclass(frozen=True)
class Reason:
    """One part of a rule, and why it is true or false. Times are in the project's time zone.

    op: `and`, `or`, `not` of its `parts`; one `test`, whose parts are the rule of the segment, the lines of the score
      or the periods that it refers to; a line of `points` of a score.
    words: the part as it was written.
    holds: its answer; for points, whether the line gives any.
    found: what there is, in words: `2 of 3`, `country is "DE"`; empty if the parts say it.
    missing: for a false test, what would make it true; empty if that is not simply told.
    before: what is missing has to come before this instant, as others leave the window then; None: at any time.
    points: what a line of a score gives; None for everything else.
    witness: the events and values behind the answer, the latest events first, at most a few; `more`: how many others.
    next_change: the first instant at which this part's answer flips with nothing new happening, or None.
    """

    op: Op
    words: str
    holds: bool
    found: str = ""
    missing: str = ""
    before: datetime | None = None
    points: int | Decimal | None = None
    witness: tuple[Witness, ...] = ()
    more: int = 0
    next_change: datetime | None = None
    parts: tuple[Reason, ...] = ()

    def walk(self) -> Iterator[Reason]:
        """This part and all inside it, in the order of the text."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: instants as ISO text, decimals as text."""
        found: dict[str, Any] = {"op": self.op, "words": self.words, "holds": self.holds}
        if self.points is not None:
            found["points"] = _data(self.points)
        return found | {
            "found": self.found,
            "missing": self.missing,
            "before": _data(self.before),
            "witness": [witness.as_dict() for witness in self.witness],
            "more": self.more,
            "next_change": _data(self.next_change),
            "parts": [part.as_dict() for part in self.parts],
        }


@dataclass(frozen=True)
class Explanation:
    """Why one contact is in one segment, or is not, at `now`. `str()` of it is the text for people.

    segment, title, words: the segment's name (`rule` for a bare rule), its title or "", and its rule as written.
    contact: the contact's id. now, next_change: in the project's time zone; see `Reason`.
    holds: whether the contact is in.
    reason: the tree of the rule's parts.
    """

    segment: str
    title: str
    words: str
    contact: str | int
    now: datetime
    holds: bool
    next_change: datetime | None
    reason: Reason

    def __str__(self) -> str:
        return self.text()

    def summary(self) -> str:
        """One line: in or out, and until when."""
        state = "is in" if self.holds else "is not in"
        name = "the rule" if self.segment == BARE else self.segment
        verb = "leaves" if self.holds else "enters"
        if self.next_change is None:
            then = "stays so if nothing new happens"
        else:
            when = f"{clock(self.next_change)}, {distance(self.now, self.next_change)},"
            then = f"{verb} on {when} if nothing new happens"
        return f"{self.contact} {state} {name}; {then}"

    def text(self, paint: Paint = lambda text, role: text, printable: Callable[[str], str] = str) -> str:
        """The whole tree. `paint(text, role)` may colour: roles are `yes`, `no`, `head`, `time`; `printable` takes
        what came from data or rules and gives what a terminal can show."""
        lines = [paint(printable(self.summary()), "head")]
        if self.title:
            lines.append(printable(f'  "{self.title}", asked at {clock(self.now)}'))
        else:
            lines.append(f"  asked at {clock(self.now)}")
        return "\n".join([*lines, *_lines(self.reason, self.now, 1, paint, printable)])

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "contact": self.contact,
            "segment": self.segment,
            "title": self.title,
            "rule": self.words,
            "now": _data(self.now),
            "holds": self.holds,
            "next_change": _data(self.next_change),
            "reason": self.reason.as_dict(),
        }


_MADE_OF = {"and": "all of these:", "or": "any of these:", "not": "not this:"}


def _lines(reason: Reason, now: datetime, depth: int, paint: Paint, printable: Callable[[str], str]) -> Iterator[str]:
    start, inside = "  " * depth, "  " * depth + "     "
    mark = paint("yes", "yes") + "  " if reason.holds else paint("no", "no") + "   "
    words = printable(" ".join(reason.words.split()))
    told = reason
    if reason.op == "not" and reason.parts[0].op == "test":
        told = reason.parts[0]  # one line for both: what is told of the test is told of its opposite
    elif reason.op in _MADE_OF:
        words = _MADE_OF[reason.op]
    elif reason.points is not None:
        words = f"{'+' if reason.points > 0 else ''}{reason.points} points: {words}"
    yield start + mark + words
    for line in (told.found, told.missing and f"missing: {told.missing}"):
        if line:
            yield inside + printable(line)
    for witness in told.witness:
        if witness.is_event:
            yield inside + "- " + printable(str(witness))
    if told.more:
        yield inside + f"- and {told.more} more"
    if reason.next_change is not None and (reason.op == "test" or told is not reason):
        answer = "no" if reason.holds else "yes"
        when = f"{clock(reason.next_change)}, {distance(now, reason.next_change)}"
        yield inside + paint(f"becomes {answer} on {when}, if nothing new happens", "time")
    for part in told.parts:
        yield from _lines(part, now, depth + 1, paint, printable)


def _data(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case list():
            return [_data(item) for item in value]
        case _:
            return value
