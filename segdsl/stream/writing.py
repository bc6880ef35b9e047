"""Lines to be written: what a database says, as fields that `reading` reads back, and changes as text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from segdsl import types
from segdsl.catalog.model import Catalog
from segdsl.core.time import isoformat, to_zoned
from segdsl.stream.lines import Flip
from segdsl.types import Type

Fields = dict[str, object]


def written(value: object, type: Type, zone: str) -> object:
    """A value in the Python form of its type as JSON has it in a line; a date is the day in the project's zone."""
    match value, type:
        case int(), types.Number(scale=scale) if scale:
            digits = f"{abs(value):0{scale + 1}d}"
            return f"{'-' * (value < 0)}{digits[:-scale]}.{digits[-scale:]}"
        case int(), types.Timestamp():
            return isoformat(value)
        case int(), types.Date():
            return to_zoned(value, zone).date().isoformat()
        case tuple(), _:
            return list(value)
    return value


def event(
    catalog: Catalog, kind: str, contact: str | int, at: int, properties: Mapping[str, object], id: str | None
) -> Fields:  # fmt: skip
    """The line of an event; `properties` by key, in the Python form of their types."""
    declared = catalog.events[kind]
    fields: Fields = {"contact": contact, "event": declared.name, "at": isoformat(at)}
    if properties:
        fields["properties"] = _properties(catalog, kind, properties)
    if id is not None:
        fields["id"] = id
    return fields


def has(catalog: Catalog, kind: str, rows: list[Mapping[str, object]]) -> Fields:
    """What a line says of all events of a kind without a time."""
    return {"has": {catalog.events[kind].name: [_properties(catalog, kind, row) for row in rows]}}


def text_of(flip: Flip) -> str:
    """The line that tells a change: JSON, without a newline."""
    fields = {"at": isoformat(flip.at), "segment": flip.segment, "contact": flip.contact, "change": flip.change}
    return json.dumps(fields, ensure_ascii=False)


def _properties(catalog: Catalog, kind: str, properties: Mapping[str, object]) -> Fields:
    declared, zone = catalog.events[kind].properties, catalog.timezone
    return {declared[key].name: written(value, declared[key].type, zone) for key, value in properties.items()}
