"""One contact's facts as the Python backend takes them: every value in the Python form of its type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segdsl.core.nodes import changes_of
from segdsl.types import Enum, Type

Row = tuple[int, Mapping[str, Any]]  # an event: its instant, and its properties by key


@dataclass(slots=True)
class Facts:
    """What is known of one contact.

    attributes: (relation key or None, attribute key) -> value; a missing one is unknown.
    events: kind key -> rows `(instant, properties)`, in any order, duplicates already dropped; the instant
      is 0 for kinds without a time; properties by key, missing or None is unknown.
    lists: names of the static lists that the contact is on.
    history: attribute key -> `(instant, value)` from each change on, in order; see `changes`. Their kinds of events
      (`nodes.changes_of`) come with them, unless `events` has them already.
    """

    id: str | int
    attributes: Mapping[tuple[str | None, str], object] = field(default_factory=dict)
    events: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    history: Mapping[str, Sequence[tuple[int, object]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.history:
            kinds = {changes_of(key): held for key, held in self.history.items()}
            changed = {kind: change_events(held) for kind, held in kinds.items() if kind not in self.events}
            self.events = {**self.events, **changed}


def changes(rows: Iterable[tuple[int, object]], type: Type) -> list[tuple[int, object]]:
    """The changes in rows `(instant, value)` of an attribute's history, by time.

    Of rows at one instant the greatest value holds (enums in declared order, unknown the least); a repeated
    value is no change, an unknown one is, except before the first known one.
    """
    ranks = {value: rank for rank, value in enumerate(type.values)} if isinstance(type, Enum) else None
    greatest: dict[int, object] = {}
    for instant, value in rows:
        other = greatest.setdefault(instant, value)
        if other is None or (value is not None and _rank(value, ranks) > _rank(other, ranks)):
            greatest[instant] = value
    found: list[tuple[int, object]] = []
    before: object = None
    for instant in sorted(greatest):
        if greatest[instant] != before:
            before = greatest[instant]
            found.append((instant, before))
    return found


def _rank(value: object, ranks: Mapping[str, int] | None) -> Any:
    return value if ranks is None else ranks[str(value)]


def change_events(held: Sequence[tuple[int, object]]) -> list[Row]:
    """Changes as events with the properties `from` and `to`."""
    before = [None, *(value for _, value in held)]
    return [(instant, {"from": old, "to": new}) for old, (instant, new) in zip(before, held, strict=False)]
