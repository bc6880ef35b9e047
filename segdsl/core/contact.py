"""One contact's facts as the Python backend takes them: every value in the Python form of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Facts:
    """What is known of one contact.

    attributes: (relation key or None, attribute key) -> value; a missing one is unknown.
    events: kind key -> rows `(instant, properties)`, in any order, duplicates already dropped; the instant
      is 0 for kinds without a time; properties by key, missing or None is unknown.
    lists: names of the static lists that the contact is on.
    """

    id: str | int
    attributes: Mapping[tuple[str | None, str], object] = field(default_factory=dict)
    events: Mapping[str, Sequence[tuple[int, Mapping[str, object]]]] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
