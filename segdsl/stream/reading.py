"""Lines as they are written: one JSON object each, of one contact's news or of the time.

{"contact": "c17", "event": "visited", "at": "2026-03-01T09:30:00Z", "properties": {"path": "/pricing"}, "id": "e1"}
{"contact": "c17", "set": {"country": "DE"}, "at": "2026-03-01T09:31:00Z"}
{"contact": "c17", "lists": {"employees": true}, "at": "2026-03-01T09:32:00Z"}
{"contact": "c17", "alias": "anon-9", "at": "2026-03-01T09:32:30Z"}
{"contact": "c17", "history": {"plan": [["2026-02-01T00:00:00Z", "free"]]}, "at": "2026-03-01T09:32:40Z"}
{"contact": "c17", "has": {"deal": [{"status": "open"}]}, "at": "2026-03-01T09:32:50Z"}
{"contact": "c17", "deleted": true, "at": "2026-03-01T09:33:00Z"}
{"at": "2026-03-09T00:00:00Z"}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from segdsl.backends.python.fit import fit
from segdsl.catalog.model import Catalog, Event, name_key
from segdsl.contact import attribute_named, fitting_properties, unknown_event
from segdsl.core import nodes as core
from segdsl.core.story import Given, Happened, Listed
from segdsl.core.time import FIRST, LAST
from segdsl.stream.lines import Alias, Gone, Line, Step, Whole
from segdsl.types import INT, String, Timestamp

NEWS = ("event", "set", "lists", "history", "has", "alias", "deleted")
FIELDS = ("contact", "at", "properties", "id", *NEWS)


def parse(text: str | bytes) -> Mapping[str, object]:
    """The JSON object that a line is. Raises ValueError for any other text."""
    try:
        fields = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        if "set_int_max_str_digits" in str(error):
            raise ValueError("a number in it has too many digits") from None
        # Where in the file the line stands, this does not know: "line 1" would mislead.
        what = f"{error.msg}, at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise ValueError(f"it is no JSON: {what}") from None
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")
    return fields


def read(
    fields: Mapping[str, object], catalog: Catalog, now: int | None = None, forgiving: bool = False,
    passed: Counter[str] | None = None,
) -> Line | int:  # fmt: skip
    """A line of news, or the instant to which a line moves the clock (microseconds since 1970, UTC).

    now: the instant of news that says none; events of kinds with a time must say theirs.
    forgiving: attributes that the catalog does not have are passed over, as an event's properties always are.
    passed: counts the properties that were, by `event.property`.
    Values that do not fit their declared type are unknown. Raises ValueError for a line that says nothing that the
    catalog knows; its text goes on with "the line cannot be read: ".
    """
    try:
        return _read(fields, catalog, now, forgiving, passed)
    except ValueError as error:  # it may show half of a character, which no file and no table takes
        raise ValueError(str(error).encode("utf-8", "backslashreplace").decode()) from None


def _read(
    fields: Mapping[str, object], catalog: Catalog, now: int | None, forgiving: bool, passed: Counter[str] | None
) -> Line | int:  # fmt: skip
    unknown = next((name for name in fields if name not in FIELDS), None)
    if unknown is not None:
        raise ValueError(f"it has no field `{unknown}`; a line's fields are {', '.join(FIELDS)}")
    at = _instant(fields.get("at"))
    told = [name for name in NEWS if fields.get(name) not in (None, False)]
    if "contact" not in fields:
        if told or at is None or len(fields) > 1:
            raise ValueError("it needs the field `contact`, or to move the clock the field `at` alone")
        return at
    contact = _name("contact", fields["contact"])
    if len(told) != 1:
        names = ", ".join(f"`{name}`" for name in NEWS[:-1])
        raise ValueError(f"it tells one thing of a contact: {names} or `deleted`")
    instant = now if at is None else at
    if told == ["event"]:
        return _event(fields, contact, instant, catalog, passed)
    if "properties" in fields or "id" in fields:
        raise ValueError("`properties` and `id` are an event's")
    if instant is None:
        raise ValueError("it needs the field `at`: when this became so")
    return Line(instant, contact, tuple(_steps(told[0], fields[told[0]], contact, instant, catalog, forgiving)))


def _instant(said: object) -> int | None:
    """What `at` says; None if it says nothing."""
    at = fit(said, Timestamp(), "UTC")
    if said is not None and not isinstance(at, int):
        raise ValueError(f"`at` is no time: {_shown(said)}; write for example `2026-03-01T08:00:00Z`")
    if isinstance(at, int) and not FIRST <= at <= LAST:
        raise ValueError(f"`at` lies outside the years 1 to 9999 in UTC: {_shown(said)}")
    return at if isinstance(at, int) else None


def _steps(
    what: str, given: object, contact: str | int, at: int, catalog: Catalog, forgiving: bool
) -> Iterator[Step]:  # fmt: skip
    """What one of the `NEWS` other than an event tells; `given` is what stands in that field."""
    match what:
        case "deleted":
            if given is not True:
                raise ValueError("`deleted` is true or not there")
            yield Gone()
            return
        case "alias":
            alias = _name("alias", given)
            if alias == contact:
                raise ValueError("`alias` is another id than `contact`")
            yield Alias(alias)
            return
    if not isinstance(given, Mapping) or not (given or what == "set"):  # nothing set: the contact is there
        raise ValueError(f"`{what}` is an object of names and values")
    for name, value in {str(name): value for name, value in given.items()}.items():
        match what:
            case "lists":
                yield _list(name, value, at)
            case "has":
                yield _has(name, value, at, catalog)
            case _ if forgiving and not _is_attribute(name, catalog):
                continue
            case "history":
                yield _history(name, value, at, catalog)
            case _:
                yield _set(name, value, at, catalog)


def _shown(value: object) -> str:
    """A value as it stands in a line, or nearly so."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _name(field: str, name: object) -> str | int:
    """What a contact is called."""
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise ValueError(f"`{field}` is a text or a whole number, not {_shown(name)}")
    if fit(name, String() if isinstance(name, str) else INT, "UTC") is None:
        raise ValueError(f"no database can hold this `{field}`: {_shown(name)}")
    return name


