"""Where changes go: each sink remembers, in the state file, up to which change it was told."""

from __future__ import annotations

import errno
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from segdsl.core.time import now
from segdsl.stream.lines import Flip
from segdsl.stream.state import State
from segdsl.stream.writing import text_of

HOUR = 3600.0  # seconds


class Sink(ABC):
    """Somewhere that changes go.

    verb: what happens to them there. last: the number of the last change that it was told, by whichever process.
    told, dead: how many it was told by this process, and how many it would not be told.
    """

    verb: ClassVar[str]

    def __init__(self) -> None:
        self.last = self.told = self.dead = 0

    @abstractmethod
    def deliver(self) -> None:
        """Changes were saved: tell all that were not told yet, now or soon."""

    def finish(self, seconds: float) -> bool:
        """Nothing more is saved: wait until everything is told, for so long at most; whether it is."""
        return True

    def close(self) -> None:  # noqa: B027  (most have nothing open)
        """Tell no more."""


class Printed(Sink):
    """Standard output. A process that is killed between printing and remembering it prints the last batch again."""

    verb = "printed"

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self.last, _ = state.told("stdout") or (0, 0)

    def deliver(self) -> None:
        """Print the changes that were not printed yet."""
        found = list(self._state.changes(self.last))
        if not found:
            return
        sys.stdout.write(_text(found))
        sys.stdout.flush()
        self.last = found[-1][0]
        self._state.tell("stdout", self.last)
        self.told += len(found)


class Appended(Sink):
    """A file that has each change once: what a process wrote that was killed before it remembered is cut off again.

    Raises OSError if the file cannot be written to, or is no file that keeps what is written, as a pipe or a device.
    """

    verb = "written"

    def __init__(self, state: State, path: Path) -> None:
        super().__init__()
        self._state = state
        self._path = path
        self._name = f"file {path.resolve()}"
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "is no file: leave out -o to write to standard output", str(path))
        self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        known = state.told(self._name)
        size = self._file.seek(0, os.SEEK_END)
        if known is None:  # what a file has that was there before is somebody else's: go on behind it
            known = (0, size)
            state.tell(self._name, *known)
        self.last = known[0]
        if size > known[1]:
            self._file.seek(known[1])
            untold = _text(state.changes(self.last)).encode("utf-8", "backslashreplace")
            if untold.startswith(self._file.read()):  # by a process that did not live to remember it
                self._file.truncate(known[1])
        self._file.seek(0, os.SEEK_END)  # of a file that was made anew, too

    def deliver(self) -> None:
        """Write the changes that were not written yet."""
        found = list(self._state.changes(self.last))
        if not found:
            return
        try:
            rest = _text(found).encode("utf-8", "backslashreplace")
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        self.last = found[-1][0]
        self._state.tell(self._name, self.last, self._file.tell())
        self.told += len(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Pruned(Sink):
    """No place for changes: what all other sinks were told is removed from the state file when it is old, once an hour.

    keep: microseconds; refused lines are removed by it, too.
    """

    verb = "removed from the state file"

    def __init__(self, state: State, keep: int, others: Sequence[Sink]) -> None:
        super().__init__()
        self._state, self._keep, self._others = state, keep, others
        self._pruned = -HOUR

    def deliver(self) -> None:
        """Remove what is old, if that was not done lately."""
        if time.monotonic() - self._pruned >= HOUR:
            self._pruned = time.monotonic()
            told = min(sink.last for sink in self._others)
            self.told += self._state.prune(now() - self._keep, told)

    def finish(self, seconds: float) -> bool:
        """Remove what has become old meanwhile."""
        self._pruned = -HOUR
        self.deliver()
        return True


def _text(changes: Iterable[tuple[int, Flip]]) -> str:
    return "".join(f"{text_of(flip)}\n" for _, flip in changes)
