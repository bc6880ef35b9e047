"""The stream as a program uses it: lines in, changes out, with or without a state file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import from_datetime, to_zoned
from segdsl.stream.follower import Fields, Follower
from segdsl.stream.lines import Flip
from segdsl.stream.reading import parse


@dataclass(frozen=True)
class Change:
    """A contact entered a segment, or left it.

    at: when that became true, in the project's time zone; where a late line caused it, the stream's own time.
    """

    at: datetime
    segment: str
    contact: str | int
    entered: bool


class Stream:
    """Who enters and who leaves, from line to line; made by `Project.follow`. To be closed, or used in `with`.

    At every instant the members are those that `Database.members` would give at that instant over the lines that have
    come. Not to be shared between threads. With a state file each `push` and `advance` is one transaction, and a
    stream that is opened on the file again goes on where that one stopped.

    resumed: the changes, at the stream's time, that other rules or another project file than those of the state have
      led to.

    Raises `segdsl.Errors` (SEG0728) for a file that cannot be used, here and in every method. After that the stream
    must be opened again: what it did not save is forgotten.
    """

    def __init__(self, catalog: Catalog, program: Program, state: Path | None = None) -> None:
        self.follower = Follower(catalog, program, state)
        self._zone = catalog.timezone
        self.resumed = self._changes(self.follower.resumed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the state file."""
        self.follower.close()

    @property
    def now(self) -> datetime | None:
        """The stream's own time, in the project's time zone: everything until then is told. None before it began."""
        clock = self.follower.clock
        return None if clock is None else to_zoned(clock, self._zone)

    @property
    def passed(self) -> Counter[str]:
        """Properties of events that the project file does not declare, and that were passed over, each with how often.

        By `event.property`, of all lines that this stream has taken.
        """
        return self.follower.passed

    @property
    def dropped(self) -> int:
        """How many stored lines are of events that the project file does not have any more."""
        return self.follower.dropped

    def push(self, event: Fields | str) -> list[Change]:
        """Take one line: a mapping with its fields, or its JSON text. The changes until its instant, in order.

        It moves the stream's time to its own if that is ahead; a late line counts from now on. Its fields are those of
        event lines in docs/follow.md. Properties of events that the catalog does not declare are passed over, and
        counted in `passed`. Raises ValueError for a line that says nothing that the catalog knows, which is not taken.
        """
        fields = parse(event) if isinstance(event, str) else event
        self.follower.read(fields)  # so that it raises before anything is taken
        return self._changes(self.follower.take([(fields, "")]).flips)

    def advance(self, now: datetime) -> list[Change]:
        """Move the stream's time to an instant, if that is ahead. The changes until then, in order.

        Raises ValueError for a time without time zone.
        """
        return self._changes(self.follower.take([(from_datetime(now), "")]).flips)

    def members(self) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact)` of all who are in now, in no order."""
        return self.follower.members()

    def _changes(self, flips: Iterable[Flip]) -> list[Change]:
        return [Change(to_zoned(flip.at, self._zone), flip.segment, flip.contact, flip.entered) for flip in flips]
