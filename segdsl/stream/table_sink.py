"""Changes as rows of a table in a database: each once, in order, whatever happens to the follower.

The table itself says up to which change it has them, and a batch is there as a whole or not at all.
"""

from __future__ import annotations

import re
import time
from itertools import islice

from segdsl.engines.engine import failure
from segdsl.stream.sinks import Sink
from segdsl.stream.state import State
from segdsl.stream.table_writers import Busy, Writer

ROWS = 10_000  # that are inserted together, at most
PAUSE = 0.2  # seconds before a database in which somebody writes is tried again
PATIENCE = 50  # times


def _without_password(url: str) -> str:
    """A database's URL by which it is known: a password may change, and does not belong into the state file."""
    return re.sub(r"(?<=://)[^/@]*@|(?<=[?&])(user|password)=[^&]*&?", "", url)


class Inserted(Sink):
    """Rows `number, at, segment, contact, change` of a table.

    Raises `Errors` (SEG0758) where the table has changes of another follower, or cannot be written.
    """

    verb = "inserted"

    def __init__(self, state: State, writer: Writer, table: str, where: str) -> None:
        """where: the database's URL, by which the state file knows the table."""
        super().__init__()
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
        if known is None:
            if self.last:
                raise failure("SEG0758", f"the table `{table}` has changes of another follower",
                              "name another --table, or go on with that one's --state")  # fmt: skip
            state.tell(self._name, 0)
        self.last = max(self.last, known[0] if known else 0)

    def deliver(self) -> None:
        """Insert the changes that are not there yet; where somebody else writes, the next time."""
        try:
            while rows := list(islice(self._state.changes(self.last), ROWS)):
                self._writer.insert(self._table, [
                    (number, flip.at, flip.segment, str(flip.contact), flip.change)
                    for number, flip in rows
                ])  # fmt: skip
                self.last = rows[-1][0]
                self._state.tell(self._name, self.last)
                self.told += len(rows)
        except Busy:
            return

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
