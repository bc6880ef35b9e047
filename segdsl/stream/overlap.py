"""What was taken and may come again: rows that are read once more, and lines that tell what the history told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import chain

from segdsl.catalog.model import Catalog
from segdsl.core.story import Happened
from segdsl.stream.lines import Line
from segdsl.stream.state import Seen

HISTORY = "history"  # the source of what was seen in the database, for the lines that follow it


class Overlap:
    """Rows with their digests, each as often as it was taken."""

    def __init__(self, rows: Iterable[Seen] = ()) -> None:
        self._rows: dict[bytes, list[Seen]] = {}
        self.add(rows)

    @property
    def rows(self) -> Iterator[Seen]:
        """All of them, in no order."""
        return chain.from_iterable(self._rows.values())

    def times(self, digest: bytes) -> int:
        """How often it was taken."""
        return len(self._rows.get(digest, ()))

    def add(self, rows: Iterable[Seen]) -> None:
        """These were taken."""
        for each in rows:
            self._rows.setdefault(each.digest, []).append(each)

    def forget(self, floor: int) -> None:
        """Rows up to this place do not come again."""
        kept = [each for each in self.rows if each.place > floor]
        self._rows = {}
        self.add(kept)

    def consume(self, digest: bytes | None) -> Seen | None:
        """One that was taken and has come again now: it is forgotten. None if it is new."""
        rows = self._rows.get(digest) if digest is not None else None
        return rows.pop() if rows else None


def digest(told: object) -> bytes:
    """The same for things that are written alike."""
    return blake2b(repr(told).encode("utf-8", "backslashreplace"), digest_size=16).digest()


def digest_of(line: Line | int, catalog: Catalog) -> bytes | None:
    """The same for events that are equal in all that is told of them.

    None for other news, and for deliveries that are told apart by an `id`: which of them counts the stream knows.
    """
    if isinstance(line, int) or not line.steps or not isinstance(line.steps[0], Happened):
        return None
    event = line.steps[0]
    if line.id is not None and catalog.events[event.kind].id is not None:
        return None
    said = sorted((key, value) for key, value in event.properties.items() if value is not None)
    return digest((event.kind, line.contact, event.at, said))
