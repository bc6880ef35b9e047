"""Members that come contact by contact, for whoever wants them segment by segment."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

HELD = 200_000  # members in memory


class Spill:
    """A context manager with a temporary file: in memory are never more than `HELD` members.

    segments: in the order in which their members are wanted.
    """

    def __init__(self, segments: Sequence[str]) -> None:
        self._held: dict[str, list[str | int]] = {name: [] for name in segments}
        self._places: dict[str, list[int]] = {name: [] for name in segments}  # of their pieces in the file
        self._count = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, segment: str, contact: str | int) -> None:
        """One more member of a segment, behind those that it has."""
        self._held[segment].append(contact)
        self._count += 1
        if self._count >= HELD:
            self._write()

    def _write(self) -> None:
        for segment, contacts in self._held.items():
            if contacts:
                self._places[segment].append(self._file.tell())
                pickle.dump(contacts, self._file)
                contacts.clear()
        self._count = 0

    def __iter__(self) -> Iterator[tuple[str, str | int]]:
        """`(segment, contact)`: a segment's members in the order in which they were added."""
        self._write()
        for segment, places in self._places.items():
            for place in places:
                self._file.seek(place)
                for contact in pickle.load(self._file):
                    yield segment, contact
