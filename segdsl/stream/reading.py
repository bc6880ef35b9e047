"""Lines as they are written: one JSON object each, of one contact's news or of the time.

    {"contact": "c17", "event": "visited", "at": "2026-03-01T09:30:00Z", "properties": {"path": "/pricing"}, "id": "e1"}
    {"contact": "c17", "set": {"country": "DE"}, "at": "2026-03-01T09:31:00Z"}
    {"contact": "c17", "lists": {"employees": true}, "at": "2026-03-01T09:32:00Z"}
    {"contact": "c17", "deleted": true, "at": "2026-03-01T09:33:00Z"}
    {"at": "2026-03-09T00:00:00Z"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from segdsl.backends.python.fit import fit
from segdsl.catalog.model import Catalog, name_key
from segdsl.contact import attribute_named, fitting_properties, unknown_event
from segdsl.core import nodes as core
from segdsl.core.story import Given, Happened, Listed
from segdsl.stream.lines import Gone, Line, Step
from segdsl.types import INT, String, Timestamp

FIELDS = ("contact", "event", "at", "properties", "id", "set", "lists", "deleted")
NEWS = ("event", "set", "lists", "deleted")


def parse(text: str | bytes) -> Mapping[str, object]:
    """The JSON object that a line is. Raises ValueError for any other text."""
    try:
        fields = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        if "set_int_max_str_digits" in str(error):
            raise ValueError("a number in it has too many digits") from None
        raise ValueError(f"it is no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")
    return fields


def read(
    fields: Mapping[str, object], catalog: Catalog, now: int | None = None, forgiving: bool = False
) -> Line | int:  # fmt: skip
    """A line of news, or the instant to which a line moves the clock (microseconds since 1970, UTC).

    now: the instant of news that says none; events of kinds with a time must say theirs.
    forgiving: properties and attributes that the catalog does not have are passed over.
    Values that do not fit their declared type are unknown. Raises ValueError for a line that says nothing that the
    catalog knows; its text goes on with "the line cannot be read: ".
    """
    unknown = next((name for name in fields if name not in FIELDS), None)
    if unknown is not None:
        raise ValueError(f"it has no field `{unknown}`; a line's fields are {', '.join(FIELDS)}")
    said = fields.get("at")
    at = fit(said, Timestamp(), "UTC")
    if said is not None and not isinstance(at, int):
        raise ValueError(f"`at` is no time: {said!r}; write for example `2026-03-01T08:00:00Z`")
    told = [name for name in NEWS if fields.get(name) not in (None, False)]
    if "contact" not in fields:
        if told or not isinstance(at, int) or len(fields) > 1:
            raise ValueError("it needs the field `contact`, or to move the clock the field `at` alone")
        return at
    contact = fields["contact"]
    if isinstance(contact, bool) or not isinstance(contact, str | int):
        raise ValueError(f"`contact` is a text or a whole number, not {contact!r}")
    if fit(contact, String() if isinstance(contact, str) else INT, "UTC") is None:
        raise ValueError(f"no database can hold this `contact`: {contact!r}")
    if len(told) != 1:
        raise ValueError("it tells one thing of a contact: `event`, `set`, `lists` or `deleted`")
    instant = at if isinstance(at, int) else now
    if told == ["event"]:
        return _event(fields, contact, instant, catalog, forgiving)
    if "properties" in fields or "id" in fields:
        raise ValueError("`properties` and `id` are an event's")
    if instant is None:
        raise ValueError("it needs the field `at`: when this became so")
    if told == ["deleted"]:
        if fields["deleted"] is not True:
            raise ValueError("`deleted` is true or not there")
        return Line(instant, contact, (Gone(),))
    given = fields[told[0]]
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"`{told[0]}` is an object of names and values")
    said_of = {str(name): value for name, value in given.items()}
    if told == ["lists"]:
        return Line(instant, contact, tuple(_list(name, value, instant) for name, value in said_of.items()))
    if forgiving:
        said_of = {name: value for name, value in said_of.items() if _is_attribute(name, catalog)}
    return Line(instant, contact, tuple(_set(name, value, instant, catalog) for name, value in said_of.items()))


def _event(
    fields: Mapping[str, object], contact: str | int, at: int | None, catalog: Catalog, forgiving: bool
) -> Line:  # fmt: skip
    name = fields["event"]
    if not isinstance(name, str):
        raise ValueError(f"`event` is the name of an event, not {name!r}")
    key = name_key(name)
    kind = catalog.events.get(key)
    if kind is None:
        raise ValueError(unknown_event(name, catalog))
    if kind.time is not None and fields.get("at") is None:
        raise ValueError(f"`{kind.name}` needs the field `at`: when it happened")
    if at is None:
        raise ValueError("the first line needs the field `at`: since when this is known")
    given = fields.get("properties")
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise ValueError("`properties` is an object of names and values")
    identity = fields.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int | None):
        raise ValueError(f"`id` is a text or a whole number, not {identity!r}")
    said = {str(name): value for name, value in given.items()}
    if forgiving:
        said = {name: value for name, value in said.items() if name_key(name) in kind.properties}
    properties = fitting_properties(said, kind, catalog.timezone)
    return Line(at, contact, (Happened(at, key, properties, kind.time is not None),), identity)


def _set(name: str, value: object, at: int, catalog: Catalog) -> Step:
    (relation, key), attribute = attribute_named(name, catalog)
    of: core.Attribute | core.Held = core.Attribute(key, attribute.type, relation)
    if attribute.history:
        of = core.Held(key, attribute.type)
    return Given(at, of, fit(value, attribute.type, catalog.timezone))


def _is_attribute(name: str, catalog: Catalog) -> bool:
    try:
        attribute_named(name, catalog)
    except ValueError:
        return False
    return True


def _list(name: str, member: object, at: int) -> Step:
    if not isinstance(member, bool):
        raise ValueError(f"`lists`: on `{name}` or not is true or false, not {member!r}")
    return Listed(at, name, member)
