"""Ways through the nodes of a rule. A new node has its arm in `children`, and everything here knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any as Anything
from typing import assert_never

from segdsl.core.nodes import (
    All,
    Anchored,
    Anniversary,
    Any,
    Arithmetic,
    Attribute,
    Branch,
    Chain,
    Compare,
    Const,
    Contains,
    Events,
    Folded,
    Held,
    InList,
    InSample,
    InSegment,
    InSpan,
    Known,
    Match,
    Measure,
    Near,
    Node,
    Not,
    OneOf,
    PeriodOf,
    Points,
    Property,
    Rule,
    ScoreOf,
    Value,
)
from segdsl.core.time import At, Span


def children(node: Node) -> Iterator[Node]:
    """The nodes directly inside a node."""
    match node:
        case All() | Any():
            yield from node.parts
        case Not():
            yield node.part
        case Compare() | Arithmetic():
            yield node.left
            yield node.right
        case OneOf() | Match() | Known() | Contains() | Near() | Anniversary():
            yield node.value
        case Chain():
            if isinstance(node.span, Anchored):
                yield node.span
            for branch in node.branches():
                yield branch.where
            yield from node.same
        case InSpan():
            yield node.value
            if isinstance(node.span, Anchored):
                yield node.span
        case Anchored():
            yield node.anchor
        case Folded():
            yield node.text
        case Measure():
            yield node.events
            if node.of is not None:
                yield node.of
            yield from node.same
        case Events():
            if isinstance(node.span, Anchored):
                yield node.span
            for branch in node.branches:
                yield branch.where
        case Points():
            for award in node.awards:
                if award.rule is not None:
                    yield award.rule
                if award.per is not None:
                    yield award.per
        case Const() | Attribute() | Held() | Property() | PeriodOf() | ScoreOf() | InSegment() | InList() | InSample():
            return
        case _:
            assert_never(node)


def walk(node: Node) -> Iterator[Node]:
    """A node and everything inside it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)


def references(node: Rule | Value) -> Iterator[str]:
    """The names of the segments and scores that a rule or a score asks, itself and not through another."""
    for inner in walk(node):
        if isinstance(inner, InSegment | ScoreOf):
            yield inner.name


def branches_of(nodes: Iterable[object]) -> dict[Branch, None]:
    """The filters of events that some nodes have, and not those inside them; each once, in order."""
    return {
        branch: None for node in nodes if isinstance(node, Events | Chain)
        for branch in (node.branches if isinstance(node, Events) else node.branches())
    }  # fmt: skip


def asks_now(branch: Branch) -> bool:
    """Whether a filter's answer about one event may change with `now`."""
    for node in walk(branch.where):
        if isinstance(node, Measure | Points | ScoreOf | InSegment):
            return True
        if isinstance(node, InSpan | Anniversary):
            span = node.span
            if not isinstance(span, Span) or any(edge and not isinstance(edge, At) for edge in (span.lo, span.hi)):
                return True
    return False


def mapped(node: Anything, change: Callable[[Anything], Anything]) -> Anything:
    """A node whose inner nodes, and then itself, have been changed; branches, steps and awards count as nodes here."""
    inside = {}
    for each in fields(node):
        if not each.compare:
            continue
        value = getattr(node, each.name)
        if isinstance(value, tuple):
            found = tuple(mapped(part, change) if _is_node(part) else part for part in value)
        else:
            found = mapped(value, change) if _is_node(value) else value
        if found != value:
            inside[each.name] = found
    return change(replace(node, **inside) if inside else node)


def _is_node(value: object) -> bool:
    return is_dataclass(value) and type(value).__module__ == All.__module__ and not isinstance(value, type)
