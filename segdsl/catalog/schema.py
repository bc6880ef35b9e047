"""The project file, described once: `FILE` checks what is loaded, `json_schema()` is the same for editors."""

from __future__ import annotations

from typing import Any

from segdsl.catalog.shape import Either, Many, Named, Record, Shape, Text, describe
from segdsl.text.codes import lints

TABLE = Text("a table, a view, `schema.table`, or the stem of a file in the data folder")
COLUMN = Text("a column of the table")
CONTACT = Text("the column that holds the contact's key; by default it is called as in the contacts' table")
FLAG = Text("true or false", choices=("true", "false"))
TYPE_NAME = Text("bool, int, decimal(p,s), float, string, timestamp, date, geo or list<string>")
VALUES = Many(Text(value=True), "the only values there are, in order", empty="SEG0614")

TIME = Either(
    text=Text("the column that says when; a clock time without offset is UTC"),
    record=Record(
        "a time",
        {
            "column": COLUMN,
            "unit": Text("the column holds numbers: s, ms or us since 1970", choices=("s", "ms", "us")),
            "timezone": Text("the column holds local clock times of this IANA time zone"),
        },
        required=("column",),
    ),
    about="when it happened",
)

TYPE = Either(text=TYPE_NAME, record=Record("a list of values", {"enum": VALUES}, required=("enum",)), about="the type")

_VALUE: dict[str, Shape] = {
    "type": TYPE,
    "enum": VALUES,
    "column": Text("the column; by default the name with underscores for spaces"),
    "json": Text("the JSON column that holds the value"),
    "path": Either(
        text=Text("keys from the outside in, with dots between them"),
        many=Many(Text("one key", value=True)),
        about="where in the JSON column the value is; by default under the name with underscores for spaces",
    ),
}
_PLACED: dict[str, Shape] = {
    **_VALUE,
    "required": FLAG,
    "latitude": Text("a geo value's latitude column"),
    "longitude": Text("a geo value's longitude column"),
}

HISTORY = Record(
    "a history",
    {"table": TABLE, "contact": CONTACT, "time": TIME, "value": Text("the column with the new value")},
    required=("table", "time", "value"),
    about="a table with one row for every change of the attribute",
)

ATTRIBUTES = Named(
    Either(text=TYPE_NAME, record=Record("an attribute", {**_PLACED, "history": HISTORY})),
    about="what is known about a contact: name and type",
)
RELATED = Named(
    Either(text=TYPE_NAME, record=Record("a related attribute", _PLACED)),
    about="what is known about the related record: name and type",
)
PROPERTIES = Named(
    Either(text=TYPE_NAME, record=Record("a property", _VALUE)),
    about="what is known about one event: name and type",
)
WHERE = Named(
    Either(text=Text(value=True), many=Many(Text(value=True))),
    about="the rows that are this event: column and value, or list of values",
)

_EVENT: dict[str, Shape] = {
    "table": TABLE,
    "contact": CONTACT,
    "time": TIME,
    "id": Text("a column; rows with the same id count once"),
    "object": Text("the property that a quoted text after the event is matched against"),
    "where": WHERE,
    "properties": PROPERTIES,
    "increasing": Text("a column of whole numbers that is greater in each new row: `segdsl follow` reads on behind it"),
    "retention": Text("how long the rows are kept, such as 400d or 13mo; a lint warns of windows that reach further"),
}
EVENT = Record("an event", {"from": Text("the source that gives what is not said here"), **_EVENT})
KINDS = Record(
    "kinds",
    {
        "column": Text("the column that holds the event's name"),
        "names": Many(Text(value=True), "the names; each becomes an event", empty="SEG0615"),
    },
    required=("column", "names"),
    about="one wide table: each name becomes an event",
)
SOURCE = Record("a source", {**_EVENT, "kinds": KINDS}, required=("table",))

_SWITCH = Text("on or off", choices=("on", "off"))
_LINTS = lints()
LINTS = Record(
    "lints",
    dict.fromkeys((*_LINTS, *_LINTS.values()), _SWITCH),
    about="which warnings about rules to give, by name or code",
)

FILE = Record(
    "the project file",
    {
        "version": Text("the version of this format", choices=("1",), code="SEG0618"),
        "database": Text("a folder of CSV, JSONL or Parquet files, or a database URL"),
        "timezone": Text("the project's IANA time zone, by default UTC"),
        "rules": Many(Text("a glob"), "where the rule files are, by default segments/**/*.seg"),
        "contacts": Record(
            "contacts",
            {"table": TABLE, "key": Text("the column that names a contact"), "attributes": ATTRIBUTES},
            required=("table", "key"),
            about="the people or companies that segments hold",
        ),
        "events": Named(EVENT, about="what contacts do"),
        "sources": Named(SOURCE, about="what several events share"),
        "relations": Named(
            Record(
                "a relation",
                {
                    "table": TABLE,
                    "key": Text("the column that names a record"),
                    "contact": Text("the contacts' column that holds the record's key"),
                    "attributes": RELATED,
                },
                required=("table", "key", "contact", "attributes"),
            ),
            about="records that many contacts share, a company for example",
        ),
        "lists": Record(
            "lists",
            {"table": TABLE, "list": Text("the column with the list's name"), "contact": CONTACT},
            required=("table", "list"),
            about="static lists: one row for each list and contact",
        ),
        "identities": Record(
            "identities",
            {"table": TABLE, "from": Text("the column with the other id"), "to": Text("the column with the contact")},
            required=("table", "from", "to"),
            about="events recorded under another id",
        ),
        "refresh": Record(
            "refresh",
            {
                "late": Text("how long after its time a row may come and still be found, such as 6h; by default 1d"),
                "tables": Text("what segdsl's own tables begin with, by default segdsl_; or with a schema: bi.segdsl_"),
            },
            about="how `segdsl apply` stores membership",
        ),
        "lints": LINTS,
    },
    required=("version", "contacts"),
    about="what contacts and events are called, and where they are stored",
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a project file, for editors."""
    definitions: dict[str, Any] = {}
    describe(FILE, definitions)
    root = definitions.pop(FILE.name.replace(" ", "-"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "segdsl.yml",
        **root,
        "$defs": definitions,
    }
