"""YAML text to a tree of texts, lists and mappings with spans: no guessing of types, no aliases, no tags.

The tree is put together from the parser's events with a stack of our own. So an alias is refused before it
could multiply anything, deep nesting costs no recursion, and every mistake of this kind is found in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import DIRECTIONS, Source, Span
from segdsl.text.suggest import nearest

DEEPEST = 40
LARGEST = 2_000_000  # bytes
MOST_GUESSES = 200

FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Scalar:
    """One text. `plain`: written without quotes, so that an empty one means that nothing was written."""

    text: str
    span: Span
    plain: bool = True


@dataclass(frozen=True)
class Listing:
    items: list[Node]
    span: Span


@dataclass(frozen=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True)
class Mapping:
    entries: dict[str, Entry]
    span: Span


@dataclass(frozen=True)
class Broken:
    """Something about which a diagnostic was given already; nothing more is said about it."""

    span: Span


Node = Scalar | Listing | Mapping | Broken


class Report:
    """Collects diagnostics about one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []

    def __call__(self, code: str, message: str, span: Span, label: str = "", help: str = "", why: str = "") -> None:
        self.found.append(Diagnostic(code, message, self.source, span, label=label, why=why, help=help))

    def guess(self, word: str, candidates: Iterable[str]) -> str | None:
        """The candidate nearest to `word`. After many findings None: the file is something else altogether."""
        return nearest(word, candidates) if len(self.found) < MOST_GUESSES else None

    def sorted(self) -> list[Diagnostic]:
        """Every finding once, in the order of the file."""
        once = {(d.code, d.span, d.message): d for d in reversed(self.found)}
        return sorted(once.values(), key=lambda d: (d.span.start if d.span else 0, d.code))


@dataclass
class _Open:
    """A mapping or list whose end was not reached yet."""

    start: int
    is_mapping: bool
    broken: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | Broken | None = None
    end: int = 0


def parse(source: Source, report: Report) -> Node | None:
    """The tree of the source's one document; None if it is not YAML at all (or empty), with diagnostics."""
    if len(source.text.encode("utf-8", "replace")) > LARGEST:
        report("SEG0621", "the project file is larger than 2 MB", Span(0, 0), help="move the data out of it")
        return None
    strange = FORBIDDEN.search(source.text) or DIRECTIONS.search(source.text)
    if strange:
        code = ord(strange.group())
        report(
            "SEG0622",
            f"the character U+{code:04X} cannot stand in a project file",
            Span(*strange.span()),
            label="in here",
            help="delete it",
        )
        return None
    import yaml  # late: a run without a project file does not pay for it

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _assemble(yaml.parse(source.text, Loader=loader), source, report)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index if mark else 0, len(source.text))
        report(
            "SEG0620",
            f"this is not YAML: {str(error.problem or error.context or 'unreadable').lower()}",
            Span(at, min(at + 1, len(source.text))),
            label="here",
            help="check indentation, quotes and brackets; a text that holds `: ` or ` #` needs quotes",
        )
    except yaml.YAMLError:
        report("SEG0620", "this is not YAML", Span(0, 0), help="check the file's encoding and its first line")
    return None


def _assemble(events: Any, source: Source, report: Report) -> Node | None:
    import yaml

    stack: list[_Open] = []
    root: Node | None = None
    documents = 0

    def add(node: Node) -> None:
        nonlocal root
        if stack:
            _put(stack[-1], node, report)
        else:
            root = node if root is None else root

    for event in events:
        span = Span(event.start_mark.index, max(event.start_mark.index, event.end_mark.index))
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                report("SEG0620", "a project file is one document", span, "a second one", "delete this line")
                return root
        elif isinstance(event, yaml.AliasEvent):
            word = f"*{event.anchor}"
            report("SEG0605", f"`{word}`: aliases are not allowed", span, "an alias", "write the value out here")
            add(Broken(span))
        elif isinstance(event, yaml.ScalarEvent):
            broken = _marked(event, span, source, report)
            strange = FORBIDDEN.search(event.value)
            if strange:  # from an escape such as "\0"
                char = f"U+{ord(strange.group()):04X}"
                report("SEG0622", f"the character {char} cannot stand in a project file", span, "in here", "delete it")
            # An anchor does no harm to the value it stands before; a tag changes what is meant.
            add(Broken(span) if broken or strange else Scalar(event.value, span, plain=not event.style))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) >= DEEPEST:
                report("SEG0621", f"nested more than {DEEPEST} levels deep", span, "too deep", "flatten it")
                return None
            broken = _marked(event, span, source, report)
            stack.append(_Open(span.start, isinstance(event, yaml.MappingStartEvent), broken, end=span.end))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            # The end of a block is where the next one starts; what it holds says better where it ends.
            flow = span.end > span.start and source.text[span.start] in "]}"
            whole = Span(done.start, span.end if flow else max(done.end, done.start))
            if done.broken:
                add(Broken(whole))
            elif done.is_mapping:
                add(Mapping(done.entries, whole))
            else:
                add(Listing(done.items, whole))
    return root


def _put(parent: _Open, node: Node, report: Report) -> None:
    parent.end = max(parent.end, node.span.end)
    if not parent.is_mapping:
        parent.items.append(node)
    elif parent.key is None:
        if isinstance(node, (Scalar, Broken)):
            parent.key = node
        else:
            report("SEG0603", "a key is a text, not a list or a mapping", node.span, "not a text", "write a name")
            parent.key = Broken(node.span)
    else:
        key, parent.key = parent.key, None
        if isinstance(key, Broken):
            return
        if key.text in parent.entries:
            report("SEG0602", f"`{key.text}` is given twice", key.span, "the second time", "keep one of the two")
            return
        parent.entries[key.text] = Entry(key, node)


def _marked(event: Any, span: Span, source: Source, report: Report) -> bool:
    """Whether the event carries an anchor or a tag, both reported."""
    # `&name` and `!tag` stand before the value, and their marks are the value's own start.
    word = re.compile(r"\S+").match(source.text, span.start)
    at = Span(span.start, word.end() if word else span.end)
    if event.anchor:
        report("SEG0605", f"`&{event.anchor}`: anchors are not allowed", at, "an anchor", "delete it")
    if event.tag:
        report("SEG0617", "tags are not allowed", at, "a tag", "delete it: the declared types say how values are read")
    return bool(event.tag)
