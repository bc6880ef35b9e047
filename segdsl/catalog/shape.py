"""What a part of the project file may look like: one description that checks the file and yields the JSON Schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segdsl.catalog.tree import Broken, Entry, Listing, Mapping, Node, Report, Scalar
from segdsl.text.source import Span


@dataclass(frozen=True)
class Text:
    """A text. `choices`: the only ones allowed; `value`: stored data, which may also look like a number."""

    about: str = ""
    choices: tuple[str, ...] = ()
    value: bool = False
    code: str = "SEG0603"


@dataclass(frozen=True)
class Many:
    """A list of at least one `item`."""

    item: Text
    about: str = ""
    empty: str = "SEG0603"


@dataclass(frozen=True)
class Named:
    """A mapping from names that the user chooses to `item`."""

    item: Shape
    about: str = ""


@dataclass(frozen=True)
class Record:
    """A mapping with these keys and no other."""

    name: str
    keys: dict[str, Shape]
    required: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Either:
    """A text, a list or a mapping: which one is meant shows from how it is written."""

    text: Text | None = None
    many: Many | None = None
    record: Record | None = None
    about: str = ""


Shape = Text | Many | Named | Record | Either


def clean(shape: Shape, node: Node, at: str, key: Span, report: Report) -> Node:
    """The node with everything that does not fit the shape replaced by `Broken` and reported.

    at: the key or name under which the node stands, for messages; key: where that is written.
    """
    if isinstance(node, Broken):
        return node
    if isinstance(shape, Either):
        return _either(shape, node, at, key, report)
    if isinstance(shape, Text) and isinstance(node, Scalar):
        return _text(shape, node, at, key, report)
    if isinstance(shape, Many) and isinstance(node, Listing):
        if not node.items:
            report(shape.empty, f"`{at}` is an empty list", node.span, "nothing in it", "name at least one")
            return Broken(node.span)
        return Listing([clean(shape.item, item, at, item.span, report) for item in node.items], node.span)
    if isinstance(shape, Named) and isinstance(node, Mapping):
        entries = {
            name: Entry(entry.key, clean(shape.item, entry.value, name, entry.key.span, report))
            for name, entry in node.entries.items()
        }
        return Mapping(entries, node.span)
    if isinstance(shape, Record) and isinstance(node, Mapping):
        return _record(shape, node, at, key, report)
    return _wrong(f"`{at}` wants {_wanted(shape)}", node, key, _example(shape), report)


def _either(shape: Either, node: Node, at: str, key: Span, report: Report) -> Node:
    if isinstance(node, Scalar) and shape.text and (node.text or not node.plain):
        return clean(shape.text, node, at, key, report)
    if isinstance(node, Listing) and shape.many:
        return clean(shape.many, node, at, key, report)
    if isinstance(node, Mapping) and shape.record:
        return clean(shape.record, node, at, key, report)
    return _wrong(f"`{at}` wants {_wanted(shape)}", node, key, _example(shape), report)


def _text(shape: Text, node: Scalar, at: str, key: Span, report: Report) -> Node:
    if not node.text.strip() and (node.plain or not shape.value):
        span = node.span if node.text else key
        report("SEG0603", f"`{at}` has no value", span, "nothing follows", f"write {_wanted(shape)}, or delete the key")
        return Broken(node.span)
    if shape.choices and node.text not in shape.choices:
        guess = report.guess(node.text, shape.choices)
        report(
            shape.code,
            f"`{at}` cannot be `{node.text}`",
            node.span,
            label=f"not {_any_of(shape.choices)}",
            help=f"did you mean `{guess}`?" if guess else f"write {_any_of(shape.choices)}",
        )
        return Broken(node.span)
    return node


def _record(shape: Record, node: Mapping, at: str, key: Span, report: Report) -> Node:
    entries: dict[str, Entry] = {}
    for name, entry in node.entries.items():
        if name in shape.keys:
            value = clean(shape.keys[name], entry.value, name, entry.key.span, report)
            entries[name] = Entry(entry.key, value)
            continue
        guess = report.guess(name, [k for k in shape.keys if k not in node.entries])
        report(
            "SEG0601",
            f"`{name}` is not a key of {shape.name}",
            entry.key.span,
            label="unknown key",
            help=f"did you mean `{guess}`?" if guess else f"the keys are {_listed(shape.keys)}",
        )
        if guess and guess not in entries:
            # Most likely misspelt: what it stands for is not missing as well.
            entries[guess] = Entry(entry.key, Broken(entry.value.span))
    for name in shape.required:
        if name not in entries:
            report("SEG0604", f"`{at}` lacks the key `{name}`", key, f"no `{name}`", f"add `{name}:`")
            entries[name] = Entry(Scalar(name, key), Broken(key))
    return Mapping(entries, node.span)


def _wrong(message: str, node: Node, key: Span, example: str, report: Report) -> Node:
    blank = node.span.start >= node.span.end
    written = {Scalar: "a text", Listing: "a list", Mapping: "a mapping"}.get(type(node), "this")
    span = key if blank else node.span
    report("SEG0603", message, span, "nothing follows" if blank else f"{written} here", example)
    return Broken(node.span)


def _wanted(shape: Shape) -> str:
    if isinstance(shape, Either):
        return " or ".join(_wanted(part) for part in (shape.text, shape.many, shape.record) if part)
    if isinstance(shape, Text):
        return _any_of(shape.choices) if shape.choices else "a text"
    if isinstance(shape, Many):
        return "a list of texts"
    return "a mapping"


def _example(shape: Shape) -> str:
    if isinstance(shape, Either):
        parts = [_example(part) for part in (shape.text, shape.many, shape.record) if part]
        return ", or ".join(part for part in parts if part)
    if isinstance(shape, Record):
        return f"the keys are {_listed(shape.keys)}"
    if isinstance(shape, Many):
        return "write `[one, two]`, or one a line after `- `"
    if isinstance(shape, Named):
        return "write names as keys, one a line, or `{}` for none"
    return "write one text"


def _any_of(words: tuple[str, ...]) -> str:
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" or {quoted[-1]}"


def _listed(words: dict[str, Shape]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def describe(shape: Shape, definitions: dict[str, Any]) -> dict[str, Any]:
    """The shape as JSON Schema; records are put into `definitions` once and referred to."""
    about = {"description": shape.about} if shape.about else {}
    if isinstance(shape, Record):
        slug = shape.name.replace(" ", "-").replace("'", "")
        if slug not in definitions:
            definitions[slug] = {}
            definitions[slug] = {
                "type": "object",
                **about,
                "additionalProperties": False,
                "properties": {name: describe(part, definitions) for name, part in shape.keys.items()},
                **({"required": list(shape.required)} if shape.required else {}),
            }
        return {"$ref": f"#/$defs/{slug}"}
    if isinstance(shape, Either):
        parts = [describe(part, definitions) for part in (shape.text, shape.many, shape.record) if part]
        return {**about, "anyOf": parts}
    if isinstance(shape, Named):
        return {"type": "object", **about, "additionalProperties": describe(shape.item, definitions)}
    if isinstance(shape, Many):
        return {"type": "array", **about, "minItems": 1, "items": describe(shape.item, definitions)}
    if shape.choices:
        # An editor reads YAML with its guesses: what we compare as text it sees as a number or a boolean.
        guessed: dict[str, Any] = {"1": 1, "true": True, "false": False}
        return {**about, "enum": [guessed.get(choice, choice) for choice in shape.choices]}
    return {**about, "type": ["string", "number", "boolean"] if shape.value else "string"}
