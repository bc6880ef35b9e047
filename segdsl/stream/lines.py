"""What comes in, and what goes out: one contact's news, and who entered or left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from segdsl.core.nodes import Attribute
from segdsl.core.story import Given, Happened, Listed
from segdsl.types import Type


@dataclass(frozen=True, slots=True)
class Gone:
    """The contact is deleted: it is in no segment, and nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Alias:
    """What was and will be recorded under another id is the contact's."""

    name: str | int


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows of an attribute's history, or all events of a kind without a time, up to `at`: see `told`.

    of: the attribute's key and type; the kind's key and None. rows: each with its instant (0 without a time), and the
    value or the properties.
    """

    at: int
    of: tuple[str, Type | None]
    rows: tuple[tuple[int, object], ...] | tuple[tuple[int, Mapping[str, object]], ...]


Step = Given | Listed | Happened | Gone | Alias | Whole


@dataclass(frozen=True, slots=True)
class Line:
    """News of one contact, all of one instant; `at` is microseconds since 1970 (UTC).

    id: of an event, by which deliveries of one kind are told apart; None: each is an event of its own.
    number: of lines that came later it is greater; a state file knows the line by it.
    taken: the instant from which a stored line counts: its own, or the clock's if it came late. None: the clock's.
    """

    at: int
    contact: str | int
    steps: tuple[Step, ...]
    id: str | None = None
    number: int = 0
    taken: int | None = None

    @property
    def registers(self) -> bool:
        """Whether the line is about the contact itself: its attributes, or none, which says that it is there."""
        return all(isinstance(step, Given) and isinstance(step.of, Attribute) for step in self.steps)

    @property
    def happened(self) -> bool:
        """Whether it is an event with a time."""
        return any(isinstance(step, Happened) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Voided:
    """An effect on stored lines: those of a contact that counted by an instant, up to a number, are void.

    events: what happened to it, under whatever id, too.
    """

    contact: str | int
    at: int
    number: int
    events: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """An effect on stored lines: those of one contact are another's; `events`: its events alone."""

    name: str | int
    contact: str | int
    events: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """An effect on stored lines: one that waited for its time says what has become impossible meanwhile."""

    line: Line
    reason: str


Effect = Voided | Moved | Refused


@dataclass(frozen=True, slots=True)
class Flip:
    """A contact entered a segment, or left it, at an instant (microseconds since 1970, UTC)."""

    at: int
    segment: str
    contact: str | int
    entered: bool

    @property
    def change(self) -> Literal["entered", "left"]:
        """The word for it, as lines and tables have it."""
        return "entered" if self.entered else "left"


@dataclass
class Outcome:
    """What lines led to: the changes, in the order of time, and the lines that cannot be read, each with the reason."""

    flips: list[Flip] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
