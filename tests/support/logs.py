"""The log of a stored contact, as lines that `follow` takes."""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.time import isoformat
from segdsl.stream.lines import Line
from segdsl.stream.reading import read
from segdsl.stream.writing import Fields, event, written


def fields_of(facts: Facts, catalog: Catalog, start: int) -> Iterator[Fields]:
    """One contact's log, in no order; what has no time of its own is known from `start` on."""
    known: Fields = {}
    for (relation, key), value in facts.attributes.items():
        declared = catalog.relations[relation].attributes[key] if relation else catalog.attributes[key]
        name = f"{catalog.relations[relation].name}.{declared.name}" if relation else declared.name
        known[name] = written(value, declared.type, catalog.timezone)
    yield {"contact": facts.id, "set": known, "at": isoformat(start)}
    if facts.lists:
        yield {"contact": facts.id, "lists": dict.fromkeys(facts.lists, True), "at": isoformat(start)}
    for key, changes in facts.history.items():
        declared = catalog.attributes[key]
        for at, value in changes:
            held = written(value, declared.type, catalog.timezone)
            yield {"contact": facts.id, "set": {declared.name: held}, "at": isoformat(at)}
    for kind, rows in facts.events.items():
        if core.changed_attribute(kind) is None:
            for at, properties in rows:
                timed = catalog.events[kind].time is not None
                yield event(catalog, kind, facts.id, at if timed else start, properties, None)


def log_of(facts: Facts, catalog: Catalog, start: int) -> Iterator[Line]:
    """The same as it is read."""
    for fields in fields_of(facts, catalog, start):
        line = read(fields, catalog)
        assert isinstance(line, Line)
        yield line
