"""What comes in, and what goes out: one contact's news, and who entered or left."""

from __future__ import annotations

from dataclasses import dataclass

from segdsl.core.story import Given, Happened, Listed


@dataclass(frozen=True, slots=True)
class Gone:
    """The contact is deleted: it is in no segment, and nothing is known of it."""


Step = Given | Listed | Happened | Gone


@dataclass(frozen=True, slots=True)
class Line:
    """News of one contact, all of one instant; `at` is microseconds since 1970 (UTC).

    id: of an event, by which deliveries of one kind are told apart; None: each is an event of its own.
    number: by which a state file knows the line.
    """

    at: int
    contact: str | int
    steps: tuple[Step, ...]
    id: str | int | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Flip:
    """A contact entered a segment, or left it, at an instant (microseconds since 1970, UTC)."""

    at: int
    segment: str
    contact: str | int
    entered: bool
