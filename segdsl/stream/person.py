"""One contact as the stream keeps it."""

from __future__ import annotations

from typing import Any

from segdsl.backends.python.index import Index
from segdsl.core.contact import Facts, Row
from segdsl.stream.told import Told


class Person:
    """What is known of one contact, and what follows from it. Instants are microseconds since 1970 (UTC).

    attributes, events, history: what `facts` is made of, to be written to. Of events, which are sorted by time, those
      that tests may still ask for, none of them later than the clock.
    told: kind of events -> what was told of it: of the changes of an attribute with a history, rows `(instant, value)`;
      of events without a time, rows of their `id` and the event.
    held: of attributes with a history the rows that count, sorted by time.
    stale: those of these kinds whose `events`, `history` and `held` are to be worked out again.
    set_at: attribute `(relation, key)` or list -> the instant from which on it has what it has, and the number of the
      line that said so.
    names: the other ids that are this contact's.
    delivered: kind -> id -> the row that counts, for kinds whose deliveries are told apart.
    latest: filter -> the last few instants of its events, sorted.
    answers, inside: a bit for each term that holds, and for each segment that the contact is in.
    armed: term -> the instant at which its answer is looked at again.
    index: `facts` arranged for the terms that are asked; None until one is, and after changes that it cannot follow.
    known: whether anything is; a contact that was deleted still has to leave what it is in.
    new: nothing was answered yet.
    """

    __slots__ = (
        "answers", "armed", "attributes", "delivered", "events", "facts", "held", "history", "index", "inside",
        "known", "latest", "names", "new", "set_at", "stale", "told",
    )  # fmt: skip

    def __init__(self, name: str | int, known: bool = True) -> None:
        self.attributes: dict[tuple[str | None, str], object] = {}
        self.events: dict[str, list[Row]] = {}
        self.history: dict[str, list[tuple[int, object]]] = {}
        self.facts = Facts(name, self.attributes, self.events, frozenset(), self.history)
        self.told: dict[str, Told[Any]] = {}
        self.held: dict[str, list[tuple[int, object]]] = {}
        self.stale: set[str] = set()
        self.set_at: dict[object, tuple[int, int]] = {}
        self.names: list[str | int] = []
        self.delivered: dict[str, dict[str, Row]] = {}
        self.latest: dict[int, list[int]] = {}
        self.answers = 0
        self.inside = 0
        self.armed: dict[int, int] = {}
        self.index: Index | None = None
        self.known, self.new = known, True

    @property
    def blank(self) -> bool:
        """Whether nothing is known of the contact."""
        told = (self.known, self.set_at, self.told, self.names, *self.events.values(), *self.latest.values())
        return not any(told)
