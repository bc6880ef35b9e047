"""What stands before the cursor means: the test that is being written, what it is about, which properties count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segdsl import types
from segdsl.catalog.model import Catalog, Event, name_key
from segdsl.repl.phrases import FUNCTIONS, OF_PROPERTIES
from segdsl.repl.tokens import Group, Item, Token
from segdsl.types import INT, Type

_BOUNDARIES = frozenset(["and", "or", "then", "without", "if", "per", "+", "-", "*"])


@dataclass(frozen=True)
class Happening:
    """A test is about events of these kinds. `object_given`: behind their name stand their objects already."""

    kinds: tuple[Event, ...]
    object_given: bool = False


@dataclass(frozen=True)
class Held:
    """A test is about a value. `asks` are the kinds of the one event that `has (…)` behind it may ask about."""

    name: str
    type: Type
    history: bool = False
    asks: tuple[Event, ...] = ()


Subject = Happening | Held
DECIMAL = types.Number(2, 10**18)


def test_of(items: Sequence[Item]) -> list[Item]:
    """The items of the test at the end: what follows the last word that joins tests."""
    start = 0
    for at, item in enumerate(items):
        if item.key == "and" and at >= 2 and items[at - 2].key == "between":
            continue  # `between 30d and 60d ago` joins nothing
        first = at == start and (item.key == "not" or (item.key == "any" and at and items[at - 1].key == "without"))
        if first or item.key in _BOUNDARIES:
            start = at + 1
    return list(items[start:])


@dataclass(frozen=True)
class Reader:
    """Finds what words mean. `scope`: inside `where (…)` the kinds whose properties names mean, else None."""

    catalog: Catalog
    scores: Sequence[str] = ()
    scope: tuple[Event, ...] | None = None

    # --- subjects -----------------------------------------------------------------------------------------------

    def subject(self, test: Sequence[Item]) -> tuple[Subject | None, Sequence[Item]]:
        """What a test is about (None: not known, or not yet), and what stands behind it."""
        keys = [item.key for item in test[:3]]
        if self.scope is None:
            if keys[:2] == ["any", "event"]:
                return Happening(tuple(kind for kind in self.catalog.events.values() if kind.time)), test[2:]
            if keys == ["any", "of", "("] and isinstance(test[2], Group):
                return Happening(self.members(test[2].items)), test[3:]
            if len(test) > 1 and isinstance(test[1], Group) and keys[0] in FUNCTIONS:
                return self._call(keys[0], test[1].items), test[2:]
        for length in range(_words(test), 0, -1):
            name = name_key(" ".join(item.key for item in test[:length]))
            rest = test[length:]
            if self.scope is None and name in self.catalog.relations and rest and rest[0].key == ".":
                found, behind = self._field(name, rest[1:])
                return found, behind
            subject = self.named(name)
            if isinstance(subject, Happening) and rest and _is_object(rest[0]):
                return Happening(subject.kinds, True), rest[1:]
            if subject is not None:
                return subject, rest
        return None, test

    def named(self, key: str) -> Subject | None:
        """What a name (its `name_key`) means here."""
        if self.scope is not None:
            prop = next((kind.properties[key] for kind in self.scope if key in kind.properties), None)
            return Held(prop.name, prop.type) if prop else None
        if key in self.catalog.events:
            return Happening((self.catalog.events[key],))
        if key in self.catalog.attributes:
            attribute = self.catalog.attributes[key]
            return Held(attribute.name, attribute.type, attribute.history is not None)
        score = next((name for name in self.scores if name_key(name) == key), None)
        return Held(score, DECIMAL) if score else None

    def _field(self, relation: str, items: Sequence[Item]) -> tuple[Subject | None, Sequence[Item]]:
        attributes = self.catalog.relations[relation].attributes
        for length in range(_words(items), 0, -1):
            attribute = attributes.get(name_key(" ".join(item.key for item in items[:length])))
            if attribute is not None:
                return Held(attribute.name, attribute.type), items[length:]
        return None, items

    def _call(self, function: str, inside: Sequence[Item]) -> Subject | None:
        prop, events = self.argument(function, inside)
        kinds = self.kinds(events)
        if function in ("first", "last") and prop is None:
            return Held(function, types.Timestamp(), asks=kinds)
        if function in ("count", "distinct"):
            return Held(function, INT)
        typed = next((self._property(kind, prop) for kind in kinds if prop and self._property(kind, prop)), None)
        if function in ("first", "last", "min", "max"):
            return typed
        return Held(function, DECIMAL)

    def _property(self, kind: Event, key: str) -> Held | None:
        prop = kind.properties.get(key)
        return Held(prop.name, prop.type) if prop else None

    # --- events -------------------------------------------------------------------------------------------------

    def argument(self, function: str, inside: Sequence[Item]) -> tuple[str | None, Sequence[Item]]:
        """The property (its key) and the events of a call: `amount` and `purchased in 30d`."""
        if function == "percentile":
            inside = inside[2:]
        for at, item in enumerate(inside):
            if item.key == "of" and at and inside[at - 1].key != "any" and function in (*OF_PROPERTIES, "percentile"):
                return name_key(" ".join(each.key for each in inside[:at])), inside[at + 1 :]
        return None, inside

    def kinds(self, test: Sequence[Item]) -> tuple[Event, ...]:
        """The kinds of event that a test, or the argument of a call, is about; none if it is not about events."""
        subject, _ = self.subject(test)
        return subject.kinds if isinstance(subject, Happening) else ()

    def members(self, inside: Sequence[Item]) -> tuple[Event, ...]:
        """The kinds inside `any of (…)`."""
        found: dict[str, Event] = {}
        member: list[Item] = []
        for item in (*inside, None):
            if item is None or item.key == ",":
                found |= {kind.name: kind for kind in self.kinds(member)}
                member = []
            else:
                member.append(item)
        return tuple(found.values())


def _words(items: Sequence[Item]) -> int:
    """How many words stand at the beginning; a name in backticks is one."""
    count = 0
    for item in items:
        if not isinstance(item, Token) or item.kind not in ("word", "quoted"):
            break
        count += 1
    return count


def _is_object(item: Item) -> bool:
    return isinstance(item, Group) or item.kind == "text"


def common_properties(kinds: Iterable[Event]) -> dict[str, tuple[str, Event]]:
    """The properties that all of some kinds have: key -> the name and a kind that has it."""
    found: dict[str, tuple[str, Event]] = {}
    each = list(kinds)
    for kind in each[:1]:
        found = {key: (prop.name, kind) for key, prop in kind.properties.items()}
    return {key: value for key, value in found.items() if all(key in kind.properties for kind in each)}
