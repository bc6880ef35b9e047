"""What comes contact by contact, for whoever wants it segment by segment."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

HELD = 200_000  # things in memory

T = TypeVar("T")


class Spill(Generic[T]):
    """A context manager with a temporary file: in memory are never more than `HELD` things (members, stays).

    segments: in the order in which their things are wanted.
    """

    def __init__(self, segments: Sequence[str]) -> None:
        self._held: dict[str, list[T]] = {name: [] for name in segments}
        self._places: dict[str, list[int]] = {name: [] for name in segments}  # of their pieces in the file
        self._count = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, segment: str, thing: T) -> None:
        """One more thing of a segment, behind those that it has."""
        self._held[segment].append(thing)
        self._count += 1
        if self._count >= HELD:
            self._write()

    def _write(self) -> None:
        for segment, things in self._held.items():
            if things:
                self._places[segment].append(self._file.tell())
                pickle.dump(things, self._file)
                things.clear()
        self._count = 0

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """`(segment, thing)`: a segment's things in the order in which they were added."""
        for segment in self._places:
            for thing in self.of(segment):
                yield segment, thing

    def of(self, segment: str) -> Iterator[T]:
        """The things of one segment, in the order in which they were added."""
        self._write()
        for place in self._places[segment]:
            self._file.seek(place)
            yield from pickle.load(self._file)
