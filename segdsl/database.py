"""A project's database, as a program's user asks it about members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from segdsl.catalog import name_key
from segdsl.catalog.model import Catalog
from segdsl.core import time
from segdsl.core.program import Program
from segdsl.rule import Rule

if TYPE_CHECKING:
    from segdsl.analysis.explain.explanation import Explanation
    from segdsl.warehouse.results import Refresh, Snapshot


@dataclass(frozen=True, slots=True)
class Interval:
    """A contact was in a segment from `entered` on, and no longer at `left`.

    entered: the beginning of the time that was asked about, if it was in by then. left: None: still in at its end.
    """

    segment: str
    contact: str | int
    entered: datetime
    left: datetime | None


class Database:
    """A connection to contacts and events, open inside a `with` statement."""

    def __init__(self, catalog: Catalog, program: Program) -> None:
        self.catalog = catalog
        self.program = program
        self._writing = False
        self._connecting: Any = None
        self._engine: Any = None

    def __enter__(self) -> Database:
        from segdsl.engines import connect

        self._writing = False
        self._connecting = connect(self.catalog)
        self._engine = self._connecting.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connecting.__exit__(kind, error, trace)
        self._engine = None

    @property
    def engine(self) -> Any:
        """The open engine. Raises RuntimeError outside the `with` statement."""
        if self._engine is None:
            raise RuntimeError("the database is open only inside `with project.connect() as db:`")
        return self._engine

    def members(
        self, segments: Iterable[str] | Rule | None = None, *, now: datetime | None = None
    ) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact id)` in that order, streamed: never all of them in memory.

        segments: names, in any spelling, or one rule; None is every segment of the project. KeyError for a name
          that is none.
        now: timezone-aware; None is the current time.
        """
        return iter(self.engine.members(*self._asked(segments, now)))

    def count(self, segments: Iterable[str] | Rule | None = None, *, now: datetime | None = None) -> dict[str, int]:
        """How many members each segment has, counted by the database; takes what `members` takes."""
        sizes: dict[str, int] = self.engine.sizes(*self._asked(segments, now))
        return sizes

    def history(
        self, segments: Iterable[str] | Rule | None = None, *, since: datetime, until: datetime
    ) -> Iterator[Interval]:
        """Who was in from when until when, exact to the microsecond: an `Interval` for each stay, ordered by segment,
        contact and time; streamed: never all of them in memory.

        segments: as `members` takes them. since, until: timezone-aware, both included: `entered` is `since` for those
          who were in by then, `left` is None for those who are still in at `until`. In the project's time zone.
        Raises KeyError for a name that is none, ValueError for a time without time zone, `segdsl.Errors` (SEG0731) if
          `until` lies before `since`.
        """
        from contextlib import closing

        from segdsl.analysis.explain.wording import moment
        from segdsl.history.history import History

        program, names, first = self._asked(segments, since)
        zone = self.catalog.timezone
        history = History(self.engine, program, sorted(names), first, time.from_datetime(until))
        with closing(history.stays()) as stays:
            for segment, contact, entered, left in stays:
                end = None if left is None else moment(left, zone)
                yield Interval(segment, contact, moment(entered, zone), end)

    def _asked(self, segments: Iterable[str] | Rule | None, now: datetime | None) -> tuple[Program, list[str], int]:
        """The program, the names of segments and the instant of a question."""
        instant = _instant(now)
        if isinstance(segments, Rule):
            return segments.program, [segments.name], instant
        names = list(self.program.segments)
        if segments is not None:
            by_key = {name_key(name): name for name in names}
            names = list(dict.fromkeys(by_key[name_key(name)] for name in segments))
        return self.program, names, instant

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

        names = {name_key(each): each for each in self.program.segments}
        return snapshot(self._writable(), self.program, names[name_key(segment)], name, _instant(now))

    def _writable(self) -> Any:
        """The engine, opened anew for writing if it is not; answers that are still being read end with that.

        Raises `segdsl.Errors` (SEG0741) where nothing can be stored.
        """
        from segdsl.engines import connect, require_stores

        engine = self.engine
        if not self._writing:
            require_stores(self.catalog)
            self._connecting.__exit__(None, None, None)
            self._engine = None
            self._connecting = connect(self.catalog, writing=True)
            engine = self._engine = self._connecting.__enter__()
            self._writing = True
        return engine

    def explain(self, contact: str | int, rule: str | Rule, *, now: datetime | None = None) -> Explanation:
        """Why one contact is in a segment, or is not; reads what is stored of this contact only.

        contact: its key. rule: a segment's name, in any spelling, or a rule. now: timezone-aware; None is the
        current time. Raises KeyError for a name that is none, `segdsl.Errors` (SEG0716) if there is no such contact.
        """
        instant = _instant(now)
        if isinstance(rule, str):
            names = {name_key(name): name for name in self.program.segments}
            rule = Rule(self.catalog, self.program, names[name_key(rule)])
        explainer = rule.explainer
        self.engine.ready(rule.program, [rule.name], instant)
        return explainer.explain(self.engine.one(contact, explainer.probe.kinds), instant)


def _instant(now: datetime | None) -> int:
    """An instant of the API; the current time for None. Raises ValueError for a time without time zone."""
    from datetime import UTC

    return time.from_datetime(now if now is not None else datetime.now(UTC))
