"""The project's database as the news of a follower: its history at first, and then what is new in its tables.

Events are read on behind the last ones, and a little before them once more: what comes late is found there, and what
was taken already is known by its digest. All else is compared with what the stream knows. How far the tables are read,
and what was seen, is saved together with the lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from heapq import merge
from operator import attrgetter

from segdsl.core.time import isoformat
from segdsl.engines.engine import Engine, failure
from segdsl.stream import tables
from segdsl.stream.comparing import Comparison
from segdsl.stream.follower import Follower
from segdsl.stream.overlap import HISTORY, Overlap, digest_of
from segdsl.stream.state import Batch, Seen
from segdsl.stream.tables import Arrived
from segdsl.stream.writing import Fields

NUMBERS = 10_000  # of rows that are read once more, while the history of a kind that increases is taken in

Clock = Callable[[], int]  # this machine's time, in microseconds since 1970


class Tail:
    """Takes news from the tables of a database into a stream that has a state file.

    late: by how much (microseconds) rows may come after others of their time, or of their number.
    size: lines that are saved together, at most.
    announced: whether it is told, too, who is in when the history was taken in.
    taken: how many lines were taken so far.
    """

    def __init__(self, follower: Follower, late: int, size: int, clock: Clock, announced: bool = False) -> None:
        assert follower.state is not None
        self.taken = 0
        self._follower, self._state, self._late, self._size, self._clock = follower, follower.state, late, size, clock
        self._announced = announced
        catalog = follower.catalog
        self._kinds = {key: f"table of {key}" for key, event in catalog.events.items() if event.time is not None}
        untimed = [key for key, event in catalog.events.items() if event.time is None and key in follower.kinds]
        self._untimed = untimed
        self._comparison = Comparison(catalog, untimed)
        seen: dict[str, list[Seen]] = {}
        for each in self._state.seen():
            seen.setdefault(each.source, []).append(each)
        self._overlaps = {kind: Overlap(seen.get(source, ())) for kind, source in self._kinds.items()}

    @property
    def starting(self) -> bool:
        """Whether the history is still to be taken in: what changes by that is told to nobody."""
        return self._state.feed in ("history", "starting")

    def begin(self, lines: str | None = None, size: int = 0) -> None:
        """Remember, before the history is read, that it is to be.

        lines: the source of the lines that are to follow it, "" for a pipe, of which `size` bytes are there already;
          None if the tables are followed.
        """
        if lines is None:
            self._follower.begin("starting")
        else:
            since = self._clock() - self._late - 1
            self._follower.begin("history", {HISTORY: since, f"{HISTORY} {lines}": size})

    def finish(self) -> None:
        """The history was taken in: from now on changes are told."""
        if self._state.feed == "starting":
            self._follower.begin("tables")
        elif self._state.feed == "history":
            self._follower.begin_lines(silent=not self._announced)

    def events(self, engine: Engine) -> Iterator[int]:
        """Take the events that are new; after each batch that was saved, how many lines it had.

        Raises `Errors`.
        """
        now = self._clock()
        engine.require()
        rows = merge(*(self._new(engine, kind, now) for kind in self._kinds), key=attrgetter("at"))
        batch: list[Arrived] = []
        for row in rows:
            batch.append(row)
            if len(batch) >= self._size:
                yield self._take(engine, batch, now)
                batch = []
        if batch:
            yield self._take(engine, batch, now)

    def contacts(self, engine: Engine) -> Iterator[int]:
        """Take what has changed in all else: contacts and what is known of them, events without a time, aliases.

        After each batch that was saved, how many lines it had. Raises `Errors`: SEG0756 where all contacts are gone.
        """
        now = self._clock()
        engine.require()
        stamp: Fields = {"at": isoformat(now)}
        batch: list[Fields] = []
        for alias, contact in tables.aliases(engine):
            if alias not in self._follower.owners and alias != contact:
                batch.append({"contact": contact, "alias": alias, **stamp})
        there: set[str | int] = set()
        for facts in engine.facts(self._untimed):
            there.add(facts.id)
            known = self._follower.people.get(facts.id)
            batch += [{"contact": facts.id, **line, **stamp} for line in self._comparison.lines(facts, known, now)]
            if len(batch) >= self._size:
                yield self._save(batch, now)
                batch = []
        gone = [name for name, person in self._follower.people.items() if person.known and name not in there]
        if gone and not there:
            raise failure(
                "SEG0756", f"there is no contact in `{engine.catalog.contacts}` any more, where there were {len(gone)}",
                "if that is so indeed, begin anew with another --state; else see what has emptied the table",
            )  # fmt: skip
        for start in range(0, len(gone), self._size):
            batch += [{"contact": name, "deleted": True, **stamp} for name in gone[start : start + self._size]]
            yield self._save(batch, now)
            batch = []
        if batch:
            yield self._save(batch, now)

    def _new(self, engine: Engine, kind: str, now: int) -> Iterator[Arrived]:
        """The rows of a kind that were not taken yet."""
        overlap = self._overlaps[kind]
        again: Counter[bytes] = Counter()
        taken = {each.digest: overlap.times(each.digest) for each in overlap.rows}  # before this reading
        for row in tables.events(engine, kind, self._state.positions.get(self._kinds[kind]), now):
            again[row.digest] += 1
            if again[row.digest] > taken.get(row.digest, 0):
                yield row

    def _take(self, engine: Engine, rows: list[Arrived], now: int) -> int:
        news: list[Fields] = []
        seen: list[Seen] = []
        told = Overlap()  # what lines of a file may tell once more
        rows.sort(key=attrgetter("at"))
        for row in rows:
            fields = tables.line(engine, row)
            seen.append(Seen(self._kinds[row.kind], row.place, now, row.digest))
            if fields is None:
                continue
            news.append(fields)
            if self._state.feed == "history" and row.at > self._state.positions[HISTORY]:
                digest = digest_of(self._follower.read(fields), self._follower.catalog)
                if digest is not None:
                    told.add([Seen(HISTORY, row.at, now, digest)])
        floors: dict[str, int] = {}
        for kind in {row.kind for row in rows}:
            overlap, source = self._overlaps[kind], self._kinds[kind]
            overlap.add([each for each in seen if each.source == source])
            floor = self._floor(kind, overlap, now)
            if floor is not None:
                floors[source] = max(floor, self._state.positions.get(source, floor))
                overlap.forget(floors[source])
        kept = [each for each in seen if each.place > floors.get(each.source, each.place - 1)]
        batch = Batch(positions=floors, seen=[*kept, *told.rows], forgotten=floors)
        return self._save(news, now, batch)

    def _floor(self, kind: str, overlap: Overlap, now: int) -> int | None:
        """The place behind which rows are read again: nothing new comes up to there."""
        greatest = max(each.place for each in overlap.rows)
        if self._follower.catalog.events[kind].increasing is None:
            return greatest - self._late - 1  # what is as late as that, to the microsecond, is not too late
        if self.starting:
            return greatest - NUMBERS
        return max((each.place for each in overlap.rows if each.taken < now - self._late), default=None)

    def _save(self, news: list[Fields], now: int, batch: Batch | None = None) -> int:
        batch = batch or Batch()
        batch.silent = self.starting and not self._announced
        self._follower.take([(fields, "") for fields in news], batch, now, capped=True)
        self.taken += len(news)
        return len(news)
