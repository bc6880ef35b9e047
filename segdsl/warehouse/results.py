"""What a refresh found: for each segment who enters and who leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Member = str | int
Change = Literal["entered", "left"]
Status = Literal["same", "new", "changed", "removed"]
SHOWN = 5  # names of each segment that are told


@dataclass
class SegmentRefresh:
    """What a refresh changes of one segment.

    status: what became of its definition since the last refresh.
    size: members afterwards. entered, left: how many. corrected: how many of these only `full` has found.
    names: the first few of those who enter and of those who leave, by key.
    """

    segment: str
    status: Status
    size: int = 0
    entered: int = 0
    left: int = 0
    corrected: int = 0
    names: dict[Change, list[Member]] = field(default_factory=lambda: {"entered": [], "left": []})

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell: somebody enters or leaves, or the definition is another."""
        return bool(self.entered or self.left or self.status != "same")


@dataclass(frozen=True)
class Refresh:
    """A refresh that was planned or applied.

    now: the instant that it is about, in UTC. since: that of the refresh before, None if this is the first.
    everyone: whether all contacts are evaluated for every segment; why: in words, if so.
    contacts: how many are evaluated, where it is not everyone.
    segments: by name, those that were removed among them.
    applied: whether it is stored.
    """

    now: datetime
    since: datetime | None
    everyone: bool
    why: str
    contacts: int | None
    segments: tuple[SegmentRefresh, ...]
    applied: bool

    @property
    def differs(self) -> bool:
        """Whether it changes anything."""
        return any(each.differs for each in self.segments)


@dataclass(frozen=True)
class Snapshot:
    """A static list that was made of a segment's members at `now`.

    declaration: the line that `segdsl.yml` needs, so that rules find the list; "" if it has one.
    """

    list: str
    segment: str
    now: datetime
    size: int
    declaration: str
