"""Changes as rows of a table in a database: each once, in order, whatever happens to the follower.

The table itself says up to which change it has them, and a batch is there as a whole or not at all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import islice

from segdsl.engines.engine import failure
from segdsl.stream.sinks import Sink
from segdsl.stream.state import State
from segdsl.stream.table_writers import Away, Busy, Writer
from segdsl.text.diagnostic import Errors

ROWS = 10_000  # that are inserted together, at most
PAUSE = 0.2  # seconds before a database in which somebody writes is tried again
PATIENCE = 50  # times
FIRST, LONGEST = 0.5, 60.0  # seconds before one that has gone away is tried again; each later wait doubles


def _without_password(url: str) -> str:
    """A database's URL by which it is known: a password may change, and does not belong into the state file."""
    return re.sub(r"(?<=://)[^/@]*@|(?<=[?&])(user|password)=[^&]*&?", "", url)


class Inserted(Sink):
    """Rows `number, at, segment, contact, change` of a table.

    Raises `Errors` (SEG0758) where the table has changes of another follower, or cannot be written.

    away: is told when the database has gone away; it is tried again, then, ever later. None: that is an error. At the
      start it always is.
    """

    verb = "inserted"

    def __init__(
        self, state: State, writer: Writer, table: str, where: str, away: Callable[[Errors], None] | None = None
    ) -> None:  # fmt: skip
        """where: the database's URL, by which the state file knows the table."""
        super().__init__()
        self._away = away
        self._wait = 0.0  # seconds, while the database is away
        self._again = 0.0  # when it is tried again, by the monotonic clock
        self._state, self._writer, self._table = state, writer, table
        self._name = f"table {table} in {_without_password(where)}"
        known = state.told(self._name)
        for attempt in range(PATIENCE):
            try:
                writer.make(table)
                self.last = writer.last(table)
                break
            except Busy as error:
                if attempt == PATIENCE - 1:
                    raise failure("SEG0758", f"somebody else writes to the database of `{table}`",
                                  "let the other process end its writing first") from error  # fmt: skip
                time.sleep(PAUSE)
            except Away as error:
                raise _gone(error, "see that its server runs and may be reached, and start again") from error
        if known is None:
            if self.last:
                raise failure("SEG0758", f"the table `{table}` has changes of another follower",
                              "name another --table, or go on with that one's --state")  # fmt: skip
            state.tell(self._name, 0)
        self.last = max(self.last, known[0] if known else 0)

    def deliver(self) -> None:
        """Insert the changes that are not there yet; where somebody else writes, or nobody answers, later."""
        if time.monotonic() < self._again:
            return
        try:
            if self._wait:
                self._inserted(self._writer.last(self._table))
            while rows := list(islice(self._state.changes(self.last), ROWS)):
                self._writer.insert(self._table, [
                    (number, flip.at, flip.segment, str(flip.contact), flip.change)
                    for number, flip in rows
                ])  # fmt: skip
                self._inserted(rows[-1][0])
            self._wait = 0.0
        except Busy:
            return
        except Away as error:
            self._wait_for(error)

    def _inserted(self, last: int) -> None:
        """The table has the changes up to this number."""
        if last > self.last:
            self.told += last - self.last
            self.last = last
            self._state.tell(self._name, last)

    def _wait_for(self, error: Away) -> None:
        """The database has gone away: say so once, and try again after a while that is ever longer."""
        if self._away is None:
            raise _gone(error, "nothing is lost: start again, and it goes on with the first change that is missing")
        if not self._wait:
            self._away(_gone(error, "nothing is lost: it is tried again, ever later, until it answers"))
        self._wait = min(max(FIRST, 2 * self._wait), LONGEST)
        self._again = time.monotonic() + self._wait

    def finish(self, seconds: float) -> bool:
        """Insert what is left, for so long at most; whether nothing is."""
        until = time.monotonic() + seconds
        while True:
            self.deliver()
            if next(self._state.changes(self.last), None) is None:
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(PAUSE)


def _gone(error: Away, help: str) -> Errors:
    return failure("SEG0758", f"the database of the table of changes does not answer: {error}", help)
