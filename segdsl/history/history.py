"""Exact histories of membership: by the database where it can say them, else contact by contact."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

from segdsl.core.program import Program
from segdsl.core.time import LAST, isoformat
from segdsl.engines.engine import Engine
from segdsl.history.replay import Replay, Stay
from segdsl.history.spill import Spill
from segdsl.text.diagnostic import Diagnostic, Errors


class SegmentStay(NamedTuple):
    """From when until when a contact was in a segment, in microseconds since 1970 (UTC).

    entered: the beginning of the stretch that was asked about, for who was in by then. left: None for who is in at its
      end.
    """

    segment: str
    contact: str | int
    entered: int
    left: int | None


class History:
    """The stays in segments between two instants, which both count.

    names: the segments, sorted.
    replayed: those of them that the database cannot answer in one pass; their contacts are read one at a time.
    """

    def __init__(self, engine: Engine, program: Program, names: Sequence[str], since: int, until: int) -> None:
        """since, until: microseconds since 1970 (UTC). Raises `Errors`: SEG0731 if they are the wrong way round."""
        if until < since:
            message = f"the history would end ({isoformat(until)}) before it begins ({isoformat(since)})"
            raise Errors([Diagnostic("SEG0731", message, help="name the earlier time first: --from T --to T")])
        self._engine, self._program, self.names = engine, program, names
        self._since, self._until = since, until
        self.replayed: list[str] = []

    def stays(self, replay: bool = False) -> Generator[SegmentStay, None, None]:
        """Ordered by segment, contact and time; streamed. replay: contact by contact, whatever SQL can say."""
        self._engine.ready(self._program, self.names, self._until)
        asked = {} if replay else {name: self._asked(name) for name in self.names}
        self.replayed = [name for name in self.names if asked.get(name) is None]
        with Spill[tuple[str | int, Stay]](self.replayed) as spill:
            for segment, contact, stay in self._by_contact():
                spill.add(segment, (contact, stay))
            for name in self.names:
                rows = asked.get(name)
                if rows is not None:
                    for contact, entered, left in rows:
                        yield SegmentStay(name, contact, entered, left)
                    continue
                for contact, (entered, left) in spill.of(name):
                    yield SegmentStay(name, contact, entered, left)

    def _asked(self, name: str) -> Iterator[tuple[str | int, int, int | None]] | None:
        return self._engine.history(self._program, name, self._since, self._until) if self._until < LAST else None

    def _by_contact(self) -> Iterator[tuple[str, str | int, Stay]]:
        """The stays in replayed segments, contact by contact."""
        if not self.replayed:
            return
        replays = [(name, Replay(self._program, name)) for name in self.replayed]
        kinds = {kind: None for _, replay in replays for kind in sorted(replay.kinds)}
        for facts in self._engine.facts(kinds):
            for name, replay in replays:
                for stay in replay.stays(facts, self._since, self._until):
                    yield name, facts.id, stay
