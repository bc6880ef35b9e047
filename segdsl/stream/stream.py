"""The stream as a program uses it: lines in, changes out, with or without a state file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import from_datetime, isoformat, now, to_zoned
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Alias, Effect, Flip, Line, Outcome, Refused
from segdsl.stream.lock import Lock
from segdsl.stream.person import Person
from segdsl.stream.reading import parse, read
from segdsl.stream.state import Batch, Feed, State, Stored

Fields = Mapping[str, object]
Incoming = Iterable[tuple[Fields | int, str]]  # fields of a line and its text; or an instant, and no text


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
    stream that is opened on the file again goes on where that one stopped; where rules have changed meanwhile, the
    changes that this makes at the stream's time are in `resumed`; `dropped` is how many stored lines are of events that
    the catalog does not have any more. `passed` counts the properties of events that the catalog does not declare and
    that were passed over, by `event.property`.

    Raises `segdsl.Errors` (SEG0728) for a file that cannot be used, here and in every method. After that the stream
    must be opened again: what it did not save is forgotten.
    """

    def __init__(self, catalog: Catalog, program: Program, state: Path | None = None) -> None:
        self.catalog = catalog
        self._lock = None if state is None else Lock(state)
        try:
            self._state = None if state is None else State(state)
        except BaseException:
            self._unlock()
            raise
        registered = self._state is not None and self._state.feed != "lines"
        self._evaluator = Evaluator(catalog, program, registered)
        self._number = 1 if self._state is None else self._state.next_number
        self.passed: Counter[str] = Counter()
        self.resumed: list[Change] = []
        self.dropped = 0
        try:
            self._resume()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the state file."""
        if self._state is not None:
            self._state.close()
        self._unlock()

    @property
    def now(self) -> datetime | None:
        """The stream's own time, in the project's time zone: everything until then is told. None before it began."""
        clock = self._evaluator.clock
        return None if clock is None else to_zoned(clock, self.catalog.timezone)

    @property
    def clock(self) -> int | None:
        """The same in microseconds since 1970 (UTC)."""
        return self._evaluator.clock

    @property
    def state(self) -> State | None:
        """The state file."""
        return self._state

    def push(self, event: Fields | str) -> list[Change]:
        """Take one line: a mapping with its fields, or its JSON text. The changes until its instant, in order.

        It moves the stream's time to its own if that is ahead; a late line counts from now on. Its fields are those of
        event lines in docs/follow.md. Properties of events that the catalog does not declare are passed over, and
        counted in `passed`. Raises ValueError for a line that says nothing that the catalog knows, which is not taken.
        """
        fields = parse(event) if isinstance(event, str) else event
        self.read(fields)  # so that it raises before anything is taken
        return self.changes(self.take([(fields, json.dumps(dict(fields), default=_jsonable))]).flips)

    def advance(self, now: datetime) -> list[Change]:
        """Move the stream's time to an instant, if that is ahead. The changes until then, in order.

        Raises ValueError for a time without time zone.
        """
        return self.changes(self.take([(from_datetime(now), "")]).flips)

    def members(self) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact)` of all who are in now, in no order."""
        return self._evaluator.members()

    # --- for followers ----------------------------------------------------------------------------------------

    def read(self, fields: Fields, passed: Counter[str] | None = None) -> Line | int:
        """A line's meaning. Raises ValueError for one that says nothing that the catalog knows.

        passed: counts the properties that are passed over.
        """
        line = read(fields, self.catalog, self._evaluator.clock, passed=passed)
        refusal = self._evaluator.refusal(line) if isinstance(line, Line) else None
        if refusal is not None:
            raise ValueError(refusal)
        return line

    @property
    def waiting(self) -> int:
        """How many lines wait for the stream's time."""
        return self._evaluator.waiting

    @property
    def people(self) -> Mapping[str | int, Person]:
        """What is known of each contact; to be read alone."""
        return self._evaluator.people

    @property
    def owners(self) -> Mapping[str | int, str | int]:
        """Aliases -> whose they are."""
        return self._evaluator.owners

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of events that some segment asks for."""
        return self._evaluator.kinds

    def begin(self, feed: Feed, positions: Mapping[str, int] | None = None) -> None:
        """Say whence the news come from now on, and up to where they were read."""
        self._evaluator.registered = feed != "lines"
        self._save(Batch(clock=self.clock, feed=feed, positions=positions or {}))

    def begin_lines(self, silent: bool) -> None:
        """The history is taken in, and lines follow: each makes its contact known. Forgets whom no table names.

        silent: whether it is told to nobody who was in by that history and is not any more.
        """
        dropped, flips = self._evaluator.register()
        effects = self._effects([])
        self._save(Batch((), effects, flips, self.clock, silent=silent, feed="lines", dropped=dropped))

    def take(
        self, news: Incoming, batch: Batch | None = None, limit: int | None = None, capped: bool = False
    ) -> Outcome:
        """Take lines in one transaction. Among what cannot be read are the batch's own refused lines.

        news: fields of lines, each with its text, or instants to which to move the time. Each is read when its turn has
          come: news that says no time is of the time that it is then.
        batch: what else is saved with them: positions, lines that are no JSON, what was seen.
        limit: lines of later instants (microseconds since 1970, UTC) wait until another call has a later limit; lines
          that tell the time are obeyed all the same, unless they are `capped`.
        """
        batch = batch or Batch()
        flips = [] if limit is None else self._evaluator.release(limit)
        refused = list(batch.refused)
        stored: list[Stored] = []
        effects: list[tuple[int, Effect]] = []
        for fields, text in news:
            effects += self._effects(refused)
            clock = self._evaluator.clock
            if isinstance(fields, int):
                flips += self._evaluator.advance(fields)
                continue
            try:
                line = self.read(fields, self.passed)
            except ValueError as error:
                refused.append((text, str(error)))
                continue
            if isinstance(line, int):
                flips += self._evaluator.advance(min(line, limit) if capped and limit is not None else line)
                continue
            line = replace(line, number=self._number)
            self._number += 1
            if self._state is not None:
                if fields.get("at") is None or not text:
                    text = json.dumps({**fields, "at": isoformat(line.at)}, default=_jsonable)
                counts_at = line.at if clock is None else max(line.at, clock)
                stored.append((line.number, self._evaluator.owner(line), counts_at, text))
            flips += self._evaluator.push(line, limit)
        effects += self._effects(refused)
        self._save(replace(batch, lines=stored, effects=effects, flips=flips, clock=self.clock, refused=refused))
        return Outcome(flips, refused)

    def _effects(self, refused: list[tuple[str, str]]) -> list[tuple[int, Effect]]:
        """What has happened to the lines so far; adds the lines that were refused when their time had come."""
        found = [(self._number, effect) for effect in self._evaluator.effects]
        self._evaluator.effects.clear()
        for _, effect in found:
            if isinstance(effect, Refused):
                refused.append((_text_of(effect.line), effect.reason))
        return found

    def _save(self, batch: Batch) -> None:
        if self._state is not None:
            self._state.save(batch, now())

    def changes(self, flips: Iterable[Flip]) -> list[Change]:
        """The same for users of the API."""
        zone = self.catalog.timezone
        return [Change(to_zoned(flip.at, zone), flip.segment, flip.contact, flip.entered) for flip in flips]

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _resume(self) -> None:
        state = self._state
        if state is None:
            return
        clock: int | None = state.clock
        self._evaluator.restore(clock, self._stored(state))
        self._evaluator.effects.clear()
        if clock is None:  # all that came waits
            return
        before, after = set(state.members()), set(self._evaluator.members())
        flips = [Flip(clock, segment, contact, (segment, contact) in after) for segment, contact in before ^ after]
        if flips:
            flips.sort(key=lambda flip: (flip.segment, str(flip.contact)))
            self._save(Batch(flips=flips, clock=clock, silent=state.feed in ("history", "starting")))
            self.resumed = self.changes(flips)

    def _stored(self, state: State) -> Iterator[Line]:
        for number, contact, at, text in state.lines():
            try:
                line = read(parse(text), self.catalog, at, forgiving=True)
            except ValueError:  # the catalog knows such events no more
                self.dropped += 1
                continue
            if isinstance(line, Line):
                yield replace(line, number=number, contact=contact, taken=at)


def _text_of(line: Line) -> str:
    """The text of a line that names an alias."""
    names = [step.name for step in line.steps if isinstance(step, Alias)]
    return json.dumps({"contact": line.contact, "alias": names[0], "at": isoformat(line.at)}, ensure_ascii=False)


def _jsonable(value: object) -> object:
    """Values that JSON does not have, as lines write them."""
    if isinstance(value, Mapping):
        return dict(value)
    return isoformat(from_datetime(value)) if isinstance(value, datetime) else str(value)
