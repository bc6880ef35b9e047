"""Contacts as callers give them, and the facts that the Python backend takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypedDict

from segdsl import types
from segdsl.backends.python.fit import fit
from segdsl.catalog import model
from segdsl.catalog.model import Catalog, name_key
from segdsl.core.contact import Facts, Row, changes
from segdsl.core.time import FIRST
from segdsl.text.suggest import nearest


@dataclass(frozen=True)
class Event:
    """Something that happened.

    event: the kind, as the catalog names it, in any spelling of that name.
    at: a timezone-aware datetime, or ISO text (UTC if it has no offset); None for kinds without a time.
    properties: by the catalog's names, in any spelling. Values that do not fit their type are unknown.
    id: deliveries of one kind with one id count once, if the catalog names the kind's id.

    Raises ValueError for a naive datetime, and for text that is no time.
    """

    event: str
    at: datetime | str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    id: str | int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.at, datetime) and self.at.tzinfo is None:
            raise ValueError(
                f"event `{self.event}`: `at` has no time zone, so it is not an instant; "
                "write for example `datetime(2026, 3, 1, tzinfo=timezone.utc)`"
            )
        if not (
            self.at is None
            or isinstance(self.at, datetime)
            or (isinstance(self.at, date | str) and self.instant is not None)
        ):
            raise ValueError(
                f"event `{self.event}`: `at` is no time: {self.at!r}; write for example `2026-03-01T08:00Z`"
            )

    @property
    def instant(self) -> int | None:
        """Microseconds since 1970-01-01 UTC."""
        found = fit(self.at, types.Timestamp(), "UTC")
        return found if isinstance(found, int) else None


class EventFields(TypedDict, total=False):
    """An event as a mapping: the fields of `Event`; `event` is required."""

    event: str
    at: datetime | str | None
    properties: Mapping[str, object]
    id: str | int | None


@dataclass(frozen=True)
class Contact:
    """One contact and everything known of it.

    attributes: by the catalog's names, in any spelling; a related record's as `company.industry`. The value of one
      with a history is the one before all of `history`.
    events: in any order, as `Event` or as mappings with its fields.
    lists: names of the static lists that the contact is on.
    history: for attributes whose history the catalog maps, `(time, value)` pairs in any order: from then on the
      attribute has that value. Times as in `Event`.
    """

    id: str | int
    attributes: Mapping[str, object] = field(default_factory=dict)
    events: Iterable[Event | EventFields] = ()
    lists: Iterable[str] = ()
    history: Mapping[str, Iterable[tuple[datetime | str, object]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        events = tuple(event if isinstance(event, Event) else _event(event) for event in self.events)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "lists", (self.lists,) if isinstance(self.lists, str) else tuple(self.lists))


def _event(fields: EventFields) -> Event:
    unknown = sorted(set(fields) - set(EventFields.__annotations__))
    if unknown or "event" not in fields:
        problem = f"has no field `{unknown[0]}`" if unknown else "needs the field `event`"
        raise ValueError(f"an event {problem}; its fields are event, at, properties and id")
    properties = fields.get("properties")
    return Event(fields["event"], fields.get("at"), {} if properties is None else properties, fields.get("id"))


def facts(contact: Contact, catalog: Catalog) -> Facts:
    """The contact's facts under the keys and types of a catalog.

    Deliveries of one id are one event, the earliest. Events without a time are dropped where the kind has one.
    Raises ValueError for a name that the catalog does not have.
    """
    attributes: dict[tuple[str | None, str], object] = {}
    held: dict[str, list[tuple[int, object]]] = {}
    for name, value in contact.attributes.items():
        key, attribute = attribute_named(name, catalog)
        fitting = fit(value, attribute.type, catalog.timezone)
        if attribute.history:
            held[key[1]] = [(FIRST, fitting)]
        else:
            attributes[key] = fitting
    for name, values in contact.history.items():
        key, attribute = attribute_named(name, catalog)
        if not attribute.history:
            raise ValueError(f"the catalog maps no history of `{name}`; give its value in `attributes`")
        held.setdefault(key[1], []).extend(_held(name, values, attribute.type, catalog.timezone))
    history = {key: changes(rows, catalog.attributes[key].type) for key, rows in held.items()}
    found: dict[str, list[Row]] = {}
    earliest: dict[str, dict[str | int, Row]] = {}
    for event in contact.events:
        assert isinstance(event, Event)  # Contact made them so
        key_of_kind = name_key(event.event)
        kind = catalog.events.get(key_of_kind)
        if kind is None:
            raise ValueError(unknown_event(event.event, catalog))
        properties = fitting_properties(event.properties, kind, catalog.timezone)
        instant = 0 if kind.time is None else event.instant
        if instant is None:
            continue
        row = (instant, properties)
        if kind.id is None or event.id is None:
            found.setdefault(key_of_kind, []).append(row)
            continue
        rows = earliest.setdefault(key_of_kind, {})
        other = rows.get(event.id)
        if other is None or delivery_order(row, kind) < delivery_order(other, kind):
            rows[event.id] = row
    for key_of_kind, rows in earliest.items():
        found.setdefault(key_of_kind, []).extend(rows.values())
    return Facts(contact.id, attributes, found, frozenset(contact.lists), history)


def _held(
    name: str, rows: Iterable[tuple[datetime | str, object]], type: types.Type, zone: str
) -> Iterator[tuple[int, object]]:
    for at, value in rows:
        if isinstance(at, datetime) and at.tzinfo is None:
            raise ValueError(f"the history of `{name}`: {at!r} has no time zone, so it is not an instant")
        instant = fit(at, types.Timestamp(), "UTC")
        if not isinstance(instant, int):
            raise ValueError(f"the history of `{name}`: {at!r} is no time; write for example `2026-03-01T08:00Z`")
        yield instant, fit(value, type, zone)


def delivery_order(row: Row, kind: model.Event) -> tuple[object, ...]:
    """What decides between deliveries of one id: the time, then the properties as declared, known ones first."""
    values = (row[1].get(key) for key in kind.properties)
    return (row[0], *((value is None, 0 if value is None else value) for value in values))


def fitting_properties(given: Mapping[str, object], kind: model.Event, zone: str) -> dict[str, object]:
    """An event's properties, under any spelling of their names, by key and in the form of their types.

    Raises ValueError for a property that the kind does not have.
    """
    properties: dict[str, object] = {}
    for name, value in given.items():
        key = name_key(name)
        declared = kind.properties.get(key)
        if declared is None:
            names = (known.name for known in kind.properties.values())
            raise ValueError(_unknown(f"property of `{kind.name}`", name, names))
        properties[key] = fit(value, declared.type, zone)
    return properties


def attribute_named(name: str, catalog: Catalog) -> tuple[tuple[str | None, str], model.Attribute]:
    """The key and the declaration of an attribute, or of `relation.attribute`, in any spelling.

    Raises ValueError for a name that is none.
    """
    own = catalog.attributes.get(name_key(name))
    if own is not None:
        return (None, name_key(name)), own
    for position in (i for i, letter in enumerate(name) if letter == "."):
        relation = catalog.relations.get(name_key(name[:position]))
        if relation is not None and name_key(name[position + 1 :]) in relation.attributes:
            key = name_key(name[position + 1 :])
            return (name_key(name[:position]), key), relation.attributes[key]
    names = [attribute.name for attribute in catalog.attributes.values()]
    names += [f"{r.name}.{attribute.name}" for r in catalog.relations.values() for attribute in r.attributes.values()]
    raise ValueError(_unknown("attribute", name, names))


def unknown_event(name: str, catalog: Catalog) -> str:
    """That there is no such kind of event, and what may have been meant."""
    return _unknown("event", name, (kind.name for kind in catalog.events.values()))


def _unknown(what: str, name: str, names: Iterable[str]) -> str:
    guess = nearest(name, names)
    return f"unknown {what} `{name}`" + (f"; did you mean `{guess}`?" if guess else "")
