"""Lines as they come, from a file or from standard input, read by a thread of their own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Empty, Full, Queue

CHUNK = 1 << 18  # bytes that are read at once
AHEAD = 8  # chunks that may wait to be taken
PAUSE = 0.2  # seconds before a file that has ended is looked at again


@dataclass(frozen=True)
class Chunk:
    """Some lines, without their newlines, and the position in bytes at which the first of them begins.

    whole: False for one line that had not ended when the file had.
    """

    lines: list[bytes]
    begin: int
    whole: bool = True


class Reader:
    """Reads a file from a position on.

    on: go on when the file has ended, for what is still to be written to it.
    """

    def __init__(self, file: int, position: int, on: bool) -> None:
        self._file = file
        self._position = position
        self._on = on
        self._queue: Queue[Chunk | OSError | None] = Queue(AHEAD)
        self._stopped = threading.Event()
        threading.Thread(target=self._read, name="segdsl lines", daemon=True).start()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Read no more."""
        self._stopped.set()

    def chunks(self, wait: float) -> Iterator[Chunk | None]:
        """What comes; None whenever nothing does for so many seconds. Raises OSError."""
        while not self._stopped.is_set():
            try:
                found = self._queue.get(timeout=wait)
            except Empty:
                yield None
                continue
            if found is None:
                return
            if isinstance(found, OSError):
                raise found
            yield found

    def _read(self) -> None:
        rest = b""
        position = self._position
        try:
            while not self._stopped.is_set():
                data = os.read(self._file, CHUNK)
                if not data:
                    if not self._on:
                        break
                    time.sleep(PAUSE)
                    continue
                *lines, rest = (rest + data).split(b"\n")
                if lines:
                    self._put(Chunk(lines, position))
                    position += sum(map(len, lines)) + len(lines)
            if rest and not self._stopped.is_set():
                self._put(Chunk([rest], position, whole=False))
            self._put(None)
        except OSError as error:
            self._put(error)

    def _put(self, item: Chunk | OSError | None) -> None:
        while not self._stopped.is_set():
            try:
                return self._queue.put(item, timeout=PAUSE)
            except Full:
                continue
