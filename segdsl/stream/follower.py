"""What follows news: lines in, and who enters and who leaves out; batch by batch, with or without a state file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import from_datetime, isoformat, now
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Alias, Effect, Flip, Line, Outcome, Refused
from segdsl.stream.lock import Lock
from segdsl.stream.person import Person
from segdsl.stream.reading import parse, read
from segdsl.stream.state import Batch, Feed, State, Stored

Fields = Mapping[str, object]
Incoming = Iterable[tuple[Fields | int, str]]  # fields of a line and its text; or an instant, and no text


class Follower:
    """An evaluator with its state file: what is taken at once is saved in one transaction. To be closed.

    A follower that is made with the file of another goes on where that one stopped. Instants are microseconds since
    1970 (UTC).

    state: the open state file; None without one.
    resumed: the changes, at the clock, that other rules or another catalog than those of the state have led to.
    dropped: how many stored lines are of events that the catalog does not have any more.
    passed: properties of events that the catalog does not declare, by `event.property`, with how often each came.

    Raises `Errors` (SEG0728) for a file that cannot be used, here and in every method. After that the file must be
    opened again: what was not saved is forgotten.
    """

    def __init__(self, catalog: Catalog, program: Program, state: Path | None = None) -> None:
        self.catalog = catalog
        self._lock = None if state is None else Lock(state)
        try:
            self.state = None if state is None else State(state)
        except BaseException:
            self._unlock()
            raise
        registered = self.state is not None and self.state.feed != "lines"
        self._evaluator = Evaluator(catalog, program, registered)
        self._number = 1 if self.state is None else self.state.next_number
        self.passed: Counter[str] = Counter()
        self.resumed: list[Flip] = []
        self.dropped = 0
        try:
            self._resume()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the state file, and let others have it."""
        if self.state is not None:
            self.state.close()
        self._unlock()

    # --- what is known ------------------------------------------------------------------------------------------

    @property
    def clock(self) -> int | None:
        """The instant up to which everything is told; None before there was any news."""
        return self._evaluator.clock

    def members(self) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact)` of all who are in at the clock, in no order."""
        return self._evaluator.members()

    @property
    def waiting(self) -> int:
        """How many lines wait for the clock."""
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

    # --- what comes ---------------------------------------------------------------------------------------------

    def read(self, fields: Fields, passed: Counter[str] | None = None) -> Line | int:
        """A line's meaning. Raises ValueError for one that says nothing that the catalog knows.

        passed: counts the properties that are passed over.
        """
        line = read(fields, self.catalog, self._evaluator.clock, passed=passed)
        refusal = self._evaluator.refusal(line) if isinstance(line, Line) else None
        if refusal is not None:
            raise ValueError(refusal)
        return line

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
            if self.state is not None:
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
        if self.state is not None:
            self.state.save(batch, now())

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _resume(self) -> None:
        state = self.state
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
            self.resumed = flips

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
