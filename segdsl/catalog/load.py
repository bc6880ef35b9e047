"""`segdsl.yml` to a `Catalog`, with every mistake of the file in one go.

Three steps, each of which goes on past mistakes: YAML to a tree (`tree`), the tree against the description of
the file (`schema`), and here what the description cannot say: names, types, references. What was reported once
is `Broken` from then on, so that one mistake gives one diagnostic.
"""

from __future__ import annotations

import re
from pathlib import Path

from segdsl.catalog import schema
from segdsl.catalog.model import (
    Attribute,
    Catalog,
    Column,
    Event,
    Identities,
    Lists,
    Place,
    Property,
    Refresh,
    Relation,
    name_key,
)
from segdsl.catalog.shape import clean
from segdsl.catalog.tree import LARGEST, Broken, Entry, Mapping, Node, Report, Scalar, parse
from segdsl.catalog.values import Names, Values, check_zone, child, entries, read_length, read_time, text, texts
from segdsl.text.codes import lints
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span
from segdsl.types import Enum, String

FILE_NAME = "segdsl.yml"
RULES = ("segments/**/*.seg",)
# Databases in a file or folder: what follows `://` is a path.
FILE_URLS = ("duckdb", "sqlite", "chdb")

# What names of tables may begin with: nothing that would have to be quoted.
TABLES = re.compile(r"([a-z_][a-z0-9_]{0,40}\.)?[a-z_][a-z0-9_]{0,40}")

Result = tuple[Catalog | None, list[Diagnostic]]


def find(start: Path) -> Path | None:
    """The project file of a file or folder: the nearest one on the way up, or None."""
    start = start.absolute()
    for folder in (start, *start.parents):
        candidate = folder / FILE_NAME
        if candidate.is_file():
            return candidate
    return None