def _event(
    fields: Mapping[str, object], contact: str | int, at: int | None, catalog: Catalog, passed: Counter[str] | None
) -> Line:  # fmt: skip
    name = fields["event"]
    if not isinstance(name, str):
        raise ValueError(f"`event` is the name of an event, not {_shown(name)}")
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
        raise ValueError(f"`id` is a text or a whole number, not {_shown(identity)}")
    properties = _declared(given, kind, catalog.timezone, passed)
    step = Happened(at, key, properties, kind.time is not None)
    return Line(at, contact, (step,), None if identity is None else str(identity))


def _declared(
    given: Mapping[object, object], kind: Event, zone: str, passed: Counter[str] | None = None
) -> dict[str, object]:  # fmt: skip
    """The properties of an event that the catalog declares: what sends events knows more than rules ask."""
    said = {str(name): value for name, value in given.items()}
    declared = {name: value for name, value in said.items() if name_key(name) in kind.properties}
    if passed is not None and len(declared) < len(said):
        passed.update(f"{kind.name}.{name}" for name in said if name not in declared)
    return fitting_properties(declared, kind, zone)


def _set(name: str, value: object, at: int, catalog: Catalog) -> Step:
    (relation, key), attribute = attribute_named(name, catalog)
    of: core.Attribute | core.Held = core.Attribute(key, attribute.type, relation)
    if attribute.history:
        of = core.Held(key, attribute.type)
    return Given(at, of, fit(value, attribute.type, catalog.timezone))


def _history(name: str, rows: object, at: int, catalog: Catalog) -> Step:
    """All of an attribute's values over time: pairs of an instant and a value."""
    (_, key), attribute = attribute_named(name, catalog)
    if not attribute.history:
        raise ValueError(f"the catalog maps no history of `{name}`: use `set`")
    found: list[tuple[int, object]] = []
    for row in rows if isinstance(rows, list | tuple) else [rows]:
        moment, value = row if isinstance(row, list | tuple) and len(row) == 2 else (None, None)
        instant = fit(moment, Timestamp(), "UTC")
        if not isinstance(instant, int):
            raise ValueError(f"`history` has pairs of a time and a value, not {_shown(row)}")
        if instant > at:  # it does not know yet what else will be said until then
            raise ValueError(f"`history` has the values up to `at`, and {_shown(moment)} is later: tell it by `set`")
        found.append((instant, fit(value, attribute.type, catalog.timezone)))
    return Whole(at, (key, attribute.type), tuple(found))


def _has(name: str, rows: object, at: int, catalog: Catalog) -> Step:
    """All events that a contact has of a kind without a time: a list of their properties."""
    kind = catalog.events.get(name_key(name))
    if kind is None:
        raise ValueError(unknown_event(name, catalog))
    if kind.time is not None:
        raise ValueError(f"`{kind.name}` has a time: tell each one by `event`")
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"`has` has a list of properties for `{name}`, one for each")
    return Whole(at, (name_key(name), None), tuple((0, _declared(row, kind, catalog.timezone)) for row in rows))


def _is_attribute(name: str, catalog: Catalog) -> bool:
    try:
        attribute_named(name, catalog)
    except ValueError:
        return False
    return True


def _list(name: str, member: object, at: int) -> Step:
    if not isinstance(member, bool):
        raise ValueError(f"`lists`: on `{name}` or not is true or false, not {_shown(member)}")
    return Listed(at, name, member)
