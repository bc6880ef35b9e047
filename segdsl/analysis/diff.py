"""Two versions of the rules: which segments mean something else, and who enters or leaves because of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from graphlib import TopologicalSorter
from hashlib import md5
from typing import Any, Literal

from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.core.program import Program, Segment
from segdsl.core.walking import references

Member = str | int
Status = Literal["unchanged", "changed", "affected", "new", "removed"]
Side = Literal["enters", "leaves"]


@dataclass(frozen=True)
class Comparison:
    """What became of one segment's definition.

    name: as the new version spells it; as the old one did, if it is removed.
    status: `affected` is a definition that says the same and asks, itself or through others, one that does not.
    through: for `affected`, the changed names that it asks itself, sorted.
    """

    name: str
    status: Status
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One contact in one segment, or in both versions of it (`side` None: stays)."""

    segment: str
    contact: Member
    side: Side | None


def compare(old: Program, new: Program, old_names: Iterable[str], new_names: Iterable[str]) -> list[Comparison]:
    """The asked segments of both programs, by name.

    Definitions are compared by what they mean (their core), so that layout, comments, titles and other words for the
    same thing are no change. Names are one in any spelling.
    """
    before, after = _definitions(old), _definitions(new)
    through: dict[str, tuple[str, ...]] = {}
    statuses: dict[str, Status] = {}
    for key in _in_order(after):
        asked = {name_key(name): name for name in references(after[key])}
        through[key] = tuple(sorted(name for each, name in asked.items() if statuses.get(each) != "unchanged"))
        if key not in before:
            statuses[key] = "new"
        elif _plain(before[key]) != _plain(after[key]):
            statuses[key] = "changed"
        else:
            statuses[key] = "affected" if through[key] else "unchanged"
    old_keys = {name_key(name): name for name in old_names}
    found = []
    for name in new_names:
        key = name_key(name)
        status = statuses[key] if key in old_keys else "new"
        found.append(Comparison(name, status, through[key] if status == "affected" else ()))
        old_keys.pop(key, None)
    found += [Comparison(name, "removed") for name in old_keys.values()]
    return sorted(found, key=lambda each: each.name)


def fingerprints(program: Program) -> dict[str, str]:
    """For each segment 32 digits that are others if it means something else, itself or through what it asks."""
    definitions = _definitions(program)
    found: dict[str, str] = {}
    for key in _in_order(definitions):
        asked = sorted(found[name_key(name)] for name in references(definitions[key]))
        found[key] = md5(repr((_plain(definitions[key]), asked)).encode(), usedforsecurity=False).hexdigest()
    return {name: found[name_key(name)] for name in program.segments}


def _definitions(program: Program) -> dict[str, core.Rule | core.Points]:
    """What each segment and score means, by `name_key`."""
    found: dict[str, core.Rule | core.Points] = {name_key(n): segment.rule for n, segment in program.segments.items()}
    return found | {name_key(name): score for name, score in program.scores.items()}


def _in_order(definitions: Mapping[str, core.Rule | core.Points]) -> Iterator[str]:
    """The keys, each after those that it asks: a score may ask a segment, and a segment a score."""
    graph = {key: {name_key(name) for name in references(meant)} for key, meant in definitions.items()}
    return iter(TopologicalSorter(graph).static_order())


def _plain(node: object) -> object:
    """A node as tuples that are equal if it means the same: names in any spelling, a score of any size."""
    match node:
        case core.InSegment() | core.ScoreOf():
            return (type(node), name_key(node.name))
        case tuple():
            return tuple(map(_plain, node))
    if not is_dataclass(node):
        return node
    return (type(node), *(_plain(getattr(node, field.name)) for field in fields(node) if field.compare))


def spelled(program: Program, names: Iterable[str]) -> Program:
    """A program that also knows its segments by these spellings of their names."""
    known = {name_key(name): name for name in program.segments}
    missing = [name for name in names if name not in program.segments]
    aliases = {name: Segment(name, core.InSegment(known[name_key(name)])) for name in missing}
    return Program({**program.segments, **aliases}, program.scores)


def changes(old: Iterable[tuple[str, Member]], new: Iterable[tuple[str, Member]]) -> Iterator[Change]:
    """Both versions' members, `(segment, contact)` in ascending order, as one stream in that order.

    Nothing is held back: two rows are looked at, one of each side. The ids of one database are all text or all numbers.
    """
    left: Iterator[tuple[str, Any]] = iter(old)
    right: Iterator[tuple[str, Any]] = iter(new)
    before, after = next(left, None), next(right, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before < after):
            assert before is not None
            yield Change(*before, "leaves")
            before = next(left, None)
        elif before is None or after < before:
            yield Change(*after, "enters")
            after = next(right, None)
        else:
            yield Change(*after, None)
            before, after = next(left, None), next(right, None)
