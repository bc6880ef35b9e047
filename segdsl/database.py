"""A project's database, as a program's user asks it about members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from segdsl.catalog import name_key
from segdsl.catalog.model import Catalog
from segdsl.core import time
from segdsl.core.program import Program
from segdsl.rule import Rule

if TYPE_CHECKING:
    from segdsl.analysis.explain.explanation import Explanation
    from segdsl.engines.engine import Engine
    from segdsl.warehouse.results import Refresh, Snapshot


@dataclass(frozen=True, slots=True)
class Interval:
    """A contact was in a segment from `entered` on, and no longer at `left`; in the project's time zone.

    entered: the beginning of the time that was asked about, if it was in by then. left: None: still in at its end.
    """

    segment: str
    contact: str | int
    entered: datetime
    left: datetime | None


class Database:
    """A connection to contacts and events, open inside a `with` statement; made by `Project.connect`.

    Entering it raises `segdsl.Errors`: SEG0702 for a kind of database that is not supported, SEG0718 for a driver that
    is not installed, SEG0710 where there is no such database.
    """

    def __init__(self, catalog: Catalog, program: Program) -> None:
        self.catalog = catalog
        self.program = program
        self._writing = False
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        from segdsl.engines import connect

        self._writing = False
        self._engine = connect(self.catalog)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine is not None:  # it could not be opened again for writing
            self._engine.close()
        self._engine = None

    @property
    def engine(self) -> Engine:
        """The open engine. Raises RuntimeError outside the `with` statement."""
        if self._engine is None:
            raise RuntimeError("the database is open only inside `with project.connect() as db:`")
        return self._engine

    def members(
        self, segments: Iterable[str] | Rule | None = None, *, now: datetime | None = None
    ) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact id)` in that order, streamed: never all of them in memory.

        segments: names, in any spelling, or one rule; None is every segment of the project.
        now: timezone-aware; None is the current time.
        Raises KeyError for a name that is none, ValueError for a time without time zone, and, when the first pair is
        asked for, `segdsl.Errors` for tables and columns that the data lack (SEG0711 to SEG0713).
        """
        return self.engine.members(*self._asked(segments, now))

    def count(self, segments: Iterable[str] | Rule | None = None, *, now: datetime | None = None) -> dict[str, int]:
        """How many members each segment has, counted by the database; takes what `members` takes, and raises as it."""
        return self.engine.sizes(*self._asked(segments, now))

    def history(
        self, segments: Iterable[str] | Rule | None = None, *, since: datetime, until: datetime
    ) -> Iterator[Interval]:
        """Who was in from when until when, exact to the microsecond: an `Interval` for each stay, ordered by segment,
        contact and time; streamed: never all of them in memory.

        segments: as `members` takes them. since, until: timezone-aware, both included: `entered` is `since` for those
          who were in by then, `left` is None for those who are still in at `until`. In the project's time zone.
        Raises as `members` does, and `segdsl.Errors` (SEG0731) if `until` lies before `since`; all of that when the
        first stay is asked for.
        """
        from contextlib import closing

        from segdsl.history.history import History

        program, names, first = self._asked(segments, since)
        zone = self.catalog.timezone
        history = History(self.engine, program, sorted(names), first, time.from_datetime(until))
        with closing(history.stays()) as stays:
            for segment, contact, entered, left in stays:
                end = None if left is None else time.to_zoned(left, zone)
                yield Interval(segment, contact, time.to_zoned(entered, zone), end)

    def _asked(self, segments: Iterable[str] | Rule | None, now: datetime | None) -> tuple[Program, list[str], int]:
        """The program, the names of segments and the instant of a question."""
        instant = _instant(now)
        if isinstance(segments, Rule):
            return segments.program, [segments.name], instant
        if segments is None:
            return self.program, list(self.program.segments), instant
        return self.program, list(dict.fromkeys(map(self._named, segments))), instant

    @cached_property
    def _names(self) -> dict[str, str]:
        """The segments by what all spellings of a name have in common."""
        return {name_key(name): name for name in self.program.segments}

    def _named(self, name: str) -> str:
        """The segment that a name means, in any spelling. Raises KeyError for a name that is none."""
        try:
            return self._names[name_key(name)]
        except KeyError:
            raise KeyError(name) from None

    def plan(self, *, now: datetime | None = None) -> Refresh:
        """What `apply` would change in the stored membership; nothing is written.

        now: timezone-aware; None is the current time. Raises `segdsl.Errors` as `apply` does.
        """
        from segdsl.engines import require_stores
        from segdsl.warehouse.refresh import plan

        require_stores(self.catalog)
        return plan(self.engine, self.program, _instant(now))

    def apply(self, *, now: datetime | None = None, full: bool = False) -> Refresh:
        """Store who is in each segment of the project, and log who entered and who left since the last time.

        now: timezone-aware; None is the current time. full: everyone is evaluated, and what earlier refreshes have
        missed is corrected. Answers of this connection that are still being read may end with it. Raises
        `segdsl.Errors`: SEG0740 for a time before the last refresh, SEG0741 where nothing can be stored, SEG0742 and
        SEG0743 for what the database refuses, SEG0745 where tables of these names hold something else.
        """
        from segdsl.warehouse.refresh import apply

        return apply(self._writable(), self.program, _instant(now), full)

    def snapshot(self, segment: str, name: str, *, now: datetime | None = None) -> Snapshot:
        """Put a segment's members, as they are at `now`, on the static list `name`, in place of those who were on it.

        segment: in any spelling; KeyError for a name that is none. Raises `segdsl.Errors` as `apply` does, and
        SEG0746 for a list that cannot be written.
        """
        from segdsl.warehouse.lists import snapshot

        wanted = self._named(segment)
        return snapshot(self._writable(), self.program, wanted, name, _instant(now))

    def _writable(self) -> Engine:
        """The engine, opened anew for writing if it is not; answers that are still being read end with that.

        Raises `segdsl.Errors` (SEG0741) where nothing can be stored.
        """
        from segdsl.engines import connect, require_stores

        if not self._writing:
            engine = self.engine
            require_stores(self.catalog)
            self._engine = None
            engine.close()
            self._engine = connect(self.catalog, writing=True)
            self._writing = True
        return self.engine

    def explain(self, contact: str | int, rule: str | Rule, *, now: datetime | None = None) -> Explanation:
        """Why one contact is in a segment, or is not; reads what is stored of this contact only.

        contact: its key. rule: a segment's name, in any spelling, or a rule. now: timezone-aware; None is the
        current time. Raises as `members` does, and `segdsl.Errors` (SEG0716) if there is no such contact.
        """
        instant = _instant(now)
        if isinstance(rule, str):
            rule = Rule(self.catalog, self.program, self._named(rule))
        explainer = rule.explainer
        self.engine.ready(rule.program, [rule.name], instant)
        return explainer.explain(self.engine.one(contact, explainer.probe.kinds), instant)


def _instant(now: datetime | None) -> int:
    """An instant of the API; the current time for None. Raises ValueError for a time without time zone."""
    return time.now() if now is None else time.from_datetime(now)
