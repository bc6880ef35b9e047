"""Lines as they come, from a file or from standard input, read by a thread of their own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue

CHUNK = 1 << 18  # bytes that are read at once
AHEAD = 8  # chunks that may wait to be taken
PAUSE = 0.2  # seconds before a file that has ended is looked at again


@dataclass(frozen=True)
class Chunk:
    """Some lines, without their newlines, and the position in bytes at which the first of them begins.

    whole: False for one line that had not ended when the file had.
    cut: whether such a line will never end: another file is read from now on.
    fresh: whether the lines that follow are of another file, which has taken the place of the one before.
    """

    lines: list[bytes]
    begin: int
    whole: bool = True
    cut: bool = False
    fresh: bool = False


class Reader:
    """Reads a file from a position on.

    on: go on when the file has ended, for what is still to be written to it, and with the next one: with another file
      that has taken its place at `path`, when this one is read to its end, or with the same one from its start, when
      that has become shorter.
    """

    def __init__(self, file: int, position: int, on: bool, path: Path | None = None) -> None:
        self._file = file
        self._path = path
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
        begun: list[bytes] = []  # pieces of a line that has not ended
        position = self._position
        following: int | None = None  # the file that has taken this one's place
        opened: list[int] = []
        try:
            while not self._stopped.is_set():
                data = os.read(self._file, CHUNK)
                if data:
                    begun.append(data)
                    if b"\n" in data:  # only then joined: a long line would be copied again with each piece
                        *lines, rest = b"".join(begun).split(b"\n")
                        begun = [rest]
                        self._put(Chunk(lines, position))
                        position += sum(map(len, lines)) + len(lines)
                    continue
                rest = b"".join(begun)
                begun = [rest]
                if not self._on:
                    break
                if following is None and self._shrunk(position + len(rest)):
                    os.lseek(self._file, 0, os.SEEK_SET)
                elif following is None:
                    following = self._replaced()
                    if following is None:
                        time.sleep(PAUSE)
                    continue  # what was written to the old one meanwhile comes first
                else:
                    opened.append(following)
                    self._file, following = following, None
                if rest:
                    self._put(Chunk([rest], position, whole=False, cut=True))
                begun, position = [], 0
                self._put(Chunk([], 0, fresh=True))
            if any(begun) and not self._stopped.is_set():
                self._put(Chunk(begun, position, whole=False))
            self._put(None)
        except OSError as error:
            self._put(error)
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def _shrunk(self, read: int) -> bool:
        """Whether the file has become shorter than what was read of it."""
        return os.fstat(self._file).st_size < read

    def _replaced(self) -> int | None:
        """Another file that is at the path by now, opened; None as long as there is none."""
        if self._path is None:
            return None
        try:
            found = os.open(self._path, os.O_RDONLY)
        except OSError:  # it was taken away, and the next one is still to come
            return None
        if os.path.sameopenfile(found, self._file):
            os.close(found)
            return None
        return found

    def _put(self, item: Chunk | OSError | None) -> None:
        while not self._stopped.is_set():
            try:
                return self._queue.put(item, timeout=PAUSE)
            except Full:
                continue