def load(path: Path) -> Result:
    """The catalog in a file, or None and at least one error. A folder means the `segdsl.yml` in it."""
    if path.is_dir():
        path = path / FILE_NAME
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        help = "check the path; `segdsl init` writes a first project file"
        return None, [Diagnostic("SEG0623", f"cannot read `{name}`: {reason}", help=help)]
    if len(data) > LARGEST:
        return None, [Diagnostic("SEG0621", f"`{name}` is larger than 2 MB", help="is it the right file?")]
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        source = Source(name, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        span = Span(len(before), len(before) + 1)
        report = Report(source)
        report("SEG0622", "this is not UTF-8", span, f"the byte {data[error.start]:#04x}", "save the file as UTF-8")
        return None, report.found
    return load_text(content, name, path.parent)


def load_text(text: str, name: str, folder: Path) -> Result:
    """The catalog in a text. `name` is for messages, `folder` is where relative paths start."""
    source = Source(name, text.removeprefix("\ufeff"))
    report = Report(source)
    tree = parse(source, report)
    if tree is None:
        if not report.found:
            help = "`segdsl init` writes a first one"
            report("SEG0604", "the project file is empty", Span(0, 0), "nothing here", help)
        return None, report.sorted()
    start = next((e.key.span for e in entries(tree)), Span(tree.span.start, tree.span.start + 1))
    root = clean(schema.FILE, tree, Path(name).name, start, report)
    catalog = _Builder(root, report, folder.absolute()).catalog()
    return (None if report.found else catalog), report.sorted()


class _Builder:
    """Builds the catalog from the cleaned tree; where something is broken it puts anything, and goes on."""

    def __init__(self, root: Node, report: Report, folder: Path) -> None:
        self.root = root
        self.report = report
        self.folder = folder
        self.key = text(child(root, "contacts", "key"))
        self.names = Names(report)
        self.events: dict[str, Event] = {}

    def catalog(self) -> Catalog:
        root = self.root
        zone = child(root, "timezone")
        if isinstance(zone, Scalar):
            check_zone(zone, self.report)
        attributes = self.attributes(child(root, "contacts", "attributes"), self.names, "the attribute")
        self.all_events()
        relations = {}
        for entry in entries(child(root, "relations")):
            if self.names.add(entry.key, "the relation"):
                relations[name_key(entry.key.text)] = self.relation(entry)
        rules = child(root, "rules")
        return Catalog(
            source=self.report.source,
            folder=self.folder,
            database=database(text(child(root, "database")), self.folder) or None,
            timezone=text(zone, "UTC"),
            rules=tuple(rule.text for rule in texts(rules)) if rules else RULES,
            contacts=text(child(root, "contacts", "table")),
            key=Column(self.key),
            attributes=attributes,
            events=self.events,
            relations=relations,
            lists=self.lists(child(root, "lists")),
            identities=self.identities(child(root, "identities")),
            lints=self.lints(child(root, "lints")),
            refresh=self.refresh(child(root, "refresh")),
        )

    def attributes(self, node: Node | None, names: Names, what: str) -> dict[str, Attribute]:
        values = Values(self.report, self.key)
        found = {}
        for entry in entries(node):
            attribute = values.attribute(entry)
            if names.add(entry.key, what):
                found[name_key(entry.key.text)] = attribute
        return found

    def properties(self, node: Node | None) -> dict[str, Property]:
        values = Values(self.report, self.key)
        names = Names(self.report)
        found = {}
        for entry in entries(node):
            declared = values.property(entry)
            if names.add(entry.key, "the property"):
                found[name_key(entry.key.text)] = declared
        return found

    def all_events(self) -> None:
        sources = child(self.root, "sources")
        names = Names(self.report)
        known: dict[str, Entry] = {}
        used: set[str] = set()
        for entry in entries(sources):
            if names.add(entry.key, "the source"):
                known[name_key(entry.key.text)] = entry
        for entry in entries(child(self.root, "events")):
            origin = child(entry.value, "from")
            source = None
            if isinstance(origin, Scalar):
                source = known.get(name_key(origin.text))
                if source is None and not isinstance(sources, Broken):
                    guess = self.report.guess(origin.text, [e.key.text for e in known.values()])
                    help = f"did you mean `{guess}`?" if guess else "declare it under `sources`"
                    self.report("SEG0613", f"`{origin.text}` is not a source", origin.span, "not in `sources`", help)
            elif origin is None and child(entry.value, "table") is None and isinstance(entry.value, Mapping):
                help = "add `table:`, or `from:` and a source"
                message = f"`{entry.key.text}` lacks the key `table`"
                self.report("SEG0604", message, entry.key.span, "no `table` and no `from`", help)
            unsure = origin is not None and source is None
            self.add(entry.key, self.event(entry.key, entry.value, source, unsure))
            if source:
                used.add(source.key.text)
        for entry in known.values():
            self.kinds(entry, entry.key.text in used)

    def kinds(self, entry: Entry, used: bool) -> None:
        """The events that a source makes of the names in a column; a source without them is checked all the same.

        `used`: events take from the source; then its `object` may be a property that only they declare.
        """
        kinds = child(entry.value, "kinds")
        shared = self.event(entry.key, entry.value, None, unsure=used and kinds is None)
        column = Column(text(child(kinds, "column")))
        for name in texts(child(kinds, "names")):
            where = (*((c, v) for c, v in shared.where if c != column), (column, (name.text,)))
            place = Place(self.report.source, name.span)
            self.add(name, Event(name.text, shared.table, shared.contact, shared.time, shared.properties,
                                 shared.object, shared.id, where, place, shared.retention,
                                 shared.increasing))  # fmt: skip

    def add(self, name: Scalar, event: Event) -> None:
        if self.names.add(name, "the event"):
            self.events[name_key(name.text)] = event

    def event(self, name: Scalar, node: Node, source: Entry | None, unsure: bool = False) -> Event:
        """The event of a node over its source. `unsure`: the source is not known, nor what it would give."""
        given = source.value if source else None

        def own(key: str) -> Node | None:
            return child(node, key) or child(given, key)

        quiet = Report(self.report.source)  # the source's own mistakes are reported where it is checked
        properties = _Builder(self.root, quiet, self.folder).properties(child(given, "properties"))
        properties |= self.properties(child(node, "properties"))
        where = _where(child(given, "where")) | _where(child(node, "where"))
        time = read_time(own("time"), self.report if child(node, "time") else quiet)
        retention = read_length(own("retention"), self.report if child(node, "retention") else quiet)
        broken = [isinstance(part, Broken) for part in (node, given, own("properties"), child(given, "properties"))]
        if not unsure and not any(broken):
            self.check_object(own("object"), properties)
        identity = own("id")
        return Event(
            name.text,
            text(own("table")),
            Column(text(own("contact"), self.key)),
            time,
            properties,
            name_key(text(own("object"))) or None,
            Column(text(identity)) if identity else None,
            tuple(where.items()),
            Place(self.report.source, name.span),
            retention,
            Column(text(own("increasing"))) if own("increasing") else None,
        )

    def check_object(self, node: Node | None, properties: dict[str, Property]) -> None:
        if not isinstance(node, Scalar):
            return
        found = properties.get(name_key(node.text))
        if found is None:
            guess = self.report.guess(node.text, [p.name for p in properties.values()])
            help = f"did you mean `{guess}`?" if guess else f"declare `{node.text}` under `properties`"
            message = f"the object `{node.text}` is not a property of the event"
            self.report("SEG0612", message, node.span, "no such property", help)
        elif not isinstance(found.type, (String, Enum)):
            message = f"the object `{node.text}` is `{found.type}`, not text"
            why = "a quoted text after the event's name is matched against its object"
            help = "take another property as `object`, or declare it `string`"
            self.report("SEG0619", message, node.span, "not a text", help, why)

    def relation(self, entry: Entry) -> Relation:
        node = entry.value
        return Relation(
            entry.key.text,
            text(child(node, "table")),
            Column(text(child(node, "key"))),
            Column(text(child(node, "contact"))),
            self.attributes(child(node, "attributes"), Names(self.report), "the attribute"),
            Place(self.report.source, entry.key.span),
        )

    def lists(self, node: Node | None) -> Lists | None:
        if node is None:
            return None
        contact = Column(text(child(node, "contact"), self.key))
        return Lists(text(child(node, "table")), Column(text(child(node, "list"))), contact)

    def identities(self, node: Node | None) -> Identities | None:
        if node is None:
            return None
        alias, contact = Column(text(child(node, "from"))), Column(text(child(node, "to")))
        return Identities(text(child(node, "table")), alias, contact)

    def refresh(self, node: Node | None) -> Refresh:
        tables = child(node, "tables")
        if isinstance(tables, Scalar) and not TABLES.fullmatch(tables.text):
            help = "write lower-case letters, digits and underscores, perhaps behind a schema: `analytics.segdsl_`"
            message = f"`{tables.text}` cannot begin the name of a table"
            self.report("SEG0744", message, tables.span, "not such a name", help)
        return Refresh(text(tables, Refresh().tables), read_length(child(node, "late"), self.report))

    def lints(self, node: Node | None) -> dict[str, bool]:
        names = {code: name for name, code in lints().items()} if node is not None else {}
        found: dict[str, bool] = {}
        for entry in entries(node):
            name = names.get(entry.key.text, entry.key.text)
            if name in found:
                message = f"`{name}` is switched twice, by name and by code"
                self.report("SEG0602", message, entry.key.span, "the second time", "keep one of the two")
            found[name] = text(entry.value) == "on"
        return found


def _where(node: Node | None) -> dict[Column, tuple[str, ...]]:
    return {Column(e.key.text): tuple(dict.fromkeys(v.text for v in texts(e.value))) for e in entries(node)}


def database(url: str, folder: Path) -> str:
    """The database with relative paths made absolute from `folder`; other URLs as they are."""
    scheme, marks, rest = url.partition("://")
    if not url or (marks and scheme not in FILE_URLS) or (not marks and url.startswith("spark:")):
        return url
    if not marks:
        return str((folder / url).resolve())
    # After the (empty) host and its slash: `///w.db` is relative, `////srv/w.db` absolute.
    path = rest.removeprefix("/")
    if not path or path == ":memory:":
        return url
    path, question, options = path.partition("?")
    return f"{scheme}:///{(folder / path).resolve()}{question}{options}"
