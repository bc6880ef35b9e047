"""One process at a time follows with a state file: a lock beside it, which ends with its process, however that ends.

It is on a file of its own, since SQLite has locks on the state file, and a process loses those of a kind with the first
descriptor of a file that it closes.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from segdsl.stream.state import failure, reported

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # a system without such locks: the state file itself finds, when it saves, that another one did
    flock = None  # type: ignore[assignment]


class Lock:
    """Held from being made until it is closed. Raises `Errors` (SEG0728) if it is another's, or cannot be had.

    While it is held the file `STATE.lock` names the process.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._path = Path(f"{state.resolve()}.lock")  # under whatever name the state file is known
        self._process = os.getpid()
        self._file: IO[bytes] | None = None
        if flock is None:
            return
        with reported(state):
            while self._file is None:
                self._file = self._taken()

    def close(self) -> None:
        """Let others have it."""
        if self._file is None or self._file.closed:
            return
        if self._process == os.getpid():  # a child has the lock by inheritance alone
            self._path.unlink(missing_ok=True)
        self._file.close()

    def _taken(self) -> IO[bytes] | None:
        """The locked file; None if it was removed meanwhile, by who had it."""
        with ExitStack() as unless_taken:
            file = unless_taken.enter_context(self._path.open("a+b", buffering=0))
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise self._held(file.read(20).decode("ascii", "replace")) from None
            if not self._path.exists() or not os.path.samestat(os.fstat(file.fileno()), self._path.stat()):
                return None
            file.truncate(0)
            file.write(str(self._process).encode())
            unless_taken.pop_all()
            return file

    def _held(self, process: str) -> Exception:
        other = f"process {process}" if process.isdecimal() else "another process"
        help = "let that end first, or give each follower a state file of its own"
        if process == str(self._process):
            other, help = "this process", "close the other stream first, or give each a state file of its own"
        return failure(f"{other} follows with `{self._state}` already", help)
